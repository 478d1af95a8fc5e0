//! The reasons for which a guard refuses a request.

/// The reason why a guard refused a request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum DenialReason {
    /// Nobody is logged in, and a login may help.
    LoginRequired,
    /// A user is logged in, and may have to prove again who they are.
    FreshLoginRequired,
    /// A user is logged in, and the page is for guests.
    GuestOnly,
    /// No login helps.
    NotAllowed,
}

impl DenialReason {
    /// The reason in a few words, as events have it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::LoginRequired => "not logged in",
            Self::FreshLoginRequired => "login not fresh",
            Self::GuestOnly => "not a guest",
            Self::NotAllowed => "not allowed",
        }
    }
}

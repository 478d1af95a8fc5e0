//! The reasons for which a request is refused as one of another site.

use std::fmt;

/// The reason for which a request was refused as one that another site made a browser send.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum CsrfRefusal {
    /// The browser says so, in `Sec-Fetch-Site`.
    CrossOrigin,
    /// The `Origin` is not the `Host` of the request.
    ForeignOrigin,
    /// The request has neither `Sec-Fetch-Site` nor `Origin`, and the protection is strict.
    Unknown,
    /// The token of the form, or of the header `X-CSRF-Token`, is missing or not one of this session.
    Token,
}

impl CsrfRefusal {
    /// The reason in a few words, as events have it.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::CrossOrigin => "cross-origin",
            Self::ForeignOrigin => "origin is not the host",
            Self::Unknown => "neither sec-fetch-site nor origin",
            Self::Token => "wrong token",
        }
    }

    /// The reason that the client gets.
    pub(crate) fn detail(&self) -> &'static str {
        match self {
            Self::CrossOrigin | Self::ForeignOrigin => {
                "This request was sent by a page of another site, and was refused."
            }
            Self::Unknown => {
                "This request does not say which site sent it: send the header `Origin`, or a token in `X-CSRF-Token`."
            }
            Self::Token => "This form is not one of your session any more. Please load the page again.",
        }
    }
}

impl fmt::Display for CsrfRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

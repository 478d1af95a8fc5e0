//! The details that a header holds of a login besides its user and its times.

use std::sync::Arc;

use crate::error::SessionError;
use crate::record::credential_stamp::CredentialStamp;

/// The details of a login. A session whose login says nothing of this has none, and takes no room for it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct LoginDetails {
    /// The methods by which the user proved who they are, as RFC 8176 names them: `pwd`, `otp`, `hwk`.
    /// Visible ASCII without spaces.
    pub methods: Vec<String>,
    /// The user id of the actor under impersonation.
    pub actor: Option<Arc<str>>,
    /// The stamp of the credential, of the actor's where there is one.
    pub stamp: Option<CredentialStamp>,
    /// True if the login, or a handler for an anonymous session, asked for a lifetime of its own.
    pub own_lifetime: bool,
}

impl LoginDetails {
    /// Shares the details, unless they say nothing.
    pub fn shared(self) -> Option<Arc<Self>> {
        (self != Self::default()).then(|| Arc::new(self))
    }
}

/// Makes sure that methods can be told apart when they are stored one after the other.
pub(crate) fn check_methods(methods: &[String]) -> Result<(), SessionError> {
    let is_name = |method: &&String| !method.is_empty() && method.bytes().all(|byte| byte.is_ascii_graphic());
    methods.iter().find(|method| !is_name(method)).map_or(Ok(()), |method| Err(SessionError::method(method)))
}

//! The answer that SessionKit gives in place of the handler, as an axum response.

use std::fmt;

use axum_core::response::{IntoResponse, Response};
use sessionkit_core::{Rejection, SessionError};

/// The answer of an extractor or a guard: a problem document, or a redirect to the login page.
///
/// As the error of a handler it lets `?` stand behind login and logout.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SessionRejection(Rejection);

impl From<Rejection> for SessionRejection {
    fn from(rejection: Rejection) -> Self {
        Self(rejection)
    }
}

impl From<SessionError> for SessionRejection {
    fn from(error: SessionError) -> Self {
        Self(error.rejection())
    }
}

impl fmt::Display for SessionRejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for SessionRejection {}

impl IntoResponse for SessionRejection {
    fn into_response(self) -> Response {
        self.0.into()
    }
}

//! The answer that SessionKit gives in place of the handler, as an axum response.

use std::error::Error;
use std::fmt::{self, Display};
use std::ops::Deref;

use axum_core::response::{IntoResponse, Response};
use sessionkit_core::{Rejection, SessionError};

/// The answer of an extractor or a guard: a problem document, a page for a person, or a redirect to the login page.
///
/// As the error of a handler it lets `?` stand behind login and logout. It dereferences to [`Rejection`], and can be asked
/// what went wrong: the [`status`](Rejection::status), the [`kind`](Rejection::kind) of the error, its
/// [`detail`](Rejection::detail) for the client, and the [`error`](Rejection::error) itself.
///
/// ```
/// # mod sessionkit { pub use sessionkit_axum as axum; pub use sessionkit_core::*; }
/// use sessionkit::SessionErrorKind;
/// use sessionkit::axum::{Auth, SessionRejection};
///
/// async fn log_in(auth: Auth) -> Result<&'static str, SessionRejection> {
///     match auth.login("ada").await {
///         Err(error) if error.kind() == SessionErrorKind::TooManyDevices => Ok("Log out on another device first."),
///         result => Ok(result.map(|()| "welcome")?),
///     }
/// }
/// # let _: axum::Router = axum::Router::new().route("/login", axum::routing::post(log_in));
/// ```
///
/// The response has the [`Rejection`] among its extensions, for layers outside.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SessionRejection(Rejection);

impl SessionRejection {
    /// Adds a header, as [`Rejection::with_header`] does: `WWW-Authenticate`, `Retry-After`, `HX-Redirect`.
    pub fn with_header(self, name: &str, value: impl Display) -> Self {
        Self(self.0.with_header(name, value))
    }
}

impl Deref for SessionRejection {
    type Target = Rejection;

    fn deref(&self) -> &Rejection {
        &self.0
    }
}

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

impl Error for SessionRejection {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()
    }
}

impl IntoResponse for SessionRejection {
    fn into_response(self) -> Response {
        self.0.into()
    }
}

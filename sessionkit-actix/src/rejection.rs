//! The answer that SessionKit gives in place of the handler, as an actix-web error.

use std::error::Error;
use std::fmt::{self, Display};
use std::ops::Deref;

use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::{HttpResponse, ResponseError};
use sessionkit_core::{Rejection, SessionError};

/// The answer of an extractor or a guard: a problem document, a page for a person, or a redirect to the login page.
///
/// As the error of a handler it lets `?` stand behind login and logout. It dereferences to [`Rejection`], and can be asked
/// what went wrong: the [`status`](Rejection::status), the [`kind`](Rejection::kind) of the error, its
/// [`detail`](Rejection::detail) for the client, and the [`error`](Rejection::error) itself.
///
/// ```
/// # mod sessionkit { pub use sessionkit_actix as actix; pub use sessionkit_core::*; }
/// use sessionkit::SessionErrorKind;
/// use sessionkit::actix::{Auth, SessionRejection};
///
/// async fn log_in(auth: Auth) -> Result<&'static str, SessionRejection> {
///     match auth.login("ada").await {
///         Err(error) if error.kind() == SessionErrorKind::TooManyDevices => Ok("Log out on another device first."),
///         result => Ok(result.map(|()| "welcome")?),
///     }
/// }
/// # let _ = actix_web::App::new().route("/login", actix_web::web::post().to(log_in));
/// ```
///
/// The response has the [`Rejection`] among its extensions, for middleware outside.
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

impl ResponseError for SessionRejection {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.0.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse<BoxBody> {
        self.0.give();
        let mut response = HttpResponse::build(self.status_code());
        for header in self.0.headers() {
            response.append_header(header);
        }
        let mut response = response.body(self.0.body());
        response.extensions_mut().insert(self.0.clone());
        response
    }
}

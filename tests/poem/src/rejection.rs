//! The response that takes the place of the handler's.

use std::error::Error;
use std::fmt;
use std::ops::Deref;

use poem::error::ResponseError;
use poem::http::StatusCode;
use poem::{Body, IntoResponse, Response, ResponseParts};
use sessionkit_core::{Rejection, SessionError};

/// The error of extractors and guards, and of handlers that use `?` on a [`SessionError`]. It dereferences to
/// [`Rejection`].
#[derive(Clone, Debug)]
pub struct SessionRejection(Rejection);

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
        Self(error.into())
    }
}

impl ResponseError for SessionRejection {
    fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.0.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn as_response(&self) -> Response {
        from_http(self.0.clone().into())
    }
}

impl IntoResponse for SessionRejection {
    fn into_response(self) -> Response {
        self.as_response()
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

/// Makes a response of an error. Poem takes the extensions from the error, so the rejection among them would be lost.
pub(crate) fn response_of(error: poem::Error) -> Response {
    let rejection = error.downcast_ref().map(|SessionRejection(rejection)| rejection.clone());
    let mut response = error.into_response();
    if let Some(rejection) = rejection {
        response.extensions_mut().insert(rejection);
    }
    response
}

/// Makes the crate `http`'s response of Poem's. The body is not looked at.
pub(crate) fn to_http(response: Response) -> http::Response<Body> {
    let (parts, body) = response.into_parts();
    let mut response = http::Response::new(body);
    *response.status_mut() = parts.status;
    *response.version_mut() = parts.version;
    *response.headers_mut() = parts.headers;
    *response.extensions_mut() = parts.extensions;
    response
}

/// Makes Poem's response of the crate `http`'s.
pub(crate) fn from_http(response: http::Response<Body>) -> Response {
    let (parts, body) = response.into_parts();
    let http::response::Parts { status, version, headers, extensions, .. } = parts;
    Response::from_parts(ResponseParts { status, version, headers, extensions }, body)
}

//! Doing to a response what the engine says.

use std::borrow::Cow;
use std::fmt;

use actix_web::body::{BoxBody, EitherBody, MessageBody};
use actix_web::dev::ServiceResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use actix_web::{Error, HttpResponse, ResponseError};
use sessionkit_core::{HeaderChange, HeaderChanges, ResponseChanges};

use crate::rejection::SessionRejection;

/// Changes the response, or the error that a middleware further in gave instead of one.
pub(crate) fn apply<B: MessageBody>(
    changes: ResponseChanges,
    handled: Result<ServiceResponse<B>, Error>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    let ResponseChanges { headers, rejection, .. } = changes;
    let rejection = rejection.map(SessionRejection::from);
    match handled {
        Ok(response) => {
            let mut response = match rejection {
                Some(rejection) => response.into_response(rejection.error_response().map_into_right_body()),
                None => response.map_into_left_body(),
            };
            change(response.headers_mut(), headers);
            Ok(response)
        }
        Err(error) => Err(Changed { error: rejection.map_or(error, Error::from), headers }.into()),
    }
}

fn change(headers: &mut HeaderMap, changes: HeaderChanges) {
    for change in changes {
        let is_append = matches!(change, HeaderChange::Append(..));
        let (HeaderChange::Append(name, value) | HeaderChange::Set(name, value)) = change;
        let Some(mut value) = header_value(value) else { continue };
        value.set_sensitive(name == "set-cookie");
        let name = HeaderName::from_static(name);
        if is_append {
            headers.append(name, value);
        } else {
            headers.insert(name, value);
        }
    }
}

fn header_value(value: Cow<'static, str>) -> Option<HeaderValue> {
    match value {
        Cow::Borrowed(value) => Some(HeaderValue::from_static(value)),
        Cow::Owned(value) => HeaderValue::try_from(value).ok(),
    }
}

/// An error whose response gets the changes of the headers too.
struct Changed {
    error: Error,
    headers: HeaderChanges,
}

impl fmt::Display for Changed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl fmt::Debug for Changed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl ResponseError for Changed {
    fn status_code(&self) -> StatusCode {
        self.error.as_response_error().status_code()
    }

    fn error_response(&self) -> HttpResponse<BoxBody> {
        let mut response = self.error.error_response();
        change(response.headers_mut(), self.headers.clone());
        response
    }
}

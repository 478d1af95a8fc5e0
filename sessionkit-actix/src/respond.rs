//! Doing to a response what the engine says.

use std::fmt;

use actix_web::body::{BoxBody, EitherBody, MessageBody};
use actix_web::dev::ServiceResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use actix_web::{Error, HttpResponse, ResponseError};
use sessionkit_core::{Closed, HeaderChange};

use crate::rejection::SessionRejection;

/// Changes the response, or the error that a middleware further in gave instead of one.
pub(crate) fn apply<B: MessageBody>(
    closed: Closed,
    handled: Result<ServiceResponse<B>, Error>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    let Closed { headers, rejection, .. } = closed;
    let rejection = rejection.map(SessionRejection::from);
    match handled {
        Ok(response) => {
            let mut response = match rejection {
                Some(rejection) => response.into_response(rejection.error_response().map_into_right_body()),
                None => response.map_into_left_body(),
            };
            change(response.headers_mut(), &headers);
            Ok(response)
        }
        Err(error) => Err(Changed { error: rejection.map_or(error, Error::from), headers }.into()),
    }
}

fn change(headers: &mut HeaderMap, changes: &[HeaderChange]) {
    for change in changes {
        let (HeaderChange::Append(name, value) | HeaderChange::Set(name, value)) = change;
        let Ok(mut value) = HeaderValue::from_str(value) else { continue };
        value.set_sensitive(*name == "set-cookie");
        let name = HeaderName::from_static(name);
        match change {
            HeaderChange::Append(..) => headers.append(name, value),
            HeaderChange::Set(..) => drop(headers.insert(name, value)),
        }
    }
}

/// An error whose response gets the changes of the headers too.
struct Changed {
    error: Error,
    headers: Vec<HeaderChange>,
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
        change(response.headers_mut(), &self.headers);
        response
    }
}

//! Doing to a response what the engine says.

use std::borrow::Cow;
use std::fmt;

use actix_web::body::{BoxBody, EitherBody, MessageBody};
use actix_web::dev::ServiceResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_TYPE, EXPIRES, HeaderMap, HeaderName, HeaderValue, SET_COOKIE, VARY,
};
use actix_web::{Error, HttpResponse, ResponseError};
use sessionkit_core::Rejection;
use sessionkit_core::adapter::{HandlerResponse, HeaderChange, HeaderChanges, ResponseChanges};

use crate::extractors::SessionRejection;

/// Says what the handler answered, or a middleware further in.
pub(crate) fn handled_as<B>(handled: &Result<ServiceResponse<B>, Error>) -> HandlerResponse {
    match handled {
        Ok(response) => {
            let content_type = response.headers().get(CONTENT_TYPE).map(HeaderValue::as_bytes);
            let extensions = response.response().extensions();
            HandlerResponse::new(response.status().as_u16()).with_rejection(extensions.get::<Rejection>(), content_type)
        }
        Err(error) => {
            let rejection = error.as_error::<SessionRejection>().map(|rejection| &**rejection);
            let content_type =
                rejection.and_then(|rejection| rejection.headers().next()).map(|(_, value)| value.as_bytes());
            let status = error.as_response_error().status_code();
            HandlerResponse::new(status.as_u16()).with_rejection(rejection, content_type)
        }
    }
}

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
                Some(rejection) => {
                    let answer = replacing(response.headers(), &rejection);
                    response.into_response(answer.map_into_right_body())
                }
                None => response.map_into_left_body(),
            };
            change(response.headers_mut(), headers);
            Ok(response)
        }
        Err(error) => Err(changed(error, rejection, headers)),
    }
}

/// Makes the error that a middleware further in gave what it becomes. It stays as it is where nothing is lost by that, so that
/// middleware further out recognizes its type.
fn changed(error: Error, rejection: Option<SessionRejection>, headers: HeaderChanges) -> Error {
    let is_rejection = error.as_error::<SessionRejection>().is_some();
    match rejection {
        None if is_complete(&error, &headers) => error,
        Some(rejection) if is_rejection => {
            let presented = Error::from(rejection.clone());
            if is_complete(&presented, &headers) {
                return presented;
            }
            Changed { error, rejection: Some(rejection), headers }.into()
        }
        rejection => Changed { error, rejection, headers }.into(),
    }
}

/// Returns whether the response of an error needs none of the changes: its headers are the same already, and no cache keeps
/// it, for which `Vary` would count.
fn is_complete(error: &Error, changes: &HeaderChanges) -> bool {
    let (mut has_cache_control, mut is_no_store) = (false, false);
    let mut see = |value: &[u8]| {
        has_cache_control = true;
        is_no_store |= value.windows(8).any(|part| part.eq_ignore_ascii_case(b"no-store"));
    };
    match error.as_error::<SessionRejection>() {
        Some(rejection) => {
            rejection
                .headers()
                .filter(|(name, _)| *name == "cache-control")
                .for_each(|(_, value)| see(value.as_bytes()));
        }
        None => {
            let response = error.error_response();
            response.headers().get_all(CACHE_CONTROL).for_each(|value| see(value.as_bytes()));
            has_cache_control |= response.headers().contains_key(EXPIRES);
        }
    }
    // RFC 9110, section 15.1: the errors that a cache may keep although nothing says so.
    let is_cached_by_default = [404, 405, 410, 414, 501].contains(&error.as_response_error().status_code().as_u16());
    let is_cached = !is_no_store && (has_cache_control || is_cached_by_default);
    changes.essential().into_iter().all(|change| match change {
        HeaderChange::Append("vary", _) => !is_cached,
        HeaderChange::Set("cache-control", _) => is_no_store,
        _ => false,
    })
}

/// Makes the answer that a rejection is in the place of a response with these headers. Of a header that both have, the
/// rejection's counts.
fn replacing(handled: &HeaderMap, rejection: &SessionRejection) -> HttpResponse<BoxBody> {
    let mut answer = rejection.error_response();
    let own = std::mem::replace(answer.headers_mut(), HeaderMap::new());
    let adds_up = |name: &HeaderName| [SET_COOKIE, VARY].contains(name);
    for (name, value) in handled {
        if ResponseChanges::outlives_the_body(name.as_str()) && (adds_up(name) || !own.contains_key(name)) {
            answer.headers_mut().append(name.clone(), value.clone());
        }
    }
    for (name, value) in own {
        answer.headers_mut().append(name, value);
    }
    answer
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

/// An error whose response gets the changes of the headers too, or another response in its place.
struct Changed {
    error: Error,
    rejection: Option<SessionRejection>,
    headers: HeaderChanges,
}

impl fmt::Display for Changed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.rejection {
            Some(rejection) => rejection.fmt(f),
            None => self.error.fmt(f),
        }
    }
}

impl fmt::Debug for Changed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl ResponseError for Changed {
    fn status_code(&self) -> StatusCode {
        match &self.rejection {
            Some(rejection) => rejection.status_code(),
            None => self.error.as_response_error().status_code(),
        }
    }

    fn error_response(&self) -> HttpResponse<BoxBody> {
        let response = self.error.error_response();
        let mut response = match &self.rejection {
            Some(rejection) => replacing(response.headers(), rejection),
            None => response,
        };
        change(response.headers_mut(), self.headers.clone());
        response
    }
}

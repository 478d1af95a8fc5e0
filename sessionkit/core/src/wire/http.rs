//! Requests and responses of the crate `http` (feature `http`).

use std::borrow::Cow;

use ::http::header::{COOKIE, HeaderMap, HeaderName, HeaderValue};
use ::http::{Request, Response, StatusCode};

use crate::wire::head::{Headers, RequestHead};
use crate::wire::rejection::Rejection;
use crate::wire::response::{HeaderChange, ResponseChanges};

impl Headers for HeaderMap {
    fn each<'a>(&'a self, each: &mut dyn FnMut(&'a str, &'a [u8])) {
        self.iter().for_each(|(name, value)| each(name.as_str(), value.as_bytes()));
    }

    fn each_value<'a>(&'a self, name: &str, each: &mut dyn FnMut(&'a [u8])) {
        // Asked for by every request that uses its session, so it is not looked up by its text.
        let values = if name == "cookie" { self.get_all(COOKIE) } else { self.get_all(name) };
        values.iter().for_each(|value| each(value.as_bytes()));
    }
}

impl<'a, B> From<&'a Request<B>> for RequestHead<'a> {
    fn from(request: &'a Request<B>) -> Self {
        let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
        Self::new(request.method().as_str(), target, request.headers())
    }
}

impl ResponseChanges {
    /// Makes the handler's response what it becomes.
    pub fn apply<B: From<String>>(self, handled: Response<B>) -> Response<B> {
        let mut response = self.rejection.map_or(handled, Response::from);
        for change in self.headers {
            let (replaces, name, value) = match change {
                HeaderChange::Append(name, value) => (false, name, value),
                HeaderChange::Set(name, value) => (true, name, value),
            };
            let value = match value {
                Cow::Borrowed(value) => Ok(HeaderValue::from_static(value)),
                Cow::Owned(value) => HeaderValue::try_from(value),
            };
            let Ok(mut value) = value else { continue };
            value.set_sensitive(name == "set-cookie");
            if replaces {
                response.headers_mut().insert(HeaderName::from_static(name), value);
            } else {
                response.headers_mut().append(HeaderName::from_static(name), value);
            }
        }
        response
    }
}

impl<B: From<String>> From<Rejection> for Response<B> {
    fn from(rejection: Rejection) -> Self {
        rejection.give();
        let mut response = Self::new(rejection.body().into());
        *response.status_mut() = StatusCode::from_u16(rejection.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        for (name, value) in rejection.headers() {
            if let Ok(value) = HeaderValue::from_str(value) {
                response.headers_mut().insert(HeaderName::from_static(name), value);
            }
        }
        response
    }
}

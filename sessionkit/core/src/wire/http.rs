//! Requests and responses of the crate `http` (feature `http`).

use std::borrow::Cow;

use ::http::header::{CONTENT_TYPE, COOKIE, HeaderMap, HeaderName, HeaderValue, SET_COOKIE, VARY};
use ::http::{Request, Response, StatusCode};

use crate::wire::head::{Headers, RequestHead};
use crate::wire::rejection::Rejection;
use crate::wire::response::{HandlerResponse, HeaderChange, ResponseChanges};

impl Headers for HeaderMap {
    fn each<'a>(&'a self, each: &mut dyn FnMut(&'a str, &'a [u8])) {
        self.iter().for_each(|(name, value)| each(name.as_str(), value.as_bytes()));
    }

    fn each_value<'a>(&'a self, name: &str, each: &mut dyn FnMut(&'a [u8])) {
        // Every request that uses its session asks for this one: it is not looked up by its text.
        let values = if name == "cookie" { self.get_all(COOKIE) } else { self.get_all(name) };
        values.iter().for_each(|value| each(value.as_bytes()));
    }
}

impl<'a, B> From<&'a Request<B>> for RequestHead<'a> {
    fn from(request: &'a Request<B>) -> Self {
        let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
        let authority = request.uri().authority().map(|authority| authority.as_str());
        Self::new(request.method().as_str(), target, request.headers()).with_authority(authority)
    }
}

impl<B> From<&Response<B>> for HandlerResponse {
    fn from(response: &Response<B>) -> Self {
        let handled = Self::new(response.status().as_u16());
        let Some(rejection) = response.extensions().get() else { return handled };
        let content_type = response.headers().get(CONTENT_TYPE).map(HeaderValue::as_bytes);
        handled.with_rejection(Some(rejection), content_type)
    }
}

impl ResponseChanges {
    /// Makes the handler's response what it becomes. Where a rejection replaces it, its other headers stay: CORS, a request
    /// id, cookies of the application.
    pub fn apply<B: From<String>>(self, handled: Response<B>) -> Response<B> {
        let mut response = match self.rejection {
            Some(rejection) => replaced(handled, rejection),
            None => handled,
        };
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

/// Puts a rejection in the place of a response. Of a header that both have, the rejection's counts.
fn replaced<B: From<String>>(handled: Response<B>, rejection: Rejection) -> Response<B> {
    let mut response = Response::from(rejection);
    let own = std::mem::take(response.headers_mut());
    let adds_up = |name: &HeaderName| [SET_COOKIE, VARY].contains(name);
    for (name, value) in handled.headers() {
        if ResponseChanges::outlives_the_body(name.as_str()) && (adds_up(name) || !own.contains_key(name)) {
            response.headers_mut().append(name, value.clone());
        }
    }
    for (name, value) in &own {
        response.headers_mut().append(name, value.clone());
    }
    response
}

/// Leaves the rejection among the extensions of the response, where layers outside find it.
impl<B: From<String>> From<Rejection> for Response<B> {
    fn from(rejection: Rejection) -> Self {
        rejection.give();
        let mut response = Self::new(rejection.body().into());
        *response.status_mut() = StatusCode::from_u16(rejection.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        for (name, value) in rejection.headers() {
            if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_str(value)) {
                response.headers_mut().append(name, value);
            }
        }
        response.extensions_mut().insert(rejection);
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rejection_replaces_the_body_and_what_belongs_to_it_and_nothing_else() {
        let handled = Response::builder()
            .header("content-type", "text/html")
            .header("content-length", "5")
            .header("content-encoding", "gzip")
            .header("etag", "\"1\"")
            .header("location", "/done")
            .header("cache-control", "max-age=60")
            .header("x-request-id", "7")
            .header("access-control-allow-origin", "https://pay.example")
            .header("set-cookie", "theme=dark")
            .header("set-cookie", "lang=de")
            .header("vary", "Origin");
        let handled = handled.body("hello".to_owned()).unwrap();
        let rejection = Rejection::new(503, "Later.").with_header("retry-after", 9).with_header("set-cookie", "a=b");
        let changes = ResponseChanges::new(true, false, None, Some(rejection));
        let response = changes.apply(handled);
        assert_eq!(response.status(), 503);
        let all = |name: &str| -> Vec<String> {
            response.headers().get_all(name).iter().map(|value| value.to_str().unwrap().to_owned()).collect()
        };
        for gone in ["content-length", "content-encoding", "etag", "location"] {
            assert_eq!(all(gone), [""; 0], "{gone}");
        }
        assert_eq!(all("content-type"), ["application/problem+json"]);
        assert_eq!(all("cache-control"), ["no-store"]);
        assert_eq!(all("x-request-id"), ["7"]);
        assert_eq!(all("access-control-allow-origin"), ["https://pay.example"]);
        assert_eq!(all("set-cookie"), ["theme=dark", "lang=de", "a=b"]);
        assert_eq!(all("vary"), ["Origin", "Cookie"]);
        assert_eq!(all("retry-after"), ["9"]);
    }

    #[test]
    fn a_response_is_a_rejection_as_long_as_nothing_replaced_its_body() {
        let mut response: Response<String> = Rejection::new(403, "no").into();
        assert!(HandlerResponse::from(&response).rejection.is_some());
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html"));
        assert!(HandlerResponse::from(&response).rejection.is_none());
    }
}

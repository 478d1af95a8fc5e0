//! An answer that both frameworks understand.

use actix_web::body::BoxBody;
use actix_web::{HttpRequest, HttpResponse, Responder};
use axum::response::{IntoResponse, Response};

/// A status, a text, and perhaps headers.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Reply {
    status: u16,
    body: String,
    headers: Vec<(&'static str, &'static str)>,
}

impl Reply {
    /// 200 with a text.
    pub fn ok(body: impl ToString) -> Self {
        Self::status(200, body)
    }

    /// Another status with a text.
    pub fn status(status: u16, body: impl ToString) -> Self {
        Self { status, body: body.to_string(), headers: Vec::new() }
    }

    /// The same with a header.
    pub fn header(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.push((name, value));
        self
    }
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        let status = axum::http::StatusCode::from_u16(self.status).expect("tests use real status codes");
        let mut response = (status, self.body).into_response();
        for (name, value) in self.headers {
            response.headers_mut().append(name, axum::http::HeaderValue::from_static(value));
        }
        response
    }
}

impl Responder for Reply {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        let status = actix_web::http::StatusCode::from_u16(self.status).expect("tests use real status codes");
        let mut response = HttpResponse::build(status);
        for header in self.headers {
            response.append_header(header);
        }
        response.body(self.body)
    }
}

//! An answer that both frameworks understand.

use std::fmt::Display;

use actix_web::body::BoxBody;
use actix_web::{HttpRequest, HttpResponse, Responder};
use axum::response::{IntoResponse, Response};

/// A status, a text, and perhaps headers.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Reply {
    status: u16,
    body: String,
    headers: Vec<(&'static str, String)>,
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

    /// A page: 200 with this as its body.
    pub fn html(body: impl Display) -> Self {
        Self::ok(format!("<!doctype html><html lang=en><title>A test</title><body>{body}"))
            .header("content-type", "text/html; charset=utf-8")
    }

    /// 303 to another place.
    pub fn see_other(location: impl Into<String>) -> Self {
        Self::status(303, "").header("location", location)
    }

    /// The same with a header. A content type replaces that of text.
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        let status = axum::http::StatusCode::from_u16(self.status).expect("tests use real status codes");
        let mut response = (status, self.body).into_response();
        for (name, value) in self.headers {
            let value = axum::http::HeaderValue::try_from(value).expect("tests use real headers");
            if name == "content-type" {
                response.headers_mut().insert(name, value);
            } else {
                response.headers_mut().append(name, value);
            }
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

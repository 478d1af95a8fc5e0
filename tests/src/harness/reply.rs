//! An answer that both frameworks understand.

use actix_web::body::BoxBody;
use actix_web::{HttpRequest, HttpResponse, Responder};
use axum::response::{IntoResponse, Response};

/// A status and a text.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Reply {
    status: u16,
    body: String,
}

impl Reply {
    /// 200 with a text.
    pub fn ok(body: impl ToString) -> Self {
        Self::status(200, body)
    }

    /// Another status with a text.
    pub fn status(status: u16, body: impl ToString) -> Self {
        Self { status, body: body.to_string() }
    }
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        let status = axum::http::StatusCode::from_u16(self.status).expect("tests use real status codes");
        (status, self.body).into_response()
    }
}

impl Responder for Reply {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        let status = actix_web::http::StatusCode::from_u16(self.status).expect("tests use real status codes");
        HttpResponse::build(status).body(self.body)
    }
}

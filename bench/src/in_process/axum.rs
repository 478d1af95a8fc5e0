//! Calling an axum application.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::header::{COOKIE, SET_COOKIE};
use axum::http::{HeaderValue, Uri};
use axum::response::Response;
use tower::Service as _;

use super::{Callable, Job};
use crate::apps;
use crate::candidate::{Backend, Library};

pub(super) fn run<J: Job>(library: Library, backend: &Backend, job: J) -> J::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime can be built");
    runtime.block_on(async {
        let app = InProcess(apps::axum::app(library, backend).await);
        job.run(&app).await
    })
}

struct InProcess(Router);

impl Callable for InProcess {
    type Cookies = HeaderValue;
    type Response = Response;

    fn cookies(header: &str) -> HeaderValue {
        header.parse().expect("cookies are visible characters")
    }

    async fn call(&self, path: &'static str, cookies: Option<&HeaderValue>) -> Response {
        // As from a server, the address is not a buffer of its own: a copy of it allocates nothing.
        let mut request = Request::get(Uri::from_static(path));
        if let Some(cookies) = cookies {
            request = request.header(COOKIE, cookies);
        }
        let request = request.body(Body::empty()).expect("the path is valid");
        match self.0.clone().call(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }

    async fn read(response: Response) -> (u16, Vec<String>, String) {
        let status = response.status().as_u16();
        let set = response.headers().get_all(SET_COOKIE).iter();
        let set = set.map(|cookie| cookie.to_str().expect("cookies are visible characters").to_owned()).collect();
        let body = to_bytes(response.into_body(), usize::MAX).await.expect("the body is in memory");
        (status, set, String::from_utf8_lossy(&body).into_owned())
    }
}

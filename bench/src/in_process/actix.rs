//! Calling an actix-web application.

use actix_web::body::{MessageBody, to_bytes};
use actix_web::dev::{Service, ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::http::header::{COOKIE, HeaderValue, SET_COOKIE};
use actix_web::test::{TestRequest, init_service};
use actix_web::{App, Error};

use super::{Callable, Job};
use crate::apps::{self, actix::Visitor};
use crate::candidate::{Backend, Library};

pub(super) fn run<J: Job>(library: Library, backend: &Backend, job: J) -> J::Output {
    actix_web::rt::System::new().block_on(apps::actix::app(library, backend, Caller(job)))
}

struct Caller<J>(J);

impl<J: Job> Visitor for Caller<J> {
    type Output = J::Output;

    async fn visit<F, T, B>(self, make: F) -> J::Output
    where
        F: Fn() -> App<T> + Clone + Send + 'static,
        T: ServiceFactory<ServiceRequest, Config = (), Response = ServiceResponse<B>, Error = Error, InitError = ()>
            + 'static,
        B: MessageBody + 'static,
    {
        self.0.run(&InProcess(init_service(make()).await)).await
    }
}

struct InProcess<S>(S);

impl<S, B> Callable for InProcess<S>
where
    S: Service<actix_http::Request, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody,
{
    type Cookies = HeaderValue;
    type Response = ServiceResponse<B>;

    fn cookies(header: &str) -> HeaderValue {
        HeaderValue::from_str(header).expect("cookies are visible characters")
    }

    async fn call(&self, path: &'static str, cookies: Option<&HeaderValue>) -> ServiceResponse<B> {
        let mut request = TestRequest::with_uri(path);
        if let Some(cookies) = cookies {
            request = request.insert_header((COOKIE, cookies));
        }
        self.0.call(request.to_request()).await.expect("the handlers answer")
    }

    async fn read(response: ServiceResponse<B>) -> (u16, Vec<String>, String) {
        let status = response.status().as_u16();
        let set = response.headers().get_all(SET_COOKIE);
        let set = set.map(|cookie| cookie.to_str().expect("cookies are visible characters").to_owned()).collect();
        let body = to_bytes(response.into_body()).await.ok().expect("the body is in memory");
        (status, set, String::from_utf8_lossy(&body).into_owned())
    }
}

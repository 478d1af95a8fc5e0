//! A middleware that hands everything on: what any middleware costs on actix-web.

use std::future::{Ready, ready};
use std::task::{Context, Poll};

use actix_web::dev::{Service, ServiceRequest, Transform};

pub(super) struct NoOp;

impl<S: Service<ServiceRequest>> Transform<S, ServiceRequest> for NoOp {
    type Response = S::Response;
    type Error = S::Error;
    type Transform = NoOpService<S>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, inner: S) -> Self::Future {
        ready(Ok(NoOpService(inner)))
    }
}

pub(super) struct NoOpService<S>(S);

impl<S: Service<ServiceRequest>> Service<ServiceRequest> for NoOpService<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&self, request: ServiceRequest) -> S::Future {
        self.0.call(request)
    }
}

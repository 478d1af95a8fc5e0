//! A layer that hands everything on: what any layer costs on axum.

use std::task::{Context, Poll};

use axum::Router;
use tower::{Layer, Service};

use super::bare;

pub(super) fn app() -> Router {
    bare::app().layer(NoOp)
}

#[derive(Clone)]
struct NoOp;

impl<S> Layer<S> for NoOp {
    type Service = NoOpService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        NoOpService(inner)
    }
}

#[derive(Clone)]
struct NoOpService<S>(S);

impl<S: Service<R>, R> Service<R> for NoOpService<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: R) -> S::Future {
        self.0.call(request)
    }
}

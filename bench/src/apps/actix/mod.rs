//! The candidates on actix-web.

mod actix_session;
mod bare;
mod by_hand;
mod guarded;
mod no_op;
mod sessionkit;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::{App, Error};

use crate::candidate::{Backend, Library};

/// A task to do with an application. Each candidate's application is of a type of its own.
pub trait Visitor {
    type Output;

    fn visit<F, T, B>(self, make: F) -> impl Future<Output = Self::Output>
    where
        F: Fn() -> App<T> + Clone + Send + 'static,
        T: ServiceFactory<ServiceRequest, Config = (), Response = ServiceResponse<B>, Error = Error, InitError = ()>
            + 'static,
        B: MessageBody + 'static;
}

/// Makes the application of a candidate for a visitor.
pub async fn app<V: Visitor>(library: Library, backend: &Backend, visitor: V) -> V::Output {
    match library {
        Library::Bare => visitor.visit(|| App::new().configure(bare::routes)).await,
        Library::NoOp => visitor.visit(|| App::new().configure(bare::routes).wrap(no_op::NoOp)).await,
        Library::ByHand => by_hand::app(backend, visitor).await,
        Library::SessionKit => sessionkit::app(backend, visitor).await,
        Library::Guarded => guarded::app(visitor).await,
        Library::ActixSession => actix_session::app(backend, visitor).await,
        Library::TowerSessions | Library::AxumSession => unreachable!("it is made for the other framework"),
    }
}

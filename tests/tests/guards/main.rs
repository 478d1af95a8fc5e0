//! Guards, on both frameworks: who is let in, what the others get, and that nothing is read before it is decided.

mod actix;
mod arity;
mod axum;
mod combinations;
mod decisions;
mod denials;
mod http;
mod neighbours;
mod scopes;
mod shapes;
mod shop;
mod unread;

/// Runs each test on both frameworks. A test takes the application: `async fn name(app: impl App)`.
macro_rules! on_both_frameworks {
    ($application:ident: $($test:ident),* $(,)?) => {
        mod on_axum {
            $(#[tokio::test]
            async fn $test() {
                super::$test(crate::axum::$application()).await;
            })*
        }

        mod on_actix {
            $(#[actix_web::test]
            async fn $test() {
                super::$test(crate::actix::$application()).await;
            })*
        }
    };
}
pub(crate) use on_both_frameworks;

//! The harness of the behaviour suite: a test is written once and runs on both frameworks and on every store.
//!
//! ```
//! mod carts {
//!     use sessionkit::SessionData;
//!     use sessionkit_tests::behaviour;
//!     use sessionkit_tests::harness::Bench;
//!
//!     #[derive(SessionData)]
//!     pub struct Cart {
//!         items: Vec<u32>,
//!     }
//!
//!     behaviour! {
//!         tests: [a_cart_keeps_its_items];
//!
//!         async fn add(mut cart: Session<Cart>) -> Reply {
//!             cart.items.push(7);
//!             Reply::ok(cart.items.len())
//!         }
//!
//!         async fn a_cart_keeps_its_items(bench: Bench) {
//!             let server = serve(&bench, routes!["/add" => add]).await;
//!             let visitor = server.visitor();
//!             assert_eq!(visitor.get("/add").await.body, "1");
//!             assert_eq!(visitor.get("/add").await.body, "2");
//!         }
//!     }
//! }
//! # fn main() {}
//! ```

pub mod actix;
pub mod axum;
mod bench;
mod departure;
pub mod fault;
mod gates;
mod held;
mod log;
mod raw;
mod reply;
mod store;
mod visitor;
mod websocket;

pub use bench::{Bench, Server};
pub use departure::OpenRequest;
pub use gates::Gates;
pub use held::HeldStore;
pub use log::Log;
pub use reply::Reply;
pub use store::TestStore;
pub use visitor::{Answer, COOKIE, Visitor};
pub use websocket::WebSocket;

/// Compiles the handlers and tests in its body for both frameworks, and runs each of the named tests on every store.
///
/// The body sees `Session`, `MaybeSession`, `User`, `MaybeUser`, `SessionView`, `DynamicSession`, `Auth`, `CsrfToken`, `SessionRejection`, `session`,
/// `Shared`, `Body`, `PostedForm`, `Query`, `SessionHandle`, `Upgrade`, `upgrade`, `Answering`, `stream`, `serve`, `serve_scopes`, `serve_protected`, `under` and `routes!` of the framework that it is compiled for, and
/// everything in the scope around.
#[macro_export]
macro_rules! behaviour {
    (tests: $tests:tt; $($body:tt)*) => {
        $crate::compile_for!(axum [memory(Bench::memory()), redis(Bench::redis())] $tests $($body)*);
        $crate::compile_for!(actix [memory(Bench::memory()), redis(Bench::redis())] $tests $($body)*);
    };
}

/// Compiles handlers and tests for both frameworks, as [`behaviour!`] does; the tests take nothing and make benches of
/// their own, for what one store alone can do or suffer.
#[macro_export]
macro_rules! both_frameworks {
    (tests: $tests:tt; $($body:tt)*) => {
        $crate::compile_for!(axum [runs()] $tests $($body)*);
        $crate::compile_for!(actix [runs()] $tests $($body)*);
    };
}

/// Compiles a body for one framework, with a module of its tests for each of the arguments that they are run with.
#[doc(hidden)]
#[macro_export]
macro_rules! compile_for {
    ($framework:ident [$($run:ident $argument:tt),*] $tests:tt $($body:tt)*) => {
        #[allow(unused_imports, dead_code)]
        mod $framework {
            use $crate::harness::$framework::*;
            use $crate::harness::Reply;
            use super::*;

            $($body)*

            $($crate::compile_for!(@run $run $argument $tests);)*
        }
    };
    (@run $run:ident $argument:tt [$($test:ident),* $(,)?]) => {
        mod $run {
            use $crate::harness::Bench;

            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $test() {
                    super::$test $argument.await;
                }
            )*
        }
    };
}

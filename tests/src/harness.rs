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
pub mod audit;
pub mod axum;
mod bench;
mod departure;
pub mod fault;
mod gates;
mod held;
mod log;
mod raw;
mod reply;
mod server;
pub mod sql;
mod store;
mod traffic;
mod visitor;
mod watch;
mod websocket;

pub use bench::{Bench, Server};
pub use departure::OpenRequest;
pub use gates::Gates;
pub use held::HeldStore;
pub use log::Log;
pub use reply::Reply;
pub use server::{ServerKind, TestServer};
pub use store::{Fleet, TestStore};
pub use traffic::{Tally, Traffic};
pub use visitor::{Answer, COOKIE, Visitor};
pub use watch::{NEVER, watch};
pub use websocket::WebSocket;

/// Compiles the handlers and tests in its body for both frameworks, and runs each of the named tests on every store.
///
/// The body sees `Session`, `MaybeSession`, `User`, `MaybeUser`, `SessionView`, `DynamicSession`, `Auth`, `CsrfToken`, `SessionRejection`, `session`,
/// `Shared`, `Body`, `PostedForm`, `Query`, `SessionHandle`, `Upgrade`, `upgrade`, `Answering`, `stream`, `serve`, `serve_scopes`, `serve_protected`, `under` and `routes!` of the framework that it is compiled for, and
/// everything in the scope around.
#[macro_export]
macro_rules! behaviour {
    (tests: $tests:tt; $($body:tt)*) => {
        $crate::compile_for!(
            axum [memory(Bench::memory()), redis(Bench::redis()), file(Bench::file()), postgres(Bench::postgres().await)]
            $tests $($body)*
        );
        $crate::compile_for!(
            actix [
                memory(Bench::memory()), redis(Bench::redis()),
                sqlite(Bench::sqlite().await), mariadb(Bench::mariadb().await)
            ]
            $tests $($body)*
        );
    };
}

/// Compiles handlers and tests for both frameworks, as [`behaviour!`] does, and runs each test on a Redis Cluster and on the
/// Redis that sentinels watch too: for the invariants, which hold on all stores.
#[macro_export]
macro_rules! behaviour_everywhere {
    (tests: $tests:tt; $($body:tt)*) => {
        $crate::compile_for!(
            axum [
                memory(Bench::memory()), redis(Bench::redis()), file(Bench::file()), postgres(Bench::postgres().await),
                redis_cluster(Bench::redis_cluster())
            ]
            $tests $($body)*
        );
        $crate::compile_for!(
            actix [
                memory(Bench::memory()), redis(Bench::redis()),
                sqlite(Bench::sqlite().await), mariadb(Bench::mariadb().await),
                redis_sentinel(Bench::redis_sentinel())
            ]
            $tests $($body)*
        );
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

/// Compiles handlers and tests for both frameworks, as [`behaviour!`] does; the tests take the kind of a server, which they
/// let fail. The further servers are spread over the frameworks.
#[macro_export]
macro_rules! on_each_server {
    (tests: $tests:tt; $($body:tt)*) => {
        $crate::compile_for!(
            axum [redis(ServerKind::Redis), postgres(ServerKind::Postgres)] $tests $($body)*
        );
        $crate::compile_for!(
            actix [redis(ServerKind::Redis), mariadb(ServerKind::MariaDb)] $tests $($body)*
        );
    };
}

/// Compiles handlers and tests for both frameworks, as [`behaviour!`] does; the tests take the kind of a database, which they
/// let fail: PostgreSQL with one, MariaDB with the other.
#[macro_export]
macro_rules! on_each_database {
    (tests: $tests:tt; $($body:tt)*) => {
        $crate::compile_for!(axum [postgres(ServerKind::Postgres)] $tests $($body)*);
        $crate::compile_for!(actix [mariadb(ServerKind::MariaDb)] $tests $($body)*);
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
            #[allow(unused_imports)]
            use $crate::harness::{Bench, ServerKind};

            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $test() {
                    super::$test $argument.await;
                }
            )*
        }
    };
}

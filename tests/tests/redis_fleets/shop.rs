//! The shop whose visitors are to notice nothing.

use std::time::Duration;

use sessionkit::SessionData;
use sessionkit::redis::RedisStore;
use sessionkit_tests::harness::{Bench, Tally};

#[derive(SessionData)]
pub(crate) struct Cart {
    #[session(merge = add)]
    pub(crate) views: u64,
}

/// A bench over a store, with deadlines that are longer than a busy machine needs, and shorter than a failover takes.
pub(crate) fn bench(store: RedisStore) -> Bench {
    let deadline = Duration::from_secs(1);
    Bench::over(store).with_config(|config| config.load_deadline(deadline).commit_deadline(deadline))
}

/// Compiles tests for one framework, with the handlers of the shop.
macro_rules! in_a_shop {
    ($framework:ident: $tests:tt; $($body:tt)*) => {
        sessionkit_tests::compile_for! {
            $framework [runs()] $tests

            async fn add(mut cart: Session<crate::shop::Cart>) -> Reply {
                cart.views += 1;
                Reply::ok("added")
            }

            async fn views(cart: SessionView<crate::shop::Cart>) -> Reply {
                Reply::ok(cart.views)
            }

            async fn who(auth: Auth) -> Result<Reply, SessionRejection> {
                Ok(Reply::ok(auth.user_id().await?.as_deref().unwrap_or("nobody")))
            }

            /// Shows a user and what is theirs, of one moment.
            async fn mine(auth: Auth, cart: SessionView<crate::shop::Cart>) -> Result<Reply, SessionRejection> {
                Ok(Reply::ok(format!("{}: {}", auth.user_id().await?.as_deref().unwrap_or("nobody"), cart.views)))
            }

            async fn login(auth: Auth, body: Body) -> Result<Reply, SessionRejection> {
                auth.login(body).await?;
                Ok(Reply::ok("welcome"))
            }

            async fn logout(auth: Auth) -> Result<Reply, SessionRejection> {
                auth.logout().await?;
                Ok(Reply::ok("bye"))
            }

            async fn shop(bench: &Bench) -> Server {
                let routes = routes![
                    "/add" => add, "/views" => views, "/who" => who, "/mine" => mine, "/login" => login,
                    "/logout" => logout,
                ];
                serve(bench, routes).await
            }

            $($body)*
        }
    };
}

pub(crate) use in_a_shop;

/// Says what a failover lost. The output of these tests is shown when they pass, too.
pub(crate) fn report(failover: &str, tally: Tally) {
    println!("report: {failover}: {tally}");
}

/// Returns the key of the session of a token.
pub(crate) fn key_of(store: &RedisStore, token: &str) -> String {
    store.key(sessionkit_core::Token::parse(token.as_bytes()).expect("a token").id())
}

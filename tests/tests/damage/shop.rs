//! A shop that somebody is logged in to.

use sessionkit::SessionData;
use sessionkit_tests::harness::Bench;

#[derive(SessionData)]
pub(crate) struct Cart {
    pub(crate) items: Vec<u32>,
    #[session(merge = add)]
    pub(crate) views: u64,
    #[session(carry)]
    pub(crate) owner: String,
}

pub(crate) fn redis(bench: &Bench, arguments: &[&str]) -> String {
    bench.with_redis(|redis| redis.cli(arguments))
}

/// The handlers of the shop, for each framework.
macro_rules! handlers {
    () => {
        async fn plain() -> Reply {
            Reply::ok("hello")
        }

        async fn login(mut cart: Session<Cart>, auth: Auth) -> Result<Reply, SessionRejection> {
            cart.items.push(1);
            cart.views += 1;
            cart.owner = "ada".into();
            drop(cart);
            auth.login("ada").await?;
            Ok(Reply::ok("welcome"))
        }

        async fn logout(auth: Auth) -> Result<Reply, SessionRejection> {
            auth.logout().await?;
            Ok(Reply::ok("bye"))
        }

        async fn add(mut cart: Session<Cart>) -> Reply {
            cart.views += 1;
            Reply::ok("added")
        }

        async fn slow(mut cart: Session<Cart>, shared: Shared) -> Reply {
            cart.items.push(2);
            cart.views += 1;
            cart.owner = "bob".into();
            shared.0.pass("loaded").await;
            Reply::ok("changed")
        }

        async fn slow_login(auth: Auth, shared: Shared) -> Result<Reply, SessionRejection> {
            auth.user_id().await?;
            shared.0.pass("loaded").await;
            auth.login("bob").await?;
            Ok(Reply::ok("welcome"))
        }

        async fn own(mut cart: Session<Cart>) -> Reply {
            cart.owner = format!("{}!", cart.owner);
            Reply::ok(&cart.owner)
        }

        async fn read(cart: SessionView<Cart>) -> Reply {
            Reply::ok(format!("{} {:?} {}", cart.views, cart.items, cart.owner))
        }

        #[session(require_login, require = |cart: &Cart| cart.views < 100)]
        async fn allowed(shared: Shared) -> Reply {
            shared.0.note("let in");
            Reply::ok("let in")
        }

        async fn shop(bench: &Bench, manager: SessionManager) -> Server {
            let routes = routes![
                "/" => plain, "/login" => login, "/logout" => logout, "/add" => add, "/slow" => slow,
                "/slow-login" => slow_login, "/own" => own, "/read" => read, "/allowed" => allowed,
            ];
            serve_with(bench, manager, routes).await
        }

        /// A shop and somebody who is logged in and has something in the cart.
        async fn shop_with_visitor(bench: &Bench) -> (Server, Visitor) {
            let server = shop(bench, bench.manager()).await;
            let visitor = server.visitor();
            assert_eq!(visitor.get("/login").await.status, 200);
            (server, visitor)
        }

        /// Begins a request that has loaded the session, does something, and lets the request go on.
        async fn before_the_commit(path: &'static str, visitor: &Visitor, bench: &Bench, happens: impl FnOnce()) -> Answer {
            let asked = visitor.clone();
            let asked = tokio::spawn(async move { asked.get(path).await });
            bench.gates.arrived("loaded", 1).await;
            happens();
            bench.gates.open("loaded", 1);
            asked.await.expect("it is answered")
        }
    };
}
pub(crate) use handlers;

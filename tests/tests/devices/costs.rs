//! Tests of the store calls that the index of devices costs.

use std::time::Duration;

use sessionkit::OnMaxDevices::{EvictOldest, Reject};
use sessionkit::testing::Calls;
use sessionkit_tests::behaviour;
use sessionkit_tests::harness::{Bench, Server, Visitor};

const NONE: Calls = Calls { load: 0, insert: 0, replace: 0, remove: 0, scan: 0, load_many: 0, lists: 0, adoptions: 0 };

behaviour! {
    tests: [
        each_operation_makes_the_calls_that_the_protocol_says,
        a_login_at_the_limit_looks_at_each_device,
        what_is_not_a_login_costs_nothing,
    ];

    type Answered = Result<Reply, SessionRejection>;

    async fn login(auth: Auth) -> Answered {
        auth.login("ada").await?;
        Ok(Reply::ok("ada"))
    }

    async fn login_bob(auth: Auth) -> Answered {
        auth.login("bob").await?;
        Ok(Reply::ok("bob"))
    }

    async fn elevate(auth: Auth) -> Answered {
        auth.elevate("otp").await?;
        Ok(Reply::ok("up"))
    }

    async fn rotate(auth: Auth) -> Answered {
        auth.rotate().await?;
        Ok(Reply::ok("rotated"))
    }

    async fn act(auth: Auth) -> Answered {
        auth.impersonate("bob").await?;
        auth.end_impersonation().await?;
        Ok(Reply::ok("acted"))
    }

    async fn write(auth: Auth) -> Answered {
        auth.dynamic().await?.insert("seen", &true)?;
        Ok(Reply::ok("written"))
    }

    async fn logout(auth: Auth) -> Answered {
        auth.logout().await?;
        Ok(Reply::ok("bye"))
    }

    async fn list(auth: Auth) -> Answered {
        Ok(Reply::ok(auth.devices().list().await?.len()))
    }

    async fn end_others(auth: Auth) -> Answered {
        auth.devices().end_others().await?;
        Ok(Reply::ok("ended"))
    }

    async fn start(bench: &Bench) -> Server {
        let routes = routes![
            "/login" => login,
            "/login/bob" => login_bob,
            "/elevate" => elevate,
            "/rotate" => rotate,
            "/act" => act,
            "/write" => write,
            "/logout" => logout,
            "/list" => list,
            "/end/others" => end_others,
        ];
        serve(bench, routes).await
    }

    async fn costs(bench: &Bench, visitor: &Visitor, path: &str, calls: Calls) {
        bench.store.take();
        visitor.get(path).await;
        assert_eq!(bench.store.take(), calls, "{path}");
    }

    async fn each_operation_makes_the_calls_that_the_protocol_says(bench: Bench) {
        let bench = bench.with_config(|config| config.track_devices(true));
        let server = start(&bench).await;
        let visitor = server.visitor();
        let others = [server.visitor(), server.visitor()];
        costs(&bench, &visitor, "/login", Calls { insert: 1, lists: 3, ..NONE }).await;
        costs(&bench, &visitor, "/login", Calls { load: 1, replace: 1, lists: 2, ..NONE }).await;
        costs(&bench, &visitor, "/login/bob", Calls { load: 1, replace: 1, lists: 3 + 2, ..NONE }).await;
        costs(&bench, &visitor, "/login", Calls { load: 1, replace: 1, lists: 2 + 2, ..NONE }).await;
        costs(&bench, &visitor, "/elevate", Calls { load: 1, replace: 1, lists: 2, ..NONE }).await;
        for other in &others {
            other.get("/login").await;
        }
        costs(&bench, &visitor, "/list", Calls { load: 1, load_many: 1, lists: 1, ..NONE }).await;
        costs(&bench, &visitor, "/end/others", Calls { load: 1 + 2, remove: 2, lists: 2, ..NONE }).await;
        costs(&bench, &visitor, "/end/others", Calls { load: 1, lists: 2, ..NONE }).await;
        costs(&bench, &visitor, "/logout", Calls { load: 1, remove: 1, lists: 2, ..NONE }).await;
    }

    async fn a_login_at_the_limit_looks_at_each_device(bench: Bench) {
        // The very first login begins the list, which stays.
        let mut lists = 3;
        for policy in [EvictOldest, Reject] {
            let hour = Duration::from_secs(3600);
            let bench = bench.clone();
            let bench = bench.with_config(|config| config.track_devices(true).max_devices(2).on_max_devices(policy).ttl(hour));
            let server = start(&bench).await;
            for _ in 0..2 {
                costs(&bench, &server.visitor(), "/login", Calls { insert: 1, lists, ..NONE }).await;
                lists = 2;
            }
            let full = match policy {
                EvictOldest => Calls { insert: 1, load_many: 1, load: 1, remove: 1, lists: 2, ..NONE },
                Reject => Calls { load_many: 1, lists: 1, ..NONE },
            };
            costs(&bench, &server.visitor(), "/login", full).await;
            bench.clock.advance(hour);
            // One of them makes room. This clock may be ahead: it is not forgotten before it is removed.
            let expired = Calls { insert: 1, load_many: 1, load: 1, remove: 1, lists: 2, ..NONE };
            costs(&bench, &server.visitor(), "/login", expired).await;
            bench.manager().devices_of("ada").end_all().await.unwrap();
        }
    }

    async fn what_is_not_a_login_costs_nothing(bench: Bench) {
        let bench = bench.with_config(|config| config.track_devices(true));
        let server = start(&bench).await;
        let visitor = server.visitor();
        costs(&bench, &visitor, "/write", Calls { insert: 1, ..NONE }).await;
        visitor.get("/login").await;
        costs(&bench, &visitor, "/write", Calls { load: 1, ..NONE }).await;
        costs(&bench, &visitor, "/rotate", Calls { load: 1, replace: 1, ..NONE }).await;
        costs(&bench, &visitor, "/act", Calls { load: 1, replace: 2, ..NONE }).await;
        let stranger = server.visitor();
        stranger.get("/write").await;
        costs(&bench, &stranger, "/logout", Calls { load: 1, remove: 1, ..NONE }).await;
    }
}

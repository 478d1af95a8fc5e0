//! Another Redis becomes the master behind one address, while connections to the old one stay open.

use std::time::{Duration, Instant};

use sessionkit::SessionData;
use sessionkit::redis::RedisStore;
use sessionkit_tests::both_frameworks;
use sessionkit_tests::harness::{Bench, Server, ServerKind};
use sessionkit_tests::servers::redis::RedisServer;

#[derive(SessionData)]
struct Cart {
    #[session(merge = add)]
    views: u64,
}

/// The longest time for which the store may believe a server that was demoted, whatever that server says.
const BOUND: Duration = Duration::from_secs(2);

/// Makes another server the master, with everything that the bench's has. That one becomes a replica that hears of
/// nothing any more, and goes on serving what it knows.
fn fail_over(bench: &Bench) -> RedisServer {
    let new = RedisServer::start();
    bench.with_redis(|old| {
        old.cli(&["CONFIG", "SET", "repl-diskless-sync-delay", "0"]);
        new.cli(&["REPLICAOF", "127.0.0.1", &old.port().to_string()]);
        while !new.cli(&["INFO", "replication"]).contains("master_link_status:up") {
            std::thread::yield_now();
        }
        new.cli(&["REPLICAOF", "NO", "ONE"]);
        bench.network().lead_to(new.address());
        old.cli(&["REPLICAOF", "127.0.0.1", "1"]);
    });
    new
}

both_frameworks! {
    tests: [
        writes_logins_and_logouts_go_on,
        a_session_that_was_ended_elsewhere_does_not_open_after_the_bound,
        nor_after_a_silence,
        a_server_that_stays_a_replica_is_an_outage_that_ends_with_it,
    ];

    async fn add(mut cart: Session<Cart>) -> Reply {
        cart.views += 1;
        Reply::ok("added")
    }

    async fn views(cart: SessionView<Cart>) -> Reply {
        Reply::ok(cart.views)
    }

    async fn who(auth: Auth) -> Result<Reply, SessionRejection> {
        Ok(Reply::ok(auth.user_id().await?.as_deref().unwrap_or("nobody")))
    }

    async fn login(auth: Auth) -> Result<Reply, SessionRejection> {
        auth.login("ada").await?;
        Ok(Reply::ok("welcome"))
    }

    async fn logout(auth: Auth) -> Result<Reply, SessionRejection> {
        auth.logout().await?;
        Ok(Reply::ok("bye"))
    }

    async fn shop() -> (Bench, Server) {
        let bench = Bench::proxied(ServerKind::Redis).await.with_config(|config| config.track_devices(true));
        let routes = routes![
            "/add" => add, "/views" => views, "/who" => who, "/login" => login, "/logout" => logout,
        ];
        let server = serve(&bench, routes).await;
        (bench, server)
    }

    /// Ends the sessions of `ada` from another instance, which knows the new master.
    async fn end_elsewhere(bench: &Bench, master: &RedisServer) {
        let elsewhere = bench.manager_over(RedisStore::new(&master.url()).unwrap());
        elsewhere.devices_of("ada").end_all().await.unwrap();
    }

    async fn writes_logins_and_logouts_go_on() {
        let (bench, server) = shop().await;
        for first in ["/add", "/login", "/logout"] {
            let visitor = server.visitor();
            visitor.get("/login").await;
            visitor.get("/add").await;
            let token = visitor.token();
            let _new = fail_over(&bench);
            assert_eq!(visitor.get(first).await.status, 200, "{first} is the first write after the failover");
            match first {
                "/logout" => {
                    visitor.set_token(&token.unwrap());
                    assert_eq!(visitor.get("/who").await.body, "nobody");
                }
                "/add" => assert_eq!(visitor.get("/views").await.body, "2"),
                _ => assert_eq!(visitor.get("/views").await.body, "1"),
            }
            // Back to the server that the bench knows.
            bench.with_redis(|old| {
                old.cli(&["REPLICAOF", "NO", "ONE"]);
                bench.network().lead_to(old.address());
            });
            bench.network().cut().await;
        }
    }

    async fn a_session_that_was_ended_elsewhere_does_not_open_after_the_bound() {
        let (bench, server) = shop().await;
        let visitor = server.visitor();
        visitor.get("/login").await;
        let new = fail_over(&bench);
        let demoted = Instant::now();
        end_elsewhere(&bench, &new).await;
        loop {
            let asked = demoted.elapsed();
            let answer = visitor.get("/who").await;
            assert_eq!(answer.status, 200, "no request fails meanwhile");
            if answer.body == "nobody" {
                break;
            }
            assert!(asked < BOUND, "logged in on a server that was demoted {asked:?} ago");
        }
        assert_eq!(bench.network().connections(), 2);
    }

    async fn nor_after_a_silence() {
        let (bench, server) = shop().await;
        let visitor = server.visitor();
        visitor.get("/login").await;
        let new = fail_over(&bench);
        end_elsewhere(&bench, &new).await;
        tokio::time::sleep(BOUND).await;
        assert_eq!(visitor.get("/who").await.body, "nobody", "the first request after the bound");
    }

    async fn a_server_that_stays_a_replica_is_an_outage_that_ends_with_it() {
        let (bench, server) = shop().await;
        let visitor = server.visitor();
        visitor.get("/login").await;
        let token = visitor.token();
        bench.with_redis(|redis| redis.cli(&["REPLICAOF", "127.0.0.1", "1"]));
        assert_eq!(visitor.get("/add").await.status, 503);
        assert_eq!(visitor.get("/who").await.status, 503, "a replica is not read");
        assert_eq!(visitor.token(), token, "[P10]");
        bench.with_redis(|redis| redis.cli(&["REPLICAOF", "NO", "ONE"]));
        while visitor.get("/add").await.status == 503 {}
        assert_eq!((visitor.get("/who").await.body, visitor.get("/views").await.body), ("ada".into(), "1".into()));
    }
}

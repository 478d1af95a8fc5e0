//! Faults that only a database has, in the middle of traffic that checks every answer.

use std::time::Duration;

use sessionkit::testing::ManualClock;
use sessionkit::{Clock as _, SessionData, SessionManager, Store as _};
use sessionkit_tests::harness::fault::{assert_unavailable, recovered};
use sessionkit_tests::harness::{Bench, COOKIE, Log, Server, ServerKind, TestServer, Traffic, Visitor};
use sessionkit_tests::on_each_database;

#[derive(SessionData)]
struct Cart {
    items: Vec<u32>,
    #[session(merge = add)]
    views: u64,
}

/// A server that is told to end, as when it is restarted on purpose. `hard` is the least orderly way that it knows.
fn tell_to_end(bench: &Bench, hard: bool) {
    bench.with_server(|server| match server {
        TestServer::Postgres(server) if hard => server.stop_immediately(),
        TestServer::Postgres(server) => server.stop(),
        TestServer::MariaDb(server) => server.stop(),
        TestServer::Redis(_) => panic!("it is no database"),
    });
}

/// A clock that is ahead of another one.
fn ahead(clock: &ManualClock, lead: Duration) -> ManualClock {
    let other = ManualClock::new();
    other.advance(clock.now().saturating_duration_since(other.now()) + lead);
    other
}

/// The ways in which a row may be damaged, as the new value of its record.
const DAMAGES: [&str; 5] =
    ["''", "'damaged'", "SUBSTR(record, 1, 13)", "SUBSTR(record, 1, 40)", "SUBSTR(record, 1, LENGTH(record) - 1)"];

on_each_database! {
    tests: [
        the_server_is_told_to_end_in_the_middle_of_traffic,
        the_server_of_a_store_with_its_own_pool_is_told_to_end,
        a_pool_without_a_free_connection,
        half_open_connections_do_not_use_up_the_pool,
        half_open_connections_do_not_use_up_the_pool_of_a_store,
        a_slow_network,
        statements_that_take_too_long,
        statements_are_given_up_in_the_middle_of_traffic,
        two_servers_whose_clocks_differ_by_a_minute,
        a_damaged_row_is_one_session_s_trouble,
        columns_for_people_decide_nothing,
        a_record_in_the_row_of_another_session_opens_nothing_for_either_token,
    ];

    async fn plain() -> Reply {
        Reply::ok("hello")
    }

    async fn add(mut cart: Session<Cart>) -> Reply {
        cart.views += 1;
        cart.items.push(1);
        Reply::ok("added")
    }

    async fn views(cart: SessionView<Cart>) -> Reply {
        Reply::ok(cart.views)
    }

    async fn who(auth: Auth) -> Result<Reply, SessionRejection> {
        Ok(Reply::ok(auth.user_id().await?.as_deref().unwrap_or("nobody")))
    }

    async fn login(auth: Auth, body: Body) -> Result<Reply, SessionRejection> {
        auth.login(body).await?;
        Ok(Reply::ok("welcome"))
    }

    async fn logout(auth: Auth) -> Result<Reply, SessionRejection> {
        auth.logout().await?;
        Ok(Reply::ok("bye"))
    }

    async fn shop_with(bench: &Bench, manager: SessionManager) -> Server {
        let routes = routes![
            "/" => plain, "/add" => add, "/views" => views, "/who" => who, "/login" => login, "/logout" => logout,
        ];
        serve_with(bench, manager, routes).await
    }

    async fn shop(bench: &Bench) -> Server {
        shop_with(bench, bench.manager()).await
    }

    fn with_deadline(bench: Bench, milliseconds: u64) -> Bench {
        let deadline = Duration::from_millis(milliseconds);
        bench.with_config(|config| config.load_deadline(deadline).commit_deadline(deadline))
    }

    async fn logged_in(server: &Server, user: &str) -> Visitor {
        let visitor = server.visitor();
        assert_eq!(visitor.post("/login", user).await.status, 200);
        assert_eq!(visitor.get("/add").await.status, 200);
        visitor
    }

    async fn the_server_is_told_to_end_in_the_middle_of_traffic(kind: ServerKind) {
        let bench = with_deadline(Bench::persistent(kind).await, 2000);
        let server = shop(&bench).await;
        told_to_end(&bench, &server).await;
    }

    /// Its connections go from call to call without a test.
    async fn the_server_of_a_store_with_its_own_pool_is_told_to_end(kind: ServerKind) {
        let bench = with_deadline(Bench::persistent(kind).await, 2000);
        let store = sessionkit::connect(bench.table().url()).await.expect("the server answers");
        let server = shop_with(&bench, bench.manager_over(store)).await;
        told_to_end(&bench, &server).await;
    }

    async fn told_to_end(bench: &Bench, server: &Server) {
        let mut traffic = Traffic::begin(server).await;
        for hard in [true, false, true] {
            traffic.all_get(200).await;
            tell_to_end(bench, hard);
            traffic.all_get(503).await;
            bench.with_server(|server| server.restart());
            traffic.all_get(200).await;
            tell_to_end(bench, hard);
            // As quickly as it can.
            bench.with_server(|server| server.restart());
        }
        traffic.all_get(200).await;
        traffic.end().await;
    }

    async fn a_pool_without_a_free_connection(kind: ServerKind) {
        let bench = with_deadline(Bench::persistent(kind).await, 500);
        let (store, connections) = bench.table().store_of(bench.table().url(), 2).await;
        let server = shop_with(&bench, bench.manager_over(store)).await;
        let ada = logged_in(&server, "ada").await;
        let mut traffic = Traffic::begin(&server).await;
        for _ in 0..2 {
            traffic.all_get(200).await;
            let held = connections.hold_all().await;
            traffic.all_get(503).await;
            assert_unavailable(&ada.get("/who").await, "/who");
            assert_eq!(ada.get("/").await.body, "hello", "who needs no session does not notice");
            drop(held);
        }
        traffic.all_get(200).await;
        traffic.end().await;
        assert_eq!(ada.get("/who").await.body, "ada");
    }

    /// The network of all connections goes away without a word while they are in use, or on their way back to the pool.
    async fn half_open_connections_do_not_use_up_the_pool(kind: ServerKind) {
        let bench = with_deadline(Bench::proxied(kind).await, 500);
        let url = bench.with_server(|server| server.url_through(bench.network()));
        let (store, _connections) = bench.table().store_of(&url, 2).await;
        half_open(&bench, bench.manager_over(store)).await;
    }

    async fn half_open_connections_do_not_use_up_the_pool_of_a_store(kind: ServerKind) {
        let bench = with_deadline(Bench::proxied(kind).await, 500);
        let url = bench.with_server(|server| server.url_through(bench.network()));
        let store = sessionkit::connect(&url).await.expect("the server answers");
        half_open(&bench, bench.manager_over(store)).await;
    }

    async fn half_open(bench: &Bench, manager: SessionManager) {
        let server = shop_with(bench, manager).await;
        let ada = logged_in(&server, "ada").await;
        let mut traffic = Traffic::begin(&server).await;
        for _ in 0..4 {
            traffic.all_get(200).await;
            bench.network().strand();
        }
        traffic.all_get(200).await;
        traffic.end().await;
        assert_eq!(ada.get("/who").await.body, "ada");
    }

    /// A way on which an answer takes a while, and then longer than the deadline.
    async fn a_slow_network(kind: ServerKind) {
        let bench = with_deadline(Bench::proxied(kind).await, 2000);
        let server = shop(&bench).await;
        let ada = logged_in(&server, "ada").await;
        let mut traffic = Traffic::begin(&server).await;
        for _ in 0..2 {
            bench.network().delay(Duration::from_millis(30));
            traffic.all_get(200).await;
            bench.network().delay(Duration::from_millis(2500));
            traffic.all_get(503).await;
            bench.network().delay(Duration::ZERO);
            traffic.all_get(200).await;
        }
        traffic.end().await;
        assert_eq!(recovered(&ada, "/who").await.body, "ada");
    }

    /// Another transaction holds the row, and the database gives up waiting before the application does.
    async fn statements_that_take_too_long(kind: ServerKind) {
        let bench = with_deadline(Bench::persistent(kind).await, 5000);
        let (store, connections) = bench.table().impatient_store(bench.table().url()).await;
        let server = shop_with(&bench, bench.manager_over(store)).await;
        let (ada, bob) = (logged_in(&server, "ada").await, logged_in(&server, "bob").await);
        let lock = connections.lock_row(bench.table(), "kind = 'session' AND user_id = 'ada'").await;
        let began = std::time::Instant::now();
        assert_unavailable(&ada.get("/add").await, "/add");
        assert!(began.elapsed() < Duration::from_millis(4500), "the application gave up, not the database");
        assert_eq!(ada.get("/views").await.body, "1", "reading waits for no lock");
        assert_unavailable(&ada.get("/logout").await, "/logout");
        assert_eq!(ada.get("/who").await.body, "ada");
        assert_eq!((bob.get("/add").await.status, &*bob.get("/views").await.body), (200, "2"));
        lock.release().await;
        assert_eq!((ada.get("/add").await.status, &*ada.get("/views").await.body), (200, "2"));
        assert_eq!((ada.get("/logout").await.status, ada.token()), (200, None));
    }

    /// Another transaction holds the table: whatever reads or writes takes longer than the database lets a statement take,
    /// which is less than the deadline of the application.
    async fn statements_are_given_up_in_the_middle_of_traffic(kind: ServerKind) {
        let bench = with_deadline(Bench::persistent(kind).await, 5000);
        let (store, connections) = bench.table().hasty_store(bench.table().url()).await;
        let server = shop_with(&bench, bench.manager_over(store)).await;
        let ada = logged_in(&server, "ada").await;
        let mut traffic = Traffic::begin(&server).await;
        for _ in 0..3 {
            traffic.all_get(200).await;
            let lock = connections.lock_table(bench.table()).await;
            traffic.all_get(503).await;
            let began = std::time::Instant::now();
            for path in ["/who", "/add", "/logout"] {
                assert_unavailable(&ada.get(path).await, path);
            }
            assert!(began.elapsed() < Duration::from_millis(4500), "the application gave up, not the database");
            let late = server.visitor();
            assert_unavailable(&late.post("/login", "ada").await, "/login");
            assert_eq!(late.token(), None, "[P8]");
            lock.release().await;
        }
        traffic.all_get(200).await;
        traffic.end().await;
        assert_eq!((&*ada.get("/who").await.body, &*ada.get("/views").await.body), ("ada", "1"));
        assert_eq!((ada.get("/logout").await.status, ada.token()), (200, None));
    }

    /// One is half a minute ahead of the database, the other behind it by as much.
    async fn two_servers_whose_clocks_differ_by_a_minute(kind: ServerKind) {
        let bench = match kind {
            ServerKind::Postgres => Bench::postgres().await,
            _ => Bench::mariadb().await,
        };
        let ttl = Duration::from_secs(600);
        let bench = bench.with_config(|config| config.ttl(ttl).absolute_ttl(Duration::from_secs(86_400)));
        let fast = ahead(&bench.clock, Duration::from_secs(60));
        let servers = [shop(&bench).await, shop_with(&bench, bench.builder().clock(fast.clone()).build()).await];
        let visitors: Vec<Visitor> = (0..4).map(|_| servers[0].visitor()).collect();
        for (number, visitor) in visitors.iter().enumerate() {
            assert_eq!(visitor.at(&servers[number % 2]).post("/login", &format!("user{number}")).await.status, 200);
        }
        for click in 1..=20 {
            for (number, visitor) in visitors.iter().enumerate() {
                let visitor = visitor.at(&servers[(number + click) % 2]);
                let answer = visitor.get("/add").await;
                assert_eq!(answer.status, 200, "{number} at click {click}: {answer:?}");
                assert_eq!(visitor.get("/who").await.body, format!("user{number}"), "click {click}");
                assert_eq!(visitor.get("/views").await.body, click.to_string());
            }
            assert_eq!(bench.store.inner().sweep(1000).await.unwrap(), 0, "nothing live is swept");
            for clock in [&bench.clock, &fast] {
                clock.advance(Duration::from_secs(530));
            }
        }
        let ada = &visitors[0];
        assert_eq!(ada.at(&servers[1]).get("/logout").await.status, 200);
        assert_eq!(bench.sessions(), 3);
        for clock in [&bench.clock, &fast] {
            // By the clock that is behind, what the other one granted lasts a minute longer.
            clock.advance(Duration::from_secs(600 - 530 + 60));
        }
        for server in &servers {
            for visitor in &visitors {
                assert_eq!(visitor.fork().at(server).get("/who").await.body, "nobody", "[P4] it has expired for all");
            }
        }
    }

    async fn a_damaged_row_is_one_session_s_trouble(kind: ServerKind) {
        let bench = match kind {
            ServerKind::Postgres => Bench::postgres().await,
            _ => Bench::mariadb().await,
        };
        let (server, log) = (shop(&bench).await, Log::collect());
        let mut traffic = Traffic::begin(&server).await;
        let others = bench.sessions();
        for (number, damage) in DAMAGES.into_iter().enumerate() {
            let user = format!("ada{number}");
            let ada = logged_in(&server, &user).await;
            bench.table().sql(&format!("UPDATE {{table}} SET record = {damage} WHERE user_id = '{user}'"));
            let before = log.text().len();
            assert_eq!(ada.get("/who").await.body, "nobody", "{damage}");
            let said = log.text().split_off(before);
            assert!(said.contains("sessionkit"), "{damage}: it is an event: {said}");
            // She logs in again, beside what is damaged, and is not disturbed by it.
            let again = ada.fork();
            assert_eq!(again.post("/login", &user).await.status, 200, "{damage}");
            assert_eq!(again.get("/who").await.body, user, "{damage}");
            let both = [&ada, &again].map(|visitor| format!("{COOKIE}={}", visitor.token().expect("a cookie")));
            let who = server.visitor().get_with_cookies("/who", &[both.join("; ").as_bytes()]).await;
            assert_eq!(who.body, user, "{damage}");
            // A logout removes what is damaged.
            assert_eq!((ada.get("/logout").await.status, ada.token()), (200, None), "{damage}");
            assert_eq!((again.get("/logout").await.status, bench.sessions()), (200, others), "{damage}");
            traffic.all_get(200).await;
        }
        traffic.end().await;
        let bob = logged_in(&server, "bob").await;
        assert_eq!(bob.get("/who").await.body, "bob");
    }

    async fn bench_of(kind: ServerKind) -> Bench {
        let bench = match kind {
            ServerKind::Postgres => Bench::postgres().await,
            _ => Bench::mariadb().await,
        };
        bench.with_config(|config| config.track_devices(true))
    }

    /// The record alone says whose a session is, in which revision and generation.
    async fn columns_for_people_decide_nothing(kind: ServerKind) {
        let bench = bench_of(kind).await;
        let server = shop(&bench).await;
        let (ada, bob) = (logged_in(&server, "ada").await, logged_in(&server, "bob").await);
        let sql = "UPDATE {table} SET user_id = 'bob', scope = 'Other', created = -1, last_seen = NULL, \
                   device_label = '<script>' WHERE user_id = 'ada'";
        bench.table().sql(sql);
        assert_eq!((&*ada.get("/who").await.body, &*bob.get("/who").await.body), ("ada", "bob"));
        assert_eq!(ada.get("/add").await.status, 200);
        assert_eq!(bench.table().sql("SELECT COUNT(*) FROM {table} WHERE user_id = 'ada' AND kind = 'session'"), "1");
        bench.table().sql(sql);
        bench.manager().devices_of("bob").end_all().await.unwrap();
        assert_eq!((&*ada.get("/who").await.body, &*bob.get("/who").await.body), ("ada", "nobody"), "[P9]");
        let ended = bench.manager().end_everyone().await.unwrap();
        assert_eq!((ended, &*ada.get("/who").await.body), (1, "nobody"), "[P9]");
    }

    async fn a_record_in_the_row_of_another_session_opens_nothing_for_either_token(kind: ServerKind) {
        let bench = bench_of(kind).await;
        let server = shop(&bench).await;
        let (ada, bob) = (logged_in(&server, "ada").await, logged_in(&server, "bob").await);
        bench.table().sql(
            "UPDATE {table} SET record = (SELECT record FROM (SELECT record FROM {table} \
             WHERE user_id = 'ada' AND kind = 'session') AS other) WHERE user_id = 'bob' AND kind = 'session'",
        );
        assert_eq!((&*ada.get("/who").await.body, &*bob.get("/who").await.body), ("ada", "nobody"));
        assert_eq!((bob.get("/logout").await.status, &*ada.get("/who").await.body), (200, "ada"));
        // The list of one user in the row of the other is damage: nobody ends another's sessions by it.
        bench.table().sql(
            "UPDATE {table} SET record = (SELECT record FROM (SELECT record FROM {table} \
             WHERE user_id = 'ada' AND kind = 'list') AS other) WHERE user_id = 'bob' AND kind = 'list'",
        );
        bench.manager().devices_of("bob").end_all().await.unwrap();
        assert_eq!(ada.get("/who").await.body, "ada");
        bench.manager().devices_of("ada").end_all().await.unwrap();
        assert_eq!(ada.get("/who").await.body, "nobody", "[P9]");
    }
}

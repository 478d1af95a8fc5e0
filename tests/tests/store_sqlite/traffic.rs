//! Faults of a database in the middle of traffic that checks every answer.

use std::time::Duration;

use sessionkit::SessionData;
use sessionkit::sql::SqliteStore;
use sessionkit_tests::both_frameworks;
use sessionkit_tests::harness::fault::assert_unavailable;
use sessionkit_tests::harness::{Bench, Traffic};
use sessionkit_tests::servers::sqlite::SqliteFile;

#[derive(SessionData)]
struct Cart {
    #[session(merge = add)]
    views: u64,
}

both_frameworks! {
    tests: [another_process_holds_the_lock_for_longer_than_the_busy_timeout, columns_for_people_decide_nothing];

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

    async fn login(auth: Auth, body: Body) -> Result<Reply, SessionRejection> {
        auth.login(body).await?;
        Ok(Reply::ok("welcome"))
    }

    async fn logout(auth: Auth) -> Result<Reply, SessionRejection> {
        auth.logout().await?;
        Ok(Reply::ok("bye"))
    }

    async fn another_process_holds_the_lock_for_longer_than_the_busy_timeout() {
        let file = SqliteFile::new();
        // Writers wait in one queue, so the last of them waits for as long as all together.
        let options = file.options().busy_timeout(Duration::from_millis(200));
        let store = SqliteStore::new(file.pool_with(options).await);
        store.create_schema().await.unwrap();
        // The store gives up before the application does.
        let deadline = Duration::from_secs(30);
        let bench = Bench::memory().with_config(|config| config.load_deadline(deadline).commit_deadline(deadline));
        let routes = routes![
            "/add" => add, "/views" => views, "/who" => who, "/login" => login, "/logout" => logout,
        ];
        let server = serve_with(&bench, bench.manager_over(store), routes).await;
        let ada = server.visitor();
        ada.post("/login", "ada").await;
        ada.get("/add").await;
        let other = file.pool().await;
        let mut traffic = Traffic::begin(&server).await;
        for round in 1..=2 {
            traffic.all_get(200).await;
            let mut writing = other.begin_with("BEGIN IMMEDIATE").await.unwrap();
            sqlx::query("UPDATE sessionkit_sessions SET device_label = 'phone'").execute(&mut *writing).await.unwrap();
            traffic.all_get(503).await;
            assert_eq!(ada.get("/views").await.body, round.to_string(), "readers wait for nobody");
            for path in ["/add", "/logout"] {
                assert_unavailable(&ada.get(path).await, path);
            }
            let late = server.visitor();
            assert_unavailable(&late.post("/login", "ada").await, "/login");
            assert_eq!(late.token(), None, "[P8]");
            writing.commit().await.unwrap();
            assert_eq!((ada.get("/add").await.status, &*ada.get("/who").await.body), (200, "ada"));
        }
        traffic.all_get(200).await;
        traffic.end().await;
        assert_eq!((ada.get("/logout").await.status, ada.token()), (200, None));
    }

    /// The record alone says whose a session is, and in which revision.
    async fn columns_for_people_decide_nothing() {
        let bench = Bench::sqlite().await.with_config(|config| config.track_devices(true));
        let server = serve(&bench, routes!["/add" => add, "/who" => who, "/login" => login]).await;
        let people = ["ada", "bob"].map(|name| (name, server.visitor()));
        for (name, visitor) in &people {
            visitor.post("/login", name).await;
        }
        let [(_, ada), (_, bob)] = &people;
        let sql = "UPDATE {table} SET user_id = 'bob', scope = 'Other', created = -1, last_seen = NULL, \
                   device_label = '<script>' WHERE user_id = 'ada'";
        bench.table().sql(sql);
        assert_eq!((&*ada.get("/who").await.body, ada.get("/add").await.status), ("ada", 200));
        bench.table().sql(sql);
        bench.manager().devices_of("bob").end_all().await.unwrap();
        assert_eq!((&*ada.get("/who").await.body, &*bob.get("/who").await.body), ("ada", "nobody"), "[P9]");
    }
}

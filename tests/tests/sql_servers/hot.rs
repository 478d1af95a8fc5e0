//! The share of touches that change no index.

use std::time::Duration;

use sessionkit::SessionData;
use sessionkit_tests::compile_for;
use sessionkit_tests::harness::{Bench, TestServer};

#[derive(SessionData)]
struct Profile {
    theme: String,
}

/// The sessions that are touched, and how often each is.
const SESSIONS: usize = 500;
const TOUCHES: usize = 6;

compile_for! {
    axum [postgres(Bench::persistent(ServerKind::Postgres).await)]
    [touches_change_no_index]

    async fn login(mut profile: Session<Profile>, auth: Auth, body: Body) -> Result<Reply, SessionRejection> {
        profile.theme = "dark".into();
        drop(profile);
        auth.login(body).await?;
        Ok(Reply::ok("welcome"))
    }

    async fn theme(profile: SessionView<Profile>) -> Reply {
        Reply::ok(&profile.theme)
    }

    /// A server of its own, since a transaction of another test would keep old versions of rows alive.
    async fn touches_change_no_index(bench: Bench) {
        let server = serve(&bench, routes!["/login" => login, "/theme" => theme]).await;
        let visitors: Vec<_> = (0..SESSIONS).map(|_| server.visitor()).collect();
        for (number, visitor) in visitors.iter().enumerate() {
            assert_eq!(visitor.post("/login", &format!("user{number}")).await.status, 200);
        }
        for _ in 0..TOUCHES {
            bench.clock.advance(Duration::from_secs(120));
            for visitor in &visitors {
                assert_eq!(visitor.get("/theme").await.body, "dark");
            }
        }
        // A server that is told to end writes its statistics down.
        bench.with_server(|server| {
            let TestServer::Postgres(server) = server else { panic!("it is a PostgreSQL") };
            server.stop();
            server.start_again();
        });
        let figures = bench.table().sql(&format!(
            "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = '{}'",
            bench.table().name()
        ));
        let (updates, hot) = figures.split_once('|').expect("two figures");
        let (updates, hot): (f64, f64) = (updates.parse().unwrap(), hot.parse().unwrap());
        assert!(updates >= (SESSIONS * TOUCHES) as f64, "each session was touched: {updates}");
        let share = 100.0 * hot / updates;
        println!("{hot} of {updates} updates changed no index: {share:.1} %");
        assert!(share > 95.0, "{hot} of {updates} updates changed no index: {share:.1} %");
    }
}

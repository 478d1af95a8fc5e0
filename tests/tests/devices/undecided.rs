//! An application that does not say if its users' sessions are to be listed.

use std::sync::atomic::{AtomicUsize, Ordering};

use sessionkit::{SessionConfig, SessionConfigBuilder};
use sessionkit_tests::behaviour;
use sessionkit_tests::harness::{Bench, Log, Server};

/// A name that no other manager of this process has: they share the log.
fn cookie_name() -> String {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    format!("__Host-undecided-{}-", COUNT.fetch_add(1, Ordering::Relaxed))
}

/// The warnings about the manager with this cookie.
fn warnings(cookie_name: &str) -> Vec<String> {
    let text = Log::collect().text();
    let concerns = |line: &&str| line.contains("devices_undecided") && line.contains(cookie_name);
    text.lines().filter(concerns).map(str::to_owned).collect()
}

behaviour! {
    tests: [
        the_first_login_warns_once,
        whoever_decides_is_not_warned,
    ];

    type Answered = Result<Reply, SessionRejection>;

    async fn login(auth: Auth) -> Answered {
        auth.login("ada").await?;
        Ok(Reply::ok("ada"))
    }

    async fn visit(auth: Auth) -> Answered {
        auth.dynamic().await?.insert("seen", &true)?;
        Ok(Reply::ok("seen"))
    }

    async fn start(bench: &Bench) -> Server {
        serve(bench, routes!["/login" => login, "/visit" => visit]).await
    }

    async fn the_first_login_warns_once(bench: Bench) {
        Log::collect();
        let name = cookie_name();
        let server = start(&bench.clone().with_config(|config| config.cookie_name(&name))).await;
        assert_eq!(server.visitor().get("/visit").await.status, 200);
        assert!(warnings(&name).is_empty(), "nobody has logged in");
        for _ in 0..3 {
            assert_eq!(server.visitor().get("/login").await.status, 200);
        }
        let [warning] = &warnings(&name)[..] else { panic!("{:?}", warnings(&name)) };
        assert!(warning.starts_with("WARN sessionkit "), "{warning}");
        for part in ["scope=Main", "nothing can end them", "nothing limits their number", "to true", "to false"] {
            assert!(warning.contains(part), "{part}: {warning}");
        }
        // Each manager has settings of its own.
        let other = cookie_name();
        let server = start(&bench.clone().with_config(|config| config.cookie_name(&other))).await;
        assert_eq!(server.visitor().get("/login").await.status, 200);
        assert_eq!((warnings(&other).len(), warnings(&name).len()), (1, 1));
    }

    async fn whoever_decides_is_not_warned(bench: Bench) {
        Log::collect();
        for decision in ["true", "false"] {
            let name = cookie_name();
            let decided = |config: SessionConfigBuilder| config.cookie_name(&name).track_devices(decision == "true");
            let server = start(&bench.clone().with_config(decided)).await;
            assert_eq!(server.visitor().get("/login").await.status, 200);
            let written = serde_json::json!({
                "cookie_name": name, "track_devices": decision, "load_deadline": "10s", "commit_deadline": "10s",
            });
            let config: SessionConfig = serde_json::from_value(written).unwrap();
            let server = serve_with(&bench, bench.builder().config(config).build(), routes!["/login" => login]).await;
            assert_eq!(server.visitor().get("/login").await.status, 200);
            assert_eq!(warnings(&name), [""; 0], "{decision}");
        }
    }
}

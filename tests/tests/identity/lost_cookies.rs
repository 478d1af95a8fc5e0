//! Tests of the warning about cookies that never come back.

use sessionkit::{SessionConfig, SessionData, SessionManager};
use sessionkit_tests::behaviour;
use sessionkit_tests::harness::{Answer, Bench, Log, Server};

#[derive(SessionData)]
struct Cart {
    items: Vec<u32>,
}

/// The warnings about the manager with this cookie.
fn warnings(cookie_name: &str) -> Vec<String> {
    let text = Log::collect().text();
    let concerns = |line: &&str| line.contains("cookie_not_returned") && line.contains(cookie_name);
    text.lines().filter(concerns).map(str::to_owned).collect()
}

/// A request of a client that has no cookie and keeps none.
async fn forget(server: &Server, headers: &[(&str, &[u8])]) -> Answer {
    server.visitor().send(reqwest::Method::GET, "/add", headers, "").await
}

behaviour! {
    tests: [
        the_second_session_over_plain_http_warns_once,
        a_cookie_that_comes_back_is_no_reason_to_warn,
        what_is_not_plain_http_on_a_loopback_host_is_no_reason_either,
        reading_begins_no_session,
    ];

    const FRAMEWORK: &str = module_path!();

    async fn add(mut cart: Session<Cart>) -> Reply {
        cart.items.push(7);
        Reply::ok(cart.items.len())
    }

    async fn read(cart: SessionView<Cart>) -> Reply {
        Reply::ok(cart.items.len())
    }

    fn manager(bench: &Bench, name: &str, is_secure: bool) -> SessionManager {
        let config = SessionConfig::builder().allow_weak_cookie(true).cookie_name(name).cookie_secure(is_secure).build();
        bench.builder().config(config.expect("the settings agree")).build()
    }

    /// Serves with a cookie of a name that only this test has.
    async fn start(bench: &Bench, what: &str, is_secure: bool) -> (Server, String) {
        Log::collect();
        let name = format!("{}-{what}-{}", FRAMEWORK.replace("::", "-"), std::process::id());
        let manager = manager(bench, &name, is_secure);
        (serve_with(bench, manager, routes!["/add" => add, "/read" => read]).await, name)
    }

    async fn the_second_session_over_plain_http_warns_once(bench: Bench) {
        let (server, name) = start(&bench, "twice", true).await;
        assert_eq!(forget(&server, &[]).await.body, "1");
        assert!(warnings(&name).is_empty(), "it may come back yet");
        for _ in 0..3 {
            assert_eq!(forget(&server, &[]).await.body, "1");
            let [warning] = &warnings(&name)[..] else { panic!("{:?}", warnings(&name)) };
            assert!(warning.starts_with("WARN sessionkit ") && warning.contains("plain http"), "{warning}");
        }
    }

    async fn a_cookie_that_comes_back_is_no_reason_to_warn(bench: Bench) {
        let (server, name) = start(&bench, "back", true).await;
        let first = forget(&server, &[]).await;
        let cookie = first.cookies()[0].split(';').next().expect("a cookie has a value").as_bytes();
        assert_eq!(forget(&server, &[("cookie", cookie)]).await.body, "2");
        for _ in 0..3 {
            forget(&server, &[]).await;
        }
        assert!(warnings(&name).is_empty());
    }

    async fn what_is_not_plain_http_on_a_loopback_host_is_no_reason_either(bench: Bench) {
        for (what, is_secure, headers) in [
            ("proxied", true, &[("x-forwarded-proto", &b"https"[..])][..]),
            ("elsewhere", true, &[("host", b"shop.example")]),
            ("plain", false, &[]),
        ] {
            let (server, name) = start(&bench, what, is_secure).await;
            for _ in 0..3 {
                assert_eq!(forget(&server, headers).await.cookies().len(), 1);
            }
            assert!(warnings(&name).is_empty(), "{what}");
        }
    }

    async fn reading_begins_no_session(bench: Bench) {
        let (server, name) = start(&bench, "read", true).await;
        for _ in 0..3 {
            server.visitor().get("/read").await;
        }
        forget(&server, &[]).await;
        assert!(warnings(&name).is_empty());
    }
}

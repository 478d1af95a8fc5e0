//! Tests of handlers after their response: changes through an extractor are lost and reported, and logins are refused.

use sessionkit::SessionData;
use sessionkit::testing::TestSession;
use sessionkit_tests::behaviour;
use sessionkit_tests::harness::{Bench, Log};

#[derive(SessionData)]
struct Chat {
    topic: String,
}

behaviour! {
    tests: [a_late_change_is_reported_with_its_handler, whoever_logs_in_after_the_response_is_refused];

    async fn late(mut chat: Session<Chat>, Shared(gates): Shared) -> Answering {
        stream(futures_util::stream::once(async move {
            chat.topic = "late".into();
            drop(chat);
            gates.note("late");
            String::new()
        }))
    }

    #[session(require_login, require = |chat: &Chat| chat.topic != "late")]
    async fn late_and_guarded(chat: Session<Chat>, shared: Shared) -> Answering {
        late(chat, shared).await
    }

    /// Tries all that would need a cookie.
    async fn late_logins(auth: Auth) -> Answering {
        stream(futures_util::stream::once(async move {
            let refused = [
                auth.login("eve").await.is_err(),
                auth.reauthenticate().await.is_err(),
                auth.elevate("otp").await.is_err(),
                auth.impersonate("eve").await.is_err(),
                auth.rotate().await.is_err(),
            ];
            format!("{refused:?}")
        }))
    }

    async fn who(auth: Auth) -> Result<Reply, SessionRejection> {
        Ok(Reply::ok(auth.user_id().await?.as_deref().unwrap_or("nobody")))
    }

    async fn whoever_logs_in_after_the_response_is_refused(bench: Bench) {
        let server = serve(&bench, routes!["/late" => late_logins, "/who" => who]).await;
        for session in [TestSession::new(&bench.manager()).login("ada").await, TestSession::new(&bench.manager()).await] {
            let visitor = server.visitor_with(&session);
            let before = visitor.get("/who").await.body;
            bench.store.take();
            let answer = visitor.get("/late").await;
            assert_eq!(answer.body, "[true, true, true, true, true]", "{before}");
            let calls = bench.store.take();
            assert_eq!(calls.total(), calls.load, "{calls:?}");
            assert_eq!(visitor.get("/who").await.body, before);
        }
    }

    async fn topic(chat: SessionView<Chat>) -> Reply {
        Reply::ok(&chat.topic)
    }

    async fn a_late_change_is_reported_with_its_handler(bench: Bench) {
        let log = Log::collect();
        let routes = routes!["/late/{path}" => late, "/late-and-guarded" => late_and_guarded, "/topic" => topic];
        let server = serve(&bench, routes).await;
        let visitor = server.visitor_with(&TestSession::new(&bench.manager()).login("ada").await);
        for (path, handler) in [
            ("/late/page", "handler=GET /late/page key=chat"),
            ("/late-and-guarded", "late_and_guarded key=chat"),
        ] {
            visitor.get(path).await;
            bench.gates.arrived("late", 1).await;
            let log = log.text();
            assert!(log.contains("late_write") && log.contains(handler), "{log}");
        }
        // So much of a path as fits.
        visitor.get(&format!("/late/{}", "ü".repeat(30))).await;
        visitor.get(&format!("/late/{}", "a".repeat(100))).await;
        bench.gates.arrived("late", 2).await;
        assert!(log.text().contains(&format!("GET /late/{} key=chat", "a".repeat(52))), "{}", log.text());
        assert_eq!(visitor.get("/topic").await.body, "");
    }
}

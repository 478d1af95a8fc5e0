//! Changes through an extractor after the response was sent: lost, and reported.

use sessionkit::SessionData;
use sessionkit::testing::TestSession;
use sessionkit_tests::behaviour;
use sessionkit_tests::harness::{Bench, Log};

#[derive(SessionData)]
struct Chat {
    topic: String,
}

behaviour! {
    tests: [a_late_change_is_reported_with_its_handler];

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

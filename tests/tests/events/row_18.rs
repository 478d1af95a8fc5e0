//! Row 18 of the list of systems that applications come from.

use sessionkit::AuditSink;
use sessionkit_tests::behaviour;
use sessionkit_tests::harness::Bench;

use crate::support::Trail;

behaviour! {
    tests: [row_18_database_sessions_with_an_audit_trail];

    type Answered = Result<Reply, SessionRejection>;

    async fn login(auth: Auth, body: Body) -> Answered {
        auth.login(body).await?;
        Ok(Reply::ok("welcome"))
    }

    async fn logout(auth: Auth) -> Answered {
        auth.logout().await?;
        Ok(Reply::ok("bye"))
    }

    #[session(require_login)]
    async fn vault() -> Reply {
        Reply::ok("gold")
    }

    async fn row_18_database_sessions_with_an_audit_trail(bench: Bench) {
        let trail = Trail::default();
        let manager = bench.builder().event_sink(AuditSink::new(trail.clone())).build();
        let routes = routes!["/login" => login, "/logout" => logout, "/vault" => vault];
        let server = serve_with(&bench, manager.clone(), routes).await;
        let visitor = server.visitor();
        let began = sessionkit::Clock::now(&bench.clock);
        let minute = std::time::Duration::from_secs(60);
        visitor.get("/vault").await;
        bench.clock.advance(minute);
        visitor.post("/login", "ada").await;
        let token = visitor.token().expect("a session");
        let id = sessionkit_core::Token::parse(token.as_bytes()).expect("a token").id();
        bench.clock.advance(minute);
        visitor.get("/vault").await;
        visitor.get("/logout").await;
        manager.drain().await;
        let entries = trail.entries();
        let row = |entry: &sessionkit::AuditEntry| {
            (entry.event, entry.at.saturating_duration_since(began).as_secs(), entry.user_id.as_deref().map(str::to_owned))
        };
        let rows: Vec<_> = entries.iter().map(row).collect();
        let ada = Some("ada".to_owned());
        assert_eq!(rows, [("denied", 0, None), ("login", 60, ada.clone()), ("logout", 120, ada)]);
        assert_eq!(entries[0].route.as_deref(), Some("GET /vault"));
        assert!(entries[0].reason.is_some());
        for entry in &entries[1..] {
            assert_eq!(entry.session, Some(id));
        }
        assert_eq!(entries[1].route.as_deref(), Some("POST /login"));
    }
}

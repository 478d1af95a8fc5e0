//! Users of any name, in scopes of any name.

use sessionkit::SessionScope;
use sessionkit_tests::behaviour;
use sessionkit_tests::harness::Bench;

fn names() -> Vec<String> {
    let short = [
        " ",
        "a",
        "A",
        "a/b",
        "a/",
        "/a",
        "a\nb",
        "a\rb",
        "a\0b",
        "a'b",
        "a\"b",
        "a`b",
        "'; DROP TABLE sessions; --",
        "%",
        "_",
        "a%00b",
        "*",
        "?",
        "[a]",
        "\\",
        "@",
        "@ended",
        "Main/a",
        "%2F",
        "session:@Main/a",
        "\u{e9}",
        "e\u{301}",
        "\u{1f36a}",
        "\u{202e}a",
    ];
    short.into_iter().map(str::to_owned).chain(["x".repeat(10_000)]).collect()
}

behaviour! {
    tests: [
        whatever_somebody_is_called_they_are_nobody_else,
        whatever_a_scope_is_called_its_users_are_its_own,
    ];

    type Answered<R = SessionRejection> = Result<Reply, R>;

    /// A scope whose users could be taken for some of the main one.
    struct Nested;

    impl SessionScope for Nested {
        const NAME: &'static str = "Main/a";
        type Home = sessionkit::OnServer;
    }

    async fn login(auth: Auth, body: Body) -> Answered {
        auth.login(body).await?;
        Ok(Reply::ok("welcome"))
    }

    async fn user(auth: Auth) -> Answered {
        Ok(Reply::ok(auth.user_id().await?.map_or("nobody".to_owned(), |user| format!("user {user}"))))
    }

    async fn login_nested(auth: Auth<Nested>, body: Body) -> Answered {
        auth.login(body).await?;
        Ok(Reply::ok("welcome"))
    }

    async fn user_nested(auth: Auth<Nested>) -> Answered {
        Ok(Reply::ok(auth.user_id().await?.map_or("nobody".to_owned(), |user| format!("user {user}"))))
    }

    async fn whatever_somebody_is_called_they_are_nobody_else(bench: Bench) {
        let bench = bench.with_config(|config| config.track_devices(true).max_devices(1));
        let server = serve(&bench, routes!["/login" => login, "/user" => user]).await;
        let mut people = Vec::new();
        for name in names() {
            let visitor = server.visitor();
            assert_eq!(visitor.post("/login", &name).await.status, 200, "{name:?}");
            people.push((name, visitor));
        }
        let manager = bench.manager();
        for (at, (name, _)) in people.iter().enumerate() {
            assert_eq!(manager.devices_of(name).list().await.unwrap().len(), 1, "{name:?}");
            manager.devices_of(name).end_all().await.unwrap();
            for (other, (theirs, visitor)) in people.iter().enumerate() {
                let expected = if other <= at { "nobody".to_owned() } else { format!("user {theirs}") };
                assert_eq!(visitor.get("/user").await.body, expected, "{name:?} {theirs:?}");
            }
        }
        for (name, visitor) in &people {
            visitor.post("/login", name).await;
        }
        assert_eq!(manager.end_everyone().await.unwrap(), people.len());
        assert_eq!(bench.sessions(), 0);
    }

    async fn whatever_a_scope_is_called_its_users_are_its_own(bench: Bench) {
        let bench = bench.with_config(|config| config.track_devices(true).max_devices(1));
        let other = bench.clone().with_config(|config| config.cookie_name("__Host-nested").track_devices(true).max_devices(1));
        let nested = other.manager_of::<Nested>();
        let routes = routes![
            "/login" => login, "/user" => user, "/nested/login" => login_nested, "/nested/user" => user_nested,
        ];
        let server = serve_scopes(&bench, nested.clone(), routes).await;
        let visitor = server.visitor();
        visitor.post("/nested/login", "b").await;
        visitor.post("/login", "a/b").await;
        assert_eq!(nested.devices_of("b").list().await.unwrap().len(), 1);
        bench.manager().devices_of("a/b").end_all().await.unwrap();
        assert_eq!(visitor.get("/user").await.body, "nobody");
        assert_eq!(visitor.get("/nested/user").await.body, "user b");
        assert_eq!(bench.manager().end_everyone().await.unwrap(), 0);
        assert_eq!(visitor.get("/nested/user").await.body, "user b");
        assert_eq!(nested.end_everyone().await.unwrap(), 1);
        assert_eq!(visitor.get("/nested/user").await.body, "nobody");
    }
}

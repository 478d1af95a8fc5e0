//! [P11] Requests that were under way when a login or a rotation replaced their token.

use std::time::Duration;

use sessionkit::SessionData;
use sessionkit_tests::behaviour;
use sessionkit_tests::harness::{Answer, Bench, Log, Server, Visitor};

#[derive(SessionData)]
struct Cart {
    #[session(merge = append)]
    items: Vec<String>,
    #[session(merge = add)]
    views: u64,
}

behaviour! {
    tests: [
        a_request_under_way_at_a_login_begins_no_session_and_sets_no_cookie,
        page_views_at_a_login_log_nobody_out,
        a_double_click_goes_on_with_the_session_whichever_answer_comes_last,
        a_third_login_at_once_ends_neither_of_the_tokens_before,
        whoever_planted_the_token_gains_nothing,
        a_logout_with_the_replaced_token_ends_the_session_of_the_same_user,
        a_logout_with_the_replaced_token_ends_nobody_elses_session,
        only_the_last_replaced_token_is_remembered,
        a_login_that_was_revoked_meanwhile_is_not_gone_on_with,
        a_double_click_changes_the_list_once,
    ];

    type Answered = Result<Reply, SessionRejection>;

    async fn add(mut cart: Session<Cart>) -> Reply {
        cart.items.push("lamp".into());
        Reply::ok("added")
    }

    async fn view(mut cart: Session<Cart>) -> Reply {
        cart.views += 1;
        Reply::ok(cart.views)
    }

    async fn form(token: CsrfToken) -> Reply {
        Reply::ok(token.value())
    }

    async fn about(auth: Auth, cart: SessionView<Cart>) -> Answered {
        Ok(Reply::ok(format!("{} {:?}", auth.user_id().await?.as_deref().unwrap_or("nobody"), cart.items)))
    }

    async fn login(auth: Auth, user: Body) -> Answered {
        auth.login(user).await?;
        Ok(Reply::ok("welcome"))
    }

    async fn rotate(auth: Auth) -> Answered {
        auth.rotate().await?;
        Ok(Reply::ok("rotated"))
    }

    async fn logout(auth: Auth) -> Answered {
        auth.logout().await?;
        Ok(Reply::ok("bye"))
    }

    async fn start(bench: &Bench) -> (Server, Visitor) {
        let routes = routes![
            "/add" => add, "/view" => view, "/form" => form, "/about" => about, "/login" => login, "/rotate" => rotate,
            "/logout" => logout,
        ];
        let server = serve(bench, routes).await;
        let visitor = server.visitor();
        visitor.get("/add").await;
        (server, visitor)
    }

    async fn a_request_under_way_at_a_login_begins_no_session_and_sets_no_cookie(bench: Bench) {
        for begins in [false, true] {
            let log = Log::collect();
            let bench = bench.clone().with_config(|config| config.save_uninitialized(begins));
            let (_server, visitor) = start(&bench).await;
            let sessions = bench.sessions();
            let before = visitor.fork();
            visitor.post("/login", "ada").await;
            for path in ["/view", "/form", "/about", "/add", "/rotate"] {
                let answer = before.get(path).await;
                assert_eq!((answer.status, answer.cookies().len()), (200, 0), "{path}: {answer:?}");
                assert_eq!(bench.sessions(), sessions, "{path}");
            }
            assert_eq!(before.get("/about").await.body, "nobody []", "[P3]");
            assert!(log.text().contains("replaced by a login or a rotation a moment ago"), "{}", log.text());
            assert_eq!(visitor.get("/about").await.body, r#"ada ["lamp"]"#);
            // Nothing can be under way any more.
            bench.clock.advance(Duration::from_secs(30));
            assert_eq!(before.get("/view").await.cookies().len(), 1);
            assert_eq!(bench.sessions(), sessions + 1);
        }
    }

    async fn page_views_at_a_login_log_nobody_out(bench: Bench) {
        let (server, _) = start(&bench).await;
        for _ in 0..20 {
            let visitor = server.visitor();
            visitor.get("/add").await;
            let views: Vec<_> = (0..4).map(|_| visitor.get_in_background("/view")).collect();
            let login = visitor.post("/login", "ada").await;
            assert_eq!(login.status, 200);
            for view in views {
                assert_eq!(view.await.unwrap().status, 200);
            }
            assert_eq!(visitor.get("/about").await.body, r#"ada ["lamp"]"#);
        }
    }

    /// Keeps the cookies of the answers in this order, as a browser does.
    fn keep(visitor: &Visitor, answers: &[&Answer]) {
        for answer in answers {
            let [cookie] = answer.cookies()[..] else { panic!("not one cookie: {answer:?}") };
            let token = cookie.split(['=', ';']).nth(1).expect("a cookie has a value");
            visitor.set_token(token);
        }
    }

    async fn a_double_click_goes_on_with_the_session_whichever_answer_comes_last(bench: Bench) {
        let bench = bench.with_config(|config| config.track_devices(true));
        for is_first_last in [false, true] {
            let (_server, visitor) = start(&bench).await;
            let clicks = [visitor.fork(), visitor.fork()];
            let answers = [clicks[0].post("/login", "ada").await, clicks[1].post("/login", "ada").await];
            let order = if is_first_last { [&answers[1], &answers[0]] } else { [&answers[0], &answers[1]] };
            keep(&visitor, &order);
            assert_eq!(visitor.get("/about").await.body, r#"ada ["lamp"]"#, "{is_first_last}");
            assert_eq!((bench.sessions(), bench.listed("ada").await.len()), (1, 1), "{is_first_last}");
            // The other token was never used, so the one that the browser has does not end.
            bench.clock.advance(Duration::from_secs(60));
            assert_eq!(visitor.get("/about").await.body, r#"ada ["lamp"]"#, "{is_first_last}");
            bench.manager().devices_of("ada").end_all().await.expect("the store answers");
            for browser in [&visitor, &clicks[0], &clicks[1]] {
                assert_eq!(browser.get("/about").await.body, "nobody []", "[P9]");
            }
            assert_eq!(bench.sessions(), 0);
        }
    }

    async fn a_third_login_at_once_ends_neither_of_the_tokens_before(bench: Bench) {
        let (_server, visitor) = start(&bench).await;
        let clicks = [visitor.fork(), visitor.fork(), visitor.fork()];
        for click in &clicks {
            assert_eq!(click.post("/login", "ada").await.cookies().len(), 1);
        }
        // A record remembers one token besides the current one, so the third login has a session of its own.
        let expected = [r#"ada ["lamp"]"#, r#"ada ["lamp"]"#, "ada []"];
        for (click, expected) in clicks.iter().zip(expected) {
            assert_eq!(click.get("/about").await.body, expected);
        }
        assert_eq!(bench.sessions(), 2);
    }

    async fn whoever_planted_the_token_gains_nothing(bench: Bench) {
        let (_server, mallory) = start(&bench).await;
        let ada = mallory.fork();
        ada.post("/login", "ada").await;
        assert_eq!(mallory.get("/about").await.body, "nobody []");
        mallory.post("/login", "mallory").await;
        assert_eq!(mallory.get("/about").await.body, "mallory []");
        assert_eq!(ada.get("/about").await.body, r#"ada ["lamp"]"#);
        assert_ne!(mallory.token().unwrap()[..22], ada.token().unwrap()[..22]);
    }

    async fn a_logout_with_the_replaced_token_ends_the_session_of_the_same_user(bench: Bench) {
        let bench = bench.with_config(|config| config.track_devices(true));
        let (_server, visitor) = start(&bench).await;
        visitor.post("/login", "ada").await;
        for path in ["/rotate", "/login"] {
            let before = visitor.fork();
            visitor.post(path, "ada").await;
            let answer = before.get("/logout").await;
            assert_eq!((answer.status, before.token()), (200, None), "{path}");
            assert_eq!((visitor.get("/about").await.body.as_str(), bench.sessions()), ("nobody []", 0), "{path}");
            assert_eq!(bench.listed("ada").await.len(), 0, "{path}");
            visitor.post("/login", "ada").await;
        }
    }

    async fn a_logout_with_the_replaced_token_ends_nobody_elses_session(bench: Bench) {
        let (_server, visitor) = start(&bench).await;
        // From nobody to a user, and from one user to another.
        for user in ["ada", "bob"] {
            let before = visitor.fork();
            visitor.post("/login", user).await;
            let answer = before.get("/logout").await;
            assert_eq!((answer.status, before.token()), (200, None), "{user}: its own cookie goes");
            assert!(visitor.get("/about").await.body.starts_with(user), "{user}");
        }
    }

    async fn only_the_last_replaced_token_is_remembered(bench: Bench) {
        let (_server, visitor) = start(&bench).await;
        visitor.post("/login", "ada").await;
        let before = visitor.fork();
        visitor.get("/rotate").await;
        visitor.get("/rotate").await;
        let again = before.fork();
        assert_eq!((before.get("/logout").await.status, before.token()), (200, None));
        again.post("/login", "ada").await;
        assert_eq!(again.get("/about").await.body, "ada []", "it begins a session of its own");
        assert_eq!(visitor.get("/about").await.body, r#"ada ["lamp"]"#);
    }

    async fn a_login_that_was_revoked_meanwhile_is_not_gone_on_with(bench: Bench) {
        let bench = bench.with_config(|config| config.track_devices(true));
        let (_server, visitor) = start(&bench).await;
        let second = visitor.fork();
        visitor.post("/login", "ada").await;
        bench.manager().devices_of("ada").end_all().await.expect("the store answers");
        assert_eq!(second.post("/login", "ada").await.status, 200, "it was sent after the revocation");
        assert_eq!(second.get("/about").await.body, "ada []");
        assert_eq!(visitor.get("/about").await.body, "nobody []");
    }

    async fn a_double_click_changes_the_list_once(bench: Bench) {
        let bench = bench.with_config(|config| config.track_devices(true));
        let (_server, visitor) = start(&bench).await;
        let second = visitor.fork();
        visitor.post("/login", "ada").await;
        bench.store.take();
        assert_eq!(second.post("/login", "ada").await.status, 200);
        let calls = bench.store.take();
        assert_eq!((calls.load, calls.replace, calls.lists), (1, 1, 1), "it only looks at the list: {calls:?}");
    }
}

//! Login, logout and rotation: who owns what afterwards.

use sessionkit::{OnLostWrite, SessionData};
use sessionkit_tests::behaviour;
use sessionkit_tests::harness::{Answer, Bench, Server, Visitor};

#[derive(SessionData)]
struct Cart {
    items: Vec<String>,
    #[session(carry)]
    language: String,
    #[session(merge = add, carry)]
    visits: u32,
    #[session(merge = add)]
    views: u32,
    #[session(flash, carry)]
    greeting: Option<String>,
}

/// Belongs to a handler that knows nothing of the other struct.
#[derive(SessionData)]
struct Settings {
    #[session(carry)]
    theme: String,
    sidebar: bool,
}

behaviour! {
    tests: [
        a_login_keeps_what_an_anonymous_visitor_had,
        a_login_as_another_user_drops_all_but_carried_fields,
        a_login_as_the_same_user_keeps_everything,
        changes_around_a_login_are_kept,
        a_logout_ends_the_whole_session,
        a_rotation_kills_the_old_token_and_keeps_the_session,
        a_rotation_without_a_session_does_nothing,
        a_rotation_that_comes_too_late_takes_back_the_cookie_of_a_login,
        authentication_holds_whatever_the_handler_answers,
        a_lost_write_is_the_handlers_answer_without_a_cookie,
        a_lost_write_is_a_conflict_where_that_is_asked_for,
    ];

    type Answered = Result<Reply, SessionRejection>;

    async fn fill(mut cart: Session<Cart>, mut settings: Session<Settings>) -> Reply {
        cart.items.push("tea".into());
        cart.language = "de".into();
        cart.visits += 1;
        cart.views += 1;
        cart.greeting = Some("hello".into());
        settings.theme = "dark".into();
        settings.sidebar = true;
        Reply::ok("filled")
    }

    async fn state(cart: SessionView<Cart>, settings: SessionView<Settings>, auth: Auth) -> Answered {
        let user = auth.user_id().await?;
        let Cart { items, language, visits, views, greeting } = &*cart;
        let Settings { theme, sidebar } = &*settings;
        let user = user.as_deref().unwrap_or("nobody");
        Ok(Reply::ok(format!("{user}: {items:?} {language} {visits} {views} {greeting:?} {theme} {sidebar}")))
    }

    async fn login_ada(auth: Auth) -> Answered {
        auth.login("ada").await?;
        Ok(Reply::ok("ada"))
    }

    async fn login_bob(auth: Auth) -> Answered {
        auth.login("bob").await?;
        Ok(Reply::ok("bob"))
    }

    async fn login_between(mut cart: Session<Cart>, mut settings: Session<Settings>, auth: Auth) -> Answered {
        settings.theme = "before".into();
        drop(settings);
        cart.items.push("before".into());
        auth.login("ada").await?;
        cart.items.push("after".into());
        Ok(Reply::ok("ada"))
    }

    async fn login_and_fail(mut cart: Session<Cart>, auth: Auth) -> Answered {
        auth.login("ada").await?;
        cart.items.push("lost".into());
        Ok(Reply::status(500, "broken"))
    }

    async fn logout(auth: Auth) -> Answered {
        auth.logout().await?;
        Ok(Reply::ok("bye"))
    }

    async fn logout_between(mut cart: Session<Cart>, auth: Auth) -> Answered {
        cart.items.push("before".into());
        auth.logout().await?;
        cart.items.push("after".into());
        Ok(Reply::ok(auth.user_id().await?.as_deref().unwrap_or("nobody")))
    }

    async fn logout_and_fail(auth: Auth) -> Answered {
        auth.logout().await?;
        Ok(Reply::status(503, "broken"))
    }

    async fn rotate(mut cart: Session<Cart>, auth: Auth) -> Answered {
        cart.items.push("before".into());
        auth.rotate().await?;
        cart.items.push("after".into());
        Ok(Reply::ok("rotated"))
    }

    async fn only_rotate(auth: Auth) -> Answered {
        auth.rotate().await?;
        Ok(Reply::ok("rotated"))
    }

    async fn login_and_rotate(auth: Auth, Shared(gates): Shared) -> Answered {
        auth.login("ada").await?;
        gates.pass("login").await;
        Ok(Reply::ok(if auth.rotate().await.is_ok() { "rotated" } else { "ended" }))
    }

    async fn logout_slowly(auth: Auth, Shared(gates): Shared) -> Answered {
        auth.user_id().await?;
        gates.pass("logout").await;
        auth.logout().await?;
        Ok(Reply::ok("bye"))
    }

    async fn rotate_and_fail(auth: Auth) -> Answered {
        auth.rotate().await?;
        Ok(Reply::status(500, "broken"))
    }

    async fn write_slowly(mut cart: Session<Cart>, Shared(gates): Shared) -> Reply {
        cart.items.push("late".into());
        gates.pass("write").await;
        Reply::status(201, "written").header("x-handler", "ran")
    }

    async fn start(bench: &Bench) -> Server {
        let routes = routes![
            "/fill" => fill,
            "/state" => state,
            "/login/ada" => login_ada,
            "/login/bob" => login_bob,
            "/login-between" => login_between,
            "/login-and-fail" => login_and_fail,
            "/logout" => logout,
            "/logout-between" => logout_between,
            "/logout-and-fail" => logout_and_fail,
            "/rotate" => rotate,
            "/only-rotate" => only_rotate,
            "/rotate-and-fail" => rotate_and_fail,
            "/login-and-rotate" => login_and_rotate,
            "/logout-slowly" => logout_slowly,
            "/write-slowly" => write_slowly,
        ];
        serve(bench, routes).await
    }

    async fn filled(server: &Server) -> Visitor {
        let visitor = server.visitor();
        assert_eq!(visitor.get("/fill").await.status, 200);
        visitor
    }

    async fn a_login_keeps_what_an_anonymous_visitor_had(bench: Bench) {
        let server = start(&bench).await;
        let visitor = filled(&server).await;
        assert_eq!(visitor.get("/login/ada").await.cookies().len(), 1);
        let expected = "ada: [\"tea\"] de 1 1 Some(\"hello\") dark true";
        assert_eq!(visitor.get("/state").await.body, expected);
        assert_eq!(bench.sessions(), 1);
    }

    async fn a_login_as_another_user_drops_all_but_carried_fields(bench: Bench) {
        let server = start(&bench).await;
        let visitor = filled(&server).await;
        visitor.get("/login/ada").await;
        visitor.get("/login/bob").await;
        assert_eq!(visitor.get("/state").await.body, "bob: [] de 1 0 Some(\"hello\") dark false");
        // Nothing is left of the rest, for whoever can read the store.
        assert!(!bench.dump().contains("cart.items"));
        visitor.get("/fill").await;
        visitor.get("/login/ada").await;
        assert_eq!(visitor.get("/state").await.body, "ada: [] de 2 0 Some(\"hello\") dark false");
    }

    async fn a_login_as_the_same_user_keeps_everything(bench: Bench) {
        let server = start(&bench).await;
        let visitor = server.visitor();
        visitor.get("/login/ada").await;
        visitor.get("/fill").await;
        let before = visitor.fork();
        visitor.get("/login/ada").await;
        assert_eq!(visitor.get("/state").await.body, "ada: [\"tea\"] de 1 1 Some(\"hello\") dark true");
        assert_eq!(before.get("/state").await.body, "nobody: []  0 0 None  false", "the token was replaced");
    }

    async fn changes_around_a_login_are_kept(bench: Bench) {
        let server = start(&bench).await;
        for visitor in [server.visitor(), filled(&server).await] {
            let had = if visitor.token().is_some() { "\"tea\", " } else { "" };
            assert_eq!(visitor.get("/login-between").await.cookies().len(), 1);
            let state = visitor.get("/state").await.body;
            assert!(state.starts_with(&format!("ada: [{had}\"before\", \"after\"]")), "{state}");
            assert!(state.contains(" before "), "{state}");
        }
    }

    async fn a_logout_ends_the_whole_session(bench: Bench) {
        let server = start(&bench).await;
        for path in ["/logout", "/logout-between", "/logout-and-fail"] {
            let visitor = filled(&server).await;
            visitor.get("/login/ada").await;
            let copy = visitor.fork();
            visitor.get(path).await;
            assert_eq!((visitor.token(), bench.sessions()), (None, 0), "{path}");
            for visitor in [copy, visitor] {
                assert_eq!(visitor.get("/state").await.body, "nobody: []  0 0 None  false", "{path}");
                visitor.get("/login/ada").await;
                assert_eq!(visitor.get("/state").await.body, "ada: []  0 0 None  false", "{path}");
                visitor.get("/logout").await;
            }
        }
    }

    async fn a_rotation_kills_the_old_token_and_keeps_the_session(bench: Bench) {
        let server = start(&bench).await;
        let visitor = filled(&server).await;
        visitor.get("/login/ada").await;
        let old = visitor.fork();
        assert_eq!(visitor.get("/rotate").await.cookies().len(), 1);
        let expected = "ada: [\"tea\", \"before\", \"after\"] de 1 1 Some(\"hello\") dark true";
        assert_eq!(visitor.get("/state").await.body, expected);
        assert_eq!(old.get("/state").await.body, "nobody: []  0 0 None  false");
        assert_eq!(bench.sessions(), 1);
    }

    async fn a_rotation_without_a_session_does_nothing(bench: Bench) {
        let server = start(&bench).await;
        let answer = server.visitor().get("/only-rotate").await;
        assert_eq!((answer.status, answer.cookies().len()), (200, 0));
        assert_eq!((bench.store.take().total(), bench.sessions()), (0, 0));
    }

    async fn a_rotation_that_comes_too_late_takes_back_the_cookie_of_a_login(bench: Bench) {
        let server = start(&bench).await;
        let visitor = filled(&server).await;
        visitor.get("/login/ada").await;
        let logout = visitor.fork().get_in_background("/logout-slowly");
        bench.gates.arrived("logout", 1).await;
        let login = visitor.get_in_background("/login-and-rotate");
        bench.gates.arrived("login", 1).await;
        bench.gates.open("logout", 1);
        assert_eq!(logout.await.expect("the request ends").body, "bye");
        bench.gates.open("login", 1);
        let answer = login.await.expect("the request ends");
        assert_eq!((answer.body.as_str(), answer.cookies().len()), ("ended", 0));
    }

    async fn authentication_holds_whatever_the_handler_answers(bench: Bench) {
        let server = start(&bench).await;
        let visitor = server.visitor();
        let answer = visitor.get("/login-and-fail").await;
        assert_eq!((answer.status, answer.body.as_str(), answer.cookies().len()), (500, "broken", 1));
        assert!(visitor.get("/state").await.body.starts_with("ada: [] "));
        let old = visitor.fork();
        let answer = visitor.get("/rotate-and-fail").await;
        assert_eq!((answer.status, answer.cookies().len()), (500, 1));
        assert!(visitor.get("/state").await.body.starts_with("ada: "));
        assert!(old.get("/state").await.body.starts_with("nobody: "));
        let answer = visitor.get("/logout-and-fail").await;
        assert_eq!((answer.status, answer.cookies().len(), bench.sessions()), (503, 1, 0));
    }

    /// The answer to a write whose session was ended meanwhile.
    async fn lost(bench: &Bench) -> Answer {
        let server = start(bench).await;
        let visitor = filled(&server).await;
        let late = visitor.fork().get_in_background("/write-slowly");
        bench.gates.arrived("write", 1).await;
        assert_eq!(visitor.get("/logout").await.status, 200);
        bench.gates.open("write", 1);
        let answer = late.await.expect("the request ends");
        assert_eq!((answer.cookies().len(), bench.sessions()), (0, 0));
        answer
    }

    async fn a_lost_write_is_the_handlers_answer_without_a_cookie(bench: Bench) {
        let answer = lost(&bench).await;
        assert_eq!((answer.status, answer.body.as_str()), (201, "written"));
        assert_eq!(answer.all("x-handler"), ["ran"]);
    }

    async fn a_lost_write_is_a_conflict_where_that_is_asked_for(bench: Bench) {
        let bench = bench.with_config(|config| config.on_lost_write(OnLostWrite::Error));
        let answer = lost(&bench).await;
        assert_eq!((answer.status, answer.all("content-type")), (409, vec!["application/problem+json"]));
        assert!(answer.body.contains("the session ended before"), "{}", answer.body);
        // After a rotation too, and then the session goes on.
        let server = start(&bench).await;
        let visitor = filled(&server).await;
        let late = visitor.fork().get_in_background("/write-slowly");
        bench.gates.arrived("write", 1).await;
        assert_eq!(visitor.get("/login/ada").await.status, 200);
        bench.gates.open("write", 1);
        let answer = late.await.expect("the request ends");
        assert_eq!((answer.status, answer.cookies().len()), (409, 0));
        assert!(visitor.get("/state").await.body.starts_with("ada: [\"tea\"] "));
    }
}

//! The token before a rotation, where the setting `rotation_grace` lets it open the session for a while.

use std::time::Duration;

use sessionkit_tests::behaviour;
use sessionkit_tests::harness::{Bench, Server, Visitor};

behaviour! {
    tests: [
        a_lost_answer_logs_nobody_out,
        the_old_token_has_the_rights_that_it_had,
        it_opens_nothing_once_the_new_one_is_used,
        it_opens_nothing_after_its_time,
        it_outlasts_no_change_of_user_or_actor,
        another_rotation_with_it_keeps_it_and_its_rights,
        without_the_setting_it_opens_nothing,
        a_logout_with_it_ends_the_session,
        it_lasts_no_longer_than_a_renewal_lets_it,
    ];

    type Answered = Result<Reply, SessionRejection>;

    async fn login(auth: Auth, user: Body) -> Answered {
        auth.login(user).methods(["pwd"]).await?;
        Ok(Reply::ok("welcome"))
    }

    async fn elevate(auth: Auth) -> Answered {
        auth.elevate("otp").await?;
        Ok(Reply::ok("elevated"))
    }

    async fn prove(auth: Auth) -> Answered {
        auth.reauthenticate().await?;
        Ok(Reply::ok("proved"))
    }

    async fn rotate(auth: Auth) -> Answered {
        auth.rotate().await?;
        Ok(Reply::ok("rotated"))
    }

    async fn act(auth: Auth) -> Answered {
        auth.impersonate("bob").await?;
        Ok(Reply::ok("bob"))
    }

    async fn logout(auth: Auth) -> Answered {
        auth.logout().await?;
        Ok(Reply::ok("bye"))
    }

    async fn note(auth: Auth) -> Answered {
        auth.dynamic().await?.insert("note", &7)?;
        Ok(Reply::ok("noted"))
    }

    async fn about(auth: Auth) -> Answered {
        let note = auth.dynamic().await?.get::<u32>("note")?.unwrap_or_default();
        let Some(info) = auth.info().await? else { return Ok(Reply::ok("nobody")) };
        Ok(Reply::ok(format!("{} {:?} {note}", info.user_id.as_deref().unwrap_or("nobody"), info.methods())))
    }

    #[session(require_fresh = "5m")]
    async fn fresh() -> Reply {
        Reply::ok("fresh")
    }

    fn lenient(bench: Bench) -> Bench {
        bench.with_config(|config| config.rotation_grace(Duration::from_secs(600)))
    }

    /// Ada, whose login is no longer fresh.
    async fn start(bench: &Bench) -> (Server, Visitor) {
        let routes = routes![
            "/login" => login, "/elevate" => elevate, "/prove" => prove, "/rotate" => rotate, "/act" => act,
            "/logout" => logout, "/note" => note, "/about" => about, "/fresh" => fresh,
        ];
        let server = serve(bench, routes).await;
        let visitor = server.visitor();
        visitor.post("/login", "ada").await;
        visitor.get("/note").await;
        bench.clock.advance(Duration::from_secs(360));
        (server, visitor)
    }

    async fn a_lost_answer_logs_nobody_out(bench: Bench) {
        let bench = lenient(bench);
        let (_server, visitor) = start(&bench).await;
        for path in ["/elevate", "/prove", "/rotate", "/login"] {
            // Another browser with the same cookie gets the answer, and is never seen again.
            assert_eq!(visitor.fork().post(path, "ada").await.status, 200, "{path}");
            assert_eq!(visitor.get("/about").await.body, r#"ada ["pwd"] 7"#, "{path}");
            assert_eq!(visitor.get("/note").await.cookies().len(), 0, "{path}: nobody gets a better token for the old one");
        }
    }

    async fn the_old_token_has_the_rights_that_it_had(bench: Bench) {
        let bench = lenient(bench);
        for path in ["/elevate", "/prove", "/login"] {
            let (_server, visitor) = start(&bench).await;
            let new = visitor.fork();
            new.post(path, "ada").await;
            assert_eq!(visitor.get("/fresh").await.status, 401, "{path}");
            assert_eq!(visitor.get("/about").await.body, r#"ada ["pwd"] 7"#, "{path}");
            assert_eq!(new.get("/fresh").await.status, 200, "{path}");
        }
    }

    async fn it_opens_nothing_once_the_new_one_is_used(bench: Bench) {
        let bench = lenient(bench);
        let (_server, visitor) = start(&bench).await;
        let new = visitor.fork();
        new.get("/elevate").await;
        assert_eq!(visitor.get("/about").await.body, r#"ada ["pwd"] 7"#);
        assert_eq!(new.get("/about").await.body, r#"ada ["pwd", "otp"] 7"#);
        let late = visitor.get("/note").await;
        assert_eq!((late.status, late.cookies().len()), (200, 0), "[P11] it may have been under way");
        assert_eq!(visitor.get("/about").await.body, "nobody");
    }

    async fn it_opens_nothing_after_its_time(bench: Bench) {
        let bench = lenient(bench);
        let (_server, visitor) = start(&bench).await;
        visitor.fork().get("/rotate").await;
        bench.clock.advance(Duration::from_secs(599));
        assert_eq!(visitor.get("/about").await.body, r#"ada ["pwd"] 7"#);
        bench.clock.advance(Duration::from_secs(1));
        assert_eq!(visitor.get("/about").await.body, "nobody");
    }

    async fn it_outlasts_no_change_of_user_or_actor(bench: Bench) {
        let bench = lenient(bench);
        for (path, user) in [("/login", "bob"), ("/act", "")] {
            let (_server, visitor) = start(&bench).await;
            visitor.fork().get("/rotate").await;
            let before = visitor.fork();
            visitor.post(path, user).await;
            assert_eq!(before.get("/about").await.body, "nobody", "{path}");
        }
        // A visitor who logs in was nobody before.
        let (server, _) = start(&bench).await;
        let visitor = server.visitor();
        visitor.get("/note").await;
        visitor.fork().post("/login", "ada").await;
        assert_eq!(visitor.get("/about").await.body, "nobody");
    }

    async fn another_rotation_with_it_keeps_it_and_its_rights(bench: Bench) {
        let bench = lenient(bench);
        let (_server, visitor) = start(&bench).await;
        visitor.fork().get("/elevate").await;
        visitor.fork().get("/rotate").await;
        assert_eq!(visitor.get("/about").await.body, r#"ada ["pwd"] 7"#);
        visitor.get("/rotate").await;
        assert_eq!(visitor.get("/fresh").await.status, 401);
    }

    async fn without_the_setting_it_opens_nothing(bench: Bench) {
        for path in ["/elevate", "/prove", "/rotate", "/login"] {
            let (_server, visitor) = start(&bench).await;
            visitor.fork().post(path, "ada").await;
            assert_eq!(visitor.get("/about").await.body, "nobody", "[P3] {path}");
        }
    }

    /// The token before a renewal ends soon after the first use of the new one. A rotation with it changes nothing of that.
    async fn it_lasts_no_longer_than_a_renewal_lets_it(bench: Bench) {
        let hour = Duration::from_secs(3600);
        let bench = bench.with_config(|config| config.rotation_grace(Duration::from_secs(600)).renew_after(hour));
        for (new_one_is_used, seconds) in [(true, 30), (false, 600)] {
            let (_server, visitor) = start(&bench).await;
            bench.clock.advance(hour);
            let before = visitor.fork();
            assert_eq!(visitor.get("/about").await.cookies().len(), 1, "the token is renewed");
            if new_one_is_used {
                assert_eq!(visitor.get("/about").await.cookies().len(), 0);
            }
            assert_eq!(before.fork().get("/rotate").await.cookies().len(), 1, "the answer is lost");
            bench.clock.advance(Duration::from_secs(seconds - 1));
            assert_eq!(before.get("/about").await.body, r#"ada ["pwd"] 7"#, "{new_one_is_used}");
            bench.clock.advance(Duration::from_secs(1));
            assert_eq!(before.get("/about").await.body, "nobody", "{new_one_is_used}");
        }
    }

    async fn a_logout_with_it_ends_the_session(bench: Bench) {
        let bench = lenient(bench);
        let (_server, visitor) = start(&bench).await;
        let new = visitor.fork();
        new.get("/elevate").await;
        assert_eq!((visitor.get("/logout").await.status, bench.sessions()), (200, 0));
        assert_eq!(new.get("/about").await.body, "nobody", "[P1]");
    }
}

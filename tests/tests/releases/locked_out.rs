//! A release that cannot read what is stored, as after a bad deploy: nobody is locked out by it.

use sessionkit::{FieldError, SessionData, StructMigration};
use sessionkit_tests::behaviour;
use sessionkit_tests::harness::{Bench, Log, Server, Visitor};

#[derive(SessionData)]
#[session(name = "desk")]
struct Before {
    name: String,
    #[session(carry)]
    theme: String,
}

/// The bad release.
#[derive(SessionData)]
#[session(name = "desk")]
struct After {
    name: u32,
    #[session(carry)]
    theme: u32,
}

/// Another bad one.
#[derive(SessionData)]
#[session(name = "desk", version = 2, migrate = fails)]
struct Migrated {
    name: String,
}

fn fails(_: u32, stored: &mut StructMigration<'_, Migrated>) -> Result<(), FieldError> {
    stored.get::<u32>("name").map(drop)
}

/// The one that mends it.
#[derive(SessionData)]
#[session(name = "desk", on_error = default)]
struct Mended {
    name: u32,
    #[session(carry)]
    theme: u32,
}

#[derive(SessionData)]
struct Side {
    visits: u32,
}

async fn get(visitor: &Visitor, path: &str) -> String {
    let answer = visitor.get(path).await;
    assert_eq!(answer.status, 200, "{path}: {answer:?}");
    answer.body
}

behaviour! {
    tests: [
        logging_in_and_out_is_reached_and_works,
        another_user_takes_over_what_is_carried_and_cannot_be_read,
        what_does_not_look_at_the_struct_goes_on,
        an_answer_without_the_struct_does_not_stand,
        a_release_that_forgives_gets_the_sessions_going,
    ];

    type Answered = Result<Reply, SessionRejection>;

    async fn fill(mut desk: Session<Before>, auth: Auth) -> Answered {
        (desk.name, desk.theme) = ("ada".into(), "dark".into());
        auth.login("ada").await?;
        Ok(Reply::ok(""))
    }

    async fn whoami(auth: Auth) -> Answered {
        Ok(Reply::ok(auth.user_id().await?.as_deref().unwrap_or("nobody")))
    }

    async fn login(MaybeSession(desk): MaybeSession<After>, auth: Auth, user: Body) -> Answered {
        auth.login(&*user).await?;
        Ok(Reply::ok(desk.is_none()))
    }

    async fn login_of_a_result(desk: Result<Session<Migrated>, SessionRejection>, auth: Auth, user: Body) -> Answered {
        auth.login(&*user).await?;
        Ok(Reply::ok(desk.is_err()))
    }

    async fn logout(MaybeSession(desk): MaybeSession<Migrated>, auth: Auth) -> Answered {
        auth.logout().await?;
        Ok(Reply::ok(desk.is_none()))
    }

    async fn logout_of_a_result(desk: Result<SessionView<After>, SessionRejection>, auth: Auth) -> Answered {
        auth.logout().await?;
        Ok(Reply::ok(desk.is_err()))
    }

    async fn page(MaybeSession(desk): MaybeSession<After>, mut side: Session<Side>) -> Reply {
        side.visits += 1;
        Reply::ok(desk.is_none())
    }

    async fn rotate(MaybeSession(_): MaybeSession<After>, auth: Auth) -> Answered {
        auth.rotate().await?;
        Ok(Reply::ok(""))
    }

    async fn direct(desk: SessionView<After>) -> Reply {
        Reply::ok(desk.name)
    }

    #[session(require = |desk: &After| desk.name == 0)]
    async fn guarded() -> Reply {
        Reply::ok("")
    }

    #[session(require_login, require = |side: &Side| side.visits < 9)]
    async fn side(mut side: Session<Side>) -> Reply {
        side.visits += 1;
        Reply::ok(side.visits)
    }

    async fn mended(mut desk: Session<Mended>) -> Reply {
        desk.name += 1;
        Reply::ok(format!("{} {}", desk.name, desk.theme))
    }

    /// A visitor of the release before, who is logged in, at the bad one, and at the other.
    async fn visitors(bench: &Bench) -> ([Server; 2], [Visitor; 2]) {
        let before = serve(bench, routes!["/fill" => fill]).await;
        let routes = routes![
            "/whoami" => whoami, "/login" => login, "/logout" => logout_of_a_result, "/page" => page, "/rotate" => rotate,
            "/direct" => direct, "/guarded" => guarded, "/side" => side,
        ];
        let after = serve(bench, routes).await;
        let routes = routes!["/whoami" => whoami, "/login" => login_of_a_result, "/logout" => logout];
        let migrating = serve(bench, routes).await;
        let visitor = before.visitor();
        get(&visitor, "/fill").await;
        let visitors = [visitor.at(&after), visitor.at(&migrating)];
        ([after, migrating], visitors)
    }

    async fn logging_in_and_out_is_reached_and_works(bench: Bench) {
        for release in 0..2 {
            let (_servers, visitors) = visitors(&bench).await;
            let (visitor, old) = (&visitors[release], visitors[release].token());
            let answer = visitor.post("/login", "ada").await;
            assert_eq!((answer.status, &*answer.body), (200, "true"), "{release}");
            assert!(visitor.token().is_some() && visitor.token() != old);
            assert_eq!(get(visitor, "/whoami").await, "ada");
            let left = visitor.fork();
            assert_eq!(get(visitor, "/logout").await, "true");
            assert!(visitor.token().is_none());
            assert_eq!(get(&left, "/whoami").await, "nobody", "the session has ended");
            // The next one is as good as new.
            let answer = visitor.post("/login", "ada").await;
            assert_eq!((answer.status, &*answer.body), (200, if release == 0 { "true" } else { "false" }), "{release}");
        }
    }

    async fn another_user_takes_over_what_is_carried_and_cannot_be_read(bench: Bench) {
        let (_servers, [visitor, _]) = visitors(&bench).await;
        assert_eq!(visitor.post("/login", "bob").await.status, 200);
        assert_eq!(get(&visitor, "/whoami").await, "bob");
        assert!(bench.dump().contains("dark") && visitor.get("/direct").await.status == 500);
        assert_eq!(get(&visitor, "/logout").await, "true");
        assert!(!bench.dump().contains("dark"));
    }

    async fn what_does_not_look_at_the_struct_goes_on(bench: Bench) {
        let (_servers, [visitor, _]) = visitors(&bench).await;
        assert_eq!((get(&visitor, "/side").await, get(&visitor, "/side").await), ("1".into(), "2".into()));
        assert_eq!(visitor.get("/guarded").await.status, 500);
        assert_eq!(get(&visitor, "/whoami").await, "ada");
    }

    async fn an_answer_without_the_struct_does_not_stand(bench: Bench) {
        let log = Log::collect();
        let (_servers, [visitor, _]) = visitors(&bench).await;
        let before = bench.dump();
        for path in ["/page", "/direct", "/guarded"] {
            assert_eq!(visitor.get(path).await.status, 500, "{path}");
            assert_eq!(bench.dump(), before, "{path}");
        }
        // A new token is no new beginning.
        assert_eq!(visitor.get("/rotate").await.status, 500);
        assert!(log.text().contains("`desk.name`") && !log.text().contains("dark"), "{}", log.text());
    }

    async fn a_release_that_forgives_gets_the_sessions_going(bench: Bench) {
        let (_servers, [visitor, _]) = visitors(&bench).await;
        let mended = serve(&bench, routes!["/mended" => mended]).await;
        assert_eq!(get(&visitor.at(&mended), "/mended").await, "1 0");
        // The field that was changed can be read again, also by the release that forgives nothing.
        assert!(!bench.dump().contains("\"ada\"") && bench.dump().contains("\"dark\""));
    }
}

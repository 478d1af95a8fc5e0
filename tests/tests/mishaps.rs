//! A request or an answer is lost, late, or delivered twice, at each step of a commit, a login, a rotation and a logout.

use std::time::Duration;

use sessionkit::{SessionData, SessionManager};
use sessionkit_tests::both_frameworks;
use sessionkit_tests::harness::{Answer, Bench, Server, ServerKind, Visitor};
use sessionkit_tests::servers::proxy::Mishap;

#[derive(SessionData)]
struct Cart {
    last: String,
    #[session(merge = add)]
    views: u64,
    #[session(merge = append)]
    items: Vec<u32>,
}

/// More commands than any of these requests sends.
const STEPS: usize = 12;

both_frameworks! {
    tests: [
        a_commit_is_made_once,
        a_first_write_makes_one_session,
        a_login_is_whole_or_there_is_none,
        a_login_with_a_session_is_whole_or_changes_nothing,
        a_rotation_gives_the_new_token_or_leaves_the_old_one,
        a_logout_is_final,
    ];

    type Answered = Result<Reply, SessionRejection>;

    async fn add(mut cart: Session<Cart>) -> Reply {
        cart.views += 1;
        cart.items.push(7);
        cart.last = "lamp".into();
        Reply::ok("added")
    }

    async fn read(cart: SessionView<Cart>, auth: Auth) -> Answered {
        let user = auth.user_id().await?;
        Ok(Reply::ok(format!("{} {} {} {}", user.as_deref().unwrap_or("nobody"), cart.views, cart.items.len(), cart.last)))
    }

    async fn login(auth: Auth) -> Answered {
        auth.login("ada").await?;
        Ok(Reply::ok("ada"))
    }

    async fn rotate(auth: Auth) -> Answered {
        auth.rotate().await?;
        Ok(Reply::ok("rotated"))
    }

    async fn logout(auth: Auth) -> Answered {
        auth.logout().await?;
        Ok(Reply::ok("bye"))
    }

    async fn start() -> (Bench, Server, SessionManager) {
        let deadline = Duration::from_secs(2);
        let bench = Bench::proxied(ServerKind::Redis).await;
        let bench = bench.with_config(|config| config.load_deadline(deadline).commit_deadline(deadline).track_devices(true));
        let manager = bench.manager();
        let routes = routes!["/add" => add, "/read" => read, "/login" => login, "/rotate" => rotate, "/logout" => logout];
        let server = serve_with(&bench, manager.clone(), routes).await;
        (bench, server, manager)
    }

    /// Asks for a path while a mishap befalls one of its commands; `None` once it sends fewer. What nobody waits for is
    /// done when this returns.
    async fn ask((bench, manager): (&Bench, &SessionManager), visitor: &Visitor, path: &str, step: usize, mishap: Mishap) -> Option<Answer> {
        bench.network().befall(step, mishap);
        let answer = visitor.get(path).await;
        let has_befallen = bench.network().has_befallen();
        manager.drain().await;
        assert!(answer.status == 200 || (answer.status == 503 && answer.cookies().is_empty()), "{path} {step} {mishap:?}: {answer:?}");
        // A load is not sent twice; the store is as it was.
        assert!(answer.status == 200 || mishap == Mishap::DelayAnswer, "{path} {step} {mishap:?}: {answer:?}");
        has_befallen.then_some(answer)
    }

    async fn a_commit_is_made_once() {
        let (bench, server, manager) = start().await;
        for mishap in Mishap::ALL {
            let (visitor, mut added) = (server.visitor(), 1);
            visitor.get("/add").await;
            for step in 0..STEPS {
                let answer = ask((&bench, &manager), &visitor, "/add", step, mishap).await;
                added += answer.as_ref().is_none_or(|answer| answer.status == 200) as usize;
                assert_eq!(visitor.get("/read").await.body, format!("nobody {added} {added} lamp"), "{step} {mishap:?}");
                let Some(_) = answer else { break };
                assert!(step < STEPS - 1);
            }
            assert!(added >= 3, "{mishap:?}");
        }
    }

    async fn a_first_write_makes_one_session() {
        let (bench, server, manager) = start().await;
        let mut sessions = 0;
        for mishap in Mishap::ALL {
            let visitor = server.visitor();
            let answer = ask((&bench, &manager), &visitor, "/add", 0, mishap).await.expect("it inserts a session");
            assert_eq!((answer.status, answer.cookies().len()), (200, 1), "{mishap:?}");
            assert_eq!(visitor.get("/read").await.body, "nobody 1 1 lamp", "{mishap:?}");
            sessions += 1;
            assert_eq!(bench.sessions(), sessions, "{mishap:?}");
        }
    }

    /// Everybody who is logged in is listed, so that a revocation ends their session.
    async fn assert_listed(bench: &Bench, visitor: &Visitor, what: &str) {
        assert_eq!(bench.listed("ada").await.len(), 1, "{what}");
        bench.manager().devices_of("ada").end_all().await.expect("the store answers");
        assert!(visitor.get("/read").await.body.starts_with("nobody"), "[P9] {what}");
    }

    async fn a_login_is_whole_or_there_is_none() {
        let (bench, server, manager) = start().await;
        for mishap in Mishap::ALL {
            for step in 0..STEPS {
                let visitor = server.visitor();
                let answer = ask((&bench, &manager), &visitor, "/login", step, mishap).await;
                let what = format!("{step} {mishap:?}");
                if answer.as_ref().is_none_or(|answer| answer.status == 200) {
                    assert_eq!(visitor.get("/read").await.body, "ada 0 0 ", "{what}");
                    assert_eq!(bench.sessions(), 1, "{what}");
                    assert_listed(&bench, &visitor, &what).await;
                }
                assert_eq!((bench.sessions(), bench.listed("ada").await.len()), (0, 0), "{what}");
                let Some(_) = answer else { break };
                assert!(step < STEPS - 1);
            }
        }
    }

    async fn a_login_with_a_session_is_whole_or_changes_nothing() {
        let (bench, server, manager) = start().await;
        for mishap in Mishap::ALL {
            for step in 0..STEPS {
                let visitor = server.visitor();
                visitor.get("/add").await;
                let before = visitor.fork();
                let answer = ask((&bench, &manager), &visitor, "/login", step, mishap).await;
                let what = format!("{step} {mishap:?}");
                if answer.as_ref().is_none_or(|answer| answer.status == 200) {
                    assert_eq!(visitor.get("/read").await.body, "ada 1 1 lamp", "{what}");
                    assert_eq!(before.get("/read").await.body, "nobody 0 0 ", "[P3] {what}");
                    assert_listed(&bench, &visitor, &what).await;
                } else {
                    assert_eq!(visitor.get("/read").await.body, "nobody 1 1 lamp", "{what}");
                    visitor.get("/logout").await;
                }
                assert_eq!((bench.sessions(), bench.listed("ada").await.len()), (0, 0), "{what}");
                let Some(_) = answer else { break };
                assert!(step < STEPS - 1);
            }
        }
    }

    async fn a_rotation_gives_the_new_token_or_leaves_the_old_one() {
        let (bench, server, manager) = start().await;
        for mishap in Mishap::ALL {
            let visitor = server.visitor();
            visitor.get("/add").await;
            for step in 0..STEPS {
                let before = visitor.fork();
                let answer = ask((&bench, &manager), &visitor, "/rotate", step, mishap).await;
                assert_eq!(visitor.get("/read").await.body, "nobody 1 1 lamp", "{step} {mishap:?}");
                if visitor.token() != before.token() {
                    assert_eq!(before.get("/read").await.body, "nobody 0 0 ", "[P3] {step} {mishap:?}");
                }
                let Some(_) = answer else { break };
                assert!(step < STEPS - 1);
            }
        }
    }

    async fn a_logout_is_final() {
        let (bench, server, manager) = start().await;
        for mishap in Mishap::ALL {
            for step in 0..STEPS {
                let visitor = server.visitor();
                visitor.get("/login").await;
                let before = visitor.fork();
                let answer = ask((&bench, &manager), &visitor, "/logout", step, mishap).await;
                let what = format!("{step} {mishap:?}");
                if answer.as_ref().is_none_or(|answer| answer.status == 200) {
                    assert_eq!(visitor.token(), None, "{what}");
                    assert_eq!(before.get("/read").await.body, "nobody 0 0 ", "[P1] {what}");
                } else {
                    assert_eq!(visitor.get("/read").await.body, "ada 0 0 ", "{what}");
                    visitor.get("/logout").await;
                }
                assert_eq!(bench.sessions(), 0, "{what}");
                bench.manager().devices_of("ada").list().await.expect("the store answers");
                let Some(_) = answer else { break };
                assert!(step < STEPS - 1);
            }
        }
    }
}

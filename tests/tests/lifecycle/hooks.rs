//! Tests of the hooks that run while a session is loaded: for the cookie, and for visitors who have none.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use sessionkit::{
    LoadCookie, LocalPath, MissingReason, MissingSession, OnBadCookie, PresentedCookie, Rejection, SessionData,
    SessionManager, SessionManagerBuilder,
};
use sessionkit_tests::behaviour;
use sessionkit_tests::harness::{Answer, Bench, Log, Server};

#[derive(SessionData)]
struct Cart {
    items: Vec<u32>,
}

/// The value that the hook puts in place of an older system's cookie; an empty one if there is none.
type Legacy = Arc<Mutex<Option<String>>>;

/// Translates the cookie `v1.ada` of an older system.
fn translating(builder: SessionManagerBuilder, legacy: &Legacy) -> SessionManagerBuilder {
    let legacy = legacy.clone();
    builder.on_load_cookie(move |cookie| {
        let legacy = legacy.clone();
        async move {
            tokio::task::yield_now().await;
            match cookie.value() {
                "v1.ada" => LoadCookie::Replace(legacy.lock().unwrap().clone().unwrap_or_default()),
                "v1.bob" => LoadCookie::Ignore,
                "v1.eve" => LoadCookie::Answer(Rejection::new(403, "Eve was told to stay away.")),
                _ => LoadCookie::Continue,
            }
        }
    })
}

fn welcome() -> Rejection {
    Rejection::redirect(&LocalPath::parse("/welcome?to=the+shop").unwrap())
}

/// An answer of a hook, on which nothing of the session's is.
fn assert_answered(answer: &Answer, status: u16, what: &str) {
    assert_eq!((answer.status, answer.cookies().len()), (status, 0), "{what}: {answer:?}");
    assert_eq!(answer.all("content-type"), ["application/problem+json"], "{what}");
    assert_eq!((answer.all("vary"), answer.all("cache-control")), (vec!["Cookie"], vec!["no-store"]), "{what}");
}

behaviour! {
    tests: [
        row_09_on_load_cookie_may_replace_the_value,
        row_09_on_load_cookie_may_ignore_the_cookie_or_answer,
        row_09_on_missing_session_may_answer,
        row_09_hooks_are_called_when_somebody_asks_and_see_the_head,
        row_09_a_hook_that_panics_or_hangs_lets_nobody_in,
        row_09_hooks_and_rejected_cookies,
        on_missing_session_learns_the_reason_and_who_asks,
        on_missing_session_that_leads_to_the_page_itself_is_a_mistake,
    ];

    type Answered = Result<Reply, SessionRejection>;

    async fn add(mut cart: Session<Cart>) -> Reply {
        cart.items.push(7);
        Reply::ok(cart.items.len())
    }

    async fn view(cart: SessionView<Cart>, again: MaybeSession<Cart>, auth: Auth) -> Answered {
        let user = auth.user_id().await?;
        Ok(Reply::ok(format!("{} {} {}", user.as_deref().unwrap_or("nobody"), cart.items.len(), again.0.is_some())))
    }

    async fn free() -> Reply {
        Reply::ok("free")
    }

    #[session(require_login)]
    async fn guarded() -> Reply {
        Reply::ok("guarded")
    }

    async fn stubborn(auth: Auth) -> Reply {
        Reply::ok(auth.user_id().await.is_err())
    }

    async fn login(auth: Auth) -> Answered {
        auth.login("ada").await?;
        Ok(Reply::ok(auth.user_id().await?.as_deref().unwrap_or("nobody")))
    }

    async fn logout(auth: Auth) -> Answered {
        auth.logout().await?;
        Ok(Reply::ok(auth.user_id().await?.as_deref().unwrap_or("nobody")))
    }

    async fn start(bench: &Bench, manager: SessionManager) -> Server {
        let routes = routes![
            "/add" => add, "/view" => view, "/free" => free, "/guarded" => guarded, "/stubborn" => stubborn,
            "/login" => login, "/logout" => logout,
        ];
        serve_with(bench, manager, routes).await
    }

    async fn row_09_on_load_cookie_may_replace_the_value(bench: Bench) {
        let legacy = Legacy::default();
        let server = start(&bench, translating(bench.builder(), &legacy).build()).await;
        let ada = server.visitor();
        assert_eq!(ada.get("/login").await.body, "ada");
        assert_eq!(ada.get("/add").await.body, "1");
        assert_eq!(ada.get("/view").await.body, "ada 1 true", "what is not of the older system stays as it is");
        *legacy.lock().unwrap() = ada.token();

        let old = server.visitor();
        old.set_token("v1.ada");
        bench.store.take();
        assert_eq!(old.get("/view").await.body, "ada 1 true");
        assert_eq!(bench.store.take().load, 1);
        assert_eq!((old.get("/add").await.body, old.get("/guarded").await.body), ("2".to_owned(), "guarded".to_owned()));
        assert_eq!(old.get("/logout").await.body, "nobody");
        assert_eq!((old.token(), ada.get("/view").await.body), (None, "nobody 0 false".to_owned()));

        *legacy.lock().unwrap() = Some("no token".to_owned());
        let old = server.visitor();
        old.set_token("v1.ada");
        assert_eq!(old.get("/view").await.body, "nobody 0 false");
    }

    async fn row_09_on_load_cookie_may_ignore_the_cookie_or_answer(bench: Bench) {
        let server = start(&bench, translating(bench.builder(), &Legacy::default()).build()).await;
        let (bob, eve) = (server.visitor(), server.visitor());
        bob.set_token("v1.bob");
        assert_eq!(bob.get("/view").await.body, "nobody 0 false");
        assert_eq!(bob.get("/add").await.body, "1");
        assert_eq!(bob.get("/add").await.body, "2", "he has a session of this application now");

        eve.set_token("v1.eve");
        for path in ["/view", "/add", "/guarded", "/stubborn"] {
            let answer = eve.get(path).await;
            assert_answered(&answer, 403, path);
            assert!(answer.body.contains("Eve was told to stay away."), "{answer:?}");
        }
        assert_eq!(eve.get("/free").await.body, "free");
        assert_eq!(eve.fork().get("/logout").await.body, "nobody");
        assert_eq!((eve.get("/login").await.body, eve.get("/view").await.body), ("ada".into(), "ada 0 true".into()));
    }

    async fn row_09_on_missing_session_may_answer(bench: Bench) {
        let builder = bench.builder().on_missing_session(async |missing| match missing.request.path() {
            "/add" => MissingSession::Continue,
            _ => MissingSession::Answer(welcome()),
        });
        let server = start(&bench, builder.build()).await;
        let visitor = server.visitor();
        for path in ["/view", "/guarded", "/stubborn"] {
            let answer = visitor.get(path).await;
            assert_answered(&answer, 303, path);
            assert_eq!(answer.all("location"), ["/welcome?to=the+shop"], "{path}");
        }
        assert_eq!(visitor.get("/free").await.body, "free");
        assert_eq!(visitor.fork().get("/logout").await.body, "nobody", "a logout is no reason to ask");
        let ada = visitor.fork();
        assert_eq!((ada.get("/login").await.body, ada.get("/view").await.body), ("ada".into(), "ada 0 true".into()));
        assert_eq!((ada.get("/logout").await.body, ada.token()), ("nobody".into(), None));
        assert_eq!((visitor.get("/add").await.body, visitor.get("/view").await.body), ("1".into(), "nobody 1 true".into()));
        bench.clock.advance(Duration::from_secs(86_400));
        assert_answered(&visitor.get("/view").await, 303, "an expired session is none");
    }

    async fn row_09_hooks_are_called_when_somebody_asks_and_see_the_head(bench: Bench) {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (first, second) = (seen.clone(), seen.clone());
        let builder = bench.builder().on_load_cookie(move |cookie: PresentedCookie| {
            let device = String::from_utf8_lossy(cookie.request.header("x-device").unwrap_or_default()).into_owned();
            first.lock().unwrap().push(format!("{} {device}", cookie.value()));
            async { LoadCookie::Continue }
        });
        let builder = builder.on_missing_session(move |missing| {
            let request = &missing.request;
            second.lock().unwrap().push(format!("{} {} {}", request.method(), request.target(), request.is_navigation()));
            async { MissingSession::Continue }
        });
        let server = start(&bench, builder.build()).await;
        let take = || std::mem::take(&mut *seen.lock().unwrap());
        let visitor = server.visitor();
        visitor.get("/free").await;
        assert_eq!(take(), [""; 0]);
        visitor.send(reqwest::Method::POST, "/view?page=2", &[("x-device", b"phone")], "").await;
        assert_eq!(take(), ["POST /view?page=2 false"], "once, though three ask");
        visitor.send(reqwest::Method::GET, "/view", &[("x-device", b"phone"), ("accept", b"text/html")], "").await;
        assert_eq!(take(), ["GET /view true"]);
        visitor.set_token("old");
        visitor.send(reqwest::Method::GET, "/view", &[("x-device", b"phone")], "").await;
        assert_eq!(take(), ["old phone", "GET /view false"]);
        visitor.get("/login").await;
        assert_eq!(take(), ["old "], "a login needs to know who was there before, and no more");
        visitor.get("/view").await;
        assert_eq!(take(), [format!("{} ", visitor.token().unwrap())]);
    }

    async fn row_09_a_hook_that_panics_or_hangs_lets_nobody_in(bench: Bench) {
        let bench = bench.with_config(|config| config.load_deadline(Duration::from_millis(100)));
        let broken = |what: &'static str| async move {
            match what {
                "panics" => panic!("a hook panics on purpose"),
                _ => std::future::pending::<()>().await,
            }
        };
        for (what, status) in [("panics", 500), ("hangs", 503)] {
            let by_cookie = bench.builder().on_load_cookie(move |_| async move {
                broken(what).await;
                LoadCookie::Continue
            });
            let by_absence = bench.builder().on_missing_session(move |_| async move {
                broken(what).await;
                MissingSession::Continue
            });
            let sane = start(&bench, bench.manager()).await;
            for manager in [by_cookie.build(), by_absence.build()] {
                let server = start(&bench, manager).await;
                let visitor = sane.visitor();
                visitor.get("/login").await;
                let known = visitor.token();
                visitor.get("/logout").await;
                visitor.set_token(&known.unwrap());
                let visitor = visitor.at(&server);
                for path in ["/view", "/guarded", "/stubborn"] {
                    assert_answered(&visitor.get(path).await, status, what);
                }
                assert_eq!(visitor.get("/free").await.body, "free");
                assert!(visitor.token().is_some());
            }
        }
    }

    async fn row_09_hooks_and_rejected_cookies(bench: Bench) {
        let strict = bench.with_config(|config| config.on_bad_cookie(OnBadCookie::Reject).save_uninitialized(true));
        let builder = translating(strict.builder(), &Legacy::default());
        let manager = builder.on_missing_session(async |_| MissingSession::Answer(welcome())).build();
        let server = start(&strict, manager).await;
        let present = async |value: &str, path: &str| {
            let visitor = server.visitor();
            visitor.set_token(value);
            visitor.get(path).await
        };
        assert_answered(&present("garbage", "/view").await, 400, "the cookie is rejected before anybody is missed");
        assert_answered(&present("v1.ada", "/view").await, 400, "what takes its place is looked at as if it had come");
        assert_answered(&present("v1.bob", "/view").await, 303, "an ignored cookie is none");
        // A session that begins at the first visit does not take the place of a cookie that only a hook can read.
        assert_eq!(present("v1.ada", "/free").await.cookies().len(), 0);
        assert_eq!(server.visitor().get("/free").await.cookies().len(), 1);
    }

    async fn on_missing_session_that_leads_to_the_page_itself_is_a_mistake(bench: Bench) {
        let view = Rejection::redirect(&LocalPath::parse("/view?tour=1").unwrap());
        let builder = bench.builder().on_missing_session(move |_| {
            let answer = MissingSession::Answer(view.clone());
            async { answer }
        });
        let (server, log) = (start(&bench, builder.build()).await, Log::collect());
        let visitor = server.visitor();
        for path in ["/guarded", "/view"] {
            assert_answered(&visitor.get(path).await, 303, path);
        }
        let answer = visitor.get("/view?tour=1").await;
        assert_eq!((answer.status, answer.all("location").len()), (500, 0));
        assert!(log.text().contains("let the hook continue for its path"), "{}", log.text());
    }

    async fn on_missing_session_learns_the_reason_and_who_asks(bench: Bench) {
        let (seen, guesses) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(0)));
        let noted = seen.clone();
        let builder = bench.builder().on_missing_session(move |missing| {
            let peer = missing.request.peer_addr().expect("the server knows it").ip();
            noted.lock().unwrap().push((missing.reason, peer.is_loopback()));
            let mut guesses = guesses.lock().unwrap();
            *guesses += u32::from(missing.reason == MissingReason::UnknownToken);
            let is_one_too_many = *guesses > 2;
            async move {
                let answer = MissingSession::Answer(Rejection::new(429, "Too many requests."));
                if is_one_too_many { answer } else { MissingSession::Continue }
            }
        });
        let server = start(&bench, builder.build()).await;
        let visitor = server.visitor();
        let reason = || {
            let mut seen = seen.lock().unwrap();
            assert_eq!(seen.len(), 1, "{seen:?}");
            let (reason, is_loopback) = seen.remove(0);
            assert!(is_loopback);
            reason
        };
        visitor.get("/view").await;
        assert_eq!(reason(), MissingReason::NoCookie);
        visitor.get("/login").await;
        visitor.get("/view").await;
        assert!(seen.lock().unwrap().is_empty());
        let (known, other) = (visitor.token().expect("a session"), server.visitor());
        other.get("/login").await;
        let both = [known.clone(), other.token().expect("a session")].map(|token| format!("__Host-session={token}"));
        visitor.get_with_cookies("/view", &[both[0].as_bytes(), both[1].as_bytes()]).await;
        assert_eq!(reason(), MissingReason::SeveralSessions);
        visitor.get("/login").await;
        visitor.set_token(&known);
        visitor.get("/view").await;
        assert_eq!(reason(), MissingReason::EndedSession, "a login has just replaced it");
        visitor.set_token("v2.ada");
        visitor.get("/view").await;
        assert_eq!(reason(), MissingReason::MalformedToken);
        for status in [200, 200, 429] {
            visitor.set_token(&"a".repeat(64));
            assert_eq!(visitor.get("/view").await.status, status);
            assert_eq!(reason(), MissingReason::UnknownToken);
        }
        assert_eq!(other.get("/view").await.status, 200);
    }
}

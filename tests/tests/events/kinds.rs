//! Every kind of event, once, where it belongs.

use std::collections::BTreeSet;
use std::time::Duration;

use reqwest::Method;
use sessionkit::testing::TestSession;
use sessionkit::{
    CrossOriginProtection, EventKind, MemoryStore, SessionConfig, SessionData, SessionManager, SessionManagerBuilder,
};
use sessionkit_tests::behaviour;
use sessionkit_tests::harness::{Bench, Gates, HeldStore, Server};

use crate::support::{Recorded, RecordedEvent};

#[derive(SessionData)]
pub struct Cart {
    items: Vec<u32>,
    #[session(merge = union)]
    tags: BTreeSet<u32>,
}

#[derive(SessionData)]
#[session(name = "cart", on_error = default)]
pub struct Forgiving {
    items: bool,
}

#[derive(SessionData)]
#[session(name = "cart")]
pub struct Strict {
    items: bool,
}

const HOUR: Duration = Duration::from_secs(3600);

/// The only event that was seen.
fn only(recorded: &Recorded) -> RecordedEvent {
    let seen = recorded.take();
    assert_eq!(seen.len(), 1, "{seen:#?}");
    seen.into_iter().next().expect("there is one")
}

behaviour! {
    tests: [
        a_session_comes_and_goes,
        a_login_as_another_user_names_the_new_one,
        a_renewal,
        an_expired_session_is_seen_from_an_unknown_token,
        tokens_that_open_nothing_or_too_much,
        changes_that_are_lost,
        changes_that_meet,
        stored_values_that_do_not_fit,
        a_store_that_does_not_answer,
        guards_and_requests_of_other_sites,
        a_route_that_uses_no_session_tells_nothing,
    ];

    type Answered = Result<Reply, SessionRejection>;

    async fn write(mut cart: Session<Cart>) -> Reply {
        cart.items.push(7);
        Reply::ok(cart.items.len())
    }

    async fn write_slowly(mut cart: Session<Cart>, Shared(gates): Shared) -> Reply {
        gates.pass("write").await;
        cart.items.push(7);
        Reply::ok(cart.items.len())
    }

    async fn tag_slowly(mut cart: Session<Cart>, Shared(gates): Shared) -> Reply {
        gates.pass("tag").await;
        cart.tags.insert(1);
        Reply::ok("tagged")
    }

    async fn tag(mut cart: Session<Cart>) -> Reply {
        cart.tags.insert(2);
        Reply::ok("tagged")
    }

    async fn write_late(mut cart: Session<Cart>, Shared(gates): Shared) -> Answering {
        stream(futures_util::stream::once(async move {
            cart.items.push(7);
            drop(cart);
            gates.note("late");
            String::new()
        }))
    }

    async fn write_across_a_login(mut cart: Session<Cart>, auth: Auth) -> Answered {
        auth.login("bob").await?;
        cart.items.push(7);
        Ok(Reply::ok("written"))
    }

    async fn forget(handle: SessionHandle, Shared(gates): Shared) -> Reply {
        tokio::spawn(async move {
            handle.checkout::<Cart>().await.expect("the store answers").items.push(7);
            drop(handle);
            gates.note("forgotten");
        });
        Reply::ok("spawned")
    }

    async fn read(cart: SessionView<Cart>) -> Reply {
        Reply::ok(cart.items.len())
    }

    async fn forgive(cart: SessionView<Forgiving>) -> Reply {
        Reply::ok(cart.items)
    }

    async fn insist(cart: SessionView<Strict>) -> Reply {
        Reply::ok(cart.items)
    }

    async fn login(auth: Auth) -> Answered {
        auth.login("ada").await?;
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

    #[session(require_login)]
    async fn members() -> Reply {
        Reply::ok("secret")
    }

    #[session(require = |cart: &Cart| !cart.items.is_empty())]
    async fn guarded() -> Reply {
        Reply::ok("secret")
    }

    async fn submit(token: CsrfToken, body: Body) -> Answered {
        token.verify(&body)?;
        Ok(Reply::ok("done"))
    }

    async fn free() -> Reply {
        Reply::ok("free")
    }

    async fn start(bench: &Bench) -> (Server, Recorded) {
        start_with(bench, bench.builder()).await
    }

    async fn start_with(bench: &Bench, builder: SessionManagerBuilder) -> (Server, Recorded) {
        let recorded = Recorded::default();
        let routes = routes![
            "/write" => write,
            "/write-slowly" => write_slowly,
            "/tag-slowly" => tag_slowly,
            "/tag" => tag,
            "/write-late" => write_late,
            "/write-across-a-login" => write_across_a_login,
            "/forget" => forget,
            "/read" => read,
            "/forgive" => forgive,
            "/insist" => insist,
            "/login" => login,
            "/rotate" => rotate,
            "/logout" => logout,
            "/members" => members,
            "/guarded" => guarded,
            "/submit" => submit,
            "/free" => free,
        ];
        let manager = builder.event_sink(recorded.clone()).build();
        (serve_protected(bench, manager, CrossOriginProtection::new(), routes).await, recorded)
    }

    async fn a_session_comes_and_goes(bench: Bench) {
        let (server, recorded) = start(&bench).await;
        let visitor = server.visitor();
        let mut ids = BTreeSet::new();
        for (path, name, user) in [
            ("/write?a=1", "created", ""),
            ("/login?a=1", "login", "ada"),
            ("/login?a=1", "login", "ada"),
            ("/rotate?a=1", "rotated", "ada"),
            ("/logout?a=1", "logout", "ada"),
        ] {
            visitor.get(path).await;
            let seen = only(&recorded);
            let route = format!("GET {}", &path[..path.len() - 4]);
            assert_eq!((&*seen.name, &*seen.user, &*seen.route), (name, user, &*route));
            ids.insert(seen.session);
        }
        assert_eq!(ids.len(), 1, "all of one session: {ids:?}");
        visitor.get("/login").await;
        assert_eq!(only(&recorded).name, "login", "a session that begins with a login was not created before");
    }

    async fn a_login_as_another_user_names_the_new_one(bench: Bench) {
        let (server, recorded) = start(&bench).await;
        let visitor = server.visitor_with(&TestSession::new(&bench.manager()).login("ada").await);
        visitor.get("/write-across-a-login").await;
        let seen = recorded.take();
        assert_eq!((&*seen[0].name, &*seen[0].user), ("login", "bob"));
        let (name, key, user) = (&*seen[1].name, &*seen[1].key, &*seen[1].user);
        assert_eq!((name, key, user, seen.len()), ("contribution_discarded", "cart", "bob", 2));
    }

    async fn a_renewal(bench: Bench) {
        let bench = bench.with_config(|config| config.renew_after(HOUR));
        let (server, recorded) = start(&bench).await;
        let visitor = server.visitor();
        visitor.get("/login").await;
        bench.clock.advance(HOUR);
        recorded.take();
        visitor.get("/read").await;
        let seen = only(&recorded);
        assert_eq!((&*seen.name, &*seen.user), ("renewed", "ada"));
        visitor.get("/read").await;
        assert_eq!(recorded.names(), [""; 0]);
    }

    async fn an_expired_session_is_seen_from_an_unknown_token(bench: Bench) {
        let (server, recorded) = start(&bench).await;
        let visitor = server.visitor();
        visitor.get("/login").await;
        let id = only(&recorded).session;
        bench.clock.advance(HOUR * 24 * 400);
        assert_eq!(visitor.get("/read").await.body, "0");
        let seen = only(&recorded);
        assert_eq!((&*seen.name, &*seen.user, seen.session), ("expired", "ada", id));
        // A token with the right selector and another secret is not seen when the session ended.
        let (kept, last) = visitor.token().expect("the cookie is kept").split_at_checked(63).map(|(kept, last)| (kept.to_owned(), last.to_owned())).expect("64 letters");
        visitor.set_token(&format!("{kept}{}", if last == "A" { "Q" } else { "A" }));
        visitor.get("/read").await;
        let seen = only(&recorded);
        assert_eq!((&*seen.name, &*seen.user, &*seen.session), ("rejected", "", ""));
    }

    async fn tokens_that_open_nothing_or_too_much(bench: Bench) {
        let (server, recorded) = start(&bench).await;
        let (visitor, other) = (server.visitor(), server.visitor());
        visitor.get("/login").await;
        other.get("/login").await;
        let old = visitor.fork();
        visitor.get("/rotate").await;
        recorded.take();
        old.get("/read").await;
        let seen = only(&recorded);
        assert_eq!((&*seen.name, &*seen.reason), ("rejected", "replaced by a login or a rotation a moment ago"));
        bench.clock.advance(HOUR);
        old.get("/read").await;
        let seen = only(&recorded);
        assert_eq!((&*seen.name, &*seen.reason), ("rejected", "unknown or expired"));
        old.set_token("nonsense");
        old.get("/read").await;
        let seen = only(&recorded);
        assert_eq!((&*seen.name, &*seen.reason), ("rejected", "malformed"));
        let tokens = [visitor.token(), other.token()].map(|token| token.expect("a session"));
        let both = format!("__Host-session={}; __Host-session={}", tokens[0], tokens[1]);
        visitor.get_with_cookies("/read", &[both.as_bytes()]).await;
        assert_eq!(only(&recorded).name, "ambiguous");
    }

    async fn changes_that_are_lost(bench: Bench) {
        let (server, recorded) = start(&bench).await;
        let visitor = server.visitor();
        visitor.get("/login").await;
        recorded.take();
        for (path, name, reason) in [
            ("/rotate", "rotated", "the token was rotated"),
            ("/logout", "logout", "the session ended"),
        ] {
            let slow = visitor.get_in_background("/write-slowly");
            bench.gates.arrived("write", 1).await;
            visitor.get(path).await;
            assert_eq!(only(&recorded).name, name);
            bench.gates.open("write", 1);
            slow.await.expect("the request ends");
            let seen = only(&recorded);
            let (name, why, user) = (&*seen.name, &*seen.reason, &*seen.user);
            assert_eq!((name, why, user), ("write_discarded", reason, "ada"), "{path}");
        }
        visitor.get("/login").await;
        recorded.take();
        visitor.get("/write-late").await;
        bench.gates.arrived("late", 1).await;
        let seen = only(&recorded);
        assert_eq!((&*seen.name, &*seen.key, &*seen.route), ("late_write", "cart", "GET /write-late"));
        visitor.get("/forget").await;
        bench.gates.arrived("forgotten", 1).await;
        let seen = only(&recorded);
        assert_eq!((&*seen.name, &*seen.user), ("uncommitted", "ada"));
    }

    async fn changes_that_meet(bench: Bench) {
        let (server, recorded) = start(&bench).await;
        let visitor = server.visitor();
        visitor.get("/login").await;
        let slow = visitor.get_in_background("/tag-slowly");
        bench.gates.arrived("tag", 1).await;
        visitor.get("/tag").await;
        recorded.take();
        bench.gates.open("tag", 1);
        slow.await.expect("the request ends");
        let seen = only(&recorded);
        assert_eq!((&*seen.name, &*seen.user, &*seen.route), ("conflict", "ada", "GET /tag-slowly"));
    }

    async fn stored_values_that_do_not_fit(bench: Bench) {
        let (server, recorded) = start(&bench).await;
        let visitor = server.visitor();
        visitor.get("/write").await;
        recorded.take();
        let forgiving = serve_with(
            &bench,
            bench.builder().event_sink(recorded.clone()).build(),
            routes!["/forgive" => forgive],
        )
        .await;
        assert_eq!(visitor.at(&forgiving).get("/forgive").await.body, "false");
        let seen = only(&recorded);
        assert_eq!((&*seen.name, &*seen.key), ("unfit", "cart.items"));
        let strict =
            serve_with(&bench, bench.builder().event_sink(recorded.clone()).build(), routes!["/insist" => insist]).await;
        assert_eq!(visitor.at(&strict).get("/insist").await.status, 500);
        assert_eq!(only(&recorded).name, "failed");
    }

    async fn a_store_that_does_not_answer(bench: Bench) {
        let store = HeldStore::new(bench.store.clone(), &bench.gates);
        let short = Duration::from_millis(200);
        let config = SessionConfig::builder().load_deadline(short).commit_deadline(short).build().expect("they agree");
        let builder = bench.builder_over(store.clone()).config(config);
        let (server, recorded) = start_with(&bench, builder).await;
        let visitor = server.visitor();
        store.hold("before insert");
        assert_eq!(visitor.get("/login").await.status, 503);
        assert_eq!(only(&recorded).name, "store_unavailable");
        assert_eq!(visitor.get("/write").await.status, 503);
        assert_eq!(only(&recorded).name, "store_unavailable");
        store.release("before insert");
        visitor.get("/login").await;
        recorded.take();
        store.hold("before load");
        assert_eq!(visitor.get("/read").await.status, 503);
        assert_eq!(only(&recorded).name, "store_unavailable");
    }

    async fn guards_and_requests_of_other_sites(bench: Bench) {
        let (server, recorded) = start(&bench).await;
        let visitor = server.visitor();
        for (path, handler) in [("/members", ""), ("/guarded", "::guarded")] {
            visitor.get(path).await;
            let seen = only(&recorded);
            assert_eq!((&*seen.name, seen.route), ("denied", format!("GET {path}")));
            assert!(seen.handler.ends_with(handler) && !seen.reason.is_empty(), "{path} {:?}", seen.handler);
        }
        visitor.send(Method::POST, "/write", &[("sec-fetch-site", b"cross-site")], "").await;
        let seen = only(&recorded);
        let (name, reason, route) = (&*seen.name, &*seen.reason, &*seen.route);
        assert_eq!((name, reason, route), ("csrf", "cross-origin", "POST /write"));
        visitor.post("/submit", "nonsense").await;
        let seen = only(&recorded);
        let (name, reason, route) = (&*seen.name, &*seen.reason, &*seen.route);
        assert_eq!((name, reason, route), ("csrf", "wrong token", "POST /submit"));
    }

    async fn a_route_that_uses_no_session_tells_nothing(bench: Bench) {
        let (server, recorded) = start(&bench).await;
        let visitor = server.visitor();
        visitor.set_token("nonsense");
        visitor.get("/free").await;
        assert_eq!(recorded.names(), [""; 0]);
    }
}

#[test]
fn a_store_call_that_its_runtime_cuts_off() {
    let (recorded, gates) = (Recorded::default(), Gates::default());
    let store = HeldStore::new(MemoryStore::new(), &gates);
    store.hold("before insert");
    let manager = SessionManager::builder(store).event_sink(recorded.clone()).build();
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let short = runtime();
    short.block_on(async {
        tokio::spawn(manager.open().auth().login("ada").into_future());
        gates.arrived("before insert", 1).await;
    });
    drop(short);
    runtime().block_on(manager.drain());
    assert_eq!(recorded.names(), ["cut_off"]);
}

#[test]
fn every_kind_has_a_name_of_its_own() {
    let names: BTreeSet<_> = EventKind::NAMES.iter().collect();
    assert_eq!(names.len(), EventKind::NAMES.len());
    assert!(names.iter().all(|name| name.bytes().all(|letter| letter.is_ascii_lowercase() || letter == b'_')));
}

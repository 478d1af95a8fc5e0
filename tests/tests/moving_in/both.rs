//! Tests of the modes: comparing alone, and writing for the other system too.

use serde_json::{Value, json};
use sessionkit::formats::CookieFormat as _;
use sessionkit::migration::{ForeignCookie, ForeignSession, Migration, MigrationMode, SessionsInCookie};
use sessionkit::testing::Calls;
use sessionkit::{Clock as _, SessionManager};
use sessionkit_tests::behaviour;
use sessionkit_tests::harness::{Bench, Log, Server, Visitor};

use crate::old::{A_DAY, Cart, OLD, OldApp, SIGNED, ada, migration, sign, signed_format, with_migration};

/// The migration of the tests, which writes too.
fn writing(bench: &Bench, old: &OldApp) -> Migration {
    give(migration(bench, old))
}

fn give(migration: Migration) -> Migration {
    migration
        .mode(MigrationMode::DualWrite)
        .write_user(|user, session: &mut ForeignSession| {
            match user {
                Some(user) => session.values.insert("user_id".into(), user.into()),
                None => session.values.remove("user_id"),
            };
        })
        .write(|cart: &Cart, session| {
            session.values.insert("items".into(), json!(cart.items));
        })
}

/// What the application before this one sees of a signed session.
fn signed(bench: &Bench, browser: &Visitor) -> Value {
    let cookie = browser.cookie(SIGNED).expect("it is there");
    let mut values = signed_format().read(&cookie, bench.clock.now()).expect("it is signed").values;
    assert!(values.remove("_sessionkit").is_some());
    Value::Object(values)
}

behaviour! {
    tests: [
        a_shadow_changes_nothing,
        each_change_is_written_for_the_other_system,
        a_login_here_is_one_there,
        a_signed_session_is_written,
        nothing_of_one_user_is_left_to_another,
        what_cannot_be_written_is_reported_and_ours_stands,
    ];

    type Answered = Result<Reply, SessionRejection>;

    async fn view(cart: SessionView<Cart>, auth: Auth) -> Answered {
        let user = auth.user_id().await?;
        Ok(Reply::ok(format!("{} {:?}", user.as_deref().unwrap_or("nobody"), cart.items)))
    }

    async fn add(mut cart: Session<Cart>) -> Reply {
        cart.items.push(7);
        Reply::ok(cart.items.len())
    }

    async fn login(auth: Auth) -> Answered {
        auth.login("bob").await?;
        Ok(Reply::ok("logged in"))
    }

    async fn logout(auth: Auth) -> Answered {
        auth.logout().await?;
        Ok(Reply::ok("logged out"))
    }

    async fn start(bench: &Bench, migration: Migration) -> Server {
        let manager: SessionManager = with_migration(bench.builder(), migration);
        let routes = routes!["/view" => view, "/add" => add, "/login" => login, "/logout" => logout];
        serve_with(bench, manager, routes).await
    }

    async fn a_shadow_changes_nothing(bench: Bench) {
        let (log, old) = (Log::collect(), OldApp::default());
        let server = start(&bench, migration(&bench, &old).mode(MigrationMode::Shadow)).await;
        let (ada_browser, bob, odd) = (server.visitor(), server.visitor(), server.visitor());
        old.begin(&ada_browser, "s-1", ada());
        old.begin(&odd, "s-2", json!({"user_id": []}));
        bench.store.take();
        for (browser, outcome) in [(&ada_browser, "it would be taken over"), (&odd, "it cannot be converted")] {
            let answer = browser.get("/view").await;
            assert_eq!((&*answer.body, answer.cookies().len()), ("nobody []", 0));
            assert!(log.text().contains(&format!("outcome={outcome}")), "{outcome}: {}", log.text());
        }
        assert_eq!((bench.store.take().total(), bench.sessions()), (0, 0));
        bob.get("/login").await;
        old.begin(&bob, "s-3", json!({"user_id": "bob"}));
        assert_eq!(bob.get("/view").await.body, "bob []");
        assert!(log.text().contains("its user is that of the session"), "{}", log.text());
        bob.set_cookie(OLD, "s-1");
        bob.get("/view").await;
        assert!(log.text().contains("another one than that of the session"), "{}", log.text());
        bob.get("/logout").await;
        assert_eq!(old.values("s-1"), Some(ada()), "nothing of the other system ends");
        old.set_down(true);
        assert_eq!(ada_browser.get("/view").await.status, 200, "a shadow is in nobody's way");
        assert!(log.text().contains("its store does not answer"), "{}", log.text());
    }

    async fn each_change_is_written_for_the_other_system(bench: Bench) {
        let old = OldApp::default();
        let server = start(&bench, writing(&bench, &old)).await;
        let browser = server.visitor();
        old.begin(&browser, "s-1", ada());
        assert_eq!(browser.get("/view").await.body, "ada [1, 2]");
        assert_eq!((old.values("s-1"), old.written()), (Some(ada()), 0), "nothing has changed");
        bench.store.take();
        assert_eq!(browser.get("/add").await.body, "3");
        // Two more than without: the note says which session is written, and after the write it is seen that ours has not ended.
        let expected = Calls { load: 2, replace: 1, adoptions: 1, ..Calls::default() };
        assert_eq!(bench.store.take(), expected);
        let secret = "a secret of the old application";
        let expected = json!({"user_id": "ada", "items": [1, 2, 7], "csrf": secret});
        assert_eq!(old.values("s-1"), Some(expected), "and what is not ours stays");
        browser.get("/view").await;
        assert_eq!((old.written(), browser.cookie(OLD).as_deref()), (1, Some("s-1")));
        let thief = browser.fork();
        browser.get("/logout").await;
        assert_eq!((old.count(), browser.cookie_names()), (0, Vec::new()));
        assert_eq!(thief.get("/view").await.body, "nobody []");
    }

    async fn a_login_here_is_one_there(bench: Bench) {
        let old = OldApp::default();
        let server = start(&bench, writing(&bench, &old)).await;
        let browser = server.visitor();
        assert_eq!(browser.get("/login").await.body, "logged in");
        let id = browser.cookie(OLD).expect("the old application gets a session");
        assert_eq!(old.values(&id), Some(json!({"user_id": "bob", "items": []})));
        browser.get("/add").await;
        assert_eq!(old.values(&id), Some(json!({"user_id": "bob", "items": [7]})));
        assert_eq!(browser.cookie(OLD).as_deref(), Some(&*id));
        // It is ours, and not taken over a second time.
        let other = browser.fork();
        other.set_token("gone");
        assert_eq!((other.get("/view").await.body, bench.sessions()), ("bob [7]".to_owned(), 1));
        browser.get("/logout").await;
        assert_eq!((old.count(), other.get("/view").await.body), (0, "nobody []".to_owned()));
        assert!(server.visitor().get("/view").await.cookies().is_empty(), "a visitor has nothing to be written");
    }

    async fn a_signed_session_is_written(bench: Bench) {
        let until = bench.clock.now().saturating_add(std::time::Duration::from_secs(A_DAY));
        let cookie = ForeignCookie::new(SIGNED).secure(false);
        let migration = Migration::until(until)
            .from(SessionsInCookie::new("signed-app", cookie, signed_format()))
            .user(|session| session.user_id("user_id"))
            .take::<Cart>();
        let server = start(&bench, give(migration)).await;
        let browser = server.visitor();
        sign(&bench, &browser, json!({"user_id": "ada", "items": [1], "theirs": true}));
        let first = browser.fork();
        browser.get("/add").await;
        assert_eq!(signed(&bench, &browser), json!({"user_id": "ada", "items": [1, 7], "theirs": true}));
        let second = browser.fork();
        browser.get("/add").await;
        for copy in [&first, &second] {
            copy.set_token("gone");
            assert_eq!(copy.get("/view").await.body, "ada [1, 7, 7]", "each copy is the same session");
            copy.set_token("gone");
        }
        assert_eq!(bench.sessions(), 1);
        browser.get("/logout").await;
        for copy in [&first, &second] {
            assert_eq!(copy.get("/view").await.body, "nobody []");
        }
    }

    async fn nothing_of_one_user_is_left_to_another(bench: Bench) {
        let old = OldApp::default();
        let server = start(&bench, writing(&bench, &old)).await;
        let browser = server.visitor();
        old.begin(&browser, "s-1", ada());
        assert_eq!(browser.get("/view").await.body, "ada [1, 2]");
        assert_eq!(browser.get("/login").await.body, "logged in");
        let id = browser.cookie(OLD).expect("the old application has a session");
        assert_ne!(id, "s-1");
        assert_eq!((old.values("s-1"), old.values(&id)), (None, Some(json!({"user_id": "bob", "items": []}))));
        // What a visitor had goes with them when they log in, under another id.
        let visitor = server.visitor();
        old.begin(&visitor, "v-1", json!({"items": [4], "theme": "dark"}));
        assert_eq!(visitor.get("/view").await.body, "nobody [4]");
        visitor.get("/login").await;
        let id = visitor.cookie(OLD).expect("the old application has a session");
        let values = old.values(&id).expect("it is there");
        assert_eq!((&values["user_id"], &values["theme"], old.values("v-1")), (&json!("bob"), &json!("dark"), None));
    }

    async fn what_cannot_be_written_is_reported_and_ours_stands(bench: Bench) {
        let (log, old) = (Log::collect(), OldApp::default());
        let server = start(&bench, writing(&bench, &old)).await;
        let browser = server.visitor();
        old.begin(&browser, "s-1", ada());
        browser.get("/view").await;
        old.set_down(true);
        let answer = browser.get("/add").await;
        assert_eq!((answer.status, &*answer.body), (200, "3"));
        assert!(log.text().contains("foreign_not_written"), "{}", log.text());
        old.set_down(false);
        browser.get("/add").await;
        assert_eq!(old.values("s-1").expect("it is there")["items"], json!([1, 2, 7, 7]), "the next change tells all");
    }
}

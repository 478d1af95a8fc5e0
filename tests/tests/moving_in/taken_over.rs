//! Tests of what becomes of a session of another system.

use std::convert::Infallible;
use std::time::Duration;

use serde_json::json;
use sessionkit::testing::Calls;
use sessionkit::{SessionManager, SessionUser, UserLoader};
use sessionkit_tests::behaviour;
use sessionkit_tests::harness::{Bench, Log, Server};

use crate::old::{A_DAY, Cart, OLD, OldApp, SIGNED, ada, manager, migration, sign, with_migration};

/// The users that the application still has: one of them.
struct Users;

struct User;

impl SessionUser for User {}

impl UserLoader for Users {
    type User = User;
    type Error = Infallible;

    async fn load(&self, id: &str) -> Result<Option<User>, Infallible> {
        Ok((id == "ada").then_some(User))
    }
}

behaviour! {
    tests: [
        a_user_is_taken_over_under_a_fresh_token,
        row_16_a_signed_cookie_is_taken_over,
        a_cart_of_a_visitor_is_taken_over_and_nothing_is_not,
        a_visitor_who_logs_in_there_is_logged_in_here,
        a_visitor_whose_cookie_there_changes_at_a_login_is_logged_in_here,
        a_response_that_is_lost_is_given_again,
        a_session_of_ours_comes_first,
        a_login_that_was_taken_over_is_not_fresh,
        what_is_not_valid_is_nobody,
        what_cannot_be_converted_is_nobody,
        two_sessions_of_one_system_are_nobody,
        a_cookie_in_parts_is_put_together,
        a_user_who_is_gone_is_not_taken_over,
        nobody_is_anonymous_because_the_other_store_is_down,
        nothing_is_taken_over_after_the_last_day,
        what_was_taken_over_costs_nothing_from_then_on,
    ];

    type Answered = Result<Reply, SessionRejection>;

    async fn view(cart: Session<Cart>, auth: Auth) -> Answered {
        let user = auth.user_id().await?;
        Ok(Reply::ok(format!("{} {:?}", user.as_deref().unwrap_or("nobody"), cart.items)))
    }

    async fn add(mut cart: Session<Cart>) -> Reply {
        cart.items.push(7);
        Reply::ok(cart.items.len())
    }

    async fn login(auth: Auth) -> Answered {
        auth.login("bob").await?;
        Ok(Reply::ok("bob"))
    }

    #[session(require_fresh = "1h")]
    async fn sensitive() -> Reply {
        Reply::ok("sensitive")
    }

    #[session(require_login)]
    async fn guarded() -> Reply {
        Reply::ok("guarded")
    }

    async fn start_with(bench: &Bench, manager: SessionManager) -> Server {
        let routes = routes![
            "/view" => view, "/add" => add, "/login" => login, "/sensitive" => sensitive, "/guarded" => guarded,
        ];
        serve_with(bench, manager, routes).await
    }

    async fn start(bench: &Bench, old: &OldApp) -> Server {
        start_with(bench, manager(bench, old)).await
    }

    async fn a_user_is_taken_over_under_a_fresh_token(bench: Bench) {
        let (log, old) = (Log::collect(), OldApp::default());
        let server = start(&bench, &old).await;
        let browser = server.visitor();
        old.begin(&browser, "s-1", ada());
        // A guard is the first who asks.
        assert_eq!(browser.get("/guarded").await.body, "guarded");
        let answer = browser.get("/view").await;
        assert_eq!(answer.body, "ada [1, 2]");
        assert!(browser.token().is_some_and(|token| token.len() > 40));
        assert_eq!(browser.cookie(OLD).as_deref(), Some("s-1"), "the old application goes on");
        assert_eq!(old.values("s-1"), Some(ada()));
        assert_eq!(browser.get("/add").await.body, "3");
        assert_eq!((browser.get("/view").await.body, bench.sessions()), ("ada [1, 2, 7]".to_owned(), 1));
        assert!(log.text().contains("adopted") && log.text().contains("system=old-app"), "{}", log.text());
        assert!(!log.text().contains("a secret of the old application"));
    }

    async fn row_16_a_signed_cookie_is_taken_over(bench: Bench) {
        let old = OldApp::default();
        let server = start(&bench, &old).await;
        let browser = server.visitor();
        sign(&bench, &browser, json!({"user_id": 17, "items": [4]}));
        assert_eq!(browser.get("/view").await.body, "17 [4]");
        assert!(browser.token().is_some() && browser.cookie(SIGNED).is_some());
        assert_eq!(bench.sessions(), 1);
    }

    async fn a_cart_of_a_visitor_is_taken_over_and_nothing_is_not(bench: Bench) {
        let old = OldApp::default();
        let server = start(&bench, &old).await;
        let (visitor, empty) = (server.visitor(), server.visitor());
        old.begin(&visitor, "v-1", json!({"items": [9]}));
        old.begin(&empty, "v-2", json!({"seen": true}));
        assert_eq!(visitor.get("/view").await.body, "nobody [9]");
        bench.store.take();
        assert_eq!(empty.get("/view").await.body, "nobody []");
        let expected = Calls { adoptions: 1, ..Calls::default() };
        assert_eq!(bench.store.take(), expected, "it costs a look at the note");
        assert!(visitor.token().is_some() && empty.token().is_none());
        assert_eq!(bench.sessions(), 1);
        // What comes into it later is taken over.
        old.begin(&empty, "v-2", json!({"items": [3]}));
        assert_eq!(empty.get("/view").await.body, "nobody [3]");
    }

    async fn a_visitor_who_logs_in_there_is_logged_in_here(bench: Bench) {
        let old = OldApp::default();
        let servers = [start(&bench, &old).await, start(&bench, &old).await];
        let browser = servers[0].visitor();
        old.begin(&browser, "v-1", json!({"items": [9]}));
        assert_eq!(browser.get("/add").await.body, "2");
        bench.store.take();
        assert_eq!(browser.get("/view").await.body, "nobody [9, 7]");
        assert_eq!(bench.store.take(), Calls { load: 1, ..Calls::default() });
        let before = browser.fork();
        // The login is a page of the old application, which keeps the id.
        old.begin(&browser, "v-1", json!({"user_id": "ada", "items": [9]}));
        let tabs: Vec<_> = (0..6).map(|number| browser.fork().at(&servers[number % 2])).collect();
        let answers: Vec<_> = tabs.iter().map(|tab| tab.get_in_background("/guarded")).collect();
        for answer in answers {
            assert_eq!(answer.await.unwrap().body, "guarded");
        }
        for tab in &tabs {
            assert_eq!(tab.get("/view").await.body, "ada [9, 7]", "the cart is that of the visitor");
        }
        assert_eq!(bench.sessions(), 1);
        bench.clock.advance(Duration::from_secs(600));
        // What it was before does not open the login by itself.
        before.set_cookie(OLD, "gone");
        assert_eq!(before.get("/view").await.body, "nobody []");
    }

    async fn a_visitor_whose_cookie_there_changes_at_a_login_is_logged_in_here(bench: Bench) {
        let old = OldApp::default();
        let server = start(&bench, &old).await;
        let browser = server.visitor();
        sign(&bench, &browser, json!({"items": [9]}));
        assert_eq!(browser.get("/view").await.body, "nobody [9]");
        sign(&bench, &browser, json!({"user_id": "ada", "items": [9, 10]}));
        assert_eq!(browser.get("/view").await.body, "ada [9, 10]");
        assert_ne!(browser.get("/sensitive").await.status, 200);
    }

    async fn a_response_that_is_lost_is_given_again(bench: Bench) {
        let old = OldApp::default();
        let server = start(&bench, &old).await;
        let browser = server.visitor();
        old.begin(&browser, "s-1", ada());
        let lost = browser.fork();
        assert_eq!(lost.get("/add").await.body, "3");
        assert_eq!(browser.get("/view").await.body, "ada [1, 2, 7]");
        assert_eq!((browser.token(), bench.sessions()), (lost.token(), 1));
    }

    async fn a_session_of_ours_comes_first(bench: Bench) {
        let old = OldApp::default();
        let server = start(&bench, &old).await;
        let browser = server.visitor();
        assert_eq!(browser.get("/login").await.body, "bob");
        old.begin(&browser, "s-1", ada());
        bench.store.take();
        assert_eq!(browser.get("/view").await.body, "bob []");
        assert_eq!(bench.store.take(), Calls { load: 1, ..Calls::default() });
    }

    async fn a_login_that_was_taken_over_is_not_fresh(bench: Bench) {
        let old = OldApp::default();
        let server = start(&bench, &old).await;
        let browser = server.visitor();
        old.begin(&browser, "s-1", ada());
        assert_eq!(browser.get("/guarded").await.status, 200);
        assert_ne!(browser.get("/sensitive").await.status, 200);
        assert_eq!(browser.get("/login").await.status, 200);
        assert_eq!(browser.get("/sensitive").await.status, 200);
    }

    async fn what_is_not_valid_is_nobody(bench: Bench) {
        let (log, old) = (Log::collect(), OldApp::default());
        let server = start(&bench, &old).await;
        let long = "x".repeat(7_000);
        for (name, value) in [(OLD, "forged"), (OLD, "gone"), (SIGNED, "x.y.z"), (SIGNED, ""), (SIGNED, &*long)] {
            let browser = server.visitor();
            browser.set_cookie(name, value);
            let answer = browser.get("/view").await;
            assert_eq!((answer.status, &*answer.body, answer.cookies().len()), (200, "nobody []", 0), "{name}={value}");
            assert_ne!(browser.get("/guarded").await.status, 200);
        }
        for reason in ["not valid", "ended"] {
            assert!(log.text().contains(&format!("reason={reason}")), "{reason}: {}", log.text());
        }
        assert_eq!(bench.sessions(), 0);
    }

    async fn what_cannot_be_converted_is_nobody(bench: Bench) {
        let (log, old) = (Log::collect(), OldApp::default());
        let server = start(&bench, &old).await;
        for values in [
            json!({"user_id": "ada", "items": "one"}),
            json!({"user_id": "ada", "items": [1.5]}),
            json!({"user_id": ["hunter2"], "items": []}),
            json!({"user_id": "", "items": []}),
            json!({"user_id": true}),
        ] {
            let browser = server.visitor();
            old.begin(&browser, "s-1", values.clone());
            let answer = browser.get("/view").await;
            assert_eq!((answer.status, &*answer.body), (200, "nobody []"), "{values}");
            // The visitor can log in, and goes on with that.
            assert_eq!(browser.get("/login").await.body, "bob");
            assert_eq!(browser.get("/view").await.body, "bob []");
        }
        let text = log.text();
        assert!(text.contains("the value `items` is not a") && text.contains("`user_id` is not the id"), "{text}");
        assert!(!text.contains("hunter2"), "{text}");
    }

    async fn two_sessions_of_one_system_are_nobody(bench: Bench) {
        let old = OldApp::default();
        let server = start(&bench, &old).await;
        let browser = server.visitor();
        old.begin(&browser, "s-1", ada());
        old.begin(&browser, "s-2", json!({"user_id": "eve"}));
        for header in ["old=s-1; old=s-2", "old=s-2; old=s-1"] {
            let answer = server.visitor().send(reqwest::Method::GET, "/view", &[("cookie", header.as_bytes())], "").await;
            assert_eq!(answer.body, "nobody []");
        }
        let header: (&str, &[u8]) = ("cookie", b"old=s-1; old=\"s-1\"; old=gone");
        let answer = server.visitor().send(reqwest::Method::GET, "/view", &[header], "").await;
        assert_eq!(answer.body, "ada [1, 2]");
    }

    async fn a_cookie_in_parts_is_put_together(bench: Bench) {
        let old = OldApp::default();
        let server = start(&bench, &old).await;
        let browser = server.visitor();
        old.begin(&browser, "session-1", ada());
        let with = |header: &'static str| {
            let visitor = server.visitor();
            async move { visitor.send(reqwest::Method::GET, "/view", &[("cookie", header.as_bytes())], "").await.body }
        };
        for (header, shown) in [
            ("old.0=sess; old.1=ion; old.2=-1", "ada [1, 2]"),
            ("old.2=-1; old.1=ion; old.0=sess", "ada [1, 2]"),
            ("old=session-1; old.0=sess; old.1=ion", "ada [1, 2]"),
            ("old.0=sess; old.2=-1", "nobody []"),
            ("old.1=session-1", "nobody []"),
            ("old.0=sess; old.0=ses; old.1=ion-1", "nobody []"),
        ] {
            assert_eq!(with(header).await, shown, "{header}");
        }
        assert_eq!(bench.sessions(), 1);
    }

    async fn a_user_who_is_gone_is_not_taken_over(bench: Bench) {
        let (log, old) = (Log::collect(), OldApp::default());
        let manager = with_migration(bench.builder().user_loader(Users), migration(&bench, &old));
        let server = start_with(&bench, manager).await;
        let (ada_browser, eve) = (server.visitor(), server.visitor());
        old.begin(&ada_browser, "s-1", ada());
        old.begin(&eve, "s-2", json!({"user_id": "eve"}));
        assert_eq!(ada_browser.get("/view").await.body, "ada [1, 2]");
        assert_eq!(eve.get("/view").await.body, "nobody []");
        assert!(log.text().contains("there is no such user"), "{}", log.text());
        assert_eq!(bench.sessions(), 1);
    }

    async fn nobody_is_anonymous_because_the_other_store_is_down(bench: Bench) {
        let old = OldApp::default();
        let server = start(&bench, &old).await;
        let (browser, moved) = (server.visitor(), server.visitor());
        old.begin(&browser, "s-1", ada());
        old.begin(&moved, "s-2", ada());
        assert_eq!(moved.get("/view").await.body, "ada [1, 2]");
        old.set_down(true);
        let answer = browser.get("/view").await;
        assert_eq!((answer.status, answer.cookies().len()), (503, 0), "{answer:?}");
        assert_eq!(moved.get("/view").await.body, "ada [1, 2]", "who has moved does not need it");
        assert_eq!(server.visitor().get("/view").await.body, "nobody []");
        let who_logs_in = browser.fork();
        assert_eq!(who_logs_in.get("/login").await.body, "bob", "that needs nobody else");
        assert_eq!(who_logs_in.get("/view").await.body, "bob []");
        old.set_down(false);
        assert_eq!(browser.get("/view").await.body, "ada [1, 2]");
    }

    async fn nothing_is_taken_over_after_the_last_day(bench: Bench) {
        let old = OldApp::default();
        let server = start(&bench, &old).await;
        let browser = server.visitor();
        old.begin(&browser, "s-1", ada());
        bench.clock.advance(Duration::from_secs(30 * A_DAY));
        old.set_down(true);
        bench.store.take();
        assert_eq!(browser.get("/view").await.body, "nobody []");
        assert_eq!(bench.store.take(), Calls::default());
    }

    async fn what_was_taken_over_costs_nothing_from_then_on(bench: Bench) {
        let old = OldApp::default();
        let server = start(&bench, &old).await;
        let browser = server.visitor();
        old.begin(&browser, "s-1", ada());
        bench.store.take();
        browser.get("/view").await;
        let calls = bench.store.take();
        // The note is read, claimed, read, finished and read again; what was ended with all is looked up before and after.
        assert_eq!((calls.adoptions, calls.insert, calls.replace, calls.load), (9, 1, 1, 1), "{calls:?}");
        old.set_down(true);
        browser.get("/view").await;
        assert_eq!(bench.store.take(), Calls { load: 1, ..Calls::default() });
    }
}

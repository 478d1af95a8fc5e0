//! Attacks on sessions that are being taken over: what is lost, late, too large, or panics on the way.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::json;
use sessionkit::migration::{ForeignError, ForeignSession, MigrationMode};
use sessionkit::testing::ManualClock;
use sessionkit::{OnMaxDevices, SessionData, SessionManager};
use sessionkit_tests::both_frameworks;
use sessionkit_tests::harness::{Bench, HeldStore, Log, Server};

use crate::old::{A_DAY, Cart, OldApp, ada, manager, migration, sign, with_migration};
use crate::unlucky::{Mishap, SilentStore, UnluckyStore};

/// A struct whose conversion panics.
#[derive(SessionData)]
struct Panicking {
    seen: bool,
}

impl TryFrom<&ForeignSession> for Panicking {
    type Error = ForeignError;

    fn try_from(session: &ForeignSession) -> Result<Self, ForeignError> {
        assert!(!session.values.contains_key("panic"), "a mistake of the application");
        Ok(Self { seen: true })
    }
}

both_frameworks! {
    tests: [
        a_panic_in_a_conversion_is_nobodys_session,
        a_panic_in_a_conversion_is_in_nobodys_way_in_a_shadow,
        what_does_not_fit_into_a_record_is_nobody_and_leaves_nothing,
        a_user_with_too_many_devices_is_nobody,
        a_request_that_is_overtaken_by_a_login_does_not_take_its_cookie,
        whose_note_has_no_answer_stays_logged_in,
        one_mishap_neither_doubles_nor_loses_a_session,
        one_mishap_at_the_login_of_a_visitor_loses_nobody,
        a_claim_of_a_clock_that_is_ahead_lapses,
        an_end_of_all_by_a_clock_that_is_behind_takes_nothing_back,
        a_route_without_a_session_leaves_the_old_one_to_be_taken_over,
        an_old_session_of_another_user_by_now_does_not_open_that_of_the_first,
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
        Ok(Reply::ok("logged in"))
    }

    async fn logout(auth: Auth) -> Answered {
        auth.logout().await?;
        Ok(Reply::ok("logged out"))
    }

    async fn plain() -> Reply {
        Reply::ok("plain")
    }

    async fn start(bench: &Bench, manager: SessionManager) -> Server {
        let routes = routes![
            "/view" => view, "/add" => add, "/login" => login, "/logout" => logout,
            "/plain" => plain,
        ];
        serve_with(bench, manager, routes).await
    }

    async fn a_panic_in_a_conversion_is_nobodys_session() {
        let (bench, log, old) = (Bench::memory(), Log::collect(), OldApp::default());
        let migration = migration(&bench, &old).take::<Panicking>();
        let server = start(&bench, with_migration(bench.builder(), migration)).await;
        let browser = server.visitor();
        old.begin(&browser, "s-1", json!({"user_id": "ada", "panic": "hunter2"}));
        let answer = browser.get("/view").await;
        assert_eq!((answer.status, &*answer.body), (200, "nobody []"), "{answer:?}");
        assert!(log.text().contains("not_adopted"), "{}", log.text());
        assert_eq!(browser.get("/login").await.body, "logged in");
        assert_eq!(browser.get("/view").await.body, "bob []");
    }

    async fn a_panic_in_a_conversion_is_in_nobodys_way_in_a_shadow() {
        let (bench, log, old) = (Bench::memory(), Log::collect(), OldApp::default());
        let migration = migration(&bench, &old).take::<Panicking>().mode(MigrationMode::Shadow);
        let server = start(&bench, with_migration(bench.builder(), migration)).await;
        let browser = server.visitor();
        old.begin(&browser, "s-1", json!({"user_id": "ada", "panic": true}));
        let answer = browser.try_send(reqwest::Method::GET, "/view", &[], "").await;
        assert_eq!(answer.map(|answer| answer.status).ok(), Some(200));
        assert!(log.text().contains("outcome=it cannot be converted"), "{}", log.text());
    }

    async fn what_does_not_fit_into_a_record_is_nobody_and_leaves_nothing() {
        let bench = Bench::memory()
            .with_config(|config| config.track_devices(true).max_devices(1).max_record_size(2_000));
        let (log, old) = (Log::collect(), OldApp::default());
        let server = start(&bench, manager(&bench, &old)).await;
        let desk = server.visitor();
        old.begin(&desk, "s-0", ada());
        assert_eq!(desk.get("/view").await.body, "ada [1, 2]");
        for user in [json!("ada"), json!(null)] {
            let browser = server.visitor();
            old.begin(&browser, "s-1", json!({"user_id": user, "items": vec![1_000_000_000; 1_000]}));
            for _ in 0..3 {
                let answer = browser.get("/view").await;
                assert_eq!((answer.status, &*answer.body), (200, "nobody []"), "{answer:?}");
            }
            assert_eq!((bench.sessions(), bench.listed("ada").await.len()), (1, 1), "{user}");
            assert_eq!(desk.get("/view").await.body, "ada [1, 2]", "nobody takes its place");
            assert!(log.text().contains("max_record_size"), "{}", log.text());
            assert_eq!(browser.get("/login").await.body, "logged in");
            browser.get("/logout").await;
        }
    }

    async fn a_user_with_too_many_devices_is_nobody() {
        let bench = Bench::memory().with_config(|config| {
            config.track_devices(true).max_devices(1).on_max_devices(OnMaxDevices::Reject)
        });
        let old = OldApp::default();
        let server = start(&bench, manager(&bench, &old)).await;
        let (desk, phone) = (server.visitor(), server.visitor());
        old.begin(&desk, "s-1", ada());
        old.begin(&phone, "s-2", ada());
        assert_eq!(desk.get("/view").await.body, "ada [1, 2]");
        let answer = phone.get("/view").await;
        assert_eq!((answer.status, &*answer.body), (200, "nobody []"), "{answer:?}");
        assert_eq!(phone.get("/login").await.body, "logged in", "as another one");
        phone.get("/logout").await;
        assert_eq!((bench.sessions(), bench.listed("ada").await.len()), (1, 1));
    }

    async fn a_request_that_is_overtaken_by_a_login_does_not_take_its_cookie() {
        let (bench, old) = (Bench::memory(), OldApp::default());
        let server = start(&bench, manager(&bench, &old)).await;
        let browser = server.visitor();
        old.begin(&browser, "v-1", json!({"items": [4]}));
        // It was sent before the browser had any other cookie, and comes in late.
        let late = browser.fork();
        assert_eq!(browser.get("/view").await.body, "nobody [4]");
        assert_eq!(browser.get("/login").await.body, "logged in");
        let answer = late.get("/add").await;
        assert_eq!((answer.status, answer.cookies().len()), (200, 0), "{answer:?}");
        assert_eq!(bench.sessions(), 1);
    }

    async fn whose_note_has_no_answer_stays_logged_in() {
        let deadline = Duration::from_millis(200);
        let bench = Bench::memory().with_config(|config| config.track_devices(true).commit_deadline(deadline));
        let (old, is_silent) = (OldApp::default(), Arc::new(AtomicBool::new(true)));
        let store = SilentStore { store: bench.store.clone(), is_silent: is_silent.clone() };
        let server = start(&bench, with_migration(bench.builder_over(store), migration(&bench, &old))).await;
        let browser = server.visitor();
        old.begin(&browser, "s-1", ada());
        browser.get("/view").await;
        is_silent.store(false, Ordering::SeqCst);
        bench.clock.advance(Duration::from_secs(60));
        assert_eq!(browser.get("/view").await.body, "ada [1, 2]");
        assert_eq!((bench.sessions(), bench.listed("ada").await.len()), (1, 1));
    }

    async fn one_mishap_neither_doubles_nor_loses_a_session() {
        for mishap in [Mishap::NotSent, Mishap::AnswerLost] {
            for calls_before in 0.. {
                let bench = Bench::memory().with_config(|config| config.track_devices(true));
                let (old, store) = (OldApp::default(), UnluckyStore::new(bench.store.clone()));
                let manager = with_migration(bench.builder_over(store.clone()), migration(&bench, &old));
                let server = start(&bench, manager.clone()).await;
                let browser = server.visitor();
                old.begin(&browser, "s-1", ada());
                store.expect(calls_before, mishap);
                let answer = browser.get("/view").await;
                if !store.has_come() {
                    assert!(calls_before > 10, "{calls_before}");
                    break;
                }
                assert!(matches!(answer.status, 200 | 503), "{mishap:?} {calls_before}: {answer:?}");
                assert_ne!(answer.body, "nobody []", "{mishap:?} {calls_before}");
                manager.drain().await;
                bench.clock.advance(Duration::from_secs(60));
                assert_eq!(browser.get("/view").await.body, "ada [1, 2]", "{mishap:?} {calls_before}");
                let count = (bench.sessions(), bench.listed("ada").await.len());
                assert_eq!(count, (1, 1), "{mishap:?} {calls_before}");
            }
        }
    }

    async fn one_mishap_at_the_login_of_a_visitor_loses_nobody() {
        for mishap in [Mishap::NotSent, Mishap::AnswerLost] {
            for calls_before in 0.. {
                let bench = Bench::memory().with_config(|config| config.track_devices(true));
                let (old, store) = (OldApp::default(), UnluckyStore::new(bench.store.clone()));
                let manager = with_migration(bench.builder_over(store.clone()), migration(&bench, &old));
                let server = start(&bench, manager.clone()).await;
                let browser = server.visitor();
                old.begin(&browser, "v-1", json!({"items": [1, 2]}));
                assert_eq!(browser.get("/view").await.body, "nobody [1, 2]");
                old.begin(&browser, "v-1", ada());
                store.expect(calls_before, mishap);
                let answer = browser.get("/view").await;
                if !store.has_come() {
                    assert!(calls_before > 10, "{calls_before}");
                    break;
                }
                assert!(matches!(answer.status, 200 | 503), "{mishap:?} {calls_before}: {answer:?}");
                manager.drain().await;
                bench.clock.advance(Duration::from_secs(60));
                let answer = browser.get("/view").await;
                assert_eq!(answer.body, "ada [1, 2]", "{mishap:?} {calls_before}");
            }
        }
    }

    async fn a_claim_of_a_clock_that_is_ahead_lapses() {
        let (bench, old) = (Bench::memory().with_config(|config| config.commit_deadline(Duration::from_millis(200))), OldApp::default());
        let (held, ahead) = (HeldStore::new(bench.store.clone(), &bench.gates), ManualClock::new());
        ahead.advance(Duration::from_secs(A_DAY));
        let builder = bench.builder_over(held.clone()).clock(ahead);
        let first = start(&bench, with_migration(builder, migration(&bench, &old))).await;
        let second = start(&bench, manager(&bench, &old)).await;
        let browser = first.visitor();
        old.begin(&browser, "s-1", ada());
        held.hold("before insert");
        let (slow, next) = (browser.fork(), browser.fork().at(&second));
        let answer = slow.get_in_background("/view");
        bench.gates.arrived("before insert", 1).await;
        // The first server is gone. For as long as a claim holds, others wait.
        bench.clock.advance(Duration::from_secs(60));
        assert_eq!(next.get("/view").await.body, "ada [1, 2]");
        held.release("before insert");
        bench.gates.open("before insert", 8);
        assert_ne!(answer.await.unwrap().body, "nobody []");
        assert_eq!(bench.sessions(), 1);
    }

    async fn an_end_of_all_by_a_clock_that_is_behind_takes_nothing_back() {
        let bench = Bench::memory().with_config(|config| config.track_devices(true));
        let (old, behind) = (OldApp::default(), ManualClock::new());
        bench.clock.advance(Duration::from_secs(A_DAY));
        let server = start(&bench, manager(&bench, &old)).await;
        let browser = server.visitor();
        sign(&bench, &browser, ada());
        manager(&bench, &old).devices_of("ada").end_all().await.unwrap();
        let other = with_migration(bench.builder().clock(behind), migration(&bench, &old));
        other.devices_of("ada").end_all().await.unwrap();
        assert_eq!(browser.get("/view").await.body, "nobody []");
    }

    async fn a_route_without_a_session_leaves_the_old_one_to_be_taken_over() {
        let (bench, old) = (Bench::memory().with_config(|config| config.save_uninitialized(true)), OldApp::default());
        let server = start(&bench, manager(&bench, &old)).await;
        let browser = server.visitor();
        old.begin(&browser, "s-1", ada());
        assert_eq!(browser.get("/plain").await.body, "plain");
        assert_eq!(browser.get("/view").await.body, "ada [1, 2]");
    }

    async fn an_old_session_of_another_user_by_now_does_not_open_that_of_the_first() {
        let (bench, log, old) = (Bench::memory(), Log::collect(), OldApp::default());
        let server = start(&bench, manager(&bench, &old)).await;
        let browser = server.visitor();
        old.begin(&browser, "s-1", ada());
        let next = browser.fork();
        assert_eq!(browser.get("/view").await.body, "ada [1, 2]");
        // Who logs out and in there may keep the id.
        old.begin(&next, "s-1", json!({"user_id": "eve"}));
        assert_eq!(next.get("/view").await.body, "nobody []");
        assert!(log.text().contains("its user is another one"), "{}", log.text());
        assert_eq!(browser.get("/view").await.body, "ada [1, 2]");
    }
}

//! Attacks on the ends of sessions that two systems know, and on what is written for the other one.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::json;
use sessionkit::migration::{ForeignCookie, ForeignError, ForeignSession, ForeignSessions, Migration, MigrationMode};
use sessionkit::{Clock as _, SessionData, SessionManager, Timestamp};
use sessionkit_tests::both_frameworks;
use sessionkit_tests::harness::{Bench, Gates, Log, Server};

use crate::old::{A_DAY, Cart, OLD, OldApp, OldSessions, SIGNED, ada, manager, migration, sign, with_migration};
use crate::unlucky::{Mishap, SilentStore, UnluckyStore};

/// A struct that the other system does not know.
#[derive(SessionData)]
struct Theme {
    dark: bool,
}

/// The reader of the application before this one, whose calls wait where a test says so.
struct HeldSessions {
    sessions: OldSessions,
    gates: Gates,
    holds_writes: Arc<AtomicBool>,
}

impl ForeignSessions for HeldSessions {
    fn system(&self) -> &'static str {
        self.sessions.system()
    }

    fn cookie(&self) -> &ForeignCookie {
        self.sessions.cookie()
    }

    async fn open(&self, cookie: &str, now: Timestamp) -> Result<ForeignSession, ForeignError> {
        self.sessions.open(cookie, now).await
    }

    async fn end(&self, session: &ForeignSession) -> Result<(), ForeignError> {
        self.sessions.end(session).await
    }

    fn writes(&self) -> bool {
        true
    }

    async fn write(&self, session: &ForeignSession, now: Timestamp) -> Result<String, ForeignError> {
        if self.holds_writes.load(Ordering::SeqCst) {
            self.gates.pass("write").await;
        }
        self.sessions.write(session, now).await
    }
}

fn writing(migration: Migration) -> Migration {
    migration
        .mode(MigrationMode::DualWrite)
        .write_user(|user, session: &mut ForeignSession| {
            match user {
                Some(user) => session.values.insert("user_id".into(), user.into()),
                None => session.values.remove("user_id"),
            };
        })
        .write(|cart: &Cart, session| {
            assert!(cart.items.len() < 10, "a mistake of the application");
            if !cart.items.is_empty() {
                session.values.insert("items".into(), json!(cart.items));
            }
        })
}

fn held_writes(bench: &Bench, old: &OldApp) -> (Migration, Arc<AtomicBool>) {
    let holds_writes = Arc::new(AtomicBool::new(false));
    let sessions = OldSessions::new(old.clone());
    let sessions = HeldSessions { sessions, gates: bench.gates.clone(), holds_writes: holds_writes.clone() };
    let until = bench.clock.now().saturating_add(Duration::from_secs(30 * A_DAY));
    let migration = Migration::until(until).from(sessions).user(|session| session.user_id("user_id"));
    (writing(migration.take::<Cart>()), holds_writes)
}

both_frameworks! {
    tests: [
        a_panic_in_a_write_is_reported_and_ours_stands,
        a_logout_while_the_session_is_written_ends_both,
        a_logout_while_a_new_session_is_written_ends_both,
        a_logout_that_keeps_something_removes_the_old_cookie,
        an_end_of_all_devices_ends_the_old_session_of_this_one,
        a_logout_ends_the_old_session_though_the_note_cannot_be_written,
        a_logout_that_is_acknowledged_holds,
        both_systems_have_one_user_after_a_mishap_at_a_login,
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

    async fn fill(mut cart: Session<Cart>) -> Reply {
        cart.items.extend([0; 20]);
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

    async fn logout_keeping(auth: Auth) -> Answered {
        auth.logout().keep::<Theme>().await?;
        Ok(Reply::ok("logged out"))
    }

    async fn note(mut theme: Session<Theme>) -> Reply {
        theme.dark = true;
        Reply::ok("noted")
    }

    async fn end_all(auth: Auth) -> Answered {
        auth.devices().end_all().await?;
        Ok(Reply::ok("ended"))
    }

    async fn start(bench: &Bench, manager: SessionManager) -> Server {
        let routes = routes![
            "/view" => view, "/add" => add, "/fill" => fill, "/login" => login, "/logout" => logout, "/note" => note,
            "/logout-keeping" => logout_keeping, "/end-all" => end_all,
        ];
        serve_with(bench, manager, routes).await
    }

    async fn a_panic_in_a_write_is_reported_and_ours_stands() {
        let (bench, log, old) = (Bench::memory(), Log::collect(), OldApp::default());
        let migration = writing(migration(&bench, &old));
        let server = start(&bench, with_migration(bench.builder(), migration)).await;
        let browser = server.visitor();
        old.begin(&browser, "s-1", ada());
        let answer = browser.get("/fill").await;
        assert_eq!((answer.status, &*answer.body), (200, "22"), "{answer:?}");
        assert!(log.text().contains("foreign_not_written"), "{}", log.text());
    }

    async fn a_logout_while_the_session_is_written_ends_both() {
        let (bench, old) = (Bench::memory(), OldApp::default());
        let (migration, holds_writes) = held_writes(&bench, &old);
        let server = start(&bench, with_migration(bench.builder(), migration)).await;
        let browser = server.visitor();
        old.begin(&browser, "s-1", ada());
        browser.get("/view").await;
        holds_writes.store(true, Ordering::SeqCst);
        let (slow, tab) = (browser.fork(), browser.fork());
        let answer = slow.get_in_background("/add");
        bench.gates.arrived("write", 1).await;
        assert_eq!(tab.get("/logout").await.body, "logged out");
        bench.gates.open("write", 1);
        assert_eq!(answer.await.unwrap().status, 200);
        assert_eq!(old.count(), 0, "it does not come back");
    }

    async fn a_logout_while_a_new_session_is_written_ends_both() {
        let (bench, old) = (Bench::memory(), OldApp::default());
        let (migration, holds_writes) = held_writes(&bench, &old);
        let server = start(&bench, with_migration(bench.builder(), migration)).await;
        let browser = server.visitor();
        old.set_down(true);
        browser.get("/login").await;
        old.set_down(false);
        assert_eq!(browser.cookie(OLD), None);
        holds_writes.store(true, Ordering::SeqCst);
        let (slow, tab) = (browser.fork(), browser.fork());
        let answer = slow.get_in_background("/add");
        bench.gates.arrived("write", 1).await;
        assert_eq!(tab.get("/logout").await.body, "logged out");
        bench.gates.open("write", 1);
        answer.await.unwrap();
        assert_eq!((old.count(), slow.cookie(OLD)), (0, None), "nobody is logged in there");
    }

    async fn a_logout_that_keeps_something_removes_the_old_cookie() {
        let (bench, old) = (Bench::memory(), OldApp::default());
        let server = start(&bench, with_migration(bench.builder(), writing(migration(&bench, &old)))).await;
        let browser = server.visitor();
        sign(&bench, &browser, json!({"user_id": "ada"}));
        browser.get("/view").await;
        assert_eq!(browser.get("/note").await.body, "noted");
        assert_eq!(browser.get("/logout-keeping").await.body, "logged out");
        assert_eq!(browser.cookie(SIGNED), None, "it would go on there");
    }

    async fn an_end_of_all_devices_ends_the_old_session_of_this_one() {
        let bench = Bench::memory().with_config(|config| config.track_devices(true));
        let old = OldApp::default();
        let server = start(&bench, manager(&bench, &old)).await;
        let browser = server.visitor();
        old.begin(&browser, "s-1", ada());
        browser.get("/view").await;
        assert_eq!(browser.get("/end-all").await.body, "ended");
        assert_eq!((old.count(), browser.cookie_names()), (0, Vec::<String>::new()), "as a logout does");
    }

    async fn a_logout_ends_the_old_session_though_the_note_cannot_be_written() {
        let deadline = Duration::from_millis(200);
        let bench = Bench::memory().with_config(|config| config.commit_deadline(deadline));
        let (old, is_silent) = (OldApp::default(), Arc::new(AtomicBool::new(false)));
        let store = SilentStore { store: bench.store.clone(), is_silent: is_silent.clone() };
        let server = start(&bench, with_migration(bench.builder_over(store), migration(&bench, &old))).await;
        let browser = server.visitor();
        old.begin(&browser, "s-1", ada());
        browser.get("/view").await;
        is_silent.store(true, Ordering::SeqCst);
        assert_eq!(browser.get("/logout").await.status, 503);
        assert_eq!(old.count(), 0, "its cookie is gone, and nobody else can end it");
    }

    async fn a_logout_that_is_acknowledged_holds() {
        for mishap in [Mishap::NotSent, Mishap::AnswerLost] {
            for calls_before in 0.. {
                let bench = Bench::memory().with_config(|config| config.track_devices(true));
                let (old, store) = (OldApp::default(), UnluckyStore::new(bench.store.clone()));
                let manager = with_migration(bench.builder_over(store.clone()), migration(&bench, &old));
                let server = start(&bench, manager.clone()).await;
                let browser = server.visitor();
                old.begin(&browser, "s-1", ada());
                sign(&bench, &browser, ada());
                let thief = browser.fork();
                store.expect(calls_before, mishap);
                let answer = browser.get("/logout").await;
                if !store.has_come() {
                    assert!(calls_before > 10, "{calls_before}");
                    break;
                }
                manager.drain().await;
                bench.clock.advance(Duration::from_secs(60));
                if answer.status == 200 {
                    assert_eq!(thief.get("/view").await.body, "nobody []", "{mishap:?} {calls_before}");
                    assert_eq!((bench.sessions(), old.count()), (0, 0), "{mishap:?} {calls_before}");
                } else if browser.cookie(OLD).is_some() {
                    assert_eq!(browser.get("/logout").await.body, "logged out", "{mishap:?} {calls_before}");
                    assert_eq!(thief.get("/view").await.body, "nobody []", "{mishap:?} {calls_before}");
                } else {
                    assert_eq!(old.count(), 0, "{mishap:?} {calls_before}");
                }
            }
        }
    }

    async fn both_systems_have_one_user_after_a_mishap_at_a_login() {
        for mishap in [Mishap::NotSent, Mishap::AnswerLost] {
            for calls_before in 0.. {
                let bench = Bench::memory().with_config(|config| config.track_devices(true));
                let (old, store) = (OldApp::default(), UnluckyStore::new(bench.store.clone()));
                let migration = writing(migration(&bench, &old));
                let manager = with_migration(bench.builder_over(store.clone()), migration);
                let server = start(&bench, manager.clone()).await;
                let browser = server.visitor();
                old.begin(&browser, "s-1", ada());
                browser.get("/view").await;
                store.expect(calls_before, mishap);
                browser.get("/login").await;
                if !store.has_come() {
                    assert!(calls_before > 5, "{calls_before}");
                    break;
                }
                manager.drain().await;
                bench.clock.advance(Duration::from_secs(60));
                browser.get("/add").await;
                let shown = browser.get("/view").await.body;
                let id = browser.cookie(OLD).expect("it is there");
                let user = old.values(&id).map(|values| values["user_id"].as_str().unwrap_or("nobody").to_owned());
                let user = user.as_deref().unwrap_or("nobody");
                assert!(shown.starts_with(user), "{mishap:?} {calls_before}: {shown}, and there {user}");
            }
        }
    }
}

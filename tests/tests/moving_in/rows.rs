//! Tests of the systems from which people move, by their rows: a session of each becomes one of ours, and ends with it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use serde_json::{Value, json};
use sessionkit::formats::{AuthenticatedFormat, CookieContent, Muffin, Secrets, Starlette};
use sessionkit::migration::{
    FastapiSession, FastapiSessions, ForeignCookie, ForeignError, ForeignRecords, ForeignSession, ForeignSessions,
    ForeignTable, IdInCookie, Migration, SessionsInCookie, TokenRow, TokenTable,
};
use sessionkit::{AuditEntry, AuditLog, AuditSink, Clock as _, SessionManager};
use sessionkit_tests::both_frameworks;
use sessionkit_tests::harness::{Bench, Log, Server};

use crate::old::{A_DAY, Cart, ada, with_migration};

/// The store of the other system: records by their keys, or rows.
#[derive(Clone)]
struct Theirs<T>(Arc<Mutex<HashMap<String, T>>>);

impl<T> Default for Theirs<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<T> Theirs<T> {
    fn all(&self) -> MutexGuard<'_, HashMap<String, T>> {
        self.0.lock().expect("no holder panics")
    }
}

impl ForeignRecords for Theirs<Vec<u8>> {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, ForeignError> {
        Ok(self.all().get(key).cloned())
    }

    async fn set(&self, key: &str, record: Vec<u8>, _: Duration) -> Result<(), ForeignError> {
        self.all().insert(key.to_owned(), record);
        Ok(())
    }

    async fn remove(&self, key: &str) -> Result<(), ForeignError> {
        self.all().remove(key);
        Ok(())
    }
}

impl ForeignTable for Theirs<TokenRow> {
    type Row = TokenRow;

    async fn find(&self, key: &str) -> Result<Option<TokenRow>, ForeignError> {
        Ok(self.all().get(key).cloned())
    }

    async fn remove(&self, key: &str) -> Result<(), ForeignError> {
        self.all().remove(key);
        Ok(())
    }

    fn saves(&self) -> bool {
        true
    }

    async fn save(&self, key: &str, row: TokenRow) -> Result<(), ForeignError> {
        self.all().insert(key.to_owned(), row);
        Ok(())
    }
}

/// The name of an event in an audit trail, and its user.
type Audited = (&'static str, Option<String>);

/// The events that an audit trail holds.
#[derive(Clone, Default)]
struct Trail(Arc<Mutex<Vec<Audited>>>);

impl AuditLog for Trail {
    type Error = String;

    async fn append(&self, entries: &[AuditEntry]) -> Result<(), String> {
        let events = entries.iter().map(|entry| (entry.event, entry.user_id.as_deref().map(str::to_owned)));
        self.0.lock().expect("no holder panics").extend(events);
        Ok(())
    }
}

fn secrets() -> Secrets {
    Secrets::new(["k3Jd9vQ2xW7pL5mN8rT1yB6cF4hG0sAz"]).expect("it is random")
}

fn cookie(name: &'static str) -> ForeignCookie {
    ForeignCookie::new(name).secure(false)
}

/// Writes a session as the other system would, and returns its cookie.
async fn begin(bench: &Bench, sessions: &impl ForeignSessions, values: Value) -> String {
    let session = ForeignSession::new("", values.as_object().expect("an object").clone());
    sessions.write(&session, bench.clock.now()).await.expect("it can be written")
}

/// Writes a session that lies in its cookie.
fn sign(bench: &Bench, format: &impl AuthenticatedFormat, values: Value) -> String {
    let content = CookieContent::new(values.as_object().expect("an object").clone());
    format.write(&content, bench.clock.now()).expect("it can be written")
}

fn manager_of(bench: &Bench, sessions: impl ForeignSessions, user_key: &'static str) -> SessionManager {
    let until = bench.clock.now().saturating_add(Duration::from_secs(A_DAY));
    let migration = Migration::until(until).from(sessions).user(|session| session.user_id(user_key)).take::<Cart>();
    with_migration(bench.builder(), migration)
}

both_frameworks! {
    tests: [
        row_01_a_session_of_sessionkit_for_fastapi_is_taken_over,
        row_02_a_session_in_redis_by_hand_is_taken_over,
        row_12_a_session_of_fastapi_session_is_taken_over,
        row_14_a_session_of_ravyn_is_taken_over_with_its_quotes,
        row_17_a_session_of_fastapi_sessions_is_taken_over,
        row_18_a_session_of_a_table_is_taken_over_with_an_audit_trail,
        row_20_sessions_of_muffin_are_taken_over_and_no_base64,
    ];

    type Answered = Result<Reply, SessionRejection>;

    async fn view(cart: Session<Cart>, auth: Auth) -> Answered {
        let user = auth.user_id().await?;
        Ok(Reply::ok(format!("{} {:?}", user.as_deref().unwrap_or("nobody"), cart.items)))
    }

    async fn logout(auth: Auth) -> Answered {
        auth.logout().await?;
        Ok(Reply::ok("logged out"))
    }

    async fn start(bench: &Bench, manager: SessionManager) -> Server {
        serve_with(bench, manager, routes!["/view" => view, "/logout" => logout]).await
    }

    /// Opens the shop with a cookie of the other system, logs out, and comes again with a copy of that cookie.
    async fn moves_in(bench: &Bench, manager: SessionManager, name: &str, cookie: &str, expected: &str) {
        let server = start(bench, manager).await;
        let browser = server.visitor();
        browser.set_cookie(name, cookie);
        let copy = browser.fork();
        assert_eq!(browser.get("/view").await.body, expected);
        assert_eq!(browser.get("/view").await.body, expected);
        assert_eq!(bench.sessions(), 1);
        assert_eq!(browser.get("/logout").await.body, "logged out");
        assert_eq!(browser.cookie_names(), [""; 0], "both cookies are gone");
        assert_eq!(copy.get("/view").await.body, "nobody []");
        assert_eq!(bench.sessions(), 0);
    }

    /// The same for a system that keeps records: a logout removes them there.
    async fn moves_in_with<S: ForeignSessions + Clone>(sessions: impl FnOnce(Theirs<Vec<u8>>) -> S) {
        let (bench, theirs) = (Bench::memory(), Theirs::default());
        let sessions = sessions(theirs.clone());
        let (name, cookie) = (sessions.cookie().name().to_owned(), begin(&bench, &sessions, ada()).await);
        assert_ne!(theirs.all().len(), 0);
        moves_in(&bench, manager_of(&bench, sessions, "user_id"), &name, &cookie, "ada [1, 2]").await;
        assert_eq!(theirs.all().len(), 0, "the other system knows it");
    }

    async fn row_01_a_session_of_sessionkit_for_fastapi_is_taken_over() {
        moves_in_with(|theirs| IdInCookie::sessionkit_for_fastapi(theirs).cookie(cookie("session_id"))).await;
    }

    async fn row_02_a_session_in_redis_by_hand_is_taken_over() {
        moves_in_with(|theirs| IdInCookie::by_hand(theirs).cookie(cookie("session_id"))).await;
    }

    async fn row_12_a_session_of_fastapi_session_is_taken_over() {
        moves_in_with(|theirs| {
            FastapiSession::new(&secrets(), theirs, ["user_id", "items", "csrf"]).cookie(cookie("FAPISESSID"))
        })
        .await;
    }

    async fn row_14_a_session_of_ravyn_is_taken_over_with_its_quotes() {
        let (bench, format) = (Bench::memory(), Starlette::ravyn(secrets()));
        let value = format!("\"{}\"", sign(&bench, &format, ada()));
        let sessions = SessionsInCookie::new("ravyn", cookie("old"), format);
        moves_in(&bench, manager_of(&bench, sessions, "user_id"), "old", &value, "ada [1, 2]").await;
    }

    async fn row_17_a_session_of_fastapi_sessions_is_taken_over() {
        moves_in_with(|theirs| FastapiSessions::new(secrets(), cookie("cookie"), theirs, |id| format!("shop:{id}"))).await;
    }

    async fn row_18_a_session_of_a_table_is_taken_over_with_an_audit_trail() {
        let (bench, theirs, trail) = (Bench::memory(), Theirs::<TokenRow>::default(), Trail::default());
        let sessions = TokenTable::new(theirs.clone()).cookie(cookie("session_token"));
        let value = begin(&bench, &sessions, json!({"user_id": 7})).await;
        let until = bench.clock.now().saturating_add(Duration::from_secs(A_DAY));
        let migration = Migration::until(until).from(sessions).user(|session| session.user_id("user_id"));
        let manager = with_migration(bench.builder().event_sink(AuditSink::new(trail.clone())), migration);
        moves_in(&bench, manager.clone(), "session_token", &value, "7 []").await;
        assert_eq!(theirs.all().len(), 0, "the row is gone");
        manager.drain().await;
        let events = trail.0.lock().expect("no holder panics").clone();
        let of = |name: &str| events.iter().filter(|(event, _)| *event == name).collect::<Vec<_>>();
        assert_eq!(of("adopted"), [&("adopted", Some("7".to_owned()))], "{events:?}");
        assert_eq!((of("logout").len(), of("foreign_ended").len()), (1, 1), "{events:?}");
    }

    async fn row_20_sessions_of_muffin_are_taken_over_and_no_base64() {
        let log = Log::collect();
        let values = json!({"id": 17, "items": [4]});
        for format in [Muffin::jwt(secrets()), Muffin::fernet(secrets()).expect("32 bytes")] {
            let bench = Bench::memory();
            let value = sign(&bench, &format, values.clone());
            let sessions = SessionsInCookie::new("muffin", cookie("old"), format.clone());
            moves_in(&bench, manager_of(&bench, sessions, "id"), "old", &value, "17 [4]").await;

            // Anybody can write that: base64 of `{"id":17,"items":[4]}`.
            let sessions = SessionsInCookie::new("muffin", cookie("old"), format);
            let server = start(&bench, manager_of(&bench, sessions, "id")).await;
            let forger = server.visitor();
            forger.set_cookie("old", "eyJpZCI6MTcsIml0ZW1zIjpbNF19");
            assert_eq!(forger.get("/view").await.body, "nobody []");
            assert!(log.text().contains("reason=not valid"), "{}", log.text());
        }
    }
}

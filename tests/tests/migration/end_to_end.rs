//! A shop that replaces an application of Starlette and one of Express, whose real sessions it takes over.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use serde_json::{Value, json};
use sessionkit::formats::Starlette;
use sessionkit::migration::{
    ExpressSessions, FlaskSession, ForeignCookie, ForeignError, ForeignSession, IdInCookie, Migration, MigrationMode,
    RedisRecords, SessionsInCookie,
};
use sessionkit::{Clock as _, EventSink, SessionData, SessionEvent, SessionManager, Timestamp};
use sessionkit_tests::both_frameworks;
use sessionkit_tests::harness::{Bench, Server, Visitor};
use sessionkit_tests::peers::{ask_node, ask_python};

use crate::{SECRET, connection, object, records, secrets, url};

const USERS: usize = 12;

/// The names of the cookies.
const STARLETTE: &str = "session";
const EXPRESS: &str = "connect.sid";

#[derive(SessionData)]
struct Cart {
    #[session(merge = append)]
    items: Vec<String>,
}

impl TryFrom<&ForeignSession> for Cart {
    type Error = ForeignError;

    fn try_from(session: &ForeignSession) -> Result<Self, ForeignError> {
        Ok(Self { items: session.get::<Option<_>>("cart")?.unwrap_or_default() })
    }
}

/// Counts the events by their names.
#[derive(Clone, Default)]
struct Counts(Arc<Mutex<BTreeMap<&'static str, usize>>>);

impl Counts {
    fn of(&self, name: &str) -> usize {
        self.0.lock().unwrap().get(name).copied().unwrap_or_default()
    }
}

impl EventSink for Counts {
    fn record(&self, event: &SessionEvent<'_>) {
        *self.0.lock().unwrap().entry(event.kind().name()).or_default() += 1;
    }
}

/// The two applications before this one, each with a process of its own language.
struct Applications {
    prefix: &'static str,
    now: Timestamp,
}

impl Applications {
    fn express(&self, cookie: Option<&str>, more: Value) -> Value {
        let mut request = object(&json!({"redis": url(), "store": {"prefix": self.prefix}, "secret": SECRET}));
        request.extend(object(&more));
        if let Some(cookie) = cookie {
            request.insert("cookies".to_owned(), json!({EXPRESS: cookie}));
        }
        ask_node("express", "visit", self.now, request)
    }

    /// Begins a session of Express, and gives its cookie to a browser.
    fn express_login(&self, browser: &Visitor, values: Value) {
        let answer = self.express(None, json!({"set": values}));
        browser.set_cookie(EXPRESS, answer["cookies"][EXPRESS].as_str().expect("it sets a cookie"));
    }

    /// What Express sees of a browser.
    fn express_sees(&self, browser: &Visitor) -> Value {
        self.express(browser.cookie(EXPRESS).as_deref(), json!({}))["seen"].take()
    }

    /// Begins a session of Starlette, and gives its cookie to a browser.
    fn starlette_login(&self, browser: &Visitor, values: &Value) {
        let answer = ask_python("starlette", "write", self.now, object(&json!({"secret": SECRET, "values": values})));
        browser.set_cookie(STARLETTE, answer.as_str().expect("it sets a cookie"));
    }

    /// What Starlette sees of a browser.
    fn starlette_sees(&self, browser: &Visitor) -> Value {
        let cookie = browser.cookie(STARLETTE).expect("there is a cookie");
        ask_python("starlette", "read", self.now, object(&json!({"secret": SECRET, "cookie": cookie})))
    }
}

fn express(
    records: RedisRecords<MultiplexedConnection>,
    prefix: &'static str,
) -> ExpressSessions<RedisRecords<MultiplexedConnection>> {
    ExpressSessions::new(secrets([SECRET]), records).prefix(prefix).cookie(ForeignCookie::new(EXPRESS).secure(false))
}

fn starlette() -> SessionsInCookie<Starlette> {
    SessionsInCookie::new("starlette", ForeignCookie::new(STARLETTE).secure(false), Starlette::new(secrets([SECRET])))
}

fn migration(bench: &Bench) -> Migration {
    Migration::until(bench.clock.now().saturating_add(Duration::from_secs(30 * 86_400)))
        .user(|session| session.user_id("user_id"))
        .take::<Cart>()
}

fn both_ways(migration: Migration) -> Migration {
    migration
        .mode(MigrationMode::DualWrite)
        .write_user(|user, session| {
            match user {
                Some(user) => session.values.insert("user_id".into(), user.into()),
                None => session.values.remove("user_id"),
            };
        })
        .write(|cart: &Cart, session| {
            session.values.insert("cart".into(), json!(cart.items));
        })
}

both_frameworks! {
    tests: [
        row_16_nobody_is_logged_out_by_the_move,
        row_16_the_way_back_to_express,
        row_16_the_way_back_to_starlette,
        hostile_sessions_are_refused_with_an_event,
    ];

    type Answered = Result<Reply, SessionRejection>;

    #[session(require_login)]
    async fn cart(cart: SessionView<Cart>, auth: Auth) -> Answered {
        let user = auth.user_id().await?;
        Ok(Reply::ok(format!("{} {:?}", user.as_deref().unwrap_or("nobody"), cart.items)))
    }

    async fn add(mut cart: Session<Cart>) -> Reply {
        cart.items.push("tea".to_owned());
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

    async fn start(bench: &Bench, migration: Migration, counts: &Counts) -> Server {
        let builder = bench.builder().event_sink(counts.clone());
        let manager: SessionManager = builder.migration(migration).expect("it is complete").build();
        let routes = routes!["/cart" => cart, "/add" => add, "/login" => login, "/logout" => logout];
        serve_with(bench, manager, routes).await
    }

    async fn row_16_nobody_is_logged_out_by_the_move() {
        let (bench, counts) = (Bench::memory(), Counts::default());
        let prefix = concat!(module_path!(), ":move:");
        let old = Applications { prefix, now: bench.clock.now() };
        let migration = migration(&bench).from(express(records().await, prefix)).from(starlette());
        let server = start(&bench, migration, &counts).await;
        let mut browsers = Vec::new();
        for number in 0..USERS {
            let (browser, values) = (server.visitor(), json!({"user_id": format!("u{number}"), "cart": ["milk"]}));
            match number % 2 {
                0 => old.express_login(&browser, values),
                _ => old.starlette_login(&browser, &values),
            }
            browsers.push(browser);
        }
        let thieves: Vec<_> = browsers.iter().map(Visitor::fork).collect();
        // Each browser opens a page, which sends four requests at once.
        let tabs: Vec<Vec<_>> = browsers.iter().map(|it| vec![it.clone(), it.fork(), it.fork(), it.fork()]).collect();
        let pages: Vec<Vec<_>> =
            tabs.iter().map(|tabs| tabs.iter().map(|tab| tab.get_in_background("/cart")).collect()).collect();
        for (number, answers) in pages.into_iter().enumerate() {
            for answer in answers {
                assert_eq!(answer.await.unwrap().body, format!("u{number} [\"milk\"]"));
            }
        }
        assert_eq!((counts.of("adopted"), bench.sessions(), counts.of("not_adopted")), (USERS, USERS, 0));
        // The old applications serve them as before.
        assert_eq!(old.express_sees(&browsers[0])["user_id"], "u0");
        assert_eq!(old.starlette_sees(&browsers[1])["user_id"], "u1");

        for browser in &browsers {
            assert_eq!(browser.get("/logout").await.body, "logged out");
            assert_eq!(browser.cookie_names(), [""; 0]);
        }
        for thief in &thieves {
            assert_eq!(thief.get("/cart").await.status, 401, "the old cookie is dead");
        }
        assert_eq!(old.express_sees(&thieves[0]), json!({}), "in the old application too");
        assert_eq!((counts.of("foreign_ended"), bench.sessions()), (USERS, 0));
    }

    async fn row_16_the_way_back_to_express() {
        let (bench, counts) = (Bench::memory(), Counts::default());
        let prefix = concat!(module_path!(), ":back:");
        let old = Applications { prefix, now: bench.clock.now() };
        let migration = both_ways(migration(&bench).from(express(records().await, prefix)));
        let server = start(&bench, migration, &counts).await;
        let (moved, new, gone) = (server.visitor(), server.visitor(), server.visitor());
        old.express_login(&moved, json!({"user_id": "ada", "cart": ["milk"], "theme": "dark"}));
        old.express_login(&gone, json!({"user_id": "eve"}));
        assert_eq!(moved.get("/add").await.body, "2");
        assert_eq!((new.get("/login").await.status, new.get("/add").await.status), (200, 200));
        gone.get("/cart").await;
        let thief = gone.fork();
        gone.get("/logout").await;
        drop(server);
        // The old application takes over again.
        assert_eq!(old.express_sees(&moved), json!({"user_id": "ada", "cart": ["milk", "tea"], "theme": "dark"}));
        assert_eq!(old.express_sees(&new), json!({"user_id": "bob", "cart": ["tea"]}));
        assert_eq!(old.express_sees(&thief), json!({}));
        assert_eq!(counts.of("foreign_not_written"), 0);
    }

    async fn row_16_the_way_back_to_starlette() {
        let (bench, counts) = (Bench::memory(), Counts::default());
        let old = Applications { prefix: "", now: bench.clock.now() };
        let server = start(&bench, both_ways(migration(&bench).from(starlette())), &counts).await;
        let (moved, new) = (server.visitor(), server.visitor());
        old.starlette_login(&moved, &json!({"user_id": "ada", "cart": ["milk"], "theme": "dark"}));
        assert_eq!((moved.get("/add").await.status, new.get("/login").await.status), (200, 200));
        let seen = old.starlette_sees(&moved);
        assert_eq!((&seen["user_id"], &seen["cart"]), (&json!("ada"), &json!(["milk", "tea"])));
        assert_eq!((&seen["theme"], &old.starlette_sees(&new)["user_id"]), (&json!("dark"), &json!("bob")));
    }

    async fn hostile_sessions_are_refused_with_an_event() {
        let (bench, counts) = (Bench::memory(), Counts::default());
        let prefix = concat!(module_path!(), ":hostile:");
        let migration = migration(&bench)
            .from(express(records().await, prefix))
            .from(FlaskSession::new(records().await).cookie(ForeignCookie::new("flask")))
            .from(IdInCookie::by_hand(records().await).cookie(ForeignCookie::new("by_hand")))
            .from(starlette());
        let server = start(&bench, migration, &counts).await;
        let old = Applications { prefix, now: bench.clock.now() };
        let mut connection = connection().await;
        // Of this process alone: others use the same Redis.
        let process = std::process::id();
        let (sid, uuid) = (format!("{process:a>43}"), &*format!("{process:08x}-1111-4222-8333-444455556666"));
        let by_hand = format!("session:{uuid}");
        let in_flask = format!("session:{sid}");
        let deep = format!("{{\"user_id\":\"ada\",\"x\":{}{}}}", "[".repeat(5_000), "]".repeat(5_000));
        let huge = format!("{{\"user_id\":\"ada\",\"x\":\"{}\"}}", "x".repeat(1 << 20));
        // A pickle that writes a file when it is loaded, and one of a dictionary.
        let pickle: &[u8] = b"\x80\x04cos\nsystem\n(S'touch executed'\ntR.";
        let records: [(&str, &str, &str, &[u8]); 8] = [
            ("flask", &in_flask, &sid, pickle),
            ("flask", &in_flask, &sid, b"\x80\x04}\x94\x8c\x07user_id\x94\x8c\x03ada\x94s."),
            ("by_hand", &by_hand, uuid, pickle),
            ("by_hand", &by_hand, uuid, deep.as_bytes()),
            ("by_hand", &by_hand, uuid, huge.as_bytes()),
            ("by_hand", &by_hand, uuid, b"[\"user_id\", \"ada\"]"),
            ("by_hand", &by_hand, uuid, b"{\"user_id\":{\"toString\":\"ada\"}}"),
            ("by_hand", &by_hand, uuid, b"\xff\xfe{}"),
        ];
        for (name, key, cookie, record) in records {
            let () = redis::cmd("SET").arg(key).arg(record).query_async(&mut connection).await.unwrap();
            let (browser, before) = (server.visitor(), counts.of("not_adopted"));
            browser.set_cookie(name, cookie);
            let answer = browser.get("/cart").await;
            assert_eq!((answer.status, browser.token()), (401, None), "{name} {}", String::from_utf8_lossy(&record[..8]));
            assert!(counts.of("not_adopted") > before, "{name} {}", String::from_utf8_lossy(&record[..8]));
            // Nobody is locked out.
            assert_eq!((browser.get("/login").await.status, browser.get("/cart").await.status), (200, 200));
        }
        let () = redis::cmd("DEL").arg(&by_hand).arg(&in_flask).query_async(&mut connection).await.unwrap();
        let () = redis::cmd("LPUSH").arg(&by_hand).arg("ada").query_async(&mut connection).await.unwrap();
        let browser = server.visitor();
        browser.set_cookie("by_hand", uuid);
        assert_eq!(browser.get("/cart").await.status, 401, "a list is no session");
        let () = redis::cmd("DEL").arg(&by_hand).query_async(&mut connection).await.unwrap();

        // Keys that change the prototypes of objects where they are copied.
        old.express_login(&browser, json!({"user_id": "ada"}));
        let cookie = browser.cookie(EXPRESS).unwrap();
        let id = cookie.strip_prefix("s%3A").and_then(|rest| rest.split('.').next()).unwrap();
        let polluted = r#"{"cookie":{"originalMaxAge":null},"user_id":"ada","__proto__":{"isAdmin":true}}"#;
        let () = redis::cmd("SET").arg(format!("{prefix}{id}")).arg(polluted).query_async(&mut connection).await.unwrap();
        assert_eq!(browser.get("/cart").await.status, 401);
        // The cookies of another application, with another secret.
        let (other, before) = (server.visitor(), counts.of("not_adopted"));
        let foreign = json!({"secret": crate::OTHER, "values": {"user_id": "ada"}});
        let cookie = ask_python("starlette", "write", old.now, object(&foreign));
        other.set_cookie(STARLETTE, cookie.as_str().unwrap());
        other.set_cookie(EXPRESS, &browser.cookie(EXPRESS).unwrap().replace("s%3A", "s%3Ax"));
        assert_eq!(other.get("/cart").await.status, 401);
        assert_eq!(counts.of("not_adopted"), before + 2);
        assert_eq!(counts.of("adopted"), 0);
        assert!(!std::path::Path::new("executed").exists());
    }
}

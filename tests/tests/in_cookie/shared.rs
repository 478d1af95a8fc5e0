//! Sessions that another system reads and writes too: here its part is played by the format itself, in the tests of formats by
//! the systems' own packages.

use std::time::Duration;

use serde_json::{Map, Value, json};
use sessionkit::formats::{CookieContent, CookieFormat, Django, Fernet, Flask, Jwt, Secrets, SignedJson, Starlette};
use sessionkit::{Clock as _, CookieSessions, InCookie, SessionData, SessionScope};
use sessionkit_tests::both_frameworks;
use sessionkit_tests::harness::{Bench, Server, Visitor};

use crate::sealed::bench;

struct Migrating;

impl SessionScope for Migrating {
    const NAME: &'static str = "Migrating";
    type Home = InCookie;
}

#[derive(SessionData)]
#[session(scope = Migrating)]
struct Visit {
    cart_id: Option<u64>,
    #[session(ttl = "10m")]
    code: Option<String>,
}

#[derive(SessionData)]
#[session(scope = Migrating)]
struct Extra {
    note: String,
}

fn secrets() -> Secrets {
    Secrets::new(["k3Jd9vQ2xW7pL5mN8rT1yB6cF4hG0sAz"]).expect("it is random")
}

fn fernet() -> Fernet {
    Fernet::new(["h2dVq0mXy7cR5bK8sP1tZ4wN6jL3fG9aE0uQ-iO_xDk="]).expect("it is a key")
}

/// The same format twice: ours, and the other system's.
type Formats = (CookieSessions, Box<dyn CookieFormat>);

fn formats() -> [fn() -> Formats; 7] {
    [
        || (CookieSessions::shared(Starlette::new(secrets())), Box::new(Starlette::new(secrets()))),
        || (CookieSessions::shared(Starlette::ravyn(secrets())), Box::new(Starlette::ravyn(secrets()))),
        || (CookieSessions::shared(Flask::new(secrets())), Box::new(Flask::new(secrets()))),
        || (CookieSessions::shared(Django::new(secrets())), Box::new(Django::new(secrets()))),
        || (CookieSessions::shared(SignedJson::new(secrets(), "c")), Box::new(SignedJson::new(secrets(), "c"))),
        || (CookieSessions::shared(Jwt::hs256(secrets())), Box::new(Jwt::hs256(secrets()))),
        || (CookieSessions::shared(fernet()), Box::new(fernet())),
    ]
}

/// The other system, and what it does to the cookie of a browser.
struct Other<'a> {
    format: Box<dyn CookieFormat>,
    bench: &'a Bench,
    browser: &'a Visitor,
}

impl Other<'_> {
    fn values(&self) -> Map<String, Value> {
        let cookie = self.browser.token().expect("there is a cookie");
        self.format.read(&cookie, self.bench.clock.now()).expect("it is valid").values
    }

    fn write(&self, values: Map<String, Value>) {
        let mut content = CookieContent::new(values);
        if self.format.holds_expiry() {
            content.expires_at = Some(self.bench.clock.now().saturating_add(Duration::from_secs(86_400)));
        }
        self.browser.set_token(&self.format.write(&content, self.bench.clock.now()).expect("it can be written"));
    }

    fn set(&self, key: &str, value: Value) {
        let mut values = self.values();
        values.insert(key.to_owned(), value);
        self.write(values);
    }
}

both_frameworks! {
    tests: [
        row_16_both_systems_read_and_change_a_session,
        row_20_formats_hold_a_session,
        row_15_a_login_of_either_counts_for_both,
        our_deadlines_hold_whatever_the_other_system_writes,
        what_only_we_know_survives_the_other_system,
        keys_of_the_engine_are_not_taken_from_outside,
    ];

    type Answered = Result<Reply, SessionRejection>;

    async fn add(mut visit: Session<Visit>, mut extra: Session<Extra>) -> Reply {
        visit.cart_id = Some(visit.cart_id.unwrap_or(0) + 1);
        extra.note = "ours".to_owned();
        Reply::ok("added")
    }

    async fn send_code(mut visit: Session<Visit>) -> Reply {
        visit.code = Some("1234".to_owned());
        Reply::ok("sent")
    }

    async fn show(visit: SessionView<Visit>, extra: SessionView<Extra>, auth: Auth<Migrating>) -> Answered {
        let user = auth.user_id().await?;
        let (cart, code) = (visit.cart_id.unwrap_or(0), visit.code.as_deref().unwrap_or("-"));
        Ok(Reply::ok(format!("{} {cart} {code} {}", user.as_deref().unwrap_or("nobody"), extra.note)))
    }

    async fn login(auth: Auth<Migrating>) -> Answered {
        auth.login(42).await?;
        Ok(Reply::ok("42"))
    }

    async fn logout(auth: Auth<Migrating>) -> Answered {
        auth.logout().await?;
        Ok(Reply::ok("bye"))
    }

    #[session(scope = Migrating, require_login)]
    async fn account() -> Reply {
        Reply::ok("account")
    }

    #[session(scope = Migrating, require_fresh = "5m")]
    async fn password() -> Reply {
        Reply::ok("password")
    }

    async fn start(bench: &Bench, sessions: CookieSessions) -> Server {
        let sessions = sessions.top_level::<Visit>().numeric_user_key("user_id");
        let routes = routes![
            "/add" => add, "/code" => send_code, "/show" => show, "/login" => login, "/logout" => logout,
            "/account" => account, "/password" => password,
        ];
        serve_with(bench, bench.in_cookie::<Migrating>(sessions).build(), routes).await
    }

    async fn both_ways(make: fn() -> Formats) {
        let (bench, (sessions, format)) = (bench(), make());
        let server = start(&bench, sessions).await;
        let browser = server.visitor();
        let other = Other { format, bench: &bench, browser: &browser };
        // The other system begins it.
        other.write(Map::from_iter([("cart_id".to_owned(), json!(5)), ("theme".to_owned(), json!({ "dark": true }))]));
        assert_eq!(browser.get("/show").await.body, "nobody 5 - ");
        let answer = browser.get("/add").await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let values = other.values();
        assert_eq!((&values["cart_id"], &values["theme"]), (&json!(6), &json!({ "dark": true })));
        assert_eq!(values["extra.note"], json!("ours"));
        other.set("cart_id", json!(9));
        assert_eq!(browser.get("/show").await.body, "nobody 9 - ours");
        // A value that does not fit is not taken for another.
        other.set("cart_id", json!("nine"));
        assert_eq!(browser.get("/show").await.status, 500);
        // The altered cookie opens nothing.
        let altered = browser.token().map(|token| format!("A{token}"));
        browser.set_token(&altered.unwrap_or_default());
        assert_eq!(browser.get("/show").await.body, "nobody 0 - ");
    }

    async fn row_16_both_systems_read_and_change_a_session() {
        for make in &formats()[..4] {
            both_ways(*make).await;
        }
    }

    async fn row_20_formats_hold_a_session() {
        for make in &formats()[4..] {
            both_ways(*make).await;
        }
    }

    async fn row_15_a_login_of_either_counts_for_both() {
        for make in formats() {
            let (bench, (sessions, format)) = (bench(), make());
            let server = start(&bench, sessions).await;
            let browser = server.visitor();
            let other = Other { format, bench: &bench, browser: &browser };
            browser.get("/login").await;
            assert_eq!(other.values()["user_id"], json!(42));
            assert_eq!(browser.get("/password").await.status, 200);
            // Another user, whom the other system knows: logged in, but nobody here knows how.
            other.set("user_id", json!(7));
            assert_eq!(browser.get("/show").await.body, "7 0 - ");
            assert_eq!(browser.get("/account").await.status, 200);
            assert_eq!(browser.get("/password").await.status, 401);
            let mut values = other.values();
            values.remove("user_id");
            other.write(values);
            assert_eq!(browser.get("/account").await.status, 401);
            other.write(Map::from_iter([("user_id".to_owned(), json!(3))]));
            assert_eq!(browser.get("/account").await.status, 200);
            browser.get("/logout").await;
            assert_eq!(browser.token(), None);
        }
    }

    async fn our_deadlines_hold_whatever_the_other_system_writes() {
        let hour = Duration::from_secs(3600);
        for make in formats() {
            let bench = Bench::memory()
                .with_keyless_config(|config| config.ttl(hour).anonymous_ttl(hour).absolute_ttl(3 * hour));
            let (sessions, format) = make();
            let server = start(&bench, sessions).await;
            let browser = server.visitor();
            let other = Other { format, bench: &bench, browser: &browser };
            browser.get("/login").await;
            for _ in 0..3 {
                // It uses the session without us.
                bench.clock.advance(hour / 2);
                other.set("seen", json!(1));
                bench.clock.advance(hour / 3);
                assert_eq!(browser.get("/account").await.status, 200);
            }
            bench.clock.advance(hour / 4);
            other.set("seen", json!(2));
            bench.clock.advance(hour / 4);
            assert_eq!(browser.get("/account").await.status, 401, "after three hours in all");
        }
    }

    async fn what_only_we_know_survives_the_other_system() {
        for make in formats() {
            let (bench, (sessions, format)) = (bench(), make());
            let server = start(&bench, sessions).await;
            let browser = server.visitor();
            let other = Other { format, bench: &bench, browser: &browser };
            browser.get("/code").await;
            assert!(!other.values().contains_key("code"));
            other.set("cart_id", json!(2));
            assert_eq!(browser.get("/show").await.body, "nobody 2 1234 ");
            bench.clock.advance(Duration::from_secs(600));
            assert_eq!(browser.get("/show").await.body, "nobody 2 - ");
        }
    }

    async fn keys_of_the_engine_are_not_taken_from_outside() {
        let (bench, (sessions, format)) = (bench(), formats()[0]());
        let server = start(&bench, sessions).await;
        let browser = server.visitor();
        let other = Other { format, bench: &bench, browser: &browser };
        let planted = [("@user", json!("root")), ("csrf.@seed", json!("x")), ("_sessionkit", json!("AAAA"))];
        other.write(planted.map(|(key, value)| (key.to_owned(), value)).into_iter().collect());
        assert_eq!(browser.get("/show").await.body, "nobody 0 - ");
        browser.get("/add").await;
        assert!(!other.values().contains_key("@user") && other.values()["_sessionkit"] != json!("AAAA"));
    }
}

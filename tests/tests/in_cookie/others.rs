//! Shared sessions in which the other system, or somebody between the two, writes what nobody here expects.

use std::time::Duration;

use serde_json::{Map, Value, json};
use sessionkit::formats::{CookieContent, CookieFormat, Secrets, Starlette};
use sessionkit::{Clock as _, CookieSessions, InCookie, OnLogin, Rolling, SessionData, SessionScope};
use sessionkit_tests::both_frameworks;
use sessionkit_tests::harness::{Bench, Server, Visitor};

use crate::sealed::bench;

struct Common;

impl SessionScope for Common {
    const NAME: &'static str = "Common";
    type Home = InCookie;
}

#[derive(SessionData)]
#[session(scope = Common)]
struct Visit {
    cart_id: Option<u64>,
    #[session(ttl = "10m")]
    code: Option<String>,
    #[session(carry, ttl = "10m")]
    language: Option<String>,
    #[session(flash)]
    notice: Option<String>,
}

fn format() -> Starlette {
    Starlette::new(Secrets::new(["k3Jd9vQ2xW7pL5mN8rT1yB6cF4hG0sAz"]).expect("it is random"))
}

fn values(bench: &Bench, browser: &Visitor) -> Map<String, Value> {
    let cookie = browser.token().expect("there is a cookie");
    format().read(&cookie, bench.clock.now()).expect("it is valid").values
}

fn write(bench: &Bench, browser: &Visitor, values: Map<String, Value>) {
    browser.set_token(&format().write(&CookieContent::new(values), bench.clock.now()).expect("it can be written"));
}

fn set(bench: &Bench, browser: &Visitor, key: &str, value: Value) {
    let mut values = values(bench, browser);
    values.insert(key.to_owned(), value);
    write(bench, browser, values);
}

both_frameworks! {
    tests: [
        nothing_of_one_user_is_shown_to_another,
        what_was_of_nobody_follows_a_login_of_the_other_system,
        a_session_that_was_idle_for_too_long_stays_over,
        a_visitors_values_that_no_login_keeps_go_at_one_of_the_other_system,
        a_value_that_looks_like_a_chunk_is_whole,
        odd_keys_and_values_of_the_other_system_do_no_harm,
        a_foreign_record_is_not_taken,
        an_older_cookie_of_the_other_system_is_what_it_was,
        a_cookie_with_the_name_of_a_chunk_is_left_alone,
        a_flash_is_read_once,
    ];

    type Answered = Result<Reply, SessionRejection>;

    async fn add(mut visit: Session<Visit>) -> Reply {
        visit.cart_id = Some(visit.cart_id.unwrap_or(0) + 1);
        Reply::ok("added")
    }

    async fn send_code(mut visit: Session<Visit>) -> Reply {
        visit.code = Some("1234".to_owned());
        visit.language = Some("de".to_owned());
        Reply::ok("sent")
    }

    async fn note(mut visit: Session<Visit>) -> Reply {
        visit.notice = Some("saved".to_owned());
        Reply::ok("noted")
    }

    async fn notice(mut visit: Session<Visit>) -> Reply {
        Reply::ok(format!("{:?}", visit.notice.take()))
    }

    async fn show(visit: SessionView<Visit>, auth: Auth<Common>) -> Answered {
        let user = auth.user_id().await?;
        let (cart, code) = (visit.cart_id.unwrap_or(0), visit.code.as_deref().unwrap_or("-"));
        let language = visit.language.as_deref().unwrap_or("-");
        Ok(Reply::ok(format!("{} {cart} {code} {language}", user.as_deref().unwrap_or("nobody"))))
    }

    async fn login(auth: Auth<Common>) -> Answered {
        auth.login("ada").await?;
        Ok(Reply::ok("ada"))
    }

    async fn start(bench: &Bench) -> Server {
        let sessions = CookieSessions::shared(format()).top_level::<Visit>().user_key("user_id");
        let routes = routes![
            "/add" => add, "/code" => send_code, "/show" => show, "/login" => login, "/note" => note, "/notice" => notice,
        ];
        serve_with(bench, bench.in_cookie::<Common>(sessions).build(), routes).await
    }

    async fn nothing_of_one_user_is_shown_to_another() {
        let bench = bench();
        let server = start(&bench).await;
        let browser = server.visitor();
        browser.get("/login").await;
        browser.get("/code").await;
        assert_eq!(browser.get("/show").await.body, "ada 0 1234 de");
        let copy = browser.fork();
        // The other system cannot clear what it cannot read.
        set(&bench, &browser, "user_id", json!("bob"));
        assert_eq!(browser.get("/show").await.body, "bob 0 - de");
        browser.get("/add").await;
        set(&bench, &browser, "user_id", json!("ada"));
        assert_eq!(browser.get("/show").await.body, "ada 1 - de");
        let mut left = values(&bench, &copy);
        left.remove("user_id");
        write(&bench, &copy, left);
        assert_eq!(copy.get("/show").await.body, "nobody 0 - de");
    }

    async fn what_was_of_nobody_follows_a_login_of_the_other_system() {
        let bench = bench();
        let server = start(&bench).await;
        let browser = server.visitor();
        browser.get("/code").await;
        set(&bench, &browser, "user_id", json!("ada"));
        assert_eq!(browser.get("/show").await.body, "ada 0 1234 de");
    }

    async fn a_session_that_was_idle_for_too_long_stays_over() {
        let hour = Duration::from_secs(3600);
        let bench = Bench::memory().with_keyless_config(|config| {
            config.ttl(hour).anonymous_ttl(hour).absolute_ttl(48 * hour).rolling(Rolling::Reset)
        });
        let server = start(&bench).await;
        let browser = server.visitor();
        browser.get("/login").await;
        bench.clock.advance(hour / 2);
        set(&bench, &browser, "seen", json!(1));
        bench.clock.advance(hour / 2);
        assert_eq!(browser.get("/show").await.body, "ada 0 - -");
        bench.clock.advance(2 * hour);
        assert_eq!(browser.fork().get("/show").await.body, "nobody 0 - -");
        // The other system goes on with it, which brings nobody back here.
        set(&bench, &browser, "seen", json!(2));
        assert_eq!(browser.get("/show").await.body, "nobody 0 - -");
    }

    async fn a_visitors_values_that_no_login_keeps_go_at_one_of_the_other_system() {
        let bench = Bench::memory().with_keyless_config(|config| config.on_login(OnLogin::Discard));
        let server = start(&bench).await;
        let browser = server.visitor();
        browser.get("/code").await;
        set(&bench, &browser, "user_id", json!("ada"));
        assert_eq!(browser.get("/show").await.body, "ada 0 - de", "what is carried stays");
    }

    async fn a_value_that_looks_like_a_chunk_is_whole() {
        let bench = bench();
        let server = start(&bench).await;
        let browser = server.visitor();
        browser.set_cookie("__Host-session-1", "another application's");
        browser.set_token("2.x");
        browser.get("/add").await;
        assert_eq!(browser.cookie("__Host-session-1").as_deref(), Some("another application's"));
    }

    async fn odd_keys_and_values_of_the_other_system_do_no_harm() {
        let bench = bench();
        let server = start(&bench).await;
        let browser = server.visitor();
        let long = "k".repeat(1500);
        let odd = [
            ("", json!(1)), (".", json!(2)), ("visit", json!(3)), ("visit.", json!(4)), ("a.b.c", json!(null)),
            ("\u{0}\n", json!([])), (long.as_str(), json!(1.5)), ("é", json!("\u{1f600}")), ("@", json!(1)),
            ("visit.@version", json!(99)), ("@version", json!(99)), ("csrf.@seed", json!("x")), ("notice", json!(null)),
            ("_sessionkit", json!({ "a": 1 })), ("user_id", json!(["ada"])), ("cart_id", json!(7)), ("code", json!(null)),
            ("big", json!(u64::MAX)), ("small", json!(-1e300)),
        ];
        write(&bench, &browser, odd.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect());
        assert_eq!(browser.get("/show").await.body, "nobody 7 - -");
        let answer = browser.get("/add").await;
        assert_eq!((answer.status, answer.cookies().len()), (200, 1), "{answer:?}");
        let values = values(&bench, &browser);
        for (key, value) in odd.iter().filter(|(key, _)| !key.contains('@')) {
            if !["_sessionkit", "user_id", "cart_id", "notice", "code", "visit."].contains(key) {
                assert_eq!(values.get(*key), Some(value), "{key:?}");
            }
        }
        assert_eq!(browser.get("/login").await.status, 200);
        assert_eq!(browser.get("/show").await.body, "ada 8 - -");
    }

    async fn a_foreign_record_is_not_taken() {
        let bench = bench();
        let server = start(&bench).await;
        let (browser, other) = (server.visitor(), server.visitor());
        browser.get("/login").await;
        other.get("/code").await;
        // Of another browser's cookie: who one is stands beside it.
        let ours = values(&bench, &browser)["_sessionkit"].clone();
        set(&bench, &other, "_sessionkit", ours.clone());
        assert_eq!(other.get("/show").await.body, "nobody 0 - -");
        for garbage in [json!(null), json!(5), json!(""), json!("AA"), json!("A".repeat(400))] {
            set(&bench, &browser, "_sessionkit", garbage);
            assert_eq!(browser.get("/show").await.body, "ada 0 - -");
        }
        let text = ours.as_str().unwrap_or_default();
        for length in (0..text.len()).step_by(5) {
            set(&bench, &browser, "_sessionkit", json!(text[..length]));
            assert_eq!(browser.get("/show").await.body, "ada 0 - -", "{length}");
        }
    }

    async fn an_older_cookie_of_the_other_system_is_what_it_was() {
        let bench = bench();
        let server = start(&bench).await;
        let browser = server.visitor();
        write(&bench, &browser, Map::from_iter([("user_id".to_owned(), json!("ada")), ("cart_id".to_owned(), json!(1))]));
        let copy = browser.fork();
        browser.get("/add").await;
        assert_eq!(browser.get("/show").await.body, "ada 2 - -");
        assert_eq!(copy.get("/show").await.body, "ada 1 - -");
        assert_eq!(copy.get("/add").await.status, 200);
        assert_eq!(copy.get("/show").await.body, "ada 2 - -");
    }

    async fn a_cookie_with_the_name_of_a_chunk_is_left_alone() {
        let bench = bench();
        let server = start(&bench).await;
        let browser = server.visitor();
        browser.set_cookie("__Host-session-1", "of the other system");
        assert_eq!(browser.get("/add").await.cookies().len(), 1);
        assert_eq!(browser.get("/login").await.cookies().len(), 1);
    }

    async fn a_flash_is_read_once() {
        let bench = bench();
        let server = start(&bench).await;
        let browser = server.visitor();
        browser.get("/note").await;
        assert_eq!(values(&bench, &browser)["notice"], json!("saved"));
        assert_eq!(browser.get("/notice").await.body, "Some(\"saved\")");
        assert_eq!(browser.get("/notice").await.body, "None");
        set(&bench, &browser, "notice", json!("theirs"));
        assert_eq!(browser.get("/notice").await.body, "Some(\"theirs\")");
        assert!(!values(&bench, &browser).contains_key("notice"));
    }
}

//! Auth.js, and NextAuth.js before it, which keep sessions in their cookies.

use serde_json::{Map, Value, json};
use sessionkit::Timestamp;
use sessionkit::formats::Secrets;
use sessionkit::migration::{AuthJsSessions, ForeignCookie, ForeignErrorKind, ForeignSessions};
use sessionkit_tests::peers::ask_node;

use crate::node::{NOW, OTHER, SECRET, later, object, open, refused, with};

const MONTH: u64 = 30 * 86_400;
const NAME: &str = "__Secure-authjs.session-token";

fn sessions<const N: usize>(secrets: [&str; N]) -> AuthJsSessions {
    AuthJsSessions::new(Secrets::new(secrets).unwrap())
}

fn ask(system: &str, action: &str, now: Timestamp, given: &Value) -> Value {
    ask_node(system, action, now, object(given))
}

fn user() -> Value {
    json!({"id": "7", "name": "Ána", "email": "ana@shop.example", "image": "/ana.png", "roles": ["admin"]})
}

/// Logs a user in with Auth.js, and returns the cookies of the session.
fn login(secret: &Value, url: &str, values: &Value) -> Map<String, Value> {
    let cookies = ask("auth-js", "login", NOW, &json!({"secret": secret, "url": url, "values": values}));
    object(&cookies).into_iter().filter(|(name, _)| name.contains("session-token")).collect()
}

fn token(cookies: &Map<String, Value>, name: &str) -> String {
    cookies[name].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_login_with_auth_js_is_read() {
    for (url, name) in [("https://shop.example", NAME), ("http://localhost", "authjs.session-token")] {
        let cookies = login(&json!(SECRET), url, &user());
        let cookie = token(&cookies, name);
        let sessions = sessions([SECRET]).cookie(ForeignCookie::new(name));
        let session = open(&sessions, &cookie, NOW).await;
        for (claim, value) in [("sub", "7"), ("name", "Ána"), ("email", "ana@shop.example"), ("picture", "/ana.png")] {
            assert_eq!(session.get::<String>(claim).unwrap(), value);
        }
        assert_eq!(session.values["roles"], json!(["admin"]));
        assert_eq!((session.written_at, session.expires_at), (Some(NOW), Some(later(MONTH + 15))));

        // A visit writes it again.
        let request = json!({"secret": SECRET, "url": url, "cookies": cookies});
        let answer = ask("auth-js", "session", later(60), &request);
        assert_eq!(answer["session"]["user"]["name"], "Ána");
        let again = answer["cookies"][name].as_str().unwrap();
        assert_eq!(open(&sessions, again, later(60)).await.written_at, Some(later(60)));
        // Its keys are those of one cookie.
        let other = sessions.cookie(ForeignCookie::new("another"));
        assert_eq!(refused(&other, &cookie, NOW).await, ForeignErrorKind::Invalid);
    }
}

#[tokio::test]
async fn both_stop_at_the_same_second_to_read_a_token() {
    let auth_js = json!({"secret": SECRET, "salt": NAME, "values": {"sub": "7"}, "maxAge": 60});
    let next_auth = json!({"secret": SECRET, "values": {"sub": "7"}, "maxAge": 60});
    let older = AuthJsSessions::next_auth(Secrets::new([SECRET]).unwrap());
    for (system, given, sessions) in [("auth-js", auth_js, sessions([SECRET])), ("next-auth", next_auth, older)] {
        let cookie = ask(system, "encode", NOW, &given);
        let decode = |now| ask(system, "decode", now, &with(&given, &json!({"token": cookie})));
        let cookie = cookie.as_str().unwrap();
        let theirs = decode(later(74));
        let session = open(&sessions, cookie, later(74)).await;
        assert_eq!((&theirs["sub"], &theirs["exp"]), (&json!("7"), &json!(later(60).unix_seconds())));
        let jti = json!({"sub": "7", "jti": theirs["jti"]});
        assert_eq!((Value::Object(session.values), session.expires_at), (jti, Some(later(75))));
        assert_eq!(decode(later(75)), Value::Null);
        assert_eq!(refused(&sessions, cookie, later(75)).await, ForeignErrorKind::Invalid);
    }
}

#[tokio::test]
async fn row_19_the_secret_of_auth_js_is_replaced() {
    let old = token(&login(&json!(SECRET), "https://shop.example", &user()), NAME);
    let new = token(&login(&json!([OTHER, SECRET]), "https://shop.example", &user()), NAME);
    for cookie in [&old, &new] {
        assert!(sessions([OTHER, SECRET]).open(cookie, NOW).await.is_ok());
    }
    assert_eq!(refused(&sessions([SECRET]), &new, NOW).await, ForeignErrorKind::Invalid);
    assert_eq!(refused(&sessions([OTHER]), &old, NOW).await, ForeignErrorKind::Invalid);
}

/// A session in several cookies has none of the name, and its parts are no sessions.
#[tokio::test]
async fn a_part_of_a_session_is_refused() {
    let cookies = login(&json!(SECRET), "https://shop.example", &with(&user(), &json!({"note": "a".repeat(5000)})));
    let names = ["__Secure-authjs.session-token.0", "__Secure-authjs.session-token.1"];
    assert_eq!(cookies.keys().collect::<Vec<_>>(), names);
    for name in names {
        assert_eq!(refused(&sessions([SECRET]), &token(&cookies, name), NOW).await, ForeignErrorKind::Invalid);
    }
    // Whoever puts the parts together has the session.
    let whole = names.map(|name| token(&cookies, name)).concat();
    assert_eq!(open(&sessions([SECRET]), &whole, NOW).await.values["note"], "a".repeat(5000));
}

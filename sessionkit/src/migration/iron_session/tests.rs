//! Worked examples by iron-session, and attacks on its cookies.

use serde_json::{Map, Value, json};
use sessionkit_core::ForeignErrorKind;

use super::*;

const NOW: Timestamp = Timestamp::from_unix_seconds(1_700_000_000);
const SECRET: &str = "3dBz3wXVEFmPe7Yxkzr8BqkeoYTKqCpO";
const OTHER: &str = "p0m2sC9YVXL4hR7dQfT1nWzKbE8uJgA5";
const TTL: u64 = 14 * 86_400;

fn sessions() -> IronSessions {
    IronSessions::new("shop", [(1, SECRET)]).unwrap()
}

fn later(seconds: u64) -> Timestamp {
    NOW.saturating_add(Duration::from_secs(seconds))
}

fn values(values: Value) -> Map<String, Value> {
    values.as_object().unwrap().clone()
}

/// Seals what may be no session.
fn sealed(text: &str) -> String {
    sessions().seal(text, Some(1_700_000_060_000))
}

/// Signs a seal of these parts, which may be no seal.
fn signed(parts: &str) -> String {
    let salt = hex([7; 32]);
    let tag = mac(SECRET, &salt).chain_update(parts).finalize().into_bytes();
    format!("{parts}*{salt}*{}~2", URL_SAFE_NO_PAD.encode(tag))
}

async fn kind(sessions: &IronSessions, cookie: &str) -> ForeignErrorKind {
    sessions.open(cookie, NOW).await.expect_err(cookie).kind()
}

/// Returns a worked example, and the sessions of its passwords.
fn vector(format: &str) -> (Value, IronSessions) {
    let vectors: Vec<Value> = serde_json::from_str(include_str!("../vectors.json")).unwrap();
    let vector = vectors.into_iter().find(|vector| vector["format"] == format).unwrap();
    let passwords = vector["passwords"].as_object().unwrap().iter();
    let passwords = passwords.map(|(id, password)| (id.parse().unwrap(), password.as_str().unwrap()));
    let sessions = IronSessions::new(vector["cookie_name"].as_str().unwrap().to_owned(), passwords).unwrap();
    (vector, sessions)
}

#[tokio::test]
async fn the_worked_examples_are_read() {
    for (format, end) in [("iron-session", Some(later(TTL + 60))), ("iron-session-without-end", None)] {
        let (vector, sessions) = vector(format);
        let cookie = vector["cookie"].as_str().unwrap();
        let session = sessions.open(cookie, NOW).await.unwrap();
        assert_eq!(Value::Object(session.values.clone()), vector["payload"]);
        assert_eq!((session.id(), session.expires_at, session.written_at), (cookie, end, None));
        for bit in 0..cookie.len() * 8 {
            let mut altered = cookie.as_bytes().to_vec();
            altered[bit / 8] ^= 1 << (bit % 8);
            let Ok(altered) = String::from_utf8(altered) else { continue };
            let error = sessions.open(&altered, NOW).await.expect_err(&altered);
            assert_eq!((error.kind(), &*error.to_string()), (ForeignErrorKind::Invalid, "the cookie is not valid"));
        }
        for end in 0..cookie.len() {
            assert_eq!(kind(&sessions, &cookie[..end]).await, ForeignErrorKind::Invalid);
        }
        let again = sessions.write(&session, NOW).await.unwrap();
        assert_ne!(again, cookie);
        assert_eq!((again.len(), &again[..9]), (cookie.len() + usize::from(end.is_none()) * 13, &cookie[..9]));
        assert_eq!(sessions.open(&again, NOW).await.unwrap().values, session.values);
        sessions.end(&session).await.unwrap();
    }
}

#[tokio::test]
async fn a_session_ends_a_minute_after_its_time() {
    let (vector, sessions) = vector("iron-session");
    let cookie = vector["cookie"].as_str().unwrap();
    assert!(sessions.open(cookie, later(TTL + 59)).await.is_ok());
    assert_eq!(sessions.open(cookie, later(TTL + 60)).await.unwrap_err().kind(), ForeignErrorKind::Invalid);
    // Ours end with theirs, and no later than the session.
    let mut session = ForeignSession::new("", values(json!({"n": 1})));
    for (expires_at, read) in [(None, TTL + 60), (Some(TTL * 2), TTL + 60), (Some(100), 100), (Some(10), 10)] {
        session.expires_at = expires_at.map(later);
        let cookie = sessions.write(&session, NOW).await.unwrap();
        assert_eq!(sessions.open(&cookie, NOW).await.unwrap().expires_at, Some(later(read)), "{expires_at:?}");
    }
    session.expires_at = Some(NOW);
    assert_eq!(sessions.write(&session, NOW).await.unwrap_err().kind(), ForeignErrorKind::Ended);
    let endless = sessions.ttl(Duration::ZERO);
    session.expires_at = None;
    let cookie = endless.write(&session, NOW).await.unwrap();
    assert_eq!(endless.open(&cookie, later(1_000 * TTL)).await.unwrap().expires_at, None);
}

#[tokio::test]
async fn no_other_cookie_is_read() {
    let (sessions, valid) = (sessions(), sealed("{}"));
    assert!(sessions.open(&valid, NOW).await.is_ok());
    let seal = valid.strip_suffix("~2").unwrap();
    let [_, _, salt, iv, text, expiration, ..] = seal.split('*').collect::<Vec<_>>()[..] else { panic!("{seal}") };
    for cookie in [
        // The versions of iron-session: none, the one before, and what no one has.
        seal.to_owned(),
        format!("{seal}~1"),
        format!("{seal}~"),
        format!("{seal}~02"),
        format!("{valid}~2"),
        format!("{valid} "),
        format!("{seal}=~2"),
        format!("{seal}*~2"),
        // Properly signed, and no seals.
        signed(&format!("Fe26.1*1*{salt}*{iv}*{text}*{expiration}")),
        signed(&format!("Fe26.2*2*{salt}*{iv}*{text}*{expiration}")),
        signed(&format!("Fe26.2*01*{salt}*{iv}*{text}*{expiration}")),
        signed(&format!("Fe26.2**{salt}*{iv}*{text}*{expiration}")),
        signed(&format!("Fe26.2*1*{salt}*{iv}*{text}")),
        signed(&format!("Fe26.2*1*{salt}*{iv}*{text}*{expiration}*")),
        signed(&format!("Fe26.2*1*{salt}*{iv}*{text}*0")),
        signed(&format!("Fe26.2*1*{salt}*{iv}*{text}*0{expiration}")),
        signed(&format!("Fe26.2*1*{salt}*{iv}*{text}*+{expiration}")),
        signed(&format!("Fe26.2*1*{salt}*{iv}*{text}*99999999999999999999")),
        signed(&format!("Fe26.2*1*{salt}*{iv}*{text}*never")),
        signed(&format!("Fe26.2*1*{salt}*{iv}x*{text}*{expiration}")),
        signed(&format!("Fe26.2*1*{salt}*{}*{text}*{expiration}", &iv[..10])),
        signed(&format!("Fe26.2*1*{salt}*{iv}**{expiration}")),
        signed(&format!("Fe26.2*1*{salt}*{iv}*{}*{expiration}", &text[..8])),
        // The padding is wrong under another key.
        signed(&format!("Fe26.2*1*{salt}0*{iv}*{text}*{expiration}")),
        IronSessions::new("shop", [(1, OTHER)]).unwrap().seal("{}", None),
        "*******~2".to_owned(),
        "a".repeat(1 << 20),
        sessions.seal(&format!("{{\"a\":\"{}\"}}", "a".repeat(20_000)), None),
        String::new(),
    ] {
        assert_eq!(kind(&sessions, &cookie).await, ForeignErrorKind::Invalid, "{}", &cookie[..cookie.len().min(90)]);
    }
}

#[tokio::test]
async fn hostile_sessions_are_not_read() {
    let sessions = sessions();
    let deep = format!(r#"{{"a":{}1{}}}"#, "[".repeat(100), "]".repeat(100));
    for text in [
        "[]",
        "null",
        "\"text\"",
        "7",
        "",
        "{",
        r#"{"a":1,"a":2}"#,
        r#"{"a":18446744073709551616}"#,
        r#"{"__proto__":{"admin":true}}"#,
        r#"{"a":[{"constructor":{"prototype":{"admin":true}}}]}"#,
        &deep,
    ] {
        let error = sessions.open(&sealed(text), NOW).await.expect_err(text);
        assert_eq!(error.kind(), ForeignErrorKind::Unreadable, "{text}");
        assert!(!error.to_string().contains("admin"), "{error}");
    }
    let (salt, iv) = (hex([1; 32]), [2; 16]);
    let text = aes_cbc::encrypt(&derive(SECRET, &salt), &iv, b"{\"a\":\"\xff\"}");
    let (iv, text) = (URL_SAFE_NO_PAD.encode(iv), URL_SAFE_NO_PAD.encode(text));
    let cookie = signed(&format!("Fe26.2*1*{salt}*{iv}*{text}*"));
    assert_eq!(kind(&sessions, &cookie).await, ForeignErrorKind::Unreadable);
}

#[tokio::test]
async fn the_highest_number_seals_and_all_open() {
    let both = IronSessions::new("shop", [(10, OTHER), (1, SECRET)]).unwrap();
    let session = both.open(&sealed("{}"), NOW).await.unwrap();
    let cookie = both.write(&session, NOW).await.unwrap();
    assert!(cookie.starts_with("Fe26.2*10*"));
    assert!(both.open(&cookie, NOW).await.is_ok());
    assert_eq!(kind(&sessions(), &cookie).await, ForeignErrorKind::Invalid);
    let shown = format!("{both:?}");
    assert!(shown.contains("[1, 10]") && !shown.contains(SECRET), "{shown}");
}

#[test]
fn passwords_are_checked() {
    let none: [(u32, &str); 0] = [];
    assert!(IronSessions::new("shop", none).unwrap_err().to_string().contains("is missing"));
    for (passwords, problem) in [
        ([(1, SECRET), (2, &SECRET[1..])], "too short"),
        ([(1, SECRET), (2, "éééééééééééééééé")], "too short"),
        ([(1, SECRET), (1, OTHER)], "the same number"),
        ([(1, SECRET), (2, "complex_password_at_least_32_characters_long")], "everybody knows"),
    ] {
        let error = IronSessions::new("shop", passwords).unwrap_err().to_string();
        assert!(error.contains(problem) && !error.contains(SECRET), "{error}");
    }
}

#[tokio::test]
async fn what_browsers_would_drop_is_not_written() {
    let write = async |value: Value| {
        let cookie = sessions().write(&ForeignSession::new("", values(json!({"a": value}))), NOW).await;
        cookie.map(|cookie| cookie.len()).map_err(|error| error.kind())
    };
    assert!(write(json!("a".repeat(2_700))).await.is_ok_and(|length| length > 3_700));
    assert_eq!(write(json!("a".repeat(3_000))).await, Err(ForeignErrorKind::Unsupported));
    assert_eq!(write(json!({"__proto__": 1})).await, Err(ForeignErrorKind::Unsupported));
    assert_eq!(write((0..70).fold(json!(1), |inner, _| json!([inner]))).await, Err(ForeignErrorKind::Unsupported));
}

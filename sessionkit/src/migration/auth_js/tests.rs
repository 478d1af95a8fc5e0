//! Worked examples by Auth.js and NextAuth.js, and attacks on their tokens.

use aes_gcm::aead::{Aead as _, Payload};
use aes_gcm::{Aes256Gcm, KeyInit as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cbc::cipher::block_padding::NoPadding;
use cbc::cipher::{BlockModeEncrypt as _, KeyIvInit as _};
use hkdf::Hkdf;
use serde_json::json;
use sessionkit_core::ForeignErrorKind;
use sha2::Sha256;

use super::*;

const NOW: Timestamp = Timestamp::from_unix_seconds(1_700_000_000);
const SECRET: &str = "3dBz3wXVEFmPe7Yxkzr8BqkeoYTKqCpO";
const OTHER: &str = "p0m2sC9YVXL4hR7dQfT1nWzKbE8uJgA5";
const MONTH: u64 = 30 * 86_400;

fn later(seconds: u64) -> Timestamp {
    NOW.saturating_add(Duration::from_secs(seconds))
}

fn secrets<const N: usize>(secrets: [&str; N]) -> Secrets {
    Secrets::new(secrets).unwrap()
}

fn vector(format: &str) -> Value {
    let vectors: Vec<Value> = serde_json::from_str(include_str!("../vectors.json")).unwrap();
    vectors.into_iter().find(|vector| vector["format"] == format).unwrap()
}

type Make = fn(Secrets) -> AuthJsSessions;

const SYSTEMS: [(&str, Make); 2] = [("auth-js", AuthJsSessions::new), ("next-auth", AuthJsSessions::next_auth)];

async fn kind(sessions: &AuthJsSessions, cookie: &str) -> ForeignErrorKind {
    sessions.open(cookie, NOW).await.expect_err(cookie).kind()
}

/// Encrypts any claims under any header, with the key of NextAuth.js.
fn next_auth(header: &str, claims: &[u8]) -> String {
    let mut key = [0; 32];
    let info = b"NextAuth.js Generated Encryption Key";
    Hkdf::<Sha256>::new(None, SECRET.as_bytes()).expand(info, &mut key).unwrap();
    let header = URL_SAFE_NO_PAD.encode(header);
    let payload = Payload { msg: claims, aad: header.as_bytes() };
    let encrypted = Aes256Gcm::new(&key.into()).encrypt(&[7; 12].into(), payload).unwrap();
    let (text, tag) = encrypted.split_at(claims.len());
    format!(
        "{header}..{}.{}.{}",
        URL_SAFE_NO_PAD.encode([7; 12]),
        URL_SAFE_NO_PAD.encode(text),
        URL_SAFE_NO_PAD.encode(tag)
    )
}

/// Encrypts any text under any header, with the key of Auth.js.
fn auth_js(header: &str, text: &[u8]) -> String {
    use hmac::Mac as _;

    let (mut key, name) = ([0; 64], "__Secure-authjs.session-token");
    let info = format!("Auth.js Generated Encryption Key ({name})");
    Hkdf::<Sha256>::new(Some(name.as_bytes()), SECRET.as_bytes()).expand(info.as_bytes(), &mut key).unwrap();
    let header = URL_SAFE_NO_PAD.encode(header);
    let padding = u8::try_from(16 - text.len() % 16).unwrap();
    let text = [text, &vec![padding; usize::from(padding)]].concat();
    let cipher = cbc::Encryptor::<aes::Aes256>::new_from_slices(&key[32..], &[7; 16]).unwrap();
    let (mut text, length) = (text.clone(), text.len());
    cipher.encrypt_padded::<NoPadding>(&mut text, length).unwrap();
    let mac = hmac::Hmac::<sha2::Sha512>::new_from_slice(&key[..32]).unwrap();
    let bits = (header.len() as u64 * 8).to_be_bytes();
    let tag = mac.chain_update(&header).chain_update([7; 16]).chain_update(&text).chain_update(bits).finalize();
    let [iv, text, tag] = [&[7; 16][..], &text, &tag.into_bytes()[..32]].map(|part| URL_SAFE_NO_PAD.encode(part));
    format!("{header}..{iv}.{text}.{tag}")
}

const HEADER: &str = r#"{"alg":"dir","enc":"A256GCM"}"#;

fn claims(claims: &Value) -> String {
    next_auth(HEADER, claims.to_string().as_bytes())
}

#[tokio::test]
async fn the_worked_examples_are_read() {
    for (format, make) in SYSTEMS {
        let vector = vector(format);
        let sessions = make(secrets([OTHER, vector["secret"].as_str().unwrap()]));
        assert_eq!(sessions.cookie.name(), vector["cookie_name"]);
        let cookie = vector["cookie"].as_str().unwrap();
        let mut session = sessions.open(cookie, NOW).await.unwrap();
        assert_eq!((session.id(), session.written_at), (cookie, Some(NOW)));
        assert_eq!(session.expires_at, Some(later(MONTH + 15)));
        assert!(session.values.remove("jti").unwrap().as_str().unwrap().len() == 36);
        assert_eq!(Value::Object(session.values.clone()), vector["payload"], "{format}");
        sessions.end(&session).await.unwrap();
        assert!(!sessions.writes());
        assert_eq!(sessions.write(&session, NOW).await.unwrap_err().kind(), ForeignErrorKind::Unsupported);
    }
}

#[tokio::test]
async fn each_altered_cookie_is_refused_alike() {
    for (format, make) in SYSTEMS {
        let vector = vector(format);
        let sessions = make(secrets([vector["secret"].as_str().unwrap()]));
        let cookie = vector["cookie"].as_str().unwrap();
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
        for other in
            [format!("{cookie}."), format!("{cookie}="), format!("{cookie} "), cookie.replacen("..", ".AA.", 1)]
        {
            assert_eq!(kind(&sessions, &other).await, ForeignErrorKind::Invalid, "{other}");
        }
        assert_eq!(kind(&sessions, &"a".repeat(1 << 20)).await, ForeignErrorKind::Invalid);
        assert_eq!(kind(&make(secrets([OTHER])), cookie).await, ForeignErrorKind::Invalid);
        // Neither reads what the other one wrote.
        for (_, other) in SYSTEMS.into_iter().filter(|(name, _)| *name != format) {
            assert_eq!(
                kind(&other(secrets([vector["secret"].as_str().unwrap()])), cookie).await,
                ForeignErrorKind::Invalid
            );
        }
    }
}

#[tokio::test]
async fn a_token_of_auth_js_is_of_one_cookie() {
    let (theirs, older) = (vector("auth-js"), vector("next-auth"));
    let sessions = |make: Make| make(secrets([theirs["secret"].as_str().unwrap()])).cookie(ForeignCookie::new("other"));
    assert_eq!(
        kind(&sessions(AuthJsSessions::new), theirs["cookie"].as_str().unwrap()).await,
        ForeignErrorKind::Invalid
    );
    assert!(sessions(AuthJsSessions::next_auth).open(older["cookie"].as_str().unwrap(), NOW).await.is_ok());
    let back = sessions(AuthJsSessions::new).cookie(ForeignCookie::new("__Secure-authjs.session-token"));
    assert!(back.open(theirs["cookie"].as_str().unwrap(), NOW).await.is_ok());
}

#[tokio::test]
async fn a_token_is_good_for_a_while_around_its_times() {
    let sessions = AuthJsSessions::next_auth(secrets([SECRET]));
    let time = |time: Timestamp| time.unix_seconds();
    let earlier = NOW.saturating_sub(Duration::from_secs(15));
    for (given, ok) in [
        (json!({"exp": time(later(1))}), true),
        (json!({"exp": time(earlier) + 1}), true),
        (json!({"exp": time(earlier)}), false),
        (json!({"exp": 0}), false),
        (json!({"exp": time(later(60)), "iat": time(later(15))}), true),
        (json!({"exp": time(later(60)), "iat": time(later(16))}), false),
        (json!({"exp": time(later(60)), "nbf": time(later(15))}), true),
        (json!({"exp": time(later(60)), "nbf": time(later(16)), "iat": 0}), false),
        (json!({"exp": u64::MAX, "iat": 0}), true),
    ] {
        let opened = sessions.open(&claims(&given), NOW).await;
        assert_eq!(
            opened.map(|session| session.values.len()).map_err(|error| error.kind()),
            if ok { Ok(0) } else { Err(ForeignErrorKind::Invalid) },
            "{given}"
        );
    }
}

#[tokio::test]
async fn hostile_claims_are_not_read() {
    let sessions = AuthJsSessions::next_auth(secrets([SECRET]));
    let deep = format!(r#"{{"exp":1800000000,"a":{}1{}}}"#, "[".repeat(100), "]".repeat(100));
    for text in [
        "[]",
        "null",
        "\"text\"",
        "{",
        "",
        "{}",
        r#"{"exp":null}"#,
        r#"{"exp":"1800000000"}"#,
        r#"{"exp":1800000000.5}"#,
        r#"{"exp":-1}"#,
        r#"{"exp":1800000000,"iat":"now"}"#,
        r#"{"exp":1800000000,"nbf":[]}"#,
        r#"{"exp":1800000000,"exp":1800000001}"#,
        r#"{"exp":1800000000,"__proto__":{"admin":true}}"#,
        &deep,
    ] {
        let error = sessions.open(&next_auth(HEADER, text.as_bytes()), NOW).await.expect_err(text);
        assert_eq!(error.kind(), ForeignErrorKind::Unreadable, "{text}");
        assert!(!error.to_string().contains("admin"), "{error}");
    }
    assert_eq!(
        kind(&sessions, &next_auth(HEADER, b"{\"exp\":1800000000,\"a\":\"\xff\"}")).await,
        ForeignErrorKind::Unreadable
    );
}

#[tokio::test]
async fn no_header_asks_for_something_else() {
    let text = br#"{"exp":1800000000}"#;
    type Forge = fn(&str, &[u8]) -> String;
    let systems: [(Make, Forge, &str, &str); 2] = [
        (AuthJsSessions::new, auth_js, "A256CBC-HS512", "A256GCM"),
        (AuthJsSessions::next_auth, next_auth, "A256GCM", "A256CBC-HS512"),
    ];
    for (make, forge, algorithm, other) in systems {
        let sessions = make(secrets([SECRET]));
        let header = |rest: &str| format!(r#"{{"alg":"dir","enc":"{algorithm}"{rest}}}"#);
        assert!(sessions.open(&forge(&header(""), text), NOW).await.is_ok(), "{algorithm}");
        for header in [
            header(r#","zip":"DEF""#),
            header(r#","crit":["exp"]"#),
            header(r#","kid":"another""#),
            header(r#","kid":null"#),
            header(r#","alg":"dir""#),
            header("").replace("dir", "none"),
            header("").replace("dir", "A256KW"),
            header("").replace(algorithm, "A128GCM"),
            header("").replace(algorithm, other),
            r#"{"alg":"dir"}"#.to_owned(),
            header("").replace(r#""alg":"dir","#, ""),
            "[]".to_owned(),
            String::new(),
        ] {
            assert_eq!(kind(&sessions, &forge(&header, text)).await, ForeignErrorKind::Invalid, "{header}");
        }
    }
}

#[test]
fn secrets_are_not_shown() {
    for (_, make) in SYSTEMS {
        let shown = format!("{:?}", make(secrets([SECRET])));
        assert!(shown.contains("session-token") && !shown.contains(SECRET), "{shown}");
    }
}

//! Cookies with a right signature, and texts in them that their systems would not write.

use super::cases::CASES;
use super::*;

#[cfg(feature = "itsdangerous")]
use super::super::{TimestampSigner, payload};

#[cfg(feature = "itsdangerous")]
pub(super) fn starlette(text: &str) -> String {
    use base64::Engine as _;
    let value = base64::engine::general_purpose::STANDARD.encode(text);
    TimestampSigner::new(secrets([SECRET]), "itsdangerous.Signer").sign(&value, NOW)
}

#[cfg(feature = "itsdangerous")]
pub(super) fn flask(text: &str) -> String {
    let value = payload::encode(text.as_bytes()).unwrap();
    TimestampSigner::with_hmac_keys(secrets([SECRET]), "cookie-session").sign(&value, NOW)
}

/// Computes an HMAC-SHA256 from its definition in the crate, apart from the formats.
#[cfg(any(feature = "itsdangerous", feature = "jwt", feature = "signed-json"))]
fn hmac(key: &[u8], text: &[u8]) -> [u8; 32] {
    use hmac::{KeyInit as _, Mac as _};
    hmac::Hmac::<sha2::Sha256>::new_from_slice(key).unwrap().chain_update(text).finalize().into_bytes().into()
}

#[cfg(any(feature = "itsdangerous", feature = "jwt", feature = "signed-json"))]
fn url_safe(bytes: impl AsRef<[u8]>) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(feature = "itsdangerous")]
pub(super) fn django(text: &str) -> String {
    use sha2::Digest as _;
    let value = payload::encode(text.as_bytes()).unwrap();
    let salt = "django.contrib.sessions.backends.signed_cookies";
    let key = sha2::Sha256::digest(format!("{salt}signer{SECRET}"));
    let signed = format!("{value}:1r31eq");
    format!("{signed}:{}", url_safe(hmac(&key, signed.as_bytes())))
}

#[cfg(feature = "signed-json")]
pub(super) fn signed_json(text: &str) -> String {
    signed_json_of(&format!("{{\"iat\":1700000000,\"exp\":1700003600,\"data\":{text}}}"))
}

#[cfg(feature = "signed-json")]
fn signed_json_of(text: &str) -> String {
    let key = hmac(SECRET.as_bytes(), b"sessionkit signed-json v1\0session");
    let signed = format!("v1.{}", url_safe(text));
    format!("{signed}.{}", url_safe(hmac(&key, signed.as_bytes())))
}

#[cfg(feature = "fernet")]
pub(super) fn fernet(text: &str) -> String {
    use base64::Engine as _;
    let key = base64::engine::general_purpose::URL_SAFE.encode(SECRET);
    super::super::Fernet::new([key]).unwrap().encrypt(text.as_bytes(), NOW)
}

/// The claims with which the values of a text become those of a token.
#[cfg(feature = "jwt")]
fn with_claims(text: &str) -> String {
    let rest = text.strip_prefix('{').map(|rest| (if rest == "}" { "" } else { "," }, rest));
    rest.map_or(text.to_owned(), |(comma, rest)| format!("{{\"aud\":\"session\",\"iat\":1700000000{comma}{rest}"))
}

#[cfg(feature = "jwt")]
pub(super) fn jwt_hs256(text: &str) -> String {
    let header = url_safe(r#"{"alg":"HS256","typ":"JWT"}"#);
    let signed = format!("{header}.{}", url_safe(with_claims(text)));
    format!("{signed}.{}", url_safe(hmac(SECRET.as_bytes(), signed.as_bytes())))
}

#[cfg(feature = "muffin")]
pub(super) fn muffin_jwt(text: &str) -> String {
    muffin_jwt_of(r#"{"alg":"HS256","typ":"JWT"}"#, text)
}

#[cfg(feature = "muffin")]
fn muffin_jwt_of(header: &str, text: &str) -> String {
    let signed = format!("{}.{}", url_safe(header), url_safe(text));
    format!("{signed}.{}", url_safe(hmac(SECRET.as_bytes(), signed.as_bytes())))
}

#[cfg(feature = "jwt")]
pub(super) fn jwt_ed25519(text: &str) -> String {
    use ed25519_dalek::Signer as _;
    let header = url_safe(r#"{"alg":"EdDSA","typ":"JWT"}"#);
    let signed = format!("{header}.{}", url_safe(with_claims(text)));
    let key = ed25519_dalek::SigningKey::from_bytes(SECRET.as_bytes().first_chunk().unwrap());
    format!("{signed}.{}", url_safe(key.sign(signed.as_bytes()).to_bytes()))
}

#[cfg(feature = "jwt")]
pub(super) fn ed25519_key(seed: &str) -> super::super::Ed25519Key {
    url_safe(seed).parse().unwrap()
}

#[test]
fn a_forged_cookie_is_read_if_its_text_is_right() {
    for case in CASES {
        let format = (case.make)(secrets([SECRET]));
        let read = format.read(&(case.forge)(r#"{"user_id":123}"#), NOW);
        assert_eq!(read.map(|content| content.values["user_id"].clone()), Ok(json!(123)), "{}", case.name);
    }
}

#[test]
fn a_signature_does_not_make_a_text_right() {
    let nested = |levels: usize| format!("{{\"a\":{}{}}}", "[".repeat(levels), "]".repeat(levels));
    for case in CASES {
        let format = (case.make)(secrets([SECRET]));
        for text in [
            "",
            "{",
            "{}x",
            "null",
            "[]",
            "\"a\"",
            r#"{"a":1,"a":2}"#,
            r#"{"b":{"a":1,"\u0061":2}}"#,
            r#"{"a":NaN}"#,
            r#"{"a":123456789012345678901}"#,
            r#"{"a":"\ud800"}"#,
            &nested(64),
            &nested(500),
            &nested(5_000),
        ] {
            let cookie = (case.forge)(text);
            assert_eq!(format.read(&cookie, NOW), Err(InvalidCookie), "{}: {}", case.name, &text[..text.len().min(40)]);
        }
        assert!(format.read(&(case.forge)(&nested(60)), NOW).is_ok(), "{}", case.name);
    }
}

/// Half a cookie of garbage behind a right signature.
#[test]
fn a_signed_text_of_garbage_does_no_harm() {
    let mut random = Random(7);
    for case in CASES {
        let format = (case.make)(secrets([SECRET]));
        let mut valid = 0;
        for _ in 0..1000 {
            const PARTS: [&str; 18] = [
                "{", "}", "[", "]", "\"", ":", ",", "\"a\":", "\" t\":", "\" di\":", "\" u\":", "1", "-", "e9", "\\u",
                "null", "\"a\"", "é",
            ];
            let length = random.below(12);
            let text: String = (0..length).map(|_| PARTS[random.below(PARTS.len())]).collect();
            let read = format.read(&(case.forge)(&text), NOW);
            assert!(read.is_err() || text.starts_with('{'), "{}: {text}", case.name);
            valid += usize::from(read.is_ok());
        }
        assert!(valid < 50, "{}", case.name);
    }
}

#[cfg(feature = "itsdangerous")]
#[test]
fn a_compressed_cookie_is_not_unpacked_to_more_than_the_limit() {
    use miniz_oxide::deflate::compress_to_vec_zlib;
    let of = |text: &str| {
        let value = format!(".{}", url_safe(compress_to_vec_zlib(text.as_bytes(), 9)));
        TimestampSigner::with_hmac_keys(secrets([SECRET]), "cookie-session").sign(&value, NOW)
    };
    let format = super::super::Flask::new(secrets([SECRET]));
    let read = |text: &str| super::super::CookieFormat::read(&format, &of(text), NOW);
    assert!(read(&format!("{{\"a\":\"{}\"}}", "x".repeat(60_000))).is_ok());
    for length in [70_000, 8_000_000] {
        assert_eq!(read(&format!("{{\"a\":\"{}\"}}", "x".repeat(length))), Err(InvalidCookie), "{length}");
    }
}

#[cfg(feature = "signed-json")]
#[test]
fn signed_json_has_its_three_members() {
    let format = super::super::SignedJson::new(secrets([SECRET]), "session");
    let read = |text: &str| super::super::CookieFormat::read(&format, &signed_json_of(text), NOW).is_ok();
    assert!(read(r#"{"iat": 1700000000, "exp": 1700000001, "data": {}}"#));
    assert!(read(r#"{"data": {"a": []}, "exp": 18446744073709551615, "iat": 1700000000}"#));
    for text in [
        r#"{"iat":1700000000,"exp":1700000001}"#,
        r#"{"iat":1700000000,"data":{}}"#,
        r#"{"exp":1700000001,"data":{}}"#,
        r#"{"iat":1700000000,"exp":1700000001,"data":[]}"#,
        r#"{"iat":1700000000,"exp":1700000001,"data":null}"#,
        r#"{"iat":1700000000,"exp":1700000001,"data":{},"more":1}"#,
        r#"{"iat":1700000000,"exp":1700000000,"data":{}}"#,
        r#"{"iat":1700000000.0,"exp":1700000001,"data":{}}"#,
        r#"{"iat":"1700000000","exp":1700000001,"data":{}}"#,
        r#"{"iat":-1,"exp":1700000001,"data":{}}"#,
        r#"{"iat":1700000000,"exp":1e10,"data":{}}"#,
        r#"{"iat":1700000011,"exp":1700000099,"data":{}}"#,
        r#"{"iat":1600000000,"exp":1700000099,"data":{}}"#,
    ] {
        assert!(!read(text), "{text}");
    }
    let v2 = signed_json_of("{}").replacen("v1.", "v2.", 1);
    assert_eq!(super::super::CookieFormat::read(&format, &v2, NOW), Err(InvalidCookie));
}

#[cfg(feature = "muffin")]
#[test]
fn a_token_of_muffin_has_one_header_and_right_claims() {
    use super::super::CookieFormat as _;
    let format = super::super::Muffin::jwt(secrets([SECRET]));
    let read = |header, text| format.read(&muffin_jwt_of(header, text), NOW).is_ok();
    let header = r#"{"alg":"HS256","typ":"JWT"}"#;
    for text in [r#"{"sub":"ana","jti":"1","iss":2,"exp":1700000001,"iat":1700000000,"nbf":1}"#, r#"{"id":7}"#] {
        assert!(read(header, text), "{text}");
        let content = format.read(&muffin_jwt(text), NOW).unwrap();
        assert_eq!(format.read(&format.write(&content, NOW).unwrap(), NOW), Ok(content));
    }
    for (text, name) in [
        (r#"{"exp":1700000000}"#, "exp"),
        (r#"{"exp":"1700000001"}"#, "exp"),
        (r#"{"iat":1700000001}"#, "iat"),
        (r#"{"nbf":1700000001}"#, "nbf"),
        (r#"{"nbf":null}"#, "nbf"),
        (r#"{"aud":"shop"}"#, "aud"),
        (r#"{"sub":7}"#, "sub"),
        (r#"{"jti":7}"#, "jti"),
    ] {
        assert!(!read(header, text), "{text}");
        let content = CookieContent::new(serde_json::from_str(text).unwrap());
        let error = format.write(&content, NOW).unwrap_err().to_string();
        assert!(error.contains(&format!("`{name}`")), "{error}");
    }
    for header in [
        r#"{"typ":"JWT","alg":"HS256"}"#,
        r#"{"alg":"HS256","typ":"JWT","kid":"1"}"#,
        r#"{"alg":"HS256"}"#,
        r#"{"alg":"none","typ":"JWT"}"#,
        r#"{"alg":"HS512","typ":"JWT"}"#,
        r#"{"alg": "HS256","typ":"JWT"}"#,
    ] {
        assert!(!read(header, r#"{"id":7}"#), "{header}");
    }
}

#[cfg(feature = "muffin")]
#[test]
fn a_secret_of_muffins_fernet_has_32_bytes_at_most() {
    use super::super::Muffin;
    let of = |secret: String| Muffin::fernet(Secrets::of_running_application([secret]).unwrap());
    assert!(of("x".repeat(32)).is_ok() && of("short".to_owned()).is_ok());
    for secret in ["x".repeat(33), "é".repeat(17)] {
        let error = of(secret.clone()).unwrap_err().to_string();
        assert!(error.contains("more than 32 bytes") && !error.contains(&secret), "{error}");
    }
}

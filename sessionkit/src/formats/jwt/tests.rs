//! What is particular to JSON Web Tokens. What all formats promise is in `formats/tests`.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::json;

use super::*;

const NOW: Timestamp = Timestamp::from_unix_seconds(1_700_000_000);
const SECRET: &str = "3dBz3wXVEFmPe7Yxkzr8BqkeoYTKqCpO";
const OTHER: &str = "p0m2sC9YVXL4hR7dQfT1nWzKbE8uJgA5";
const HEADER: &str = r#"{"alg":"HS256","typ":"JWT"}"#;
/// The key of RFC 8037, appendix A.
const SEED: &str = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A";
const PUBLIC: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

fn later(seconds: u64) -> Timestamp {
    NOW.saturating_add(Duration::from_secs(seconds))
}

fn hs256() -> Jwt {
    Jwt::hs256(Secrets::new([SECRET]).unwrap())
}

fn content(values: Value) -> CookieContent {
    CookieContent::new(values.as_object().unwrap().clone())
}

/// Signs any texts with HMAC-SHA256, apart from the format.
fn forge_with(key: &[u8], header: &str, claims: &str) -> String {
    let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let mac = Hmac::<sha2::Sha256>::new_from_slice(key).unwrap().chain_update(&signed).finalize();
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(mac.into_bytes()))
}

fn forge(header: &str, claims: &str) -> String {
    forge_with(SECRET.as_bytes(), header, claims)
}

fn reads(format: &Jwt, claims: &str) -> bool {
    format.read(&forge(HEADER, claims), NOW).is_ok()
}

#[test]
fn row_20_the_token_of_muffin() {
    let vectors: Vec<Value> = serde_json::from_str(include_str!("../tests/vectors.json")).unwrap();
    let vector = vectors.iter().find(|vector| vector["format"] == "muffin-jwt").unwrap();
    let text = |name: &str| vector[name].as_str().unwrap();
    let keys = Keys::hs256(&Secrets::unchecked([text("secret")]));
    let cookie = keys.sign(text("header"), &vector["payload"].to_string()).unwrap();
    assert_eq!(cookie, text("cookie"));
    let token = Token::parse(&cookie).unwrap();
    assert_eq!(keys.verify(&token), Ok(0));
    assert_eq!(token.header().unwrap(), text("header").as_bytes());
    assert_eq!(token.claims().unwrap(), vector["payload"].to_string().as_bytes());
}

#[test]
fn row_15_the_signatures_of_the_rfcs() {
    // RFC 7515, appendix A.1, whose header has line ends in it.
    let key = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
    let cookie = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9le\
                  GFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    let mac = Hmac::new_from_slice(&URL_SAFE_NO_PAD.decode(key).unwrap()).unwrap();
    let format = Jwt::of_keys(Keys::Hs256([mac].into())).issuer("joe");
    let read = format.read(cookie, Timestamp::from_unix_seconds(1_300_819_379)).unwrap();
    assert_eq!(Value::Object(read.values), json!({"http://example.com/is_root": true}));
    assert!(format.read(cookie, Timestamp::from_unix_seconds(1_300_819_380)).is_err());

    // RFC 8037, appendix A.4: its claims are no JSON.
    let signature = "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
    let key: Ed25519Key = SEED.parse().unwrap();
    let token = Keys::ed25519(&key, []).sign(r#"{"alg":"EdDSA"}"#, "Example of Ed25519 signing").unwrap();
    assert_eq!(token, format!("eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.{signature}"));
    assert_eq!(key.public_key().to_string(), PUBLIC);
}

#[test]
fn row_15_the_header_is_exact() {
    let format = hs256();
    let claims = r#"{"iat":1700000000}"#;
    for good in [HEADER, r#"{ "typ": "JWT", "alg": "HS256" }"#, r#"{"alg":"HS256","typ":"JWT","kid":"any"}"#] {
        assert!(format.read(&forge(good, claims), NOW).is_ok(), "{good}");
    }
    for bad in [
        r#"{"alg":"none","typ":"JWT"}"#,
        r#"{"alg":"None","typ":"JWT"}"#,
        r#"{"alg":"hs256","typ":"JWT"}"#,
        r#"{"alg":"HS512","typ":"JWT"}"#,
        r#"{"alg":"EdDSA","typ":"JWT"}"#,
        r#"{"alg":["HS256"],"typ":"JWT"}"#,
        r#"{"alg":"HS256","typ":"jwt"}"#,
        r#"{"alg":"HS256","typ":"at+jwt"}"#,
        r#"{"alg":"HS256","typ":null}"#,
        r#"{"alg":"HS256"}"#,
        r#"{"typ":"JWT"}"#,
        r#"{"alg":"HS256","typ":"JWT","kid":1}"#,
        r#"{"alg":"HS256","typ":"JWT","crit":["exp"]}"#,
        r#"{"alg":"HS256","typ":"JWT","crit":[]}"#,
        r#"{"alg":"HS256","typ":"JWT","jku":"https://example.org"}"#,
        r#"{"alg":"HS256","typ":"JWT","jwk":{"kty":"oct","k":""}}"#,
        r#"{"alg":"HS256","typ":"JWT","b64":false}"#,
        r#"{"alg":"HS256","typ":"JWT","cty":"JWT"}"#,
        r#"{"alg":"none","alg":"HS256","typ":"JWT"}"#,
        r#"{"alg":"HS256","typ":"JWT"} "x""#,
        "[]",
        "",
    ] {
        assert_eq!(format.read(&forge(bad, claims), NOW), Err(InvalidCookie), "{bad}");
    }
    let typed = hs256().token_type("session+jwt");
    assert_eq!(typed.read(&forge(HEADER, claims), NOW), Err(InvalidCookie));
    let cookie = typed.write(&CookieContent::default(), NOW).unwrap();
    assert!(typed.read(&cookie, NOW).is_ok() && format.read(&cookie, NOW).is_err());
}

#[test]
fn row_15_an_unsigned_token_is_refused() {
    let claims = URL_SAFE_NO_PAD.encode(r#"{"iat":1700000000}"#);
    let ed25519 = Jwt::ed25519_verifying([PUBLIC.parse().unwrap()]);
    for header in [HEADER, r#"{"alg":"none","typ":"JWT"}"#, r#"{"alg":"EdDSA","typ":"JWT"}"#] {
        let header = URL_SAFE_NO_PAD.encode(header);
        for cookie in [
            format!("{header}.{claims}."),
            format!("{header}.{claims}"),
            format!("{header}.{claims}.AA"),
            format!("{header}.{claims}.{}", "A".repeat(86)),
            format!("{header}..{claims}"),
            format!("{header}.A.A.{claims}.A"),
        ] {
            assert_eq!(hs256().read(&cookie, NOW), Err(InvalidCookie), "{cookie}");
            assert_eq!(ed25519.read(&cookie, NOW), Err(InvalidCookie), "{cookie}");
        }
    }
    let valid = forge(HEADER, r#"{"iat":1700000000}"#);
    for more in ["A.", "A.A."] {
        assert_eq!(hs256().read(&format!("{more}{valid}"), NOW), Err(InvalidCookie), "{more}");
        assert_eq!(hs256().read(&valid.replacen('.', &format!(".{more}"), 1), NOW), Err(InvalidCookie), "{more}");
    }
}

#[test]
fn row_15_a_public_key_is_no_secret() {
    let public: Ed25519PublicKey = PUBLIC.parse().unwrap();
    let format = Jwt::ed25519_verifying([public]);
    let pem = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n-----END PUBLIC KEY-----\n";
    assert_eq!(pem.parse(), Ok(public));
    for key in [public.0.as_bytes().as_slice(), PUBLIC.as_bytes(), pem.as_bytes()] {
        for header in [HEADER, r#"{"alg":"EdDSA","typ":"JWT"}"#] {
            let cookie = forge_with(key, header, r#"{"iat":1700000000}"#);
            assert_eq!(format.read(&cookie, NOW), Err(InvalidCookie), "{header}");
        }
    }
}

#[test]
fn row_15_times_are_enforced() {
    let format = hs256().max_age(Duration::from_secs(1000));
    for (claims, good) in [
        (r#"{"iat":1700000000}"#, true),
        (r#"{"exp":1700000001}"#, true),
        (r#"{"exp":1700000001.5,"iat":1699999999.25,"nbf":1e9}"#, true),
        (r#"{"iat":1700000060}"#, true),
        (r#"{"iat":1700000061}"#, false),
        (r#"{"iat":1699999000}"#, true),
        (r#"{"iat":1699998999}"#, false),
        (r#"{"iat":1699998999,"exp":1800000000}"#, false),
        (r#"{"exp":1700000000}"#, false),
        (r#"{"exp":1700000000.9}"#, false),
        (r#"{"exp":1700000001,"nbf":1700000060}"#, true),
        (r#"{"exp":1700000001,"nbf":1700000061}"#, false),
        (r#"{"exp":18446744073709551615}"#, true),
        (r#"{"exp":1e300}"#, false),
        (r#"{"exp":-1,"iat":1700000000}"#, false),
        (r#"{"exp":null,"iat":1700000000}"#, false),
        (r#"{"exp":"1800000000","iat":1700000000}"#, false),
        (r#"{"exp":1800000000,"iat":"1700000000"}"#, false),
        (r#"{"exp":1800000000,"nbf":true}"#, false),
        (r#"{"nbf":1700000000}"#, false),
        ("{}", false),
    ] {
        assert_eq!(reads(&format, claims), good, "{claims}");
    }
    let mut content = content(json!({}));
    content.expires_at = Some(later(5000));
    let cookie = format.write(&content, NOW).unwrap();
    assert_eq!(format.read(&cookie, NOW).unwrap().expires_at, Some(later(1000)), "no longer than allowed");
}

#[test]
fn row_15_audience_and_issuer_are_enforced() {
    let format = hs256().audience("shop").issuer("login");
    for (claims, good) in [
        (r#"{"iat":1700000000,"aud":"shop","iss":"login"}"#, true),
        (r#"{"iat":1700000000,"aud":["wiki","shop"],"iss":"login"}"#, true),
        (r#"{"iat":1700000000,"aud":["wiki"],"iss":"login"}"#, false),
        (r#"{"iat":1700000000,"aud":["shop",1],"iss":"login"}"#, false),
        (r#"{"iat":1700000000,"aud":[],"iss":"login"}"#, false),
        (r#"{"iat":1700000000,"aud":"shops","iss":"login"}"#, false),
        (r#"{"iat":1700000000,"aud":"shop","iss":"Login"}"#, false),
        (r#"{"iat":1700000000,"aud":"shop","iss":["login"]}"#, false),
        (r#"{"iat":1700000000,"aud":"shop"}"#, false),
        (r#"{"iat":1700000000,"iss":"login"}"#, false),
        (r#"{"iat":1700000000,"aud":null,"iss":"login"}"#, false),
        (r#"{"iat":1700000000}"#, false),
    ] {
        assert_eq!(reads(&format, claims), good, "{claims}");
    }
    for claims in [r#"{"iat":1700000000,"aud":"shop"}"#, r#"{"iat":1700000000,"iss":"login"}"#] {
        assert!(!reads(&hs256(), claims), "{claims}");
    }
    let values = json!({"sub": "ana"});
    let read = format.read(&format.write(&content(values.clone()), NOW).unwrap(), NOW).unwrap();
    assert_eq!(Value::Object(read.values), values, "registered claims are no values");
}

#[test]
fn registered_claims_are_no_values() {
    for name in ["aud", "exp", "iat", "iss", "nbf"] {
        let error = hs256().write(&content(json!({name: "a value"})), NOW).unwrap_err().to_string();
        assert!(error.contains(&format!("`{name}`")) && !error.contains("a value"), "{error}");
    }
    for name in ["sub", "jti"] {
        assert!(hs256().write(&content(json!({name: "ana"})), NOW).is_ok());
        let error = hs256().write(&content(json!({name: 7})), NOW).unwrap_err().to_string();
        assert!(error.contains(&format!("`{name}`")), "{error}");
        assert!(!reads(&hs256(), &format!("{{\"iat\":1700000000,\"{name}\":7}}")));
        assert!(!reads(&hs256(), &format!("{{\"iat\":1700000000,\"{name}\":\"a\",\"{name}\":\"b\"}}")));
    }
    assert!(!reads(&hs256(), r#"{"exp":1800000000,"exp":1900000000}"#), "a claim is there twice");
}

#[test]
fn a_name_selects_its_key() {
    let named = |secrets: [&str; 2], ids: [&str; 2]| Jwt::hs256(Secrets::new(secrets).unwrap()).key_ids(ids).unwrap();
    let format = named([SECRET, OTHER], ["new", "old"]);
    let cookie = format.write(&CookieContent::default(), NOW).unwrap();
    let header = URL_SAFE_NO_PAD.decode(cookie.split('.').next().unwrap()).unwrap();
    assert_eq!(header, br#"{"alg":"HS256","typ":"JWT","kid":"new"}"#);
    assert!(format.read(&cookie, NOW).is_ok() && hs256().read(&cookie, NOW).is_ok());
    assert!(named([OTHER, SECRET], ["newer", "new"]).read(&cookie, NOW).is_ok());
    assert!(named([OTHER, SECRET], ["new", "old"]).read(&cookie, NOW).is_err(), "another key has the name");
    assert!(format.read(&hs256().write(&CookieContent::default(), NOW).unwrap(), NOW).is_ok(), "without a name");
    for kid in ["old", "unknown", ""] {
        let header = format!(r#"{{"alg":"HS256","typ":"JWT","kid":"{kid}"}}"#);
        assert!(format.read(&forge(&header, r#"{"iat":1700000000}"#), NOW).is_err(), "{kid}");
    }
    let ids = |ids: &[&str]| hs256().key_ids(ids.iter().copied()).map(drop).map_err(|error| error.to_string());
    assert!(ids(&[]).unwrap_err().contains("0 ids for 1 keys") && ids(&["a", "b"]).is_err() && ids(&["\"a"]).is_ok());
    assert!(Jwt::hs256(Secrets::new([SECRET, OTHER]).unwrap()).key_ids(["a", "a"]).is_err());
}

#[test]
fn a_public_key_verifies_and_cannot_write() {
    let key: Ed25519Key = SEED.parse().unwrap();
    let writer = Jwt::ed25519(&key, []);
    let reader = Jwt::ed25519_verifying([key.public_key()]);
    let cookie = writer.write(&content(json!({"a": 1})), NOW).unwrap();
    assert_eq!(reader.read(&cookie, NOW).unwrap().values["a"], 1);
    assert!(reader.write(&CookieContent::default(), NOW).unwrap_err().to_string().contains("no key"));
    assert_eq!(Jwt::ed25519_verifying([]).read(&cookie, NOW), Err(InvalidCookie));
    assert!(reader.key_ids(["a"]).is_ok());
}

#[test]
fn a_key_of_ed25519_is_read() {
    let pem = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n-----END PRIVATE KEY-----\n";
    let key: Ed25519Key = pem.parse().unwrap();
    assert_eq!(key.0.to_bytes(), SEED.parse::<Ed25519Key>().unwrap().0.to_bytes());
    let shown = format!("{key:?} {:?}", key.public_key());
    assert!(shown.contains(PUBLIC) && !shown.contains(&SEED[..8]), "{shown}");
    let zeros = URL_SAFE_NO_PAD.encode([0; 32]);
    for refused in ["", "x", &zeros, &SEED[..42], &pem.replace("PRIVATE", "PUBLIC"), &pem.replace("MC4C", "MC4D")] {
        let error = refused.parse::<Ed25519Key>().unwrap_err().to_string();
        assert!(error.contains("openssl"), "{error}");
    }
    // The neutral element: each signature of its owner fits any text.
    let neutral = URL_SAFE_NO_PAD.encode([&[1][..], &[0; 31]].concat());
    for refused in ["", "x", &neutral, &PUBLIC[..42], pem] {
        assert!(refused.parse::<Ed25519PublicKey>().is_err(), "{refused}");
    }
}

//! The examples of the specification, those of the systems, and what only the form of a token can be wrong in.

use serde_json::Value;

use super::*;
use crate::formats::Secrets;

/// The key, the time and the text of the examples in the specification.
const KEY: &str = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=";
const WRITTEN_AT: Timestamp = Timestamp::from_unix_seconds(499_162_800);
const TEXT: &[u8] = b"hello";
const TOKEN: &str =
    "gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4IwqDA==";

const NOW: Timestamp = Timestamp::from_unix_seconds(1_700_000_000);

fn bytes_of_key() -> [u8; 32] {
    URL_SAFE.decode(KEY).unwrap().try_into().unwrap()
}

/// The key is published, so it is not taken otherwise.
fn format() -> Fernet {
    Fernet::of_keys([Zeroizing::new(bytes_of_key())]).max_age(Duration::from_secs(60))
}

fn iv() -> [u8; 16] {
    std::array::from_fn(|at| u8::try_from(at).unwrap())
}

fn later(seconds: u64) -> Timestamp {
    WRITTEN_AT.saturating_add(Duration::from_secs(seconds))
}

/// Signs what may be no token.
fn signed(bytes: &[u8]) -> String {
    use hmac::{Hmac, KeyInit as _, Mac as _};
    let mac = Hmac::<sha2::Sha256>::new_from_slice(&bytes_of_key()[..16]).unwrap();
    URL_SAFE.encode([bytes, &mac.chain_update(bytes).finalize().into_bytes()].concat())
}

fn vector(format: &str) -> Value {
    let vectors: Vec<Value> = serde_json::from_str(include_str!("../tests/vectors.json")).unwrap();
    vectors.into_iter().find(|vector| vector["format"] == format).unwrap()
}

#[test]
fn the_token_of_the_specification_is_written() {
    assert_eq!(Key::new(&bytes_of_key()).encrypt(TEXT, WRITTEN_AT, iv()), TOKEN);
}

#[test]
fn the_token_of_the_specification_is_read() {
    assert_eq!(format().decrypt(TOKEN, later(1)), Ok((TEXT.to_vec(), WRITTEN_AT)));
}

/// The cases of the specification: each differs from the valid token in that alone.
#[test]
fn the_invalid_tokens_of_the_specification_are_refused() {
    let format = format();
    let token = URL_SAFE.decode(TOKEN).unwrap();
    let (content, _) = token.split_at(token.len() - 32);
    let at = |position: usize, byte: u8| {
        let mut changed = content.to_vec();
        changed[position] ^= byte;
        signed(&changed)
    };
    let mut wrong_mac = token.clone();
    *wrong_mac.last_mut().unwrap() ^= 1;
    assert_eq!(signed(content), TOKEN);
    for (name, token, now) in [
        ("incorrect mac", URL_SAFE.encode(&wrong_mac), later(1)),
        ("too short", signed(&content[..25]), later(1)),
        ("invalid base64", TOKEN.replacen("gAAAA", "%%%%%", 1), later(1)),
        ("payload size not multiple of block size", signed(&content[..40]), later(1)),
        ("payload padding error", at(25, 0xff), later(1)),
        ("far-future timestamp", TOKEN.to_owned(), WRITTEN_AT.saturating_sub(Duration::from_secs(61))),
        ("expired", TOKEN.to_owned(), later(61)),
        ("incorrect iv, which makes the padding wrong", at(24, 0xff), later(1)),
        ("another version", at(0, 1), later(1)),
        ("empty", signed(&[]), later(1)),
    ] {
        assert_eq!(format.decrypt(&token, now), Err(InvalidCookie), "{name}");
    }
    assert!(format.decrypt(TOKEN, later(60)).is_ok());
    assert!(format.decrypt(TOKEN, WRITTEN_AT.saturating_sub(Duration::from_secs(60))).is_ok());
}

#[test]
fn each_length_comes_back() {
    let format = format();
    for length in 0..100 {
        let text = vec![7; length];
        let token = format.encrypt(&text, NOW);
        assert_eq!(format.decrypt(&token, NOW), Ok((text, NOW)), "{length}");
    }
    assert_ne!(format.encrypt(TEXT, NOW), format.encrypt(TEXT, NOW), "each token has an IV of its own");
}

#[test]
fn row_20_the_token_of_muffin() {
    let vector = vector("muffin-fernet");
    let key: [u8; 32] = vector["padded_secret"].as_str().unwrap().as_bytes().try_into().unwrap();
    let (text, cookie) = (vector["payload"].to_string(), vector["cookie"].as_str().unwrap());
    assert_eq!(Key::new(&key).encrypt(text.as_bytes(), NOW, iv()), cookie);
    let format = Fernet::of_keys([Zeroizing::new(key)]);
    assert_eq!(Value::Object(format.read(cookie, NOW).unwrap().values), vector["payload"]);
}

#[test]
fn row_12_the_id_of_fastapi_session() {
    let vector = vector("fastapi_session-fernet");
    let secrets = Secrets::unchecked([vector["secret"].as_str().unwrap()]);
    let (id, cookie) = (vector["session_id"].as_str().unwrap(), vector["cookie"].as_str().unwrap());
    let format = FastapiSessionId::new(secrets);
    assert_eq!(format.read_id(cookie, NOW).as_deref(), Ok(id));
    assert_eq!(format.0.keys[0].encrypt(id.as_bytes(), NOW, iv()), cookie);
    let written = format.write_id(id, NOW).unwrap();
    assert_eq!(format.read_id(&written, NOW).as_deref(), Ok(id));
    let last = NOW.saturating_add(Duration::from_secs(14 * 86_400));
    assert!(format.read_id(cookie, last).is_ok());
    assert!(format.read_id(cookie, last.saturating_add(Duration::from_secs(1))).is_err());
    for bit in 0..cookie.len() * 8 {
        let mut altered = cookie.as_bytes().to_vec();
        altered[bit / 8] ^= 1 << (bit % 8);
        let Ok(altered) = String::from_utf8(altered) else { continue };
        assert_eq!(format.read_id(&altered, NOW), Err(InvalidCookie), "bit {bit}");
    }
}

#[test]
fn an_id_is_a_text() {
    let format = FastapiSessionId::new(Secrets::unchecked(["a secret"]));
    for bytes in [&b""[..], b"\xff"] {
        assert_eq!(format.read_id(&format.0.encrypt(bytes, NOW), NOW), Err(InvalidCookie));
    }
    assert!(format.write_id("", NOW).is_err());
    assert!(format.write_id(&"a".repeat(16_000), NOW).unwrap_err().to_string().contains("more than"));
    let other = FastapiSessionId::new(Secrets::unchecked(["another", "a secret"]));
    assert_eq!(other.read_id(&format.write_id("é", NOW).unwrap(), NOW).as_deref(), Ok("é"));
    assert_eq!(format.read_id(&other.write_id("é", NOW).unwrap(), NOW), Err(InvalidCookie));
    assert!(!format!("{other:?}").contains("secret"), "{other:?}");
}

#[test]
fn a_key_is_random_and_of_32_bytes() {
    let good = "wY2m0l0rA0Yb3nTQ6xq1c9oJpV5sKfZ8uHd4eGiBtNs=";
    assert_eq!(Fernet::new([good, good]).unwrap().keys.len(), 2);
    let zeros = URL_SAFE.encode([0; 32]);
    let keys = ["", "short", KEY, &zeros, &good[..43], &good.replace('=', "=="), &URL_SAFE.encode([7; 33])];
    for refused in keys {
        let error = Fernet::new([good, refused]).unwrap_err().to_string();
        assert!(refused.is_empty() || !error.contains(refused), "{error}");
    }
    assert!(Fernet::new(Vec::<String>::new()).unwrap_err().to_string().contains("is missing"));
}

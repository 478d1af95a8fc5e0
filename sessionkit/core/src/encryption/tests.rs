//! Tests of keys, and of values that are moved or altered.

use super::*;

const ONE: SessionId = SessionId::from_bytes([0x11; 16]);
const OTHER: SessionId = SessionId::from_bytes([0x22; 16]);

fn keys(texts: &[&str]) -> KeyRing {
    texts.join(" ").parse().unwrap()
}

/// Three random keys.
const KEYS: [&str; 3] = [
    "3dBz3wXVEFmPe7Yxkzr8BqkeoYTKqCpOQxuL9mHDj1U",
    "p0m2sC9YVXL4hR7dQfT1nWzKbE8uJgA5xOiS3yMvNlc",
    "b6f1c3d84e9a07f25d1b8c3e6a4f907d2c5b8e1a3f6d9047c2e5b8a1d3f60947",
];

fn cipher(keys: KeyRing, session: SessionId) -> Cipher {
    Cipher::new(keys, "Main", session, EncryptedFields::Sensitive)
}

#[test]
fn a_value_comes_back_and_nothing_of_it_is_seen() {
    let cipher = cipher(KeyRing::generate(), ONE);
    for length in [0, 1, 15, 16, 17, 200, 2000, 65_536] {
        let value = vec![b'x'; length];
        let stored = cipher.encrypt("cart.otp", &value);
        assert_eq!(stored.len(), length + OVERHEAD);
        assert_eq!(cipher.opener().decrypt("cart.otp", &stored), Ok(value));
        assert!(!stored.windows(8).any(|window| window == [b'x'; 8]), "{length}");
        assert!(serde_json::from_slice::<serde_json::Value>(&stored).is_err() && str::from_utf8(&stored).is_err());
    }
}

#[test]
fn a_value_opens_in_its_place_alone() {
    let keys = KeyRing::generate();
    let stored = cipher(keys.clone(), ONE).encrypt("cart.otp", b"\"4711\"");
    let opened = |scope, session, field| Opener::new(Some(&keys), scope, session).decrypt(field, &stored);
    assert!(opened("Main", ONE, "cart.otp").is_ok());
    for (scope, session, field) in [
        ("Office", ONE, "cart.otp"),
        ("Main", OTHER, "cart.otp"),
        ("Main", ONE, "cart.pin"),
        ("Main", ONE, "cart.otp/\"1\""),
        ("Main", ONE, ""),
        ("", ONE, "cart.otp"),
    ] {
        assert_eq!(opened(scope, session, field), Err(Undecryptable::Altered), "{scope} {session} {field}");
    }
}

#[test]
fn an_altered_value_opens_nowhere() {
    let cipher = cipher(KeyRing::generate(), ONE);
    let stored = cipher.encrypt("cart.otp", b"\"4711\"");
    for bit in 0..stored.len() * 8 {
        let mut altered = stored.clone();
        altered[bit / 8] ^= 1 << (bit % 8);
        let expected = match bit / 8 {
            1 => Undecryptable::Newer,
            2..6 => Undecryptable::UnknownKey,
            _ => Undecryptable::Altered,
        };
        assert_eq!(cipher.opener().decrypt("cart.otp", &altered), Err(expected), "bit {bit}");
    }
    for length in 0..stored.len() {
        assert!(cipher.opener().decrypt("cart.otp", &stored[..length]).is_err(), "{length} bytes");
    }
    let longer = [&stored[..], &[0]].concat();
    assert_eq!(cipher.opener().decrypt("cart.otp", &longer), Err(Undecryptable::Altered));
}

#[test]
fn a_previous_key_opens_and_a_removed_one_does_not() {
    let stored = cipher(keys(&KEYS[..1]), ONE).encrypt("a.b", b"1");
    let open = |keys: Option<&KeyRing>| Opener::new(keys, "Main", ONE).decrypt("a.b", &stored);
    let (rotated, removed) = (keys(&[KEYS[1], KEYS[0]]), keys(&KEYS[1..]));
    assert_eq!(open(Some(&rotated)), Ok(b"1".to_vec()));
    assert!(!rotated.is_active(&stored) && keys(&KEYS).is_active(&stored));
    assert_eq!(open(Some(&removed)), Err(Undecryptable::UnknownKey));
    assert_eq!(open(None), Err(Undecryptable::UnknownKey));
    assert_eq!(key_id(&stored), Some(rotated.ids().nth(1).unwrap()));
}

#[test]
fn a_commit_that_is_computed_again_comes_to_the_same_bytes_and_another_one_does_not() {
    let keys = KeyRing::generate();
    let commit = || cipher(keys.clone(), ONE);
    let (one, other) = (commit(), commit());
    assert_eq!(one.encrypt("a.b", b"1"), one.encrypt("a.b", b"1"));
    assert_ne!(one.encrypt("a.b", b"1"), other.encrypt("a.b", b"1"), "nobody sees that it is the same value");
    assert!(other.is_encryption_of("a.b", b"1", &one.encrypt("a.b", b"1")));
    assert!(!other.is_encryption_of("a.b", b"2", &one.encrypt("a.b", b"1")));
    assert!(!other.is_encryption_of("a.c", b"1", &one.encrypt("a.b", b"1")));
}

#[test]
fn an_encrypted_value_has_the_bytes_that_are_documented() {
    let cipher = Cipher { nonce: OnceLock::from([7; NONCE]), ..cipher(keys(&KEYS[2..]), ONE) };
    let stored = cipher.encrypt("cart.otp", b"\"4711\"");
    let hex: String = stored.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, "c1012230ae5a070707070707070707070707c8dae50c0b0af958f29fc7dd346854c38502a0ca56c4");
}

#[test]
fn keys_are_read_in_each_of_their_forms() {
    let bytes: Vec<u8> = (0..32).map(|byte: u8| byte.wrapping_mul(37) ^ 0x5a).collect();
    let hex: String = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
    use base64::Engine as _;
    use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
    let texts = [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD].map(|form| form.encode(&bytes));
    for text in texts.iter().chain([&hex, &hex.to_lowercase()]) {
        assert_eq!(keys(&[text]).active_id(), keys(&[&hex]).active_id(), "{text}");
    }
    for between in [" ", ",", ", ", "\n", "\r\n", " # the one before\n\n# and\n\t"] {
        let ring: KeyRing = KEYS[..2].join(between).parse().unwrap();
        assert_eq!((ring.ids().count(), ring.active_id()), (2, keys(&KEYS[..1]).active_id()), "{between:?}");
    }
    for _ in 0..100 {
        assert!(KeyRing::generate_key().parse::<KeyRing>().is_ok());
    }
    assert!(URL_SAFE_NO_PAD.encode([&bytes[..], &bytes[1..]].concat()).parse::<KeyRing>().is_ok(), "63 bytes");
}

#[test]
fn a_weak_key_is_refused_and_not_quoted() {
    use base64::Engine as _;
    let of = |bytes: &[u8]| base64::engine::general_purpose::STANDARD.encode(bytes);
    let counting: Vec<u8> = (0..32).collect();
    let random: Vec<u8> = (0..80).map(|byte: u8| byte.wrapping_mul(37) ^ 0x5a).collect();
    for (key, problem) in [
        (String::new(), "there is no key"),
        (" ,\n# nothing\n".to_owned(), "there is no key"),
        ("your-secret-key".to_owned(), "key 1"),
        ("changeme".to_owned(), "key 1"),
        ("correct horse battery staple".to_owned(), "key 1"),
        ("not base64!".to_owned(), "neither base64"),
        ("/run/secrets/session-keys".to_owned(), "`file:`"),
        ("x".repeat(44), "it repeats itself"),
        ("changeme".repeat(6), "it repeats itself"),
        ("thisisnotarandomkeyatallbutalongenoughonexyz".to_owned(), "it is a text"),
        ("My-Super-Secret-Key-For-Production-2024-x-01".to_owned(), "it is a text"),
        (of(&[0; 32]), "it repeats itself"),
        (of(&[0xff; 64]), "it repeats itself"),
        (of(&b"abcdefgh".repeat(4)), "it repeats itself"),
        (of(&counting), "it counts"),
        ("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f".to_owned(), "it counts"),
        (of(b"The quick brown fox jumps over 13 lazy dogs"), "it is a text"),
        (of(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3, 5, 4, 7, 6, 8, 9, 1, 2, 3, 9, 4, 8, 5, 7, 6, 1, 3, 2, 5, 4]), "few"),
        (of(&random[..16]), "has 16 bytes, and needs 32"),
        (of(&random[..31]), "has 31 bytes, and needs 32"),
        (of(&random[..65]), "has 65 bytes, more than 64"),
        (random[..31].iter().map(|byte| format!("{byte:02x}")).collect(), "has 31 bytes"),
        (format!("{} {}", KEYS[0], KEYS[0]), "key 2 is there twice"),
        (format!("{} hunter2", KEYS[0]), "key 2"),
    ] {
        let error = key.parse::<KeyRing>().unwrap_err();
        let (shown, debug) = (error.to_string(), format!("{error:?}"));
        assert!(shown.contains(problem), "{key}: {shown}");
        for word in key.split([' ', ',', '\n']).filter(|word| word.len() > 8) {
            assert!(!shown.contains(word) && !debug.contains(word), "{shown}");
        }
    }
}

/// A `main` that returns the error prints it with `Debug`.
#[test]
fn the_error_of_a_key_prints_its_text() {
    let error = "your-secret-key".parse::<KeyRing>().unwrap_err();
    let returned: Box<dyn std::error::Error> = error.clone().into();
    assert_eq!(format!("{returned:?}"), error.to_string());
    assert!(error.to_string().starts_with("key 1 is neither base64"), "{error}");
}

/// One random key of 1,500 has no digit, as this one.
#[test]
fn a_random_key_without_a_digit_is_read() {
    assert_eq!(keys(&["QfTnWzKbEuJgAxOiSyMvNlcPmsCYVXLhRdQzGsFaCeU"]).ids().count(), 1);
    let refused = "thisKeyhasfewcapitalsandnodigitsoitisatextxy".parse::<KeyRing>().unwrap_err();
    assert!(refused.to_string().contains("it is a text"), "{refused}");
}

#[test]
fn a_ring_shows_no_key() {
    let ring = keys(&KEYS);
    let shown = format!("{ring:?}");
    assert_eq!(shown.matches("KeyId(").count(), 3, "{shown}");
    assert!(KEYS.iter().all(|key| !shown.contains(&key[..8])));
}

#[test]
fn a_file_of_keys_is_read() {
    let path = std::env::temp_dir().join(format!("sessionkit-keys-{}", std::process::id()));
    std::fs::write(&path, format!("# new\n{}\n# old\n{}\n", KEYS[0], KEYS[1])).unwrap();
    let (read, named) = (KeyRing::from_file(&path), KeyRing::from_setting(&format!(" file: {}\n", path.display())));
    std::fs::write(&path, format!("\u{feff}{}\r\n{}\r\n", KEYS[0], KEYS[1])).unwrap();
    let marked = KeyRing::from_file(&path);
    std::fs::remove_file(&path).unwrap();
    assert!(marked.unwrap().ids().eq(keys(&KEYS[..2]).ids()), "an editor on Windows wrote it");
    assert!(read.unwrap().ids().eq(keys(&KEYS[..2]).ids()) && named.unwrap().ids().count() == 2);
    assert!(KeyRing::from_file(&path).unwrap_err().to_string().contains("cannot be read"));
}

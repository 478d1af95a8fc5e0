//! Tests of all formats that prove who wrote a cookie: one table, whose formats promise the same.

mod cases;
mod forged;
#[cfg(feature = "itsdangerous")]
mod ids;
#[cfg(feature = "muffin")]
mod unauthenticated;
#[cfg(any(feature = "itsdangerous", feature = "muffin"))]
mod vectors;

use std::time::Duration;

use serde_json::json;

use self::cases::{CASES, Case};
use super::{AuthenticatedFormat, CookieContent, InvalidCookie, Secrets};
use crate::Timestamp;

const NOW: Timestamp = Timestamp::from_unix_seconds(1_700_000_000);
/// Of 32 characters, which is the one length that Muffin's Fernet takes of a new secret.
const SECRET: &str = "3dBz3wXVEFmPe7Yxkzr8BqkeoYTKqCpO";
const OTHER: &str = "p0m2sC9YVXL4hR7dQfT1nWzKbE8uJgA5";

fn later(seconds: u64) -> Timestamp {
    NOW.saturating_add(Duration::from_secs(seconds))
}

fn secrets<const N: usize>(secrets: [&str; N]) -> Secrets {
    Secrets::new(secrets).unwrap()
}

fn content() -> CookieContent {
    let values = json!({
        "user_id": 123,
        "cart": [{"id": "a-1", "count": 2, "price": 9.99}, null, true, -1, 18446744073709551615u64],
        "name": "Ána \u{1f600} \"\\\n\u{7f}",
        " t": {" t": {" di": {}}},
        "note": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    });
    CookieContent::new(values.as_object().unwrap().clone())
}

/// Runs a check on each format.
fn each(check: impl Fn(&Case, Box<dyn AuthenticatedFormat>)) {
    for case in CASES {
        check(case, (case.make)(secrets([SECRET])));
    }
}

#[test]
fn values_come_back() {
    each(|case, format| {
        for content in [content(), CookieContent::default()] {
            let cookie = format.write(&content, NOW).unwrap();
            let read = format.read(&cookie, NOW).unwrap();
            assert_eq!(read.values, content.values, "{}", case.name);
            assert_eq!(read.written_at, case.has_times.then_some(NOW), "{}", case.name);
        }
    });
}

#[test]
fn a_cookie_has_no_character_that_a_cookie_may_not() {
    each(|case, format| {
        let cookie = format.write(&content(), NOW).unwrap();
        let allowed = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b',' | b';' | b'\\');
        assert!(cookie.bytes().all(allowed), "{}: {cookie}", case.name);
    });
}

#[test]
fn a_cookie_with_another_bit_is_not_valid() {
    each(|case, format| {
        let cookie = format.write(&content(), NOW).unwrap();
        for bit in 0..cookie.len() * 8 {
            let mut altered = cookie.clone().into_bytes();
            altered[bit / 8] ^= 1 << (bit % 8);
            // What is no text does not get as far as a format.
            let Ok(altered) = String::from_utf8(altered) else { continue };
            assert_eq!(format.read(&altered, NOW), Err(InvalidCookie), "{} bit {bit}: {altered}", case.name);
        }
    });
}

#[test]
fn a_cookie_of_another_length_is_not_valid() {
    each(|case, format| {
        let cookie = format.write(&content(), NOW).unwrap();
        for at in 0..cookie.len() {
            assert_eq!(format.read(&cookie[..at], NOW), Err(InvalidCookie), "{} cut at {at}", case.name);
            assert_eq!(format.read(&cookie[at + 1..], NOW), Err(InvalidCookie), "{} from {at}", case.name);
            let without = [&cookie[..at], &cookie[at + 1..]].concat();
            assert_eq!(format.read(&without, NOW), Err(InvalidCookie), "{} without {at}", case.name);
        }
        for added in ["=", ".", ":", " ", "A", "AAAA", "\0", "\n", "é", "\""] {
            let last = cookie.len() - 1;
            let inside = format!("{}{added}{}", &cookie[..last], &cookie[last..]);
            for longer in [format!("{cookie}{added}"), format!("{added}{cookie}"), inside] {
                assert_eq!(format.read(&longer, NOW), Err(InvalidCookie), "{}: {longer}", case.name);
            }
        }
        assert_eq!(format.read(&cookie.repeat(2), NOW), Err(InvalidCookie), "{}", case.name);
        assert_eq!(format.read(&format!("{cookie}.{cookie}"), NOW), Err(InvalidCookie), "{}", case.name);
    });
}

#[test]
fn the_first_secret_writes_and_all_read() {
    each(|case, format| {
        let cookie = format.write(&content(), NOW).unwrap();
        let read = |secrets| (case.make)(secrets).read(&cookie, NOW).is_ok();
        assert!(read(secrets([SECRET])), "{}", case.name);
        assert!(read(secrets([OTHER, SECRET])), "{}: the secret was replaced", case.name);
        assert!(!read(secrets([OTHER])), "{}: another secret", case.name);
        let rotated = (case.make)(secrets([OTHER, SECRET])).write(&content(), NOW).unwrap();
        assert!(format.read(&rotated, NOW).is_err(), "{}: the new secret writes", case.name);
        assert!((case.make)(secrets([OTHER])).read(&rotated, NOW).is_ok(), "{}", case.name);
    });
}

#[test]
fn a_cookie_of_another_name_or_format_is_not_valid() {
    each(|case, format| {
        let cookie = format.write(&content(), NOW).unwrap();
        if let Some(elsewhere) = case.elsewhere {
            assert_eq!(elsewhere(secrets([SECRET])).read(&cookie, NOW), Err(InvalidCookie), "{}", case.name);
        }
        for other in CASES.iter().filter(|other| other.name != case.name && !case.same_as.contains(&other.name)) {
            let read = (other.make)(secrets([SECRET])).read(&cookie, NOW);
            assert_eq!(read, Err(InvalidCookie), "{} read by {}", case.name, other.name);
        }
    });
}

#[test]
fn a_cookie_is_good_in_its_time_alone() {
    each(|case, format| {
        let cookie = format.write(&content(), NOW).unwrap();
        let valid = |now| format.read(&cookie, now).is_ok();
        if let Some(last) = case.last_second {
            assert!(valid(later(last)) && !valid(later(last + 1)), "{}: the end", case.name);
            let far = Timestamp::from_unix_seconds(u64::MAX);
            assert!(!valid(far), "{}: long after", case.name);
        }
        if case.has_times {
            let before = |seconds| NOW.saturating_sub(Duration::from_secs(seconds));
            assert!(valid(before(case.ahead)) && !valid(before(case.ahead + 1)), "{}: clocks", case.name);
            assert!(!valid(Timestamp::default()), "{}: long before", case.name);
        }
    });
}

#[test]
fn what_has_no_place_in_a_format_is_refused() {
    each(|case, format| {
        let mut content = content();
        content.expires_at = Some(later(60));
        match format.write(&content, NOW) {
            Ok(cookie) => {
                assert_eq!(format.read(&cookie, NOW).unwrap().expires_at, Some(later(60)), "{}", case.name);
                assert!(format.read(&cookie, later(59)).is_ok(), "{}", case.name);
                assert_eq!(format.read(&cookie, later(60)), Err(InvalidCookie), "{}", case.name);
            }
            Err(error) => assert!(error.to_string().contains("no place for the time"), "{}: {error}", case.name),
        }
        let nested = (0..100).fold(json!("a secret"), |inner, _| json!([inner]));
        let error = format.write(&CookieContent::new([("cart".to_owned(), nested)].into_iter().collect()), NOW);
        let error = error.unwrap_err().to_string();
        assert!(error.contains("`cart`") && !error.contains("a secret"), "{}: {error}", case.name);
    });
}

#[test]
fn a_cookie_that_would_not_be_read_is_not_written() {
    each(|case, format| {
        // What no compression makes much shorter.
        let mut random = Random(1);
        let mut text = |length: usize| (0..length).map(|_| random.character()).collect::<String>();
        let mut written = 0;
        for length in [1000, 4000, 8000, 10_000, 11_000, 12_000, 12_250, 12_300, 12_500, 15_000, 20_000, 70_000] {
            let content = CookieContent::new([("a".to_owned(), json!(text(length)))].into_iter().collect());
            match format.write(&content, NOW) {
                Ok(cookie) => {
                    assert_eq!(format.read(&cookie, NOW).unwrap().values, content.values, "{} {length}", case.name);
                    written = length;
                }
                Err(error) => assert!(error.to_string().contains("bytes, more than"), "{}: {error}", case.name),
            }
        }
        assert!((8000..20_000).contains(&written), "{} wrote {written}", case.name);
    });
}

#[test]
fn garbage_is_not_valid_and_does_no_harm() {
    let mut random = Random(0x5eed);
    for case in CASES {
        let format = (case.make)(secrets([SECRET]));
        let cookie = format.write(&content(), NOW).unwrap();
        for round in 0..2000 {
            let length = random.below(200);
            let garbage: String = (0..length).map(|_| random.character()).collect();
            let at = random.below(cookie.len());
            let patched =
                [&cookie[..at], &garbage, &cookie[at.saturating_add(length / 2).min(cookie.len())..]].concat();
            assert_eq!(format.read(&garbage, NOW), Err(InvalidCookie), "{} {round}", case.name);
            assert!(patched == cookie || format.read(&patched, NOW).is_err(), "{} {round}: {patched}", case.name);
        }
        for length in [16 * 1024, 16 * 1024 + 1, 1_000_000] {
            for character in ["A", ".", ":", "=", "\0", "é"] {
                assert_eq!(format.read(&character.repeat(length), NOW), Err(InvalidCookie), "{}", case.name);
            }
        }
    }
}

#[test]
fn secrets_and_keys_are_not_shown() {
    for case in CASES {
        let shown = (case.debug)(secrets([SECRET]));
        assert!(!shown.contains(&SECRET[..8]), "{}: {shown}", case.name);
        assert!(shown.len() < 200, "{}: {shown}", case.name);
    }
}

/// Numbers that look random, the same in each run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    /// A character that formats use, mostly.
    fn character(&mut self) -> char {
        const COMMON: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.:=+/";
        char::from(COMMON[self.below(COMMON.len())])
    }
}

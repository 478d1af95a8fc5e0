//! Tests of the cookies that hold the id of a session.

use super::super::FastapiSessionsId;
use super::*;

const ID: &str = "3f2b8c1e111142228333444455556666";

fn format(secret: &str) -> FastapiSessionsId {
    FastapiSessionsId::new(secrets([secret]), "cookie")
}

#[test]
fn an_id_comes_back_from_an_unaltered_cookie_alone() {
    let (format, other) = (format(SECRET), format(OTHER));
    let cookie = format.write_id(ID, NOW).unwrap();
    assert_eq!(format.read_id(&cookie, NOW).as_deref(), Ok(ID));
    assert_eq!(other.read_id(&cookie, NOW), Err(InvalidCookie));
    assert_eq!(FastapiSessionsId::new(secrets([SECRET]), "cookies").read_id(&cookie, NOW), Err(InvalidCookie));
    let rotated = FastapiSessionsId::new(secrets([OTHER, SECRET]), "cookie");
    assert_eq!(rotated.read_id(&cookie, NOW).as_deref(), Ok(ID));
    for bit in 0..cookie.len() * 8 {
        let mut altered = cookie.clone().into_bytes();
        altered[bit / 8] ^= 1 << (bit % 8);
        let Ok(altered) = String::from_utf8(altered) else { continue };
        assert_eq!(format.read_id(&altered, NOW), Err(InvalidCookie), "bit {bit}");
    }
    for at in 0..cookie.len() {
        assert_eq!(format.read_id(&cookie[..at], NOW), Err(InvalidCookie), "cut at {at}");
    }
}

#[test]
fn an_id_is_read_in_its_time() {
    let format = format(SECRET).max_age(Duration::from_secs(60));
    let cookie = format.write_id(ID, NOW).unwrap();
    assert!(format.read_id(&cookie, later(60)).is_ok());
    assert_eq!(format.read_id(&cookie, later(61)), Err(InvalidCookie));
    assert_eq!(format.read_id(&cookie, NOW.saturating_sub(Duration::from_secs(1))), Err(InvalidCookie));
}

#[test]
fn an_id_is_a_uuid() {
    let format = format(SECRET);
    for id in [
        "",
        "3f2b",
        "3F2B8C1E111142228333444455556666",
        "3f2b8c1e-1111-4222-8333-444455556666",
        "é3f2b8c1e1111422283334444555566",
    ] {
        assert!(format.write_id(id, NOW).is_err(), "{id}");
        let value = super::super::payload::encode(format!("\"{id}\"").as_bytes()).unwrap();
        let cookie = super::super::TimestampSigner::new(secrets([SECRET]), "cookie").sign(&value, NOW);
        assert_eq!(format.read_id(&cookie, NOW), Err(InvalidCookie), "{id}");
    }
    // Which is compressed.
    let cookie = format.write_id(&"0".repeat(32), NOW).unwrap();
    assert!(cookie.starts_with('.'), "{cookie}");
    assert_eq!(format.read_id(&cookie, NOW).as_deref(), Ok(&*"0".repeat(32)));
}

//! Tests of the format that proves nothing.

use super::super::{CookieFormat as _, Muffin};
use super::*;

#[test]
fn values_come_back_of_what_anybody_writes() {
    let format = Muffin::dangerous_unauthenticated_base64();
    let cookie = format.write(&content(), NOW).unwrap();
    assert_eq!(format.read(&cookie, NOW), Ok(content()));
    for cookie in ["", "e30", "e31=", "eyI=", "W10=", "bnVsbA==", "e30=e30=", "eyJhIjoxLCJhIjoxfQ==", "é", "//8="] {
        assert_eq!(format.read(cookie, NOW), Err(InvalidCookie), "{cookie}");
    }
    assert_eq!(format.read(&"e30=".repeat(5000), NOW), Err(InvalidCookie));
}

#[test]
fn what_has_no_place_is_refused() {
    let format = Muffin::dangerous_unauthenticated_base64();
    let mut content = content();
    content.expires_at = Some(NOW);
    assert!(format.write(&content, NOW).unwrap_err().to_string().contains("no place"));
}

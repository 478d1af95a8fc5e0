//! Tests of identity: the cookies that open a session, the calls that end it, and the secrets that never leave the server.

mod attributes;
mod candidates;
mod headers;
mod hostile;
mod lost_cookies;
mod secrets;
mod tokens;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The bytes of a token: 16 of the selector, then 32 of the secret.
fn bytes(token: &str) -> [u8; 48] {
    let mut bytes = [0; 48];
    assert_eq!(URL_SAFE_NO_PAD.decode_slice(token, &mut bytes).expect("a token is base64url"), 48);
    bytes
}

/// The token of these bytes.
fn token(selector: &[u8], secret: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode([selector, secret].concat())
}

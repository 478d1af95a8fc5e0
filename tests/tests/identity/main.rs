//! Who a request is: what opens a session, what ends it, and what never leaves the server.

mod attributes;
mod candidates;
mod headers;
mod hostile;
mod secrets;
mod tokens;

use base64ct::{Base64UrlUnpadded, Encoding as _};

/// The bytes of a token: 16 of the selector, then 32 of the secret.
fn bytes(token: &str) -> [u8; 48] {
    let mut bytes = [0; 48];
    assert_eq!(Base64UrlUnpadded::decode(token, &mut bytes).expect("a token is base64url").len(), 48);
    bytes
}

/// The token of these bytes.
fn token(selector: &[u8], secret: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(&[selector, secret].concat())
}

//! Tokens of PyJWT.

use serde_json::json;
use sessionkit::formats::{CookieFormat as _, Jwt};

use crate::{NOW, OTHER, Peer, SECRET, content, later, secrets, values};

fn pyjwt(secret: &str, audience: &str) -> Peer {
    Peer::new("jwt", json!({"key": secret, "algorithm": "HS256", "aud": audience}))
}

#[test]
fn row_15_pyjwt_and_sessionkit_share_tokens() {
    let format = Jwt::hs256(secrets([SECRET])).audience("shop");
    let peer = pyjwt(SECRET, "shop");
    peer.shares_sessions_with(&format);
    peer.refuses(&format, &pyjwt(OTHER, "shop"));
    peer.refuses(&format, &pyjwt(SECRET, "another"));
    let theirs = peer.write(&values(), NOW);
    assert!(format.read(&theirs, later(59)).is_ok() && format.read(&theirs, later(60)).is_err());
    let ours = format.write(&content(&values()), NOW).unwrap();
    assert_eq!(peer.read(&ours, later(14 * 86_400 - 1)), values());
    assert_eq!(peer.read(&ours, later(14 * 86_400)), json!({}));
}

//! Sessions of Muffin-Session, in each of its types.

use serde_json::json;
use sessionkit::formats::{CookieFormat as _, Muffin};

use crate::{NOW, Peer, SECRET, content, values};

fn muffin(session_type: &str, secret: &str) -> Peer {
    Peer::new("muffin", json!({"session_type": session_type, "secret": secret}))
}

#[test]
fn row_20_muffin_and_sessionkit_share_base64() {
    let format = Muffin::dangerous_unauthenticated_base64();
    muffin("base64", SECRET).shares_sessions_with(&format);
    let ours = format.write(&content(&values()), NOW).unwrap();
    assert_eq!(ours, muffin("base64", SECRET).write(&values(), NOW));
}

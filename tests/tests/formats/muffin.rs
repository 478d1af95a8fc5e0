//! Sessions of Muffin-Session, in each of its types.

use serde_json::json;
use sessionkit::formats::{CookieFormat as _, Muffin};

use crate::{NOW, OTHER, Peer, SECRET, content, secrets, short_values, values};

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

#[test]
fn row_20_muffin_and_sessionkit_share_tokens() {
    let format = Muffin::jwt(secrets([SECRET]));
    muffin("jwt", SECRET).shares_sessions_with(&format);
    muffin("jwt", SECRET).refuses(&format, &muffin("jwt", OTHER));
    let ascii = json!({"id": 7, "var": "value"});
    assert_eq!(format.write(&content(&ascii), NOW).unwrap(), muffin("jwt", SECRET).write(&ascii, NOW));
    // Neither takes the cookie of another type for its own.
    let base64 = muffin("base64", SECRET).write(&short_values(), NOW);
    assert!(format.read(&base64, NOW).is_err());
    assert_eq!(muffin("jwt", SECRET).read(&base64, NOW), json!({}));
}

#[test]
fn row_20_muffin_and_sessionkit_share_fernet() {
    let format = Muffin::fernet(secrets([SECRET])).unwrap();
    muffin("fernet", SECRET).shares_sessions_with(&format);
    muffin("fernet", SECRET).refuses(&format, &muffin("fernet", OTHER));
    // A secret of another length is padded.
    let short = sessionkit::formats::Secrets::of_running_application(["short but in use"]).unwrap();
    muffin("fernet", "short but in use").shares_sessions_with(&Muffin::fernet(short).unwrap());
}

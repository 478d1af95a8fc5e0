//! The format of our own, in another language.

use serde_json::{Value, json};
use sessionkit::formats::{CookieFormat as _, SignedJson};

use crate::{NOW, OTHER, Peer, SECRET, content, later, secrets, values};

fn python(secret: &str, name: &str) -> Peer {
    Peer::new("signed-json", json!({"secret": secret, "name": name}))
}

#[test]
fn python_and_sessionkit_share_sessions_as_the_documentation_says() {
    let format = SignedJson::new(secrets([SECRET]), "session");
    python(SECRET, "session").shares_sessions_with(&format);

    let theirs = python(SECRET, "session").write(&values(), NOW);
    assert!(format.read(&theirs, later(59)).is_ok() && format.read(&theirs, later(60)).is_err());
    let ours = format.write(&content(&values()), NOW).unwrap();
    let end = 14 * 86_400;
    assert_eq!(python(SECRET, "session").read(&ours, later(end - 1)), values());
    assert_eq!(python(SECRET, "session").read(&ours, later(end)), Value::Null);
    for stranger in [python(OTHER, "session"), python(SECRET, "other")] {
        assert_eq!(stranger.read(&ours, NOW), Value::Null);
        assert!(format.read(&stranger.write(&values(), NOW), NOW).is_err());
    }
}

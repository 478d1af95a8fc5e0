//! Sessions of Flask.

use serde_json::{Value, json};
use sessionkit::formats::{CookieContent, CookieFormat as _, Flask};

use crate::{NOW, OTHER, Peer, SECRET, content, long_values, secrets, short_values, values};

fn flask<const N: usize>(secrets: [&str; N]) -> Peer {
    Peer::new("flask", json!({"secrets": secrets.to_vec()}))
}

fn format() -> Flask {
    Flask::new(secrets([SECRET]))
}

#[test]
fn flask_and_sessionkit_share_sessions() {
    flask([SECRET]).shares_sessions_with(&format());
    flask([SECRET]).ends_with(&format(), 31 * 86_400);
    flask([SECRET]).refuses(&format(), &flask([OTHER]));
}

#[test]
fn flask_writes_the_same_bytes() {
    let ours = format().write(&content(&short_values()), NOW).unwrap();
    assert_eq!(ours, flask([SECRET]).write(&short_values(), NOW));
    for cookie in [flask([SECRET]).write(&long_values(), NOW), format().write(&content(&long_values()), NOW).unwrap()] {
        assert!(cookie.starts_with('.'), "compressed: {cookie}");
    }
}

#[test]
fn the_secret_of_flask_is_replaced_on_both_sides() {
    let (old, new) = (content(&values()), Flask::new(secrets([OTHER, SECRET])));
    assert_eq!(flask([OTHER, SECRET]).read(&format().write(&old, NOW).unwrap(), NOW), values());
    assert!(new.read(&flask([SECRET]).write(&values(), NOW), NOW).is_ok());
    assert!(new.read(&flask([OTHER, SECRET]).write(&values(), NOW), NOW).is_ok());
    assert_eq!(flask([OTHER]).read(&new.write(&old, NOW).unwrap(), NOW), values());
}

#[test]
fn types_of_python_are_read_as_what_comes_nearest() {
    let cookie = flask([SECRET]).ask("write_types", NOW, json!({}));
    let read = format().read(cookie.as_str().unwrap(), NOW).unwrap().values;
    let plain = json!({
        "tuple": ["a", [1, [2]]],
        "bytes": "AP8=",
        "markup": "<b>",
        "uuid": "3f2b8c1e-1111-4222-8333-444455556666",
        "datetime": "2023-11-14T22:13:20Z",
        "object": {" t": {" u": "no tags"}},
        "_flashes": [["info", "Saved"]],
    });
    assert_eq!(Value::Object(read.clone()), plain);

    let written = format().write(&CookieContent::new(read), NOW).unwrap();
    assert_eq!(flask([SECRET]).read(&written, NOW), plain);
    let messages = flask([SECRET]).ask("messages", NOW, json!({"cookie": written}));
    assert_eq!(messages, json!([["info", "Saved"]]), "which `flash()` left");
}

//! Cookies in the formats of other systems, as anybody may send them.

use std::sync::LazyLock;

use sessionkit::Timestamp;
use sessionkit::formats::{
    CookieFormat, Django, DjangoSessionData, Ed25519Key, FastapiSessionId, FastapiSessionsId, Fernet, Flask, Jwt,
    Muffin, Secrets, SignedJson, Starlette,
};

pub(super) const NOW: Timestamp = Timestamp::from_unix_seconds(1_700_000_000);
pub(super) const SECRET: &str = "3dBz3wXVEFmPe7Yxkzr8BqkeoYTKqCpO";
const KEY: &str = "M2RCejN3WFZFRm1QZTdZeGt6cjhCcWtlb1lUS3FDcE8=";

/// The formats that hold values, in the order in which `signed` signs for them.
pub(super) static FORMATS: LazyLock<[Box<dyn CookieFormat>; 7]> = LazyLock::new(|| {
    [
        Box::new(Starlette::new(secrets())),
        Box::new(Flask::new(secrets())),
        Box::new(Fernet::new([KEY]).expect("the key is one")),
        Box::new(Jwt::hs256(secrets())),
        Box::new(SignedJson::new(secrets(), "session")),
        Box::new(Muffin::dangerous_unauthenticated_base64()),
        Box::new(Django::new(secrets())),
    ]
});

static ED25519: LazyLock<Jwt> = LazyLock::new(|| {
    let key: Ed25519Key = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A".parse().expect("the key is one");
    Jwt::ed25519(&key, [])
});

pub(super) fn secrets() -> Secrets {
    Secrets::new([SECRET]).expect("the secret is one")
}

/// Reads a text as a cookie of each format.
pub(super) fn run(input: &[u8]) {
    let Ok(cookie) = str::from_utf8(input) else { return };
    for format in FORMATS.iter() {
        comes_back(&**format, cookie);
    }
    comes_back(&*ED25519, cookie);
    comes_back(&Muffin::jwt(secrets()), cookie);
    comes_back(&Muffin::fernet(secrets()).expect("the secret has a length that it takes"), cookie);
    let _ = DjangoSessionData::new(secrets()).read(cookie);
    let _ = FastapiSessionsId::new(secrets(), "session").read_id(cookie, NOW);
    let _ = FastapiSessionId::new(secrets()).read_id(cookie, NOW);
}

/// Reads a cookie. What is read must come back when it is written.
pub(super) fn comes_back(format: &dyn CookieFormat, cookie: &str) {
    let Ok(content) = format.read(cookie, NOW) else { return };
    // What is written in another way may be too long.
    let Ok(written) = format.write(&content, NOW) else { return };
    let read = format.read(&written, NOW).expect("what is written is valid");
    assert_eq!(read.values, content.values);
}

//! Texts of clients and of operators.

use sessionkit::{KeyRing, LocalPath, SessionConfig, SessionId};
use sessionkit_core::Token;

pub(super) fn token(input: &[u8]) {
    if let Some(token) = Token::parse(input) {
        assert_eq!(token.expose().as_bytes(), input, "a token has one spelling");
    }
    if let Some(id) = SessionId::parse(input) {
        assert_eq!(SessionId::parse(id.to_string().as_bytes()), Some(id));
    }
}

pub(super) fn keys(input: &[u8]) {
    let Ok(text) = str::from_utf8(input) else { return };
    match text.parse::<KeyRing>() {
        Ok(keys) => assert!(keys.ids().count() > 0),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

/// Reads variables, one on each line.
pub(super) fn environment(input: &[u8]) {
    let Ok(text) = str::from_utf8(input) else { return };
    // What names a file would be read.
    if text.contains("file:") {
        return;
    }
    let variables = text.lines().filter_map(|line| line.split_once('='));
    let _ = SessionConfig::from_variables(variables).map_err(|error| error.to_string());
}

pub(super) fn json(input: &[u8]) {
    // What names a file would be read, however it is escaped.
    if !input.windows(4).any(|window| window.eq_ignore_ascii_case(b"keys")) {
        let _ = serde_json::from_slice::<SessionConfig>(input).map_err(|error| error.to_string());
    }
}

pub(super) fn local_path(input: &[u8]) {
    let Some(path) = str::from_utf8(input).ok().and_then(LocalPath::parse) else { return };
    let text = path.as_str();
    let local = text.starts_with('/') && !text.starts_with("//") && !text.starts_with("/\\");
    assert!(local, "{text:?} leads to another site");
    assert!(text.bytes().all(|byte| byte.is_ascii_graphic()), "{text:?} is no header");
}

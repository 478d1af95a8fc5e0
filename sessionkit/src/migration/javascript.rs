//! JSON as programs in JavaScript keep it.

use serde_json::{Map, Value};
use sessionkit_core::ForeignError;

use super::LARGEST_RECORD;
use crate::formats::json;

/// Keys that mean something else to JavaScript than data. A program that copies an object with one of them may change the
/// prototype of all others.
const PROTOTYPES: [&str; 3] = ["__proto__", "constructor", "prototype"];

/// Reads an object that the other system, or its store, vouches for.
pub(super) fn read(text: &[u8]) -> Result<Map<String, Value>, ForeignError> {
    if text.len() > LARGEST_RECORD {
        return Err(ForeignError::unreadable("the session is too large"));
    }
    let values =
        json::read(text).map_err(|_| ForeignError::unreadable("the session is not an object in plain JSON"))?;
    match prototype(&values) {
        Some(key) => Err(ForeignError::unreadable(problem(key))),
        None => Ok(values),
    }
}

/// Writes an object that will be read.
pub(super) fn write(values: &Map<String, Value>) -> Result<String, ForeignError> {
    // It checks the depth, too.
    let text = json::write(values)?;
    if let Some(key) = prototype(values) {
        return Err(ForeignError::unwritable(problem(key)));
    }
    if text.len() > LARGEST_RECORD {
        return Err(ForeignError::unwritable("the session is too large"));
    }
    Ok(text)
}

fn problem(key: &str) -> String {
    format!("there is a key `{key}`, which could change the objects of a program in JavaScript")
}

/// Returns a key that is no data, at any depth. The depth is limited.
fn prototype(values: &Map<String, Value>) -> Option<&'static str> {
    values.iter().find_map(|(key, value)| PROTOTYPES.into_iter().find(|name| name == key).or_else(|| within(value)))
}

fn within(value: &Value) -> Option<&'static str> {
    match value {
        Value::Array(items) => items.iter().find_map(within),
        Value::Object(values) => prototype(values),
        _ => None,
    }
}

//! The fields of a session.

use std::fmt;

use serde_json::{Value, json};
use sessionkit::store::ValueRef;

use crate::text;

const HIDDEN: &str = "(hidden)";

/// The seed of the tokens in forms. Releases that knew no flag for it stored it without.
const FORM_SEED: &str = "csrf.@seed";

/// One field, without what is to be hidden.
pub(crate) struct Field<'a> {
    key: &'a str,
    value: ValueRef<'a>,
}

impl<'a> Field<'a> {
    pub(crate) fn new((key, value): (&'a str, ValueRef<'a>)) -> Self {
        Self { key, value }
    }

    fn is_hidden(&self) -> bool {
        self.value.sensitive || self.key == FORM_SEED
    }

    /// Returns the key. The keys of the entries of a map are as sensitive as its values.
    fn key(&self) -> String {
        match self.key.split_once('/').filter(|_| self.is_hidden()) {
            Some((field, _)) => format!("{field}/{HIDDEN}"),
            None => self.key.to_owned(),
        }
    }

    /// Returns the value: as JSON if it is, otherwise as text, or as hexadecimal digits.
    fn value(&self) -> Value {
        if self.is_hidden() {
            return HIDDEN.into();
        }
        let bytes = self.value.bytes;
        match (serde_json::from_slice(bytes), str::from_utf8(bytes)) {
            // A large number would lose digits.
            (Ok(Value::Number(number)), Ok(text)) if number.to_string() != text => text.into(),
            (Ok(value), _) => value,
            (Err(_), Ok(text)) => text.into(),
            (Err(_), Err(_)) => json!({ "hex": bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>() }),
        }
    }

    pub(crate) fn to_json(&self) -> Value {
        let ValueRef { bytes, carried, deadline, .. } = self.value;
        json!({
            "key": self.key(),
            "size": bytes.len(),
            "carried": carried,
            "sensitive": self.is_hidden(),
            "deadline": deadline.map(|deadline| text::time(deadline.at)),
            "value": self.value(),
        })
    }
}

impl fmt::Display for Field<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ValueRef { bytes, carried, deadline, .. } = self.value;
        write!(f, "  {}  ({} bytes", text::printable(&self.key()), bytes.len())?;
        for (flag, _) in [("carried", carried), ("sensitive", self.is_hidden())].iter().filter(|(_, is_set)| *is_set) {
            write!(f, ", {flag}")?;
        }
        if let Some(deadline) = deadline {
            write!(f, ", until {}", text::time(deadline.at))?;
        }
        let shown = match str::from_utf8(bytes) {
            _ if self.is_hidden() => HIDDEN.to_owned(),
            Ok(text) => text.to_owned(),
            Err(_) => self.value()["hex"].as_str().unwrap_or_default().to_owned(),
        };
        writeln!(f, ")\n    {}", text::printable(&shown))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(key: &str, bytes: &[u8], sensitive: bool) -> (Value, String) {
        let field = Field::new((key, ValueRef { bytes, carried: true, deadline: None, sensitive, on_login: None }));
        (field.to_json(), field.to_string())
    }

    #[test]
    fn a_value_is_shown_as_what_it_is() {
        let value = |bytes: &[u8]| shown("a.b", bytes, false).0["value"].clone();
        assert_eq!(value(b"[1,2]"), json!([1, 2]));
        assert_eq!(value(b"not JSON"), json!("not JSON"));
        assert_eq!(value(b"340282366920938463463374607431768211455"), json!("340282366920938463463374607431768211455"));
        assert_eq!(value(b"\xff\0"), json!({ "hex": "ff00" }));
        assert_eq!(shown("a.b", b"\xff\0", false).1, "  a.b  (2 bytes, carried)\n    ff00\n");
    }

    #[test]
    fn what_is_sensitive_is_hidden() {
        for (key, sensitive) in [("a.b", true), ("a.b/\"4711\"", true), (FORM_SEED, false)] {
            let (json, text) = shown(key, b"\"4711\"", sensitive);
            assert!(!json.to_string().contains("4711") && !text.contains("4711"), "{json} {text}");
            assert!(json["value"] == HIDDEN && json["sensitive"] == true && text.contains(HIDDEN));
        }
    }
}

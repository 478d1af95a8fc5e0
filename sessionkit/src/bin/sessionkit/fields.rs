//! The fields of a session.

use std::fmt;

use serde_json::{Value, json};
use sessionkit::store::ValueRef;

use crate::text;

const HIDDEN: &str = "(hidden)";

/// Stands for a value that this program has no key for.
const ENCRYPTED: &str = "(encrypted)";

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

    /// Returns what is shown instead of a value that is not.
    fn stands_for_value(&self) -> Option<&'static str> {
        if self.is_hidden() { Some(HIDDEN) } else { self.value.encrypted.then_some(ENCRYPTED) }
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
        if let Some(stands_for) = self.stands_for_value() {
            return stands_for.into();
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
        let ValueRef { bytes, carried, deadline, encrypted, .. } = self.value;
        json!({
            "key": self.key(),
            "size": bytes.len(),
            "carried": carried,
            "sensitive": self.is_hidden(),
            "encrypted": encrypted,
            "key_id": self.value.key_id().map(|id| id.to_string()),
            "deadline": deadline.map(|deadline| text::time(deadline.at)),
            "value": self.value(),
        })
    }
}

impl fmt::Display for Field<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ValueRef { bytes, carried, deadline, .. } = self.value;
        write!(f, "  {}  ({}", text::printable(&self.key()), text::counted(bytes.len(), "byte"))?;
        for (flag, _) in [("carried", carried), ("sensitive", self.is_hidden())].iter().filter(|(_, is_set)| *is_set) {
            write!(f, ", {flag}")?;
        }
        if self.value.encrypted {
            let id = self.value.key_id().map_or_else(|| "unknown".to_owned(), |id| id.to_string());
            write!(f, ", encrypted with the key {id}")?;
        }
        if let Some(deadline) = deadline {
            write!(f, ", until {}", text::time(deadline.at))?;
        }
        let shown = match (self.stands_for_value(), str::from_utf8(bytes)) {
            (Some(stands_for), _) => stands_for.to_owned(),
            (None, Ok(text)) => text.to_owned(),
            (None, Err(_)) => self.value()["hex"].as_str().unwrap_or_default().to_owned(),
        };
        writeln!(f, ")\n    {}", text::printable(&shown))
    }
}

#[cfg(test)]
mod tests {
    use sessionkit::store::StoredValue;

    use super::*;

    fn shown(key: &str, bytes: &[u8], sensitive: bool) -> (Value, String) {
        let value = StoredValue { carried: true, sensitive, ..StoredValue::new(bytes) };
        let field = Field::new((key, value.as_ref()));
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
        assert_eq!(shown("a.b", b"7", false).1, "  a.b  (1 byte, carried)\n    7\n");
    }

    #[test]
    fn what_is_encrypted_is_not_shown_as_a_value() {
        let value = StoredValue { encrypted: true, ..StoredValue::new(b"\xc1\x01\xab\xcd\xef\x01rest") };
        let field = Field::new(("a.b", value.as_ref()));
        let (json, text) = (field.to_json(), field.to_string());
        assert!(json["value"] == ENCRYPTED && json["encrypted"] == true && json["key_id"] == "abcdef01", "{json}");
        assert_eq!(text, "  a.b  (10 bytes, encrypted with the key abcdef01)\n    (encrypted)\n");
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

//! JSON as it stands in cookies: an object, read strictly.

use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use sessionkit_core::{FormatError, InvalidCookie};

/// The most levels of arrays and objects in each other, the outermost object included.
const MAX_DEPTH: usize = 64;

/// Reads an object. A key that is there twice, another value, deep nesting and integers of more than 64 bits are refused: others
/// would read them in another way.
pub(crate) fn read(text: &[u8]) -> Result<Map<String, Value>, InvalidCookie> {
    let text = str::from_utf8(text).map_err(|_| InvalidCookie)?;
    let mut input = serde_json::Deserializer::from_str(text);
    Strict { levels: MAX_DEPTH }.deserialize(&mut input).map_err(|_| InvalidCookie)?;
    // It is an object, as its first character shows: a value of another kind cannot become a map.
    let values = serde_json::from_str(text).map_err(|_| InvalidCookie)?;
    if integers_fit(text) { Ok(values) } else { Err(InvalidCookie) }
}

/// Writes an object in few characters.
#[cfg(any(feature = "fernet", feature = "jwt", feature = "migration", feature = "muffin", feature = "signed-json"))]
pub(crate) fn write(values: &Map<String, Value>) -> Result<String, FormatError> {
    check_depth(values)?;
    serde_json::to_string(values).map_err(|_| FormatError::new("the values have no form in JSON"))
}

/// Checks that what is written will be read.
pub(crate) fn check_depth(values: &Map<String, Value>) -> Result<(), FormatError> {
    fn fits(value: &Value, levels: usize) -> bool {
        match value {
            Value::Array(items) => levels > 0 && items.iter().all(|item| fits(item, levels - 1)),
            Value::Object(values) => levels > 0 && values.values().all(|value| fits(value, levels - 1)),
            _ => true,
        }
    }
    match values.iter().find(|(_, value)| !fits(value, MAX_DEPTH - 1)) {
        Some((key, _)) => Err(FormatError::new(format!("the value of `{key}` is nested more than {MAX_DEPTH} deep"))),
        None => Ok(()),
    }
}

/// Checks a value without keeping it. So it does not matter in which way numbers are kept, which other crates may choose.
struct Strict {
    levels: usize,
}

impl Strict {
    fn inner<E: Error>(&self) -> Result<Self, E> {
        Ok(Self { levels: self.levels.checked_sub(1).ok_or_else(|| E::custom("nested too deep"))? })
    }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element_seed(self.inner()?)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let mut keys = HashSet::new();
        while let Some(key) = entries.next_key::<String>()? {
            if !keys.insert(key) {
                return Err(A::Error::custom("a key is there twice"));
            }
            entries.next_value_seed(self.inner()?)?;
        }
        Ok(())
    }
}

/// Returns whether each integer of a valid text has a type. Languages that have larger ones would get others back.
fn integers_fit(text: &str) -> bool {
    let mut rest = text.as_bytes();
    while let Some((&byte, behind)) = rest.split_first() {
        rest = match byte {
            b'"' => behind_string(behind),
            b'-' | b'0'..=b'9' => {
                let end = rest.iter().position(|byte| !matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E'));
                let (number, behind) = rest.split_at(end.unwrap_or(rest.len()));
                let number = str::from_utf8(number).unwrap_or_default();
                let fits =
                    number.contains(['.', 'e', 'E']) || number.parse::<i64>().is_ok() || number.parse::<u64>().is_ok();
                if !fits {
                    return false;
                }
                behind
            }
            _ => behind,
        };
    }
    true
}

/// Returns what stands behind a string, whose first quote is gone.
fn behind_string(mut rest: &[u8]) -> &[u8] {
    loop {
        rest = match rest {
            [b'\\', _, behind @ ..] => behind,
            [b'"', behind @ ..] => return behind,
            [_, behind @ ..] => behind,
            [] => return rest,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_read() {
        let text = r#" {"a": [1, -2, 3.5, 1e3, true, null], "b\"1": {"a": "12345678901234567890123"}} "#;
        assert_eq!(Value::Object(read(text.as_bytes()).unwrap()), serde_json::from_str::<Value>(text).unwrap());
    }

    #[test]
    fn what_others_read_differently_is_refused() {
        let deep = |levels| format!("{{\"a\":{}{}}}", "[".repeat(levels), "]".repeat(levels));
        assert!(read(deep(MAX_DEPTH - 1).as_bytes()).is_ok());
        for text in [
            &deep(MAX_DEPTH),
            &deep(100_000),
            &"{\"a\":".repeat(5000),
            "[]",
            "1",
            "null",
            "\"a\"",
            "",
            "{",
            "{} {}",
            "{}x",
            r#"{"a":1,"a":1}"#,
            r#"{"a":1,"\u0061":2}"#,
            r#"{"a":{"b":1,"c":2,"b":3}}"#,
            r#"{"a":[{"b":1,"b":3}]}"#,
            r#"{"a":NaN}"#,
            r#"{"a":Infinity}"#,
            r#"{"a":1e999}"#,
            r#"{"a":01}"#,
            r#"{"a":18446744073709551616}"#,
            r#"{"a":[-9223372036854775809]}"#,
            r#"{"a\\":100000000000000000000}"#,
            r#"{"a":"\ud800"}"#,
        ] {
            assert_eq!(read(text.as_bytes()), Err(InvalidCookie), "{}", &text[..text.len().min(60)]);
        }
        assert_eq!(read(b"{\"a\":\"\xff\"}"), Err(InvalidCookie));
        for text in [r#"{"a":18446744073709551615}"#, r#"{"a":[-9223372036854775808]}"#, r#"{"a":1e20,"b":"\\"}"#] {
            assert!(read(text.as_bytes()).is_ok(), "{text}");
        }
    }

    /// Some numbers with many digits would change without the feature `float_roundtrip` of `serde_json`.
    #[test]
    fn a_number_is_read_exactly() {
        for number in [0.1, 1.0 / 3.0, 1.7976931348623157e308, 5e-324, 2.2250738585072014e-308, 123456.78901234567] {
            let read = read(format!("{{\"a\":{number:e}}}").as_bytes()).unwrap();
            assert_eq!(read["a"].as_f64(), Some(number));
        }
    }

    #[test]
    fn what_would_not_be_read_is_not_written() {
        let nested = |levels: usize| (0..levels).fold(Value::Null, |inner, _| Value::Array(vec![inner]));
        let values = |value| Map::from_iter([("cart".to_owned(), value)]);
        assert_eq!(check_depth(&values(nested(MAX_DEPTH - 1))), Ok(()));
        let error = check_depth(&values(nested(MAX_DEPTH))).unwrap_err();
        assert_eq!(error.to_string(), "the value of `cart` is nested more than 64 deep");
        assert!(check_depth(&values(nested(1000))).is_err());
    }
}

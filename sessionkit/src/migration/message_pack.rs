//! MessagePack as it stands in the records of other systems, read into the values of JSON.

use std::fmt;
#[cfg(feature = "flask-session")]
use std::io::Cursor;

#[cfg(feature = "flask-session")]
use rmp_serde::{Deserializer, Serializer};
use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap as _, SerializeSeq as _};
use serde_json::{Map, Number, Value};
use sessionkit_core::ForeignError;

#[cfg(feature = "flask-session")]
use super::record::written;
use crate::formats::json::MAX_DEPTH;
#[cfg(feature = "flask-session")]
use crate::formats::json::check_depth;

/// Reads a map. What JSON has no form for is refused: bytes, dates and other extensions, keys that are no text or are there twice,
/// infinite numbers. So is deep nesting.
#[cfg(feature = "flask-session")]
pub(super) fn read(record: &[u8]) -> Result<Map<String, Value>, ForeignError> {
    let mut at_key = String::new();
    let mut input = Deserializer::new(Cursor::new(record));
    let read = Root { at_key: &mut at_key }.deserialize(&mut input);
    // What the error says may quote a value.
    read.ok().filter(|_| input.position() == record.len() as u64).ok_or_else(|| unreadable(&at_key))
}

/// Writes a map, which will be read.
#[cfg(feature = "flask-session")]
pub(super) fn write(values: &Map<String, Value>) -> Result<Vec<u8>, ForeignError> {
    check_depth(values)?;
    let mut record = Vec::new();
    let encoded = Plain(values).serialize(&mut Serializer::new(&mut record));
    encoded.map_err(|_| ForeignError::unwritable("the values have no form in MessagePack"))?;
    written(record)
}

/// Makes the error of a record that cannot be read, with the key of the map at which the reading came to an end.
pub(super) fn unreadable(at_key: &str) -> ForeignError {
    if at_key.is_empty() {
        return ForeignError::unreadable("the record is no map in MessagePack");
    }
    let at_key: String = at_key.chars().take(100).collect();
    ForeignError::unreadable(format!("the record is no map in MessagePack, or JSON has no form for it, at `{at_key}`"))
}

/// The outermost map, which notes the key that it is at.
pub(super) struct Root<'a> {
    pub(super) at_key: &'a mut String,
}

impl<'de> DeserializeSeed<'de> for Root<'_> {
    type Value = Map<String, Value>;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Root<'_> {
    type Value = Map<String, Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map")
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<Self::Value, A::Error> {
        read_map(entries, MAX_DEPTH - 1, |key| self.at_key.clone_from(key))
    }
}

/// A value that JSON has a form for, with the levels that may be in it.
struct Strict {
    levels: usize,
}

impl Strict {
    fn inner<E: Error>(&self) -> Result<usize, E> {
        self.levels.checked_sub(1).ok_or_else(|| E::custom("nested too deep"))
    }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

/// Bytes, and extensions such as dates, have no function here and are refused.
impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value that JSON has a form for")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("no finite number"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let levels = self.inner()?;
        let mut values = Vec::new();
        while let Some(value) = items.next_element_seed(Self { levels })? {
            values.push(value);
        }
        Ok(values.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<Value, A::Error> {
        read_map(entries, self.inner()?, |_| {}).map(Value::Object)
    }
}

fn read_map<'de, A: MapAccess<'de>>(
    mut entries: A,
    levels: usize,
    mut at: impl FnMut(&String),
) -> Result<Map<String, Value>, A::Error> {
    let mut values = Map::new();
    while let Some(key) = entries.next_key_seed(Key)? {
        at(&key);
        let value = entries.next_value_seed(Strict { levels })?;
        if values.insert(key, value).is_some() {
            return Err(A::Error::custom("a key is there twice"));
        }
    }
    Ok(values)
}

/// A key, which is a text, and no bytes that could be one.
struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = String;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<String, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Visitor<'_> for Key {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_str<E>(self, key: &str) -> Result<String, E> {
        Ok(key.to_owned())
    }
}

/// Values whose numbers are numbers of MessagePack, in whatever way they are kept, which other crates may choose.
pub(super) struct Plain<'a, T>(pub(super) &'a T);

impl Serialize for Plain<'_, Map<String, Value>> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (key, value) in self.0 {
            map.serialize_entry(key, &Plain(value))?;
        }
        map.end()
    }
}

impl Serialize for Plain<'_, Value> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Number(number) => match (number.as_u64(), number.as_i64(), number.as_f64()) {
                (Some(number), _, _) => serializer.serialize_u64(number),
                (_, Some(number), _) => serializer.serialize_i64(number),
                (_, _, Some(number)) => serializer.serialize_f64(number),
                _ => Err(serde::ser::Error::custom("a number of another type")),
            },
            Value::Array(values) => {
                let mut items = serializer.serialize_seq(Some(values.len()))?;
                for value in values {
                    items.serialize_element(&Plain(value))?;
                }
                items.end()
            }
            Value::Object(values) => Plain(values).serialize(serializer),
            other => other.serialize(serializer),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::object;
    use super::*;

    #[test]
    fn values_come_back() {
        let numbers = json!([0, 127, 128, -1, -33, u64::MAX, i64::MIN, 0.1, 5e-324, f64::MAX, 1.0]);
        let nested = (0..MAX_DEPTH - 1).fold(json!(null), |inner, _| json!([inner]));
        let values =
            json!({"": null, "\u{e9}": "\u{1f600}", "numbers": numbers, "nested": nested, "o": {"a": [true, {}]}});
        let record = write(&object(values.clone())).unwrap();
        assert_eq!(Value::Object(read(&record).unwrap()), values);
        assert_eq!(read(b"\x80").unwrap(), Map::new());
        assert_eq!(write(&object(json!({"a": 7, "b": [true]}))).unwrap(), b"\x82\xa1a\x07\xa1b\x91\xc3");
        assert_eq!(read(b"\x81\xa1a\xca\x3f\x00\x00\x00").unwrap(), object(json!({"a": 0.5})), "a number of 32 bits");
    }

    #[test]
    fn what_would_not_be_read_is_not_written() {
        let nested = (0..MAX_DEPTH).fold(json!("a secret"), |inner, _| json!([inner]));
        let error = write(&object(json!({"deep": nested}))).unwrap_err().to_string();
        assert!(error.contains("`deep`") && !error.contains("a secret"), "{error}");
        assert!(write(&object(json!({"large": "x".repeat(300_000)}))).is_err());
    }

    #[test]
    fn what_json_has_no_form_for_is_refused() {
        let deep = [&b"\x81\xa1a"[..], &[0x91; MAX_DEPTH], b"\xc0"].concat();
        let bomb = [&b"\x81\xa1a"[..], &[0x91; 200_000]].concat();
        for (record, key) in [
            (&b""[..], ""),
            (b"\xc0", ""),
            (b"\x07", ""),
            (b"\x90", ""),
            (b"\xa6secret", ""),
            (b"\xc4\x01a", ""),
            (b"\x81", ""),
            (b"\x81\xa1", ""),
            (b"\x81\xa1a", "a"),
            (b"\x80\x80", ""),
            (b"\x81\xa1a\xc0\xc0", "a"),
            (b"\x82\xa1a\xc0\xa1a\xc0", "a"),
            (b"\x82\xa1a\xc0\xa1b\x82\xa1c\xc0\xa1c\xc0", "b"),
            // Bytes, a date, another extension, and a marker that means nothing.
            (b"\x81\xa1a\xc4\x01a", "a"),
            (b"\x81\xa1a\xd6\xff\x00\x00\x00\x00", "a"),
            (b"\x81\xa1a\xd4\x01\x00", "a"),
            (b"\x81\xa1a\xc1", "a"),
            // Keys that are no text.
            (b"\x81\x01\xc0", ""),
            (b"\x81\xc0\xc0", ""),
            (b"\x81\xc4\x01a\xc0", ""),
            (b"\x81\xa1a\x81\x01\xc0", "a"),
            // No number, infinite, and no UTF-8.
            (b"\x81\xa1a\xcb\x7f\xf8\x00\x00\x00\x00\x00\x00", "a"),
            (b"\x81\xa1a\xcb\x7f\xf0\x00\x00\x00\x00\x00\x00", "a"),
            (b"\x81\xa1a\xa1\xff", "a"),
            (b"\x81\xa1\xff\xc0", ""),
            // Lengths that nothing has.
            (b"\xdf\xff\xff\xff\xff", ""),
            (b"\x81\xa1a\xdd\xff\xff\xff\xff", "a"),
            (b"\x81\xa1a\xdb\xff\xff\xff\xff", "a"),
            (&deep, "a"),
            (&bomb, "a"),
        ] {
            let error = read(record).unwrap_err().to_string();
            let shown = &record[..record.len().min(30)];
            assert_eq!(error.contains(" at `"), !key.is_empty(), "{shown:?}: {error}");
            assert!(error.contains(&format!("`{key}`")) || key.is_empty(), "{shown:?}: {error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }
}

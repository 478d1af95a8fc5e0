//! The tags with which Flask keeps types of Python in JSON: objects of one key that is a tag.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};
use sessionkit_core::InvalidCookie;

/// An object of one key that looks like a tag: it is that key and [`MARK`].
const OBJECT: &str = " di";
const TUPLE: &str = " t";
const BYTES: &str = " b";
const MARKUP: &str = " m";
const UUID: &str = " u";
const TIME: &str = " d";

/// The end of a key that only looks like a tag.
const MARK: &str = "__";

/// Returns a value of Flask as plain JSON.
pub(super) fn without(value: Value) -> Result<Value, InvalidCookie> {
    match value {
        Value::Array(items) => items.into_iter().map(without).collect::<Result<_, _>>().map(Value::Array),
        Value::Object(entries) => {
            let entries = entries.into_iter().map(|(key, value)| Ok((key, without(value)?)));
            untagged(entries.collect::<Result<_, _>>()?)
        }
        plain => Ok(plain),
    }
}

/// Returns an object, or what it stands for.
fn untagged(entries: Map<String, Value>) -> Result<Value, InvalidCookie> {
    let tag = match (entries.len(), entries.keys().next()) {
        (1, Some(key)) if is_tag(key) => key.clone(),
        _ => return Ok(Value::Object(entries)),
    };
    let value = entries.into_iter().next().map(|(_, value)| value);
    match (&*tag, value) {
        (OBJECT, Some(Value::Object(inner))) => marked(inner).ok_or(InvalidCookie),
        (TUPLE, Some(items @ Value::Array(_))) => Ok(items),
        (MARKUP, Some(text @ Value::String(_))) => Ok(text),
        (BYTES, Some(Value::String(text))) if STANDARD.decode(&text).is_ok() => Ok(Value::String(text)),
        (UUID, Some(Value::String(text))) => hyphenated(&text).map(Value::String).ok_or(InvalidCookie),
        (TIME, Some(Value::String(text))) => rfc_3339(&text).map(Value::String).ok_or(InvalidCookie),
        _ => Err(InvalidCookie),
    }
}

/// Returns the object whose one key only looks like a tag.
fn marked(entries: Map<String, Value>) -> Option<Value> {
    let mut entries = entries.into_iter();
    let (key, value) = entries.next()?;
    let object = Map::from_iter([(key.strip_suffix(MARK)?.to_owned(), value)]);
    entries.next().is_none().then_some(Value::Object(object))
}

/// Returns plain JSON so that Flask reads it as it is.
pub(super) fn with(values: &Map<String, Value>) -> Map<String, Value> {
    let tagged = values.iter().map(|(key, value)| (key.clone(), tagged(value))).collect::<Map<_, _>>();
    match tagged.keys().next() {
        Some(key) if tagged.len() == 1 && is_tag(key) => {
            let inner = tagged.into_iter().map(|(key, value)| (format!("{key}{MARK}"), value)).collect();
            Map::from_iter([(OBJECT.to_owned(), Value::Object(inner))])
        }
        _ => tagged,
    }
}

fn tagged(value: &Value) -> Value {
    match value {
        Value::Array(items) => Value::Array(items.iter().map(tagged).collect()),
        Value::Object(entries) => Value::Object(with(entries)),
        plain => plain.clone(),
    }
}

fn is_tag(key: &str) -> bool {
    [OBJECT, TUPLE, BYTES, MARKUP, UUID, TIME].contains(&key)
}

/// Writes a UUID with its hyphens.
fn hyphenated(hex: &str) -> Option<String> {
    if hex.len() != 32 || !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let parts = [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]];
    Some(parts.join("-"))
}

/// Writes the date of HTTP, `Tue, 14 Nov 2023 22:13:20 GMT`, as RFC 3339 does.
fn rfc_3339(date: &str) -> Option<String> {
    const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (weekday, rest) = date.strip_suffix(" GMT")?.split_once(", ")?;
    let mut parts = rest.split(' ');
    let (day, month, year, time) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let mut clock = time.split(':');
    let (hour, minute, second) = (clock.next()?, clock.next()?, clock.next()?);
    let is_number = |text: &str, length, least, most| {
        let digits = text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit());
        digits && text.parse::<u16>().is_ok_and(|number| (least..=most).contains(&number))
    };
    let is_date = DAYS.contains(&weekday)
        && is_number(day, 2, 1, 31)
        && is_number(year, 4, 1, 9999)
        && is_number(hour, 2, 0, 23)
        && is_number(minute, 2, 0, 59)
        && is_number(second, 2, 0, 60)
        && parts.next().is_none()
        && clock.next().is_none();
    let month = MONTHS.iter().position(|name| *name == month)? + 1;
    is_date.then(|| format!("{year}-{month:02}-{day}T{time}Z"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(value: Value) -> Result<Value, InvalidCookie> {
        without(value)
    }

    #[test]
    fn a_tag_is_read_as_what_comes_nearest() {
        let tagged = json!({
            "tuple": {" t": [1, {" t": []}]},
            "bytes": {" b": "AAH/"},
            "markup": {" m": "<b>"},
            "uuid": {" u": "3f2b8c1e111142228333444455556666"},
            "time": [{" d": "Tue, 14 Nov 2023 22:13:20 GMT"}],
            "object": {" di": {" t__": {" b": ""}}},
            "own": {" od": [1]},
            "two": {" t": 1, " b": 2},
        });
        let plain = json!({
            "tuple": [1, []],
            "bytes": "AAH/",
            "markup": "<b>",
            "uuid": "3f2b8c1e-1111-4222-8333-444455556666",
            "time": ["2023-11-14T22:13:20Z"],
            "object": {" t": ""},
            "own": {" od": [1]},
            "two": {" t": 1, " b": 2},
        });
        assert_eq!(read(tagged), Ok(plain));
    }

    #[test]
    fn a_tag_of_something_else_is_refused() {
        for value in [
            json!({" t": {}}),
            json!({" t": null}),
            json!({" b": "AAH"}),
            json!({" b": "AAF="}),
            json!({" m": 1}),
            json!({" u": "3f2b8c1e-1111-4222-8333-444455556666"}),
            json!({" u": "3f2b8c1e11114222833344445555666g"}),
            json!({" u": "éééééééééééééééé"}),
            json!({" di": {" t": [1]}}),
            json!({" di": {}}),
            json!({" di": {" t__": 1, "a__": 2}}),
            json!({" d": 1}),
        ] {
            assert_eq!(read(json!({"a": [value.clone()]})), Err(InvalidCookie), "{value}");
        }
    }

    #[test]
    fn a_date_is_one_of_http() {
        assert_eq!(rfc_3339("Sat, 01 Jan 0001 00:00:00 GMT").as_deref(), Some("0001-01-01T00:00:00Z"));
        for date in [
            "",
            " GMT",
            "Tue, 14 Nov 2023 22:13:20",
            "Tue, 14 Nov 2023 22:13:20 CET",
            "Tue, 14 Nov 2023 22:13:20 x GMT",
            "Die, 14 Nov 2023 22:13:20 GMT",
            "Tue, 14 Non 2023 22:13:20 GMT",
            "Tue, 32 Nov 2023 22:13:20 GMT",
            "Tue, 14 Nov 23 22:13:20 GMT",
            "Tue, 14 Nov 2023 24:13:20 GMT",
            "Tue, 14 Nov 2023 22:13 GMT",
            "Tue, 14 Nov 2023 22:13:2é GMT",
            "Tue, 14 Nov 2023 22:13:+1 GMT",
        ] {
            assert_eq!(rfc_3339(date), None, "{date}");
        }
    }

    #[test]
    fn an_object_that_looks_like_a_tag_comes_back() {
        let Value::Object(values) = json!({
            "a": [{" t": [1]}, {" di": {" t__": {" b": "x"}}}, {" t": 1, "b": 2}, {"c": {" u": null}}],
        }) else {
            unreachable!()
        };
        assert_eq!(without(Value::Object(with(&values))), Ok(Value::Object(values)));
        let alone = Map::from_iter([(" t".to_owned(), json!(1))]);
        assert_eq!(Value::Object(with(&alone)), json!({" di": {" t__": 1}}));
        assert_eq!(without(Value::Object(with(&alone))), Ok(Value::Object(alone)));
    }
}

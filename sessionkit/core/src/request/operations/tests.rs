//! Tests of the record that the changes of a request make of another.

use std::time::Duration;

use super::RequestChanges;
use crate::data::three_way::ThreeWay;
use crate::data::{Field, OnError};
use crate::encryption::Opener;
use crate::record::Record;
use crate::record::delta::{Clear, FieldChanges as _, FieldDeadline, FieldKey, StoredValue};
use crate::record::field_error::FieldError;
use crate::record::header::Header;
use crate::request::changes::{Change, ChangeKind, Changes};
use crate::time::Timestamp;
use crate::token::{SecretHash, SessionId};

const ID: SessionId = SessionId::from_bytes([1; 16]);
const NOW: Timestamp = Timestamp::from_unix_seconds(1_700_000_000);

fn record<'a>(fields: impl IntoIterator<Item = (&'a str, StoredValue)>) -> Record {
    let header = Header::new(SecretHash::from_bytes([0; 32]), NOW, Duration::from_secs(3600), None);
    let fields: Vec<_> = fields.into_iter().collect();
    Record::from_fields(header, fields.iter().map(|(key, value)| (*key, value.as_ref())))
}

fn plain(bytes: impl Into<Vec<u8>>) -> StoredValue {
    StoredValue::new(bytes)
}

static COUNT: Field = Field::new("cart.n").aliases(&["cart.old"]);
static CARRIED: Field = Field::new("cart.n").carry();
static SHORT: Field = Field::new("cart.n").ttl(60);
static SENSITIVE: Field = Field::new("cart.n").sensitive();

fn change(field: &'static Field, kind: ChangeKind) -> RequestChanges {
    let change = Change { key: field.key.into(), field, on_error: OnError::Fail, kind };
    let mut changes = Changes::default();
    changes.changes.set(change);
    RequestChanges { changes, origin: None, earlier: Vec::new() }
}

type Values = Vec<(FieldKey, Option<StoredValue>)>;

fn values(changes: &RequestChanges, newest: &Record) -> Result<Values, FieldError> {
    changes.operations(newest, Opener::without_keys(), NOW).map(|operations| operations.values)
}

/// Returns the value that the changes give to the one field that they are about.
fn value(changes: &RequestChanges, newest: &Record) -> Option<StoredValue> {
    let values = values(changes, newest).unwrap();
    let (_, value) = values.into_iter().rev().find(|(key, _)| *key == "cart.n").expect("the field is changed");
    value
}

fn text(value: Option<StoredValue>) -> String {
    String::from_utf8(value.expect("there is a value").bytes).unwrap()
}

const I8: (i128, i128) = (-128, 127);
const U8: (i128, i128) = (0, 255);
const I64: (i128, i128) = (i64::MIN as i128, i64::MAX as i128);
const U64: (i128, i128) = (0, u64::MAX as i128);

/// The value of a field, the addend, the bounds, and the value of the field afterwards.
type Case<'a> = (Option<&'a str>, i128, (i128, i128), &'a str);

#[test]
fn an_addition_is_exact_and_saturates() {
    let i128_max = i128::MAX.to_string();
    let i128_min = i128::MIN.to_string();
    let cases: &[Case<'_>] = &[
        (None, 5, I64, "5"),
        (None, -5, U64, "0"),
        (None, 1, (10, 20), "10"),
        (None, 1, (-20, -10), "-10"),
        (Some("5"), -8, I64, "-3"),
        (Some("-5"), 8, I64, "3"),
        (Some("-5"), 5, I64, "0"),
        (Some("-5"), -5, I64, "-10"),
        (Some("250"), 10, U8, "255"),
        (Some("250"), 5, U8, "255"),
        (Some("250"), 4, U8, "254"),
        (Some("3"), -4, U8, "0"),
        (Some("100"), 100, I8, "127"),
        (Some("-100"), -100, I8, "-128"),
        (Some("300"), 1, U8, "255"),
        (Some("300"), -100, U8, "200"),
        (Some("-1"), 1, U8, "0"),
        (Some("9007199254740992"), 1, I64, "9007199254740993"),
        (Some("-9007199254740992"), -1, I64, "-9007199254740993"),
        (Some("999999999999999"), 1, I64, "1000000000000000"),
        (Some("999999999999999"), 999_999_999_999_999, I64, "1999999999999998"),
        (Some("1000000000000000"), -1, I64, "999999999999999"),
        (Some("9223372036854775806"), 1, I64, "9223372036854775807"),
        (Some("9223372036854775807"), 1, I64, "9223372036854775807"),
        (Some("-9223372036854775807"), -1, I64, "-9223372036854775808"),
        (Some("-9223372036854775808"), -1, I64, "-9223372036854775808"),
        (Some("9223372036854775807"), i64::MIN as i128, I64, "-1"),
        (Some("-9223372036854775808"), i64::MAX as i128, I64, "-1"),
        (Some("18446744073709551614"), 1, U64, "18446744073709551615"),
        (Some("18446744073709551615"), 1, U64, "18446744073709551615"),
        (Some("18446744073709551615"), -1, U64, "18446744073709551614"),
        (Some("18446744073709551615"), -(u64::MAX as i128), U64, "0"),
        (Some("0"), u64::MAX as i128, U64, "18446744073709551615"),
        (Some("10000000000000000000"), -1, U64, "9999999999999999999"),
        (Some("-9223372036854775808"), 1 << 63, I64, "0"),
        (Some("9223372036854775807"), -(i64::MAX as i128), I64, "0"),
        (Some("-9223372036854775808"), u64::MAX as i128, I64, "9223372036854775807"),
        // What nobody should have stored.
        (Some(&i128_max), u64::MAX as i128, U64, "18446744073709551615"),
        (Some(&i128_min), -(u64::MAX as i128), I64, "-9223372036854775808"),
        (Some("+7"), 1, I64, "8"),
        (Some("007"), 1, I64, "8"),
        (Some("-0"), 1, I64, "1"),
        (Some("-000000000000000000000000000000000000000000000000003"), 1, I64, "-2"),
    ];
    for &(held, by, (min, max), expected) in cases {
        let newest = record(held.map(|held| ("cart.n", plain(held))));
        let sum = text(value(&change(&COUNT, ChangeKind::Add { by, min, max }), &newest));
        assert_eq!(sum, expected, "{held:?} + {by} within {min}..={max}");
    }
}

fn add(by: i128) -> ChangeKind {
    let (min, max) = I64;
    ChangeKind::Add { by, min, max }
}

#[test]
fn what_is_not_an_integer_is_not_added_to() {
    let too_large = ["170141183460469231731687303715884105728", "-170141183460469231731687303715884105729"];
    let texts =
        ["", " ", "a", "1 ", " 1", "1.0", "1e3", "0x10", "--1", "+", "-", "null", "\"1\"", "1\n", "1\0", "!c 1", "١"];
    for text_held in texts.into_iter().chain(too_large) {
        let newest = record([("cart.n", plain(text_held))]);
        let strict = change(&COUNT, add(1));
        assert!(values(&strict, &newest).is_err(), "[P6] adding to {text_held:?} fails");
        let mut lenient = change(&COUNT, add(1));
        let strict = lenient.changes.changes[0].clone();
        lenient.changes.changes.set(Change { on_error: OnError::UseDefault, ..strict });
        assert_eq!(text(value(&lenient, &newest)), "1", "{text_held:?} counts as none");
        assert!(values(&change(&COUNT, add(0)), &newest).unwrap().is_empty(), "nothing is added to {text_held:?}");
    }
}

#[test]
fn a_changed_value_has_the_flags_of_its_field() {
    let held = StoredValue {
        carried: true,
        deadline: Some(FieldDeadline::after(NOW, Duration::from_secs(9))),
        sensitive: true,
        ..plain("1")
    };
    let newest = record([("cart.n", held.clone())]);
    for (field, carried, deadline, sensitive) in [
        (&COUNT, false, None, false),
        (&CARRIED, true, None, false),
        (&SHORT, false, Some(FieldDeadline::after(NOW, Duration::from_secs(60))), false),
        (&SENSITIVE, false, None, true),
    ] {
        let expected = |bytes: &str| Some(StoredValue { carried, deadline, sensitive, ..plain(bytes) });
        assert_eq!(value(&change(field, add(1)), &newest), expected("2"));
        let write = ChangeKind::Write { value: Some(b"7".to_vec()) };
        assert_eq!(value(&change(field, write), &newest), expected("7"));
        // What comes from outside of the struct knows no flags.
        let put = change(field, ChangeKind::Put { value: Some(b"8".to_vec()) });
        assert_eq!(value(&put, &newest), Some(StoredValue { bytes: b"8".to_vec(), ..held.clone() }));
        assert_eq!(value(&put, &record([])), Some(plain("8")));
    }
}

#[test]
fn a_value_whose_time_is_up_counts_as_none() {
    let newest =
        record([("cart.n", StoredValue { deadline: Some(FieldDeadline::after(NOW, Duration::ZERO)), ..plain("5") })]);
    assert_eq!(text(value(&change(&COUNT, add(2)), &newest)), "2");
}

#[test]
fn what_is_written_leaves_nothing_under_an_alias() {
    let newest = record([("cart.old", plain("5"))]);
    let expected = |value| vec![("cart.old".into(), None), ("cart.n".into(), value)];
    let merge: fn(ThreeWay<'_>) -> _ = |values| Ok(values.mine.map(<[u8]>::to_vec));
    let cases = [
        (add(2), Some(plain("7"))),
        (ChangeKind::Write { value: Some(b"9".to_vec()) }, Some(plain("9"))),
        (ChangeKind::Write { value: None }, None),
        (ChangeKind::Merge { merge, mine: Some(b"3".to_vec()), origin: 0 }, Some(plain("3"))),
    ];
    for (kind, value) in cases {
        assert_eq!(values(&change(&COUNT, kind), &newest).unwrap(), expected(value));
    }
}

fn merge_texts(values: ThreeWay<'_>) -> Result<Option<Vec<u8>>, FieldError> {
    let part = |bytes: Option<&[u8]>| bytes.unwrap_or(b"-").to_vec();
    Ok(Some([part(values.base), part(values.mine), part(values.theirs)].join(&b'|')))
}

#[test]
fn a_merge_is_computed_anew_from_each_newest_record() {
    let mut changes = change(&COUNT, ChangeKind::Merge { merge: merge_texts, mine: Some(b"mine".to_vec()), origin: 0 });
    changes.origin = Some((ID, record([("cart.n", plain("base"))])));
    let merged = |newest: &Record| text(value(&changes, newest));
    assert_eq!(merged(&record([("cart.n", plain("base"))])), "mine", "nobody else changed it");
    assert_eq!(merged(&record([("cart.n", plain("one"))])), "base|mine|one");
    assert_eq!(merged(&record([("cart.n", plain("two"))])), "base|mine|two", "not base|mine|one|two");
    assert_eq!(merged(&record([])), "base|mine|-");
    assert_eq!(merged(&record([("cart.old", plain("three"))])), "base|mine|three");
    // What is there already is no change.
    let keep: fn(ThreeWay<'_>) -> _ = |values| Ok(values.theirs.map(<[u8]>::to_vec));
    let mut changes = change(&COUNT, ChangeKind::Merge { merge: keep, mine: Some(b"mine".to_vec()), origin: 0 });
    changes.origin = Some((ID, record([])));
    assert_eq!(values(&changes, &record([("cart.n", plain("one"))])).unwrap(), []);
}

/// The map knows no struct, but what is stored.
#[test]
fn what_the_map_puts_beside_sensitive_entries_is_sensitive() {
    static FIELDS: [(Field, bool); 4] = [
        (Field::new("cart.tags"), true),
        (Field::new("cart.tags/\"y\""), true),
        (Field::new("cart.tag"), false),
        (Field::new("cart.open/\"y\""), false),
    ];
    let secret = StoredValue { sensitive: true, ..plain("1") };
    let newest = record([("cart.tags/\"x\"", secret), ("cart.open/\"x\"", plain("1"))]);
    for (field, sensitive) in &FIELDS {
        let put = change(field, ChangeKind::Put { value: Some(b"8".to_vec()) });
        let written = values(&put, &newest).unwrap().into_iter().find(|(key, _)| *key == field.key);
        assert_eq!(written.unwrap().1.unwrap().sensitive, *sensitive, "{}", field.key);
    }
}

#[test]
fn what_a_request_removed_is_nothing_to_add_to() {
    let newest = record([("cart.n", plain("5")), ("cart.m", plain("1"))]);
    let mut changes = change(&COUNT, add(2));
    changes.origin = Some((ID, newest.clone()));
    changes.changes.cleared = true;
    let operations = changes.operations(&newest, Opener::without_keys(), NOW).unwrap();
    assert_eq!(operations.clear, Clear::All);
    assert_eq!(text(value(&changes, &newest)), "2");
}

#[test]
fn an_addition_or_a_merge_counts_twice_where_it_is_repeated() {
    let merge = |mine: &[u8]| ChangeKind::Merge { merge: merge_texts, mine: Some(mine.to_vec()), origin: 0 };
    let cases = [
        (ChangeKind::Write { value: None }, true),
        (ChangeKind::Put { value: Some(b"1".to_vec()) }, true),
        (add(0), true),
        (add(1), false),
        (merge(b"1"), false),
    ];
    for (at, (kind, is_repeatable)) in cases.into_iter().enumerate() {
        assert_eq!(change(&COUNT, kind).is_repeatable(), is_repeatable, "case {at}");
    }
}

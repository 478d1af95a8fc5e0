//! What a field may be called, and hold.

use std::sync::Arc;

use super::fixture::{NOW, Session, after, carried, header, plain, record, remove, replace, set, until};
use super::seen::{Bytes, SeenRecord};
use crate::record::delta::StoredValue;
use crate::store::Store;

fn odd_values() -> Vec<Vec<u8>> {
    let mut values: Vec<Vec<u8>> =
        ["", " ", "!", "! ", "!c", "!c ", "!c@1 x", "!@9 1", "@", "null", "1\r\n$1\r\n", "é"]
            .map(|text| text.as_bytes().to_vec())
            .to_vec();
    values.push((0..=255).collect());
    values.push(vec![0]);
    values.push(vec![0xff, 0xfe, b'!']);
    values.push((0..1024 * 1024).map(|at| (at * 31 % 251) as u8).collect());
    values
}

fn odd_keys() -> Vec<String> {
    let mut keys = [
        "a",
        "cart.items",
        "A",
        "",
        " ",
        "a b",
        "@",
        "@user",
        "@label",
        "@prev",
        "@ttl",
        "@x",
        "!",
        "!@user",
        "!a",
        "ключ.é",
        "\u{1f36a}",
        "a\nb",
        "a\0b",
        "a\tb",
        "'; drop table sessions; --",
        "*",
        "a.b.c",
        "../a",
        "%00",
        "\"",
        "__proto__",
        "created",
        "user",
        "generation",
    ]
    .map(str::to_owned)
    .to_vec();
    keys.push("k".repeat(200));
    keys
}

/// Any bytes come back as they are, and compare as they are, whether created, set or replaced.
pub async fn any_bytes_are_a_value<S: Store>(store: Arc<S>) {
    for (number, bytes) in odd_values().into_iter().enumerate() {
        let shown = Bytes(bytes.clone());
        let session = Session::with(&store, [("created", plain(&*bytes))]).await;
        assert_eq!(session.bytes("created").await.map(Bytes), Some(shown.clone()), "value {number}, created");
        session.apply([set("set", plain(&*bytes))]).await;
        assert_eq!(session.bytes("set").await.map(Bytes), Some(shown.clone()), "value {number}, set");
        session.apply([replace("set", Some(&bytes), Some(carried(&*bytes)))]).await;
        assert_eq!(session.bytes("set").await.map(Bytes), Some(shown), "value {number}, replaced");
        session.apply([replace("set", Some(&bytes), None), replace("created", Some(&bytes), None)]).await;
        assert_eq!(session.record().await.fields().count(), 0, "value {number}, removed");
    }
}

/// A value's flags come back with it, whatever its bytes.
pub async fn flags_come_back<S: Store>(store: Arc<S>) {
    for bytes in odd_values().into_iter().filter(|bytes| bytes.len() < 1000) {
        for carried in [false, true] {
            for deadline in [None, Some(after(60)), Some(after(9_000_000_000))] {
                let value = StoredValue { bytes: bytes.clone(), carried, deadline };
                let session = Session::with(&store, [("created", value.clone())]).await;
                session.apply([set("set", value.clone()), replace("put", None, Some(value.clone()))]).await;
                let fields = [("created", value.clone()), ("set", value.clone()), ("put", value)];
                assert_eq!(session.seen().await, SeenRecord::of(&record(header(), fields)));
            }
        }
    }
}

/// Any text is the key of a field: none is part of the header, none equals another.
pub async fn any_text_is_a_key<S: Store>(store: Arc<S>) {
    let keys = odd_keys();
    let fields = || keys.iter().enumerate().map(|(number, key)| (key.as_str(), plain(number.to_string())));
    let expected = SeenRecord::of(&record(header(), fields()));

    let created = Session::with(&store, fields()).await;
    assert_eq!(created.seen().await, expected, "created");

    let changed = Session::with(&store, []).await;
    changed.apply(fields().map(|(key, value)| set(key, value)).collect::<Vec<_>>()).await;
    assert_eq!(changed.seen().await, expected, "set");
    changed.apply(fields().map(|(key, value)| replace(key, Some(&value.bytes), None)).collect::<Vec<_>>()).await;
    assert_eq!(changed.record().await.fields().count(), 0, "replaced by nothing");

    created.apply(keys.iter().map(|key| remove(key.as_str())).collect::<Vec<_>>()).await;
    assert_eq!(created.seen().await, SeenRecord::of(&record(header(), [])), "removed");
}

/// Thousands of fields are created, set and removed like a few.
pub async fn thousands_of_fields_are_one_commit<S: Store>(store: Arc<S>) {
    const FIELDS: usize = 10_000;
    let keys: Vec<String> = (0..FIELDS).map(|number| format!("many.{number}")).collect();
    let session = Session::with(&store, keys.iter().map(|key| (key.as_str(), plain("1")))).await;
    assert_eq!(session.record().await.fields().count(), FIELDS, "created");
    session.apply(keys.iter().map(|key| set(key.as_str(), until(after(9), "2"))).collect::<Vec<_>>()).await;
    let record = session.record().await;
    assert!(record.fields().all(|(_, value)| value.bytes == b"2" && value.is_live(NOW)), "set");
    session.apply(keys.iter().map(|key| remove(key.as_str())).collect::<Vec<_>>()).await;
    assert_eq!(session.record().await.fields().count(), 0, "removed");
}

//! What stores hold.

use sessionkit_core::{Entry, Record, SessionList, Timestamp};

pub(super) fn record(input: &[u8]) {
    let Ok(record) = Record::from_bytes(input) else { return };
    let now = Timestamp::from_unix_seconds(1_700_000_000);
    let _ = (record.header(), record.revision());
    for (key, _) in record.fields() {
        let _ = record.field(key, now);
    }
    assert_eq!(&**record.as_bytes(), input, "a record is its bytes");
    let _ = format!("{record:?}");
}

pub(super) fn session_list(input: &[u8]) {
    let Ok(list) = SessionList::from_bytes(input) else { return };
    let _ = (list.scope(), list.user_id(), list.sessions().len());
    let _ = format!("{list:?}");
}

pub(super) fn entry(input: &[u8]) {
    let entry = Entry::from_bytes(input);
    let _ = (entry.summary(), entry.generation());
    if let Some(revision) = entry.revision() {
        assert!(entry.has_revision(revision));
    }
}

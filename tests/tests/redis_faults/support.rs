//! A session in a Redis server, as the store sees it: bytes with a revision.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Waker};
use std::time::Duration;

use sessionkit::redis::RedisStore;
use sessionkit_core::{
    Entry, EntryKey, Generation, Header, InsertOutcome, Record, RemoveOutcome, ReplaceOutcome, Revision, SecretHash,
    SessionId, Store, StoreError, StoreErrorKind, StoredValue, Timestamp,
};

pub(crate) const NOW: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);
pub(crate) const TTL: Duration = Duration::from_secs(3600);
pub(crate) const ID: SessionId = SessionId::from_bytes([7; 16]);
pub(crate) const KEY: &str = "session:BwcHBwcHBwcHBwcHBwcHBw";

/// The revision of every entry here, so that each write replaces the one before.
pub(crate) const HELD: Revision = Revision::from_bytes([0; 8]);

pub(crate) fn key() -> EntryKey {
    EntryKey::session(ID)
}

/// An entry with these fields.
pub(crate) fn entry(fields: &[(&str, &str)]) -> Entry {
    let header = Header::new(SecretHash::from_bytes([1; 32]), NOW, TTL, None);
    let values: Vec<_> = fields.iter().map(|(key, text)| (*key, StoredValue::new(*text))).collect();
    let record = Record::from_fields(header, values.iter().map(|(key, value)| (*key, value.as_ref())));
    Entry::new(record.as_bytes().clone(), TTL)
}

/// Makes the session with these fields.
pub(crate) async fn create(store: &RedisStore, fields: &[(&str, &str)]) {
    let outcome = store.insert(&key(), &entry(fields)).await.unwrap();
    assert_eq!(outcome, InsertOutcome::Inserted);
}

/// Replaces the fields of the session.
pub(crate) async fn commit(store: &RedisStore, fields: &[(&str, &str)]) -> Result<(), StoreError> {
    let outcome = store.replace(&key(), HELD, &entry(fields)).await?;
    assert_eq!(outcome, ReplaceOutcome::Replaced);
    Ok(())
}

pub(crate) async fn commit_set(store: &RedisStore, field: &str, text: &str) -> Result<(), StoreError> {
    commit(store, &[(field, text)]).await
}

/// Ends the session; `false` if there was none.
pub(crate) async fn remove(store: &RedisStore) -> Result<bool, StoreError> {
    match store.remove(&key(), Generation::default()).await? {
        RemoveOutcome::Removed => Ok(true),
        RemoveOutcome::Absent => Ok(false),
        RemoveOutcome::Changed(entry) => panic!("the generation never changes here, but: {entry:?}"),
    }
}

/// The text of a field of the session.
pub(crate) async fn text(store: &RedisStore, field: &str) -> Option<String> {
    let entry = store.load(&key()).await.unwrap().expect("the session is there");
    let record = Record::from_bytes(entry.bytes()).expect("it is whole");
    record.field(field, NOW).map(|value| String::from_utf8(value.bytes.to_vec()).unwrap())
}

#[track_caller]
pub(crate) fn assert_kind<T: std::fmt::Debug>(outcome: Result<T, StoreError>, kind: StoreErrorKind) -> String {
    let error = outcome.expect_err("the call fails");
    assert_eq!(error.kind(), kind, "{error}");
    error.to_string()
}

/// Polls a call once, so that it is under way, and drops it.
pub(crate) fn begin_and_drop(call: impl Future) {
    let mut call = pin!(call);
    let polled = call.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert!(polled.is_pending(), "the call cannot be finished at once");
}

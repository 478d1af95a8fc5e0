//! A session in a Redis server.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Waker};
use std::time::Duration;

use sessionkit::redis::RedisStore;
use sessionkit_core::{
    CommitOutcome, CreateOutcome, Delta, FieldOp, Generation, Header, HeaderOp, Record, SecretHash, SessionId, Store,
    StoreError, StoreErrorKind, StoredValue, Timestamp,
};

pub(crate) const NOW: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);
pub(crate) const TTL: Duration = Duration::from_secs(3600);
pub(crate) const ID: SessionId = SessionId::from_bytes([7; 16]);
pub(crate) const KEY: &str = "session:BwcHBwcHBwcHBwcHBwcHBw";

pub(crate) fn header() -> Header {
    Header::new(SecretHash::from_bytes([1; 32]), NOW, TTL, None)
}

pub(crate) fn record(header: Header, fields: &[(&str, &str)]) -> Record {
    let values: Vec<_> = fields.iter().map(|(key, text)| (*key, StoredValue::new(*text))).collect();
    Record::from_fields(header, values.iter().map(|(key, value)| (*key, value.as_ref())))
}

pub(crate) fn header_delta(ops: impl Into<Vec<HeaderOp>>) -> Delta {
    let mut delta = Delta::new();
    delta.header = ops.into();
    delta
}

pub(crate) fn field_delta(ops: impl Into<Vec<FieldOp>>) -> Delta {
    let mut delta = Delta::new();
    delta.fields = ops.into();
    delta
}

pub(crate) fn set(key: &'static str, text: &str) -> FieldOp {
    FieldOp::Set { key: key.into(), value: StoredValue::new(text) }
}

pub(crate) fn add(key: &'static str) -> FieldOp {
    FieldOp::Add { key: key.into(), by: 1, min: 0, max: 1000, carried: false }
}

/// Makes the session `ID` with these fields.
pub(crate) async fn create(store: &RedisStore, fields: &[(&str, &str)]) {
    let outcome = store.create(ID, &record(header(), fields), NOW).await.unwrap();
    assert_eq!(outcome, CreateOutcome::Created);
}

pub(crate) async fn commit(store: &RedisStore, delta: &Delta) -> Result<CommitOutcome, StoreError> {
    store.commit(ID, Generation::from_number(0), delta, NOW).await
}

pub(crate) async fn commit_set(store: &RedisStore, key: &'static str, text: &str) -> Result<(), StoreError> {
    match commit(store, &field_delta([set(key, text)])).await? {
        CommitOutcome::Committed(_) => Ok(()),
        other => panic!("a plain set is committed, but: {other:?}"),
    }
}

/// The text of a field of the session `ID`.
pub(crate) async fn text(store: &RedisStore, key: &str) -> Option<String> {
    let record = store.load(ID, NOW).await.unwrap().expect("the session is alive");
    record.field(key, NOW).map(|value| String::from_utf8(value.bytes.to_vec()).unwrap())
}

#[track_caller]
pub(crate) fn assert_kind<T: std::fmt::Debug>(outcome: Result<T, StoreError>, kind: StoreErrorKind) -> String {
    let error = outcome.expect_err("the call fails");
    let reason = format!("{error:?}");
    assert_eq!(error.kind(), kind, "{reason}");
    reason
}

/// Polls a call once, so that it is under way, and drops it.
pub(crate) fn begin_and_drop(call: impl Future) {
    let mut call = pin!(call);
    let polled = call.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert!(polled.is_pending(), "the call cannot be finished at once");
}

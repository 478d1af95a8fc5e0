//! A session to check a store with.

use std::sync::Arc;
use std::time::Duration;

use super::seen::SeenRecord;
use crate::record::Record;
use crate::record::delta::{Delta, FieldOp, HeaderOp, StoredValue};
use crate::record::header::{Generation, Header};
use crate::store::{CommitOutcome, CreateOutcome, Receipt, Store, StoreError, StoreErrorKind};
use crate::time::Timestamp;
use crate::token::{SecretHash, SessionId};

/// Far in the future, so that a store which reclaims space by its own clock keeps what the checks store.
pub(super) const NOW: Timestamp = Timestamp::from_unix_seconds(4_000_000_000);

pub(super) const TTL: Duration = Duration::from_secs(3600);

/// This many seconds after [`NOW`].
pub(super) fn after(seconds: u64) -> Timestamp {
    NOW.saturating_add(Duration::from_secs(seconds))
}

pub(super) fn random_id() -> SessionId {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).expect("the operating system has random bytes");
    SessionId::from_bytes(bytes)
}

pub(super) fn secret(number: u8) -> SecretHash {
    SecretHash::from_bytes([number; 32])
}

/// The header of an anonymous session whose secret is `secret(0)`.
pub(super) fn header() -> Header {
    Header::new(secret(0), NOW, TTL, None)
}

pub(super) fn record<'a>(header: Header, fields: impl IntoIterator<Item = (&'a str, StoredValue)>) -> Record {
    let fields: Vec<_> = fields.into_iter().collect();
    Record::from_fields(header, fields.iter().map(|(key, value)| (*key, value.as_ref())))
}

pub(super) fn plain(bytes: impl Into<Vec<u8>>) -> StoredValue {
    StoredValue::new(bytes)
}

pub(super) fn carried(bytes: impl Into<Vec<u8>>) -> StoredValue {
    StoredValue { carried: true, ..StoredValue::new(bytes) }
}

pub(super) fn until(deadline: Timestamp, bytes: impl Into<Vec<u8>>) -> StoredValue {
    StoredValue { deadline: Some(deadline), ..StoredValue::new(bytes) }
}

pub(super) fn delta(header: impl Into<Vec<HeaderOp>>, fields: impl Into<Vec<FieldOp>>) -> Delta {
    Delta { header: header.into(), fields: fields.into() }
}

pub(super) fn set(key: impl Into<String>, value: StoredValue) -> FieldOp {
    FieldOp::Set { key: key.into().into(), value }
}

pub(super) fn remove(key: impl Into<String>) -> FieldOp {
    FieldOp::Remove { key: key.into().into() }
}

pub(super) fn replace(key: impl Into<String>, expected: Option<&[u8]>, value: Option<StoredValue>) -> FieldOp {
    FieldOp::Replace { key: key.into().into(), expected: expected.map(<[u8]>::to_vec), value }
}

pub(super) fn add(key: impl Into<String>, by: i128) -> FieldOp {
    add_within(key, by, i64::MIN.into(), i64::MAX.into())
}

pub(super) fn add_within(key: impl Into<String>, by: i128, min: i128, max: i128) -> FieldOp {
    FieldOp::Add { key: key.into().into(), by, min, max, carried: false }
}

/// One session in the store.
pub(super) struct Session<S> {
    pub(super) store: Arc<S>,
    pub(super) id: SessionId,
}

impl<S> Clone for Session<S> {
    fn clone(&self) -> Self {
        Self { store: self.store.clone(), id: self.id }
    }
}

impl<S: Store> Session<S> {
    /// Stores a new session of this record.
    pub(super) async fn of(store: &Arc<S>, record: &Record) -> Self {
        let session = Self { store: store.clone(), id: random_id() };
        let outcome = session.store.create(session.id, record, NOW).await.expect("the store answers");
        assert_eq!(outcome, CreateOutcome::Created, "a new random id is free");
        session
    }

    /// Stores a new anonymous session with these fields.
    pub(super) async fn with<'a>(store: &Arc<S>, fields: impl IntoIterator<Item = (&'a str, StoredValue)>) -> Self {
        Self::of(store, &record(header(), fields)).await
    }

    pub(super) async fn load(&self, now: Timestamp) -> Option<Record> {
        let loaded = self.store.load(self.id, now).await.expect("the store answers");
        // A store may show a record that has expired, and must then show that it has.
        loaded.filter(|record| !record.header().is_expired(now))
    }

    /// The stored record, at [`NOW`].
    pub(super) async fn record(&self) -> Record {
        self.load(NOW).await.expect("the session is alive")
    }

    pub(super) async fn seen(&self) -> SeenRecord {
        SeenRecord::of(&self.record().await)
    }

    /// The bytes of a field, at [`NOW`].
    pub(super) async fn bytes(&self, key: &str) -> Option<Vec<u8>> {
        self.record().await.field(key, NOW).map(|value| value.bytes.to_vec())
    }

    pub(super) async fn try_commit(
        &self,
        generation: u32,
        delta: &Delta,
        now: Timestamp,
    ) -> Result<CommitOutcome, StoreError> {
        self.store.commit(self.id, Generation::from_number(generation), delta, now).await
    }

    pub(super) async fn commit_at(&self, generation: u32, delta: &Delta, now: Timestamp) -> CommitOutcome {
        self.try_commit(generation, delta, now).await.expect("the store answers")
    }

    /// Commits under the first generation, at [`NOW`].
    pub(super) async fn commit(&self, delta: &Delta) -> CommitOutcome {
        self.commit_at(0, delta, NOW).await
    }

    /// Commits field operations that must be accepted.
    pub(super) async fn apply(&self, fields: impl Into<Vec<FieldOp>>) -> Receipt {
        committed(self.commit(&delta([], fields)).await)
    }

    /// Commits header operations that must be accepted.
    pub(super) async fn apply_header(&self, generation: u32, header: impl Into<Vec<HeaderOp>>) -> Receipt {
        committed(self.commit_at(generation, &delta(header, []), NOW).await)
    }

    pub(super) async fn destroy(&self) -> bool {
        self.store.destroy(self.id).await.expect("the store answers")
    }
}

#[track_caller]
pub(super) fn committed(outcome: CommitOutcome) -> Receipt {
    match outcome {
        CommitOutcome::Committed(receipt) => receipt,
        other => panic!("the commit should have been accepted, but: {other:?}"),
    }
}

#[track_caller]
pub(super) fn refused_as_corrupt(outcome: Result<CommitOutcome, StoreError>, what: &str) {
    match outcome {
        Err(error) if error.kind() == StoreErrorKind::Corrupt => {}
        other => panic!("[P6] {what}: should be an error of kind `Corrupt`, but: {other:?}"),
    }
}

//! Keys and entries to check a store with.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::record::front::{EntryKind, Generation, History, Revision, write_front};
use crate::store::entry::Entry;
use crate::store::error::StoreError;
use crate::store::key::EntryKey;
use crate::store::{InsertOutcome, RemoveOutcome, ReplaceOutcome, Store};
use crate::token::SessionId;

pub(super) const AN_HOUR: Duration = Duration::from_secs(3_600);

pub(super) const KINDS: [EntryKind; 3] = [EntryKind::Session, EntryKind::SessionList, EntryKind::Adoption];

fn random<const LENGTH: usize>() -> [u8; LENGTH] {
    let mut bytes = [0; LENGTH];
    getrandom::fill(&mut bytes).expect("the operating system has random bytes");
    bytes
}

pub(super) fn random_id() -> SessionId {
    SessionId::from_bytes(random())
}

/// A key that nobody else has.
pub(super) fn random_key(kind: EntryKind) -> EntryKey {
    match kind {
        EntryKind::Session => EntryKey::session(random_id()),
        EntryKind::SessionList => EntryKey::list_named(&random()),
        EntryKind::Adoption => EntryKey::adoption_named(&random()),
    }
}

/// The revision of the write with this number.
pub(super) fn revision(number: u32) -> Revision {
    Revision::new(number, number.wrapping_mul(0x9e37_79b9) ^ 0x0a0d_00ff)
}

pub(super) fn generation(number: u32) -> Generation {
    Generation::from_number(number)
}

/// An entry as a store sees one: behind the front it may hold anything.
pub(super) fn entry_of(revision: Revision, generation: Generation, rest: &[u8]) -> Entry {
    let mut bytes = Vec::new();
    write_front(&mut bytes, EntryKind::Session, generation);
    History { revision, ..History::default() }.write(&mut bytes);
    bytes.extend_from_slice(rest);
    entry(bytes)
}

/// The entry of the write with this number, in the first generation.
pub(super) fn numbered(number: u32) -> Entry {
    entry_of(revision(number), generation(0), format!("write {number}").as_bytes())
}

pub(super) fn entry(bytes: impl Into<Arc<[u8]>>) -> Entry {
    Entry::new(bytes.into(), AN_HOUR)
}

/// The bytes of an entry. They print as text, the first of them.
#[derive(Clone, Eq, PartialEq)]
pub(super) struct Bytes(pub(super) Arc<[u8]>);

impl Bytes {
    pub(super) fn of(entry: &Entry) -> Self {
        Self(entry.shared_bytes().clone())
    }
}

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.split_at_checked(60) {
            Some((start, _)) => write!(f, "`{}`.. ({} bytes)", start.escape_ascii(), self.0.len()),
            None => write!(f, "`{}`", self.0.escape_ascii()),
        }
    }
}

/// The outcome of a call, in a form that can be compared and printed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Seen {
    Found(Bytes),
    Nothing,
    Inserted,
    Taken,
    Replaced,
    Removed,
    Changed(Bytes),
    Absent,
}

impl Seen {
    pub(super) fn found(entry: &Entry) -> Self {
        Self::Found(Bytes::of(entry))
    }

    pub(super) fn changed(entry: &Entry) -> Self {
        Self::Changed(Bytes::of(entry))
    }
}

impl From<Option<Entry>> for Seen {
    fn from(loaded: Option<Entry>) -> Self {
        loaded.map_or(Self::Nothing, |entry| Self::found(&entry))
    }
}

impl From<InsertOutcome> for Seen {
    fn from(outcome: InsertOutcome) -> Self {
        match outcome {
            InsertOutcome::Inserted => Self::Inserted,
            InsertOutcome::Taken => Self::Taken,
        }
    }
}

impl From<ReplaceOutcome> for Seen {
    fn from(outcome: ReplaceOutcome) -> Self {
        match outcome {
            ReplaceOutcome::Replaced => Self::Replaced,
            ReplaceOutcome::Changed(entry) => Self::changed(&entry),
            ReplaceOutcome::Absent => Self::Absent,
        }
    }
}

impl From<RemoveOutcome> for Seen {
    fn from(outcome: RemoveOutcome) -> Self {
        match outcome {
            RemoveOutcome::Removed => Self::Removed,
            RemoveOutcome::Changed(entry) => Self::changed(&entry),
            RemoveOutcome::Absent => Self::Absent,
        }
    }
}

/// One key of the store.
pub(super) struct Slot<S> {
    pub(super) store: Arc<S>,
    pub(super) key: EntryKey,
}

impl<S> Slot<S> {
    /// A new key of this kind.
    pub(super) fn new(store: &Arc<S>, kind: EntryKind) -> Self {
        Self { store: store.clone(), key: random_key(kind) }
    }
}

impl<S> Clone for Slot<S> {
    fn clone(&self) -> Self {
        Self { store: self.store.clone(), key: self.key }
    }
}

impl<S: Store> Slot<S> {
    /// Stores an entry under a new key of a session.
    pub(super) async fn with(store: &Arc<S>, entry: &Entry) -> Self {
        let slot = Self::new(store, EntryKind::Session);
        slot.fill(entry).await;
        slot
    }

    /// Stores an entry under a key that has none.
    pub(super) async fn fill(&self, entry: &Entry) {
        assert_eq!(self.insert(entry).await, Seen::Inserted, "a new key is free");
    }

    pub(super) async fn load(&self) -> Seen {
        answered(self.store.load(&self.key).await).into()
    }

    pub(super) async fn insert(&self, entry: &Entry) -> Seen {
        answered(self.store.insert(&self.key, entry).await).into()
    }

    pub(super) async fn replace(&self, held: Revision, entry: &Entry) -> Seen {
        answered(self.store.replace(&self.key, held, entry).await).into()
    }

    pub(super) async fn remove(&self, held: Generation) -> Seen {
        answered(self.store.remove(&self.key, held).await).into()
    }
}

#[track_caller]
pub(super) fn answered<T>(answer: Result<T, StoreError>) -> T {
    answer.expect("the store answers")
}

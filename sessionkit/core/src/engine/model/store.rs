//! The store of the model: a map, whose four calls are atomic.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::engine::document::Document;
use crate::record::Record;
use crate::record::front::{EntryKind, Revision};
use crate::record::list::SessionList;
use crate::store::entry::Entry;
use crate::store::key::EntryKey;
use crate::time::Timestamp;

/// An entry: the very bytes that the engine packs.
#[derive(Clone, Eq, Hash, PartialEq)]
pub(super) struct Bytes(Arc<[u8]>);

impl Bytes {
    pub(super) fn of<D: Document>(document: &D) -> Self {
        Self(document.entry(Timestamp::default()).shared_bytes().clone())
    }

    pub(super) fn read<D: Document>(&self) -> D {
        D::read(&self.entry()).expect("the model stores whole entries")
    }

    pub(super) fn entry(&self) -> Entry {
        Entry::from_bytes(self.0.clone())
    }

    pub(super) fn generation(&self) -> u32 {
        self.entry().generation().unwrap_or_default().number()
    }
}

/// Shows what a trace is read for.
impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Ok(record) = Record::from_bytes(self.0.clone()) {
            let header = record.header();
            let generation = header.generation.number();
            write!(f, "{:?} generation {generation} ", record.revision())?;
            write!(f, "secret {} of {:?}", header.secret.as_bytes()[0], header.owner())?;
            let previous = header.previous.map(|previous| previous.secret.as_bytes()[0]);
            let replaced = header.rotation.map(|rotation| rotation.replaced.as_bytes()[0]);
            write!(f, " previous {previous:?} replaced {replaced:?}")?;
            let texts = record.fields().map(|(key, value)| (key, String::from_utf8_lossy(value.bytes)));
            return f.debug_map().entries(texts).finish();
        }
        let list = SessionList::from_bytes(&self.0).map_err(|_| fmt::Error)?;
        let ids: Vec<u8> = list.entries.iter().map(|entry| entry.id.as_bytes()[0]).collect();
        write!(f, "{:?} epoch {} sessions {ids:?}", list.history.revision, list.epoch.0[0])
    }
}

/// A call of a request.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(super) enum Call {
    Load(EntryKey),
    Insert(EntryKey, Bytes),
    Replace(EntryKey, Revision, Bytes),
    /// Removes what has this generation.
    Remove(EntryKey, u32),
    /// Looks at all entries of a kind, in one page.
    Scan(EntryKind),
}

impl Call {
    /// Returns the key, if the call has one.
    pub(super) fn key(&self) -> Option<&EntryKey> {
        match self {
            Self::Load(key) | Self::Insert(key, _) | Self::Replace(key, ..) | Self::Remove(key, _) => Some(key),
            Self::Scan(_) => None,
        }
    }

    pub(super) fn writes(&self) -> bool {
        !matches!(self, Self::Load(_) | Self::Scan(_))
    }
}

/// An answer as a request hears it, if it hears any.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(super) enum Answer {
    Loaded(Option<Bytes>),
    Page(Vec<(EntryKey, Bytes)>),
    /// Inserted, replaced or removed.
    Done,
    Taken,
    Changed(Bytes),
    Absent,
    /// Stands for no answer, with time left for another call.
    Lost,
    /// Stands for no answer before the deadline.
    Late,
}

#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub(super) struct Entries(BTreeMap<EntryKey, Bytes>);

impl Entries {
    pub(super) fn put(&mut self, key: EntryKey, bytes: Bytes) {
        self.0.insert(key, bytes);
    }

    pub(super) fn get(&self, key: &EntryKey) -> Option<&Bytes> {
        self.0.get(key)
    }

    pub(super) fn forget(&mut self, key: &EntryKey) {
        self.0.remove(key);
    }

    pub(super) fn records(&self) -> impl Iterator<Item = (EntryKey, Record)> {
        let sessions = self.0.iter().filter(|(key, _)| key.session_id().is_some());
        sessions.map(|(key, bytes)| (*key, bytes.read()))
    }

    /// Makes a call. A store that `upserts` compares nothing.
    pub(super) fn perform(&mut self, call: &Call, upserts: bool) -> Answer {
        let held = call.key().and_then(|key| self.get(key)).cloned();
        match (call, held) {
            (Call::Scan(kind), _) => {
                let page = self.0.iter().filter(|(key, _)| key.kind() == *kind);
                Answer::Page(page.map(|(key, bytes)| (*key, bytes.clone())).collect())
            }
            (Call::Load(_), held) => Answer::Loaded(held),
            (Call::Insert(_, _), Some(_)) => Answer::Taken,
            (Call::Insert(key, bytes), None) => {
                self.put(*key, bytes.clone());
                Answer::Done
            }
            (Call::Replace(key, _, bytes), _) if upserts => {
                self.put(*key, bytes.clone());
                Answer::Done
            }
            (Call::Replace(..) | Call::Remove(..), None) => Answer::Absent,
            (Call::Replace(key, revision, bytes), Some(held)) => {
                if !held.entry().has_revision(*revision) {
                    return Answer::Changed(held);
                }
                self.put(*key, bytes.clone());
                Answer::Done
            }
            (Call::Remove(key, generation), Some(held)) => {
                if held.generation() != *generation {
                    return Answer::Changed(held);
                }
                self.0.remove(key);
                Answer::Done
            }
        }
    }
}

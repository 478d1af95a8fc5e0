//! Sessions in the memory of this process.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::devices::{DeviceIndex, MemoryIndex};
use crate::record::Record;
use crate::record::delta::Delta;
use crate::record::header::Generation;
use crate::record::packing;
use crate::store::notices::Notices;
use crate::store::{CommitOutcome, CreateOutcome, Store, StoreError};
use crate::time::Timestamp;
use crate::token::SessionId;

const SHARDS: usize = 64;

/// How many expired records a call removes besides its own work.
const SWEEP: usize = 4;

/// A [`Store`] in the memory of this process: for one server, for development, and for tests.
///
/// It holds at most a million sessions unless told otherwise. When it is full, a new session takes the place of an
/// expired one, or else of the anonymous one that would end soonest, and only if there is none of one whose user is
/// logged in. There is no background task: each call removes a few expired sessions. Clones share the sessions.
///
/// ```
/// # use sessionkit_core as sessionkit;
/// use sessionkit::MemoryStore;
///
/// let store = MemoryStore::with_capacity(50_000);
/// assert_eq!(store.len(), 0);
/// ```
#[derive(Clone)]
pub struct MemoryStore {
    shards: Arc<[Mutex<Shard>]>,
    shard_capacity: usize,
    index: Arc<MemoryIndex>,
    notices: Notices,
}

impl MemoryStore {
    /// Makes a store for a million sessions.
    pub fn new() -> Self {
        Self::with_capacity(1_000_000)
    }

    /// Makes a store for about this many sessions; at least 64.
    pub fn with_capacity(sessions: usize) -> Self {
        let shards = (0..SHARDS).map(|_| Mutex::default()).collect();
        Self {
            shards,
            shard_capacity: sessions.div_ceil(SHARDS).max(1),
            index: Arc::default(),
            notices: Notices::new(),
        }
    }

    /// How many sessions are held, expired ones included that were not removed yet.
    pub fn len(&self) -> usize {
        self.shards.iter().map(|shard| lock(shard).records.len()).sum()
    }

    /// Whether no session is held.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The id and the record of every session that is held, for tests and for operators.
    pub fn dump(&self) -> Vec<(SessionId, Record)> {
        let records = |shard: &Mutex<Shard>| {
            let shard = lock(shard);
            shard.records.iter().map(|(id, packed)| (*id, unpack(packed))).collect::<Vec<_>>()
        };
        self.shards.iter().flat_map(records).collect()
    }

    pub(crate) fn index(&self) -> &MemoryIndex {
        &self.index
    }

    fn shard(&self, id: SessionId) -> MutexGuard<'_, Shard> {
        lock(&self.shards[id.as_bytes()[0] as usize % SHARDS])
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore").field("len", &self.len()).finish_non_exhaustive()
    }
}

impl Store for MemoryStore {
    async fn load(&self, id: SessionId, now: Timestamp) -> Result<Option<Record>, StoreError> {
        let packed = {
            let mut shard = self.shard(id);
            let packed = shard.records.get(&id).cloned();
            shard.sweep(now, SWEEP);
            packed
        };
        Ok(packed.map(|packed| unpack(&packed)))
    }

    async fn create(&self, id: SessionId, record: &Record, now: Timestamp) -> Result<CreateOutcome, StoreError> {
        let mut shard = self.shard(id);
        shard.sweep(now, SWEEP);
        if shard.records.contains_key(&id) {
            return Ok(CreateOutcome::Taken);
        }
        while shard.records.len() >= self.shard_capacity {
            shard.remove_soonest();
        }
        shard.put(id, record);
        Ok(CreateOutcome::Created)
    }

    async fn commit(
        &self,
        id: SessionId,
        generation: Generation,
        delta: &Delta,
        now: Timestamp,
    ) -> Result<CommitOutcome, StoreError> {
        let mut shard = self.shard(id);
        shard.sweep(now, SWEEP);
        let Some(packed) = shard.records.get(&id) else { return Ok(CommitOutcome::Gone) };
        let mut record = unpack(packed);
        let outcome = record.apply(generation, delta, now)?;
        if let CommitOutcome::Committed(receipt) = &outcome {
            shard.put(id, &record);
            drop(shard);
            if receipt.generation != generation {
                self.notices.tell(id);
            }
        }
        Ok(outcome)
    }

    async fn destroy(&self, id: SessionId) -> Result<bool, StoreError> {
        let existed = self.shard(id).remove(id);
        self.notices.tell(id);
        Ok(existed)
    }

    fn device_index(&self) -> Option<&dyn DeviceIndex> {
        Some(self)
    }

    fn notices(&self) -> Option<&Notices> {
        Some(&self.notices)
    }
}

/// The sessions whose ids begin alike.
#[derive(Default)]
struct Shard {
    records: HashMap<SessionId, Arc<[u8]>, BuildHasherDefault<IdHasher>>,
    /// The same sessions in the order in which they end: those without a user, and those with one.
    anonymous: BTreeSet<(Timestamp, SessionId)>,
    logged_in: BTreeSet<(Timestamp, SessionId)>,
}

impl Shard {
    /// Stores a record, in the place of the one that has this id if there is one.
    fn put(&mut self, id: SessionId, record: &Record) {
        let packed = record.packed();
        let (deadline, logged_in) = end(&packed);
        match self.records.insert(id, packed).map(|replaced| end(&replaced)) {
            // Most commits change no deadline.
            Some(replaced) if replaced == (deadline, logged_in) => return,
            Some((deadline, logged_in)) => self.order(logged_in).remove(&(deadline, id)),
            None => false,
        };
        self.order(logged_in).insert((deadline, id));
    }

    fn remove(&mut self, id: SessionId) -> bool {
        let Some((deadline, logged_in)) = self.records.remove(&id).map(|removed| end(&removed)) else { return false };
        self.order(logged_in).remove(&(deadline, id))
    }

    fn order(&mut self, logged_in: bool) -> &mut BTreeSet<(Timestamp, SessionId)> {
        if logged_in { &mut self.logged_in } else { &mut self.anonymous }
    }

    /// Makes room: whoever floods the store with visits logs nobody out while there are other anonymous sessions.
    fn remove_soonest(&mut self) {
        if let Some((_, id)) = self.anonymous.pop_first().or_else(|| self.logged_in.pop_first()) {
            self.records.remove(&id);
        }
    }

    fn sweep(&mut self, now: Timestamp, most: usize) {
        for deadlines in [&mut self.anonymous, &mut self.logged_in] {
            for _ in 0..most {
                match deadlines.first() {
                    Some(&(deadline, id)) if now >= deadline => {
                        deadlines.pop_first();
                        self.records.remove(&id);
                    }
                    _ => break,
                }
            }
        }
    }
}

/// Takes a hash from an id, which is random already.
#[derive(Default)]
struct IdHasher(u64);

impl Hasher for IdHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        // The first byte chose the shard; the last ones choose the place in it.
        if let Some(last) = bytes.last_chunk::<8>() {
            self.0 ^= u64::from_le_bytes(*last);
        }
    }
}

fn unpack(packed: &Arc<[u8]>) -> Record {
    Record::unpack_own(packed.clone()).expect("the store holds what it packed")
}

/// When a record ends, and whether it has a user. What is packed decides, since packing cuts very late deadlines.
fn end(packed: &[u8]) -> (Timestamp, bool) {
    packing::end(packed).expect("the store holds what it packed")
}

fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    // A panic inside a call cannot leave a shard half changed in a way that matters: each record is replaced whole.
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::record::header::Header;
    use crate::token::SecretHash;

    const NOW: Timestamp = Timestamp::from_unix_seconds(1_700_000_000);

    fn id(number: u32) -> SessionId {
        let mut bytes = [0; 16];
        bytes[..4].copy_from_slice(&number.to_le_bytes());
        bytes[12..].copy_from_slice(&number.to_le_bytes());
        SessionId::from_bytes(bytes)
    }

    fn record(user: Option<&str>, ttl: Duration) -> Record {
        let mut header = Header::new(SecretHash::from_bytes([0; 32]), NOW, ttl, None);
        header.user = user.map(Into::into);
        Record::new(header)
    }

    #[tokio::test]
    async fn a_flood_of_visits_logs_nobody_out() {
        let store = MemoryStore::with_capacity(640);
        for number in 0..100 {
            store.create(id(number), &record(Some("ada"), Duration::from_secs(60)), NOW).await.unwrap();
        }
        for number in 100..5_000 {
            store.create(id(number), &record(None, Duration::from_secs(3_600)), NOW).await.unwrap();
        }
        assert!(store.len() <= 640);
        for number in 0..100 {
            assert!(store.load(id(number), NOW).await.unwrap().is_some(), "{number}");
        }
    }

    #[tokio::test]
    async fn nothing_is_left_of_a_session_without_end() {
        let store = MemoryStore::new();
        store.create(id(1), &record(None, Duration::MAX), NOW).await.unwrap();
        assert!(store.destroy(id(1)).await.unwrap());
        assert!(store.shards.iter().all(|shard| lock(shard).anonymous.is_empty()));
    }
}

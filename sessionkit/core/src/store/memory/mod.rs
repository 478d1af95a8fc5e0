//! Sessions in the memory of this process.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::record::Record;
use crate::record::front::{self, EntryKind, Generation, Revision};
use crate::store::entry::Entry;
use crate::store::error::StoreError;
use crate::store::key::EntryKey;
use crate::store::notices::Notices;
use crate::store::stats::StoreStats;
use crate::store::{InsertOutcome, RemoveOutcome, ReplaceOutcome, ScanCursor, ScanPage, Store};
use crate::time::Timestamp;
use crate::token::SessionId;

use self::table::{Held, Table};

mod table;

const SHARDS: usize = 64;

/// A [`Store`] in the memory of this process: for one server, for development, and for tests.
///
/// It holds at most a million sessions unless told otherwise. When it is full, a new session takes the place of one that
/// may be reclaimed, or else of the anonymous one that would end soonest, and only if there is none of one whose user is
/// logged in. The lists of users' sessions, and what is noted of other systems' sessions, are kept beside them and do not count. There is no background task: each
/// write removes a few entries that may be reclaimed, and [`sweep`](Store::sweep) the others. Clones share the sessions.
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
    started: Instant,
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
        let shard_capacity = sessions.div_ceil(SHARDS).max(1);
        Self { shards, shard_capacity, started: Instant::now(), notices: Notices::new() }
    }

    /// Returns how many sessions are held, expired ones included that were not removed yet.
    pub fn len(&self) -> usize {
        self.shards.iter().map(|shard| lock(shard).sessions.len()).sum()
    }

    /// Returns whether no session is held.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the id and the record of every session that is held, for tests and for operators.
    pub fn dump(&self) -> Vec<(SessionId, Record)> {
        let records = |shard: &Mutex<Shard>| {
            let shard = lock(shard);
            let record = |(id, held): (&SessionId, &Held)| Some((*id, Record::from_bytes(held.bytes.clone()).ok()?));
            shard.sessions.iter().filter_map(record).collect::<Vec<_>>()
        };
        self.shards.iter().flat_map(records).collect()
    }

    fn shard(&self, key: &EntryKey) -> MutexGuard<'_, Shard> {
        lock(&self.shards[usize::from(key.as_bytes()[1]) % SHARDS])
    }

    /// Returns the seconds since the store was made, which is all the time that it knows.
    fn now(&self) -> u32 {
        seconds(self.started.elapsed())
    }

    fn held(&self, entry: &Entry, now: u32) -> Held {
        // A part of a second more is no harm.
        let reclaim_at = now.saturating_add(seconds(entry.reclaim_in()).saturating_add(1));
        Held { bytes: entry.shared_bytes().clone(), reclaim_at }
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
    async fn load(&self, key: &EntryKey) -> Result<Option<Entry>, StoreError> {
        Ok(self.shard(key).get(key).map(Held::entry))
    }

    async fn insert(&self, key: &EntryKey, entry: &Entry) -> Result<InsertOutcome, StoreError> {
        let now = self.now();
        let mut shard = self.shard(key);
        shard.sweep(now);
        if shard.get(key).is_some() {
            return Ok(InsertOutcome::Taken);
        }
        while key.kind() == EntryKind::Session && shard.sessions.len() >= self.shard_capacity {
            shard.sessions.remove_soonest();
        }
        shard.put(key, self.held(entry, now));
        Ok(InsertOutcome::Inserted)
    }

    async fn replace(&self, key: &EntryKey, held: Revision, entry: &Entry) -> Result<ReplaceOutcome, StoreError> {
        let now = self.now();
        let mut shard = self.shard(key);
        match shard.get(key) {
            None => return Ok(ReplaceOutcome::Absent),
            Some(found) if !front::has_revision(&found.bytes, held) => {
                return Ok(ReplaceOutcome::Changed(found.entry()));
            }
            Some(_) => {}
        }
        shard.put(key, self.held(entry, now));
        shard.sweep(now);
        Ok(ReplaceOutcome::Replaced)
    }

    async fn remove(&self, key: &EntryKey, held: Generation) -> Result<RemoveOutcome, StoreError> {
        let mut shard = self.shard(key);
        match shard.get(key) {
            None => Ok(RemoveOutcome::Absent),
            Some(found) if !front::may_be_removed(&found.bytes, held) => Ok(RemoveOutcome::Changed(found.entry())),
            Some(_) => {
                shard.remove(key);
                Ok(RemoveOutcome::Removed)
            }
        }
    }

    async fn scan(&self, kind: EntryKind, after: Option<&ScanCursor>, limit: usize) -> Result<ScanPage, StoreError> {
        let (mut number, mut last) = match after.and_then(|after| after.as_bytes().split_first()) {
            Some((&number, key)) => (usize::from(number), EntryKey::from_bytes(key)),
            None => (0, None),
        };
        let mut entries = Vec::new();
        while number < SHARDS {
            let shard = lock(&self.shards[number]);
            let mut keys = shard.keys(kind);
            keys.retain(|key| last.is_none_or(|last| *key > last));
            let room = limit.max(1) - entries.len();
            let is_full = keys.len() > room;
            keys.sort_unstable();
            keys.truncate(room);
            entries.extend(keys.iter().filter_map(|key| Some((*key, shard.get(key)?.entry()))));
            if is_full && let Some(key) = keys.last() {
                let next = [&[number as u8], key.as_bytes()].concat();
                return Ok(ScanPage { entries, next: Some(ScanCursor::from_bytes(next)) });
            }
            (number, last) = (number + 1, None);
            if entries.len() >= limit && number < SHARDS {
                return Ok(ScanPage { entries, next: Some(ScanCursor::from_bytes([number as u8])) });
            }
        }
        Ok(ScanPage { entries, next: None })
    }

    async fn sweep(&self, limit: usize) -> Result<usize, StoreError> {
        let (now, limit, mut removed) = (self.now(), limit.max(1), 0);
        for shard in self.shards.iter() {
            if removed >= limit {
                break;
            }
            let mut shard = lock(shard);
            removed += shard.sessions.sweep_at_most(limit - removed, now);
            removed += shard.lists.sweep_at_most(limit.saturating_sub(removed), now);
            removed += shard.adoptions.sweep_at_most(limit.saturating_sub(removed), now);
        }
        Ok(removed)
    }

    async fn stats(&self) -> Result<StoreStats, StoreError> {
        let (mut sessions, mut lists, mut bytes, mut oldest) = (0, 0, 0, None::<Timestamp>);
        for shard in self.shards.iter() {
            {
                let shard = lock(shard);
                sessions += shard.sessions.len() as u64;
                lists += shard.lists.len() as u64;
                bytes += shard.sessions.iter().map(|(_, held)| held.bytes.len() as u64).sum::<u64>();
                let others = shard.lists.iter().chain(shard.adoptions.iter());
                bytes += others.map(|(_, held)| held.bytes.len() as u64).sum::<u64>();
                let records = shard.sessions.iter().filter_map(|(_, held)| Record::from_bytes(held.bytes.clone()).ok());
                let created = records.map(|record| record.header().created);
                oldest = created.chain(oldest).min();
            }
            // A million sessions take a while.
            tokio::task::yield_now().await;
        }
        Ok(StoreStats { sessions: Some(sessions), lists: Some(lists), oldest, bytes: Some(bytes) })
    }

    fn notices(&self) -> Option<&Notices> {
        Some(&self.notices)
    }
}

/// The entries whose keys begin alike.
#[derive(Default)]
struct Shard {
    sessions: Table<SessionId>,
    lists: Table<[u8; 32]>,
    adoptions: Table<[u8; 32]>,
}

impl Shard {
    fn get(&self, key: &EntryKey) -> Option<&Held> {
        match NameOf::of(key) {
            NameOf::Session(id) => self.sessions.get(&id),
            NameOf::List(name) => self.lists.get(&name),
            NameOf::Adoption(name) => self.adoptions.get(&name),
        }
    }

    fn put(&mut self, key: &EntryKey, held: Held) {
        match NameOf::of(key) {
            NameOf::Session(id) => self.sessions.put(id, held),
            NameOf::List(name) => self.lists.put(name, held),
            NameOf::Adoption(name) => self.adoptions.put(name, held),
        }
    }

    fn remove(&mut self, key: &EntryKey) {
        match NameOf::of(key) {
            NameOf::Session(id) => self.sessions.remove(&id),
            NameOf::List(name) => self.lists.remove(&name),
            NameOf::Adoption(name) => self.adoptions.remove(&name),
        }
    }

    fn sweep(&mut self, now: u32) {
        self.sessions.sweep(now);
        self.lists.sweep(now);
        self.adoptions.sweep(now);
    }

    fn keys(&self, kind: EntryKind) -> Vec<EntryKey> {
        match kind {
            EntryKind::Session => self.sessions.iter().map(|(id, _)| EntryKey::session(*id)).collect(),
            EntryKind::SessionList => self.lists.iter().map(|(name, _)| EntryKey::list_named(name)).collect(),
            EntryKind::Adoption => self.adoptions.iter().map(|(name, _)| EntryKey::adoption_named(name)).collect(),
        }
    }
}

/// The name of an entry, by its kind.
enum NameOf {
    Session(SessionId),
    List([u8; 32]),
    Adoption([u8; 32]),
}

impl NameOf {
    fn of(key: &EntryKey) -> Self {
        match (key.kind(), key.session_id()) {
            (_, Some(id)) => Self::Session(id),
            (EntryKind::Adoption, _) => Self::Adoption(key.long_name()),
            _ => Self::List(key.long_name()),
        }
    }
}

fn seconds(duration: Duration) -> u32 {
    u32::try_from(duration.as_secs()).unwrap_or(u32::MAX)
}

fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    // A panic inside a call cannot leave a shard half changed in a way that matters: each entry is replaced whole.
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::header::Header;
    use crate::token::SecretHash;

    const NOW: Timestamp = Timestamp::from_unix_seconds(1_700_000_000);
    const AN_HOUR: Duration = Duration::from_secs(3_600);

    fn key(number: u32) -> EntryKey {
        let mut bytes = [0; 16];
        bytes[..4].copy_from_slice(&number.to_le_bytes());
        bytes[12..].copy_from_slice(&number.to_le_bytes());
        EntryKey::session(SessionId::from_bytes(bytes))
    }

    fn entry(user: Option<&str>, reclaim_in: Duration) -> Entry {
        let mut header = Header::new(SecretHash::from_bytes([0; 32]), NOW, AN_HOUR, None);
        header.user_id = user.map(Into::into);
        Entry::new(Record::new(header).as_bytes().clone(), reclaim_in)
    }

    async fn is_there(store: &MemoryStore, number: u32) -> bool {
        store.load(&key(number)).await.unwrap().is_some()
    }

    #[tokio::test]
    async fn a_flood_of_visits_logs_nobody_out() {
        let store = MemoryStore::with_capacity(640);
        for number in 0..100 {
            store.insert(&key(number), &entry(Some("ada"), Duration::from_secs(60))).await.unwrap();
        }
        for number in 100..5_000 {
            store.insert(&key(number), &entry(None, AN_HOUR)).await.unwrap();
        }
        assert!(store.len() <= 640);
        for number in 0..100 {
            assert!(is_there(&store, number).await, "{number}");
        }
    }

    #[tokio::test]
    async fn nothing_is_left_of_a_session_without_end() {
        let store = MemoryStore::new();
        store.insert(&key(1), &entry(None, Duration::MAX)).await.unwrap();
        assert_eq!(store.remove(&key(1), Generation::default()).await.unwrap(), RemoveOutcome::Removed);
        assert!(store.is_empty());
    }

    #[tokio::test]
    async fn a_sweep_removes_what_may_be_reclaimed_and_nothing_else() {
        let mut store = MemoryStore::new();
        for number in 0..300 {
            let entry = if number % 3 == 0 { entry(Some("ada"), Duration::ZERO) } else { entry(None, AN_HOUR) };
            store.insert(&key(number), &entry).await.unwrap();
        }
        let list = EntryKey::session_list("Main", "ada");
        store.insert(&list, &entry(None, Duration::ZERO)).await.unwrap();
        assert_eq!(store.sweep(500).await.unwrap(), 0, "it is not time yet");
        store.started -= Duration::from_secs(2);
        let batch = store.sweep(30).await.unwrap();
        assert!((30..60).contains(&batch), "about the limit: {batch}");
        assert_eq!(batch + store.sweep(500).await.unwrap(), 101);
        assert_eq!((store.sweep(500).await.unwrap(), store.len()), (0, 200));
        assert!(store.load(&list).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn the_figures_are_those_of_what_is_held() {
        let store = MemoryStore::new();
        assert_eq!(store.stats().await.unwrap().oldest, None);
        let (session, list) = (entry(Some("ada"), AN_HOUR), entry(None, AN_HOUR));
        store.insert(&key(1), &session).await.unwrap();
        store.insert(&key(2), &session).await.unwrap();
        store.insert(&EntryKey::session_list("Main", "ada"), &list).await.unwrap();
        let stats = store.stats().await.unwrap();
        assert_eq!((stats.sessions, stats.lists, stats.oldest), (Some(2), Some(1), Some(NOW)));
        assert_eq!(stats.bytes, Some((2 * session.bytes().len() + list.bytes().len()) as u64));
    }

    #[tokio::test]
    async fn what_may_be_reclaimed_makes_room_first_and_lists_take_none() {
        let mut store = MemoryStore::with_capacity(64);
        let list = EntryKey::session_list("Main", "ada");
        store.insert(&list, &entry(None, AN_HOUR)).await.unwrap();
        assert_eq!(store.len(), 0);
        // All of one shard, whose capacity is one.
        store.insert(&key(0), &entry(Some("ada"), Duration::ZERO)).await.unwrap();
        store.started -= Duration::from_secs(2);
        store.insert(&key(64), &entry(None, AN_HOUR)).await.unwrap();
        assert!(!is_there(&store, 0).await && is_there(&store, 64).await);
        store.insert(&key(128), &entry(None, AN_HOUR)).await.unwrap();
        assert!(
            !is_there(&store, 64).await && is_there(&store, 128).await && store.load(&list).await.unwrap().is_some()
        );
    }
}

//! SessionKit's stores.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use sessionkit::store::{
    Entry, EntryKey, EntryKind, InsertOutcome, RemoveOutcome, ReplaceOutcome, Revision, SessionId, Store,
};
use sessionkit::testing::TestSession;
use sessionkit::{MemoryStore, SessionConfig, SessionManager};

use super::{LISTED, Subject, said};
use crate::content::Visit;
use crate::process::Result;

/// A store, and the entries that the engine would put there.
pub struct Ours<S> {
    store: Rc<S>,
    entries: Rc<Entries>,
}

impl<S: Store> Ours<S> {
    /// Stores the sessions of a user, for the list.
    pub async fn new(store: S, entries: &Rc<Entries>) -> Result<Self> {
        for (key, entry) in &entries.of_a_user {
            store.insert(key, entry).await.map_err(said)?;
        }
        Ok(Self { store: Rc::new(store), entries: entries.clone() })
    }

    /// Returns the bytes of an entry.
    pub fn length(&self) -> usize {
        self.entries.visit.bytes().len()
    }
}

impl<S> Clone for Ours<S> {
    fn clone(&self) -> Self {
        Self { store: self.store.clone(), entries: self.entries.clone() }
    }
}

/// Entries as the engine makes them.
pub struct Entries {
    visit: Entry,
    /// The list first.
    of_a_user: Vec<(EntryKey, Entry)>,
}

impl Entries {
    pub async fn new() -> Result<Rc<Self>> {
        let fill = |visit: &mut Visit| *visit = Visit::new();
        let visitors = Arc::new(MemoryStore::new());
        TestSession::new(&SessionManager::new(visitors.clone(), SessionConfig::default())).with(fill).await;
        let [(_, visit)] = &all(&*visitors, EntryKind::Session).await?[..] else { return Err("no session".to_owned()) };

        let users = Arc::new(MemoryStore::new());
        let config = SessionConfig::builder().track_devices(true).max_devices(LISTED).build().map_err(said)?;
        let manager = SessionManager::new(users.clone(), config);
        for _ in 0..LISTED {
            TestSession::new(&manager).login("ada").with(fill).await;
        }
        let mut of_a_user = all(&*users, EntryKind::SessionList).await?;
        of_a_user.extend(all(&*users, EntryKind::Session).await?);
        if of_a_user.len() != 1 + LISTED {
            return Err(format!("{} entries of a user", of_a_user.len()));
        }
        Ok(Rc::new(Self { visit: visit.clone(), of_a_user }))
    }
}

/// The time for which entries are kept, which a store does not tell.
const A_DAY: Duration = Duration::from_secs(86_400);

async fn all(store: &impl Store, kind: EntryKind) -> Result<Vec<(EntryKey, Entry)>> {
    let entries = store.scan(kind, None, 1_000).await.map_err(said)?.entries;
    Ok(entries.into_iter().map(|(key, entry)| (key, Entry::new(entry.shared_bytes().clone(), A_DAY))).collect())
}

impl<S: Store> Subject for Ours<S> {
    type Session = (EntryKey, Entry);

    async fn insert(&self) -> Result<Self::Session> {
        let mut id = [0; 16];
        getrandom::fill(&mut id).map_err(said)?;
        let (key, entry) = (EntryKey::session(SessionId::from_bytes(id)), self.entries.visit.clone());
        match self.store.insert(&key, &entry).await.map_err(said)? {
            InsertOutcome::Inserted => Ok((key, entry)),
            outcome => Err(format!("{outcome:?}")),
        }
    }

    async fn load(&self, (key, _): &mut Self::Session) -> Result {
        self.store.load(key).await.map_err(said)?.map(drop).ok_or_else(|| "a session is gone".to_owned())
    }

    async fn commit(&self, (key, entry): &mut Self::Session) -> Result {
        let (held, next) = next(entry)?;
        match self.store.replace(key, held, &next).await.map_err(said)? {
            ReplaceOutcome::Replaced => *entry = next,
            outcome => return Err(format!("{outcome:?}")),
        }
        Ok(())
    }

    async fn remove(&self, (key, entry): Self::Session) -> Result {
        let generation = entry.generation().ok_or("an entry without a generation")?;
        match self.store.remove(&key, generation).await.map_err(said)? {
            RemoveOutcome::Removed => Ok(()),
            outcome => Err(format!("{outcome:?}")),
        }
    }

    async fn list(&self) -> Result<bool> {
        let (list, sessions) = self.entries.of_a_user.split_first().ok_or("no list")?;
        let found = self.store.load(&list.0).await.map_err(said)?;
        let keys: Vec<EntryKey> = sessions.iter().map(|(key, _)| *key).collect();
        let sessions = self.store.load_many(&keys).await.map_err(said)?;
        if found.is_none() || sessions.iter().any(Option::is_none) { Err("no list".to_owned()) } else { Ok(true) }
    }
}

/// Returns the revision of an entry, and the entry with the next one.
fn next(entry: &Entry) -> Result<(Revision, Entry)> {
    let held = entry.revision().ok_or("an entry without a revision")?;
    let number = u64::from_be_bytes(*held.as_bytes()).wrapping_add(1 << 32);
    let mut bytes = entry.bytes().to_vec();
    bytes[Revision::RANGE].copy_from_slice(&number.to_be_bytes());
    Ok((held, Entry::new(bytes, entry.reclaim_in())))
}

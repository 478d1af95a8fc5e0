//! Looking at many entries: pages of a scan, sweeping, and counting.

use std::time::{Duration, SystemTime};

use sessionkit_core::{
    Clock as _, EntryKey, EntryKind, ScanCursor, ScanPage, StoreError, StoreStats, SystemClock, Timestamp,
};

use super::change::{Folder, load_from, read_header};
use super::folder::{Found, Shard, space};
use super::names;

/// The age at which nobody is writing a temporary file any more.
const LEFTOVER: Duration = Duration::from_secs(60 * 60);

/// The number of files that are removed under one lock.
const REMOVED_AT_ONCE: usize = 64;

impl Folder {
    /// Returns the entries that follow a key, in the order of their keys.
    pub(super) fn scan(&self, kind: EntryKind, after: Option<EntryKey>, limit: usize) -> Result<ScanPage, StoreError> {
        let (mut page, mut last) = (ScanPage::default(), after);
        for number in after.as_ref().map_or(0, names::shard_of)..names::SHARDS {
            let shard = self.root().shard(number)?;
            for key in self.keys(&shard, kind)? {
                if after.is_some_and(|after| key <= after) {
                    continue;
                }
                if page.entries.len() >= limit.max(1) {
                    page.next = last.map(|last| ScanCursor::from_bytes(last.as_bytes()));
                    return Ok(page);
                }
                page.entries.extend(load_from(&shard, &key)?.map(|found| (key, found.entry)));
                last = Some(key);
            }
        }
        Ok(page)
    }

    /// Returns the keys of a kind in a shard, in their order.
    ///
    /// Nothing changes meanwhile: on some file systems a name that is replaced is not listed, neither as the old file nor
    /// as the new one.
    fn keys(&self, shard: &Shard<'_>, kind: EntryKind) -> Result<Vec<EntryKey>, StoreError> {
        let locked = self.lock(shard)?;
        let names = shard.names()?;
        drop(locked);
        let keys = names.iter().filter_map(|name| names::key_of(name, shard.number()));
        let mut keys: Vec<_> = keys.filter(|key| key.kind() == kind).collect();
        keys.sort_unstable();
        Ok(keys)
    }

    /// Removes up to `limit` entries of a shard that may be forgotten, and what was left half written. Returns how many
    /// entries it removed.
    pub(super) fn sweep(&self, number: u8, limit: usize) -> Result<usize, StoreError> {
        let shard = self.root().shard(number)?;
        let now = SystemClock.now().unix_seconds();
        let mut may_go = Vec::new();
        for name in shard.names()? {
            if names::is_temporary(&name) {
                remove_leftover(&shard, &name)?;
            } else if may_go.len() < limit
                && names::key_of(&name, number).is_some()
                && may_be_swept(&shard, &name, now)?
            {
                may_go.push(name);
            }
        }
        let mut removed = 0;
        for names in may_go.chunks(REMOVED_AT_ONCE) {
            let _locked = self.lock(&shard)?;
            for name in names {
                // It may have been replaced since.
                if may_be_swept(&shard, name, now)? {
                    shard.remove(name)?;
                    removed += 1;
                }
            }
        }
        Ok(removed)
    }

    /// Counts the entries of a shard.
    pub(super) fn count(&self, number: u8) -> Result<Figures, StoreError> {
        let shard = self.root().shard(number)?;
        let mut figures = Figures::default();
        for name in shard.names()? {
            let Some(key) = names::key_of(&name, number) else { continue };
            let Some(Found::File(_, metadata)) = shard.open(&name)? else { continue };
            figures.bytes += space(&metadata);
            if key.kind() == EntryKind::Session {
                figures.sessions += 1;
                let began = load_from(&shard, &key)?.and_then(|found| found.entry.summary()?.created);
                figures.oldest = figures.oldest.into_iter().chain(began).min();
            } else if key.kind() == EntryKind::SessionList {
                figures.lists += 1;
            }
        }
        Ok(figures)
    }
}

/// Returns whether an entry may be forgotten. If that cannot be told, it stays.
fn may_be_swept(shard: &Shard<'_>, name: &str, now: u64) -> Result<bool, StoreError> {
    let Some(Found::File(mut file, _)) = shard.open(name)? else { return Ok(false) };
    let header = read_header(&mut file).map_err(|error| shard.failure("read", name, error))?;
    Ok(header.is_some_and(|header| header.reclaim_at() <= now))
}

fn remove_leftover(shard: &Shard<'_>, name: &str) -> Result<(), StoreError> {
    let Some(Found::File(_, metadata)) = shard.open(name)? else { return Ok(()) };
    let age = metadata.modified().ok().and_then(|modified| SystemTime::now().duration_since(modified).ok());
    if age.is_some_and(|age| age >= LEFTOVER) {
        shard.remove(name)?;
    }
    Ok(())
}

/// The contents of some shards in figures.
#[derive(Default)]
pub(super) struct Figures {
    sessions: u64,
    lists: u64,
    oldest: Option<Timestamp>,
    bytes: u64,
}

impl Figures {
    pub(super) fn add(&mut self, other: Self) {
        self.sessions += other.sessions;
        self.lists += other.lists;
        self.oldest = self.oldest.into_iter().chain(other.oldest).min();
        self.bytes += other.bytes;
    }
}

impl From<Figures> for StoreStats {
    fn from(figures: Figures) -> Self {
        let mut stats = Self::default();
        stats.sessions = Some(figures.sessions);
        stats.lists = Some(figures.lists);
        stats.oldest = figures.oldest;
        stats.bytes = Some(figures.bytes);
        stats
    }
}

//! Looking at one entry, and comparing and swapping it.
//!
//! A new entry is written beside the old one and synced before the lock is taken. Under the lock the old one is compared
//! and the new one renamed over it, so a lock is held for no longer than that takes. Renaming is atomic: those who read
//! need no lock. The names are synced at the end of each call, whatever comes of it: so nobody acts on a change that a
//! power cut could still undo.

use std::fs::File;
use std::io::{ErrorKind, Read as _, Seek as _, SeekFrom, Write as _};

use sessionkit_core::{
    Clock as _, Entry, EntryKey, Generation, InsertOutcome, RemoveOutcome, ReplaceOutcome, Revision, StoreError,
    SystemClock,
};

use super::failure::Failure;
use super::folder::{Found, Root, Shard};
use super::frame::{self, HEADER, Header};
use super::lock::{Locked, Locks};
use super::names;

/// The largest entry that is read from a file whose checksum this release does not know.
const LARGEST_UNKNOWN: u64 = 1 << 26;

/// The directory, and the locks of this process. Its calls block the thread.
pub(super) struct Folder {
    root: Root,
    locks: Locks,
}

impl Folder {
    pub(super) fn new(root: Root) -> Self {
        Self { root, locks: Locks::new() }
    }

    pub(super) fn root(&self) -> &Root {
        &self.root
    }

    pub(super) fn lock(&self, shard: &Shard<'_>) -> Result<Locked<'_>, StoreError> {
        self.locks.lock(shard)
    }

    pub(super) fn load(&self, key: &EntryKey) -> Result<Option<Entry>, StoreError> {
        Ok(load_from(&self.root.shard(names::shard_of(key))?, key)?.map(|found| found.entry))
    }

    pub(super) fn insert(&self, key: &EntryKey, entry: &Entry) -> Result<InsertOutcome, StoreError> {
        self.put(key, entry, InsertOutcome::Inserted, |found| found.map(|_| InsertOutcome::Taken))
    }

    pub(super) fn replace(&self, key: &EntryKey, held: Revision, entry: &Entry) -> Result<ReplaceOutcome, StoreError> {
        self.put(key, entry, ReplaceOutcome::Replaced, |found| match found {
            None => Some(ReplaceOutcome::Absent),
            Some(found) => (!found.may_be_replaced(held)).then_some(ReplaceOutcome::Changed(found.entry)),
        })
    }

    pub(super) fn remove(&self, key: &EntryKey, held: Generation) -> Result<RemoveOutcome, StoreError> {
        let shard = self.root.shard(names::shard_of(key))?;
        let locked = self.lock(&shard)?;
        let outcome = match load_from(&shard, key)? {
            None => RemoveOutcome::Absent,
            Some(found) if !found.entry.may_be_removed(held) => RemoveOutcome::Changed(found.entry),
            Some(_) => {
                shard.remove(&names::of_entry(key)).map_err(Failure::of_swap)?;
                RemoveOutcome::Removed
            }
        };
        drop(locked);
        shard.sync().map_err(|failure| match outcome {
            RemoveOutcome::Removed => failure.may_have_happened(),
            _ => failure.nothing_happened(),
        })?;
        Ok(outcome)
    }

    /// Stores an entry, unless `refused` has an answer to what is found. It looks twice: before the work, and under the
    /// lock.
    fn put<T>(
        &self,
        key: &EntryKey,
        entry: &Entry,
        stored: T,
        refused: impl Fn(Option<Stored>) -> Option<T>,
    ) -> Result<T, StoreError> {
        let shard = self.root.shard(names::shard_of(key))?;
        let mut refusal = refused(load_from(&shard, key)?);
        if refusal.is_none() {
            let new = write_new(&shard, &frame::pack(key, entry, reclaim_at(entry)))?;
            let swapped = self.swap(&shard, key, &new, &refused);
            if !matches!(swapped, Ok(None)) {
                // If that fails, it is swept later.
                let _ = shard.remove(&new);
            }
            refusal = swapped?;
        }
        match (refusal, shard.sync()) {
            (None, synced) => synced.map(|()| stored).map_err(Failure::may_have_happened),
            (Some(refusal), synced) => Ok(synced.map(|()| refusal)?),
        }
    }

    /// Gives a new file the name of an entry, unless `refused` has an answer to what is found.
    fn swap<T>(
        &self,
        shard: &Shard<'_>,
        key: &EntryKey,
        new: &str,
        refused: impl Fn(Option<Stored>) -> Option<T>,
    ) -> Result<Option<T>, StoreError> {
        let _locked = self.lock(shard)?;
        let refusal = refused(load_from(shard, key)?);
        if refusal.is_none() {
            let name = names::of_entry(key);
            let mut renamed = shard.rename(new, &name);
            if renamed.as_ref().is_err_and(|failure| failure.source.kind() == ErrorKind::IsADirectory) {
                renamed = shard.remove(&name).and_then(|()| shard.rename(new, &name));
            }
            renamed.map_err(Failure::of_swap)?;
        }
        Ok(refusal)
    }
}

/// An entry as it is stored.
pub(super) struct Stored {
    pub(super) entry: Entry,
    /// True if a later release has written the file.
    is_of_unknown_version: bool,
}

impl Stored {
    fn known(bytes: Vec<u8>) -> Self {
        Self { entry: Entry::from_bytes(bytes), is_of_unknown_version: false }
    }

    fn may_be_replaced(&self, held: Revision) -> bool {
        !self.is_of_unknown_version && self.entry.has_revision(held)
    }
}

/// Loads an entry. One that is damaged has no bytes: no commit finds its revision in it, and every removal may remove it.
pub(super) fn load_from(shard: &Shard<'_>, key: &EntryKey) -> Result<Option<Stored>, StoreError> {
    let name = names::of_entry(key);
    let damaged = Ok(Some(Stored::known(Vec::new())));
    let (mut file, length) = match shard.open(&name)? {
        None => return Ok(None),
        Some(Found::Foreign) => return damaged,
        Some(Found::File(file, metadata)) => (file, metadata.len()),
    };
    let cannot_read = |error| shard.failure("read", &name, error);
    let Some(header) = read_header(&mut file).map_err(cannot_read)? else {
        return damaged;
    };
    // Before anything of that length is read.
    let behind_header = length.checked_sub(header.length());
    if let Some(version) = header.unknown_version() {
        let Some(at) = behind_header.filter(|at| *at >= HEADER as u64 && header.length() <= LARGEST_UNKNOWN) else {
            return Err(StoreError::unavailable(format!(
                "`{}` has the format version {version}, which this release does not know: let a newer release serve it",
                shard.path(&name).display()
            )));
        };
        file.seek(SeekFrom::Start(at)).map_err(cannot_read)?;
        let entry = Entry::of_unknown_version(read_entry(&mut file, header.length()).map_err(cannot_read)?);
        return Ok(Some(Stored { entry, is_of_unknown_version: true }));
    }
    if behind_header != Some(HEADER as u64) {
        return damaged;
    }
    let bytes = read_entry(&mut file, header.length()).map_err(cannot_read)?;
    if header.fits(key, &bytes) { Ok(Some(Stored::known(bytes))) } else { damaged }
}

/// Reads as many bytes as there are, up to this length.
fn read_entry(file: &mut File, length: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(0));
    file.take(length).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Reads the header of a file; `None` if it has none.
pub(super) fn read_header(file: &mut File) -> std::io::Result<Option<Header>> {
    let mut bytes = [0; HEADER];
    match file.read_exact(&mut bytes) {
        Ok(()) => Ok(Header::read(bytes)),
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error),
    }
}

/// Returns the time from which on an entry may be forgotten, in seconds since the Unix epoch. A second more is no harm.
fn reclaim_at(entry: &Entry) -> u64 {
    SystemClock.now().saturating_add(entry.reclaim_in()).unix_seconds().saturating_add(1)
}

/// Writes a file that is not an entry yet, waits until its bytes are on the disk, and returns its name.
fn write_new(shard: &Shard<'_>, bytes: &[u8]) -> Result<String, Failure> {
    let (name, mut file) = loop {
        let name = names::temporary();
        if let Some(file) = shard.create(&name)? {
            break (name, file);
        }
    };
    match file.write_all(bytes).and_then(|()| file.sync_all()) {
        Ok(()) => Ok(name),
        Err(error) => {
            // If that fails, it is swept later.
            let _ = shard.remove(&name);
            Err(shard.failure("write", &name, error))
        }
    }
}

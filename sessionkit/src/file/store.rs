//! The store: its calls, off the threads of the runtime.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use sessionkit_core::{
    Entry, EntryKey, EntryKind, Generation, InsertOutcome, Notices, RemoveOutcome, ReplaceOutcome, Revision,
    ScanCursor, ScanPage, Store, StoreError, StoreStats,
};

use super::change::Folder;
use super::failure::FileSetupError;
use super::folder::Root;
use super::names;
use super::survey::Figures;

/// Sessions in the files of a directory: for one machine, without a server, for sessions that outlive a restart.
///
/// Every change is on the disk before it is acknowledged. Several processes may share the directory. Clones share the
/// store; open a directory once in each process. Files that may be forgotten stay until the store is swept: see
/// [`SessionManager::sweep_every`](crate::SessionManager::sweep_every).
///
/// Calls block threads of tokio's pool for blocking work, never those that serve requests.
///
/// ```no_run
/// use sessionkit::file::FileStore;
/// use sessionkit::{SessionConfig, SessionManager};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let store = FileStore::open("./sessions")?;
/// let manager = SessionManager::new(store, SessionConfig::default());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct FileStore {
    folder: Arc<Folder>,
    notices: Notices,
    /// The shard that is swept next, so that small portions come round to all of them.
    next_swept: Arc<AtomicU8>,
}

impl FileStore {
    /// Opens a directory, and makes it unless it is there. Blocks the thread for some milliseconds.
    ///
    /// # Errors
    /// Fails when the directory cannot be made or opened, is a symbolic link, belongs to another user, or may be written to
    /// by others; and on systems that are not Unix.
    ///
    /// ```
    /// use sessionkit::file::FileStore;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let directory = tempfile::tempdir()?;
    /// # let path = directory.path().join("sessions");
    /// let store = FileStore::open(&path)?;
    /// # use std::os::unix::fs::PermissionsExt as _;
    /// # assert_eq!(std::fs::metadata(&path)?.permissions().mode() & 0o777, 0o700);
    /// # Ok(())
    /// # }
    /// ```
    pub fn open(path: impl AsRef<Path>) -> Result<Self, FileSetupError> {
        let folder = Arc::new(Folder::new(Root::open(path.as_ref())?));
        Ok(Self { folder, notices: Notices::new(), next_swept: Arc::default() })
    }

    /// Returns the path of the file of an entry, for operators and tests. It need not be there.
    ///
    /// ```
    /// # use sessionkit::file::FileStore;
    /// use sessionkit::SessionId;
    /// use sessionkit::store::EntryKey;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let directory = tempfile::tempdir()?;
    /// # let path = directory.path().join("sessions");
    /// # let store = FileStore::open(&path)?;
    /// let file = store.path(&EntryKey::session(SessionId::from_bytes([0xab; 16])));
    /// assert!(file.ends_with("sessions/2a/sabababababababababababababababab"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn path(&self, key: &EntryKey) -> PathBuf {
        let mut path = self.folder.root().path().join(names::of_shard(names::shard_of(key)));
        path.push(names::of_entry(key));
        path
    }

    /// Makes a call that changes nothing. If its caller leaves, it runs to its end all the same.
    async fn read<T: Send + 'static>(
        &self,
        call: impl FnOnce(&Folder) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let folder = self.folder.clone();
        let called = tokio::task::spawn_blocking(move || call(&folder)).await;
        called.unwrap_or_else(|error| Err(StoreError::unavailable(error)))
    }

    /// Makes a call that changes something. If its caller leaves, it runs to its end all the same.
    async fn write<T: Send + 'static>(
        &self,
        call: impl FnOnce(&Folder) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let folder = self.folder.clone();
        let called = tokio::task::spawn_blocking(move || call(&folder)).await;
        called.unwrap_or_else(|error| Err(StoreError::unknown(error)))
    }
}

impl fmt::Debug for FileStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileStore").field("path", &self.folder.root().path()).finish_non_exhaustive()
    }
}

impl Store for FileStore {
    async fn load(&self, key: &EntryKey) -> Result<Option<Entry>, StoreError> {
        let key = *key;
        self.read(move |folder| folder.load(&key)).await
    }

    async fn insert(&self, key: &EntryKey, entry: &Entry) -> Result<InsertOutcome, StoreError> {
        let (key, entry) = (*key, entry.clone());
        self.write(move |folder| folder.insert(&key, &entry)).await
    }

    async fn replace(&self, key: &EntryKey, held: Revision, entry: &Entry) -> Result<ReplaceOutcome, StoreError> {
        let (key, entry) = (*key, entry.clone());
        self.write(move |folder| folder.replace(&key, held, &entry)).await
    }

    async fn remove(&self, key: &EntryKey, held: Generation) -> Result<RemoveOutcome, StoreError> {
        let key = *key;
        self.write(move |folder| folder.remove(&key, held)).await
    }

    async fn scan(&self, kind: EntryKind, after: Option<&ScanCursor>, limit: usize) -> Result<ScanPage, StoreError> {
        let after = match after.map(|after| EntryKey::from_bytes(after.as_bytes())) {
            Some(None) => return Err(StoreError::unsupported("the cursor is not one of this store")),
            after => after.flatten(),
        };
        self.read(move |folder| folder.scan(kind, after, limit)).await
    }

    async fn load_many(&self, keys: &[EntryKey]) -> Result<Vec<Option<Entry>>, StoreError> {
        let keys = keys.to_vec();
        self.read(move |folder| keys.iter().map(|key| folder.load(key)).collect()).await
    }

    async fn sweep(&self, limit: usize) -> Result<usize, StoreError> {
        let (limit, mut removed) = (limit.max(1), 0);
        for _ in 0..names::SHARDS {
            let number = self.next_swept.fetch_add(1, Ordering::Relaxed) % names::SHARDS;
            let left = limit - removed;
            removed += self.write(move |folder| folder.sweep(number, left)).await?;
            if removed == limit {
                break;
            }
        }
        Ok(removed)
    }

    async fn stats(&self) -> Result<StoreStats, StoreError> {
        let mut figures = Figures::default();
        for number in 0..names::SHARDS {
            figures.add(self.read(move |folder| folder.count(number)).await?);
        }
        Ok(figures.into())
    }

    fn notices(&self) -> Option<&Notices> {
        Some(&self.notices)
    }
}

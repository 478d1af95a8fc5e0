//! Files written by hand, which is what any store of files has to do at least.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::{Subject, said};
use crate::process::Result;

/// A directory of files. Nothing in it is locked, compared or checked.
#[derive(Clone)]
pub struct Files {
    directory: Arc<Path>,
    content: Arc<[u8]>,
    /// True if the directory is synced too, without which a power cut can undo a rename.
    syncs_names: bool,
    count: Arc<AtomicU64>,
}

impl Files {
    /// Writes so many bytes into each file.
    pub fn new(directory: &Path, length: usize, syncs_names: bool) -> Result<Self> {
        fs::create_dir(directory).map_err(said)?;
        Ok(Self { directory: directory.into(), content: vec![b'x'; length].into(), syncs_names, count: Arc::default() })
    }

    /// Does something with the files, off the threads of the runtime.
    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> std::io::Result<T> + Send + 'static,
    ) -> Result<T> {
        let files = self.clone();
        tokio::task::spawn_blocking(move || work(&files)).await.map_err(said)?.map_err(said)
    }

    /// Writes a file beside, waits until it is on the disk, and gives it its name.
    fn put(&self, path: &Path) -> std::io::Result<()> {
        let beside = self.directory.join(format!("new-{}", self.number()));
        let mut file = File::create_new(&beside)?;
        file.write_all(&self.content)?;
        file.sync_all()?;
        fs::rename(beside, path)?;
        self.sync_names()
    }

    fn sync_names(&self) -> std::io::Result<()> {
        if self.syncs_names { File::open(&self.directory)?.sync_all() } else { Ok(()) }
    }

    fn number(&self) -> u64 {
        self.count.fetch_add(1, Ordering::Relaxed)
    }
}

impl Subject for Files {
    type Session = PathBuf;

    async fn insert(&self) -> Result<PathBuf> {
        let path = self.directory.join(format!("session-{}", self.number()));
        self.work(move |files| files.put(&path).map(|()| path)).await
    }

    async fn load(&self, path: &mut PathBuf) -> Result {
        let path = path.clone();
        self.work(|_| fs::read(path)).await.map(drop)
    }

    async fn commit(&self, path: &mut PathBuf) -> Result {
        let path = path.clone();
        self.work(move |files| files.put(&path)).await
    }

    async fn remove(&self, path: PathBuf) -> Result {
        self.work(move |files| fs::remove_file(path).and_then(|()| files.sync_names())).await
    }
}

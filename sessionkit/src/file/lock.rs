//! The locks under which entries are compared and swapped: one for each shard.

use std::fs::TryLockError;
use std::io;
use std::sync::{Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use sessionkit_core::StoreError;

use super::folder::Shard;
use super::names;

/// The longest time that a call waits for a lock: shorter than the engine waits for a commit, so that its answer is that
/// nothing happened. A lock is held for some microseconds, unless a process is stopped or the disk stands still.
const PATIENCE: Duration = Duration::from_millis(400);

/// The pauses between tries while another process has the lock.
const SHORTEST_PAUSE: Duration = Duration::from_micros(100);
const LONGEST_PAUSE: Duration = Duration::from_millis(5);

/// The locks of this process. Its threads wait for each other here; who is first waits for other processes.
pub(super) struct Locks([Turn; names::SHARDS as usize]);

impl Locks {
    pub(super) fn new() -> Self {
        Self(std::array::from_fn(|_| Turn::default()))
    }

    /// Locks a shard for this thread alone, among all processes.
    pub(super) fn lock<'a>(&'a self, shard: &Shard<'_>) -> Result<Locked<'a>, StoreError> {
        let end = Instant::now() + PATIENCE;
        let turn = self.0[usize::from(shard.number())].take(end).ok_or_else(|| busy(shard))?;
        let file = shard.lock_file()?;
        let mut pause = SHORTEST_PAUSE;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Locked { file, _turn: turn }),
                Err(TryLockError::WouldBlock) if Instant::now() < end => thread::sleep(pause),
                Err(TryLockError::WouldBlock) => return Err(busy(shard)),
                Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(TryLockError::Error(error)) => return Err(shard.failure("lock", names::LOCK, error).into()),
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

fn busy(shard: &Shard<'_>) -> StoreError {
    let path = shard.path(names::LOCK);
    StoreError::unavailable(format!(
        "`{}` stayed locked for {PATIENCE:?}: a process that shares the directory is stopped, or its disk stands still",
        path.display()
    ))
}

/// A shard that is locked. The end of a process ends its locks, too.
#[must_use]
pub(super) struct Locked<'a> {
    file: std::fs::File,
    // Dropped last: the next thread may try at once.
    _turn: Taken<'a>,
}

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        // A process that was just forked holds the file open, too: closing it would not be enough. If it fails, closing
        // does it.
        let _ = self.file.unlock();
    }
}

/// The turn of one thread of this process.
#[derive(Default)]
struct Turn {
    is_taken: Mutex<bool>,
    freed: Condvar,
}

impl Turn {
    fn take(&self, end: Instant) -> Option<Taken<'_>> {
        let left = end.saturating_duration_since(Instant::now());
        let taken = self.is_taken.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.freed.wait_timeout_while(taken, left, |taken| *taken);
        let (mut taken, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
        if timeout.timed_out() && *taken {
            return None;
        }
        *taken = true;
        Some(Taken(self))
    }
}

struct Taken<'a>(&'a Turn);

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        *self.0.is_taken.lock().unwrap_or_else(PoisonError::into_inner) = false;
        self.0.freed.notify_one();
    }
}

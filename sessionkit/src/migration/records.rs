//! The place where another system keeps its sessions.

use std::future::Future;
use std::time::Duration;

use sessionkit_core::ForeignError;

/// Keeps the records of another system: a map from keys to bytes, in Redis for example.
///
/// The keys and the bytes are those of the other system: the readers of this module make and read them.
pub trait ForeignRecords: Send + Sync + 'static {
    /// Returns the record under a key, or `None` if there is none.
    ///
    /// # Errors
    /// Fails when the store does, with [`ForeignError::unavailable`]; and when the record is larger than [`LARGEST_RECORD`], or no string of
    /// bytes, with [`ForeignError::unreadable`].
    fn get(&self, key: &str) -> impl Future<Output = Result<Option<Vec<u8>>, ForeignError>> + Send;

    /// Stores a record under a key, whatever was there, and forgets it after `ttl`.
    ///
    /// # Errors
    /// Fails when the store does.
    fn set(&self, key: &str, record: Vec<u8>, ttl: Duration) -> impl Future<Output = Result<(), ForeignError>> + Send;

    /// Removes the record under a key, if there is one.
    ///
    /// # Errors
    /// Fails when the store does.
    fn remove(&self, key: &str) -> impl Future<Output = Result<(), ForeignError>> + Send;
}

/// The size in bytes of the largest record that is read: 256 KiB.
pub const LARGEST_RECORD: usize = 256 * 1024;

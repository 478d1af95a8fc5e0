//! The failures of the file system, and the errors that they become.

use std::fmt;
use std::io;
use std::path::PathBuf;

use sessionkit_core::StoreError;

/// A call to the operating system failed.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) action: &'static str,
    pub(super) path: PathBuf,
    pub(super) source: io::Error,
}

impl Failure {
    /// Returns the error of a call after which everything is as it was.
    pub(super) fn nothing_happened(self) -> StoreError {
        StoreError::unavailable(self)
    }

    /// Returns the error of a call after which nobody knows.
    pub(super) fn may_have_happened(self) -> StoreError {
        StoreError::unknown(self)
    }

    /// Returns the error of a call that swaps or removes a file: most reasons mean that it stayed.
    pub(super) fn of_swap(self) -> StoreError {
        use io::ErrorKind::{NotFound, PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StorageFull};
        match self.source.kind() {
            NotFound | PermissionDenied | QuotaExceeded | ReadOnlyFilesystem | StorageFull => self.nothing_happened(),
            _ => self.may_have_happened(),
        }
    }

    /// Returns a sentence that says what to do, if that is known.
    fn advice(&self) -> &'static str {
        use io::ErrorKind::{FileTooLarge, NotFound, PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StorageFull};
        match self.source.kind() {
            FileTooLarge => "; raise the limit of the process for the size of files",
            NotFound => "; it was removed while the program ran: restart the program, which creates it again",
            PermissionDenied => "; give it to the user who runs this program",
            QuotaExceeded | StorageFull => "; make room, or sweep the store",
            ReadOnlyFilesystem => "; mount its file system for writing",
            _ => "",
        }
    }
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        failure.nothing_happened()
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot {} `{}`{}", self.action, self.path.display(), self.advice())
    }
}

impl std::error::Error for Failure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

/// A [`FileStore`](super::FileStore) cannot be opened. Says what to change.
///
/// ```
/// use sessionkit::file::FileStore;
///
/// let error = FileStore::open("no/such/parent/sessions").unwrap_err();
/// assert!(error.to_string().contains("no/such/parent"));
/// ```
pub struct FileSetupError {
    message: String,
    source: Option<io::Error>,
}

impl FileSetupError {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), source: None }
    }

    #[cfg(unix)]
    pub(super) fn caused(message: impl Into<String>, source: io::Error) -> Self {
        Self { message: message.into(), source: Some(source) }
    }
}

impl fmt::Display for FileSetupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// Shows the cause too.
impl fmt::Debug for FileSetupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        self.source.as_ref().map_or(Ok(()), |source| write!(f, ": {source}"))
    }
}

impl std::error::Error for FileSetupError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|source| source as _)
    }
}

//! The directory on systems that are not Unix: there is none. Owners, modes and links are other things there, and nobody has
//! tested what a power cut leaves.

use std::fs::{File, Metadata};
use std::io;
use std::path::{Path, PathBuf};

use super::failure::{Failure, FileSetupError};

/// The directory of a store, of which there is none.
#[derive(Debug)]
pub(super) enum Root {}

impl Root {
    pub(super) fn open(_: &Path) -> Result<Self, FileSetupError> {
        Err(FileSetupError::new("sessions in files need a Unix system: use another store on this one"))
    }

    pub(super) fn path(&self) -> &Path {
        match *self {}
    }

    pub(super) fn shard(&self, _: u8) -> Result<Shard<'_>, Failure> {
        match *self {}
    }
}

/// One of the directories in which the files are, of which there is none.
pub(super) struct Shard<'a>(&'a Root);

/// The thing that has the name of an entry.
#[expect(dead_code, reason = "nothing is ever found")]
pub(super) enum Found {
    File(File, Metadata),
    Foreign,
}

impl Shard<'_> {
    pub(super) fn number(&self) -> u8 {
        match *self.0 {}
    }

    pub(super) fn open(&self, _: &str) -> Result<Option<Found>, Failure> {
        match *self.0 {}
    }

    pub(super) fn create(&self, _: &str) -> Result<Option<File>, Failure> {
        match *self.0 {}
    }

    pub(super) fn lock_file(&self) -> Result<File, Failure> {
        match *self.0 {}
    }

    pub(super) fn rename(&self, _: &str, _: &str) -> Result<(), Failure> {
        match *self.0 {}
    }

    pub(super) fn remove(&self, _: &str) -> Result<(), Failure> {
        match *self.0 {}
    }

    pub(super) fn names(&self) -> Result<Vec<String>, Failure> {
        match *self.0 {}
    }

    pub(super) fn sync(&self) -> Result<(), Failure> {
        match *self.0 {}
    }

    pub(super) fn failure(&self, _: &'static str, _: &str, _: impl Into<io::Error>) -> Failure {
        match *self.0 {}
    }

    pub(super) fn path(&self, _: &str) -> PathBuf {
        match *self.0 {}
    }
}

pub(super) fn space(metadata: &Metadata) -> u64 {
    metadata.len()
}

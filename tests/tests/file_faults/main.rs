//! Tests of the file store under faults: killed processes, power cuts, full disks, missing rights, planted and damaged files.

mod damage;
mod full_disk;
#[cfg(target_os = "linux")]
mod injected;
mod killed;
mod locks;
mod opening;
mod planted;
#[cfg(target_os = "linux")]
mod power_cut;
mod processes;
mod refused;
mod row_10;
mod sweeping;

use sessionkit::file::FileStore;
use tempfile::TempDir;

/// The program that writes to a directory.
const WRITER: &str = env!("CARGO_BIN_EXE_file-writer");

/// A store in a new directory.
fn store() -> (FileStore, TempDir) {
    let directory = tempfile::tempdir().expect("there is room for a directory");
    let store = FileStore::open(directory.path().join("sessions")).expect("a new directory can be opened");
    (store, directory)
}

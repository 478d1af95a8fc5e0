//! Sessions in files: they survive a restart, and need no server.
//!
//! A directory holds 64 directories, `00` to `3f`: the first byte of the key, divided by 4. In them each session is one file,
//! named `s` and its id in hexadecimal digits. The list of a user's sessions is another file, named `l` and a hash. The digits
//! are in lower case, so a file system that ignores case confuses nothing. The guide describes the files
//! [byte by byte](crate::guide::writing_a_store#a-file).
//!
//! # Running it
//!
//! - **Where.** Give the store a local file system and a directory of its own. Network file systems are not tested.
//! - **Permissions.** The directory belongs to the user who runs the program, and nobody else may write to it;
//!   [`FileStore::open`] refuses another one. Directories are made with mode 0700, files with 0600. No link is followed.
//! - **Several processes** of one machine may share the directory: an old and a new release during a deploy, and the program
//!   `sessionkit`. They exclude each other with the file `lock` in each of the 64 directories: leave those files alone. The lock
//!   of a process that is killed is free at once. A process that cannot get a lock within 400 ms answers 503, and nothing has
//!   happened. Without `flock`, as on some network file systems, nothing is ever written.
//! - **Power cuts.** Every change is synced before it is acknowledged, logouts too. So a commit takes as long as the disk
//!   needs for two syncs. Reading takes neither a lock nor a sync.
//! - **A full disk.** Sessions are still read, and logouts still work. What changes a session answers 503.
//! - **Damage.** A damaged file opens no session: its user is logged out, an event says so, and all other sessions go on.
//!   A login begins another session; a logout removes the file. Anything that is not a regular file counts as damaged.
//! - **Backups** may copy the directory at any time. A restored copy undoes the logouts that came after it, so remove the
//!   sessions from it unless that is acceptable.
//! - **Space.** Files stay until a [sweep](crate::guide::operating#sweeping) removes those that may be forgotten: start
//!   [`SessionManager::sweep_every`](crate::SessionManager::sweep_every). After an hour it also removes files that a killed
//!   process left half written. It removes no file that it does not know.
//! - **Notices.** A [`SessionHandle`] that waits for the end of its session is notified at once in the same process. In
//!   other processes it looks at the session in the interval of the setting `watch_interval`.
//! - **Clocks.** The manager's clock decides when a session ends. The system's clock decides what is swept, five minutes later.
//! - **Systems.** It works on Linux, macOS and other Unix systems. Elsewhere, on Windows too, [`FileStore::open`] fails.
//!
//! [`SessionHandle`]: crate::manual::SessionHandle

mod change;
mod failure;
#[cfg(unix)]
mod folder;
#[cfg(not(unix))]
#[path = "elsewhere.rs"]
mod folder;
mod frame;
mod lock;
mod names;
mod store;
mod survey;

pub use failure::FileSetupError;
pub use store::FileStore;

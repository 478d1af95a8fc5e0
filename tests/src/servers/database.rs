//! The life of a database server, whichever it is.

use super::free_port;
use super::shared::{SharedServer, Start};
use super::watchdog::{NotReady, Watchdog, run_as_owner};
use rustix::process::{Signal, geteuid};
use std::fs::Permissions;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use std::{env, fs, process};
use tempfile::TempDir;

/// The longest time that a start may take; a second or two are usual.
const START_DEADLINE: Duration = Duration::from_secs(60);

/// The way in which a server of one kind is started.
#[derive(Debug)]
pub(super) struct Kind {
    pub(super) name: &'static str,
    /// The text in its output that says that it answers.
    pub(super) ready: &'static str,
    /// Returns the program that makes an empty database in a directory.
    pub(super) initialise: fn(&Path) -> Command,
    /// Returns the server, on this port, with its files in this directory.
    pub(super) serve: fn(u16, &Path) -> Command,
}

/// A server, of this process or shared.
#[derive(Debug)]
pub(super) struct Database {
    kind: &'static Kind,
    port: u16,
    process: Process,
}

#[derive(Debug)]
enum Process {
    // Dropped before the directory is.
    Own(Watchdog, TempDir),
    Shared(#[cfg_attr(not(test), expect(dead_code, reason = "holding it is its use"))] SharedServer),
}

impl Database {
    /// Starts a server of its own on a free port, and returns when it answers.
    pub(super) fn start(kind: &'static Kind) -> Self {
        let directory = kind.directory("");
        let deadline = Instant::now() + START_DEADLINE;
        loop {
            let port = free_port();
            if let Some(watchdog) = kind.launch(port, directory.path(), deadline) {
                return Self { kind, port, process: Process::Own(watchdog, directory) };
            }
        }
    }

    /// Joins the server that all test processes share, which the first of them starts.
    pub(super) fn join(kind: &'static Kind) -> Self {
        let shared = SharedServer::join(kind.name, || {
            let (directory, port) = (kind.directory("shared-").keep(), free_port());
            let command = (kind.serve)(port, &directory);
            (directory, Start { command, ready: kind.ready, port })
        });
        Self { kind, port: shared.port, process: Process::Shared(shared) }
    }

    pub(super) fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    #[cfg(test)]
    pub(super) fn directory(&self) -> &Path {
        match &self.process {
            Process::Own(_, directory) => directory.path(),
            Process::Shared(shared) => &shared.directory,
        }
    }

    /// Freezes the server (`SIGSTOP`).
    pub(super) fn pause(&mut self) {
        self.watchdog().pause();
    }

    /// Lets a frozen server go on (`SIGCONT`).
    pub(super) fn resume(&mut self) {
        self.watchdog().resume();
    }

    /// Ends the server at once (`SIGKILL`).
    pub(super) fn kill(&mut self) {
        self.watchdog().stop();
    }

    /// Asks the server to end with a signal, and returns when it has.
    pub(super) fn ask_to_end(&mut self, signal: Signal) {
        self.watchdog().ask_to_end(signal);
    }

    /// Starts the server again on the same port, after its end, with what it had stored.
    pub(super) fn start_again(&mut self) {
        let (kind, port) = (self.kind, self.port);
        let Process::Own(watchdog, directory) = &mut self.process else { panic!("{SHARED}") };
        let deadline = Instant::now() + START_DEADLINE;
        *watchdog = loop {
            // Another test may hold the port for a moment, in search of a free one.
            if let Some(watchdog) = kind.launch(port, directory.path(), deadline) {
                break watchdog;
            }
        };
    }

    /// Closes the pipe to the watchdog, as happens when the test process dies.
    #[cfg(test)]
    pub(super) fn close_pipe(&mut self) {
        self.watchdog().close_pipe();
    }

    /// Returns whether the files of the server are gone.
    #[cfg(test)]
    pub(super) fn is_removed(&self) -> bool {
        std::fs::read_dir(self.directory()).map_or(true, |mut files| files.next().is_none())
    }

    fn watchdog(&mut self) -> &mut Watchdog {
        match &mut self.process {
            Process::Own(watchdog, _) => watchdog,
            Process::Shared(_) => panic!("{SHARED}"),
        }
    }
}

const SHARED: &str = "other tests use this server too: start one of its own";

impl Kind {
    /// A directory with an empty database.
    fn directory(&self, infix: &str) -> TempDir {
        let directory = unprivileged_directory(&format!("{}-{infix}", self.name));
        let mut initialise = (self.initialise)(directory.path());
        run_as_owner(&mut initialise, directory.path());
        let output = initialise.current_dir(directory.path()).stdin(Stdio::null()).output();
        let output = output.unwrap_or_else(|error| panic!("{:?}: {error}", initialise.get_program()));
        let text = [output.stdout, output.stderr].concat();
        assert!(output.status.success(), "{initialise:?} failed:\n{}", String::from_utf8_lossy(&text));
        directory
    }

    /// `None` if another process has the port.
    fn launch(&self, port: u16, directory: &Path, deadline: Instant) -> Option<Watchdog> {
        match Watchdog::start(&(self.serve)(port, directory), directory, self.ready, deadline) {
            Ok((watchdog, _)) => Some(watchdog),
            Err(NotReady { output, .. }) if output.contains("in use") && Instant::now() < deadline => None,
            Err(NotReady { output, cause }) => panic!("{} {cause}:\n{output}", self.name),
        }
    }
}

/// A directory for one server that refuses to run as the superuser: it belongs to `nobody` if this process is theirs.
pub(super) fn unprivileged_directory(prefix: &str) -> TempDir {
    let directory = super::temporary_directory(prefix);
    if geteuid().is_root() {
        let id = |which: &str| {
            let id = Command::new("id").args([which, "nobody"]).output().ok().map(|id| id.stdout);
            String::from_utf8_lossy(&id.unwrap_or_default()).trim().parse().unwrap_or(65534)
        };
        chown(directory.path(), Some(id("-u")), Some(id("-g"))).expect("the superuser may");
        if let Some(parent) = env::var_os("SESSIONKIT_TEST_DIR") {
            fs::set_permissions(parent, Permissions::from_mode(0o711)).expect("it belongs to this run");
        }
    }
    directory
}

/// Returns the path of a program that servers bring along, on the PATH or not. `xtask` looks in the same places.
pub(super) fn program(name: &str) -> PathBuf {
    let on_path = env::var_os("PATH").unwrap_or_default();
    let versioned = ["/usr/lib/postgresql", "/opt/homebrew/opt", "/usr/local/opt"].iter();
    let versioned = versioned.flat_map(|parent| fs::read_dir(parent).into_iter().flatten().flatten());
    let mut versioned: Vec<PathBuf> = versioned.map(|version| version.path().join("bin")).collect();
    versioned.sort();
    let unlisted = ["/usr/sbin", "/usr/local/sbin", "/usr/libexec"].map(PathBuf::from);
    let mut places = env::split_paths(&on_path).chain(versioned.into_iter().rev()).chain(unlisted);
    places
        .find_map(|place| Some(place.join(name)).filter(|path| path.is_file()))
        .unwrap_or_else(|| panic!("install {name}, or run `cargo xtask test`, which does"))
}

/// Returns a name that no other test uses on a shared server, for a database, a schema or a table.
pub fn unique_name() -> String {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("t{}_{:x}_{}", process::id(), now.as_nanos(), COUNT.fetch_add(1, Ordering::Relaxed))
}

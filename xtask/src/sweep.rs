//! Cleaning up after the tests, whatever ended them.
//!
//! The sweeper is a second process, which waits for its standard input to close. `test` closes it when it is done; the
//! operating system does when xtask is interrupted or killed. So there is one way of cleaning up, and no signal handler.

use crate::run::{Result, command, succeeds};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, io, thread};

/// In the directory that each server has to itself: its process id, and on the next line its command line.
const PID_FILE: &str = "server.pid";

/// The same of a server that tests share, which waits a moment for the next one: that it still runs is as it should be.
const SHARED_PID_FILE: &str = "shared.pid";

/// The time for which files may keep appearing in the directory while interrupted tests come to their end.
const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) struct Sweeper(Child);

impl Sweeper {
    pub(crate) fn start(directory: &Path) -> Result<Self> {
        let executable = env::current_exe().map_err(|error| format!("cannot find this program: {error}"))?;
        let mut command = Command::new(executable);
        command.arg("sweep").arg(directory).stdin(Stdio::piped());
        // Ctrl-C goes to the whole process group, but the sweeper has to outlive it.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        command.spawn().map(Self).map_err(|error| format!("cannot start the sweeper: {error}"))
    }

    /// Lets the sweeper do its work and waits for it.
    pub(crate) fn finish(mut self) -> Result {
        // `wait` closes the standard input first.
        match self.0.wait() {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(format!("cleaning up failed: {status}")),
            Err(error) => Err(format!("cleaning up failed: {error}")),
        }
    }
}

/// Runs the second process: when its standard input closes, it kills the servers and removes the directory.
pub(crate) fn when_stdin_closes(directory: &Path) -> Result {
    // Nothing is ever written to it, so this returns when it closes.
    io::copy(&mut io::stdin(), &mut io::sink()).map_err(|error| format!("cannot wait for the tests: {error}"))?;
    kill_servers(directory);
    remove(directory)
}

fn kill_servers(directory: &Path) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let read = |name: &str| fs::read_to_string(entry.path().join(name)).ok();
        let shared = read(SHARED_PID_FILE);
        let is_shared = shared.is_some();
        let Some(pid_file) = shared.or_else(|| read(PID_FILE)) else { continue };
        let Some((pid, recorded)) = pid_file.split_once('\n') else { continue };
        // The number may belong to another process by now.
        if command_line(pid).is_some_and(|current| current == recorded.trim()) {
            if !is_shared {
                eprintln!("xtask: ending a server that outlived its test: {pid} ({})", recorded.trim());
            }
            // The shell's own `kill`: small machines have no program of that name.
            if !succeeds(&mut command("sh", ["-c", "kill -KILL \"$1\"", "sh", pid])) {
                eprintln!("xtask: {pid} could not be ended");
            }
        }
    }
}

/// The command line of a process, its words separated by spaces; `sessionkit-tests` records it in the same way.
fn command_line(pid: &str) -> Option<String> {
    let line = if Path::new("/proc/self/cmdline").exists() {
        fs::read_to_string(format!("/proc/{pid}/cmdline")).ok()?.replace('\0', " ")
    } else {
        String::from_utf8(command("ps", ["-o", "command=", "-p", pid]).output().ok()?.stdout).ok()?
    };
    let line = line.trim();
    (!line.is_empty()).then(|| line.to_owned())
}

fn remove(directory: &Path) -> Result {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match fs::remove_dir_all(directory) {
            Ok(()) => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound && !directory.exists() => return Ok(()),
            Err(error) if Instant::now() > deadline => {
                return Err(format!("cannot remove {}: {error}", directory.display()));
            }
            // Another process is adding or removing files at this moment.
            Err(_) => thread::sleep(Duration::from_millis(20)),
        }
    }
}

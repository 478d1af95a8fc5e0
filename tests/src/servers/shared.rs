//! A server that test processes share.

// The measurements include this file.
#[cfg(test)]
#[path = "shared/tests.rs"]
mod tests;

use super::watchdog::{run_as_owner, write_pid_file};
use rustix::process::{Pid, geteuid};
use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

/// A shell stands over the server. Each process that uses the server holds the pipe `users` open, which the operating
/// system closes for it even after `SIGKILL`. When nobody has held it for some seconds, nobody new is let in, and when
/// those who came in at the last moment have left, the server ends.
///
/// The output goes to a file: a pipe to the process that started the server would break with it.
const SCRIPT: &str = r#"
cd "$1"
patience=$2
shift 2
mkfifo users
"$@" </dev/null >log 2>&1 &
server=$!
echo "$server" >pid.new
mv pid.new pid
exec 3<users
idle=0
while [ "$idle" -lt "$patience" ] && kill -0 "$server" && [ -e pid ]; do
    if read -r _ <&3; then idle=0; else idle=$((idle + 1)); sleep 1; fi
done
rm -f ready
while read -r _ <&3; do :; done
children=$(cat "/proc/$server/task/$server/children" 2>/dev/null || pgrep -P "$server")
kill -KILL "$server" $children
wait "$server"
sleep 0.5
rm -rf "$PWD"
"#;

/// The seconds for which a server waits for the next test.
const PATIENCE: u32 = 10;

/// The way to start a server that is shared.
pub(super) struct Start {
    pub(super) command: Command,
    /// The text in its output that says that it answers.
    pub(super) ready: &'static str,
    pub(super) port: u16,
}

/// A server that runs for as long as this process does, and longer while others use it.
#[derive(Debug)]
pub(super) struct SharedServer {
    pub(super) port: u16,
    pub(super) directory: PathBuf,
    /// While it is open, the server does not end.
    _lifeline: File,
}

impl SharedServer {
    /// Joins the server of this kind that runs, or starts one in a directory that `prepare` makes. It may be called several
    /// times, when others take the port.
    pub(super) fn join(kind: &str, prepare: impl Fn() -> (PathBuf, Start)) -> Self {
        Self::join_at(&registry(), kind, PATIENCE, prepare)
    }

    fn join_at(registry: &Path, kind: &str, patience: u32, prepare: impl Fn() -> (PathBuf, Start)) -> Self {
        let lock = File::create(registry.join(format!("{kind}.lock"))).expect("the registry is writable");
        // A process that waits here joins the server that is being started.
        lock.lock().expect("files can be locked");
        let entry = registry.join(kind);
        let running = fs::read_to_string(&entry).ok().and_then(|directory| Self::join_in(Path::new(&directory)));
        running.unwrap_or_else(|| {
            loop {
                let (directory, start) = prepare();
                if let Some(shared) = Self::start_in(directory, patience, &start) {
                    fs::write(&entry, shared.directory.as_os_str().as_encoded_bytes())
                        .expect("the registry is writable");
                    break shared;
                }
            }
        })
    }

    /// `None` if the server has ended, or is about to.
    fn join_in(directory: &Path) -> Option<Self> {
        let lifeline = hold(directory).ok()?;
        // It is removed before the shell looks for the last time whether anybody is there.
        let port = fs::read_to_string(directory.join("ready")).ok()?.parse().ok()?;
        TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok()?;
        Some(Self { port, directory: directory.to_owned(), _lifeline: lifeline })
    }

    /// `None` if another process has the port.
    fn start_in(directory: PathBuf, patience: u32, start: &Start) -> Option<Self> {
        let deadline = Instant::now() + Duration::from_secs(60);
        let mut shell = Command::new("sh");
        run_as_owner(&mut shell, &directory);
        // It outlives this process as a rule, and is not waited for.
        #[expect(clippy::zombie_processes, reason = "the shell goes on when this process has ended")]
        shell
            .args(["-c", SCRIPT, "watchdog"])
            .arg(&directory)
            .arg(patience.to_string())
            .arg(start.command.get_program())
            .args(start.command.get_args())
            .envs(start.command.get_envs().filter_map(|(name, value)| Some((name, value?))))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // What ends this process is not to end the server of others.
            .process_group(0)
            .spawn()
            .expect("every Unix has sh");
        let read = |name: &str| fs::read(directory.join(name)).unwrap_or_default();
        let log = || String::from_utf8_lossy(&read("log")).into_owned();
        let wait = |what: &str, is_there: &dyn Fn() -> bool| {
            while !is_there() {
                assert!(Instant::now() < deadline, "the shared server is not ready ({what}):\n{}", log());
                // Nothing tells of a line in a file.
                thread::sleep(Duration::from_millis(10));
            }
        };
        wait("process id", &|| directory.join("pid").exists());
        let lifeline = std::cell::OnceCell::new();
        wait("lifeline", &|| hold(&directory).is_ok_and(|file| lifeline.set(file).is_ok()));
        let lifeline = lifeline.into_inner().expect("it was waited for");
        let (ready, lost) = (|| log().contains(start.ready), || log().contains("in use"));
        wait(start.ready, &|| ready() || lost());
        if !ready() {
            // The shell notices that the server has ended, and removes the directory.
            return None;
        }
        let pid = String::from_utf8_lossy(&read("pid")).trim().parse().ok().and_then(Pid::from_raw);
        write_pid_file(&directory.join("shared.pid"), pid.expect("the shell wrote its process id"));
        fs::write(directory.join("ready"), start.port.to_string()).expect("the server's directory is writable");
        Some(Self { port: start.port, directory, _lifeline: lifeline })
    }
}

/// Opens the pipe that keeps the server; fails if nobody reads it.
fn hold(directory: &Path) -> io::Result<File> {
    let nonblocking = rustix::fs::OFlags::NONBLOCK.bits() as i32;
    let mut lifeline = OpenOptions::new().write(true).custom_flags(nonblocking).open(directory.join("users"))?;
    // A line says that a process came, even if it leaves at once. A full pipe says it as well.
    let _ = lifeline.write(b"\n");
    Ok(lifeline)
}

/// The directory in which the servers are found: the one of `cargo xtask test`, or one of this user's own.
fn registry() -> PathBuf {
    if let Some(directory) = env::var_os("SESSIONKIT_TEST_DIR") {
        return directory.into();
    }
    let user = geteuid().as_raw();
    let directory = env::temp_dir().join(format!("sessionkit-servers-{user}"));
    let _ = fs::create_dir(&directory);
    let found = fs::symlink_metadata(&directory).expect("the directory for temporary files is writable");
    // Anybody can make a directory of this name.
    assert!(found.is_dir() && found.uid() == user, "{} belongs to another user: remove it", directory.display());
    fs::set_permissions(&directory, Permissions::from_mode(0o700)).expect("it is ours");
    directory
}

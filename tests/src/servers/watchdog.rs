//! Runs a server that cannot outlive the test process.

use rustix::process::{Pid, Signal, geteuid, kill_process, kill_process_group};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use std::{fs, thread};

/// A shell stands between the test process and the server, with a pipe from the test process as its standard input. It
/// waits there until the pipe closes, which the operating system sees to even after `SIGKILL`, and then ends the server.
///
/// The inner shell becomes the server, so the process id is the first line of output. What the server started may be
/// writing into the directory until it notices that the server is gone, and what is frozen would never notice. The directory
/// itself stays, empty, if its parent is another user's.
const SCRIPT: &str = r#"
directory=$1
shift
sh -c 'echo $$; exec "$@"' sh "$@" </dev/null 2>&1 &
server=$!
exec >/dev/null
read -r _
children=$(cat "/proc/$server/task/$server/children" 2>/dev/null || pgrep -P "$server")
kill -KILL "$server" $children
wait "$server"
quiet=0
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    rm -rf "$directory"
    sleep 0.2
    if [ -n "$(ls -A "$directory" 2>/dev/null)" ]; then quiet=0; else quiet=$((quiet + 1)); fi
    [ "$quiet" -lt 3 ] || break
done
"#;

/// The longest wait for the end of the server's processes, those that left its group included.
const PATIENCE: Duration = Duration::from_secs(10);

/// A running server.
#[derive(Debug)]
pub(super) struct Watchdog {
    shell: Child,
    server: Pid,
    pid_file: PathBuf,
    /// The lines that the server and its children write; in a mutex, so that a server can be shared.
    output: Mutex<Receiver<String>>,
}

/// The reason why a server did not say what was expected of it, with what it said instead.
#[derive(Debug)]
pub(super) struct NotReady {
    pub(super) output: String,
    pub(super) cause: &'static str,
}

impl Watchdog {
    /// Starts the server and returns when it has written a line that contains `ready`, with that line. It runs as the
    /// user to whom the directory belongs.
    pub(super) fn start(
        server: &Command,
        directory: &Path,
        ready: &str,
        deadline: Instant,
    ) -> Result<(Self, String), NotReady> {
        let mut shell = Command::new("sh");
        run_as_owner(&mut shell, directory);
        let mut shell = shell
            .args(["-c", SCRIPT, "watchdog"])
            .arg(directory)
            .arg(server.get_program())
            .args(server.get_args())
            .envs(server.get_envs().filter_map(|(name, value)| Some((name, value?))))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            // Ctrl-C in a terminal goes to the whole process group; this shell must live to clean up. And `stop` ends
            // the group.
            .process_group(0)
            .spawn()
            .expect("every Unix has sh");

        let lines = lines_of(&mut shell);
        let server = lines.recv().ok().and_then(|line| Pid::from_raw(line.parse().ok()?));
        let server = server.expect("the first line is the process id");
        let pid_file = directory.join("server.pid");
        let mut watchdog = Self { shell, server, pid_file, output: Mutex::new(lines) };
        // From here on, `watchdog` being dropped ends the server.
        let line = wait_for(ready, watchdog.lines(), deadline)?;
        watchdog.write_pid_file();
        Ok((watchdog, line))
    }

    /// Freezes the server and its child processes: its connections stay open, and nothing is answered.
    pub(super) fn pause(&self) {
        // First the one that could start more of them.
        self.signal(Signal::STOP);
        self.signal_children(Signal::STOP);
    }

    /// Lets a frozen server go on.
    pub(super) fn resume(&self) {
        self.signal_children(Signal::CONT);
        self.signal(Signal::CONT);
    }

    /// Asks the server to end, with the signal to which it listens, and returns when it and what it started have. The
    /// directory stays.
    pub(super) fn ask_to_end(&mut self, signal: Signal) {
        self.signal(signal);
        self.wait_for_the_last();
        self.stop();
    }

    /// Ends the server and what it started with `SIGKILL`, frozen or not, and returns when all are gone. The directory
    /// stays.
    pub(super) fn stop(&mut self) {
        // The shell leads the group and ends with it, so it removes nothing. The lifeline is held until then.
        let Some(lifeline) = self.shell.stdin.take() else { return };
        let children = children_of(self.server);
        // Nobody is left in the group of a shell that was killed together with the server.
        let _ = kill_process_group(Pid::from_child(&self.shell), Signal::KILL);
        // They may be in groups of their own, and may be frozen.
        for child in children {
            let _ = kill_process(child, Signal::KILL);
        }
        let _ = self.shell.wait();
        drop(lifeline);
        self.wait_for_the_last();
        let _ = fs::remove_file(&self.pid_file);
    }

    /// Waits until all that the server started is gone: a process that left the group holds the pipe open while it lives.
    fn wait_for_the_last(&mut self) {
        let deadline = Instant::now() + PATIENCE;
        while self.lines().recv_timeout(deadline.saturating_duration_since(Instant::now())).is_ok() {}
    }

    fn lines(&mut self) -> &mut Receiver<String> {
        self.output.get_mut().unwrap_or_else(PoisonError::into_inner)
    }

    fn signal(&self, signal: Signal) {
        assert!(self.shell.stdin.is_some(), "the server was killed");
        // The process id is not reused: until `stop`, the shell does not ask how the server ended.
        kill_process(self.server, signal).expect("the server is running");
    }

    /// Signals the processes that the server has started, for itself or for a connection.
    fn signal_children(&self, signal: Signal) {
        for child in children_of(self.server) {
            // It may have ended meanwhile.
            let _ = kill_process(child, signal);
        }
    }

    fn write_pid_file(&self) {
        write_pid_file(&self.pid_file, self.server);
    }

    /// Closes the pipe to the shell, as happens when the test process dies, and waits for the end of all.
    #[cfg(test)]
    pub(super) fn close_pipe(&mut self) {
        drop(self.shell.stdin.take());
        self.wait_for_the_last();
        self.shell.wait().unwrap();
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Lets a command run as the user to whom a directory belongs. Only the superuser can, and is alone in having to.
pub(super) fn run_as_owner(command: &mut Command, directory: &Path) {
    let owner = fs::metadata(directory).expect("the server's directory exists");
    if geteuid().is_root() && owner.uid() != 0 {
        command.uid(owner.uid()).gid(owner.gid());
    }
}

/// For `cargo xtask test`: the process id, and the command line by which to recognise the process.
pub(super) fn write_pid_file(file: &Path, process: Pid) {
    let pid = process.as_raw_nonzero();
    let line = if Path::new("/proc/self/cmdline").exists() {
        fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default().replace('\0', " ")
    } else {
        let ps = Command::new("ps").args(["-o", "command=", "-p", &pid.to_string()]).output();
        ps.map(|ps| String::from_utf8_lossy(&ps.stdout).into_owned()).unwrap_or_default()
    };
    fs::write(file, format!("{pid}\n{}\n", line.trim())).expect("the server's directory is writable");
}

/// The processes that a process has started, and that still run.
fn children_of(parent: Pid) -> Vec<Pid> {
    let parent = parent.as_raw_nonzero();
    let listed = fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).or_else(|_| {
        let pgrep = Command::new("pgrep").args(["-P", &parent.to_string()]).output();
        pgrep.map(|pgrep| String::from_utf8_lossy(&pgrep.stdout).into_owned())
    });
    let listed = listed.unwrap_or_default();
    listed.split_whitespace().filter_map(|pid| Pid::from_raw(pid.parse().ok()?)).collect()
}

/// Reads the output to its end, with or without a listener: a server that writes into a full pipe hangs.
fn lines_of(shell: &mut Child) -> Receiver<String> {
    let output = BufReader::new(shell.stdout.take().expect("standard output is piped"));
    let (sender, receiver) = channel();
    thread::spawn(move || {
        for line in output.split(b'\n').map_while(Result::ok) {
            let _ = sender.send(String::from_utf8_lossy(&line).into_owned());
        }
    });
    receiver
}

fn wait_for(ready: &str, lines: &Receiver<String>, deadline: Instant) -> Result<String, NotReady> {
    let mut output = String::new();
    loop {
        match lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(line) if line.contains(ready) => return Ok(line),
            Ok(line) => output.extend([line.trim_end(), "\n"]),
            Err(RecvTimeoutError::Timeout) => return Err(NotReady { output, cause: "was not ready in time" }),
            Err(RecvTimeoutError::Disconnected) => return Err(NotReady { output, cause: "ended instead of starting" }),
        }
    }
}

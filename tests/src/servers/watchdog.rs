//! Runs a server that cannot outlive the test process.

use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Instant;
use std::{fs, thread};

/// A shell stands between the test process and the server, with a pipe from the test process as its standard input. It
/// waits there until the pipe closes, which the operating system sees to even after `SIGKILL`, and then ends the server.
///
/// The inner shell becomes the server, so the process id is the first line of output. The directory is removed unless the
/// test process says `keep`: then it goes on, and may start the server again.
const SCRIPT: &str = r#"
directory=$1
shift
sh -c 'echo $$; exec "$@"' sh "$@" </dev/null 2>&1 &
server=$!
exec >/dev/null
read -r word
kill -KILL "$server"
wait "$server"
[ "$word" = keep ] || rm -rf "$directory"
"#;

/// A running server.
#[derive(Debug)]
pub(super) struct Watchdog {
    shell: Child,
    server: Pid,
    pid_file: PathBuf,
}

/// Why a server did not say what was expected of it, with what it said instead.
#[derive(Debug)]
pub(super) struct NotReady {
    pub(super) output: String,
    pub(super) cause: &'static str,
}

impl Watchdog {
    /// Starts the server and returns when it has written a line that contains `ready`.
    pub(super) fn start(server: &Command, directory: &Path, ready: &str, deadline: Instant) -> Result<Self, NotReady> {
        let mut shell = Command::new("sh")
            .args(["-c", SCRIPT, "watchdog"])
            .arg(directory)
            .arg(server.get_program())
            .args(server.get_args())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            // Ctrl-C in a terminal goes to the whole process group; this shell must live to clean up.
            .process_group(0)
            .spawn()
            .expect("every Unix has sh");

        let lines = lines_of(&mut shell);
        let server = lines.recv().ok().and_then(|line| Pid::from_raw(line.parse().ok()?));
        let server = server.expect("the first line is the process id");
        let watchdog = Self { shell, server, pid_file: directory.join("server.pid") };
        // From here on, `watchdog` being dropped ends the server.
        wait_for(ready, &lines, deadline)?;
        watchdog.write_pid_file();
        Ok(watchdog)
    }

    /// Freezes the server: its connections stay open, and nothing is answered.
    pub(super) fn pause(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets a frozen server go on.
    pub(super) fn resume(&self) {
        self.signal(Signal::CONT);
    }

    /// Ends the server with `SIGKILL`, frozen or not, and returns when it is gone. Its directory stays.
    pub(super) fn stop(&mut self) {
        let Some(mut lifeline) = self.shell.stdin.take() else { return };
        // A shell that was killed by somebody cannot be told, and has nothing more to do.
        let _ = lifeline.write_all(b"keep\n");
        drop(lifeline);
        let _ = self.shell.wait();
        let _ = fs::remove_file(&self.pid_file);
    }

    fn signal(&self, signal: Signal) {
        assert!(self.shell.stdin.is_some(), "the server was killed");
        // The process id is not reused: until `stop`, the shell does not ask how the server ended.
        kill_process(self.server, signal).expect("the server is running");
    }

    /// For `cargo xtask test`: the process id, and the command line by which to recognise the process.
    fn write_pid_file(&self) {
        let pid = self.server.as_raw_nonzero();
        let line = if Path::new("/proc/self/cmdline").exists() {
            fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default().replace('\0', " ")
        } else {
            let ps = Command::new("ps").args(["-o", "command=", "-p", &pid.to_string()]).output();
            ps.map(|ps| String::from_utf8_lossy(&ps.stdout).into_owned()).unwrap_or_default()
        };
        fs::write(&self.pid_file, format!("{pid}\n{}\n", line.trim())).expect("the server's directory is writable");
    }

    /// What happens when the test process dies.
    #[cfg(test)]
    pub(super) fn close_pipe(&mut self) {
        drop(self.shell.stdin.take());
        self.shell.wait().unwrap();
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Reads the output to its end, whether somebody listens or not: a server that writes into a full pipe hangs.
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

fn wait_for(ready: &str, lines: &Receiver<String>, deadline: Instant) -> Result<(), NotReady> {
    let mut output = String::new();
    loop {
        match lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(line) if line.contains(ready) => return Ok(()),
            Ok(line) => output.extend([line.trim_end(), "\n"]),
            Err(RecvTimeoutError::Timeout) => return Err(NotReady { output, cause: "was not ready in time" }),
            Err(RecvTimeoutError::Disconnected) => return Err(NotReady { output, cause: "ended instead of starting" }),
        }
    }
}

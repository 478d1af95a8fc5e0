//! A process of its own that writes to a [`FileStore`], or to SQLite, for tests of what becomes of it: it is killed, traced, or starved of
//! space and rights.
//!
//! Each key goes through steps. The first of five inserts an entry, the next three replace it, and the last removes it. So
//! the number of the last step that was acknowledged tells what has to be there.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use sessionkit::file::FileStore;
use sessionkit::sql::SqliteStore;
use sessionkit::store::{
    AnyStore, Entry, EntryKey, Generation, InsertOutcome, RemoveOutcome, ReplaceOutcome, Revision, SessionId,
    Store as _, StoreError,
};

/// Returns a key. All of them are in one shard, whose lock they share.
pub fn key(number: u8) -> EntryKey {
    let mut id = [7; 16];
    id[15] = number;
    EntryKey::session(SessionId::from_bytes(id))
}

/// Returns the entry that a step leaves; `None` if it leaves none.
pub fn after(step: u64) -> Option<Entry> {
    (!step.is_multiple_of(5)).then(|| entry(step))
}

/// Returns whether this is the entry that a step leaves.
pub fn is_after(found: Option<&Entry>, step: u64) -> bool {
    found.map(Entry::bytes) == after(step).as_ref().map(Entry::bytes)
}

/// Returns the entry of a number, whose bytes are like those of no other.
pub fn entry(number: u64) -> Entry {
    let mut bytes = vec![1];
    bytes.extend(revision(number).as_bytes());
    bytes.extend(Generation::default().to_bytes());
    let filling = (0..50 + number % 200).map(|at| (at + number) as u8);
    bytes.extend(filling);
    Entry::new(bytes, Duration::from_secs(3_600))
}

fn revision(number: u64) -> Revision {
    Revision::from_bytes(number.to_be_bytes())
}

/// Does a step of a key.
async fn step(store: &AnyStore, key: &EntryKey, step: u64) -> Result<(), StoreError> {
    match step % 5 {
        1 => assert_eq!(store.insert(key, &entry(step)).await?, InsertOutcome::Inserted),
        0 => assert_eq!(store.remove(key, Generation::default()).await?, RemoveOutcome::Removed),
        _ => assert_eq!(store.replace(key, revision(step - 1), &entry(step)).await?, ReplaceOutcome::Replaced),
    }
    Ok(())
}

/// Adds one to the number of a key's entry, in competition with others.
async fn add(store: &AnyStore, key: &EntryKey) -> Result<(), StoreError> {
    loop {
        let held = store.load(key).await?.and_then(|entry| entry.revision()).expect("the entry was inserted");
        let number = u64::from_be_bytes(*held.as_bytes());
        if store.replace(key, held, &entry(number + 1)).await? == ReplaceOutcome::Replaced {
            return Ok(());
        }
    }
}

/// Runs the process: reads commands, one a line, and answers each with a line. `step 3 7` does the seventh step of key 3,
/// `add 3` adds one to the number of its entry, `check 3 7` makes sure that it is
/// as the seventh step leaves it, `lock 3` takes the lock of its shard for good, `reopen 0` closes the store and opens
/// it again, and `make-room 0` removes the file `ballast` beside it. The argument is a directory, or the URL of a SQLite file.
pub fn run() {
    let path = std::env::args_os().nth(1).expect("the directory is the argument");
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    // On a busy machine a second thread would begin what the first has not quite ended; and strace counts calls by thread.
    let runtime = runtime.enable_all().max_blocking_threads(1).build().expect("there are threads");
    let mut store = Some(open(&runtime, &path));
    for line in std::io::stdin().lock().lines() {
        let line = line.expect("commands are text");
        let words: Vec<_> = line.split(' ').collect();
        let key = key(words[1].parse().expect("the key is a number"));
        if words[0] == "reopen" {
            drop(store.take());
            store = Some(open(&runtime, &path));
        }
        if words[0] == "make-room" {
            let place = path.to_str().expect("it is text").trim_start_matches("sqlite:");
            std::fs::remove_file(Path::new(place).with_file_name("ballast")).expect("there is ballast");
        }
        let store = store.as_ref().expect("it is open");
        let done = runtime.block_on(async {
            match words[0] {
                "reopen" | "make-room" => Ok(()),
                "step" => step(store, &key, words[2].parse().expect("the step is a number")).await,
                "add" => add(store, &key).await,
                "check" => {
                    let step = words[2].parse().expect("the step is a number");
                    store.load(&key).await.map(|found| assert!(is_after(found.as_ref(), step), "it is {found:?}"))
                }
                "lock" => {
                    let directory = FileStore::open(&path).expect("the directory can be opened");
                    let lock = File::open(directory.path(&key).with_file_name("lock")).expect("a write has made it");
                    lock.lock().expect("it can be locked");
                    std::mem::forget(lock);
                    Ok(())
                }
                command => panic!("no such command: {command}"),
            }
        });
        match done {
            Ok(()) => println!("done {line}"),
            Err(error) => println!("{:?} {error:?}", error.kind()),
        }
    }
}

fn open(runtime: &tokio::runtime::Runtime, path: &OsStr) -> AnyStore {
    match path.to_str().filter(|path| path.starts_with("sqlite:")) {
        Some(url) => AnyStore::new(runtime.block_on(SqliteStore::connect(url)).expect("the file can be opened")),
        None => {
            let path = path.to_owned();
            // On the thread that makes the calls, too: strace counts those of each thread.
            let opening = runtime.spawn_blocking(|| FileStore::open(path).expect("the directory can be opened"));
            AnyStore::new(runtime.block_on(opening).expect("it is opened"))
        }
    }
}

/// The process, seen from the test. It ends when this is dropped.
#[derive(Debug)]
pub struct Writer {
    child: Child,
    commands: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Writer {
    /// Starts the program that writes to a directory.
    pub fn start(program: impl AsRef<std::ffi::OsStr>, directory: &Path) -> Self {
        let mut command = Command::new(program);
        command.arg(directory);
        Self::run(command)
    }

    /// Starts the process with a command of one's own, which ends with the directory.
    pub fn run(mut command: Command) -> Self {
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = piped.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let (commands, answers) = (child.stdin.take(), child.stdout.take().expect("it is piped"));
        Self { child, commands, answers: BufReader::new(answers) }
    }

    /// Sends a command, and does not wait for the answer.
    pub fn send(&mut self, command: &str) {
        let commands = self.commands.as_mut().expect("it is piped, and reads until it is finished");
        writeln!(commands, "{command}").expect("it reads");
    }

    /// Waits for the next answer.
    pub fn answer(&mut self) -> String {
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("answers are text");
        line.trim_end().to_owned()
    }

    /// Sends a command and waits for its answer.
    pub fn ask(&mut self, command: &str) -> String {
        self.send(command);
        self.answer()
    }

    /// Tells the process that no command follows, and waits for its end.
    pub fn finish(mut self) {
        self.commands.take();
        assert!(self.child.wait().expect("it is ours").success());
    }

    /// Ends the process with SIGKILL, and returns the answers that it gave before and nobody has read.
    pub fn kill(&mut self) -> Vec<String> {
        self.end();
        (&mut self.answers).lines().map(|line| line.expect("answers are text")).collect()
    }

    fn end(&mut self) {
        self.child.kill().expect("it is ours");
        self.child.wait().expect("it is ours");
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.end();
    }
}

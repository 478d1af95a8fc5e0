//! A writer that is killed, again and again.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use sessionkit::sql::SqliteStore;
use sessionkit::store::{Generation, InsertOutcome, RemoveOutcome, ReplaceOutcome, Store as _};
use sessionkit_tests::servers::sqlite::SqliteFile;
use tokio::runtime::Handle;

use crate::support::{key, number, numbered, revision};

/// The path of the database, for the process that is killed.
pub(crate) const DATABASE: &str = "SESSIONKIT_TEST_SQLITE";

/// The session that is replaced.
const MAIN: u32 = 0;

/// The steps of a writer: it inserts a session, replaces another one, and removes the first, over and over. After each the
/// database looks different, so that it tells which was the last.
async fn step(store: &SqliteStore, number: u32) {
    match number % 3 {
        0 => assert_eq!(store.insert(&key(number), &numbered(number)).await.unwrap(), InsertOutcome::Inserted),
        1 => {
            let held = revision(number.saturating_sub(3));
            assert_eq!(store.replace(&key(MAIN), held, &numbered(number)).await.unwrap(), ReplaceOutcome::Replaced);
        }
        _ => {
            let removed = store.remove(&key(number - 2), Generation::default()).await.unwrap();
            assert_eq!(removed, RemoveOutcome::Removed);
        }
    }
}

/// Returns the last step that happened. All entries must be whole.
async fn last_step(store: &SqliteStore) -> u32 {
    let main = number(&store.load(&key(MAIN)).await.unwrap().expect("the session is there")).expect("it is whole");
    let mut found = Vec::new();
    for candidate in [main.saturating_sub(1), main + 2].into_iter().filter(|number| *number > 0 && number % 3 == 0) {
        if let Some(entry) = store.load(&key(candidate)).await.unwrap() {
            assert_eq!(number(&entry), Some(candidate), "it is whole");
            found.push(candidate);
        }
    }
    match found[..] {
        [] => main + 1,
        [one] if one + 1 == main => main,
        [one] if one == main + 2 => one,
        _ => panic!("{found:?} beside {main}: nobody wrote that"),
    }
}

/// Does the steps 1 and 3; there is nothing to remove in between.
pub(crate) async fn begin(file: &SqliteFile) {
    let store = file.store().await;
    store.insert(&key(MAIN), &numbered(1)).await.unwrap();
    step(&store, 3).await;
}

/// The process that is killed: it says which step it found and each that it did, and goes on until it is killed.
pub(crate) async fn write(path: &Path) -> ! {
    let store = SqliteStore::connect(&format!("sqlite:{}", path.display())).await.unwrap();
    let mut done = last_step(&store).await;
    let mut out = std::io::stdout();
    loop {
        writeln!(out, "step {done}").unwrap();
        out.flush().unwrap();
        done += 1;
        step(&store, done).await;
    }
}

/// The test below, which is the writer too.
const TEST: &str = "killed::nothing_is_lost_or_torn_when_the_writer_is_killed_a_thousand_times";

/// A writer, and what it says.
struct Writer(Child, BufReader<ChildStdout>);

impl Writer {
    fn start(file: &SqliteFile) -> Self {
        let mut command = Command::new(std::env::current_exe().expect("this process has a program"));
        command.args(["--exact", TEST, "--nocapture"]).env(DATABASE, file.path());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().expect("it starts");
        let out = BufReader::new(child.stdout.take().expect("it is piped"));
        Self(child, out)
    }

    /// Returns the next step that it says it did; `None` when it is dead.
    fn next(&mut self) -> Option<u32> {
        loop {
            let mut line = String::new();
            if self.1.read_line(&mut line).expect("the pipe is there") == 0 {
                return None;
            }
            // The test harness says something too, on the same line.
            if let Some((_, number)) = line.trim_end().rsplit_once("step ") {
                return Some(number.parse().expect("it is a number"));
            }
        }
    }

    fn kill(&mut self) {
        self.0.kill().expect("it is there");
        self.0.wait().expect("it is there");
    }
}

/// Kills writers, each after a few steps, and checks that each finds what the one before did, and not more than one step
/// beyond: the one whose acknowledgement did not arrive.
fn kill(file: &SqliteFile, times: u32, mut acknowledged: u32) -> u32 {
    for time in 0..times {
        let mut writer = Writer::start(file);
        let found = writer.next().expect("it says what it found");
        assert!((acknowledged..=acknowledged + 1).contains(&found), "after {acknowledged} it found {found}");
        acknowledged = found;
        for _ in 0..=time % 5 {
            acknowledged = writer.next().expect("it goes on");
        }
        writer.kill();
        // What it had said before it died was done, too.
        acknowledged = std::iter::from_fn(|| writer.next()).last().unwrap_or(acknowledged);
    }
    acknowledged
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_or_torn_when_the_writer_is_killed_a_thousand_times() {
    if let Some(path) = std::env::var_os(DATABASE) {
        write(Path::new(&path)).await;
    }
    // With nobody else at the file: the next writer recovers it.
    let alone = tokio::task::spawn_blocking(|| Handle::current().block_on(kill_and_look(false)));
    // Beside a process that goes on.
    let beside = tokio::task::spawn_blocking(|| Handle::current().block_on(kill_and_look(true)));
    alone.await.expect("nothing is lost");
    beside.await.expect("nothing is lost");
}

async fn kill_and_look(is_open: bool) {
    let file = SqliteFile::new();
    begin(&file).await;
    let open = if is_open { Some(file.store().await) } else { None };
    let acknowledged = kill(&file, 500, 3);
    drop(open);
    let pool = file.pool().await;
    let last = last_step(&SqliteStore::new(pool.clone())).await;
    assert!((acknowledged..=acknowledged + 1).contains(&last), "after {acknowledged} there is {last}");
    assert!(acknowledged > 1_500, "several steps each: {acknowledged}");
    let sound: String = sqlx::query_scalar("PRAGMA integrity_check").fetch_one(&pool).await.unwrap();
    assert_eq!(sound, "ok");
}

//! The order of writes and syncs, which decides what a power cut leaves.

use std::collections::{HashMap, HashSet};
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use sessionkit_tests::servers::sqlite::SqliteFile;

use crate::killed::{DATABASE, begin, write};

/// The test below, which is the process that is traced too.
const TEST: &str = "power_cut::each_write_is_on_the_disk_before_it_is_acknowledged";

/// The number of acknowledged writes that are looked at: inserts, replacements and removals.
const STEPS: usize = 30;

/// Runs a writer under strace, ends it after some steps, and looks at what it asked of the kernel.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_write_is_on_the_disk_before_it_is_acknowledged() {
    if let Some(path) = std::env::var_os(DATABASE) {
        write(Path::new(&path)).await;
    }
    let file = SqliteFile::new();
    begin(&file).await;
    let trace = file.path().with_file_name("trace");
    let mut traced = Command::new("strace");
    traced.args(["-f", "-y", "-s", "32", "-e", "trace=write,pwrite64,fsync,fdatasync", "-o"]).arg(&trace);
    traced.arg(std::env::current_exe().expect("this process has a program"));
    traced.args(["--exact", TEST, "--nocapture"]).env(DATABASE, file.path());
    let mut traced = traced.stdout(Stdio::piped()).spawn().expect("strace is installed: run `cargo xtask test`");
    let out = BufReader::new(traced.stdout.take().expect("it is piped"));
    let said = out.lines().filter(|line| line.as_ref().is_ok_and(|line| line.contains("step "))).take(STEPS).count();
    assert_eq!(said, STEPS);
    // It writes into a pipe that nobody reads any more, which ends it.
    traced.wait().expect("it is there");

    let trace = std::fs::read_to_string(trace).expect("strace wrote it");
    let acknowledged = acknowledgements(&trace);
    assert!(acknowledged.len() >= STEPS - 1, "{trace}");
    assert!(acknowledged.iter().all(|unsynced| unsynced.is_empty()), "{acknowledged:?}\n{trace}");
}

/// Returns, for each acknowledgement after the first, the files of the database that were written since the one before
/// and not synced afterwards. At least the log was written.
fn acknowledgements(trace: &str) -> Vec<HashSet<String>> {
    let (mut unsynced, mut syncing) = (HashSet::new(), HashMap::new());
    let (mut acknowledged, mut written) = (Vec::new(), 0);
    for line in trace.lines() {
        let Some((process, call)) = line.split_once(' ') else { continue };
        let call = call.trim_start();
        let path = call.split_once('<').and_then(|(_, rest)| rest.split_once('>')).map(|(path, _)| path.to_owned());
        let path = path.filter(|path| path.ends_with("sessions.db") || path.ends_with("sessions.db-wal"));
        if call.starts_with("write(1<") && call.contains("step ") {
            // The first one says what was found, and nothing was written before it that matters.
            if written > 0 {
                acknowledged.push(unsynced.clone());
            }
            written = 0;
        } else if call.starts_with("pwrite64(")
            && let Some(path) = path
        {
            written += 1;
            unsynced.insert(path);
        } else if call.starts_with("fdatasync(") || call.starts_with("fsync(") {
            match path {
                Some(path) if call.ends_with("= 0") => drop(unsynced.remove(&path)),
                // Another thread came in between: it goes on in another line.
                Some(path) if call.contains("<unfinished") => drop(syncing.insert(process.to_owned(), path)),
                _ => {}
            }
        } else if call.contains("sync resumed>")
            && call.ends_with("= 0")
            && let Some(path) = syncing.remove(process)
        {
            unsynced.remove(&path);
        }
    }
    acknowledged
}

/// A trace in which the sync is missing, or comes too late, is noticed.
#[test]
fn a_sync_that_is_missing_is_noticed() {
    let log = "5</x/sessions.db-wal>";
    let (write, sync, ack) = (
        format!("7 pwrite64({log}, \"\", 9, 0) = 9"),
        format!("8 fdatasync({log}) = 0"),
        "9 write(1</p>, \"step 4\", 7) = 7",
    );
    let unsynced = |lines: &[&str]| acknowledgements(&lines.join("\n")).iter().map(HashSet::len).collect::<Vec<_>>();
    assert_eq!(unsynced(&[&write, &sync, ack]), [0]);
    assert_eq!(unsynced(&[&write, ack, &sync]), [1]);
    assert_eq!(unsynced(&[&sync, &write, ack]), [1]);
    let (begun, done) = (format!("8 fdatasync({log} <unfinished ...>"), "8 <... fdatasync resumed>) = 0");
    assert_eq!(unsynced(&[&write, &begun, "7 write(2</p>, \"\", 0) = 0", done, ack]), [0]);
    assert_eq!(unsynced(&[&write, &begun, ack, done]), [1]);
}

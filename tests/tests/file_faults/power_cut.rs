//! Tests of the order in which a change reaches the disk: at a power cut all is lost that was not synced.
//!
//! A process is watched by strace, its answers too. Whatever it has acknowledged must have been synced before: the bytes
//! before they get their name, and the name before the answer.

use std::fs;
use std::process::Command;

use sessionkit_tests::writer::Writer;

use crate::WRITER;

/// The calls that change something on the disk, or wait for it; and those that print an answer.
const TRACED: &str = "trace=mkdir,mkdirat,openat,write,fsync,fdatasync,flock,rename,renameat,renameat2,unlink,unlinkat";

/// A call of the process, as far as the order of changes goes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Call {
    MakesDirectory,
    /// It makes a temporary file: only if there is none of its name, link or not, and for its owner alone.
    MakesFile,
    WritesFile,
    SyncsFile,
    Locks,
    Unlocks,
    Renames,
    Removes,
    SyncsParent,
    SyncsRoot,
    SyncsShard,
    Acknowledges,
}

/// Returns the call of a line that strace wrote; `None` if it is none of those above.
fn call(line: &str) -> Option<Call> {
    assert!(
        !line.contains("fsync(") || line.ends_with("= 0"),
        "a sync fails, or is not done when others begin: {line}"
    );
    let (_, line) = line.split_once(' ')?;
    let line = line.trim_start();
    let is_of = |what: &str| line.contains(what);
    let temporary = "/01/tmp-";
    Some(match line.split_once('(')?.0 {
        "mkdir" | "mkdirat" if line.ends_with("= 0") => Call::MakesDirectory,
        "openat" if is_of("\"tmp-") => {
            for flag in ["O_CREAT", "O_EXCL", "O_NOFOLLOW", "0600"] {
                assert!(is_of(flag), "no {flag}: {line}");
            }
            Call::MakesFile
        }
        "write" if is_of(temporary) => Call::WritesFile,
        "write" if is_of("\"done ") => Call::Acknowledges,
        "fsync" | "fdatasync" if is_of(temporary) => Call::SyncsFile,
        "fsync" | "fdatasync" if is_of("/sessions/01>") => Call::SyncsShard,
        "fsync" | "fdatasync" if is_of("/sessions>") => Call::SyncsRoot,
        "fsync" | "fdatasync" if is_of("/parent>") => Call::SyncsParent,
        "flock" if is_of("/01/lock>") && is_of("LOCK_EX") => Call::Locks,
        "flock" if is_of("/01/lock>") && is_of("LOCK_UN") => Call::Unlocks,
        "rename" | "renameat" | "renameat2" => Call::Renames,
        "unlink" | "unlinkat" => Call::Removes,
        _ => return None,
    })
}

#[test]
fn what_is_acknowledged_was_synced_before() {
    let directory = tempfile::tempdir().expect("there is room for a directory");
    let (parent, trace) = (directory.path().join("parent"), directory.path().join("trace"));
    fs::create_dir(&parent).unwrap();
    let mut command = Command::new("strace");
    command.args(["-f", "-y", "-e", "signal=none", "-e", TRACED, "-o"]).arg(&trace).arg(WRITER);
    command.arg(parent.join("sessions"));
    let mut writer = Writer::run(command);
    for step in 1..=6 {
        let command = format!("step 1 {step}");
        assert_eq!(writer.ask(&command), format!("done {command}"));
    }
    writer.finish();
    let trace = fs::read_to_string(&trace).unwrap();
    let calls: Vec<_> = trace.lines().filter_map(call).collect();
    let mut rest = &calls[..];
    let mut expect = |expected: &[Call], why: &str| {
        let (found, others) = rest.split_at(expected.len().min(rest.len()));
        assert_eq!(found, expected, "{why}: {trace}");
        rest = others;
    };

    expect(&[Call::MakesDirectory, Call::SyncsParent], "the directory is there");
    expect(&[Call::MakesDirectory; 64], "so are those in it");
    expect(&[Call::SyncsRoot], "before anything is stored");
    let write = [
        Call::MakesFile,
        Call::WritesFile,
        Call::SyncsFile,
        Call::Locks,
        Call::Renames,
        Call::Unlocks,
        Call::SyncsShard,
        Call::Acknowledges,
    ];
    let removal = [Call::Locks, Call::Removes, Call::Unlocks, Call::SyncsShard, Call::Acknowledges];
    for step in 1..=6 {
        match step {
            5 => expect(&removal, "[P1] a logout survives a power cut"),
            _ => expect(&write, "[P6] a commit is there whole or not at all"),
        }
    }
    expect(&[], "nothing else happens");
    assert!(calls.len() == 66 + 1 + 5 * write.len() + removal.len(), "{calls:?}");
}

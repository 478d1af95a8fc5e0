//! Tests of calls to the operating system that fail, each in turn: whatever it was, the answer says what is known, and the
//! entry is as it was or as it was to be.

use std::fs;
use std::path::Path;
use std::process::Command;

use sessionkit::store::Store as _;
use sessionkit_tests::writer::{Writer, is_after, key};

use crate::{WRITER, store};

/// A process one of whose calls fails: `/^rename:error=EIO:when=1` for example.
fn failing(fault: &str, directory: &Path) -> Writer {
    let mut command = Command::new("strace");
    // The trace itself is of no interest.
    command.args(["-f", "-qq", "-o", "/dev/null", "-e", "trace=fsync,/^rename,/^unlink,openat", "-e"]);
    command.arg(format!("inject={fault}")).arg(WRITER).arg(directory);
    Writer::run(command)
}

/// The syncs of a process before the first step: the directory is there, and gets no more than one.
const SYNCS_AT_THE_START: usize = 1;

#[tokio::test]
async fn whatever_fails_the_answer_says_what_is_known() {
    let (store, directory) = store();
    let path = directory.path().join("sessions");
    let sync = |number: usize| format!("fsync:error=EIO:when={}", SYNCS_AT_THE_START + number);
    let full = |call: &str| format!("{call}:error=ENOSPC:when=1");
    let broken = |call: &str| format!("{call}:error=EIO:when=1");
    // The fault, the step, the answer, and the step as whose the entry is left.
    let cases = [
        (sync(1), 1, "Unavailable", 0),
        (full("/^rename"), 1, "Unavailable", 0),
        (broken("/^rename"), 1, "Unknown", 0),
        (sync(2), 1, "Unknown", 1),
        (sync(1), 2, "Unavailable", 1),
        (full("/^rename"), 2, "Unavailable", 1),
        (broken("/^rename"), 2, "Unknown", 1),
        (sync(2), 2, "Unknown", 2),
        (full("/^unlink"), 5, "Unavailable", 4),
        (broken("/^unlink"), 5, "Unknown", 4),
        (sync(1), 5, "Unknown", 5),
    ];
    for (number, (fault, step, answer, left)) in (0..).zip(cases) {
        let mut writer = Writer::start(WRITER, &path);
        for before in 1..step {
            let command = format!("step {number} {before}");
            assert_eq!(writer.ask(&command), format!("done {command}"));
        }
        writer.finish();
        let answered = failing(&fault, &path).ask(&format!("step {number} {step}"));
        assert!(answered.starts_with(&format!("{answer} ")), "{fault} at step {step}: {answered}");
        let stored = store.load(&key(number)).await.unwrap();
        assert!(is_after(stored.as_ref(), left), "[P6] {fault} at step {step}: {stored:?}");
        let names = fs::read_dir(store.path(&key(0)).parent().unwrap()).unwrap();
        let names: Vec<_> = names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        assert!(!names.iter().any(|name| name.starts_with("tmp-")), "{fault}: nothing half written is left: {names:?}");
    }
}

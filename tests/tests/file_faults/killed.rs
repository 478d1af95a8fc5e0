//! Tests of writers that are killed: no torn record, and no acknowledged write is lost.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::path::Path;
use std::time::Duration;

use sessionkit::file::FileStore;
use sessionkit::store::Store as _;
use sessionkit_tests::writer::{Writer, is_after, key};

use crate::WRITER;

const KEYS: u8 = 3;
const KILLS: usize = 250;

/// The last step of a key that was sent, and the last one that was acknowledged.
#[derive(Clone, Copy, Default)]
struct Steps {
    sent: u64,
    acknowledged: u64,
}

fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// Lets a writer work on some keys, kills it, and looks at what it left; again and again.
fn work_and_kill(directory: &Path, first_key: u8) {
    let store = FileStore::open(directory).expect("the directory can be opened");
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("there are threads");
    let mut steps = [Steps::default(); KEYS as usize];
    for kill in 0..KILLS {
        let mut writer = Writer::start(WRITER, directory);
        let note = |steps: &mut [Steps], answer: &str| {
            let words: Vec<_> = answer.split(' ').collect();
            assert_eq!(words[..2], ["done", "step"], "{answer}");
            let number: usize = words[2].parse().expect("a key");
            steps[number - usize::from(first_key)].acknowledged = words[3].parse().expect("a step");
        };
        let reads = random() % 6;
        for at in 0..8 {
            let number = (at + kill) % usize::from(KEYS);
            steps[number].sent += 1;
            writer.send(&format!("step {} {}", usize::from(first_key) + number, steps[number].sent));
        }
        for _ in 0..reads {
            note(&mut steps, &writer.answer());
        }
        std::thread::sleep(Duration::from_micros(random() % 1_500));
        for answer in writer.kill() {
            note(&mut steps, &answer);
        }
        for (number, steps) in (first_key..).zip(&mut steps) {
            let stored = runtime.block_on(store.load(&key(number))).expect("the store answers");
            let may_be = [steps.acknowledged, steps.acknowledged + 1];
            let last = may_be.into_iter().find(|step| is_after(stored.as_ref(), *step));
            let last = last.unwrap_or_else(|| {
                panic!(
                    "[P6] after kill {kill} key {number} has neither step {} nor the next: {stored:?}",
                    steps.acknowledged
                )
            });
            assert!(last <= steps.sent, "[P6] a step that nobody asked for");
            *steps = Steps { sent: last, acknowledged: last };
        }
    }
    assert!(steps.iter().all(|steps| steps.acknowledged > 50), "they get on");
}

/// Four writers at a time, which share a lock: that of one that is killed must not stop the others.
#[test]
fn a_thousand_killed_writers_tear_nothing_and_lose_nothing_that_they_acknowledged() {
    let directory = tempfile::tempdir().expect("there is room for a directory");
    let path = directory.path().join("sessions");
    std::thread::scope(|scope| {
        for first_key in [1, 51, 101, 151] {
            let path = &path;
            scope.spawn(move || work_and_kill(path, first_key));
        }
    });
}

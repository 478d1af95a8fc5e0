//! Tests of locks that another process holds.

use std::fs::File;
use std::time::{Duration, Instant};

use sessionkit::store::{EntryKind, Generation, InsertOutcome, ReplaceOutcome, Store as _, StoreErrorKind};
use sessionkit_tests::writer::{Writer, entry, key};

use crate::{WRITER, store};

fn lock_of(store: &sessionkit::file::FileStore) -> File {
    let path = store.path(&key(1)).with_file_name("lock");
    File::open(path).expect("a write has made it")
}

#[tokio::test]
async fn a_lock_that_another_process_holds_is_awaited_for_a_while() {
    let (store, _directory) = store();
    assert_eq!(store.insert(&key(1), &entry(1)).await.unwrap(), InsertOutcome::Inserted);
    let held = entry(1).revision().unwrap();
    let other = lock_of(&store);
    other.lock().unwrap();
    let (begun, second, [first_key, second_key]) = (Instant::now(), entry(2), [key(1), key(2)]);
    // Two at a time: the second one waits for the first, and no longer.
    let (replaced, inserted, removed, scanned) = tokio::join!(
        store.replace(&first_key, held, &second),
        store.insert(&second_key, &second),
        store.remove(&first_key, Generation::default()),
        store.scan(EntryKind::Session, None, 10),
    );
    let errors = [replaced.unwrap_err(), inserted.unwrap_err(), removed.unwrap_err(), scanned.unwrap_err()];
    for error in errors {
        assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{error:?}");
        assert!(format!("{error:?}").contains("/lock` stayed locked for 400ms"), "{error:?}");
    }
    let waited = begun.elapsed();
    assert!(waited >= Duration::from_millis(400), "{waited:?}");
    assert_eq!(store.load(&key(1)).await.unwrap().unwrap().bytes(), entry(1).bytes(), "it is read, and as it was");
    other.unlock().unwrap();
    assert!(store.load(&key(2)).await.unwrap().is_none(), "nothing happened");
    let names = std::fs::read_dir(store.path(&key(1)).parent().unwrap()).unwrap();
    assert_eq!(names.count(), 2, "the entry and the lock: nothing half written is left");
    assert_eq!(store.replace(&key(1), held, &second).await.unwrap(), ReplaceOutcome::Replaced);
}

#[tokio::test]
async fn a_call_goes_on_when_the_lock_is_free() {
    let (store, _directory) = store();
    store.insert(&key(1), &entry(1)).await.unwrap();
    let other = lock_of(&store);
    other.lock().unwrap();
    let replacing = tokio::spawn({
        let store = store.clone();
        async move { store.replace(&key(1), entry(1).revision().unwrap(), &entry(2)).await }
    });
    // It has come as far as the lock when its file is there.
    let shard = store.path(&key(1)).parent().unwrap().to_owned();
    while std::fs::read_dir(&shard).unwrap().count() < 3 {
        tokio::task::yield_now().await;
    }
    other.unlock().unwrap();
    assert_eq!(replacing.await.unwrap().unwrap(), ReplaceOutcome::Replaced);
}

#[tokio::test]
async fn the_lock_of_a_process_that_is_killed_is_free() {
    let (store, directory) = store();
    store.insert(&key(1), &entry(1)).await.unwrap();
    let held = entry(1).revision().unwrap();
    let mut writer = Writer::start(WRITER, &directory.path().join("sessions"));
    assert_eq!(writer.ask("lock 1"), "done lock 1");
    let error = store.replace(&key(1), held, &entry(2)).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{error:?}");
    writer.kill();
    assert_eq!(store.replace(&key(1), held, &entry(2)).await.unwrap(), ReplaceOutcome::Replaced);
}

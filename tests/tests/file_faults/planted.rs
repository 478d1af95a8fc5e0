//! Tests of foreign things among the files: nothing is followed, read without end, waited for or written to.

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::fs::{CWD, FileType, Mode, mknodat};
use sessionkit::file::FileStore;
use sessionkit::store::{
    EntryKind, Generation, InsertOutcome, RemoveOutcome, ReplaceOutcome, Store as _, StoreErrorKind,
};
use sessionkit_tests::writer::{entry, key};

use crate::store;

/// The things that can have the name of an entry.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Planted {
    Link,
    LinkToNothing,
    LinkToAnEntry,
    HardLinkToAnEntry,
    Directory,
    FullDirectory,
    Pipe,
    Socket,
    Nothing,
    Text,
    HugeFile,
}

const ALL: [Planted; 11] = [
    Planted::Link,
    Planted::LinkToNothing,
    Planted::LinkToAnEntry,
    Planted::HardLinkToAnEntry,
    Planted::Directory,
    Planted::FullDirectory,
    Planted::Pipe,
    Planted::Socket,
    Planted::Nothing,
    Planted::Text,
    Planted::HugeFile,
];

impl Planted {
    fn plant(self, path: &Path, secret: &Path, entry: &Path) {
        match self {
            Self::Link => symlink(secret, path).unwrap(),
            Self::LinkToNothing => symlink(secret.with_file_name("nothing"), path).unwrap(),
            Self::LinkToAnEntry => symlink(entry, path).unwrap(),
            Self::HardLinkToAnEntry => fs::hard_link(entry, path).unwrap(),
            Self::Directory => fs::create_dir(path).unwrap(),
            Self::FullDirectory => {
                fs::create_dir(path).unwrap();
                fs::write(path.join("file"), "text").unwrap();
            }
            Self::Pipe => mknodat(CWD, path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap(),
            Self::Socket => drop(UnixListener::bind(path).unwrap()),
            Self::Nothing => drop(File::create(path).unwrap()),
            Self::Text => fs::write(path, "text that is a little longer than the header of a file is").unwrap(),
            Self::HugeFile => {
                let mut whole = fs::read(entry).unwrap();
                whole[12..20].copy_from_slice(&((1_u64 << 40) - 32).to_be_bytes());
                fs::write(path, whole).unwrap();
                // No more than a hole. A file of another length is damaged before its bytes are looked at.
                File::options().write(true).open(path).unwrap().set_len(1 << 39).unwrap();
            }
        }
    }
}

async fn is_there(store: &FileStore, number: u8) {
    assert_eq!(store.load(&key(number)).await.unwrap().unwrap().bytes(), entry(u64::from(number)).bytes());
}

#[tokio::test]
async fn what_is_planted_under_a_name_of_ours_is_damage_and_can_be_removed() {
    for planted in ALL {
        let (store, directory) = store();
        store.insert(&key(1), &entry(1)).await.unwrap();
        let (secret, path) = (directory.path().join("secret"), store.path(&key(2)));
        fs::write(&secret, "secret").unwrap();
        planted.plant(&path, &secret, &store.path(&key(1)));

        let loaded = store.load(&key(2)).await.unwrap().expect("something is there");
        assert_eq!(loaded.bytes(), b"", "{planted:?}: it is damaged");
        assert_eq!(store.insert(&key(2), &entry(2)).await.unwrap(), InsertOutcome::Taken, "{planted:?}");
        let replaced = store.replace(&key(2), entry(1).revision().unwrap(), &entry(2)).await.unwrap();
        assert_eq!(replaced, ReplaceOutcome::Changed(loaded.clone()), "{planted:?}");
        let page = store.scan(EntryKind::Session, None, 10).await.unwrap();
        let found: Vec<_> = page.entries.iter().map(|(key, entry)| (*key, entry.bytes().len())).collect();
        assert_eq!(found, [(key(1), entry(1).bytes().len()), (key(2), 0)], "{planted:?}: the others are found");
        assert_eq!(store.sweep(10).await.unwrap(), 0, "{planted:?}");
        let is_file = fs::symlink_metadata(&path).unwrap().is_file();
        assert_eq!(store.stats().await.unwrap().sessions, Some(1 + u64::from(is_file)), "{planted:?}");

        let removed = store.remove(&key(2), Generation::from_number(7)).await.unwrap();
        assert_eq!(removed, RemoveOutcome::Removed, "{planted:?}");
        assert!(store.load(&key(2)).await.unwrap().is_none(), "{planted:?}");
        assert_eq!(store.insert(&key(2), &entry(2)).await.unwrap(), InsertOutcome::Inserted, "{planted:?}");
        is_there(&store, 1).await;
        is_there(&store, 2).await;
        assert_eq!(fs::read_to_string(&secret).unwrap(), "secret", "{planted:?}: it is neither written to nor removed");
        assert!(!secret.with_file_name("nothing").exists(), "{planted:?}");
    }
}

#[tokio::test]
async fn a_directory_with_something_in_it_is_put_aside() {
    let (store, _directory) = store();
    let path = store.path(&key(1));
    fs::create_dir(&path).unwrap();
    fs::write(path.join("file"), "text").unwrap();
    assert_eq!(store.remove(&key(1), Generation::default()).await.unwrap(), RemoveOutcome::Removed);
    let mut left = fs::read_dir(path.parent().unwrap()).unwrap().map(|entry| entry.unwrap().path());
    let aside = left.find(|path| path.is_dir()).expect("it is still there");
    assert!(aside.file_name().unwrap().to_string_lossy().starts_with("foreign-s07"), "{}", aside.display());
    assert_eq!(fs::read_to_string(aside.join("file")).unwrap(), "text");
}

#[tokio::test]
async fn a_link_in_the_place_of_a_lock_or_a_directory_is_not_followed() {
    let (store, directory) = store();
    store.insert(&key(1), &entry(1)).await.unwrap();
    let (lock, elsewhere) = (store.path(&key(1)).with_file_name("lock"), directory.path().join("elsewhere"));
    fs::remove_file(&lock).unwrap();
    symlink(&elsewhere, &lock).unwrap();
    let error = store.insert(&key(2), &entry(2)).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{error:?}");
    assert!(!elsewhere.exists(), "nothing is made through the link");
    is_there(&store, 1).await;
    fs::remove_file(&lock).unwrap();
    // Another store's directory in the place of one of ours.
    let (other, _other_directory) = crate::store();
    other.insert(&key(3), &entry(3)).await.unwrap();
    let shard = lock.parent().unwrap();
    fs::rename(shard, &elsewhere).unwrap();
    symlink(other.path(&key(3)).parent().unwrap(), shard).unwrap();
    for answer in [store.load(&key(3)).await.map(drop), store.insert(&key(4), &entry(4)).await.map(drop)] {
        assert_eq!(answer.unwrap_err().kind(), StoreErrorKind::Unavailable);
    }
    assert!(other.load(&key(4)).await.unwrap().is_none());
}

#[tokio::test]
async fn foreign_files_are_left_alone() {
    let (store, _directory) = store();
    store.insert(&key(1), &entry(1)).await.unwrap();
    let path = store.path(&key(1));
    let name = path.file_name().unwrap().to_str().unwrap().to_owned();
    let foreign =
        ["README".to_owned(), name.to_uppercase(), format!("{name}.bak"), name.replacen("07", "08", 1), "tmp-x".into()];
    for name in &foreign {
        fs::copy(&path, path.with_file_name(name)).unwrap();
    }
    fs::write(path.parent().unwrap().with_file_name("README"), "text").unwrap();
    assert_eq!(store.scan(EntryKind::Session, None, 10).await.unwrap().entries.len(), 1);
    assert_eq!(store.stats().await.unwrap().sessions, Some(1));
    assert_eq!(store.sweep(10).await.unwrap(), 0);
    store.remove(&key(1), Generation::default()).await.unwrap();
    assert!(foreign.iter().all(|name| path.with_file_name(name).exists()));
}

/// Whatever stands in the place of a lock: nobody waits for it, nothing is written to it, and reading goes on.
#[tokio::test]
async fn what_is_planted_under_the_name_of_a_lock_stops_writers_at_most() {
    for planted in ALL {
        let (store, directory) = store();
        store.insert(&key(1), &entry(1)).await.unwrap();
        let (secret, path) = (directory.path().join("secret"), store.path(&key(1)));
        let lock = path.with_file_name("lock");
        fs::write(&secret, "secret").unwrap();
        fs::remove_file(&lock).unwrap();
        planted.plant(&lock, &secret, &path);
        let (key_2, entry_2) = (key(2), entry(2));
        let call = tokio::time::timeout(Duration::from_secs(10), store.insert(&key_2, &entry_2));
        match call.await.unwrap_or_else(|_| panic!("{planted:?}: it waits")) {
            Ok(outcome) => assert_eq!(outcome, InsertOutcome::Inserted, "{planted:?}"),
            Err(error) => {
                assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{planted:?}: {error:?}");
                assert!(store.load(&key(2)).await.unwrap().is_none(), "{planted:?}");
            }
        }
        is_there(&store, 1).await;
        assert_eq!(fs::read_to_string(&secret).unwrap(), "secret", "{planted:?}");
        assert!(!secret.with_file_name("nothing").exists(), "{planted:?}");
    }
}

/// A file that another program writes to while it is read: it is whole, or damaged, and never anything else.
#[test]
fn a_file_that_changes_while_it_is_read_is_whole_or_damaged() {
    let (store, _directory) = store();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    runtime.block_on(store.insert(&key(1), &entry(199))).unwrap();
    let path = store.path(&key(1));
    let whole = fs::read(&path).unwrap();
    let is_over = Arc::new(AtomicBool::new(false));
    let writer = std::thread::spawn({
        let (is_over, path, whole) = (is_over.clone(), path.clone(), whole.clone());
        move || {
            use std::os::unix::fs::FileExt as _;
            let file = File::options().write(true).open(&path).unwrap();
            for round in 0_u64.. {
                if is_over.load(Ordering::SeqCst) {
                    break;
                }
                // It shrinks, grows far beyond what its header says, and is as it was.
                file.set_len(round % whole.len() as u64).unwrap();
                file.set_len(1 << 38).unwrap();
                file.set_len(whole.len() as u64).unwrap();
                file.write_all_at(&whole, 0).unwrap();
            }
        }
    });
    let (mut seen_whole, mut seen_damaged) = (0, 0);
    runtime.block_on(async {
        let until = std::time::Instant::now() + Duration::from_secs(60);
        while (seen_whole < 100 || seen_damaged < 100) && std::time::Instant::now() < until {
            match store.load(&key(1)).await.unwrap().expect("it is there").bytes() {
                [] => seen_damaged += 1,
                bytes => {
                    assert_eq!(bytes, entry(199).bytes());
                    seen_whole += 1;
                }
            }
            let replaced = store.replace(&key(1), entry(1).revision().unwrap(), &entry(2)).await.unwrap();
            assert!(matches!(replaced, ReplaceOutcome::Changed(_)), "{replaced:?}");
        }
    });
    is_over.store(true, Ordering::SeqCst);
    writer.join().unwrap();
    assert!(seen_whole > 0 && seen_damaged > 0, "{seen_whole} times whole, {seen_damaged} times damaged");
}

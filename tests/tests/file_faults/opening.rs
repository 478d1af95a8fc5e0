//! Tests of the directories that a store refuses, and of what it makes of the others.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use sessionkit::file::FileStore;
use sessionkit::store::{EntryKey, InsertOutcome, Store as _};
use sessionkit_tests::writer::{entry, key};

use crate::store;

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

#[track_caller]
fn assert_refused(path: impl AsRef<Path>, words: &[&str]) {
    let error = FileStore::open(&path).expect_err("it is refused");
    let text = error.to_string();
    assert!(words.iter().all(|word| text.contains(word)), "{text}");
}

#[tokio::test]
async fn what_is_made_is_for_its_owner_alone() {
    let (store, directory) = store();
    let list = EntryKey::session_list("../..", "../\0/ada");
    for key in [key(1), list] {
        assert_eq!(store.insert(&key, &entry(1)).await.unwrap(), InsertOutcome::Inserted);
        let file = store.path(&key);
        assert_eq!(
            (mode(&file), mode(&file.with_file_name("lock")), mode(file.parent().unwrap())),
            (0o600, 0o600, 0o700)
        );
        assert!(file.starts_with(directory.path().join("sessions")), "no name comes from a user: {}", file.display());
    }
    assert_eq!(mode(&directory.path().join("sessions")), 0o700);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[tokio::test]
async fn a_directory_is_opened_again_by_any_of_its_names() {
    let (first, directory) = store();
    first.insert(&key(1), &entry(1)).await.unwrap();
    for name in ["sessions", "sessions/", "./sessions/.", "sessions//"] {
        let store = FileStore::open(directory.path().join(name)).unwrap();
        assert_eq!(store.load(&key(1)).await.unwrap().unwrap().bytes(), entry(1).bytes(), "{name}");
    }
    // One that others may list holds nothing that they could read.
    set_mode(&directory.path().join("sessions"), 0o755);
    assert!(FileStore::open(directory.path().join("sessions")).is_ok());
}

#[test]
fn a_directory_that_cannot_be_trusted_is_refused() {
    let (_, directory) = store();
    let at = |name: &str| directory.path().join(name);
    symlink(at("sessions"), at("link")).unwrap();
    for link in ["link", "link/", "link/."] {
        assert_refused(at(link), &["/link` is a symbolic link", "name the directory that it leads to"]);
    }
    symlink(at("nothing"), at("dangling")).unwrap();
    assert_refused(at("dangling"), &["is a symbolic link"]);
    assert!(!at("nothing").exists());
    fs::write(at("file"), "").unwrap();
    assert_refused(at("file"), &["is not a directory"]);
    assert_refused(at("a/b"), &["/a/b` for sessions", "make the directory above it first"]);
    assert_refused("", &["is empty"]);
    for (mode, shown) in [(0o720, "720"), (0o702, "702"), (0o1777, "1777")] {
        set_mode(&at("sessions"), mode);
        assert_refused(at("sessions"), &["other users may write to", shown, "chmod 700"]);
    }
    set_mode(&at("sessions"), 0o700);
    // In one of those that belong to it.
    set_mode(&at("sessions/2a"), 0o770);
    assert_refused(at("sessions"), &["sessions/2a", "other users may write to"]);
    fs::remove_dir(at("sessions/2a")).unwrap();
    symlink(directory.path(), at("sessions/2a")).unwrap();
    assert_refused(at("sessions"), &["sessions/2a` is a symbolic link"]);
    fs::remove_file(at("sessions/2a")).unwrap();
    assert!(FileStore::open(at("sessions")).is_ok(), "it is made again");
}

#[test]
fn the_directory_of_another_user_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path: PathBuf = if rustix::process::geteuid().is_root() {
        std::os::unix::fs::chown(directory.path(), Some(65_534), None).unwrap();
        directory.path().into()
    } else {
        "/usr".into()
    };
    assert_refused(path, &["belongs to the user with the id", "run it as that user", "chown"]);
}

#[tokio::test]
async fn a_directory_that_is_removed_while_it_is_used_is_no_empty_one() {
    let (store, directory) = store();
    fs::remove_dir_all(directory.path().join("sessions")).unwrap();
    for error in [store.load(&key(1)).await.unwrap_err(), store.insert(&key(1), &entry(1)).await.unwrap_err()] {
        assert_eq!(error.kind(), sessionkit::store::StoreErrorKind::Unavailable);
        assert!(format!("{error:?}").contains("it was removed while the program ran"), "{error:?}");
    }
    assert!(store.scan(sessionkit::store::EntryKind::Session, None, 1).await.is_err());
}

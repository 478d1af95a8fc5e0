//! Tests of a full disk, and of a directory that may not be written to: what is stored stays readable, and as it was.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use sessionkit::file::FileStore;
use sessionkit::store::Store as _;
use sessionkit_tests::writer::{Writer, key};

use crate::{WRITER, store};

/// A process that may write nothing to any file, as when the disk is full. The system's signal for that is ignored, and
/// stays so in the program.
fn starved(directory: &Path) -> Writer {
    let mut command = Command::new("sh");
    command.args(["-c", r#"trap "" XFSZ; ulimit -f 0; exec "$0" "$1""#, WRITER]).arg(directory);
    Writer::run(command)
}

fn done(writer: &mut Writer, steps: impl IntoIterator<Item = (u8, u64)>) {
    for (key, step) in steps {
        let command = format!("step {key} {step}");
        assert_eq!(writer.ask(&command), format!("done {command}"));
    }
}

async fn number(store: &FileStore, number: u8) -> Option<u64> {
    let found = store.load(&key(number)).await.unwrap();
    found.map(|found| u64::from_be_bytes(*found.revision().unwrap().as_bytes()))
}

fn files_of(store: &FileStore) -> usize {
    fs::read_dir(store.path(&key(1)).parent().unwrap()).unwrap().count()
}

#[tokio::test]
async fn on_a_full_disk_nothing_changes_but_logouts_work() {
    let (store, directory) = store();
    let path = directory.path().join("sessions");
    done(&mut Writer::start(WRITER, &path), [(1, 1), (1, 2), (2, 1), (2, 2), (2, 3), (2, 4)]);
    let mut writer = starved(&path);
    let inserted = writer.ask("step 3 1");
    for answer in [&writer.ask("step 1 3"), &inserted] {
        assert!(answer.starts_with("Unavailable "), "{answer}");
        assert!(answer.contains("cannot write `") && answer.contains("raise the limit of the process"), "{answer}");
    }
    assert_eq!((number(&store, 1).await, number(&store, 3).await), (Some(2), None), "[P6] all is as it was");
    assert_eq!(files_of(&store), 3, "two entries and the lock: nothing half written takes up space");
    done(&mut writer, [(2, 5)]);
    assert_eq!(number(&store, 2).await, None, "[P1] a logout needs no space");
    done(&mut Writer::start(WRITER, &path), [(1, 3), (3, 1)]);
}

/// A user whom modes of files apply to, with a program that this user can run.
struct Restricted {
    id: Option<u32>,
    program: PathBuf,
    directory: tempfile::TempDir,
}

impl Restricted {
    fn new() -> Self {
        let directory = tempfile::tempdir().expect("there is room for a directory");
        if !rustix::process::geteuid().is_root() {
            return Self { id: None, program: WRITER.into(), directory };
        }
        // Nobody's: to root no directory is read-only.
        let id = 65_534;
        chown(directory.path(), Some(id), Some(id)).unwrap();
        let program = directory.path().join("file-writer");
        fs::copy(WRITER, &program).unwrap();
        Self { id: Some(id), program, directory }
    }

    fn sessions(&self) -> PathBuf {
        self.directory.path().join("sessions")
    }

    fn writer(&self) -> Writer {
        let mut command = Command::new(&self.program);
        if let Some(id) = self.id {
            command.gid(id).uid(id);
        }
        command.arg(self.sessions());
        Writer::run(command)
    }

    fn set_mode(&self, mode: u32) {
        let mut directories: Vec<_> =
            fs::read_dir(self.sessions()).unwrap().map(|entry| entry.unwrap().path()).collect();
        directories.push(self.sessions());
        directories.iter().for_each(|path| fs::set_permissions(path, Permissions::from_mode(mode)).unwrap());
    }
}

#[test]
fn in_a_read_only_directory_nothing_changes() {
    let user = Restricted::new();
    let mut writer = user.writer();
    done(&mut writer, [(1, 1), (2, 1), (2, 2), (2, 3), (2, 4)]);
    user.set_mode(0o500);
    // Also for a process that begins now.
    for mut writer in [writer, user.writer()] {
        for command in ["step 1 2", "step 2 5", "step 3 1"] {
            let answer = writer.ask(command);
            assert!(answer.starts_with("Unavailable "), "{answer}");
            assert!(answer.contains("give it to the user who runs this program: Permission denied"), "{answer}");
        }
        assert_eq!(writer.ask("check 1 1"), "done check 1 1");
        assert_eq!(writer.ask("check 2 4"), "done check 2 4");
        assert_eq!(writer.ask("check 3 0"), "done check 3 0");
    }
    user.set_mode(0o700);
    done(&mut user.writer(), [(1, 2), (2, 5), (3, 1)]);
}

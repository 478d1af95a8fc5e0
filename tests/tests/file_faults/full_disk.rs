//! A full disk: a small file system of the writer's own. Where mounting is denied, a limit of the size of its files.

use std::path::Path;
use std::process::Command;

use sessionkit_tests::writer::Writer;

use crate::WRITER;

/// The ways to a disk that is soon full, the best first. Each runs a program with an argument; `$2` is the directory.
const DISKS: [(&str, &[&str], &str); 3] = [
    ("a mounted file system", &["unshare", "-m"], MOUNT),
    ("a file system mounted in a user namespace", &["unshare", "-r", "-m"], MOUNT),
    ("a limit of the size of files", &[], r#"trap "" XFSZ; : > "$2/ballast"; ulimit -f 300 && exec "$0" "$1""#),
];

/// It goes with the process, whose namespace it is in.
const MOUNT: &str =
    r#"mount -t tmpfs -o size=600k tmpfs "$2" && head -c 100000 /dev/zero > "$2/ballast" && exec "$0" "$1""#;

fn command(disk: usize, program: &str, argument: &str, directory: &Path) -> Command {
    let (_, wrapper, script) = DISKS[disk];
    let words: Vec<&str> = wrapper.iter().copied().chain(["sh", "-c", script, program, argument]).collect();
    let mut command = Command::new(words[0]);
    command.args(&words[1..]).arg(directory);
    command
}

/// Finds out by trying which disk this machine can have, and says so.
fn disk(directory: &Path) -> usize {
    let works = |disk: &usize| command(*disk, "true", "", directory).status().is_ok_and(|status| status.success());
    let disk = (0..DISKS.len()).find(works).expect("a limit of the size of files can always be set");
    println!("the full disk is {}", DISKS[disk].0);
    disk
}

fn done(writer: &mut Writer, command: &str) {
    assert_eq!(writer.ask(command), format!("done {command}"));
}

/// Fills the disk with sessions; returns how many there are.
fn fill(writer: &mut Writer, first: u8) -> u8 {
    for key in first..=u8::MAX {
        for step in 1..=4 {
            let command = format!("step {key} {step}");
            let answer = writer.ask(&command);
            if answer != format!("done {command}") {
                assert!(answer.starts_with("Unavailable ") || answer.starts_with("Unknown "), "{answer}");
                // What is acknowledged is there, and what was refused did not happen.
                if answer.starts_with("Unavailable ") {
                    done(writer, &format!("check {key} {}", step - 1));
                }
                return key;
            }
        }
    }
    panic!("the disk is never full");
}

fn check_all(writer: &mut Writer, until: u8) {
    for key in 1..until {
        done(writer, &format!("check {key} 4"));
    }
}

#[test]
fn files_on_a_full_disk_stay_as_they_were_and_logouts_make_room() {
    let directory = tempfile::tempdir().unwrap();
    let disk = disk(directory.path());
    let sessions = directory.path().join("sessions");
    if DISKS[disk].1.is_empty() {
        // No session's file comes near a limit with which a database could begin: `refused.rs` has a lower one.
        return;
    }
    let mut writer = Writer::run(command(disk, WRITER, sessions.to_str().unwrap(), directory.path()));
    let full = fill(&mut writer, 1);
    assert!(full > 20, "{full}");
    check_all(&mut writer, full);
    // A logout needs no room, and makes some.
    for key in 1..=3 {
        done(&mut writer, &format!("step {key} 5"));
        done(&mut writer, &format!("check {key} 0"));
    }
    done(&mut writer, "reopen 0");
    // For a moment the old file and the new one are there, so there is room for two.
    for key in 1..=2 {
        for step in 1..=4 {
            done(&mut writer, &format!("step {key} {step}"));
        }
    }
    for key in (1..full).filter(|key| *key != 3) {
        done(&mut writer, &format!("check {key} 4"));
    }
    done(&mut writer, "make-room 0");
    assert!(fill(&mut writer, full + 1) > full + 10, "it goes on");
}

#[test]
fn a_sqlite_file_on_a_full_disk_stays_as_it_was_and_goes_on_when_there_is_room() {
    let directory = tempfile::tempdir().unwrap();
    let disk = disk(directory.path());
    let url = format!("sqlite:{}", directory.path().join("sessions.db").display());
    let mut writer = Writer::run(command(disk, WRITER, &url, directory.path()));
    let full = fill(&mut writer, 1);
    assert!(full > 5, "{full}");
    check_all(&mut writer, full);
    // A logout needs room in the write-ahead log. If there is none, it says so, and the session is as it was.
    let answer = writer.ask("step 1 5");
    let left = if answer == "done step 1 5" { 0 } else { 4 };
    assert!(left == 0 || answer.starts_with("Unavailable ") || answer.starts_with("Unknown "), "{answer}");
    done(&mut writer, &format!("check 1 {left}"));
    for key in 2..full {
        done(&mut writer, &format!("check {key} 4"));
    }
    if DISKS[disk].1.is_empty() {
        return;
    }
    // It goes on as soon as there is room, without a restart.
    done(&mut writer, "make-room 0");
    for key in 2..=4 {
        done(&mut writer, &format!("step {key} 5"));
        done(&mut writer, &format!("check {key} 0"));
    }
    done(&mut writer, "reopen 0");
    for key in 5..full {
        done(&mut writer, &format!("check {key} 4"));
    }
}

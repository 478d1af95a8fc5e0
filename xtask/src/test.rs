//! `cargo xtask test`: everything that the tests need, the tests, and nothing left behind.

use crate::install;
use crate::run::{Result, cargo, run, succeeds};
use crate::sweep::Sweeper;
use std::path::{Path, PathBuf};
use std::{env, fs, io, process};

/// Tells the tests' servers where to keep their files.
const DIRECTORY_VARIABLE: &str = "SESSIONKIT_TEST_DIR";

pub(crate) fn test(passed: &[&str]) -> Result {
    install::redis()?;
    install::chromium()?;
    let directory = create_directory()?;
    let sweeper = Sweeper::start(&directory)?;
    let tested = run_tests(&directory, passed);
    let swept = sweeper.finish();
    tested.and(swept)
}

fn run_tests(directory: &Path, passed: &[&str]) -> Result {
    let workspace = ["--workspace", "--all-features"];
    if succeeds(&mut cargo(["nextest", "--version"])) {
        run(cargo(["nextest", "run"]).args(workspace).args(passed).env(DIRECTORY_VARIABLE, directory))?;
        // nextest does not run them.
        run(cargo(["test", "--doc"]).args(workspace).env(DIRECTORY_VARIABLE, directory))
    } else {
        run(cargo(["test"]).args(workspace).args(passed).env(DIRECTORY_VARIABLE, directory))
    }
}

fn create_directory() -> Result<PathBuf> {
    // A process id comes round again, and an earlier run may have been ended so hard that its directory is still there.
    let candidates = (0..100).map(|n| env::temp_dir().join(format!("sessionkit-test-{}-{n}", process::id())));
    for directory in candidates {
        match fs::create_dir(&directory) {
            Ok(()) => return Ok(directory),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(format!("cannot create {}: {error}", directory.display())),
        }
    }
    Err(format!("no free name for a directory in {}", env::temp_dir().display()))
}

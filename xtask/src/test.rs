//! `cargo xtask test`: everything that the tests need, the tests, and nothing left behind.

use crate::install;
use crate::run::{Result, cargo, run, succeeds};
use crate::sweep::Sweeper;
use std::path::{Path, PathBuf};
use std::{env, fs, io, process};

/// Tells the tests' servers where to keep their files.
const DIRECTORY_VARIABLE: &str = "SESSIONKIT_TEST_DIR";

/// Tells nextest how many tests to run at a time, unless an argument does.
const THREADS_VARIABLE: &str = "NEXTEST_TEST_THREADS";

pub(crate) fn test(passed: &[&str]) -> Result {
    install::redis()?;
    install::chromium()?;
    install::postgres()?;
    install::mariadb()?;
    install::pgbouncer()?;
    install::strace()?;
    install::python()?;
    install::node()?;
    let directory = create_directory()?;
    let sweeper = Sweeper::start(&directory)?;
    let tested = run_tests(&directory, passed);
    let swept = sweeper.finish();
    tested.and(swept)
}

fn run_tests(directory: &Path, passed: &[&str]) -> Result {
    let workspace = ["--workspace", "--all-features"];
    if succeeds(&mut cargo(["nextest", "--version"])) {
        let mut tests = cargo(["nextest", "run"]);
        if env::var_os(THREADS_VARIABLE).is_none() {
            tests.env(THREADS_VARIABLE, threads().to_string());
        }
        run(tests.args(workspace).args(passed).env(DIRECTORY_VARIABLE, directory))?;
        // nextest does not run them.
        run(cargo(["test", "--doc"]).args(workspace).env(DIRECTORY_VARIABLE, directory))
    } else {
        run(cargo(["test"]).args(workspace).args(passed).env(DIRECTORY_VARIABLE, directory))
    }
}

/// Returns the number of tests that run at a time. Most wait for a server or for the disk for a third of their time.
fn threads() -> usize {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    cores + cores.div_ceil(2)
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

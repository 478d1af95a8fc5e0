//! Installs the servers that the tests talk to.

use crate::run::{Result, command, run, show, succeeds};
use std::process::{Command, Stdio};

struct PackageManager {
    program: &'static str,
    /// What makes the list of packages known on a machine that never asked for it.
    refresh: &'static [&'static str],
    install: &'static [&'static str],
    /// One after the other until the programs are there: some distributions replaced Redis with its fork Valkey, and
    /// offer the programs under their old names in a package of its own.
    packages: &'static [&'static str],
    root: bool,
}

const PACKAGE_MANAGERS: &[PackageManager] = &[
    PackageManager {
        program: "apt-get",
        refresh: &["update"],
        install: &["install", "--yes", "--no-install-recommends"],
        packages: &["redis-server", "valkey-redis-compat"],
        root: true,
    },
    PackageManager {
        program: "dnf",
        refresh: &[],
        install: &["install", "--assumeyes"],
        packages: &["redis", "valkey-compat-redis"],
        root: true,
    },
    PackageManager {
        program: "pacman",
        refresh: &["--sync", "--refresh"],
        install: &["--sync", "--noconfirm", "--needed"],
        packages: &["redis", "valkey"],
        root: true,
    },
    PackageManager {
        program: "apk",
        refresh: &[],
        install: &["add", "--no-cache"],
        packages: &["redis", "valkey-compat"],
        root: true,
    },
    PackageManager {
        program: "zypper",
        refresh: &[],
        install: &["--non-interactive", "install"],
        packages: &["redis", "valkey-compat-redis"],
        root: true,
    },
    PackageManager { program: "brew", refresh: &[], install: &["install"], packages: &["redis"], root: false },
];

/// Installs redis-server and redis-cli unless both are there.
pub(crate) fn redis() -> Result {
    if redis_is_there() {
        return Ok(());
    }
    eprintln!("xtask: the tests need redis-server and redis-cli, which are not on the PATH; installing them");

    let mut failures = Vec::new();
    for manager in PACKAGE_MANAGERS.iter().filter(|manager| succeeds(&mut command(manager.program, ["--version"]))) {
        if !manager.refresh.is_empty()
            && let Err(failure) = run(&mut manager.command(manager.refresh))
        {
            // One broken third-party repository is no reason to give up: the lists may be good enough.
            eprintln!("xtask: {failure}; trying to install nevertheless");
        }
        for package in manager.packages {
            let mut install = manager.command(manager.install);
            match run(install.arg(package)) {
                Ok(()) if redis_is_there() => return Ok(()),
                Ok(()) => failures.push(format!("`{}` brought no redis-server and redis-cli", show(&install))),
                Err(failure) => failures.push(failure),
            }
        }
    }
    if failures.is_empty() {
        failures.push("no package manager that xtask knows is on the PATH".to_owned());
    }
    Err(format!(
        "could not install Redis: {}.\nPlease install Redis 6 or newer, with redis-server and redis-cli on the PATH, and run \
         `cargo xtask test` again.",
        failures.join("; ")
    ))
}

impl PackageManager {
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = if self.root && !is_root() {
            // `-n`: a password prompt would hang where nobody watches.
            command("sudo", ["-n", self.program])
        } else {
            Command::new(self.program)
        };
        // Nothing may ask a question: whoever runs this has asked for the tests.
        command.args(arguments).stdin(Stdio::null());
        command
    }
}

fn redis_is_there() -> bool {
    ["redis-server", "redis-cli"].into_iter().all(|program| succeeds(&mut command(program, ["--version"])))
}

fn is_root() -> bool {
    command("id", ["-u"]).output().is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

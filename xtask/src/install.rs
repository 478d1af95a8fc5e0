//! Installs the programs that the tests and the measurements use.

use crate::run::{Result, command, run, show, succeeds};
use std::process::{Command, Stdio};

struct PackageManager {
    program: &'static str,
    /// What makes the list of packages known on a machine that never asked for it.
    refresh: &'static [&'static str],
    install: &'static [&'static str],
    /// One after the other until the programs are there: some distributions replaced Redis with its fork Valkey, and
    /// offer the programs under their old names in a package of its own.
    redis: &'static [&'static str],
    root: bool,
}

const PACKAGE_MANAGERS: &[PackageManager] = &[
    PackageManager {
        program: "apt-get",
        refresh: &["update"],
        install: &["install", "--yes", "--no-install-recommends"],
        redis: &["redis-server", "valkey-redis-compat"],
        root: true,
    },
    PackageManager {
        program: "dnf",
        refresh: &[],
        install: &["install", "--assumeyes"],
        redis: &["redis", "valkey-compat-redis"],
        root: true,
    },
    PackageManager {
        program: "pacman",
        refresh: &["--sync", "--refresh"],
        install: &["--sync", "--noconfirm", "--needed"],
        redis: &["redis", "valkey"],
        root: true,
    },
    PackageManager {
        program: "apk",
        refresh: &[],
        install: &["add", "--no-cache"],
        redis: &["redis", "valkey-compat"],
        root: true,
    },
    PackageManager {
        program: "zypper",
        refresh: &[],
        install: &["--non-interactive", "install"],
        redis: &["redis", "valkey-compat-redis"],
        root: true,
    },
    PackageManager { program: "brew", refresh: &[], install: &["install"], redis: &["redis"], root: false },
];

/// Installs redis-server and redis-cli unless both are there.
pub(crate) fn redis() -> Result {
    programs("Redis 6 or newer, with redis-server and redis-cli", &["redis-server", "redis-cli"], |manager| {
        manager.redis
    })
}

/// Installs valgrind unless it is there.
pub(crate) fn valgrind() -> Result {
    programs("valgrind", &["valgrind"], |_| &["valgrind"])
}

fn programs(what: &str, programs: &[&str], packages: fn(&PackageManager) -> &'static [&'static str]) -> Result {
    let are_there = || programs.iter().all(|program| succeeds(&mut command(program, ["--version"])));
    if are_there() {
        return Ok(());
    }
    let names = programs.join(" and ");
    eprintln!("xtask: {names} must be on the PATH; installing");

    let mut failures = Vec::new();
    for manager in PACKAGE_MANAGERS.iter().filter(|manager| succeeds(&mut command(manager.program, ["--version"]))) {
        if !manager.refresh.is_empty()
            && let Err(failure) = run(&mut manager.command(manager.refresh))
        {
            // One broken third-party repository is no reason to give up: the lists may be good enough.
            eprintln!("xtask: {failure}; trying to install nevertheless");
        }
        for package in packages(manager) {
            let mut install = manager.command(manager.install);
            match run(install.arg(package)) {
                Ok(()) if are_there() => return Ok(()),
                Ok(()) => failures.push(format!("`{}` brought no {names}", show(&install))),
                Err(failure) => failures.push(failure),
            }
        }
    }
    if failures.is_empty() {
        failures.push("no package manager that xtask knows is on the PATH".to_owned());
    }
    Err(format!(
        "could not install {names}: {}.\nPlease install {what} on the PATH, and run this again.",
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
        // Nothing may ask a question: whoever runs this has asked for what needs it.
        command.args(arguments).stdin(Stdio::null());
        command
    }
}

fn is_root() -> bool {
    command("id", ["-u"]).output().is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

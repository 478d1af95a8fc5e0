//! Running the examples.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Lines, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::OnceLock;

use serde_json::Value;
/// A running demo.
pub struct Shop {
    shell: Child,
    pub address: String,
    /// Held open, since a shop that cannot speak ends.
    _output: Lines<BufReader<ChildStdout>>,
}

impl Shop {
    /// A shell stands between the test and the shop: when its input closes, however the test ended, the shop ends too.
    const SCRIPT: &str = r#""$1" </dev/null & read -r signal; kill -"${signal:-KILL}" $!; wait $!"#;

    /// Opens a shop that says who may do what in it.
    pub fn open(example: &str, store: Option<&str>) -> Self {
        let (shop, welcome) = Self::run(example, store);
        assert!(welcome.contains("ada / ada (admin), bob / bob"), "{welcome}");
        for (handler, requirement) in [
            ("account", "require_login"),
            ("change_password", r#"require_fresh = "5m""#),
            ("stock", "require_login, require = |person: &Person| person.is_admin"),
            ("people", r#"require = |person: &Person| person.is_admin, require_fresh = "5m""#),
        ] {
            let listed = |line: &str| line.contains(&format!("::{handler} ")) && line.contains(requirement);
            assert!(welcome.lines().any(listed), "{handler}: {welcome}");
        }
        shop
    }

    /// Starts an example with its sessions in a store, and returns what it says before it serves.
    pub fn run(example: &str, store: Option<&str>) -> (Self, String) {
        let mut command = Command::new("sh");
        command.args(["-c", Self::SCRIPT, "sh"]).arg(&binaries()[example]).env("ADDR", "127.0.0.1:0");
        command
            .env_remove("SESSION_KEYS")
            .env_remove("SESSION_STORE")
            .envs(store.map(|store| ("SESSION_STORE", store)));
        let mut shell = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("every Unix has sh");
        let mut output = BufReader::new(shell.stdout.take().expect("standard output is piped")).lines();
        let mut line = || output.next().expect("the shop says something").expect("the shop speaks UTF-8");
        let welcome = line();
        let (_, address) = welcome.split_once("http://").expect("the first line has the address");
        let address = format!("http://{address}");
        let mut said = welcome;
        if example.starts_with("shop") {
            // The accounts, an empty line, a list, and another empty line.
            for _ in 0..2 {
                while {
                    said.extend(["\n", &line()]);
                    !said.ends_with('\n')
                } {}
            }
        }
        (Self { address, shell, _output: output }, said)
    }

    /// Presses Ctrl-C.
    pub fn close(self) {
        assert!(self.end(b"INT\n"));
    }

    /// Kills the shop, which has no time to say good-bye.
    pub fn kill(self) {
        assert!(!self.end(b"KILL\n"));
    }

    /// Sends a signal; returns whether the shop was done with its work.
    fn end(mut self, signal: &[u8]) -> bool {
        let mut input = self.shell.stdin.take().expect("the shop is open");
        input.write_all(signal).expect("the shell waits for it");
        self.shell.wait().expect("the shell is our child").success()
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        let _ = self.shell.wait();
    }
}

/// Returns the examples, which were built with the tests: with the same features, so that nothing is built twice.
fn binaries() -> &'static BTreeMap<String, PathBuf> {
    static BINARIES: OnceLock<BTreeMap<String, PathBuf>> = OnceLock::new();
    BINARIES.get_or_init(|| {
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("it lies in the target directory");
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests lie in the workspace");
        let mut cargo = sessionkit_tests::cargo();
        cargo.args([
            "build",
            "--quiet",
            "--workspace",
            "--all-features",
            "--example",
            "shop",
            "--example",
            "shop-actix",
            "--example",
            "by-hand",
            "--message-format",
            "json-render-diagnostics",
        ]);
        cargo.arg("--target-dir").arg(target).current_dir(root).stderr(Stdio::inherit());
        let built = cargo.output().expect("cargo runs");
        assert!(built.status.success(), "the examples do not build");
        let messages = std::str::from_utf8(&built.stdout).expect("cargo speaks UTF-8").lines();
        let executables = messages.filter_map(|message| {
            let message: Value = serde_json::from_str(message).expect("cargo speaks JSON");
            let executable = message["executable"].as_str()?;
            Some((message["target"]["name"].as_str()?.to_owned(), executable.into()))
        });
        executables.collect()
    })
}

//! Running the program, and the stores that it looks into.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::Value;
use sessionkit::store::AnyStore;
use sessionkit::testing::TestSession;
use sessionkit::{SessionConfig, SessionData, SessionId, SessionManager, SessionScope};
use sessionkit_tests::servers::mariadb::MariaDbServer;
use sessionkit_tests::servers::postgres::PostgresServer;
use sessionkit_tests::servers::redis::RedisServer;
use tempfile::TempDir;

/// The value of a field that nobody may see.
pub const PIN: &str = "secret-4711";

/// The key of the application.
pub const OLD_KEY: &str = "p0m2sC9YVXL4hR7dQfT1nWzKbE8uJgA5xOiS3yMvNlc";

#[derive(SessionData)]
pub struct Account {
    /// A text that comes from a visitor, and may hold anything.
    pub nickname: String,
    #[session(sensitive)]
    pub pin: String,
    #[session(ttl = "10m", carry)]
    pub visits: u64,
}

pub struct Office;

impl SessionScope for Office {
    const NAME: &'static str = "Office";
    type Home = sessionkit::OnServer;
}

/// A store of its own, empty.
pub struct Place {
    pub url: String,
    pub store: AnyStore,
    /// It ends with the test.
    _directory: Option<TempDir>,
}

impl Place {
    pub async fn redis() -> Self {
        let url = format!("{}?prefix={}%3A", RedisServer::shared().url(), unique_name());
        Self::open(url, None).await
    }

    pub async fn postgres() -> Self {
        let url = format!("{}?table={}", PostgresServer::shared().url(), unique_name());
        Self::open(url, None).await
    }

    pub async fn mariadb() -> Self {
        let url = format!("{}?table={}", MariaDbServer::shared().url(), unique_name());
        Self::open(url, None).await
    }

    pub async fn files() -> Self {
        let directory = TempDir::new().unwrap();
        Self::open(format!("file:{}", directory.path().join("sessions").display()), Some(directory)).await
    }

    pub async fn sqlite() -> Self {
        let directory = TempDir::new().unwrap();
        Self::open(format!("sqlite:{}", directory.path().join("sessions.db").display()), Some(directory)).await
    }

    /// One of each kind.
    pub async fn all() -> [Self; 5] {
        let [redis, files, sqlite] = [Self::redis().await, Self::files().await, Self::sqlite().await];
        [redis, files, sqlite, Self::postgres().await, Self::mariadb().await]
    }

    async fn open(url: String, directory: Option<TempDir>) -> Self {
        let store = sessionkit::connect(&url).await.expect("the store can be opened");
        Self { url, store, _directory: directory }
    }

    /// The name of the table, or the prefix of the keys without its end.
    pub fn name(&self) -> &str {
        let (_, parameter) = self.url.split_once('?').expect("the store has a name");
        let (_, name) = parameter.split_once('=').expect("a parameter has a value");
        name.trim_end_matches("%3A")
    }

    pub fn manager(&self) -> SessionManager {
        self.manager_of()
    }

    pub fn manager_of<Scope: SessionScope<Home = sessionkit::OnServer>>(&self) -> SessionManager<Scope> {
        SessionManager::builder(self.store.clone()).for_scope::<Scope>().config(settings(true)).build()
    }

    /// A manager of an application that keeps no lists.
    pub fn manager_without_lists(&self) -> SessionManager {
        SessionManager::new(self.store.clone(), settings(false))
    }

    /// Runs the program on the store.
    pub fn run(&self, arguments: &[&str]) -> Output {
        run(arguments, Some(&self.url))
    }

    /// Runs the program, which has to succeed, and reads its JSON.
    pub fn json(&self, arguments: &[&str]) -> Value {
        let output = self.run(&[arguments, &["--json"]].concat());
        assert_eq!(output.code, Some(0), "{arguments:?} on {}: {}", self.url, output.error);
        serde_json::from_str(&output.shown).expect("it is JSON")
    }
}

/// A name that no other test uses.
fn unique_name() -> String {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    format!("program_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed))
}

/// Settings for a machine that is busy with other tests.
fn settings(track_devices: bool) -> SessionConfig {
    let patient = Duration::from_secs(30);
    let config = SessionConfig::builder().track_devices(track_devices).load_deadline(patient).commit_deadline(patient);
    config.keys(OLD_KEY.parse().unwrap()).build().unwrap()
}

/// Logs a user in.
pub async fn log_in(manager: &SessionManager, user: &str) -> (TestSession, SessionId) {
    let login = TestSession::new(manager).login(user).device_label("laptop").methods(["pwd", "otp"]);
    let session = login.with(|account: &mut Account| {
        *account = Account { nickname: "Ada\u{9b}31m\u{1b}[2J".to_owned(), pin: PIN.to_owned(), visits: 7 };
    });
    let session = session.await;
    let id = id(&session).await;
    (session, id)
}

/// Begins the session of a visitor.
pub async fn visit(manager: &SessionManager) -> (TestSession, SessionId) {
    let session = TestSession::new(manager).with(|account: &mut Account| account.visits = 1).await;
    let id = id(&session).await;
    (session, id)
}

pub async fn id<Scope: SessionScope>(session: &TestSession<Scope>) -> SessionId {
    session.info().await.expect("there is a session").id
}

/// The output of the program: its exit code, and what it says on standard output and standard error.
pub struct Output {
    pub code: Option<i32>,
    pub shown: String,
    pub error: String,
}

/// Runs the program; `store` is the variable SESSION_STORE.
pub fn run(arguments: &[&str], store: Option<&str>) -> Output {
    output_of(command(arguments, store))
}

/// Runs the program with the variable SESSION_KEYS.
pub fn run_with_keys(arguments: &[&str], store: Option<&str>, keys: &str) -> Output {
    let mut command = command(arguments, store);
    command.env("SESSION_KEYS", keys);
    let output = output_of(command);
    for key in keys.split(' ').filter(|key| key.len() > 16) {
        assert!(!output.shown.contains(key) && !output.error.contains(key), "{} {}", output.shown, output.error);
    }
    output
}

pub fn command(arguments: &[&str], store: Option<&str>) -> Command {
    command_of(program(), arguments, store)
}

/// Runs the program as it is with no feature but its own.
pub fn run_without_stores(arguments: &[&str], store: Option<&str>) -> Output {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    // Both programs would lie in one place.
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("without-stores");
    let features = ["--package", "sessionkit", "--no-default-features", "--features", "cli"];
    let program = PROGRAM.get_or_init(|| build(&features, &target));
    output_of(command_of(program, arguments, store))
}

fn output_of(mut command: Command) -> Output {
    let output = command.output().expect("the program runs");
    let text = |bytes| String::from_utf8(bytes).expect("the program speaks UTF-8");
    let (shown, error) = (text(output.stdout), text(output.stderr));
    for text in [&shown, &error] {
        assert!(!text.chars().any(|char| char.is_control() && char != '\n'), "a terminal obeys nothing: {text:?}");
        assert!(!text.contains(PIN), "{text}");
    }
    Output { code: output.status.code(), shown, error }
}

fn command_of(program: &Path, arguments: &[&str], store: Option<&str>) -> Command {
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env_remove("SESSION_STORE")
        .env_remove("SESSION_KEYS")
        .envs(store.map(|store| ("SESSION_STORE", store)));
    command.stdin(Stdio::null());
    command
}

fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("it lies in the target directory");
    // With the packages, the features and an example of the tests, cargo builds again nothing that it built for them.
    PROGRAM.get_or_init(|| build(&["--workspace", "--all-features", "--example", "shop"], target))
}

/// Builds the program with these features.
fn build(features: &[&str], target: &Path) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests lie in the workspace");
    let mut cargo = sessionkit_tests::cargo();
    cargo.args(["build", "--quiet", "--bin", "sessionkit"]).args(features);
    cargo.args(["--message-format", "json-render-diagnostics"]);
    cargo.arg("--target-dir").arg(target).current_dir(root).stderr(Stdio::inherit());
    let built = cargo.output().expect("cargo runs");
    assert!(built.status.success(), "the program does not build");
    let messages = std::str::from_utf8(&built.stdout).expect("cargo speaks UTF-8").lines();
    let messages = messages.map(|message| serde_json::from_str::<Value>(message).expect("cargo speaks JSON"));
    let mut built = messages.filter(|message| message["target"]["kind"] == serde_json::json!(["bin"]));
    let path = built.find_map(|message| message["executable"].as_str().map(PathBuf::from));
    path.expect("it is built")
}

//! The program `sessionkit`, with a real server.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use serde_json::{Value, json};
use sessionkit::redis::RedisStore;
use sessionkit::store::{EntryKey, Record, Store as _};
use sessionkit::testing::TestSession;
use sessionkit::{SessionConfig, SessionData, SessionId, SessionManager};
use sessionkit_tests::servers::redis::RedisServer;

#[derive(SessionData)]
struct Account {
    /// A text that comes from a visitor, and may hold anything.
    nickname: String,
    #[session(sensitive)]
    pin: String,
    #[session(ttl = "10m", carry)]
    visits: u64,
}

const PIN: &str = "secret-4711";

/// The output of the program: its exit code, and what it says on standard output and standard error.
struct Output {
    code: Option<i32>,
    shown: String,
    error: String,
}

fn run(arguments: &[&str], url: Option<&str>) -> Output {
    let mut command = Command::new(program());
    command.args(arguments).env_remove("REDIS_URL").envs(url.map(|url| ("REDIS_URL", url)));
    let output = command.stdin(Stdio::null()).output().expect("the program runs");
    let text = |bytes| String::from_utf8(bytes).expect("the program speaks UTF-8");
    let (shown, error) = (text(output.stdout), text(output.stderr));
    for text in [&shown, &error] {
        assert!(!text.chars().any(|char| char.is_control() && char != '\n'), "a terminal obeys nothing: {text:?}");
        assert!(!text.contains(PIN), "{text}");
    }
    Output { code: output.status.code(), shown, error }
}

fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("it lies in the target directory");
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests lie in the workspace");
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--quiet", "--package", "sessionkit", "--bin", "sessionkit", "--all-features"]);
        cargo.args(["--message-format", "json-render-diagnostics"]);
        cargo.arg("--target-dir").arg(target).current_dir(root).stderr(Stdio::inherit());
        let built = cargo.output().expect("cargo runs");
        assert!(built.status.success(), "the program does not build");
        let messages = std::str::from_utf8(&built.stdout).expect("cargo speaks UTF-8").lines();
        let messages = messages.map(|message| serde_json::from_str::<Value>(message).expect("cargo speaks JSON"));
        messages
            .filter_map(|message| message["executable"].as_str().map(PathBuf::from))
            .next_back()
            .expect("it is built")
    })
}

/// Logs a user in on the shared server. Returns the session's id.
async fn log_in(user: &str) -> (RedisStore, SessionId) {
    let store = RedisStore::connect(&RedisServer::shared().url()).await.expect("the server is up");
    let config = SessionConfig::builder().track_devices(true).build().unwrap();
    let manager = SessionManager::new(store.clone(), config);
    let login = TestSession::new(&manager).login(user).device_label("laptop").methods(["pwd", "otp"]);
    let session = login.with(|account: &mut Account| {
        *account = Account { nickname: "Ada\u{9b}31m\u{1b}[2J".to_owned(), pin: PIN.to_owned(), visits: 7 };
    });
    let cookie = session.await.cookie();
    let (_, token) = cookie.split_once('=').expect("a cookie has a value");
    (store, sessionkit_core::Token::parse(token.as_bytes()).expect("it is a token").id())
}

#[tokio::test]
async fn a_session_is_shown_without_its_secrets() {
    let (store, id) = log_in("ada").await;
    let (id_text, url) = (id.to_string(), RedisServer::shared().url());
    let entry = store.load(&EntryKey::session(id)).await.unwrap().unwrap();
    let record = Record::from_bytes(entry.shared_bytes().clone()).unwrap();
    let hash: String = record.header().secret.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();

    let text = run(&["inspect", &id_text, "--url", &url], None);
    assert_eq!((text.code, text.error.as_str()), (Some(0), ""));
    for part in [
        &*id_text,
        "Main",
        "ada",
        "laptop",
        "pwd, otp",
        "account.nickname",
        "account.pin",
        "(hidden)",
        "carried, until",
    ] {
        assert!(text.shown.contains(part), "{part}: {}", text.shown);
    }
    let shown = run(&["inspect", &id_text, "--json"], Some(&url));
    assert!(!shown.shown.contains(&hash) && !text.shown.contains(&hash));
    let session: Value = serde_json::from_str(&shown.shown).unwrap();
    for (name, expected) in [
        ("id", json!(id_text)),
        ("scope", json!("Main")),
        ("user", json!("ada")),
        ("actor", Value::Null),
        ("device_label", json!("laptop")),
        ("methods", json!(["pwd", "otp"])),
        ("is_expired", json!(false)),
        ("generation", json!(record.header().generation.number())),
        ("size", json!(entry.bytes().len())),
    ] {
        assert_eq!(session[name], expected, "{name}");
    }
    let field = |key: &str| {
        let fields = session["fields"].as_array().unwrap();
        fields.iter().find(|field| field["key"] == key).expect("the field is shown").clone()
    };
    assert_eq!(field("account.nickname")["value"], "Ada\u{9b}31m\u{1b}[2J");
    let (pin, visits) = (field("account.pin"), field("account.visits"));
    assert_eq!((&pin["value"], &pin["sensitive"], &pin["size"]), (&json!("(hidden)"), &json!(true), &json!(13)));
    assert_eq!((&visits["value"], &visits["carried"]), (&json!(7), &json!(true)));
    assert!(visits["deadline"].as_str().is_some_and(|deadline| deadline.ends_with('Z')), "{visits}");
}

#[tokio::test]
async fn the_sessions_of_a_user_are_listed() {
    let (store, first) = log_in("grace").await;
    let (_, second) = log_in("grace").await;
    let url = RedisServer::shared().url();
    let text = run(&["list", "--user", "grace"], Some(&url));
    assert_eq!(text.code, Some(0), "{}", text.error);
    assert!(text.shown.contains(&first.to_string()) && text.shown.contains("device    laptop"), "{}", text.shown);

    let entry = store.load(&EntryKey::session(first)).await.unwrap().unwrap();
    store.remove(&EntryKey::session(first), entry.generation().unwrap()).await.unwrap();
    let shown = run(&["list", "--user=grace", "--scope", "Main", "--url", &url, "--json"], None);
    let list: Value = serde_json::from_str(&shown.shown).unwrap();
    assert_eq!((&list["user"], &list["scope"]), (&json!("grace"), &json!("Main")));
    let states: Vec<_> = list["sessions"].as_array().unwrap().iter().map(|row| (&row["id"], &row["state"])).collect();
    let (first, second) = (json!(first.to_string()), json!(second.to_string()));
    assert_eq!(states, [(&first, &json!("gone")), (&second, &json!("alive"))]);
}

#[test]
fn what_cannot_be_shown_has_a_code_of_its_own() {
    let url = RedisServer::shared().url();
    let absent = SessionId::from_bytes([9; 16]).to_string();
    let damaged = SessionId::from_bytes([8; 16]).to_string();
    RedisServer::shared().cli(&["SET", &format!("session:{damaged}"), "not a record"]);
    for (arguments, url, code, said) in [
        (&["inspect", &absent][..], &*url, 1, "there is no session"),
        (&["inspect", &absent, "--prefix", "other:"], &url, 1, "there is no session"),
        (&["list", "--user", "nobody\u{1b}[2J"], &url, 1, "track_devices"),
        (&["inspect"], &url, 2, "--help"),
        (&["inspect", &"A".repeat(64)], &url, 2, "22 characters"),
        (&["inspect", &absent], "localhost", 2, "redis://"),
        (&["inspect", &absent], "redis://127.0.0.1:1", 3, "did not answer"),
        (&["inspect", &damaged], &url, 3, "damaged"),
    ] {
        let output = run(arguments, Some(url));
        assert_eq!((output.code, output.shown.as_str()), (Some(code), ""), "{arguments:?}: {}", output.error);
        assert!(output.error.contains(said), "{arguments:?}: {}", output.error);
    }
    assert!(run(&["--help"], None).shown.contains("Usage"));
}

//! Shows the sessions in a store to operators, and ends them: `sessionkit --help`.
//!
//! The exit code is 0 if it is done, 1 if there is no such session or list, 2 if the arguments cannot be used, and 3 if the
//! store does not answer, cannot do it, or holds what cannot be read.

use std::io::Write as _;
use std::process::ExitCode;

use serde_json::{Value, json};
use sessionkit::store::{EntryKey, Record, SessionList};
use sessionkit::{Clock as _, SessionId, SystemClock};

use crate::arguments::{Arguments, Command};
use crate::store::{Opened, settled};

mod arguments;
mod encryption;
mod end;
mod everyone;
mod fields;
mod list;
mod progress;
mod schema;
mod session;
mod stats;
mod store;
mod text;

/// The output of a command, in both forms.
struct Report {
    value: Value,
    text: String,
}

/// The reason why nothing is shown.
#[derive(Debug)]
enum Failure {
    NotFound(String),
    Usage(String),
    Store(String),
}

fn main() -> ExitCode {
    let arguments = std::env::args_os().skip(1).map(|argument| argument.into_string());
    let shown = match arguments.collect::<Result<Vec<_>, _>>() {
        Ok(arguments) => run(arguments),
        Err(_) => Err(Failure::Usage("the arguments must be UTF-8".to_owned())),
    };
    let (code, message) = match shown {
        Ok(shown) => {
            // Nobody reads it any more, `head` for example.
            let _ = std::io::stdout().write_all(shown.as_bytes());
            return ExitCode::SUCCESS;
        }
        Err(Failure::NotFound(message)) => (1, message),
        Err(Failure::Usage(message)) => (2, format!("{message}\nTry `sessionkit --help`.")),
        Err(Failure::Store(message)) => (3, message),
    };
    let message = message.lines().map(text::printable).collect::<Vec<_>>().join("\n");
    let _ = writeln!(std::io::stderr(), "sessionkit: {message}");
    ExitCode::from(code)
}

fn run(arguments: Vec<String>) -> Result<String, Failure> {
    if arguments == ["--version"] {
        return Ok(concat!("sessionkit ", env!("CARGO_PKG_VERSION"), "\n").to_owned());
    }
    let Some(arguments) = Arguments::parse(arguments).map_err(Failure::Usage)? else {
        return Ok(arguments::help());
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::Store(format!("no runtime can be started: {error}")))?;
    runtime.block_on(obey(&arguments))
}

async fn obey(Arguments { command, store, json }: &Arguments) -> Result<String, Failure> {
    let url = store.as_deref().unwrap_or_default();
    let open = || Opened::open(url, false);
    let report = match command {
        Command::List { scope } => {
            everyone::list(&open().await?, scope.as_deref(), *json).await?;
            return Ok(String::new());
        }
        Command::Inspect(id) => inspect(&open().await?, *id).await?,
        Command::ListUser { user, scope } => list_user(&open().await?, user, scope).await?,
        Command::End(id) => {
            let store = Opened::open_to_end(url).await?;
            store.flush_audit(settled(end::one(&store, *id)).await?).await?
        }
        Command::EndUser { user, scope } => {
            let store = Opened::open_to_end(url).await?;
            store.flush_audit(settled(end::of_user(&store, user, scope)).await?).await?
        }
        Command::EndEveryone { scope } => {
            let store = Opened::open_to_end(url).await?;
            store.flush_audit(settled(end::of_everyone(&store, scope)).await?).await?
        }
        Command::Keygen => encryption::keygen(),
        Command::Rotate { keys_file, all } => {
            settled(encryption::rotate(&open().await?, keys_file.as_deref(), *all)).await?
        }
        Command::Sweep => sweep(&open().await?).await?,
        Command::Stats => stats::stats(&open().await?).await?,
        Command::Schema { dialect, creates: false } => schema::print(*dialect)?,
        Command::Schema { dialect, creates: true } => schema::create(*dialect, url).await?,
    };
    Ok(if *json { text::json(&report.value) } else { report.text })
}

async fn inspect(store: &Opened, id: SessionId) -> Result<Report, Failure> {
    let entry = store.load(EntryKey::session(id)).await?;
    let entry = entry.ok_or_else(|| Failure::NotFound(format!("there is no session {id}")))?;
    let record = Record::from_bytes(entry.shared_bytes().clone());
    let record = record.map_err(|error| Failure::Store(error.to_string()))?;
    let session = session::Session { id, record, now: SystemClock.now() };
    Ok(Report { value: session.to_json(), text: session.to_string() })
}

async fn list_user(store: &Opened, user: &str, scope: &str) -> Result<Report, Failure> {
    let entry = store.load(EntryKey::session_list(scope, user)).await?;
    let entry = entry.ok_or_else(|| {
        Failure::NotFound(format!(
            "there is no list of sessions of `{user}` in the scope `{scope}`: the user has not logged in since the \
             setting `track_devices` was on"
        ))
    })?;
    let list = SessionList::from_bytes(entry.bytes()).map_err(|error| Failure::Store(error.to_string()))?;
    let entries = store.load_listed(&list).await?;
    let sessions = list::Sessions::new(list, entries, SystemClock.now());
    Ok(Report { value: sessions.to_json(), text: sessions.to_string() })
}

async fn sweep(store: &Opened) -> Result<Report, Failure> {
    let removed = store.sweep().await?;
    let entries = if removed == 1 { "entry" } else { "entries" };
    Ok(Report { value: json!({ "removed": removed }), text: format!("removed {removed} {entries}\n") })
}

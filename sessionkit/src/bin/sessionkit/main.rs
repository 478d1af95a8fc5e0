//! Shows the sessions in a Redis server to operators: `sessionkit --help`.
//!
//! The exit code is 0 if something was shown, 1 if nothing was found, 2 if the arguments cannot be used, and 3 if the server
//! does not answer or what it holds cannot be read.

use std::io::Write as _;
use std::process::ExitCode;

use sessionkit::redis::RedisStore;
use sessionkit::store::{EntryKey, Record, SessionList, Store as _};
use sessionkit::{Clock as _, SystemClock};

use crate::arguments::{Arguments, Query};

mod arguments;
mod fields;
mod list;
mod session;
mod text;

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
        return Ok(arguments::HELP.to_owned());
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::Store(format!("no runtime can be started: {error}")))?;
    runtime.block_on(show(&arguments))
}

async fn show(arguments: &Arguments) -> Result<String, Failure> {
    let mut builder = RedisStore::builder(&arguments.url);
    if let Some(prefix) = &arguments.prefix {
        builder = builder.prefix(prefix);
    }
    let store = builder.build().map_err(|error| Failure::Usage(error.to_string()))?;
    store.ping().await.map_err(failed)?;
    let (value, text) = match &arguments.query {
        Query::Session(id) => {
            let entry = store.load(&EntryKey::session(*id)).await.map_err(failed)?;
            let entry = entry.ok_or_else(|| Failure::NotFound(format!("there is no session {id}")))?;
            let record = Record::from_bytes(entry.shared_bytes().clone());
            let record = record.map_err(|error| Failure::Store(error.to_string()))?;
            let session = session::Session { id: *id, record, now: SystemClock.now() };
            (session.to_json(), session.to_string())
        }
        Query::Sessions { user, scope } => {
            let entry = store.load(&EntryKey::session_list(scope, user)).await.map_err(failed)?;
            let entry = entry.ok_or_else(|| {
                Failure::NotFound(format!(
                    "there is no list of sessions of `{user}` in the scope `{scope}`: the user has not logged in since the \
                     setting `track_devices` was on"
                ))
            })?;
            let list = SessionList::from_bytes(entry.bytes()).map_err(|error| Failure::Store(error.to_string()))?;
            let keys: Vec<_> = list.sessions().iter().map(|listed| EntryKey::session(listed.id)).collect();
            let entries = store.load_many(&keys).await.map_err(failed)?;
            let sessions = list::Sessions::new(list, entries, SystemClock.now());
            (sessions.to_json(), sessions.to_string())
        }
    };
    Ok(if arguments.json { text::json(&value) } else { text })
}

fn failed(error: sessionkit::StoreError) -> Failure {
    Failure::Store(format!("{error:?}"))
}

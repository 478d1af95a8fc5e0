//! Stores called directly, without a framework above them.

use std::fmt;
use std::rc::Rc;

use sessionkit::MemoryStore;
use sessionkit::file::FileStore;
use tempfile::TempDir;

use super::sockets::median;
use crate::process::Result;
use crate::redis_server::RedisServer;
use crate::servers::{MariaDbServer, PostgresServer};
use crate::stores::by_hand::Files;
use crate::stores::measured::{Filled, Measured, SESSIONS};
use crate::stores::ours::{Entries, Ours};
use crate::stores::peers::{self, AXUM_SESSION_TABLE, ActixSession, AxumSession, TowerSessions};
use crate::stores::place::Place;
use crate::stores::{LISTED, Operation};
use crate::table::{Table, nothing, whole};

/// The stores take turns this often; the median counts.
const ROUNDS: usize = 7;

/// The numbers of callers at a time.
const CALLERS: [usize; 2] = [1, 32];

const OURS: &str = "SessionKit";
const TOWER_SESSIONS: &str = "tower-sessions";
const AXUM_SESSION: &str = "axum_session";

/// The kinds of stores, each with what was measured.
pub struct Stores(Vec<Kind>);

/// The stores of one kind.
struct Kind {
    title: &'static str,
    stores: Vec<Figures>,
}

/// The figures of one store.
struct Figures {
    name: String,
    /// The bytes of a session.
    bytes: Option<f64>,
    /// The operations per second in each turn, by operation and number of callers.
    turns: Vec<Vec<Option<f64>>>,
}

pub async fn measure() -> Result<Stores> {
    let entries = Entries::new().await?;
    Ok(Stores(vec![
        memory(&entries).await?,
        redis(&entries).await?,
        files(&entries).await?,
        sqlite(&entries).await?,
        postgres(&entries).await?,
        mariadb(&entries).await?,
    ]))
}

async fn memory(entries: &Rc<Entries>) -> Result<Kind> {
    // A bound that no measurement meets.
    let ours = Ours::new(MemoryStore::with_capacity(2_000_000), entries).await?;
    let tower = TowerSessions(tower_sessions_for_stores::MemoryStore::default());
    let stores = vec![Filled::boxed(OURS, ours, Place::Heap), Filled::boxed(TOWER_SESSIONS, tower, Place::Heap)];
    take_turns("Memory", stores).await
}

async fn redis(entries: &Rc<Entries>) -> Result<Kind> {
    let server = RedisServer::start()?;
    // A database each.
    let url = |number: usize| format!("{}{number}", server.url());
    let place = |number: usize| Place::Redis(url(number));
    let ours = Ours::new(connect(&url(0)).await?, entries).await?;
    let tower = TowerSessions(peers::tower_redis(&url(1)).await?);
    let axum = AxumSession::new(peers::axum_redis(&url(2))?).await?;
    let actix = ActixSession::new(&url(3)).await?;
    let stores = vec![
        Filled::boxed(OURS, ours, place(0)),
        Filled::boxed(TOWER_SESSIONS, tower, place(1)),
        Filled::boxed(AXUM_SESSION, axum, place(2)),
        Filled::boxed("actix-session", actix, place(3)),
    ];
    take_turns("Redis", stores).await
}

async fn files(entries: &Rc<Entries>) -> Result<Kind> {
    let directory = directory()?;
    let path = |name: &str| directory.path().join(name);
    let place = |name: &str| Place::Directory(path(name));
    let ours = Ours::new(FileStore::open(path("ours")).map_err(|error| error.to_string())?, entries).await?;
    // What a file of ours holds: the frame around the entry comes to as much.
    let length = ours.length() + 64;
    let renaming = Files::new(&path("renaming"), length, false)?;
    let syncing = Files::new(&path("syncing"), length, true)?;
    let stores = vec![
        Filled::boxed(OURS, ours, place("ours")),
        Filled::boxed("by hand: write, fsync, rename", renaming, place("renaming")),
        Filled::boxed("by hand: write, fsync, rename, fsync of the directory", syncing, place("syncing")),
    ];
    take_turns("Files", stores).await
}

async fn sqlite(entries: &Rc<Entries>) -> Result<Kind> {
    let directory = directory()?;
    let url = |name: &str| format!("sqlite:{}", directory.path().join(name).display());
    let place = |name: &str| Place::Sqlite(url(name));
    let ours = Ours::new(connect(&url("ours")).await?, entries).await?;
    let tower = TowerSessions(peers::tower_sqlite(&url("tower")).await?);
    let axum = AxumSession::new(peers::axum_sqlite(&url("axum")).await?).await?;
    let stores = vec![
        Filled::boxed(OURS, ours, place("ours")),
        Filled::boxed(TOWER_SESSIONS, tower, place("tower")),
        Filled::boxed(AXUM_SESSION, axum, place("axum")),
    ];
    take_turns("SQLite", stores).await
}

async fn postgres(entries: &Rc<Entries>) -> Result<Kind> {
    let server = PostgresServer::start();
    let url = server.url();
    let place = |table| Place::Postgres(url.clone(), table);
    let ours = Ours::new(connect(&url).await?, entries).await?;
    let tower = TowerSessions(peers::tower_postgres(&url).await?);
    let axum = AxumSession::new(peers::axum_postgres(&url).await?).await?;
    let stores = vec![
        Filled::boxed(OURS, ours, place("sessionkit_sessions")),
        Filled::boxed(TOWER_SESSIONS, tower, place("tower_sessions.session")),
        Filled::boxed(AXUM_SESSION, axum, place(AXUM_SESSION_TABLE)),
    ];
    take_turns("PostgreSQL", stores).await
}

async fn mariadb(entries: &Rc<Entries>) -> Result<Kind> {
    let server = MariaDbServer::start().await?;
    let url = server.url();
    let place = |table| Place::MySql(url.clone(), table);
    let ours = Ours::new(connect(&url).await?, entries).await?;
    let tower = TowerSessions(peers::tower_mysql(&url).await?);
    let axum = AxumSession::new(peers::axum_mysql(&url).await?).await?;
    let stores = vec![
        Filled::boxed(OURS, ours, place("sessionkit_sessions")),
        Filled::boxed(TOWER_SESSIONS, tower, place("tower_sessions.session")),
        Filled::boxed(AXUM_SESSION, axum, place(AXUM_SESSION_TABLE)),
    ];
    take_turns("MariaDB", stores).await
}

async fn connect(url: &str) -> Result<sessionkit::store::AnyStore> {
    sessionkit::connect(url).await.map_err(|error| format!("{error:?}"))
}

/// A directory that goes when this is dropped.
pub fn directory() -> Result<TempDir> {
    TempDir::with_prefix("sessionkit-bench-").map_err(|error| error.to_string())
}

async fn take_turns(title: &'static str, mut stores: Vec<Box<dyn Measured>>) -> Result<Kind> {
    eprintln!("bench: stores: {title}");
    let mut figures = Vec::new();
    for store in &mut stores {
        let bytes = store.fill().await.map_err(|error| format!("{title}, {}: {error}", store.name()))?;
        let turns = vec![Vec::new(); Operation::ALL.len() * CALLERS.len()];
        figures.push(Figures { name: store.name().to_owned(), bytes, turns });
    }
    // The first round warms up.
    for round in 0..=ROUNDS {
        for callers in CALLERS {
            for operation in Operation::ALL {
                for (store, figures) in stores.iter_mut().zip(&mut figures) {
                    let turn = store.turn(operation, callers).await;
                    let turn = turn.map_err(|error| format!("{title}, {}, {operation:?}: {error}", store.name()))?;
                    if round > 0 {
                        figures.turns[place_of(operation, callers)].push(turn);
                    }
                }
            }
        }
    }
    Ok(Kind { title, stores: figures })
}

fn place_of(operation: Operation, callers: usize) -> usize {
    let operation = Operation::ALL.iter().position(|one| *one == operation).unwrap_or_default();
    let callers = CALLERS.iter().position(|one| *one == callers).unwrap_or_default();
    operation * CALLERS.len() + callers
}

/// The columns.
const SHOWN: [(Operation, &str); 5] = [
    (Operation::Load, "load"),
    (Operation::Commit, "commit"),
    (Operation::Insert, "insert"),
    (Operation::Remove, "remove"),
    (Operation::List, "list"),
];

impl Figures {
    /// The median of the turns of an operation.
    fn shown(&self, operation: Operation) -> String {
        both(|callers| Some(whole(median(self.known(operation, callers)?))))
    }

    /// The median of the ratios of turns that followed each other.
    fn ratio(&self, other: &Self, operation: Operation) -> String {
        both(|callers| {
            let (mine, theirs) = (self.known(operation, callers)?, other.known(operation, callers)?);
            Some(format!("{:.2}", median(mine.iter().zip(theirs).map(|(mine, theirs)| mine / theirs).collect())))
        })
    }

    fn known(&self, operation: Operation, callers: usize) -> Option<Vec<f64>> {
        self.turns[place_of(operation, callers)].iter().copied().collect()
    }

    fn bytes(&self) -> String {
        self.bytes.map_or_else(nothing, whole)
    }
}

/// Shows a figure for each number of callers.
fn both(figure: impl Fn(usize) -> Option<String>) -> String {
    let figures: Option<Vec<String>> = CALLERS.iter().map(|callers| figure(*callers)).collect();
    figures.map_or_else(nothing, |figures| figures.join(" / "))
}

fn head(first: &str) -> impl Iterator<Item = String> {
    let columns = SHOWN.iter().map(|(_, column)| (*column).to_owned());
    [first.to_owned()].into_iter().chain(columns).chain(["bytes per session".to_owned()])
}

fn row(name: String, cell: impl Fn(Operation) -> String, bytes: String) -> impl Iterator<Item = String> {
    let cells = SHOWN.map(|(operation, _)| cell(operation));
    [name].into_iter().chain(cells).chain([bytes])
}

impl fmt::Display for Stores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [one, many] = CALLERS;
        writeln!(
            f,
            "Calls per second, with one caller and with {many}; *list* loads the list of a user and its {LISTED} \
             sessions. Every store holds {} sessions.\n\n### SessionKit's stores\n",
            whole(SESSIONS as f64)
        )?;
        let mut table = Table::new(head(&format!("{one} caller / {many} callers")));
        for Kind { title, stores } in &self.0 {
            let ours = &stores[0];
            table.row(row((*title).to_owned(), |operation| ours.shown(operation), ours.bytes()));
        }
        writeln!(f, "{table}")?;
        for kind in &self.0 {
            writeln!(f, "{kind}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [one, many] = CALLERS;
        let mut table = Table::new(head(&format!("{one} caller / {many} callers")));
        for store in &self.stores {
            table.row(row(store.name.clone(), |operation| store.shown(operation), store.bytes()));
        }
        let (ours, others) = self.stores.split_first().ok_or(fmt::Error)?;
        for other in others {
            let name = format!("{} ÷ {}", ours.name, other.name);
            table.row(row(name, |operation| ours.ratio(other, operation), nothing()));
        }
        write!(f, "### {}\n\n{table}", self.title)
    }
}

//! The workbench of one test: a store of its own, a clock that it moves, gates, and servers.

use std::path::{Path, PathBuf};
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use sessionkit::redis::RedisStore;
use sessionkit::testing::{CountingStore, ManualClock, TestSession};
use sessionkit::{
    KeyRing, OnServer, SessionConfig, SessionConfigBuilder, SessionManager, SessionManagerBuilder, SessionScope, Store,
};

use sessionkit::manual::{CookieHome, SessionsOf};
use sessionkit::store::{EntryKey, ListedSession, SessionList};

use super::sql::SqlTable;
use super::{Gates, ServerKind, TestServer, TestStore, Visitor};
use crate::servers::proxy::FaultProxy;
use crate::servers::redis::RedisServer;
use crate::servers::sqlite::SqliteFile;

/// The workbench of one test.
#[derive(Clone, Debug)]
pub struct Bench {
    /// The store, which counts the calls to it.
    pub store: CountingStore<TestStore>,
    /// The clock of all managers.
    pub clock: ManualClock,
    /// The gates at which handlers wait.
    pub gates: Gates,
    config: SessionConfig,
    server: Option<Arc<Mutex<TestServer>>>,
    network: Option<Arc<FaultProxy>>,
    /// The table of a store in a database.
    table: Option<SqlTable>,
}

/// The machine may be busy with other tests: only tests about deadlines want short ones.
fn patient() -> SessionConfigBuilder {
    let patient = Duration::from_secs(10);
    SessionConfig::builder().load_deadline(patient).commit_deadline(patient).user_deadline(patient)
}

/// The keys of all tests, which servers of several processes share.
fn keys() -> KeyRing {
    "3dBz3wXVEFmPe7Yxkzr8BqkeoYTKqCpOQxuL9mHDj1U".parse().expect("it is random")
}

impl Bench {
    /// A bench with a memory store.
    pub fn memory() -> Self {
        Self::new(TestStore::memory(), None)
    }

    /// A bench with a store in a directory of its own.
    pub fn file() -> Self {
        Self::new(TestStore::file(), None)
    }

    /// A bench with a Redis server of its own.
    pub fn redis() -> Self {
        let server = RedisServer::start();
        let store = TestStore::redis(&server);
        Self::new(store, Some(TestServer::Redis(server)))
    }

    /// A bench over a store whose servers the test looks after.
    pub fn over(store: RedisStore) -> Self {
        Self::new(TestStore::Redis(store), None)
    }

    /// A bench in the Redis Cluster that all tests share, with keys of its own.
    pub fn redis_cluster() -> Self {
        Self::new(TestStore::redis_cluster(), None)
    }

    /// A bench in the Redis master that sentinels watch, which all tests share, with keys of its own.
    pub fn redis_sentinel() -> Self {
        Self::new(TestStore::redis_sentinel(), None)
    }

    /// A bench with a table of its own in the PostgreSQL server that all tests share.
    pub async fn postgres() -> Self {
        Self::with_table(SqlTable::in_shared_postgres()).await
    }

    /// A bench with a table of its own in the MariaDB server that all tests share.
    pub async fn mariadb() -> Self {
        Self::with_table(SqlTable::in_shared_mariadb()).await
    }

    /// A bench with a SQLite file of its own.
    pub async fn sqlite() -> Self {
        let file = SqliteFile::new();
        let (store, pool) = (file.store().await, file.pool().await);
        Self { table: Some(SqlTable::in_sqlite(pool)), ..Self::new(TestStore::Sqlite(store), None) }
    }

    async fn with_table(table: SqlTable) -> Self {
        let store = table.store(table.url()).await;
        Self { table: Some(table), ..Self::new(store, None) }
    }

    /// A bench with a server of its own whose data survive a restart, and a store that never gives up by itself.
    pub async fn persistent(kind: ServerKind) -> Self {
        let server = TestServer::start(kind);
        let url = server.url();
        Self::patient(server, &url).await
    }

    /// A bench with a server of its own behind a [`network`](Self::network) that fails when told to, and a store that
    /// never gives up by itself.
    pub async fn proxied(kind: ServerKind) -> Self {
        let server = TestServer::start(kind);
        let network = FaultProxy::start(server.address()).await;
        let url = server.url_through(&network);
        Self { network: Some(Arc::new(network)), ..Self::patient(server, &url).await }
    }

    async fn patient(server: TestServer, url: &str) -> Self {
        let table = SqlTable::of(&server);
        let store = match &table {
            None => TestStore::patient_redis(url),
            Some(table) => table.store(url).await,
        };
        Self { table, ..Self::new(store, Some(server)) }
    }

    fn new(store: TestStore, server: Option<TestServer>) -> Self {
        let config = patient().keys(keys()).build().expect("the settings agree");
        let (clock, gates) = (ManualClock::new(), Gates::default());
        let server = server.map(|server| Arc::new(Mutex::new(server)));
        Self { store: CountingStore::new(store), clock, gates, config, server, network: None, table: None }
    }

    /// The same bench with other settings; deadlines stay at ten seconds unless set, and the keys are those of all tests.
    pub fn with_config(self, set: impl FnOnce(SessionConfigBuilder) -> SessionConfigBuilder) -> Self {
        self.with_keyless_config(|config| set(config.keys(keys())))
    }

    /// The same bench with other settings, and without keys unless they are set.
    pub fn with_keyless_config(mut self, set: impl FnOnce(SessionConfigBuilder) -> SessionConfigBuilder) -> Self {
        self.config = set(patient()).build().expect("the settings agree");
        self
    }

    /// The builder of a manager over the bench's store and clock, with its settings.
    pub fn builder(&self) -> SessionManagerBuilder {
        self.builder_over(self.store.clone())
    }

    /// The builder of a manager over another store, one that wraps the bench's as a rule.
    pub fn builder_over(&self, store: impl Store) -> SessionManagerBuilder {
        SessionManager::builder(store).config(self.config.clone()).clock(self.clock.clone())
    }

    /// A manager over the bench's store and clock.
    pub fn manager(&self) -> SessionManager {
        self.builder().build()
    }

    /// A manager of another scope.
    pub fn manager_of<Scope: SessionScope<Home = OnServer>>(&self) -> SessionManager<Scope> {
        self.builder().for_scope::<Scope>().build()
    }

    /// The builder of a manager whose sessions lie in the cookies themselves.
    pub fn in_cookie<Scope>(&self, sessions: impl SessionsOf<Scope::Home>) -> SessionManagerBuilder<Scope>
    where
        Scope: SessionScope<Home: CookieHome>,
    {
        SessionManager::builder_in_cookie(sessions).config(self.config.clone()).clock(self.clock.clone())
    }

    /// A manager over another store, one that wraps the bench's as a rule.
    pub fn manager_over(&self, store: impl Store) -> SessionManager {
        self.builder_over(store).build()
    }

    /// The network between the store and its server. Panics on a bench without one.
    pub fn network(&self) -> &FaultProxy {
        self.network.as_ref().expect("this bench has a network that fails")
    }

    /// Does something to the bench's own server: stops it, kills it. Panics on a bench without one.
    pub fn with_server<T>(&self, work: impl FnOnce(&mut TestServer) -> T) -> T {
        let server = self.server.as_ref().expect("this bench has a server of its own");
        work(&mut server.lock().expect("no holder panics"))
    }

    /// Does something to the Redis server: stops it, kills it, asks it. Panics on a bench without one.
    pub fn with_redis<T>(&self, work: impl FnOnce(&mut RedisServer) -> T) -> T {
        self.with_server(|server| match server {
            TestServer::Redis(server) => work(server),
            _ => panic!("this bench has no Redis server"),
        })
    }

    /// The table of the store. Panics on a bench without one.
    pub fn table(&self) -> &SqlTable {
        self.table.as_ref().expect("this bench has a table")
    }

    /// Everything that the store holds, as text, to search it for secrets.
    pub fn dump(&self) -> String {
        String::from_utf8_lossy(&self.dump_bytes()).into_owned()
    }

    /// Everything that the store holds, byte for byte, keys included as they print.
    pub fn dump_bytes(&self) -> Vec<u8> {
        match self.store.inner() {
            TestStore::Memory(store) => {
                let record = |(id, record): (sessionkit::SessionId, sessionkit::store::Record)| {
                    [id.as_bytes().to_vec(), id.to_string().into(), record.as_bytes().to_vec()].concat()
                };
                store.dump().into_iter().flat_map(record).collect()
            }
            TestStore::Redis(_) => {
                let client = redis::Client::open(self.with_redis(|server| server.url())).expect("the URL is valid");
                let mut connection = client.get_connection().expect("the server answers");
                let keys: Vec<Vec<u8>> =
                    redis::cmd("KEYS").arg("*").query(&mut connection).expect("the server answers");
                let mut value = |key: &Vec<u8>| -> Vec<u8> {
                    redis::cmd("GET").arg(key).query(&mut connection).expect("the server answers")
                };
                keys.iter().flat_map(|key| [key.clone(), value(key)].concat()).collect()
            }
            TestStore::Fleet(_, fleet) => {
                let keys = fleet.keys();
                keys.iter().flat_map(|key| [key.clone().into_bytes(), fleet.value(key)].concat()).collect()
            }
            TestStore::File(_, directory) => {
                let contents = |file: &PathBuf| std::fs::read(file).expect("nobody removes it meanwhile");
                let key =
                    |file: &PathBuf| key_of(file).map(|key| [key.as_bytes(), key.to_string().as_bytes()].concat());
                let name = |file: &PathBuf| file.as_os_str().as_encoded_bytes().to_vec();
                let files = files_in(directory.path());
                let all = |file| [name(file), key(file).unwrap_or_default(), contents(file)].concat();
                files.iter().flat_map(all).collect()
            }
            TestStore::Postgres(_) | TestStore::MySql(_) | TestStore::Sqlite(_) => self.table().dump(),
        }
    }

    /// The file of an entry. Panics on a bench whose store has none.
    pub fn file_of(&self, key: &EntryKey) -> PathBuf {
        match self.store.inner() {
            TestStore::File(store, _) => store.path(key),
            _ => panic!("this bench has no files"),
        }
    }

    /// The list of the sessions of a user of the main scope, as it is stored. It is not counted as a call.
    pub async fn listed(&self, user: &str) -> Vec<ListedSession> {
        let key = EntryKey::session_list("Main", user);
        let entry = self.store.inner().load(&key).await.expect("the store answers");
        let list = entry.map(|entry| SessionList::from_bytes(entry.bytes()).expect("the list is whole"));
        list.map(|list| list.sessions().to_vec()).unwrap_or_default()
    }

    /// Returns how many sessions the store holds.
    pub fn sessions(&self) -> usize {
        match self.store.inner() {
            TestStore::Memory(store) => store.len(),
            TestStore::Redis(_) => {
                let keys = self.with_redis(|server| server.cli(&["--raw", "KEYS", "*"]));
                keys.lines().filter(|key| !key.is_empty() && is_session(key)).count()
            }
            TestStore::Fleet(_, fleet) => fleet.keys().iter().filter(|key| is_session(key)).count(),
            TestStore::File(_, directory) => {
                let files = files_in(directory.path());
                files.iter().filter_map(|file| key_of(file)?.session_id()).count()
            }
            TestStore::Postgres(_) | TestStore::MySql(_) | TestStore::Sqlite(_) => self.table().sessions(),
        }
    }
}

/// Returns whether a key of Redis is a session's, not that of a list or an adoption.
fn is_session(key: &str) -> bool {
    !key.contains(":@") && !key.contains(":~")
}

/// Returns all regular files in a directory and those below it.
fn files_in(directory: &Path) -> Vec<PathBuf> {
    let (mut files, mut directories) = (Vec::new(), vec![directory.to_owned()]);
    while let Some(directory) = directories.pop() {
        for entry in std::fs::read_dir(directory).expect("the directory is there") {
            let entry = entry.expect("the directory can be listed");
            let kind = entry.file_type().expect("the entry is there");
            if kind.is_dir() {
                directories.push(entry.path());
            } else if kind.is_file() {
                files.push(entry.path());
            }
        }
    }
    files
}

/// Returns the key of the entry whose file this is.
fn key_of(file: &Path) -> Option<EntryKey> {
    let (kind, digits) = file.file_name()?.to_str()?.split_at_checked(1)?;
    let pairs = digits.as_bytes().chunks(2);
    let byte = |pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    let bytes: Option<Vec<u8>> = pairs.map(byte).collect();
    EntryKey::from_bytes(&[kind.as_bytes(), &bytes?].concat())
}

/// The longest wait for the threads of a server.
const END: Duration = Duration::from_secs(20);

/// A running server of one of the frameworks. It ends when this is dropped.
#[derive(Debug)]
pub struct Server {
    address: std::net::SocketAddr,
    /// Ends the server when it is dropped.
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    /// Disconnected once its threads have ended.
    ended: Option<Mutex<Receiver<()>>>,
}

/// The time at which the threads of a server last ended.
static LAST_END: Mutex<Option<Instant>> = Mutex::new(None);

/// Returns whether a connection of this age is younger than the last end of a server. One that a thread of that server opened
/// belongs to a runtime that is gone. A pool does not always notice: its question is answered if the answer is there at
/// once.
pub(super) fn is_of_a_running_server(age: Duration) -> bool {
    LAST_END.lock().expect("nothing panics that holds it").is_none_or(|end| age < end.elapsed())
}

/// Waits for the threads of the server.
impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(ended) = &mut self.ended {
            let _ = ended.get_mut().expect("nothing panics that holds it").recv_timeout(END);
            *LAST_END.lock().expect("nothing panics that holds it") = Some(Instant::now());
        }
    }
}

impl Server {
    /// Wraps a server that listens here and ends when `stop` is dropped.
    pub fn new(address: std::net::SocketAddr, stop: tokio::sync::oneshot::Sender<()>) -> Self {
        Self { address, stop: Some(stop), ended: None }
    }

    /// Says that the server has threads, and that the other end of this channel is there until they have ended.
    #[must_use]
    pub fn ends_with(mut self, ended: Receiver<()>) -> Self {
        self.ended = Some(Mutex::new(ended));
        self
    }

    /// Returns the address at which the server listens.
    pub fn address(&self) -> std::net::SocketAddr {
        self.address
    }

    /// A new visitor, without cookies.
    pub fn visitor(&self) -> Visitor {
        Visitor::new(self.address)
    }

    /// A visitor with the cookie of a session that was made beforehand.
    pub fn visitor_with(&self, session: &TestSession) -> Visitor {
        let visitor = self.visitor();
        if let Some((_, token)) = session.cookie().split_once('=') {
            visitor.set_token(token);
        }
        visitor
    }
}

//! The workbench of one test: a store of its own, a clock that it moves, gates, and servers.

use std::sync::{Arc, Mutex};

use sessionkit::testing::{CountingStore, ManualClock, TestSession};
use sessionkit::{SessionConfig, SessionConfigBuilder, SessionManager, SessionManagerBuilder, SessionScope, Store};

use sessionkit::store::{EntryKey, ListedSession, SessionList};

use super::{Gates, TestStore, Visitor};
use crate::servers::proxy::FaultProxy;
use crate::servers::redis::RedisServer;

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
    redis: Option<Arc<Mutex<RedisServer>>>,
    network: Option<Arc<FaultProxy>>,
}

impl Bench {
    /// A bench with a memory store.
    pub fn memory() -> Self {
        Self::new(TestStore::memory(), None)
    }

    /// A bench with a Redis server of its own.
    pub fn redis() -> Self {
        let server = RedisServer::start();
        let store = TestStore::redis(&server);
        Self::new(store, Some(Arc::new(Mutex::new(server))))
    }

    /// A bench with a Redis server whose data survive a restart, and a store that never gives up by itself.
    pub fn persistent_redis() -> Self {
        let server = RedisServer::builder().persistent().start();
        let store = TestStore::patient_redis(&server.url());
        Self::new(store, Some(Arc::new(Mutex::new(server))))
    }

    /// A bench with a Redis server behind a [`network`](Self::network) that fails when told to, and a store that never
    /// gives up by itself.
    pub async fn proxied_redis() -> Self {
        let server = RedisServer::start();
        let network = FaultProxy::start(server.address()).await;
        let store = TestStore::patient_redis(&server.url_through(&network));
        Self { network: Some(Arc::new(network)), ..Self::new(store, Some(Arc::new(Mutex::new(server)))) }
    }

    fn new(store: TestStore, redis: Option<Arc<Mutex<RedisServer>>>) -> Self {
        // The machine may be busy with other tests: only tests about deadlines want short ones.
        let patient = std::time::Duration::from_secs(10);
        let config = SessionConfig::builder().load_deadline(patient).commit_deadline(patient).user_deadline(patient);
        let config = config.build().expect("the settings agree");
        let (clock, gates) = (ManualClock::new(), Gates::default());
        Self { store: CountingStore::new(store), clock, gates, config, redis, network: None }
    }

    /// The same bench with other settings; deadlines stay at ten seconds unless set.
    pub fn with_config(mut self, set: impl FnOnce(SessionConfigBuilder) -> SessionConfigBuilder) -> Self {
        let patient = std::time::Duration::from_secs(10);
        let builder = SessionConfig::builder().load_deadline(patient).commit_deadline(patient).user_deadline(patient);
        self.config = set(builder).build().expect("the settings agree");
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
    pub fn manager_of<Scope: SessionScope>(&self) -> SessionManager<Scope> {
        self.builder().for_scope::<Scope>().build()
    }

    /// A manager over another store, one that wraps the bench's as a rule.
    pub fn manager_over(&self, store: impl Store) -> SessionManager {
        self.builder_over(store).build()
    }

    /// The network between the store and its server. Panics on a bench without one.
    pub fn network(&self) -> &FaultProxy {
        self.network.as_ref().expect("this bench has a network that fails")
    }

    /// Does something to the Redis server: stops it, kills it, asks it. Panics on a bench without one.
    pub fn with_redis<T>(&self, work: impl FnOnce(&mut RedisServer) -> T) -> T {
        let server = self.redis.as_ref().expect("this bench has a Redis server");
        work(&mut server.lock().expect("no holder panics"))
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
                // What is under `@` is of the index of devices.
                let keys = self.with_redis(|server| server.cli(&["--raw", "KEYS", "*"]));
                keys.lines().filter(|key| !key.is_empty() && !key.contains(":@")).count()
            }
        }
    }
}

/// A running server of one of the frameworks. It ends with the test.
#[derive(Debug)]
pub struct Server {
    address: std::net::SocketAddr,
    /// Ends the server when it is dropped.
    _stop: tokio::sync::oneshot::Sender<()>,
}

impl Server {
    /// Wraps a server that listens here and ends when `stop` is dropped.
    pub fn new(address: std::net::SocketAddr, stop: tokio::sync::oneshot::Sender<()>) -> Self {
        Self { address, _stop: stop }
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

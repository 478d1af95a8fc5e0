//! A connection for each runtime that asks.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio::runtime::{Handle, Id};
use tokio::task::AbortHandle;

use super::connection::Connection;
use super::endpoint::Endpoint;

/// The runtime that a store was built in, or is bound to.
#[derive(Clone)]
pub(super) struct Home {
    runtime: Handle,
    serves_all: bool,
}

impl Home {
    /// The runtime in which the store is built, which serves those who call in it.
    pub(super) fn for_itself(runtime: Handle) -> Self {
        Self { runtime, serves_all: false }
    }

    /// The one runtime that serves all callers.
    pub(super) fn for_all(runtime: Handle) -> Self {
        Self { runtime, serves_all: true }
    }

    fn built_in(&self) -> Option<Id> {
        (!self.serves_all).then(|| self.runtime.id())
    }

    /// Runs a task that concerns the whole store: in the runtime that built it, or if that is over in the one that calls.
    pub(super) fn spawn<Task>(&self, task: impl Fn() -> Task) -> AbortHandle
    where
        Task: Future<Output = ()> + Send + 'static,
    {
        let spawned = self.runtime.spawn(task()).abort_handle();
        match Handle::try_current() {
            // A runtime that is over ends what it is given at once.
            Ok(runtime) if spawned.is_finished() => runtime.spawn(task()).abort_handle(),
            _ => spawned,
        }
    }

    /// Runs a task in the runtime that calls, or else here.
    pub(super) fn spawn_here(&self, task: impl Future<Output = ()> + Send + 'static) {
        match Handle::try_current() {
            Ok(runtime) if !self.serves_all => runtime.spawn(task),
            _ => self.runtime.spawn(task),
        };
    }
}

/// The connections of a store to one server, shared by all its clones.
///
/// A worker of actix-web is a runtime of its own, on a thread of its own. Over a connection that lives on another thread
/// each call would wake two threads, and wait for both.
#[derive(Clone)]
pub(super) struct Connections(Arc<Shared>);

struct Shared {
    endpoint: Arc<Endpoint>,
    connect_timeout: Duration,
    /// The connection of the runtime in which the store was built, or of the one that was named.
    home: Connection,
    /// The runtime in which the store was built; `None` if one was named, which then serves all callers.
    built_in: Option<Id>,
    others: RwLock<Vec<(Id, Connection)>>,
}

impl Connections {
    /// Makes connections to a server, which are opened when they are used.
    pub(super) fn new(endpoint: Endpoint, home: Home, connect_timeout: Duration) -> Self {
        let endpoint = Arc::new(endpoint);
        let built_in = home.built_in();
        let home = Connection::new(endpoint.clone(), home.runtime, connect_timeout);
        Self(Arc::new(Shared { endpoint, connect_timeout, home, built_in, others: RwLock::default() }))
    }

    /// Returns whether a connection is open in any runtime, as far as is known.
    pub(super) fn is_open(&self) -> bool {
        let others = self.0.others.read().unwrap_or_else(PoisonError::into_inner);
        self.0.home.is_open() || others.iter().any(|(_, connection)| connection.is_open())
    }

    /// Returns the connection of the runtime that calls.
    pub(super) fn here(&self) -> Connection {
        let shared = &*self.0;
        let Some(built_in) = shared.built_in else { return shared.home.clone() };
        // A caller outside of any runtime can await the connection of another.
        let Ok(runtime) = Handle::try_current() else { return shared.home.clone() };
        let id = runtime.id();
        if id == built_in {
            return shared.home.clone();
        }
        let found = shared.find(id);
        found.unwrap_or_else(|| shared.add(id, runtime))
    }
}

impl fmt::Debug for Connections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0.endpoint, f)
    }
}

impl Shared {
    fn find(&self, id: Id) -> Option<Connection> {
        // Nothing that is done under the lock can panic half-way.
        let others = self.others.read().unwrap_or_else(PoisonError::into_inner);
        others.iter().find(|(runtime, _)| *runtime == id).map(|(_, connection)| connection.clone())
    }

    /// Adds the connection of a runtime, and forgets those whose runtime is over.
    fn add(&self, id: Id, runtime: Handle) -> Connection {
        let mut others = self.others.write().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, connection)) = others.iter().find(|(other, _)| *other == id) {
            return connection.clone();
        }
        others.retain(|(_, connection)| !connection.is_over());
        let connection = Connection::new(self.endpoint.clone(), runtime, self.connect_timeout);
        others.push((id, connection.clone()));
        connection
    }
}

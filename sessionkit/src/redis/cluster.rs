//! A Redis Cluster: the master of a key's slot, and the way to it when it moves.
//!
//! Each command has one key and goes to the master of its slot, over a [`Connection`] as one to a single server: with its
//! role checks, its backoff, and its errors that say whether something may have happened. What a node refused was not
//! executed, and is sent where the node says; a command whose answer was lost is never sent again from here.

mod discovery;
mod slots;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::fmt;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use ::redis::{Cmd, Pipeline, Value};
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use self::discovery::Refreshes;
use self::slots::SlotMap;
use super::address::Address;
use super::backoff::Backoff;
use super::connection::Connection;
use super::connections::{Connections, Home};
use super::endpoint::Endpoint;
use super::failure::{Failure, Redirection};
use super::link::Link;

pub(super) use self::slots::{Topology, hash_tag, merged, slot_of};

/// A call waits this long for a slot that has no master, which is the longest of the default deadlines.
const PATIENCE: Duration = Duration::from_millis(500);

/// The interval at which a call that waits for a node has the cluster asked whether another one took over.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// After this many redirections a command is not sent on: the nodes do not agree.
const REDIRECTIONS: u32 = 16;

/// The nodes of a cluster, shared by all clones of a store.
#[derive(Clone)]
pub(super) struct Cluster(Arc<Shared>);

struct Shared {
    seeds: Vec<Endpoint>,
    home: Home,
    connect_timeout: Duration,
    map: watch::Sender<Arc<SlotMap>>,
    /// All nodes to which there are connections, also those that have no slot yet.
    nodes: Mutex<HashMap<Address, Arc<Node>>>,
    refreshes: Refreshes,
}

/// A node, and the connection to it, which is opened when a command goes there.
pub(super) struct Node {
    pub(super) address: Address,
    pub(super) connections: Connections,
}

impl Cluster {
    /// Makes a cluster of which some nodes are known.
    pub(super) fn new(seeds: Vec<Endpoint>, home: Home, connect_timeout: Duration) -> Self {
        Self(Arc::new(Shared {
            seeds,
            home,
            connect_timeout,
            map: watch::Sender::default(),
            nodes: Mutex::default(),
            refreshes: Refreshes::default(),
        }))
    }

    /// Sends a command to the master of its key's slot and awaits its reply, for as long as the caller does.
    ///
    /// Dropping the future gives up the reply; the command may be executed all the same.
    pub(super) async fn call(&self, slot: u16, command: &Cmd) -> Result<Value, Failure> {
        self.route(slot, Sending::One(command)).await
    }

    /// Sends commands in a row to the master of this slot, and returns all replies, or one of the refusals.
    pub(super) async fn call_all(&self, slot: u16, commands: &Pipeline) -> Result<Vec<Value>, Failure> {
        match self.route(slot, Sending::All(commands)).await? {
            Value::Array(replies) => Ok(replies),
            other => Ok(vec![other]),
        }
    }

    async fn route(&self, slot: u16, sending: Sending<'_>) -> Result<Value, Failure> {
        let give_up = Instant::now() + PATIENCE;
        let (mut redirections, mut asks, mut backoff) = (0, None::<Address>, Backoff::default());
        loop {
            let (outcome, node) = match asks.take() {
                None => {
                    let (link, node) = self.link_of(slot, give_up, &mut backoff).await?;
                    (sending.send(&link).await, node)
                }
                Some(address) => {
                    let node = self.0.node_at(&address);
                    match node.connections.here().link().await {
                        Ok(link) => (sending.send_asking(&link).await, node),
                        Err(failure) => (Err(failure), node),
                    }
                }
            };
            let failure = match outcome {
                Err(Failure::Redirected(to)) if redirections < REDIRECTIONS => {
                    redirections += 1;
                    // The nodes do not agree yet.
                    if redirections > 2 {
                        backoff.pause_until(give_up).await;
                    }
                    asks = self.0.follow(to, &node);
                    continue;
                }
                Err(failure) if failure.may_be_sent_elsewhere() => failure,
                outcome => return outcome,
            };
            if Instant::now() >= give_up {
                return Err(failure);
            }
            backoff.pause_until(give_up).await;
            self.0.refresh_beside();
        }
    }

    /// Makes sure that the cluster is known, and that each of its masters answers.
    pub(super) async fn ping(&self) -> Result<(), Failure> {
        self.refresh().await?;
        let map = self.map();
        let outcome = Self::ping_masters_in(&map).await;
        if outcome.is_ok() {
            return outcome;
        }
        // The node that was asked may not have heard yet that another one took over.
        self.refresh().await?;
        let newer = self.map();
        if newer.fingerprint() == map.fingerprint() { outcome } else { Self::ping_masters_in(&newer).await }
    }

    async fn ping_masters_in(map: &SlotMap) -> Result<(), Failure> {
        if !map.is_complete() {
            return Err(Failure::NotConnected("some slots of the cluster have no master".to_owned()));
        }
        for node in map.masters() {
            node.connections.here().ping().await?;
        }
        Ok(())
    }

    /// Returns a master that answers: any, since each passes on what is published at another.
    pub(super) async fn any_node(&self) -> Result<Connection, Failure> {
        let mut failure = Failure::NotConnected("the cluster has no masters".to_owned());
        for connection in self.open_first().await? {
            match connection.confirm().await {
                Ok(()) => return Ok(connection),
                Err(other) => failure = other,
            }
        }
        self.0.refresh_beside();
        Err(failure)
    }

    /// Returns the connections to all masters, first those that are open.
    pub(super) async fn open_first(&self) -> Result<Vec<Connection>, Failure> {
        if self.map().masters().is_empty() {
            self.refresh().await?;
        }
        let (mut open, others): (Vec<_>, Vec<_>) = self.masters().into_iter().partition(Connection::is_open);
        open.extend(others);
        Ok(open)
    }

    /// Returns the connections to all masters that are known.
    pub(super) fn masters(&self) -> Vec<Connection> {
        self.map().masters().iter().map(|node| node.connections.here()).collect()
    }

    /// Returns the slots of all masters. The cluster is asked for them now.
    ///
    /// # Errors
    /// Fails when a slot has no master.
    pub(super) async fn topology(&self) -> Result<Topology, Failure> {
        self.refresh().await?;
        let map = self.map();
        if map.is_complete() {
            return Ok(Topology(map));
        }
        Err(Failure::NotConnected("some slots of the cluster have no master: not all entries can be listed".to_owned()))
    }

    /// Returns the master of a slot if it is known.
    pub(super) fn master_of(&self, slot: u16) -> Option<Arc<Node>> {
        self.map().master_of(slot).cloned()
    }

    /// Returns the connection to the master of a slot that is open, or else waits for one, or for another master.
    async fn link_of(
        &self,
        slot: u16,
        give_up: Instant,
        backoff: &mut Backoff,
    ) -> Result<(Arc<Link>, Arc<Node>), Failure> {
        let mut failure = None;
        loop {
            let Some(node) = self.master_of(slot) else {
                let refreshed = if self.map().is_empty() {
                    self.refresh().await
                } else {
                    // All who wait for the slot ask once in a while.
                    self.0.refresh_beside();
                    Ok(())
                };
                if self.master_of(slot).is_some() {
                    continue;
                }
                if Instant::now() >= give_up {
                    let no_master = || Failure::NotConnected("the slot of the key has no master".to_owned());
                    return Err(refreshed.err().or(failure).unwrap_or_else(no_master));
                }
                let mut map = self.0.map.subscribe();
                let found = async { drop(map.wait_for(|map| map.master_of(slot).is_some()).await) };
                first_of(found, backoff.pause_until(give_up)).await;
                continue;
            };
            if let Some(link) = node.connections.here().ready(Instant::now()) {
                return Ok((link, node));
            }
            match self.link_or_another_master(slot, &node).await {
                None => {}
                Some(Ok(link)) => return Ok((link, node)),
                Some(Err(error)) => {
                    if Instant::now() >= give_up {
                        return Err(error);
                    }
                    // Another node may have taken over. Those that are asked may not know it yet.
                    let _ = self.refresh().await;
                    if self.master_of(slot).is_some_and(|master| master.address == node.address) {
                        backoff.pause_until(give_up).await;
                    }
                    failure = Some(error);
                }
            }
        }
    }

    /// Waits for a connection to a node; `None` if another one is the master of the slot before there is any. Nothing was
    /// sent then.
    async fn link_or_another_master(&self, slot: u16, node: &Arc<Node>) -> Option<Result<Arc<Link>, Failure>> {
        let mut map = self.0.map.subscribe();
        let connection = node.connections.here();
        let mut link = Box::pin(connection.link());
        let is_another = |map: &Arc<SlotMap>| map.master_of(slot).is_some_and(|master| master.address != node.address);
        loop {
            if !connection.is_open() {
                self.0.refresh_beside();
            }
            let linked = async { Some(Some((&mut link).await)) };
            let moved = async {
                let _ = map.wait_for(is_another).await;
                Some(None)
            };
            let paused = async {
                sleep(LOOK_AGAIN).await;
                None
            };
            if let Some(outcome) = first_of(linked, first_of(moved, paused)).await {
                return outcome;
            }
        }
    }

    /// Asks the cluster for its slots, together with all who do so now.
    async fn refresh(&self) -> Result<(), Failure> {
        let mut rounds = self.0.refreshes.subscribe();
        self.0.refresh_at_once();
        // A refresh that cannot be ended by its runtime ends by itself.
        let _ = rounds.changed().await;
        let outcome = rounds.borrow().clone();
        outcome.map_err(|reason| Failure::NotConnected(reason.to_string()))
    }

    fn map(&self) -> Arc<SlotMap> {
        self.0.map.borrow().clone()
    }

    /// Returns the runtime that the store was built in.
    pub(super) fn home(&self) -> &Home {
        &self.0.home
    }
}

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.0.seeds).finish()
    }
}

impl Shared {
    /// Returns the node at an address, which is a new one if it is not known yet.
    fn node_at(&self, address: &Address) -> Arc<Node> {
        let mut nodes = self.lock();
        if let Some(node) = nodes.get(address) {
            return node.clone();
        }
        let endpoint = self.seeds[0].of_node(address.clone());
        let connections = Connections::new(endpoint, self.home.clone(), self.connect_timeout);
        let node = Arc::new(Node { address: address.clone(), connections });
        nodes.insert(address.clone(), node.clone());
        node
    }

    /// Notes where a node sent a command; returns the address to send it to just once.
    fn follow(self: &Arc<Self>, to: Redirection, from: &Node) -> Option<Address> {
        let mut address = to.address;
        if address.host.is_empty() {
            address.host.clone_from(&from.address.host);
        }
        if to.is_for_once {
            return Some(address);
        }
        let node = self.node_at(&address);
        self.map.send_if_modified(|map| {
            let is_new = map.master_of(to.slot).is_none_or(|master| master.address != address);
            if is_new {
                *map = Arc::new(map.with_moved(to.slot, node));
            }
            is_new
        });
        // Other slots have moved as well, as a rule.
        self.refresh_beside();
        None
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Address, Arc<Node>>> {
        self.nodes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Awaits the first of two futures.
async fn first_of<T>(one: impl Future<Output = T>, other: impl Future<Output = T>) -> T {
    let (mut one, mut other) = (pin!(one), pin!(other));
    poll_fn(|context| match one.as_mut().poll(context) {
        Poll::Pending => other.as_mut().poll(context),
        ready => ready,
    })
    .await
}

/// The commands that are sent to a node, in a row.
#[derive(Clone, Copy)]
enum Sending<'a> {
    One(&'a Cmd),
    All(&'a Pipeline),
}

impl Sending<'_> {
    async fn send(self, link: &Link) -> Result<Value, Failure> {
        match self {
            Self::One(command) => link.send(command, Instant::now()).await,
            Self::All(commands) => {
                let replies: Result<Vec<Value>, Failure> = link.send_all(commands).await?.into_iter().collect();
                replies.map(Value::Array)
            }
        }
    }

    /// Sends them to a node to which their slot is on its way.
    async fn send_asking(self, link: &Link) -> Result<Value, Failure> {
        let mut asking = Pipeline::new();
        match self {
            Self::One(command) => drop(asking.cmd("ASKING").add_command(command.clone())),
            // It counts for one command.
            Self::All(commands) => commands.cmd_iter().for_each(|command| {
                asking.cmd("ASKING").add_command(command.clone());
            }),
        }
        let replies = link.send_all(&asking).await?.into_iter().skip(1).step_by(2);
        let mut replies = replies.collect::<Result<Vec<Value>, Failure>>()?;
        Ok(match self {
            Self::One(_) => replies.pop().unwrap_or(Value::Nil),
            Self::All(_) => Value::Array(replies),
        })
    }
}

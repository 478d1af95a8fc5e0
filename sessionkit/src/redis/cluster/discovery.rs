//! Asking the nodes who has the slots.

#[cfg(test)]
mod tests;

use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ::redis::{Value, cmd};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};

use super::slots::{Range, SlotMap, ranges_in};
use super::{Node, Shared, first_of};
use crate::redis::address::Address;
use crate::redis::backoff::Backoff;
use crate::redis::endpoint::Endpoint;

/// The shortest time between two refreshes that nobody waits for.
const PAUSE: Duration = Duration::from_millis(50);

/// A node that was asked has this time before the next one is asked as well.
const HEAD_START: Duration = Duration::from_millis(50);

/// A refresh may take this long beside the time for two connections.
const OVERTIME: Duration = Duration::from_secs(1);

/// The refreshes, of which one runs at a time.
pub(super) struct Refreshes {
    state: Mutex<State>,
    /// The outcome of the last one.
    outcome: watch::Sender<Result<(), Arc<str>>>,
}

#[derive(Default)]
struct State {
    runs: bool,
    began: Option<Instant>,
    /// The pauses while no node answers.
    backoff: Backoff,
}

impl Default for Refreshes {
    fn default() -> Self {
        Self { state: Mutex::default(), outcome: watch::Sender::new(Err("not asked yet".into())) }
    }
}

impl Refreshes {
    /// Returns the outcomes from now on.
    pub(super) fn subscribe(&self) -> watch::Receiver<Result<(), Arc<str>>> {
        self.outcome.subscribe()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shared {
    /// Asks the cluster for its slots unless it was asked just now.
    pub(super) fn refresh_beside(self: &Arc<Self>) {
        let now = Instant::now();
        let is_early = |began: Option<Instant>| began.is_some_and(|began| now < began + PAUSE);
        let state = self.refreshes.state();
        if !is_early(state.began) {
            self.begin_refresh(state, now);
        }
    }

    /// Asks the cluster for its slots; if it is being asked, the outcome of that has to do.
    pub(super) fn refresh_at_once(self: &Arc<Self>) {
        let state = self.refreshes.state();
        self.begin_refresh(state, Instant::now());
    }

    /// Begins a refresh unless one runs. If no node answered the last time, it comes after a pause.
    fn begin_refresh(self: &Arc<Self>, mut state: MutexGuard<'_, State>, now: Instant) {
        // One that takes longer belongs to a runtime that is blocked, or that nobody drives.
        let is_stuck = |began| now >= began + OVERTIME + self.connect_timeout * 2;
        if state.runs && !state.began.is_some_and(is_stuck) {
            return;
        }
        (state.runs, state.began) = (true, Some(now));
        let pause = state.backoff.wait_until(now);
        drop(state);
        let turn = Turn { shared: self.clone(), ended: false };
        // A task, so that a caller who gives up leaves nobody else without an answer.
        self.home.spawn_here(async move {
            if let Some(until) = pause {
                sleep_until(until).await;
            }
            let outcome = turn.shared.discover().await;
            turn.end(outcome);
        });
    }

    /// Asks the nodes one after the other, or next to each other if one takes its time, and believes the first.
    async fn discover(self: &Arc<Self>) -> Result<(), Arc<str>> {
        let (mut asked, mut reason) = (JoinSet::new(), Arc::<str>::from("no node of the cluster answers"));
        let mut candidates = self.candidates().into_iter();
        loop {
            let next = candidates.next();
            let is_last = next.is_none();
            if let Some(candidate) = next {
                let (bound, address) = (self.connect_timeout, candidate.address().clone());
                asked.spawn(async move {
                    let answer = timeout(bound, candidate.ask()).await;
                    let late = || format!("{address} did not answer within {bound:?}");
                    let ranges = answer.unwrap_or_else(|_| Err(late()))?;
                    ranges_in(ranges, &address).ok_or_else(|| format!("{address} knows of no cluster"))
                });
            }
            let answer = if is_last {
                asked.join_next().await
            } else {
                match timeout(HEAD_START, asked.join_next()).await {
                    Ok(answer) => answer,
                    Err(_) => continue,
                }
            };
            match answer {
                Some(Ok(Ok(ranges))) => {
                    self.learn(ranges);
                    return Ok(());
                }
                Some(Ok(Err(error))) => reason = error.into(),
                Some(Err(_)) => {}
                None => return Err(reason),
            }
        }
    }

    /// Returns those to ask: first the masters to which there are connections.
    fn candidates(&self) -> Vec<Candidate> {
        let map = self.map.borrow().clone();
        let (open, closed): (Vec<_>, Vec<_>) =
            map.masters().into_iter().partition(|node| node.connections.here().is_open());
        let mut open: Vec<_> = open.into_iter().map(Candidate::Open).collect();
        // Not always the same one.
        let turn = RandomState::new().hash_one(()) as usize;
        let count = open.len().max(1);
        open.rotate_left(turn % count);
        let seeds = self.seeds.iter().filter_map(Endpoint::node);
        let mut others: Vec<Address> = Vec::new();
        for address in seeds.chain(&map.replicas).chain(closed.iter().map(|node| &node.address)) {
            let is_open = open.iter().any(|known| known.address() == address);
            if !is_open && !others.contains(address) {
                others.push(address.clone());
            }
        }
        let template = &self.seeds[0];
        let others = others.into_iter().map(|address| Candidate::Closed(template.of_node(address)));
        open.into_iter().chain(others).collect()
    }

    fn learn(&self, ranges: Vec<Range>) {
        let map = Arc::new(SlotMap::new(ranges, |address| self.node_at(address)));
        let (masters, replicas) = (map.masters(), map.replicas.clone());
        self.map.send_replace(map);
        // Those that left the cluster or were demoted, unless somebody is sent there just now.
        let is_master = |address: &Address| masters.iter().any(|node| node.address == *address);
        let is_in_use = |address: &Address, node: &Node| !replicas.contains(address) && node.connections.is_open();
        self.lock().retain(|address, node| is_master(address) || is_in_use(address, node));
    }
}

/// A refresh that runs. If its runtime ends, the next one can begin.
struct Turn {
    shared: Arc<Shared>,
    ended: bool,
}

impl Turn {
    fn end(mut self, outcome: Result<(), Arc<str>>) {
        self.ended = true;
        self.tell(outcome);
    }

    fn tell(&self, outcome: Result<(), Arc<str>>) {
        let mut state = self.shared.refreshes.state();
        state.runs = false;
        match &outcome {
            Ok(()) => state.backoff = Backoff::default(),
            Err(_) => state.backoff.failed(Instant::now()),
        }
        drop(state);
        // The one before is of no interest.
        let _ = self.shared.refreshes.outcome.send_replace(outcome);
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if !self.ended {
            self.tell(Err("the runtime that asked the cluster has ended".into()));
        }
    }
}

/// A node to ask.
enum Candidate {
    Open(Arc<Node>),
    Closed(Endpoint),
}

impl Candidate {
    fn address(&self) -> &Address {
        match self {
            Self::Open(node) => &node.address,
            Self::Closed(endpoint) => endpoint.node().expect("it is a node"),
        }
    }

    async fn ask(&self) -> Result<Value, String> {
        let mut question = cmd("CLUSTER");
        question.arg("SLOTS");
        match self {
            Self::Open(node) => {
                let link = node.connections.here().link().await.map_err(|failure| failure.to_string())?;
                link.send(&question, Instant::now()).await.map_err(|failure| failure.to_string())
            }
            // It may be a replica, which is used for nothing else.
            Self::Closed(endpoint) => {
                let (mut connection, driver, _) = endpoint.open().await.map_err(|error| error.to_string())?;
                let ask = async {
                    question.query_async(&mut connection).await.map_err(|error| format!("{endpoint:?}: {error}"))
                };
                let drive = async {
                    driver.await;
                    Err(format!("{endpoint:?} closed the connection"))
                };
                first_of(ask, drive).await
            }
        }
    }
}

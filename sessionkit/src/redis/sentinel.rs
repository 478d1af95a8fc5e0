//! Sentinels, who know which server is the master.

#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ::redis::aio::MultiplexedConnection;
use ::redis::{Cmd, Value, cmd};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio::time::{Instant, timeout, timeout_at};

use super::address::Address;
use super::endpoint::Endpoint;

/// A sentinel that does not answer within this time is not waited for.
const PATIENCE: Duration = Duration::from_millis(500);

/// One that did not answer the last time is waited for no longer than this, which is less than the shortest of the default
/// deadlines: or else each request after a silence would fail while some sentinels are away.
const PATIENCE_WITH_SILENT: Duration = Duration::from_millis(100);

/// Sentinels that do not vouch for a master within this time, less than half of the shortest default deadline, are not
/// waited for.
const VOUCHING: Duration = Duration::from_millis(100);

/// The sentinels that watch one master.
pub(super) struct Sentinels {
    sentinels: Vec<Arc<Sentinel>>,
    master: String,
}

impl Sentinels {
    pub(super) fn new(endpoints: Vec<Endpoint>, master: String) -> Self {
        let sentinel =
            |endpoint| Arc::new(Sentinel { endpoint, connection: Mutex::default(), is_silent: AtomicBool::new(false) });
        Self { sentinels: endpoints.into_iter().map(sentinel).collect(), master }
    }

    /// Returns the address of the master, in the eyes of most of the sentinels that answer. It does not wait for the others
    /// when more than half of those that are configured agree: one that was cut off may still name the former master.
    pub(super) async fn master(&self) -> Result<Address, String> {
        let mut question = cmd("SENTINEL");
        question.arg("GET-MASTER-ADDR-BY-NAME").arg(&self.master);
        let (sender, mut answers) = mpsc::channel(self.sentinels.len());
        let mut expected = 0;
        for sentinel in &self.sentinels {
            let is_expected = !sentinel.is_silent.load(Ordering::Relaxed);
            expected += usize::from(is_expected);
            let (sentinel, question, sender) = (sentinel.clone(), question.clone(), sender.clone());
            // A task that outlives its caller, or else the connection of the slowest one would break each time, and nobody
            // would learn that it is silent.
            tokio::spawn(async move {
                let answer = sentinel.ask_in_time(&question).await;
                // Nobody may wait any more.
                let _ = sender.try_send((is_expected, answer));
            });
        }
        drop(sender);
        let (mut votes, mut reason) = (Vec::<(Address, usize)>::new(), LATE.to_owned());
        let began = Instant::now();
        loop {
            let next = if expected > 0 {
                // Each answers, or is given up, in time.
                answers.recv().await
            } else {
                timeout_at(began + PATIENCE_WITH_SILENT, answers.recv()).await.ok().flatten()
            };
            let Some((was_expected, answer)) = next else { break };
            expected -= usize::from(was_expected);
            let address = match answer {
                Ok(answer) => match address_in(&answer) {
                    Some(address) => address,
                    None => {
                        reason = format!("they know no master of the name `{}`", self.master);
                        continue;
                    }
                },
                Err(failure) => {
                    reason = failure;
                    continue;
                }
            };
            let vote = match votes.iter_mut().find(|(named, _)| *named == address) {
                Some(vote) => vote,
                None => {
                    votes.push((address, 0));
                    votes.last_mut().expect("it was just added")
                }
            };
            vote.1 += 1;
            if vote.1 * 2 > self.sentinels.len() {
                return Ok(vote.0.clone());
            }
        }
        let most = votes.into_iter().max_by_key(|(_, votes)| *votes);
        most.map(|(address, _)| address).ok_or_else(|| format!("the sentinels name no master: {reason}"))
    }
}

impl fmt::Debug for Sentinels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at ", self.master)?;
        for (number, sentinel) in self.sentinels.iter().enumerate() {
            let comma = if number == 0 { "" } else { ", " };
            write!(f, "{comma}{:?}", sentinel.endpoint)?;
        }
        Ok(())
    }
}

/// One of them, and the connection to it, which is opened when it is asked.
struct Sentinel {
    endpoint: Endpoint,
    connection: Mutex<Option<Arc<Opened>>>,
    /// Whether it did not answer the last time.
    is_silent: AtomicBool,
}

/// The reason of a sentinel that hangs.
const LATE: &str = "none answered in time";

/// An open connection, and the task that drives it.
struct Opened {
    connection: MultiplexedConnection,
    driver: AbortHandle,
}

impl Drop for Opened {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl Sentinel {
    async fn ask_in_time(&self, question: &Cmd) -> Result<Value, String> {
        let answer = timeout(PATIENCE, self.ask(question)).await.unwrap_or_else(|_| Err(LATE.to_owned()));
        self.is_silent.store(answer.is_err(), Ordering::Relaxed);
        answer
    }

    async fn ask(&self, question: &Cmd) -> Result<Value, String> {
        // Not locked meanwhile: its runtime may be blocked, or have ended.
        let known = self.lock().clone();
        if let Some(known) = known {
            if let Ok(Ok(answer)) = timeout(PATIENCE / 2, question.query_async(&mut known.connection.clone())).await {
                return Ok(answer);
            }
            let mut place = self.lock();
            if place.as_ref().is_some_and(|current| Arc::ptr_eq(current, &known)) {
                *place = None;
            }
        }
        let (connection, driver, _) = self.endpoint.open_boxed().await.map_err(|error| error.to_string())?;
        let opened = Arc::new(Opened { connection, driver: tokio::spawn(driver).abort_handle() });
        let answer = question.query_async(&mut opened.connection.clone()).await.map_err(|error| error.to_string())?;
        *self.lock() = Some(opened);
        Ok(answer)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Arc<Opened>>> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Says whether the server at an address is the master, which a server itself may not know yet: one that was frozen or cut
/// off while another one took over.
pub(super) struct Voucher {
    sentinels: Arc<Sentinels>,
    address: Address,
}

impl Voucher {
    pub(super) fn new(sentinels: Arc<Sentinels>, address: Address) -> Self {
        Self { sentinels, address }
    }

    /// Returns whether the sentinels name another server. If they do not answer soon, the server is believed: a request may
    /// wait for this.
    pub(super) async fn names_another(&self) -> bool {
        let named = timeout(VOUCHING, self.sentinels.master()).await;
        named.is_ok_and(|named| named.is_ok_and(|master| master != self.address))
    }
}

fn address_in(answer: &Value) -> Option<Address> {
    let Value::Array(parts) = answer else { return None };
    let [Value::BulkString(host), Value::BulkString(port)] = parts.as_slice() else { return None };
    Some(Address { host: String::from_utf8(host.clone()).ok()?, port: std::str::from_utf8(port).ok()?.parse().ok()? })
}

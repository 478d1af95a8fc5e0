//! One open connection, and what shows that it is good for nothing any more.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use ::redis::aio::MultiplexedConnection;
use ::redis::{Cmd, Pipeline, RedisError, Value};
use tokio::sync::Mutex;
use tokio::task::AbortHandle;
use tokio::time::{Instant, timeout};

use super::failure::Failure;
use super::role;
use super::sentinel::Voucher;

/// After this long the server is asked again whether it is the master, beside the traffic.
const CHECK_AFTER: Duration = Duration::from_secs(1);

/// After this long without an answer to that question nothing else is asked before it: so long can a server that was
/// demoted be believed.
const BELIEVED_FOR: Duration = Duration::from_secs(2);

/// A server that does not say within this time whether it is the master hangs.
const CHECK_TIMEOUT: Duration = Duration::from_secs(1);

/// A call that was given up after less than this says nothing about the server: its client may have left.
const SILENCE: Duration = Duration::from_millis(200);

/// After this many unanswered calls in a row the connection is replaced: the server may hang, or be another one by now.
const STRIKES: u32 = 2;

/// An open connection, which many calls share.
pub(super) struct Link {
    connection: MultiplexedConnection,
    driver: AbortHandle,
    question: Cmd,
    /// Whoever else says whether the server is the master.
    voucher: Option<Voucher>,
    /// Whether the server is a node of a cluster, which sends commands to other nodes.
    is_node: bool,
    opened: Instant,
    /// The time at which the question was sent that the server last answered with "master", in milliseconds after `opened`.
    vouched: AtomicU64,
    asking: Mutex<()>,
    asked_beside: AtomicBool,
    answers: AtomicU64,
    strikes: AtomicU32,
    spoilt: OnceLock<String>,
}

/// The worth of the last answer about the server's role.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Standing {
    Fresh,
    /// Good enough, and it is time to ask again.
    Due,
    /// The server may have been demoted long ago.
    Overdue,
}

impl Link {
    pub(super) fn new(
        connection: MultiplexedConnection,
        driver: AbortHandle,
        question: Cmd,
        voucher: Option<Voucher>,
        is_node: bool,
    ) -> Self {
        Self {
            connection,
            driver,
            question,
            voucher,
            is_node,
            opened: Instant::now(),
            vouched: AtomicU64::new(0),
            asking: Mutex::new(()),
            asked_beside: AtomicBool::new(false),
            answers: AtomicU64::new(0),
            strikes: AtomicU32::new(0),
            spoilt: OnceLock::new(),
        }
    }

    /// Sends a command and awaits its reply.
    pub(super) async fn send(&self, command: &Cmd, now: Instant) -> Result<Value, Failure> {
        let mut call = Call { link: self, since: now, answers: self.answers.load(Ordering::Relaxed), waits: true };
        let mut connection = self.connection.clone();
        let outcome = command.query_async::<Value>(&mut connection).await.map_err(|error| self.failure(error));
        call.waits = false;
        self.judge(&outcome);
        outcome
    }

    /// Sends several commands in a row, with none of another caller between them, and awaits their replies.
    pub(super) async fn send_all(&self, commands: &Pipeline) -> Result<Vec<Result<Value, Failure>>, Failure> {
        let now = Instant::now();
        let mut call = Call { link: self, since: now, answers: self.answers.load(Ordering::Relaxed), waits: true };
        let mut connection = self.connection.clone();
        let outcome = connection.send_packed_commands(commands, 0, commands.len()).await;
        call.waits = false;
        let outcome = outcome.map_err(|error| self.failure(error));
        self.judge(&outcome);
        let replies = outcome?.into_iter();
        let replies: Vec<_> = replies.map(|reply| reply.extract_error().map_err(|error| self.failure(error))).collect();
        replies.iter().for_each(|reply| self.judge(reply));
        Ok(replies)
    }

    fn failure(&self, error: RedisError) -> Failure {
        if self.is_node { Failure::of_command_in_cluster(error) } else { Failure::of_command(error) }
    }

    fn judge<T>(&self, outcome: &Result<T, Failure>) {
        match outcome {
            Err(failure) if failure.spoils_connection() => self.spoil(failure.to_string()),
            _ => self.answered(),
        }
    }

    /// Asks the server whether it is the master, and spoils the connection if it is not.
    pub(super) async fn ask(&self) {
        let now = Instant::now();
        match timeout(CHECK_TIMEOUT, self.send(&self.question, now)).await {
            Ok(Ok(reply)) if role::is_replica(&reply) => {
                self.spoil("the server is a replica; let its address lead to the master".to_owned());
            }
            // One that does not understand the question, such as a proxy, cannot be asked: its refusals have to do.
            Ok(Ok(_) | Err(Failure::Refused(_))) => {
                if let Some(voucher) = &self.voucher
                    && Box::pin(voucher.names_another()).await
                {
                    return self.spoil("the sentinels say that another server is the master".to_owned());
                }
                self.vouched.store((now - self.opened).as_millis() as u64, Ordering::Relaxed);
            }
            Ok(Err(_)) => {}
            Err(_) => self.spoil(Failure::TimedOut(CHECK_TIMEOUT).to_string()),
        }
    }

    /// Asks unless there is a fresh answer. Callers that do so at once share one question.
    pub(super) async fn check(&self) {
        let _asking = self.asking.lock().await;
        if self.is_usable() && self.standing(Instant::now()) != Standing::Fresh {
            self.ask().await;
        }
    }

    /// Returns whether the caller is the one to check the connection beside the traffic.
    pub(super) fn begin_check_beside(&self) -> bool {
        !self.asked_beside.swap(true, Ordering::Relaxed)
    }

    pub(super) fn end_check_beside(&self) {
        self.asked_beside.store(false, Ordering::Relaxed);
    }

    pub(super) fn standing(&self, now: Instant) -> Standing {
        let vouched = self.opened + Duration::from_millis(self.vouched.load(Ordering::Relaxed));
        match now.saturating_duration_since(vouched) {
            age if age < CHECK_AFTER => Standing::Fresh,
            age if age < BELIEVED_FOR => Standing::Due,
            _ => Standing::Overdue,
        }
    }

    pub(super) fn is_usable(&self) -> bool {
        self.spoilt.get().is_none() && !self.driver.is_finished()
    }

    /// Returns why nobody may use the connection any more.
    pub(super) fn why_unusable(&self) -> &str {
        self.spoilt.get().map_or("the connection broke", String::as_str)
    }

    pub(super) fn opened(&self) -> Instant {
        self.opened
    }

    /// Lets nobody new use the connection. Calls that wait on it go on waiting.
    fn spoil(&self, why: String) {
        // The first reason is the cause of the others.
        let _ = self.spoilt.set(why);
    }

    fn answered(&self) {
        self.answers.fetch_add(1, Ordering::Relaxed);
        self.strikes.store(0, Ordering::Relaxed);
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        // No call waits any more, and a hung server would keep the driver waiting.
        self.driver.abort();
    }
}

/// A call that waits for its reply. Most that fail are dropped by a caller whose deadline has come.
struct Call<'a> {
    link: &'a Link,
    since: Instant,
    answers: u64,
    waits: bool,
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        let silent = self.waits
            && self.since.elapsed() >= SILENCE
            // Redis answers in order: whoever got an answer meanwhile shows that the server is only slow.
            && self.link.answers.load(Ordering::Relaxed) == self.answers;
        if silent && self.link.strikes.fetch_add(1, Ordering::Relaxed) + 1 >= STRIKES {
            self.link.spoil("Redis does not answer".to_owned());
        }
    }
}

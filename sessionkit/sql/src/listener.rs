//! Notices of ended sessions between processes, through `LISTEN` and `NOTIFY`.

use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use sessionkit_core::{Notices, SessionId};
use sqlx::AssertSqlSafe;
use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use tokio::runtime::Handle;
use tokio::task::AbortHandle;
use tokio::time::{sleep, timeout};

/// The interval at which the listener makes sure that its connection still answers.
const PULSE: Duration = Duration::from_secs(2);

/// The longest time that connecting may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// The pause after the first failure to connect; each further one is twice as long.
const SHORTEST_PAUSE: Duration = Duration::from_millis(50);

/// The longest pause. What is missed meanwhile is found by looking, at the interval `watch_interval`.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// The connection of a store that listens, which is opened when a session is first watched, and closed with the store.
///
/// It is none of the pool's: a pool may be small, and this one is held for good.
#[derive(Debug, Default)]
pub struct Listener {
    task: Mutex<Option<AbortHandle>>,
}

impl Listener {
    /// Begins to listen on a channel, unless it does already.
    pub(crate) fn begin(&self, options: impl FnOnce() -> PgConnectOptions, channel: &str, notices: &Notices) {
        let mut task = self.task.lock().unwrap_or_else(PoisonError::into_inner);
        // It ends with the runtime on which it began.
        if task.as_ref().is_some_and(|task| !task.is_finished()) {
            return;
        }
        if let Ok(runtime) = Handle::try_current() {
            let listen = listen(options(), channel.to_owned(), notices.clone());
            *task = Some(runtime.spawn(listen).abort_handle());
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Some(task) = self.task.get_mut().unwrap_or_else(PoisonError::into_inner) {
            task.abort();
        }
    }
}

/// Listens again and again, with a pause after each connection that broke soon.
async fn listen(options: PgConnectOptions, channel: String, notices: Notices) {
    let mut pause = SHORTEST_PAUSE;
    loop {
        if hear(&options, &channel, &notices).await.is_ok() {
            pause = SHORTEST_PAUSE;
        }
        // Between half of the pause and all of it: what broke at once for all must not come back at once.
        sleep(pause.mul_f64(0.5 + random() / 2.0)).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Passes on what is announced, until the connection breaks or stays silent. Fails if there was none.
async fn hear(options: &PgConnectOptions, channel: &str, notices: &Notices) -> Result<(), sqlx::Error> {
    // The listener of sqlx wants a pool. This one opens a single connection, for good.
    let pool = PgPoolOptions::new().max_connections(1).max_lifetime(None).idle_timeout(None);
    let pool = pool.acquire_timeout(CONNECT_TIMEOUT).connect_lazy_with(options.clone());
    let mut listener = PgListener::connect_with(&pool).await?;
    // This module connects anew, with pauses.
    listener.eager_reconnect(false);
    // To listen twice is to listen once, so it is also the question whether the server is still there.
    let listening = format!("LISTEN \"{channel}\"");
    let ask = async |listener: &mut PgListener| {
        let asked = sqlx::query(AssertSqlSafe(listening.clone())).persistent(false).execute(listener);
        timeout(PULSE, asked).await.map_err(|_| sqlx::Error::PoolTimedOut)?
    };
    ask(&mut listener).await?;
    // Nobody heard what was announced before.
    notices.tell_all();
    loop {
        match timeout(PULSE, listener.try_recv()).await {
            Ok(Ok(Some(notice))) => {
                if let Some(id) = SessionId::parse(notice.payload().as_bytes()) {
                    notices.tell(id);
                }
            }
            Ok(Ok(None) | Err(_)) => return Ok(()),
            Err(_) => {
                if ask(&mut listener).await.is_err() {
                    return Ok(());
                }
            }
        }
    }
}

/// Returns a number from 0 to 1. The keys of the standard library's hash maps are random enough to spread attempts.
fn random() -> f64 {
    let bits = RandomState::new().hash_one(());
    f64::from((bits >> 32) as u32) / f64::from(u32::MAX)
}

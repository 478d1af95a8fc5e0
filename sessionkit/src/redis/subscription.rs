//! The notices from the server about sessions that ended.

#[cfg(test)]
mod tests;

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use ::redis::aio::{PubSubSink, PubSubStream};
use ::redis::{Msg, Value};
use futures_core::Stream;
use sessionkit_core::{Notices, SessionId};
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

use super::backoff::Backoff;
use super::connection::Connection;
use super::servers::Servers;

/// The interval at which the listener makes sure that it still listens to the server that the commands go to.
const PULSE: Duration = Duration::from_secs(1);

/// The notices of a store. The scripts publish them on one channel, to which every server subscribes on which somebody
/// watches a session: from the first watch on, for as long as the store is there.
pub(super) struct Subscription {
    notices: Notices,
    servers: Servers,
    channel: String,
    listener: Mutex<Option<AbortHandle>>,
}

impl Subscription {
    pub(super) fn new(servers: Servers, prefix: &str) -> Self {
        Self { notices: Notices::new(), servers, channel: format!("{prefix}@ended"), listener: Mutex::default() }
    }

    /// The notices, for a caller that begins to watch.
    pub(super) fn notices(&self) -> &Notices {
        let mut listener = self.listener.lock().unwrap_or_else(PoisonError::into_inner);
        // It ends with its runtime.
        if self.servers.can_listen() && listener.as_ref().is_none_or(AbortHandle::is_finished) {
            let listen = || listen(self.servers.clone(), self.channel.clone(), self.notices.clone());
            *listener = self.servers.spawn(listen);
        }
        &self.notices
    }

    /// Tells those who watch that a session ended or was rotated. Nobody waits for it.
    pub(super) fn announce(&self, id: SessionId) {
        self.notices.tell(id);
        let (servers, channel) = (self.servers.clone(), self.channel.clone());
        self.servers.spawn_here(async move {
            servers.publish(&channel, &id.to_string()).await;
        });
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let listener = self.listener.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(listener) = listener {
            listener.abort();
        }
    }
}

async fn listen(servers: Servers, channel: String, notices: Notices) {
    let mut backoff = Backoff::default();
    loop {
        let began = Instant::now();
        // A subscription cannot ask its server what it is. So it follows the connection for commands, which does.
        if let Ok(connection) = servers.listening_place().await {
            let number = connection.number();
            if let Some((mut pings, mut told)) = connection.subscribe(&channel).await {
                // Nobody heard what was published before.
                notices.tell_all();
                hear(&servers, &connection, number, &mut pings, &mut told, &notices).await;
            }
        }
        let now = Instant::now();
        backoff.broke(began, now);
        if let Some(until) = backoff.wait_until(now) {
            sleep_until(until).await;
        }
    }
}

/// Passes on what is told, until the subscription breaks, hangs, or the commands go to another server.
async fn hear(
    servers: &Servers,
    connection: &Connection,
    number: u64,
    pings: &mut PubSubSink,
    told: &mut PubSubStream,
    notices: &Notices,
) {
    let mut pulse = Instant::now() + PULSE;
    while connection.number() == number && servers.hears_all_at(connection) {
        match timeout_at(pulse, next(told)).await {
            Ok(Some(message)) => {
                if let Some(id) = SessionId::parse(message.get_payload_bytes()) {
                    notices.tell(id);
                }
            }
            Ok(None) => return,
            Err(_) => {
                // What it answers is of no interest: a user who may not ping can still listen.
                if timeout(PULSE, pings.ping::<Value>()).await.is_err() {
                    return;
                }
                // If that fails, there is no server to listen to instead.
                let _ = connection.confirm().await;
                pulse = Instant::now() + PULSE;
            }
        }
    }
}

async fn next(told: &mut PubSubStream) -> Option<Msg> {
    poll_fn(|context| Pin::new(&mut *told).poll_next(context)).await
}

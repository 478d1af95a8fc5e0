//! The notices from the server about sessions that ended.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::OnceLock;
use std::time::Duration;

use ::redis::aio::{PubSubSink, PubSubStream};
use ::redis::{Msg, Value, cmd};
use futures_core::Stream;
use sessionkit_core::{Notices, SessionId};
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

use super::backoff::Backoff;
use super::connection::Connection;

/// The interval at which the listener makes sure that it still listens to the server that the commands go to.
const PULSE: Duration = Duration::from_secs(1);

/// The notices of a store. The scripts publish them on one channel, to which every server subscribes on which somebody
/// watches a session: from the first watch on, for as long as the store is there.
pub(super) struct Subscription {
    notices: Notices,
    connection: Connection,
    channel: String,
    listener: OnceLock<AbortHandle>,
}

impl Subscription {
    pub(super) fn new(connection: Connection, prefix: &str) -> Self {
        Self { notices: Notices::new(), connection, channel: format!("{prefix}@ended"), listener: OnceLock::new() }
    }

    /// The notices, for somebody who begins to watch.
    pub(super) fn notices(&self) -> &Notices {
        self.listener.get_or_init(|| {
            let listen = listen(self.connection.clone(), self.channel.clone(), self.notices.clone());
            self.connection.spawn(listen)
        });
        &self.notices
    }
}

impl Subscription {
    /// Tells everybody that a session ended or was rotated. Nobody waits for it.
    pub(super) fn announce(&self, id: SessionId) {
        self.notices.tell(id);
        let (connection, channel) = (self.connection.clone(), self.channel.clone());
        self.connection.spawn(async move {
            // A notice is a hint: one that is lost delays the news.
            let _ = connection.call(cmd("PUBLISH").arg(channel).arg(id.to_string())).await;
        });
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        if let Some(listener) = self.listener.get() {
            listener.abort();
        }
    }
}

async fn listen(connection: Connection, channel: String, notices: Notices) {
    let mut backoff = Backoff::default();
    loop {
        let began = Instant::now();
        // A subscription cannot ask its server what it is. So it follows the connection for commands, which does.
        if connection.confirm().await.is_ok() {
            let opened = connection.opened();
            if let Some((mut pings, mut told)) = connection.subscribe(&channel).await {
                // Nobody heard what was published before.
                notices.tell_all();
                hear(&connection, opened, &mut pings, &mut told, &notices).await;
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
    connection: &Connection,
    opened: u64,
    pings: &mut PubSubSink,
    told: &mut PubSubStream,
    notices: &Notices,
) {
    let mut pulse = Instant::now() + PULSE;
    while connection.opened() == opened {
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

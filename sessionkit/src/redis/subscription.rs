//! What the server tells of sessions that ended.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::OnceLock;
use std::time::Duration;

use ::redis::cmd;
use futures_core::Stream;
use sessionkit_core::{Notices, SessionId};
use tokio::task::AbortHandle;
use tokio::time::sleep;

use super::connection::Connection;

/// How long after the end of a connection, or a failed attempt, another one is opened.
const PAUSE: Duration = Duration::from_secs(1);

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
    loop {
        if let Some(mut told) = connection.subscribe(&channel).await {
            // Nobody heard what was published before.
            notices.tell_all();
            while let Some(message) = poll_fn(|context| Pin::new(&mut told).poll_next(context)).await {
                if let Some(id) = SessionId::parse(message.get_payload_bytes()) {
                    notices.tell(id);
                }
            }
        }
        sleep(PAUSE).await;
    }
}

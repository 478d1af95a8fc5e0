//! Entries for audit logs, and answers that do not arrive.

use std::sync::{Arc, Mutex};
use std::task::Poll;

use sessionkit::{AuditEntry, AuditLog, AuditSink, MemoryStore, SessionManager};

/// Collects what a sink appends, to append it elsewhere.
#[derive(Clone, Default)]
struct Collected(Arc<Mutex<Vec<AuditEntry>>>);

impl AuditLog for Collected {
    type Error = String;

    async fn append(&self, entries: &[AuditEntry]) -> Result<(), String> {
        self.0.lock().expect("no holder panics").extend_from_slice(entries);
        Ok(())
    }
}

/// Returns the entries of so many logins, of users with these names.
pub async fn logins(users: impl IntoIterator<Item = String>) -> Vec<AuditEntry> {
    let collected = Collected::default();
    let sink = AuditSink::new(collected.clone());
    let manager = SessionManager::builder(MemoryStore::new()).event_sink(sink).build();
    for user in users {
        let login = manager.open().auth().login(user).device_label("\u{1f36a} phone");
        login.await.expect("memory answers");
    }
    manager.drain().await;
    collected.0.lock().expect("no holder panics").clone()
}

/// Appends, and gives up when the entries stand in the table; returns whether that was before the answer came.
pub async fn append_unanswered(log: &impl AuditLog, entries: &[AuditEntry], count: &impl AsyncFn() -> i64) -> bool {
    let mut appending = Box::pin(log.append(entries));
    loop {
        let poll = std::future::poll_fn(|context| Poll::Ready(appending.as_mut().poll(context)));
        if poll.await.is_ready() {
            return false;
        }
        // If it has been sent, it is done by then.
        for _ in 0..50 {
            if count().await == entries.len() as i64 {
                return true;
            }
        }
    }
}

//! A sink and an audit log that tests look into.

use std::sync::{Arc, Mutex};

use sessionkit::{AuditEntry, AuditLog, EventSink, SessionEvent};

/// An event that a sink got, in owned form.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct RecordedEvent {
    pub name: String,
    pub reason: String,
    pub key: String,
    pub user: String,
    pub actor: String,
    pub session: String,
    pub handler: String,
    pub route: String,
    /// Everything, as it prints.
    pub printed: String,
}

/// Keeps the events that it gets. Clones keep together.
#[derive(Clone, Debug, Default)]
pub struct Recorded(Arc<Mutex<Vec<RecordedEvent>>>);

impl Recorded {
    /// The events since the last call.
    pub fn take(&self) -> Vec<RecordedEvent> {
        std::mem::take(&mut *self.0.lock().expect("no holder panics"))
    }

    /// The names of the events since the last call.
    pub fn names(&self) -> Vec<String> {
        self.take().into_iter().map(|seen| seen.name).collect()
    }
}

impl EventSink for Recorded {
    fn record(&self, event: &SessionEvent<'_>) {
        let kind = event.kind();
        let seen = RecordedEvent {
            name: kind.name().to_owned(),
            reason: kind.reason().unwrap_or_default().to_owned(),
            key: kind.key().unwrap_or_default().to_owned(),
            user: event.user_id().unwrap_or_default().to_owned(),
            actor: event.actor().unwrap_or_default().to_owned(),
            session: event.session().map(|id| id.to_string()).unwrap_or_default(),
            handler: event.handler().unwrap_or_default().to_owned(),
            route: event.route().map(|route| route.to_string()).unwrap_or_default(),
            printed: format!("{event:?} {event:#?}"),
        };
        self.0.lock().expect("no holder panics").push(seen);
    }
}

/// An audit trail in memory. Clones are one.
#[derive(Clone, Debug, Default)]
pub struct Trail(Arc<Mutex<Vec<AuditEntry>>>);

impl Trail {
    /// The entries so far.
    pub fn entries(&self) -> Vec<AuditEntry> {
        self.0.lock().expect("no holder panics").clone()
    }

    /// The events and their users, `login ada`.
    pub fn lines(&self) -> Vec<String> {
        let line = |entry: AuditEntry| format!("{} {}", entry.event, entry.user_id.as_deref().unwrap_or("-"));
        self.entries().into_iter().map(line).collect()
    }
}

impl AuditLog for Trail {
    type Error = String;

    async fn append(&self, entries: &[AuditEntry]) -> Result<(), String> {
        self.0.lock().expect("no holder panics").extend_from_slice(entries);
        Ok(())
    }
}

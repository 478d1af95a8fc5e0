//! The sessions of a user.

use std::fmt;

use serde_json::{Value, json};
use sessionkit::Timestamp;
use sessionkit::store::{Entry, EntrySummary, ListedSession, Record, SessionList};

use crate::text::{counted, printable, time};

/// The list of a user, and what is stored of each session.
pub(crate) struct Sessions {
    list: SessionList,
    rows: Vec<Row>,
}

/// A listed session.
struct Row {
    listed: ListedSession,
    state: &'static str,
    summary: Option<EntrySummary>,
}

impl Sessions {
    /// Joins the list with the entries of its sessions, in their order.
    pub(crate) fn new(list: SessionList, entries: Vec<Option<Entry>>, now: Timestamp) -> Self {
        let rows = list.sessions().iter().zip(entries).map(|(listed, entry)| {
            let record = entry.as_ref().map(|entry| Record::from_bytes(entry.shared_bytes().clone()));
            let state = match &record {
                None => "gone",
                Some(Err(_)) => "unreadable",
                Some(Ok(record)) if record.header().owner() != Some(list.user_id()) => "another user's",
                Some(Ok(record)) if record.header().is_expired(now) => "expired",
                Some(Ok(_)) if listed.is_ended => "ending",
                Some(Ok(_)) => "alive",
            };
            // What is known of another user's session is not this user's.
            let summary = entry.and_then(|entry| entry.summary()).filter(|_| state != "another user's");
            Row { listed: *listed, state, summary }
        });
        Self { rows: rows.collect(), list }
    }

    pub(crate) fn to_json(&self) -> Value {
        let row = |Row { listed, state, summary }: &Row| {
            json!({
                "id": listed.id.to_string(),
                "state": state,
                "logged_in": time(listed.registered),
                "until": time(listed.until),
                "last_seen": summary.as_ref().and_then(|summary| summary.last_seen).map(time),
                "device_label": summary.as_ref().and_then(|summary| summary.device_label.as_deref()),
            })
        };
        json!({
            "user": &**self.list.user_id(),
            "scope": self.list.scope(),
            "sessions": self.rows.iter().map(row).collect::<Vec<_>>(),
        })
    }
}

impl fmt::Display for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (user, scope) = (printable(self.list.user_id()), printable(self.list.scope()));
        writeln!(f, "{} of {user} in the scope {scope}", counted(self.rows.len(), "session"))?;
        for Row { listed, state, summary } in &self.rows {
            writeln!(f, "{}  {state}", listed.id)?;
            writeln!(f, "  logged in {}, until {}", time(listed.registered), time(listed.until))?;
            let Some(summary) = summary else { continue };
            if let Some(last_seen) = summary.last_seen {
                writeln!(f, "  last seen {}", time(last_seen))?;
            }
            if let Some(label) = &summary.device_label {
                writeln!(f, "  device    {}", printable(label))?;
            }
        }
        Ok(())
    }
}

//! The sessions of everyone, as a list.

use std::collections::HashSet;
use std::io::Write;

use serde_json::{Value, json};
use sessionkit::store::{Entry, EntryKind, Record};
use sessionkit::{Clock as _, SessionId, SystemClock, Timestamp};

use crate::Failure;
use crate::progress::Progress;
use crate::store::Opened;
use crate::text::{json_line, printable, time};

/// Prints a line for each session, page by page.
pub(crate) async fn list(store: &Opened, scope: Option<&str>, as_json: bool) -> Result<(), Failure> {
    let (mut progress, mut output) = (Progress::new("sessions looked at"), std::io::stdout().lock());
    let (mut known, now) = (HashSet::new(), SystemClock.now());
    let looked = store.scan(EntryKind::Session, &mut progress, async |key, entry| {
        let Some(id) = key.session_id() else { return Ok(true) };
        let row = Row::new(id, &entry, now);
        if scope.is_some_and(|scope| row.scope.as_deref() != Some(scope)) || !known.insert(id) {
            return Ok(true);
        }
        let line = if as_json { json_line(&row.to_json()) } else { row.to_text() };
        // Perhaps nobody reads it any more, `head` for example.
        Ok(output.write_all(line.as_bytes()).is_ok())
    });
    looked.await?;
    let _ = output.flush();
    Ok(())
}

/// A session.
struct Row {
    id: SessionId,
    state: &'static str,
    /// The rest is known of a session that can be read.
    scope: Option<String>,
    user: Option<String>,
    created: Option<Timestamp>,
    last_seen: Option<Timestamp>,
    device_label: Option<String>,
    size: usize,
}

impl Row {
    fn new(id: SessionId, entry: &Entry, now: Timestamp) -> Self {
        let size = entry.bytes().len();
        let Ok(record) = Record::from_bytes(entry.shared_bytes().clone()) else {
            let (scope, user, created, last_seen, device_label) = (None, None, None, None, None);
            return Self { id, state: "unreadable", scope, user, created, last_seen, device_label, size };
        };
        let header = record.header();
        Self {
            id,
            state: if header.is_expired(now) { "expired" } else { "alive" },
            scope: Some(header.scope.to_string()),
            user: header.user_id.as_deref().map(str::to_owned),
            created: Some(header.created),
            last_seen: Some(header.last_seen),
            device_label: header.device_label.as_deref().map(str::to_owned),
            size,
        }
    }

    fn to_json(&self) -> Value {
        let Self { id, state, scope, user, created, last_seen, device_label, size } = self;
        json!({
            "id": id.to_string(),
            "state": state,
            "scope": scope,
            "user": user,
            "created": created.map(time),
            "last_seen": last_seen.map(time),
            "device_label": device_label,
            "size": size,
        })
    }

    fn to_text(&self) -> String {
        let Self { id, state, .. } = self;
        let known = |text: &Option<String>| printable(text.as_deref().unwrap_or("-"));
        let (scope, user, label) = (known(&self.scope), known(&self.user), known(&self.device_label));
        let last_seen = self.last_seen.map_or_else(|| "-".to_owned(), time);
        format!("{id}  {state:<10}  {last_seen}  {scope}  {user}  {label}\n")
    }
}

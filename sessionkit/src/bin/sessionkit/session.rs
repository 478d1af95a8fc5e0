//! One session.

use std::fmt;

use serde_json::{Value, json};
use sessionkit::store::{Record, Revision};
use sessionkit::{SessionId, Timestamp};

use crate::fields::Field;
use crate::text::{printable, time};

/// A session, without its secrets.
pub(crate) struct Session {
    pub(crate) id: SessionId,
    pub(crate) record: Record,
    pub(crate) now: Timestamp,
}

impl Session {
    fn actor(&self) -> Option<&str> {
        self.record.header().details.as_ref()?.actor.as_deref()
    }

    fn methods(&self) -> &[String] {
        self.record.header().details.as_ref().map_or(&[], |details| &details.methods)
    }

    fn is_expired(&self) -> bool {
        self.record.header().is_expired(self.now)
    }

    pub(crate) fn to_json(&self) -> Value {
        let header = self.record.header();
        json!({
            "id": self.id.to_string(),
            "scope": header.scope,
            "user": header.user_id.as_deref(),
            "actor": self.actor(),
            "created": time(header.created),
            "authenticated": header.authenticated.map(time),
            "last_seen": time(header.last_seen),
            "idle_deadline": time(header.idle_deadline),
            "absolute_deadline": header.absolute_deadline.map(time),
            "is_expired": self.is_expired(),
            "device_label": header.device_label.as_deref(),
            "methods": self.methods(),
            "generation": header.generation.number(),
            "revision": revision(self.record.revision()),
            "size": self.record.as_bytes().len(),
            "fields": self.record.fields().map(|field| Field::new(field).to_json()).collect::<Vec<_>>(),
        })
    }
}

impl fmt::Display for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let header = self.record.header();
        let none = || "none".to_owned();
        let expired = if self.is_expired() { " (expired)" } else { "" };
        let methods = Some(self.methods().join(", ")).filter(|methods| !methods.is_empty());
        for (name, value) in [
            ("session", format!("{}{expired}", self.id)),
            ("scope", header.scope.to_string()),
            ("user", header.user_id.as_deref().map_or_else(none, str::to_owned)),
            ("actor", self.actor().map_or_else(none, str::to_owned)),
            ("created", time(header.created)),
            ("authenticated", header.authenticated.map_or_else(none, time)),
            ("last seen", time(header.last_seen)),
            ("idle deadline", time(header.idle_deadline)),
            ("absolute deadline", header.absolute_deadline.map_or_else(none, time)),
            ("device label", header.device_label.as_deref().map_or_else(none, str::to_owned)),
            ("methods", methods.unwrap_or_else(none)),
            ("generation", header.generation.number().to_string()),
            ("revision", revision(self.record.revision())),
            ("size", format!("{} bytes", self.record.as_bytes().len())),
        ] {
            writeln!(f, "{name:<18} {}", printable(&value))?;
        }
        writeln!(f, "fields")?;
        self.record.fields().try_for_each(|field| write!(f, "{}", Field::new(field)))
    }
}

/// Writes the counter, and the random half in hexadecimal digits.
fn revision(revision: Revision) -> String {
    let (counter, random) = revision.as_bytes().split_at(4);
    let number = |bytes: &[u8]| bytes.iter().fold(0_u32, |number, byte| number << 8 | u32::from(*byte));
    format!("{}-{:08x}", number(counter), number(random))
}

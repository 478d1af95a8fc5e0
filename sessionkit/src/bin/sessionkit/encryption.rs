//! The keys that encrypt fields.

use std::collections::{HashMap, HashSet};
use std::io::Write as _;

use serde_json::json;
use sessionkit::__private::Reencryption;
use sessionkit::store::{EntryKind, Record};
use sessionkit::{KeyRing, SessionManager};

use crate::progress::Progress;
use crate::store::Opened;
use crate::{Failure, Report};

/// Prints a new key; the hint stands beside it, so that the output can go into a file.
pub(crate) fn keygen() -> Report {
    let key = KeyRing::generate_key();
    let ring: KeyRing = key.parse().expect("it was made for this");
    let hint = "Keep it secret: give it to the servers in SESSION_KEYS, before the keys that are there. If it is lost, so is \
                what it encrypted.";
    let _ = writeln!(std::io::stderr(), "{hint}");
    Report { value: json!({ "key": key, "id": ring.active_id().to_string() }), text: format!("{key}\n") }
}

/// Encrypts with the active key what another key encrypted, and what is sensitive and not encrypted; with `all` whatever is
/// not encrypted.
pub(crate) async fn rotate(store: &Opened, keys_file: Option<&str>, all: bool) -> Result<Report, Failure> {
    let keys = match keys_file {
        Some(path) => KeyRing::from_file(path),
        None => KeyRing::from_env(),
    };
    let keys = keys.map_err(|error| Failure::Usage(error.to_string()))?;
    let mut progress = Progress::new("sessions looked at");
    let mut managers: HashMap<String, SessionManager> = HashMap::new();
    let (mut known, mut counts) = (HashSet::new(), Counts::default());
    let looked = store.scan(EntryKind::Session, &mut progress, async |key, entry| {
        let Some(id) = key.session_id().filter(|id| known.insert(*id)) else { return Ok(true) };
        let Ok(record) = Record::from_bytes(entry.shared_bytes().clone()) else {
            counts.unreadable += 1;
            return Ok(true);
        };
        let scope = record.header().scope.to_string();
        // Most sessions need no other look.
        if !record.fields().any(|(key, value)| Reencryption::is_due(&keys, all, key, &value)) {
            return Ok(true);
        }
        let manager = managers.entry(scope).or_insert_with_key(|scope| store.manager_with_keys(scope, &keys, all));
        let done = manager.reencrypt_session(id).await.map_err(|error| Failure::Store(format!("{error:?}")))?;
        counts.sessions += usize::from(done.encrypted > 0);
        counts.fields += done.encrypted;
        counts.undecryptable += done.undecryptable;
        Ok(true)
    });
    looked.await?;
    counts.report(&keys)
}

#[derive(Default)]
struct Counts {
    sessions: usize,
    fields: usize,
    undecryptable: usize,
    unreadable: usize,
}

impl Counts {
    fn report(self, keys: &KeyRing) -> Result<Report, Failure> {
        let Self { sessions, fields, undecryptable, unreadable } = self;
        let id = keys.active_id();
        let text = format!("encrypted {fields} fields of {sessions} sessions with the key {id}\n");
        if undecryptable + unreadable > 0 {
            return Err(Failure::Store(format!(
                "{text}{undecryptable} fields cannot be decrypted, and {unreadable} sessions cannot be read: they are as they \
                 were. Do not remove a key before this says nothing of them, unless you can do without them"
            )));
        }
        let value = json!({ "key_id": id.to_string(), "sessions": sessions, "fields": fields });
        Ok(Report { value, text })
    }
}

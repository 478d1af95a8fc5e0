//! Encrypting what is stored of a session with the active key, for operators who replace a key.

use std::sync::Arc;

use crate::encryption::{EncryptedFields, KeyRing, Opener};
use crate::engine::Engine;
use crate::engine::commit::CommitError;
use crate::engine::document::Refusal;
use crate::engine::session::{Found, RecordChange};
use crate::error::SessionError;
use crate::record::Record;
use crate::record::delta::{Delta, FieldChanges, FieldOps, StoredValue, ValueRef};
use crate::record::field_error::FieldError;
use crate::record::reserved::is_reserved;
use crate::store::error::StoreError;
use crate::time::Timestamp;
use crate::token::SessionId;

/// The values of a session that were to be encrypted with the active key.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Reencryption {
    /// Those that are now: they were encrypted with another key, or were to be encrypted and were not.
    pub encrypted: usize,
    /// Those that cannot be decrypted, and are as they were.
    pub undecryptable: usize,
}

impl Reencryption {
    /// Returns whether a stored value is to be encrypted with the active key: another one encrypted it, or it is not
    /// encrypted and sensitive. With `all` it need not be sensitive.
    pub fn is_due(keys: &KeyRing, all: bool, key: &str, value: &ValueRef<'_>) -> bool {
        if value.encrypted {
            value.key_id() != Some(keys.active_id())
        } else {
            (value.sensitive || all) && !is_reserved(key)
        }
    }
}

impl Engine {
    /// Encrypts with the active key what another key encrypted, and what is sensitive and not encrypted; with the setting
    /// `encrypt_all` all that is not encrypted. Requests may change the session meanwhile: nothing of theirs is lost.
    pub(crate) async fn reencrypt(&self, id: SessionId) -> Result<Reencryption, SessionError> {
        let Some(keys) = &self.settings().keys else { return Ok(Reencryption::default()) };
        let all = self.settings().encrypted_fields() == EncryptedFields::All;
        let end = self.commit_deadline().end();
        loop {
            let record = match self.load_session(id, &mut self.load_deadline()).await? {
                Found::Record(record) => record,
                Found::Unreadable(session) => return Err(StoreError::unreadable(session.why).into()),
                Found::Nothing => return Ok(Reencryption::default()),
            };
            let reencryption = self.look_through(keys, all, id, &record);
            if reencryption.encrypted == 0 {
                return Ok(reencryption);
            }
            let mut delta = Delta::new(record.header().generation);
            delta.fields = Some(Arc::new(Reencrypted { keys: keys.clone(), all }));
            delta.cipher = self.cipher(id);
            match self.commit_record(id, record, RecordChange::of(delta, None), end).await {
                Ok(_) => return Ok(reencryption),
                // Its secret was rotated in between.
                Err(CommitError::Refused(Refusal::Stale)) => {}
                Err(CommitError::Refused(Refusal::Gone)) => return Ok(Reencryption::default()),
                Err(CommitError::Refused(Refusal::Failed(error)) | CommitError::Failed(error)) => return Err(error),
                Err(CommitError::Refused(_)) => return Err(SessionError::unsettled()),
            }
        }
    }

    fn look_through(&self, keys: &KeyRing, all: bool, id: SessionId, record: &Record) -> Reencryption {
        let (opener, now) = (self.opener(id), self.now());
        let mut reencryption = Reencryption::default();
        for (key, value) in record.fields().filter(|(key, value)| is_due(keys, all, key, value, now)) {
            match decrypted(opener, key, value) {
                Some(_) => reencryption.encrypted += 1,
                None => reencryption.undecryptable += 1,
            }
        }
        reencryption
    }
}

/// The values of a session, to be encrypted with the active key.
struct Reencrypted {
    keys: KeyRing,
    all: bool,
}

impl FieldChanges for Reencrypted {
    fn operations(&self, newest: &Record, opener: Opener<'_>, now: Timestamp) -> Result<FieldOps, FieldError> {
        let due = newest.fields().filter(|(key, value)| is_due(&self.keys, self.all, key, value, now));
        let values = due.filter_map(|(key, value)| {
            let bytes = decrypted(opener, key, value)?;
            Some((key.to_owned().into(), Some(StoredValue { bytes, encrypted: true, ..value.to_owned() })))
        });
        Ok(FieldOps { values: values.collect(), ..FieldOps::default() })
    }

    fn is_repeatable(&self) -> bool {
        true
    }
}

fn is_due(keys: &KeyRing, all: bool, key: &str, value: &ValueRef<'_>, now: Timestamp) -> bool {
    value.is_live(now) && Reencryption::is_due(keys, all, key, value)
}

fn decrypted(opener: Opener<'_>, key: &str, value: ValueRef<'_>) -> Option<Vec<u8>> {
    if value.encrypted { opener.decrypt(key, value.bytes).ok() } else { Some(value.bytes.to_vec()) }
}

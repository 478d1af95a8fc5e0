//! What a store showed, in a form that can be compared and printed.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use crate::record::Record;
use crate::record::details::LoginDetails;
use crate::store::{CommitOutcome, Receipt, StoreError, StoreErrorKind};
use crate::time::Timestamp;

/// Bytes that print as text, the first of them.
#[derive(Clone, Eq, PartialEq)]
pub(super) struct Bytes(pub(super) Vec<u8>);

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.split_at_checked(40) {
            Some((start, _)) => write!(f, "{}.. ({} bytes)", start.escape_ascii(), self.0.len()),
            None => write!(f, "`{}`", self.0.escape_ascii()),
        }
    }
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct SeenField {
    pub(super) bytes: Bytes,
    pub(super) carried: bool,
    pub(super) deadline: Option<Timestamp>,
}

/// Everything that a record says. Unlike the types of the engine, it shows secrets: these are not real.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct SeenRecord {
    pub(super) created: Timestamp,
    pub(super) authenticated: Option<Timestamp>,
    pub(super) last_seen: Timestamp,
    pub(super) idle_deadline: Timestamp,
    pub(super) absolute_deadline: Option<Timestamp>,
    pub(super) ttl: Duration,
    pub(super) generation: u32,
    pub(super) secret: Bytes,
    pub(super) previous: Option<(Bytes, Timestamp, Option<Timestamp>)>,
    pub(super) user: Option<String>,
    pub(super) label: Option<String>,
    pub(super) details: Option<SeenDetails>,
    pub(super) fields: BTreeMap<String, SeenField>,
}

/// What a record says of its login.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct SeenDetails {
    methods: Vec<String>,
    actor: Option<String>,
    stamp: Option<Bytes>,
}

impl SeenDetails {
    fn of(details: &LoginDetails) -> Self {
        Self {
            methods: details.methods.clone(),
            actor: details.actor.as_deref().map(str::to_owned),
            stamp: details.stamp.map(|stamp| Bytes(stamp.as_bytes().to_vec())),
        }
    }
}

impl SeenRecord {
    pub(super) fn of(record: &Record) -> Self {
        let header = record.header();
        let field = |(key, value): (&str, crate::record::delta::ValueRef<'_>)| {
            let bytes = Bytes(value.bytes.to_vec());
            (key.to_owned(), SeenField { bytes, carried: value.carried, deadline: value.deadline })
        };
        let fields: BTreeMap<_, _> = record.fields().map(field).collect();
        assert_eq!(fields.len(), record.fields().count(), "each field is there once: {record:?}");
        Self {
            created: header.created,
            authenticated: header.authenticated,
            last_seen: header.last_seen,
            idle_deadline: header.idle_deadline,
            absolute_deadline: header.absolute_deadline,
            ttl: header.ttl,
            generation: header.generation.number(),
            secret: Bytes(header.secret.as_bytes().to_vec()),
            previous: header
                .previous
                .map(|previous| (Bytes(previous.secret.as_bytes().to_vec()), previous.renewed, previous.until)),
            user: header.user.as_deref().map(str::to_owned),
            label: header.device_label.as_deref().map(str::to_owned),
            details: header.details.as_deref().map(SeenDetails::of),
            fields,
        }
    }
}

/// What came of a call.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Seen {
    Loaded(Option<SeenRecord>),
    Committed { generation: u32, secret: Bytes, deadline: Timestamp },
    Conflict(SeenRecord),
    Stale,
    Gone,
    Failed(StoreErrorKind),
    Destroyed(bool),
}

impl Seen {
    pub(super) fn load(outcome: Result<Option<Record>, StoreError>) -> Self {
        match outcome {
            Ok(record) => Self::Loaded(record.as_ref().map(SeenRecord::of)),
            Err(error) => Self::Failed(error.kind()),
        }
    }

    pub(super) fn commit(outcome: Result<CommitOutcome, StoreError>) -> Self {
        match outcome {
            Ok(CommitOutcome::Committed(receipt)) => Self::receipt(&receipt),
            Ok(CommitOutcome::Conflict(record)) => Self::Conflict(SeenRecord::of(&record)),
            Ok(CommitOutcome::Stale) => Self::Stale,
            Ok(CommitOutcome::Gone) => Self::Gone,
            Err(error) => Self::Failed(error.kind()),
        }
    }

    pub(super) fn receipt(receipt: &Receipt) -> Self {
        Self::Committed {
            generation: receipt.generation.number(),
            secret: Bytes(receipt.secret.as_bytes().to_vec()),
            deadline: receipt.deadline,
        }
    }
}

//! The parts that readers share whose sessions are one record each.

use std::time::Duration;

use serde_json::{Map, Value};
use sessionkit_core::{ForeignError, ForeignSession, Timestamp};

use super::{ForeignRecords, LARGEST_RECORD};
use crate::formats::json;

/// The lifetime of a session if neither the session nor the application names one: a day.
pub(super) const DAY: Duration = Duration::from_secs(86_400);

/// Returns the record under a key, whose size is limited whatever the store does.
pub(super) async fn load(records: &impl ForeignRecords, key: &str) -> Result<Vec<u8>, ForeignError> {
    let record = records.get(key).await?.ok_or_else(ForeignError::ended)?;
    if is_too_large(&record) { Err(ForeignError::unreadable("the record is too large")) } else { Ok(record) }
}

fn is_too_large(record: &[u8]) -> bool {
    record.len() > LARGEST_RECORD
}

/// Reads the values of a record in JSON.
pub(super) fn read_json(record: &[u8]) -> Result<Map<String, Value>, ForeignError> {
    json::read(record)
        .map_err(|_| ForeignError::unreadable("the record is no object in JSON, or not in one form alone"))
}

/// Writes values as JSON, which will be read.
pub(super) fn write_json(values: &Map<String, Value>) -> Result<Vec<u8>, ForeignError> {
    written(json::write(values)?.into_bytes())
}

/// Returns a record, unless it is too large to be read.
pub(super) fn written(record: Vec<u8>) -> Result<Vec<u8>, ForeignError> {
    if is_too_large(&record) { Err(ForeignError::unwritable("the record is too large")) } else { Ok(record) }
}

/// Returns how long a session is to be kept.
pub(super) fn ttl(session: &ForeignSession, otherwise: Duration, now: Timestamp) -> Duration {
    session.expires_at.map_or(otherwise, |end| end.saturating_duration_since(now))
}

/// Returns random bytes.
pub(super) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
    bytes
}

//! Stores of other systems in memory, for the tests of the readers.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Map, Value};
use sessionkit_core::{ForeignError, ForeignErrorKind, Timestamp};

use super::{ForeignRecords, ForeignTable};

pub(super) const NOW: Timestamp = Timestamp::from_unix_seconds(1_700_000_000);

/// A secret that is random.
pub(super) const SECRET: &str = "3dBz3wXVEFmPe7Yxkzr8BqkeoYTKqCpO";

pub(super) fn later(seconds: u64) -> Timestamp {
    NOW.saturating_add(Duration::from_secs(seconds))
}

pub(super) fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(values) => values,
        other => panic!("{other} is no object"),
    }
}

/// Returns the kind of an error, which there has to be.
pub(super) fn kind<T: fmt::Debug>(result: Result<T, ForeignError>) -> ForeignErrorKind {
    result.expect_err("it is refused").kind()
}

/// Records in a map, which counts the questions.
#[derive(Clone, Debug, Default)]
pub(super) struct MapRecords {
    records: Arc<Mutex<Records>>,
    any: Option<&'static [u8]>,
    fails: bool,
    asked: Arc<AtomicUsize>,
}

/// The records by their keys, with the time for which each is kept.
type Records = BTreeMap<String, (Vec<u8>, Duration)>;

/// The error of a store that fails.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fault;

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the test wants it")
    }
}

impl std::error::Error for Fault {}

impl MapRecords {
    pub(super) fn of(records: impl IntoIterator<Item = (String, Vec<u8>)>) -> Self {
        let records = records.into_iter().map(|(key, record)| (key, (record, Duration::MAX))).collect();
        Self { records: Arc::new(Mutex::new(records)), ..Self::default() }
    }

    /// Has the same record under any key.
    pub(super) fn any(record: &'static [u8]) -> Self {
        Self { any: Some(record), ..Self::default() }
    }

    pub(super) fn failing(Fault: Fault) -> Self {
        Self { fails: true, ..Self::default() }
    }

    pub(super) fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }

    pub(super) fn ttl(&self, key: &str) -> Option<Duration> {
        self.records.lock().unwrap().get(key).map(|(_, ttl)| *ttl)
    }

    pub(super) fn record(&self, key: &str) -> Option<Vec<u8>> {
        self.records.lock().unwrap().get(key).map(|(record, _)| record.clone())
    }

    fn check(&self) -> Result<(), ForeignError> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        if self.fails { Err(ForeignError::unavailable(Fault)) } else { Ok(()) }
    }
}

impl ForeignRecords for MapRecords {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, ForeignError> {
        self.check()?;
        Ok(self.record(key).or(self.any.map(<[u8]>::to_vec)))
    }

    async fn set(&self, key: &str, record: Vec<u8>, ttl: Duration) -> Result<(), ForeignError> {
        self.check()?;
        self.records.lock().unwrap().insert(key.to_owned(), (record, ttl));
        Ok(())
    }

    async fn remove(&self, key: &str) -> Result<(), ForeignError> {
        self.check()?;
        self.records.lock().unwrap().remove(key);
        Ok(())
    }
}

/// A table in a map, which counts the questions.
#[derive(Debug)]
pub(super) struct MapTable<Row> {
    pub(super) rows: Mutex<BTreeMap<String, Row>>,
    pub(super) asked: AtomicUsize,
    pub(super) fails: bool,
}

impl<Row> MapTable<Row> {
    pub(super) fn of(rows: impl IntoIterator<Item = (String, Row)>) -> Self {
        Self { rows: Mutex::new(rows.into_iter().collect()), asked: AtomicUsize::new(0), fails: false }
    }

    fn check(&self) -> Result<(), ForeignError> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        if self.fails { Err(ForeignError::unavailable(Fault)) } else { Ok(()) }
    }
}

impl<Row: Clone + Send + 'static> ForeignTable for MapTable<Row> {
    type Row = Row;

    async fn find(&self, key: &str) -> Result<Option<Row>, ForeignError> {
        self.check()?;
        Ok(self.rows.lock().unwrap().get(key).cloned())
    }

    async fn remove(&self, key: &str) -> Result<(), ForeignError> {
        self.check()?;
        self.rows.lock().unwrap().remove(key);
        Ok(())
    }

    fn saves(&self) -> bool {
        true
    }

    async fn save(&self, key: &str, row: Row) -> Result<(), ForeignError> {
        self.check()?;
        self.rows.lock().unwrap().insert(key.to_owned(), row);
        Ok(())
    }
}

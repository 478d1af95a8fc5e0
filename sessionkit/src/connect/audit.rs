//! The audit trail beside the sessions, for the program `sessionkit`.

use std::sync::{Arc, Mutex, PoisonError};

use sessionkit_core::{AuditEntry, AuditLog, AuditSink};

use super::ConnectError;
use super::address::{Address, Backend};

/// An audit trail that is there.
#[derive(Debug)]
pub struct AuditTrail {
    /// The sink that writes to it.
    pub sink: AuditSink,
    failure: Arc<Mutex<Option<String>>>,
}

impl AuditTrail {
    #[allow(dead_code, reason = "every feature is off")]
    fn new(log: impl AuditLog) -> Self {
        let failure = Arc::default();
        Self { sink: AuditSink::new(Noted { log, failure: Arc::clone(&failure) }), failure }
    }

    /// Returns the reason why the last entries are not in it.
    pub fn failure(&self) -> Option<String> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Builds the audit log in the table that a URL names, if that is there. The logs have no trait that could be named here.
#[cfg(any(feature = "mysql", feature = "postgres", feature = "sqlite"))]
macro_rules! sql_audit {
    ($builder:expr, $address:expr) => {{
        let (mut builder, is_named) = ($builder, $address.audit_table.is_some());
        if let Some(table) = $address.audit_table {
            builder = builder.table(table);
        }
        if let Some(schema) = $address.schema {
            builder = builder.schema(schema);
        }
        let log = builder.build().map_err(|error| ConnectError::InvalidUrl(error.to_string()))?;
        match log.is_complete().await.map_err(ConnectError::store)? {
            true => Ok(Some(AuditTrail::new(log))),
            false if is_named => {
                Err(ConnectError::InvalidUrl("there is no such `audit_table`, or it lacks columns".to_owned()))
            }
            false => {
                // The program waits for the tasks that it leaves behind, by their number, and those of a pool that ends
                // meanwhile would be taken for others. So this one ends with the program.
                std::mem::forget(log);
                Ok(None)
            }
        }
    }};
}

/// Opens the audit trail beside the sessions that a URL names; `None` if there is none.
pub async fn open_audit(url: &str) -> Result<Option<AuditTrail>, ConnectError> {
    let address = Address::parse(url)?;
    match address.backend {
        #[cfg(feature = "sqlite")]
        Backend::Sqlite => {
            let store = sessionkit_sql::SqliteStore::open(&address.url, false).await.map_err(super::no_pool)?;
            sql_audit!(store.into_audit_log(), address)
        }
        #[cfg(feature = "postgres")]
        Backend::Postgres => {
            let store = sessionkit_sql::PostgresStore::open(&address.url).await.map_err(super::no_pool)?;
            sql_audit!(store.into_audit_log().prepared_statements(address.prepares_statements), address)
        }
        #[cfg(feature = "mysql")]
        Backend::MySql => {
            let store = sessionkit_sql::MySqlStore::open(&address.url).await.map_err(super::no_pool)?;
            sql_audit!(store.into_audit_log(), address)
        }
        Backend::Memory | Backend::File | Backend::Redis | Backend::RedisTls => Ok(None),
        #[allow(unreachable_patterns, reason = "every feature is on")]
        _ => Ok(None),
    }
}

/// An audit log that notes why it fails.
struct Noted<L> {
    log: L,
    failure: Arc<Mutex<Option<String>>>,
}

impl<L: AuditLog> AuditLog for Noted<L> {
    type Error = L::Error;

    async fn append(&self, entries: &[AuditEntry]) -> Result<(), L::Error> {
        let appended = self.log.append(entries).await;
        let failure = appended.as_ref().err().map(ToString::to_string);
        *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = failure;
        appended
    }
}

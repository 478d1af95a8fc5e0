//! The failures of statements, and the errors that say what is known after them.

use std::fmt;

use sessionkit_core::StoreError;
use sqlx::error::DatabaseError;

/// A statement failed. It says what happened and what to do, and shows no value of a row and no password.
#[derive(Debug)]
pub struct Failure {
    kind: FailureKind,
    reason: String,
}

/// The kind of a failure: it says what is known after it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum FailureKind {
    /// Nothing was sent: there is no connection, or a value cannot be sent.
    NotSent,
    /// The database refused, and nothing happened.
    Refused,
    /// Nothing happened, because another writer is at work: the same statement succeeds later.
    Busy,
    /// Nothing happened, because another transaction changed the same rows.
    Conflict,
    /// Nothing was inserted: the key has a row.
    Taken,
    /// The table or a column of it is not there.
    NoTable,
    /// The user of the database may not do it, and nothing happened.
    #[cfg_attr(not(any(feature = "mysql", feature = "postgres")), allow(dead_code, reason = "SQLite knows no users"))]
    Forbidden,
    /// The answer did not arrive, or cannot be read.
    Lost,
}

impl Failure {
    pub(crate) fn new(kind: FailureKind, reason: impl Into<String>) -> Self {
        Self { kind, reason: reason.into() }
    }

    /// Takes apart the error of a pool that has no connection.
    pub(crate) fn of_pool(error: &sqlx::Error) -> Self {
        let reason = match error {
            sqlx::Error::PoolTimedOut => {
                "no connection of the pool in time: check if the server answers, then if something \
                holds all connections, and raise `max_connections`"
                    .to_owned()
            }
            sqlx::Error::Io(error) => {
                format!("cannot connect to the database: {error}: check the host and the port, and if the server runs")
            }
            sqlx::Error::Tls(error) if error.to_string().contains("without TLS support") => {
                "cannot connect to the database: it asks for TLS, which is a feature of sqlx: add sqlx to the \
                 dependencies of the application with `tls-rustls-ring`, for example"
                    .to_owned()
            }
            error => format!("cannot connect to the database: {}", described(error)),
        };
        Self { kind: FailureKind::NotSent, reason }
    }

    /// Takes apart the error of a statement that was sent. `kind_of` knows the codes of the database.
    pub(crate) fn of_statement(error: &sqlx::Error, kind_of: fn(&dyn DatabaseError) -> FailureKind) -> Self {
        let kind = match error {
            sqlx::Error::Database(error) => kind_of(&**error),
            sqlx::Error::Encode(_) | sqlx::Error::InvalidArgument(_) => FailureKind::NotSent,
            sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed => FailureKind::NotSent,
            _ => FailureKind::Lost,
        };
        Self { kind, reason: described(error) }
    }

    pub(crate) fn kind(&self) -> FailureKind {
        self.kind
    }

    /// Returns whether the connection may be broken.
    pub(crate) fn is_lost(&self) -> bool {
        self.kind == FailureKind::Lost
    }

    /// The error of a call that changes nothing.
    pub(crate) fn of_read(self) -> StoreError {
        StoreError::unavailable(self)
    }

    /// The error of a call that may have changed something.
    pub(crate) fn of_write(self) -> StoreError {
        match self.kind {
            FailureKind::Lost => StoreError::unknown(self),
            _ => StoreError::unavailable(self),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)?;
        match self.kind {
            FailureKind::NoTable => f.write_str(
                ": call `create_schema()`, or run what `schema()` returns; for sessions, `sessionkit schema` does both",
            ),
            FailureKind::Forbidden => f.write_str(
                ": grant this right, or let an administrator create the table with what `schema()` returns, and grant \
                 SELECT, INSERT, UPDATE and DELETE on it",
            ),
            _ => Ok(()),
        }
    }
}

impl std::error::Error for Failure {}

/// Returns an error as it may be logged: a database quotes values of rows in some of its errors.
fn described(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(error) => {
            let code = error.code().unwrap_or_default();
            // The classes of SQLSTATE for data that does not fit and for constraints; MySQL says it otherwise, too.
            let quotes = code.len() == 5 && (code.starts_with("22") || code.starts_with("23"));
            match quotes || error.message().starts_with("Incorrect ") {
                true => format!("the database refused a value (code {code})"),
                false => format!("the database answered: {} (code {code})", error.message()),
            }
        }
        // A URL with a password may be in it.
        sqlx::Error::Configuration(_) => "the settings of the connection cannot be used".to_owned(),
        error => error.to_string(),
    }
}

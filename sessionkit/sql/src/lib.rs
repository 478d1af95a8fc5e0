//! Sessions in SQLite, PostgreSQL, MySQL and MariaDB, on the pool of connections that an application already has.
//!
//! Applications use the package `sessionkit` with its feature `sqlite`, `postgres` or `mysql`, which re-exports this one as
//! `sessionkit::sql`; the page *SQL* of its guide explains the table. The package stands alone because sqlx asks for a
//! newer Rust than the rest of SessionKit.
//!
//! - [`SqlStore`], with the names [`SqliteStore`], [`PostgresStore`] and [`MySqlStore`], keeps sessions.
//! - [`SqlAuditLog`] keeps an audit trail.
//!
//! # How it works
//!
//! A session is one row: its packed record, and beside it columns for people, who it is, since when and from which device.
//! Loading is one `SELECT`, a commit one `UPDATE .. WHERE id = ? AND revision = ?`. A commit that is refused reads the
//! newest record in a second statement. There is no transaction and no upsert.

#![deny(missing_docs)]
#![cfg_attr(docsrs, feature(doc_cfg))]
// Without a database nobody calls what they share.
#![cfg_attr(not(any(feature = "mysql", feature = "postgres", feature = "sqlite")), expect(dead_code))]

#[macro_use]
mod pooled;

mod audit;
mod dialect;

mod executor;
mod failure;
mod kept;
#[cfg(feature = "postgres")]
mod listener;
#[cfg(feature = "mysql")]
mod mysql;
mod names;
#[cfg(feature = "postgres")]
mod postgres;
mod row;
mod schema;
#[cfg(feature = "sqlite")]
mod sqlite;
mod statements;
mod store;

pub use audit::{SqlAuditLog, SqlAuditLogBuilder};
pub use failure::Failure as SqlFailure;
#[cfg(feature = "mysql")]
pub use mysql::MySqlStore;
pub use names::SqlSetupError;
pub use pooled::Pooled;
#[cfg(feature = "postgres")]
pub use postgres::PostgresStore;
#[cfg(feature = "sqlite")]
pub use sqlite::SqliteStore;
pub use store::{SqlStore, SqlStoreBuilder};

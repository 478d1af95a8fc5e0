//! Statements and their values, between the store and the library that speaks to the database.

use std::future::Future;
use std::sync::Arc;

use crate::dialect::Dialect;
use crate::failure::Failure;

/// Runs statements on a database. Clones share the connections.
pub trait Executor: Dialect + Clone + Send + Sync + 'static {
    /// Runs a statement by itself, which commits, and returns how many rows it changed.
    fn execute(&self, sql: &Sql, values: &[Value<'_>]) -> impl Future<Output = Result<u64, Failure>> + Send;

    /// Runs a statement, and reads each of its rows.
    fn fetch<T: Send>(
        &self,
        sql: &Sql,
        values: &[Value<'_>],
        read: fn(&dyn Cells) -> Result<T, Failure>,
    ) -> impl Future<Output = Result<Vec<T>, Failure>> + Send;

    /// Runs statements that have no values, one after the other.
    fn run(&self, statements: String) -> impl Future<Output = Result<(), Failure>> + Send;

    /// Returns about how many connections there are.
    fn connections(&self) -> u32;
}

/// A statement, with a `?` for each of its values.
#[derive(Clone, Debug)]
pub struct Sql {
    /// The statement in the words of the database.
    pub(crate) text: Arc<str>,
    /// True if the connection keeps the statement prepared.
    pub(crate) kept: bool,
}

impl Sql {
    /// A statement that is used again and again.
    pub(crate) fn kept(text: impl Into<Arc<str>>) -> Self {
        Self { text: text.into(), kept: true }
    }

    /// A statement that is seldom used.
    pub(crate) fn once(text: impl Into<Arc<str>>) -> Self {
        Self { text: text.into(), kept: false }
    }
}

/// A value of a statement.
#[derive(Clone, Copy, Debug)]
pub enum Value<'a> {
    /// Bytes.
    Bytes(&'a [u8]),
    /// Text, without zero bytes.
    Text(Option<&'a str>),
    /// A number.
    Number(Option<i64>),
    /// A list of bytes: one array, or as many values.
    List(&'a [&'a [u8]]),
}

/// The cells of a row.
pub trait Cells {
    /// Returns the bytes of a cell, or of its text; `None` if it is NULL.
    fn bytes(&self, at: usize) -> Result<Option<Vec<u8>>, Failure>;

    /// Returns the number in a cell; `None` if it is NULL.
    fn number(&self, at: usize) -> Result<Option<i64>, Failure>;
}

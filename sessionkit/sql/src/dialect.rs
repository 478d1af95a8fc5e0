//! The words in which databases differ.

#[cfg(feature = "postgres")]
use crate::listener::Listener;
use crate::names::TableName;
#[cfg(feature = "postgres")]
use sessionkit_core::{Notices, SessionId};

/// The words of one kind of database.
pub trait Dialect {
    /// Stands around names.
    const QUOTE: char;
    /// The type of bytes, of at most so many.
    fn bytes(longest: usize) -> String;
    /// The type of records.
    const RECORD: &'static str;
    /// The type of text for people, of at most 255 characters, which compares byte by byte.
    const TEXT: &'static str;
    /// The type of numbers of 64 bits.
    const NUMBER: &'static str;
    /// The keyword for computed columns: `STORED` at each write, or `VIRTUAL` at each read.
    const COMPUTED: &'static str;
    /// Stands behind an `INSERT` so that a key that is taken is no error; empty if it is one.
    const ON_TAKEN: &'static str;
    /// Stands behind the columns of a table whose rows change again and again.
    const CHANGING_TABLE: &'static str;
    /// Stands behind the columns of a table that only grows.
    const GROWING_TABLE: &'static str;
    /// True if indexes are declared inside `CREATE TABLE`.
    const INDEX_IN_TABLE: bool;
    /// True if `CREATE INDEX` takes the schema with the name of the index, false if with the name of the table.
    const INDEX_HAS_SCHEMA: bool;
    /// True if the database takes one writer at a time.
    const ONE_WRITER: bool;
    /// Stands before statements that change a table which is in use.
    const BEFORE_CHANGE: &'static str;

    /// The settings of a connection on which durability depends.
    const SETTINGS: &'static [Setting];

    /// Begins to pass on the notices of other processes, unless it does already. By default there are none.
    #[cfg(feature = "postgres")]
    fn listen(&self, listener: &Listener, channel: &str, notices: &Notices) {
        let _ = (listener, channel, notices);
    }

    /// Tells the other processes that listen that a session ended or was rotated. Nobody waits for it.
    #[cfg(feature = "postgres")]
    fn announce(&self, channel: &str, id: SessionId) {
        let _ = (channel, id);
    }

    /// Writes the places of values as the database wants them; a `?` stands for each.
    fn places(sql: String) -> String;

    /// Returns what chooses the rows whose column is among a list of so many values.
    fn among(column: &str, count: usize) -> String;

    /// Returns the statement that removes up to a number of rows that are due: the time is its first value, the number
    /// its second.
    fn sweep(table: &str) -> String;

    /// Returns the statement that lists the names of a table's columns.
    fn columns(name: &TableName) -> String;

    /// Returns the expression for the space that a table takes up, in bytes.
    fn size(name: &TableName) -> String;
}

/// A setting of a connection that sessions want otherwise than it may be.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// The statement that shows it.
    pub(crate) shown_by: &'static str,
    /// The values that are right.
    pub(crate) right: &'static [&'static str],
    /// Says what can happen, and what to change.
    pub(crate) advice: &'static str,
}

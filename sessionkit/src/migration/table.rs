//! The table in which another system keeps its sessions.

use std::future::Future;

use sessionkit_core::ForeignError;

/// Finds the rows of another system by the key of a session. The application implements it over its own table, since only it
/// knows the names of the columns; a reader of this module says what a row is.
pub trait ForeignTable: Send + Sync + 'static {
    /// The row that the reader asks for: [`TokenRow`](super::TokenRow), for example.
    type Row: Send;

    /// Returns the row of a session, or `None` if there is none. The reader compares its end with the clock.
    ///
    /// # Errors
    /// Fails when the database does, with [`ForeignError::unavailable`].
    fn find(&self, key: &str) -> impl Future<Output = Result<Option<Self::Row>, ForeignError>> + Send;

    /// Removes the row of a session, if there is one.
    ///
    /// # Errors
    /// Fails when the database does.
    fn remove(&self, key: &str) -> impl Future<Output = Result<(), ForeignError>> + Send;

    /// Returns whether [`save`](Self::save) is implemented, which the mode *dual-write* needs.
    fn saves(&self) -> bool {
        false
    }

    /// Inserts the row of a session, or replaces it. By default nothing can be saved.
    ///
    /// # Errors
    /// Fails when the database does.
    fn save(&self, key: &str, row: Self::Row) -> impl Future<Output = Result<(), ForeignError>> + Send {
        let _ = (key, row);
        std::future::ready(Err(ForeignError::unsupported()))
    }
}

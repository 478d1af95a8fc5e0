//! Stores without a framework above them, each called through its own public trait.

pub mod by_hand;
pub mod measured;
pub mod ours;
pub mod peers;
pub mod place;

use crate::process::Result;

/// The number of sessions in the list that is looked up.
pub const LISTED: usize = 10;

/// A store, and the sessions that are put into it. All have the content of [`Visit`](crate::content::Visit).
pub trait Subject: Clone + 'static {
    /// A session that is stored.
    type Session;

    /// Stores a new session.
    fn insert(&self) -> impl Future<Output = Result<Self::Session>>;

    /// Loads a session, and fails if it is not there.
    fn load(&self, session: &mut Self::Session) -> impl Future<Output = Result>;

    /// Stores other content of the same length in the place of what is stored: databases skip what is there already.
    fn commit(&self, session: &mut Self::Session) -> impl Future<Output = Result>;

    /// Removes a session.
    fn remove(&self, session: Self::Session) -> impl Future<Output = Result>;

    /// Looks up the sessions of one user, and loads them all. `false` if the store has no such thing.
    fn list(&self) -> impl Future<Output = Result<bool>> {
        async { Ok(false) }
    }
}

/// An operation that is measured.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Operation {
    Load,
    Insert,
    Commit,
    Remove,
    List,
}

impl Operation {
    /// In an order in which each finds what it needs: what is removed was inserted just before.
    pub const ALL: [Self; 5] = [Self::Load, Self::Insert, Self::Remove, Self::Commit, Self::List];
}

/// Makes the one message of an error.
fn said(error: impl std::fmt::Display) -> String {
    error.to_string()
}

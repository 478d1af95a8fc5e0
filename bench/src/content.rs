//! The content of every session.

use serde::{Deserialize, Serialize};
use sessionkit::SessionData;

/// A user, a name of 20 characters, and five items.
#[derive(Clone, Debug, Deserialize, Serialize, SessionData)]
pub struct Visit {
    pub user: u64,
    pub name: String,
    pub items: Vec<u64>,
}

pub const NAME: &str = "Augusta Ada Lovelace";

impl Visit {
    pub fn new() -> Self {
        Self { user: 1_815_121, name: NAME.to_owned(), items: vec![100_001, 100_002, 100_003, 100_004, 100_005] }
    }

    /// Makes the change of the route `/write`, and tells what it came to.
    pub fn change(&mut self) -> String {
        self.items[0] += 1;
        self.items[0].to_string()
    }
}

impl Default for Visit {
    fn default() -> Self {
        Self::new()
    }
}

//! Help for tests of stores, adapters and applications (feature `testing`).

mod clock;
mod counting;
mod failing;
mod request;
mod session;
pub mod suite;
mod unguarded;
mod users;

pub use clock::ManualClock;
pub use counting::{Calls, CountingStore};
pub use failing::FailingStore;
pub use session::{NewTestSession, TestSession};
pub use unguarded::UnguardedRoutes;
pub use users::TestUsers;

//! The sessions of other systems, taken over without logging anyone out.

pub use express::ExpressSessions;
pub use records::{ForeignRecords, LARGEST_RECORD};
#[cfg(feature = "redis")]
pub use redis::RedisRecords;
pub use sessionkit_core::{ForeignCookie, ForeignError, ForeignErrorKind, ForeignSession, ForeignSessions};

mod express;
mod javascript;
mod percent;
mod records;
#[cfg(feature = "redis")]
mod redis;

//! The sessions of other systems, taken over without logging anyone out.

#[cfg(feature = "auth-js")]
pub use auth_js::AuthJsSessions;
pub use express::ExpressSessions;
#[cfg(feature = "iron-session")]
pub use iron_session::IronSessions;
pub use records::{ForeignRecords, LARGEST_RECORD};
#[cfg(feature = "redis")]
pub use redis::RedisRecords;
pub use sessionkit_core::{ForeignCookie, ForeignError, ForeignErrorKind, ForeignSession, ForeignSessions};

#[cfg(any(feature = "auth-js", feature = "iron-session"))]
mod aes_cbc;
#[cfg(feature = "auth-js")]
mod auth_js;
mod express;
#[cfg(feature = "iron-session")]
mod iron_session;
mod javascript;
mod percent;
mod records;
#[cfg(feature = "redis")]
mod redis;

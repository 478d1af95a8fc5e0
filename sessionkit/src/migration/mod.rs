//! The sessions of other systems, taken over without logging anyone out.
//!
//! Each system has a reader, a [`ForeignSessions`]. Some keep their records under keys, for which there is [`ForeignRecords`], with
//! [`RedisRecords`] for Redis, and some in a table of the application's own database, for which there is [`ForeignTable`].
//!
//! | system | reader | feature | can be written |
//! |---|---|---|---|
//! | Django, in its database | [`DjangoSessions`] | `migration`, `itsdangerous` | if the table saves |
//! | fastapi_session, in Redis | [`FastapiSession`] | `fastapi-session` | yes |
//! | fastapi-sessions | [`FastapiSessions`] | `migration`, `itsdangerous` | yes |
//! | Flask-Session, in Redis | [`FlaskSession`] | `flask-session` | yes |
//! | SessionKit for FastAPI | [`IdInCookie::sessionkit_for_fastapi`] | `migration` | yes |
//! | Redis by hand, with the id in the cookie | [`IdInCookie::by_hand`] | `migration` | yes |
//! | a table of tokens | [`TokenTable`] | `migration` | if the table saves |

#[cfg(feature = "itsdangerous")]
pub use django::{DjangoRow, DjangoSessions};
#[cfg(feature = "fastapi-session")]
pub use fastapi_session::FastapiSession;
#[cfg(feature = "itsdangerous")]
pub use fastapi_sessions::FastapiSessions;
#[cfg(feature = "flask-session")]
pub use flask_session::FlaskSession;
pub use id_in_cookie::IdInCookie;
pub use records::{ForeignRecords, LARGEST_RECORD};
#[cfg(feature = "redis")]
pub use redis::RedisRecords;
pub use sessionkit_core::{ForeignCookie, ForeignError, ForeignErrorKind, ForeignSession, ForeignSessions};
pub use table::ForeignTable;
pub use token_table::{TokenRow, TokenTable};

#[cfg(feature = "itsdangerous")]
mod django;
#[cfg(feature = "fastapi-session")]
mod fastapi_session;
#[cfg(feature = "itsdangerous")]
mod fastapi_sessions;
#[cfg(feature = "flask-session")]
mod flask_session;
mod id_in_cookie;
#[cfg(feature = "flask-session")]
mod message_pack;
mod record;
mod records;
#[cfg(feature = "redis")]
mod redis;
mod table;
#[cfg(test)]
mod testing;
mod token_table;

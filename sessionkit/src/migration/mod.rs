//! The sessions of other systems, taken over without logging anyone out.
//!
//! Each system has a reader, a [`ForeignSessions`]. Some keep their records under keys, for which there is [`ForeignRecords`], with
//! [`RedisRecords`] for Redis, and some in a table of the application's own database, for which there is [`ForeignTable`].
//!
//! | system | reader | feature | can be written |
//! |---|---|---|---|
//! | actix-session, in Redis | [`ActixSession`] | `actix-session` | yes |
//! | Django, in its database | [`DjangoSessions`] | `migration`, `itsdangerous` | if the table saves |
//! | fastapi_session, in Redis | [`FastapiSession`] | `fastapi-session` | yes |
//! | fastapi-sessions | [`FastapiSessions`] | `migration`, `itsdangerous` | yes |
//! | Flask-Session, in Redis | [`FlaskSession`] | `flask-session` | yes |
//! | SessionKit for FastAPI | [`IdInCookie::sessionkit_for_fastapi`] | `migration` | yes |
//! | Redis by hand, with the id in the cookie | [`IdInCookie::by_hand`] | `migration` | yes |
//! | tower-sessions, in Redis | [`TowerSessions`] | `tower-sessions` | yes |
//! | a table of tokens | [`TokenTable`] | `migration` | if the table saves |

#[cfg(feature = "actix-session")]
pub use actix_session::ActixSession;
#[cfg(any(feature = "actix-session", feature = "tower-sessions"))]
pub use cookie_key::CookieKey;
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
pub use sessionkit_core::{
    ForeignCookie, ForeignError, ForeignErrorKind, ForeignSession, ForeignSessions, Migration, MigrationMode,
    SessionsInCookie,
};
pub use table::ForeignTable;
pub use token_table::{TokenRow, TokenTable};
#[cfg(feature = "tower-sessions")]
pub use tower_sessions::TowerSessions;

#[cfg(feature = "actix-session")]
mod actix_session;
#[cfg(any(feature = "actix-session", feature = "tower-sessions"))]
mod cookie_key;
#[cfg(feature = "itsdangerous")]
mod django;
#[cfg(feature = "fastapi-session")]
mod fastapi_session;
#[cfg(feature = "itsdangerous")]
mod fastapi_sessions;
#[cfg(feature = "flask-session")]
mod flask_session;
mod id_in_cookie;
#[cfg(any(feature = "flask-session", feature = "tower-sessions"))]
mod message_pack;
mod record;
mod records;
#[cfg(feature = "redis")]
mod redis;
mod table;
#[cfg(test)]
mod testing;
mod token_table;
#[cfg(feature = "tower-sessions")]
mod tower_sessions;

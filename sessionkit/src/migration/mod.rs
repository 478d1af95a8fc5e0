//! The sessions of other systems, taken over without logging anyone out.
//!
//! Each system has a reader, a [`ForeignSessions`]. Some keep their records under keys, for which there is [`ForeignRecords`], with
//! [`RedisRecords`] for Redis, and some in a table of the application's own database, for which there is [`ForeignTable`].
//!
//! | system | reader | feature | can be written |
//! |---|---|---|---|
//! | a table of tokens | [`TokenTable`] | `migration` | if the table saves |
//! | actix-session, in Redis | [`ActixSession`] | `actix-session` | yes |
//! | any that signs or encrypts its sessions in the cookie: Starlette, Ravyn, Flask, Muffin .. | [`SessionsInCookie`] with one of the [`formats`](crate::formats) | that of the format | yes |
//! | Auth.js | [`AuthJsSessions`] | `auth-js` | no |
//! | Django, in its database | [`DjangoSessions`] | `migration`, `itsdangerous` | if the table saves |
//! | express-session, with connect-redis | [`ExpressSessions`] | `migration` | yes |
//! | fastapi-sessions | [`FastapiSessions`] | `migration`, `itsdangerous` | yes |
//! | fastapi_session, in Redis | [`FastapiSession`] | `fastapi-session` | yes |
//! | Flask-Session, in Redis | [`FlaskSession`] | `flask-session` | yes |
//! | iron-session | [`IronSessions`] | `iron-session` | yes |
//! | Redis by hand, with the id in the cookie | [`IdInCookie::by_hand`] | `migration` | yes |
//! | SessionKit for FastAPI | [`IdInCookie::sessionkit_for_fastapi`] | `migration` | yes |
//! | tower-sessions, in Redis | [`TowerSessions`] | `tower-sessions` | yes |

#[cfg(feature = "actix-session")]
pub use actix_session::ActixSession;
#[cfg(feature = "auth-js")]
pub use auth_js::AuthJsSessions;
#[cfg(any(feature = "actix-session", feature = "tower-sessions"))]
pub use cookie_key::CookieKey;
#[cfg(feature = "itsdangerous")]
pub use django::{DjangoRow, DjangoSessions};
pub use express::ExpressSessions;
#[cfg(feature = "fastapi-session")]
pub use fastapi_session::FastapiSession;
#[cfg(feature = "itsdangerous")]
pub use fastapi_sessions::FastapiSessions;
#[cfg(feature = "flask-session")]
pub use flask_session::FlaskSession;
pub use id_in_cookie::IdInCookie;
#[cfg(feature = "iron-session")]
pub use iron_session::IronSessions;
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
#[cfg(any(feature = "auth-js", feature = "iron-session"))]
mod aes_cbc;
#[cfg(feature = "auth-js")]
mod auth_js;
#[cfg(any(feature = "actix-session", feature = "tower-sessions"))]
mod cookie_key;
#[cfg(feature = "itsdangerous")]
mod django;
mod express;
#[cfg(feature = "fastapi-session")]
mod fastapi_session;
#[cfg(feature = "itsdangerous")]
mod fastapi_sessions;
#[cfg(feature = "flask-session")]
mod flask_session;
mod id_in_cookie;
#[cfg(feature = "iron-session")]
mod iron_session;
mod javascript;
#[cfg(any(feature = "flask-session", feature = "tower-sessions"))]
mod message_pack;
mod percent;
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
#[cfg(test)]
#[cfg(any(feature = "actix-session", feature = "flask-session", feature = "tower-sessions"))]
mod vectors;

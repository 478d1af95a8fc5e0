//! Typed sessions for axum and actix-web.
//!
//! A session is a struct that the application declares. A handler changes it like any struct; SessionKit stores the
//! fields that changed, merges concurrent requests, never brings a logged-out session back, and guards routes with an
//! attribute. The same struct, store and cookie work on both frameworks: import what is framework-specific from one
//! module, `sessionkit::axum` or `sessionkit::actix`.
//!
//! The [guide] begins with a program and ends in production.
//!
//! # Features
//!
//! | feature | |
//! |---|---|
//! | `access-matrix` | a list of all guarded handlers and what they require |
//! | `aide` | the adapter for axum in the `api_route`s of `aide`, which writes OpenAPI documents |
//! | `auth-js` | a [reader](migration::AuthJsSessions) for the sessions of Auth.js, and of NextAuth.js before it |
//! | `axum` | the adapter for axum |
//! | `actix` | the adapter for actix-web |
//! | `actix-session` | the [migration] of the sessions of actix-session in Redis |
//! | `cli` | the program `sessionkit`, with which operators look into a store, end sessions and sweep |
//! | `fastapi-session` | the [migration] of the sessions of fastapi_session in Redis |
//! | `fernet` | the session [`formats`] of Fernet tokens, those of fastapi_session too |
//! | `file` | sessions in files |
//! | `flask-session` | the [migration] of the sessions of Flask-Session in Redis |
//! | `http` | requests and responses of the crate `http`, for sessions [by hand](manual) |
//! | `iron-session` | a [reader and writer](migration::IronSessions) for the sessions of iron-session |
//! | `itsdangerous` | the session [`formats`] of Starlette, Ravyn, Flask, fastapi-sessions and Django |
//! | `jwt` | a session [format](formats::Jwt) in JSON Web Tokens, signed with HS256 or Ed25519 |
//! | `messagepack` | the codec `MessagePack`, for structs that ask for it |
//! | `metrics` | the event sink `MetricsSink`, for the facade `metrics` |
//! | `migration` | the sessions of other systems, [taken over](migration) without logging anyone out |
//! | `muffin` | the session [`formats`] of Muffin-Session |
//! | `mysql` | sessions in MySQL or MariaDB, on a pool of sqlx; it asks for Rust 1.94 |
//! | `postgres` | sessions in PostgreSQL, in the same way |
//! | `redis` | sessions in Redis |
//! | `redis-tls` | sessions in Redis over TLS, where the URL says `rediss://` |
//! | `signed-json` | a session [format](formats::SignedJson) of our own for services in several languages |
//! | `sqlite` | sessions in SQLite, in the same way |
//! | `testing` | a session for tests in one line, a movable clock, a counting and a failing store, the suite for stores |
//! | `tower-sessions` | the [migration] of the sessions of tower-sessions in Redis |
//!
//! None is on by default, and all of them can be on together.

#![deny(missing_docs)]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "access-matrix")]
pub use access::{Access, AccessMatrix, access_matrix};
pub use connect::{ConnectError, connect};
#[cfg(feature = "messagepack")]
pub use messagepack::MessagePack;
#[cfg(feature = "metrics")]
pub use metrics::MetricsSink;
pub use sessionkit_core::{
    AuditEntry, AuditLog, AuditSink, Clock, Codec, CodecError, ConfigError, CookieMaxAge, CookieSessions,
    CredentialStamp, CrossOriginProtection, CsrfRefusal, Device, Devices, EventKind, EventSink, FieldError,
    FinalLogout, Health, InCookie, InRevocableCookie, Json, KeyError, KeyId, KeyRing, ListsDevices, LoadCookie,
    LocalPath, Login, Logout, MainScope, MemoryStore, MissingReason, MissingSession, OnBadCookie, OnLogin, OnLostWrite,
    OnMaxDevices, OnServer, OwnedHead, PresentedCookie, Reauthentication, Rejection, RevocableCookieSessions, Rolling,
    Route, SameSite, SessionConfig, SessionConfigBuilder, SessionData, SessionError, SessionErrorKind, SessionEvent,
    SessionId, SessionInfo, SessionManager, SessionManagerBuilder, SessionScope, SessionUser, SessionlessRequest,
    Store, StoreCall, StoreError, StructMigration, SystemClock, Timestamp, TokenSource, TracingSink, UserLoader, merge,
};
#[cfg(feature = "testing")]
pub use sessionkit_core::{store_suite, testing};
// Guards.
pub use sessionkit_core::{Denial, DenialReason, GuardedRequest, RequestHead, Requirement, Rules};
pub use sessionkit_macros::SessionData;

#[cfg(feature = "access-matrix")]
mod access;
#[cfg(feature = "actix")]
pub mod actix;
#[cfg(feature = "axum")]
pub mod axum;
mod connect;
#[cfg(feature = "file")]
pub mod file;
#[cfg(any(
    feature = "fernet",
    feature = "itsdangerous",
    feature = "jwt",
    feature = "migration",
    feature = "muffin",
    feature = "signed-json"
))]
pub mod formats;
#[cfg(any(doc, doctest))]
pub mod guide;
pub mod manual;
#[cfg(feature = "messagepack")]
mod messagepack;
#[cfg(feature = "metrics")]
mod metrics;
#[cfg(feature = "migration")]
pub mod migration;
#[cfg(feature = "redis")]
pub mod redis;
#[cfg(any(feature = "mysql", feature = "postgres", feature = "sqlite"))]
#[doc(inline)]
pub use sessionkit_sql as sql;
pub mod store;

#[doc(hidden)]
pub mod __private;

#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;

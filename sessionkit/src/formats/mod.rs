//! The session cookies of other systems, read and written.
//!
//! A service in Rust and one in another language share sessions during a migration: each reads what the other wrote. The
//! page [`formats`](crate::guide::formats) of the guide says how, and what each format promises.
//!
//! | format | of | feature |
//! |---|---|---|
//! | [`Starlette`] | Starlette and FastAPI, Ravyn and Lilya | `itsdangerous` |
//! | [`Flask`] | Flask | `itsdangerous` |
//! | [`FastapiSessionsId`] | fastapi-sessions, whose cookie holds an id | `itsdangerous` |
//! | [`Django`], [`DjangoSessionData`] | Django's sessions in cookies, and those in its database | `itsdangerous` |
//! | [`TimestampSigner`] | whatever else `itsdangerous` signed | `itsdangerous` |
//! | [`Muffin`] | Muffin-Session | `muffin` |
//! | [`Fernet`] | whatever has Fernet | `fernet` |
//! | [`FastapiSessionId`] | fastapi_session, whose cookie holds an id | `fernet` |
//! | [`Jwt`] | whatever has JSON Web Tokens | `jwt` |
//! | [`SignedJson`] | our own, for any language that has JSON and HMAC-SHA256 | `signed-json` |
//!
//! ```
//! use std::time::Duration;
//! use sessionkit::formats::{CookieContent, CookieFormat as _, Secrets, Starlette};
//! # use sessionkit::Timestamp;
//!
//! # let secret = "vB7m3nRk2QwJx9Tz4LpHs8YdCf6GaUe1oVi5NqKtWb0";
//! # let now = Timestamp::from_unix_seconds(1_700_000_000);
//! let format = Starlette::new(Secrets::new([secret])?).max_age(Duration::from_secs(14 * 86_400));
//!
//! let mut content = CookieContent::default();
//! content.values.insert("user_id".to_owned(), 123.into());
//! let cookie = format.write(&content, now)?;
//!
//! let read = format.read(&cookie, now)?;
//! assert_eq!(read.values["user_id"], 123);
//! assert_eq!(read.written_at, Some(now));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! All of them are strict. Base64 has one spelling, a JSON key is there once, nothing is read of a cookie whose signature is
//! wrong, sizes and nesting are limited, and each failure is the same [`InvalidCookie`].

#[cfg(feature = "itsdangerous")]
pub use django::{Django, DjangoSessionData};
#[cfg(feature = "itsdangerous")]
pub use fastapi_sessions::FastapiSessionsId;
#[cfg(feature = "fernet")]
pub use fernet::{FastapiSessionId, Fernet};
#[cfg(feature = "itsdangerous")]
pub use flask::Flask;
#[cfg(feature = "itsdangerous")]
pub use itsdangerous::TimestampSigner;
#[cfg(feature = "jwt")]
pub use jwt::{Ed25519Key, Ed25519PublicKey, Jwt};
#[cfg(feature = "muffin")]
pub use muffin::{Muffin, UnauthenticatedBase64};
pub use secrets::Secrets;
pub use sessionkit_core::{AuthenticatedFormat, CookieContent, CookieFormat, FormatError, InvalidCookie};
#[cfg(feature = "signed-json")]
pub use signed_json::SignedJson;
#[cfg(feature = "itsdangerous")]
pub use starlette::Starlette;

#[cfg(feature = "itsdangerous")]
mod ascii;
#[cfg(feature = "itsdangerous")]
mod django;
#[cfg(feature = "itsdangerous")]
mod fastapi_sessions;
#[cfg(feature = "fernet")]
mod fernet;
#[cfg(feature = "itsdangerous")]
mod flask;
#[cfg(feature = "itsdangerous")]
pub(crate) mod itsdangerous;
pub(crate) mod json;
#[cfg(feature = "jwt")]
mod jwt;
pub(crate) mod limits;
#[cfg(feature = "muffin")]
mod muffin;
#[cfg(feature = "itsdangerous")]
mod payload;
mod secrets;
#[cfg(feature = "signed-json")]
mod signed_json;
#[cfg(feature = "itsdangerous")]
mod starlette;

#[cfg(test)]
mod tests;

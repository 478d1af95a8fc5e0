//! The engine of SessionKit: what a session is, how requests change it, and what a store must do.
//!
//! Applications use the crate `sessionkit`, which re-exports this one beside the adapter of their web framework.
//! Authors of stores and of adapters depend on this crate:
//!
//! - a **store** implements [`Store`] and passes the suite in `testing` (feature `testing`);
//! - an **adapter** gives each request a [`RequestSession`](adapter::RequestSession), hands out
//!   [`Checkout`](adapter::Checkout)s and [`Auth`], and does to the response what [`SessionManager::close`] says. The module
//!   [`adapter`] says how; the attribute `#[session(..)]` comes from `sessionkit-macros`.
//!
//! The guide of `sessionkit` has a page for each: `writing_a_store` and `writing_an_adapter`.

#![deny(missing_docs)]

mod auth;
mod config;
mod csrf;
mod data;
mod devices;
mod encryption;
mod engine;
mod error;
mod event;
mod extractors;
mod foreign;
mod format;
mod guard;
mod manager;
mod migration;
mod panics;
mod record;
mod request;
mod scope;
mod store;
#[cfg(feature = "testing")]
pub mod testing;
mod time;
mod token;
mod wire;

pub use auth::{Auth, Login, Logout, Reauthentication};
pub use config::{
    ConfigError, CookieMaxAge, OnBadCookie, OnLostWrite, OnMaxDevices, Rolling, SameSite, SessionConfig,
    SessionConfigBuilder,
};
pub use csrf::{CrossOriginProtection, CsrfRefusal, CsrfToken};
pub use data::codec::{Codec, CodecError, Json};
pub use data::merge;
pub use data::migration::StructMigration;
pub use data::{OnError, SessionData};
pub use devices::list::{Device, Devices};
pub use encryption::{KeyError, KeyId, KeyRing};
pub use engine::denial::Denial;
pub use engine::hooks::{LoadCookie, MissingReason, MissingSession, PresentedCookie, SessionlessRequest};
#[doc(hidden)]
pub use engine::reencryption::Reencryption;
pub use engine::user::{SessionUser, UserLoader};
pub use error::{DenialReason, SessionError, SessionErrorKind};
pub use event::{AuditEntry, AuditLog, AuditSink, EventKind, EventSink, SessionEvent, StoreCall, TracingSink};
pub use foreign::{ForeignCookie, ForeignError, ForeignErrorKind, ForeignSession, ForeignSessions};
pub use format::{AuthenticatedFormat, CookieContent, CookieFormat, FormatError, InvalidCookie};
pub use guard::{GuardedRequest, Predicate, Requirement, Rules};
pub use manager::{CookieSessions, Health, RevocableCookieSessions, SessionManager, SessionManagerBuilder, SessionsOf};
pub use migration::in_cookie::SessionsInCookie;
pub use migration::{Migration, MigrationMode};
pub use record::Record;
pub use record::credential_stamp::CredentialStamp;
pub use record::delta::{FieldDeadline, FieldKey, OnLogin, StoredValue, ValueRef};
pub use record::details::LoginDetails;
pub use record::field_error::FieldError;
pub use record::front::{EntryKind, Generation, Revision, Unreadable};
pub use record::header::{FormerSecret, Header, LastRotation, PreviousSecret};
pub use record::list::{ListedSession, SessionList};
pub use record::packing::Fields;
pub use request::dynamic::{DynamicSession, DynamicValue};
pub use request::handle::{HandleRef, SessionHandle};
pub use request::info::SessionInfo;
pub use scope::{
    CookieHome, FinalLogout, InCookie, InRevocableCookie, ListsDevices, MainScope, OnServer, SessionHome, SessionScope,
};
pub use store::any::AnyStore;
pub use store::entry::{Entry, EntrySummary};
pub use store::error::{StoreError, StoreErrorKind};
pub use store::key::EntryKey;
pub use store::memory::MemoryStore;
pub use store::notices::Notices;
pub use store::stats::StoreStats;
pub use store::{InsertOutcome, RemoveOutcome, ReplaceOutcome, ScanCursor, ScanPage, Store};
pub use time::{Clock, SystemClock, Timestamp};
pub use token::{OsRandom, SecretHash, SessionId, Token, TokenSource};
pub use wire::head::{OwnedHead, RequestHead, Route};
pub use wire::local_path::LocalPath;
pub use wire::rejection::Rejection;

/// The types and functions that adapters for web frameworks call.
///
/// With the feature `http`, a [`RequestHead`] and a response are made from, and into, those of the crate `http`. Without it, the
/// head is made over the framework's own headers, which implement [`Headers`](adapter::Headers).
///
/// For each request the middleware of an adapter
///
/// 1. calls [`SessionManager::enter`] with the [`SessionStack`](adapter::SessionStack) that an outer layer left among the
///    extensions of the request, and puts the new one there; an error is the answer to the request;
/// 2. keeps a [`RequestGuard`](adapter::RequestGuard) in its future while the handler runs, so that the end of the request
///    is noticed if the client leaves;
/// 3. calls [`SessionManager::close`] with what the handler answered, an error of the handler included, and does to the
///    response what the [`ResponseChanges`](adapter::ResponseChanges) say. Nothing needs to be closed if the layer's session is
///    not [new](adapter::LayerEntry::is_new), or was not [used](adapter::RequestSession::is_used).
///
/// Its extractors take the session of their scope from the stack, or fail with
/// [`missing_layer`](adapter::missing_layer), give it the head of the request with
/// [`attach`](adapter::RequestSession::attach), and hand out what it offers; those of [`Auth`] and [`SessionHandle`], whose
/// methods are guards too, give it with [`keep_head`](adapter::RequestSession::keep_head). An error becomes a response that has the
/// [`Rejection`] among its extensions, where `close` looks for it, and that was [given](Rejection::give).
///
/// The guard type that `#[session(..)]` names is an extractor too, and the first. It sets the
/// [`GuardMark`](adapter::GuardMark) of the request if there is one, and calls [`guard`](adapter::guard). The macros
/// `session_in_order` and `session_together` of `sessionkit-macros` put it before a handler's arguments.
pub mod adapter {
    #[doc(hidden)]
    pub use crate::__extractors as extractors;
    pub use crate::csrf::{Admission, TokenCheck};
    pub use crate::guard::{Check, GuestOnly, Public, RequireFresh, RequireLogin, guard, guard_by, require_user};
    pub use crate::request::RequestSession;
    pub use crate::request::answer::missing_layer;
    pub use crate::request::checkout::Checkout;
    pub use crate::request::close::{CloseFuture, RequestGuard};
    pub use crate::request::stack::{LayerEntry, SessionStack};
    pub use crate::request::unguarded::GuardMark;
    pub use crate::wire::head::Headers;
    pub use crate::wire::response::{HandlerResponse, HeaderChange, HeaderChanges, ResponseChanges};
}

/// The names that the package `sessionkit` uses besides. Not part of the public interface.
#[doc(hidden)]
pub mod facade {
    pub use crate::config::nearest_word;
    pub use crate::encryption::secrets::{check_secret, check_secret_in_use, key_error, secret_error};
    pub use crate::foreign::CookieAttributes;
}

/// The names in the code that macros generate. Not part of the public interface.
#[doc(hidden)]
pub mod derive {
    pub use crate::data::counter::{CountedField, Counting, counter};
    pub use crate::data::encoding::{Defaulted, Encoding, Stored, defaulted, stored, stored_or};
    pub use crate::data::entries::{Entries, Itemizing, Items, Split, entries};
    pub use crate::data::field::{FieldReader, FieldWriter};
    pub use crate::data::flash::{Flash, Flashing, flash};
    pub use crate::data::migration::migrate;
    pub use crate::data::three_way::ThreeWay;
    pub use crate::data::{Field, Merge, MergeFunction};
    pub use crate::engine::guard_options::GuardOptions;
    pub use crate::engine::user::SessionDataOrSessionUser;
    pub use crate::guard::{
        Arguments, Findable, Interrupted, OfData, OfInfo, OfUser, Operator, PendingFetch, Subject, Subjects, Verdict,
    };
}

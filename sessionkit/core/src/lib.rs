//! The engine of SessionKit: what a session is, how requests change it, and what a store must do.
//!
//! Applications use the crate `sessionkit`, which re-exports this one beside the adapter of their web framework.
//! Authors of stores and of adapters depend on this crate alone:
//!
//! - a **store** implements [`Store`] and passes the suite in `testing` (feature `testing`);
//! - an **adapter** puts a [`RequestSession`] into each request, hands out [`Checkout`]s and [`Auth`], and does to the
//!   response what [`SessionManager::close`] says.

#![deny(missing_docs)]

mod auth;
mod config;
mod csrf;
mod data;
mod devices;
mod engine;
mod error;
mod event;
mod guard;
mod manager;
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

pub use auth::{Auth, Login, Reauthentication};
pub use config::{
    ConfigError, CookieMaxAge, OnBadCookie, OnLostWrite, OnMaxDevices, Rolling, SameSite, SessionConfig,
    SessionConfigBuilder,
};
pub use csrf::{Admission, CrossOriginProtection, CsrfRefusal, CsrfToken, TokenCheck};
pub use data::codec::{Codec, CodecError, Json};
pub use data::counter::{Counter, Counting, counter};
pub use data::encoding::{Encoding, Stored, stored, stored_or};
pub use data::entries::{Entries, Itemizing, Items, Split, entries};
pub use data::field::{FieldReader, FieldWriter};
pub use data::flash::{Flash, Flashing, flash};
pub use data::merge;
pub use data::migration::{Migration, migrate};
pub use data::three_way::ThreeWay;
pub use data::{Field, Merge, MergeFunction, OnError, SessionData};
pub use devices::list::{Device, Devices};
pub use engine::denial::Denial;
pub use engine::guard_options::GuardOptions;
pub use engine::hooks::{LoadCookie, MissingSession, PresentedCookie};
#[doc(hidden)]
pub use engine::user::SessionDataOrSessionUser;
pub use engine::user::{SessionUser, UserLoader};
pub use error::{DenialReason, SessionError, SessionErrorKind};
pub use event::{AuditEntry, AuditLog, AuditSink, EventKind, EventSink, SessionEvent, StoreCall, TracingSink};
pub use guard::{
    Arguments, Check, Findable, GuardedRequest, GuestOnly, Interrupted, OfData, OfInfo, OfUser, Operator, PendingFetch,
    Predicate, Public, RequireFresh, RequireLogin, Requirement, Rules, Subject, Subjects, Verdict, guard, guard_by,
    require_user,
};
pub use manager::SessionManager;
pub use record::Record;
pub use record::credential_stamp::CredentialStamp;
pub use record::delta::{FieldKey, StoredValue, ValueRef};
pub use record::details::LoginDetails;
pub use record::field_error::FieldError;
pub use record::front::{EntryKind, Generation, Revision, Unreadable};
pub use record::header::{FormerSecret, Header, LastRotation, PreviousSecret};
pub use record::list::{ListedSession, SessionList};
pub use record::packing::Fields;
pub use request::RequestSession;
pub use request::answer::missing_layer;
pub use request::checkout::Checkout;
pub use request::close::{CloseFuture, RequestGuard};
pub use request::dynamic::{DynamicSession, DynamicValue};
pub use request::handle::{HandleRef, SessionHandle};
pub use request::info::SessionInfo;
pub use request::stack::{LayerEntry, SessionStack};
pub use request::unguarded::GuardMark;
pub use scope::{MainScope, SessionScope};
pub use store::entry::{Entry, EntrySummary};
pub use store::error::{StoreError, StoreErrorKind};
pub use store::key::EntryKey;
pub use store::memory::MemoryStore;
pub use store::notices::Notices;
pub use store::{InsertOutcome, RemoveOutcome, ReplaceOutcome, ScanCursor, ScanPage, Store};
pub use time::{Clock, SystemClock, Timestamp};
pub use token::{OsRandom, SecretHash, SessionId, Token, TokenSource};
pub use wire::head::{Headers, OwnedHead, RequestHead, Route};
pub use wire::local_path::LocalPath;
pub use wire::rejection::Rejection;
pub use wire::response::{HandlerResponse, HeaderChange, HeaderChanges, ResponseChanges};

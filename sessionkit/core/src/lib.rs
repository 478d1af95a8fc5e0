//! The engine of SessionKit: what a session is, how requests change it, and what a store must do.
//!
//! Applications use the crate `sessionkit`, which re-exports this one beside the adapter of their web framework.
//! Authors of stores and of adapters depend on this crate alone:
//!
//! - a **store** implements [`Store`] and passes the suite in `testing` (feature `testing`);
//! - an **adapter** puts a [`RequestSession`] into each request, hands out [`Checkout`]s and [`Auth`], and does to the
//!   response what [`SessionManager::close`] says.

#![deny(missing_docs)]

mod apply;
mod auth;
mod checkout;
mod close;
mod closed;
mod codec;
mod commit;
mod config;
mod cookie;
mod counter;
mod credential_stamp;
mod csrf;
mod data;
mod deadline;
mod delta;
mod details;
mod devices;
mod dynamic;
mod encoding;
mod engine;
mod entries;
mod error;
mod event;
mod extensions;
mod field;
mod field_error;
mod flash;
mod guard;
mod handle;
mod head;
mod header;
mod hooks;
#[cfg(feature = "http")]
mod http;
mod info;
mod layer;
mod load;
mod load_user;
mod local_path;
mod manager;
mod memory;
pub mod merge;
mod migration;
mod name;
mod notices;
mod overlay;
mod packing;
mod pending;
mod record;
mod rejection;
mod request;
mod snapshot;
mod state;
mod store;
mod tasks;
#[cfg(feature = "testing")]
pub mod testing;
mod three_way;
mod time;
mod token;
mod upkeep;
mod user;

pub use auth::{Auth, Login, Reauthentication};
pub use checkout::Checkout;
pub use close::{Closing, Serving};
pub use closed::{Closed, HeaderChange, HeaderChanges};
pub use codec::{Codec, CodecError, Json};
pub use config::{
    ConfigError, CookieMaxAge, OnBadCookie, OnLostWrite, OnMaxDevices, Rolling, SameSite, SessionConfig,
    SessionConfigBuilder,
};
pub use counter::{Counter, Counting, counter};
pub use credential_stamp::CredentialStamp;
pub use csrf::{Admission, CrossOriginProtection, CsrfRefusal, CsrfToken, TokenCheck};
pub use data::{Field, Merge, MergeFunction, OnError, SessionData};
pub use delta::{Authenticate, Delta, FieldKey, FieldOp, HeaderOp, StoredValue, ValueRef};
pub use details::LoginDetails;
pub use devices::{
    Device, DeviceEntry, DeviceIndex, Devices, EntryState, Meant, Registered, Registration, StoreFuture,
};
pub use dynamic::{DynamicSession, DynamicValue};
pub use encoding::{Encoding, Stored, stored, stored_or};
pub use entries::{Entries, Itemizing, Items, Split, entries};
pub use error::SessionError;
pub use event::{AuditEntry, AuditLog, AuditSink, EventKind, EventSink, SessionEvent, StoreCall, TracingSink};
pub use field::{FieldReader, FieldWriter};
pub use field_error::FieldError;
pub use flash::{Flash, Flashing, flash};
pub use guard::{
    Arguments, Check, Denial, DenialReason, Findable, GuardMark, GuardOptions, GuardedRequest, GuestOnly, Interrupted,
    Need, OfData, OfInfo, OfUser, Operator, Predicate, Public, RequireFresh, RequireLogin, Requirement, Rules, Subject,
    Subjects, Verdict, guard, guard_by,
};
pub use handle::{Held, SessionHandle};
pub use head::{Headers, OwnedHead, RequestHead, Route};
pub use header::{Generation, Header, PACKED_HEADER, Previous};
pub use hooks::{LoadCookie, MissingSession, PresentedCookie};
pub use info::SessionInfo;
pub use layer::{LayerMarker, Main};
pub use load_user::require_user;
pub use local_path::LocalPath;
pub use manager::SessionManager;
pub use memory::MemoryStore;
pub use migration::{Migration, migrate};
pub use notices::Notices;
pub use packing::Fields;
pub use record::Record;
pub use rejection::Rejection;
pub use request::RequestSession;
pub use store::{CommitOutcome, CreateOutcome, Receipt, Store, StoreError, StoreErrorKind};
pub use three_way::ThreeWay;
pub use time::{Clock, SystemClock, Timestamp};
pub use token::{OsRandom, SecretHash, SessionId, Token, TokenSource};
#[doc(hidden)]
pub use user::SessionDataOrSessionUser;
pub use user::{SessionUser, UserLoader};

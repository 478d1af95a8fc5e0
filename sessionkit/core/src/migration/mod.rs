//! The sessions of other systems, taken over while requests go on.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use crate::config::ConfigError;
use crate::data::SessionData;
use crate::engine::adopting::Adopts;
use crate::foreign::{ForeignError, ForeignSession, ForeignSessions};
use crate::migration::conversion::{Give, GiveUser, Take, UserOf};
use crate::migration::plan::{Migrating, Plan};
use crate::migration::reader::Reader;
use crate::scope::{MainScope, OnServer, SessionScope};
use crate::time::Timestamp;

mod adopt;
mod conversion;
mod end;
pub(crate) mod in_cookie;
mod look;
mod plan;
mod reader;
mod write;

/// The taking over of another system's sessions: nobody has to log in again because the application moved in.
///
/// ```
/// # mod sessionkit { pub use sessionkit_core::*; pub mod migration { pub use sessionkit_core::*; } }
/// # use sessionkit_core::{ForeignCookie, ForeignError, ForeignSession, ForeignSessions, MemoryStore};
/// # use std::time::Duration;
/// # struct Old { cookie: ForeignCookie }
/// # impl ForeignSessions for Old {
/// #     fn system(&self) -> &'static str { "old" }
/// #     fn cookie(&self) -> &ForeignCookie { &self.cookie }
/// #     async fn open(&self, _: &str, _: Timestamp) -> Result<ForeignSession, ForeignError> { Err(ForeignError::ended()) }
/// #     async fn end(&self, _: &ForeignSession) -> Result<(), ForeignError> { Ok(()) }
/// # }
/// # let old_sessions = Old { cookie: ForeignCookie::new("old") };
/// use sessionkit::migration::Migration;
/// use sessionkit::{SessionManager, Timestamp};
///
/// // A few weeks after the last session of the other system can have begun.
/// let last_day = Timestamp::from_unix_seconds(1_830_000_000);
/// let migration = Migration::until(last_day).from(old_sessions).user(|session| session.user_id("user_id"));
/// let manager = SessionManager::builder(MemoryStore::new()).migration(migration)?.build();
/// # let _ = manager;
/// # Ok::<(), sessionkit::ConfigError>(())
/// ```
///
/// A request that opens no session of ours, and comes with a cookie of the other system, is looked at by the readers in their
/// order. The first session that one of them opens becomes a session of ours, once, even if requests come in parallel: its user
/// is logged in under a fresh token, with a login that is not fresh, and its values become those of the structs that
/// [`take`](Self::take) names. The other system's session stays as it is, so that both applications can serve the user.
///
/// - *A logout* ends both: the cookie of the other system opens nothing any more, neither here nor, if its sessions lie on a
///   server, there. So does [`Devices`](crate::Devices) for the browser that asks; other sessions that it ends go on in the other system, and are
///   not taken over again. Those that were not taken over yet are not taken over after [`end_all`](crate::Devices::end_all), `end_others`
///   or `end_everyone`.
/// - *A session that has ended here* is not taken over a second time, whatever its cookie says.
/// - *What cannot be read* is nobody's, with the event `not_adopted`. Each failure has one, and each session that is taken over the
///   event `adopted`, with the name of the system: their numbers say how far the migration is.
/// - *A store of the other system that does not answer* makes the request fail with 503: nobody is taken for anonymous.
///
/// The store keeps a small note about each session that was taken over, until 90 days after the cut-off date.
#[must_use = "give it to `SessionManagerBuilder::migration`"]
pub struct Migration<Scope: SessionScope = MainScope> {
    plan: Plan,
    scope: PhantomData<fn() -> Scope>,
}

/// The part of a [`Migration`] that happens.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum MigrationMode {
    /// Sessions are taken over; the other system's are read, and ended at a logout.
    #[default]
    Read,
    /// Nothing changes: what would be taken over is read and converted, compared with the session of ours that is there, and
    /// reported as the event `shadowed`.
    Shadow,
    /// Sessions are taken over, and each change is written for the other system too, so that the application can go back to it
    /// without logging anybody out. Needs a reader whose format can be written.
    DualWrite,
}

impl<Scope: SessionScope<Home = OnServer>> Migration<Scope> {
    /// Begins a migration that takes sessions over until this time: the cut-off date, after which the other system's cookies are
    /// ignored. Take one by which its last session has ended.
    pub fn until(until: Timestamp) -> Self {
        Self { plan: Plan::new(until), scope: PhantomData }
    }

    /// Adds a reader. Readers are asked in their order.
    pub fn from(mut self, sessions: impl ForeignSessions) -> Self {
        self.plan.readers.push(Reader::new(sessions));
        self
    }

    /// Says who is logged in by a session of the other system: the id as `auth.login(id)` takes it, or `None` for a visitor. Without it
    /// all are visitors. [`ForeignSession::user_id`] reads a text or a number.
    ///
    /// If the manager has a [`UserLoader`](crate::UserLoader), the user has to be one that it finds, and the login is bound to their
    /// present [`CredentialStamp`](crate::CredentialStamp).
    pub fn user(
        mut self,
        user: impl Fn(&ForeignSession) -> Result<Option<String>, ForeignError> + Send + Sync + 'static,
    ) -> Self {
        self.plan.user = Some(UserOf::new(user));
        self
    }

    /// Makes a struct of each session that is taken over. A conversion that fails leaves the session to the other system: the
    /// visitor is anonymous here. May be repeated for other structs.
    ///
    /// ```
    /// # mod sessionkit { pub use sessionkit_core::*; pub mod migration { pub use sessionkit_core::*; } }
    /// # use sessionkit_core::*;
    /// # use sessionkit_core::derive::*;
    /// # #[derive(Default)] struct Cart { items: Vec<u32> }
    /// # impl SessionData for Cart {
    /// #     type Scope = MainScope; type Codec = Json;
    /// #     const NAMESPACE: &'static str = "cart"; const FIELDS: &'static [Field] = &[];
    /// #     fn decode(_: &mut FieldReader<'_>) -> Result<Self, FieldError> { Ok(Cart::default()) }
    /// #     fn encode(&self, _: &mut FieldWriter) -> Result<(), FieldError> { Ok(()) }
    /// # }
    /// use sessionkit::migration::{ForeignError, ForeignSession};
    ///
    /// impl TryFrom<&ForeignSession> for Cart {
    ///     type Error = ForeignError;
    ///
    ///     fn try_from(session: &ForeignSession) -> Result<Self, ForeignError> {
    ///         // A visitor who put nothing into it has no such key.
    ///         Ok(Cart { items: session.get::<Option<_>>("cart")?.unwrap_or_default() })
    ///     }
    /// }
    ///
    /// # fn add(migration: Migration) -> Migration {
    /// migration.take::<Cart>()
    /// # }
    /// ```
    pub fn take<T>(mut self) -> Self
    where
        T: SessionData<Scope = Scope> + Send + 'static,
        T: for<'a> TryFrom<&'a ForeignSession, Error: fmt::Display>,
    {
        self.plan.takes.push(Take::new::<T>());
        self
    }

    /// Sets what happens; [`MigrationMode::Read`] by default.
    pub fn mode(mut self, mode: MigrationMode) -> Self {
        self.plan.mode = mode;
        self
    }

    /// Writes the user of a session of ours into that of the other system, in the mode [`MigrationMode::DualWrite`]; `None` for a visitor. The function
    /// changes [`values`](ForeignSession::values), and leaves what it does not know as it is.
    pub fn write_user(mut self, write: impl Fn(Option<&str>, &mut ForeignSession) + Send + Sync + 'static) -> Self {
        self.plan.give_user = Some(GiveUser::new(write));
        self
    }

    /// Writes a struct into the session of the other system, in the mode [`MigrationMode::DualWrite`]. May be repeated for other structs.
    pub fn write<T>(mut self, write: impl Fn(&T, &mut ForeignSession) + Send + Sync + 'static) -> Self
    where
        T: SessionData<Scope = Scope> + Send + 'static,
    {
        self.plan.gives.push(Give::new(write));
        self
    }

    /// Checks the migration, for a manager whose cookie has this name.
    pub(crate) fn finish(self, own_cookie: &str) -> Result<Arc<dyn Adopts>, ConfigError> {
        let plan = self.plan;
        if plan.readers.is_empty() {
            return Err(ConfigError("a migration needs a reader: add one with `Migration::from`".to_owned()));
        }
        if let Some(reader) = plan.readers.iter().find(|reader| reader.cookie().name() == own_cookie) {
            return Err(ConfigError(format!(
                "the sessions of `{}` have a cookie of the same name as ours, `{own_cookie}`: set another `cookie_name`",
                reader.system()
            )));
        }
        let writes = plan.mode == MigrationMode::DualWrite;
        if writes && !plan.readers.iter().any(Reader::writes) {
            return Err(ConfigError("`DualWrite` needs a reader whose sessions can be written".to_owned()));
        }
        if writes && plan.user.is_some() && plan.give_user.is_none() {
            return Err(ConfigError("`DualWrite` needs to know how to write the user: add `write_user`".to_owned()));
        }
        Ok(Arc::new(Migrating(Arc::new(plan))))
    }
}

impl<Scope: SessionScope> fmt::Debug for Migration<Scope> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.plan.fmt(f)
    }
}

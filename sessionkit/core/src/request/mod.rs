//! The session of one request: loaded at most once, changed by each checkout of a struct, stored when it is closed.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::{OnceCell, watch};

use crate::data::SessionData;
use crate::data::field::FieldReader;
use crate::data::migration;
use crate::engine::Engine;
use crate::engine::adopting::PresentedForeign;
use crate::engine::open::Current;
use crate::engine::session::Requester;
use crate::error::{SessionError, SessionErrorKind};
use crate::event::{self, About, EventKind};
use crate::record::header::Header;
use crate::record::name;
use crate::request::answer::NotedHead;
use crate::request::checkout::Checkout;
use crate::request::close::RequestGuard;
use crate::request::dynamic::DynamicSession;
use crate::request::handle::{Ended, SessionHandle};
use crate::request::info::SessionInfo;
use crate::request::kept::KeptRequest;
use crate::request::overlay::Overlay;
use crate::request::state::{Epoch, Phase, State};
use crate::request::unguarded::GuardMark;
use crate::token::SessionId;
use crate::wire::cookie::Candidates;
use crate::wire::head::{RequestHead, Route};

pub(crate) mod answer;
pub(crate) mod change_set;
pub(crate) mod changes;
pub(crate) mod checkout;
pub(crate) mod close;
pub(crate) mod commit;
pub(crate) mod dynamic;
mod ending;
mod foreign;
pub(crate) mod handle;
pub(crate) mod info;
pub(crate) mod kept;
pub(crate) mod load;
pub(crate) mod load_user;
pub(crate) mod operations;
pub(crate) mod overlay;
pub(crate) mod stack;
pub(crate) mod state;
pub(crate) mod unguarded;
pub(crate) mod upkeep;

/// The session of one request, as an adapter hands it from its layer to its extractors. Cheap to clone.
///
/// [`SessionManager::open`](crate::SessionManager::open) makes it without looking at anything;
/// [`SessionManager::close`](crate::SessionManager::close) stores what changed. The caller who asks for something
/// first gives the head of the request with [`attach`](Self::attach).
#[derive(Clone)]
pub struct RequestSession {
    pub(crate) shared: Arc<Shared>,
}

pub(crate) struct Shared {
    pub(crate) engine: Arc<Engine>,
    pub(crate) candidates: OnceLock<Candidates>,
    /// The session cookies of other systems, while their sessions are taken over.
    foreign: OnceLock<Arc<[PresentedForeign]>>,
    pub(crate) loaded: OnceCell<Result<(), SessionError>>,
    /// Held by login, logout and rotation, which come one after the other.
    pub(crate) turn: tokio::sync::Mutex<()>,
    state: Mutex<State>,
    /// Tells the handles what the request leaves behind.
    ended: OnceLock<watch::Sender<Option<Ended>>>,
    pub(crate) noted: OnceLock<NotedHead>,
    /// The guarded handler.
    pub(crate) handler: OnceLock<&'static str>,
    /// True if a guard decided about the request, where one has to.
    pub(crate) guard_mark: OnceLock<GuardMark>,
    /// The request as guards see it that the handler calls.
    pub(crate) kept: OnceLock<KeptRequest>,
}

impl RequestSession {
    pub(crate) fn new(engine: Arc<Engine>) -> Self {
        let shared = Shared {
            engine,
            candidates: OnceLock::new(),
            foreign: OnceLock::new(),
            loaded: OnceCell::new(),
            turn: tokio::sync::Mutex::default(),
            state: Mutex::default(),
            ended: OnceLock::new(),
            noted: OnceLock::new(),
            handler: OnceLock::new(),
            guard_mark: OnceLock::new(),
            kept: OnceLock::new(),
        };
        Self { shared: Arc::new(shared) }
    }

    /// Makes a round of a handle: the session is loaded already.
    pub(crate) fn resume(engine: Arc<Engine>, current: Option<Current>, kept: Option<KeptRequest>) -> Self {
        let session = Self::new(engine);
        if let Some(kept) = kept {
            let _ = session.shared.kept.set(kept);
        }
        let _ = session.shared.loaded.set(Ok(()));
        *session.state() = State { current, phase: Phase::Round, ..State::default() };
        session
    }

    /// Gives the head of the request; only the first call reads it. Without a head the request has no cookie, so every
    /// extractor gives it first. [`guard`](crate::adapter::guard), [`guard_by`](crate::adapter::guard_by) and
    /// [`require_user`](crate::adapter::require_user) give theirs.
    pub fn attach(&self, head: &RequestHead<'_>) {
        let engine = &self.shared.engine;
        self.shared.candidates.get_or_init(|| {
            self.note(head);
            self.note_foreign(head);
            let candidates = engine.candidates(head.headers());
            if candidates.presented {
                engine.lost_cookies.came_back();
            }
            candidates
        });
    }

    /// Watches over the request until it is closed: where the value is dropped before, the client left.
    pub fn serving(self) -> RequestGuard {
        RequestGuard::new(self)
    }

    /// Checks out a struct: the stored fields with this request's changes on top, or defaults where there are none.
    ///
    /// # Errors
    /// Fails when the store does, or when a stored value does not fit its field.
    pub async fn checkout<T: SessionData>(&self) -> Result<Checkout<T>, SessionError> {
        self.load().await?;
        let (value, epoch) = self.read::<T>()?;
        Ok(Checkout::new(value, self.clone(), epoch))
    }

    /// Checks out a struct if there is a session; `None` where the visitor has none.
    ///
    /// `None` too when a stored value does not fit its field, so that a handler that logs in or out is reached. The answer of
    /// any other handler gives way to the error.
    ///
    /// # Errors
    /// Fails when the store does.
    pub async fn checkout_existing<T: SessionData>(&self) -> Result<Option<Checkout<T>>, SessionError> {
        self.load().await?;
        if self.state().current.is_none() {
            return Ok(None);
        }
        match self.checkout().await {
            Err(error) if error.kind() == SessionErrorKind::Field => Ok(None),
            checkout => checkout.map(Some),
        }
    }

    /// Reads a struct without the means to change it.
    ///
    /// # Errors
    /// Fails as [`checkout`](Self::checkout) does.
    pub async fn view<T: SessionData>(&self) -> Result<T, SessionError> {
        self.load().await?;
        Ok(self.read::<T>()?.0)
    }

    /// Shows the session as a map from keys to values.
    ///
    /// # Errors
    /// Fails when the store does.
    pub async fn dynamic(&self) -> Result<DynamicSession, SessionError> {
        self.load().await?;
        Ok(DynamicSession::new(self.clone()))
    }

    /// Takes a handle for the time after the response.
    ///
    /// # Errors
    /// Fails when the store does.
    pub async fn handle(&self) -> Result<SessionHandle, SessionError> {
        self.load().await?;
        let sender = self.shared.ended.get_or_init(|| watch::Sender::new(None));
        let state = self.state();
        if state.phase.is_over() {
            sender.send_replace(Some(state.left_behind()));
        }
        let handle = SessionHandle::new(self.shared.engine.clone(), sender.subscribe());
        Ok(handle.with_kept(self.shared.kept.get().cloned()))
    }

    /// Tells the handles that the request has ended.
    pub(crate) fn end(&self) {
        let mut state = self.state();
        state.phase = state.phase.ended();
        if let Some(handles) = self.shared.ended.get() {
            handles.send_replace(Some(state.left_behind()));
        }
    }

    /// The id of the user who is logged in.
    ///
    /// # Errors
    /// Fails when the store does.
    pub async fn user_id(&self) -> Result<Option<Arc<str>>, SessionError> {
        self.load().await?;
        Ok(self.loaded_user_id())
    }

    /// Returns the facts about the session itself; `None` if the visitor has none.
    ///
    /// # Errors
    /// Fails when the store does.
    pub async fn info(&self) -> Result<Option<SessionInfo>, SessionError> {
        self.load().await?;
        Ok(self.loaded_info())
    }

    /// Builds a struct from what is loaded.
    pub(crate) fn read<T: SessionData>(&self) -> Result<(T, Epoch), SessionError> {
        let engine = &self.shared.engine;
        engine.claim_namespace::<T>().map_err(|error| self.fail(error))?;
        let state = self.state();
        let mut stored = state.stored(engine);
        let upgraded = migration::upgrade::<T>(&mut stored);
        let old = stored.take_unfit();
        let overlay = Overlay::new(stored, &state.pending);
        let mut reader = FieldReader::new::<T>(&overlay);
        let value = upgraded.and_then(|_| T::decode(&mut reader));
        let unfit = reader.into_unfit();
        let (epoch, undecryptable) = (state.epoch, overlay.take_undecryptable());
        drop(overlay);
        drop(state);
        self.report_undecryptable(&undecryptable);
        for key in old.iter().map(|key| &**key).chain(unfit) {
            self.report(EventKind::Unfit { key });
        }
        Ok((value.map_err(|error| self.unread(error.into()))?, epoch))
    }

    pub(crate) fn loaded_user_id(&self) -> Option<Arc<str>> {
        self.state().current.as_ref()?.record.header().user_id.clone()
    }

    pub(crate) fn loaded_info(&self) -> Option<SessionInfo> {
        let now = self.shared.engine.now();
        self.state().current.as_ref().map(|current| SessionInfo::new(current.id(), current.record.header(), now))
    }

    pub(crate) fn is_logged_in(&self) -> bool {
        self.state().current.as_ref().is_some_and(|current| current.record.header().user_id.is_some())
    }

    /// Returns whether the user proved who they are less than `time` ago.
    pub(crate) fn is_authenticated_within(&self, time: Duration) -> bool {
        let state = self.state();
        let Some(header) = state.current.as_ref().map(|current| current.record.header()) else { return false };
        let at = header.authenticated.filter(|_| header.user_id.is_some());
        at.is_some_and(|at| self.shared.engine.now() < at.saturating_add(time))
    }

    /// Returns whether anybody used the session, or nobody did who had to, so that
    /// [`close`](crate::SessionManager::close) has something to do.
    pub fn is_used(&self) -> bool {
        self.consulted() || self.shared.loaded.initialized() || self.lacks_guard()
    }

    /// Returns whether anybody asked for the session.
    pub(crate) fn consulted(&self) -> bool {
        self.shared.candidates.get().is_some()
    }

    /// Returns whether the request came with a cookie of our name.
    pub(crate) fn cookie_presented(&self) -> bool {
        self.shared.candidates.get().is_some_and(|candidates| candidates.presented)
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells the sinks of what happened to the session of this request. Nobody may hold its state meanwhile.
    pub(crate) fn report(&self, kind: EventKind<'_>) {
        self.report_about(self.shared.about(), kind);
    }

    /// Tells the sinks of what happened to a request whose head the session may not know.
    pub(crate) fn report_at(&self, head: &RequestHead<'_>, kind: EventKind<'_>) {
        let route = Route::new(head);
        self.report_about(About { route: Some(&route), ..self.shared.about() }, kind);
    }

    fn report_about(&self, about: About<'_>, kind: EventKind<'_>) {
        self.shared.report_about(about, kind);
    }

    /// Tells the sinks of what happened to a session, and of whom it is or was.
    pub(crate) fn report_of(&self, id: SessionId, header: Option<&Header>, kind: EventKind<'_>) {
        self.shared.engine.record(kind, self.shared.about().session(id, header));
    }

    /// Tells the sinks why the session cannot be used.
    pub(crate) fn report_failure(&self, error: &SessionError) {
        error.note_scope(self.shared.engine.scope());
        event::tell(error, |kind| self.report(kind));
    }

    /// Tells the sinks of values that could not be decrypted, by their keys.
    pub(crate) fn report_undecryptable(&self, values: &[(String, &'static str)]) {
        for (key, reason) in values {
            self.report(EventKind::Undecryptable { key: name::shown(key), reason });
        }
    }

    /// Remembers why the handler's answer cannot stand.
    pub(crate) fn fail(&self, error: SessionError) -> SessionError {
        self.report_failure(&error);
        self.state().failure.get_or_insert(error).clone()
    }

    /// Remembers that a struct could not be read, so that the handler's answer cannot stand unless it logs in or out.
    fn unread(&self, error: SessionError) -> SessionError {
        self.report_failure(&error);
        self.state().unread.get_or_insert(error).clone()
    }

    /// Changes what is pending, unless that comes too late, or is not `is_current` any more. `key` is for the log.
    pub(crate) fn change<R>(
        &self,
        key: &str,
        is_current: impl FnOnce(&State) -> bool,
        change: impl FnOnce(&mut State) -> R,
    ) -> Option<R> {
        let key = name::shown(key);
        let mut state = self.state();
        let too_late = if state.phase.is_closed() {
            EventKind::LateWrite { key }
        } else if is_current(&state) {
            return Some(change(&mut state));
        } else {
            EventKind::ContributionDiscarded { key }
        };
        drop(state);
        self.report(too_late);
        None
    }
}

impl Shared {
    /// Returns the facts about the request, for events.
    pub(crate) fn about(&self) -> About<'_> {
        About { handler: self.handler.get().copied(), route: self.route(), ..About::default() }
    }
}

impl Shared {
    /// Reports to the sinks what happened to the session of this request. Nobody may hold its state meanwhile.
    fn report_about(&self, about: About<'_>, kind: EventKind<'_>) {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let current = state.current.as_ref().map(|current| (current.id(), current.record.clone()));
        drop(state);
        let about = match &current {
            Some((id, record)) => about.session(*id, Some(record.header())),
            None => about,
        };
        self.engine.record(kind, about);
    }
}

impl Requester for Shared {
    fn report_conflict(&self) {
        self.report_about(self.about(), EventKind::Conflict);
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        if state.phase == Phase::Round && !state.pending.is_empty() {
            let current = state.current.as_ref().map(|current| (current.id(), current.record.header()));
            let about = current.map(|(id, header)| About::default().session(id, Some(header)));
            self.engine.record(EventKind::Uncommitted, about.unwrap_or_default());
        }
        // The client left before the request was closed: logins and logouts hold, also late ones, changes are gone.
        if let (false, Some(handles)) = (state.phase.is_closed(), self.ended.get()) {
            handles.send_replace(Some(state.left_behind()));
        }
    }
}

impl fmt::Debug for RequestSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = self.state().current.as_ref().map(Current::id);
        f.debug_struct("RequestSession").field("id", &id).finish_non_exhaustive()
    }
}

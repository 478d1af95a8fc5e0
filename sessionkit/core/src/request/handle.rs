//! The session after the response: for websockets, streamed bodies and spawned tasks.

use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use tokio::sync::{OnceCell, watch};
use tokio::task;

use crate::data::SessionData;
use crate::engine::Engine;
use crate::engine::open::LeftBehind;
use crate::error::SessionError;
use crate::record::front::Generation;
use crate::request::RequestSession;
use crate::request::checkout::Checkout;
use crate::request::close;
use crate::request::dynamic::DynamicSession;
use crate::request::info::SessionInfo;
use crate::request::kept::KeptRequest;
use crate::request::state::{CookieChange, State};

/// A session in the hands of code that goes on after the response: a websocket, a streamed body, a spawned task.
///
/// It begins when its request has ended: what that request stored is there, a session or a login that it began
/// included. Until then its methods wait, in a spawned task; in the handler itself, which would wait for itself, they
/// fail. Then it works in rounds: the first look reads the session, changes are stored by [`commit`](Self::commit), and
/// what comes after that reads afresh, as it does after [`reload`](Self::reload).
///
/// ```
/// # mod sessionkit { pub mod manual { pub use sessionkit_core::*; } pub use sessionkit_core::*; }
/// # struct Chat { lines: u64 }
/// # impl sessionkit_core::SessionData for Chat {
/// #     type Scope = sessionkit_core::MainScope; type Codec = sessionkit_core::Json;
/// #     const NAMESPACE: &'static str = "chat"; const FIELDS: &'static [sessionkit_core::derive::Field] = &[];
/// #     fn decode(_: &mut sessionkit_core::derive::FieldReader<'_>) -> Result<Self, sessionkit_core::FieldError> {
/// #         Ok(Chat { lines: 0 })
/// #     }
/// #     fn encode(&self, _: &mut sessionkit_core::derive::FieldWriter) -> Result<(), sessionkit_core::FieldError> { Ok(()) }
/// # }
/// use sessionkit::SessionError;
/// use sessionkit::manual::SessionHandle;
///
/// async fn on_message(handle: &mut SessionHandle) -> Result<bool, SessionError> {
///     if !handle.reload().await? {
///         return Ok(false); // logged out meanwhile
///     }
///     handle.checkout::<Chat>().await?.lines += 1;
///     handle.commit().await?;
///     Ok(true)
/// }
/// ```
///
/// It is over when the session is: after a logout, at its deadline, and after a login or a rotation elsewhere, which
/// hand the session to the holder of the new token. A commit sets no cookie; so a visitor who has no session when the
/// request has ended gets none here.
///
/// A commit counts as use of the session, a look does not. Each clone works in rounds of its own.
pub struct SessionHandle {
    engine: Arc<Engine>,
    ended: watch::Receiver<Option<Ended>>,
    /// The task that runs the request, which must not wait for the request's end.
    task: Option<task::Id>,
    /// The request as guards see it.
    kept: Option<KeptRequest>,
    /// The session as it was read, with the changes since.
    round: OnceCell<RequestSession>,
}

/// The session that a request leaves behind, if there is one.
pub(crate) type Ended = Option<LeftBehind>;

impl SessionHandle {
    /// Takes a handle in the task that runs the request.
    pub(crate) fn new(engine: Arc<Engine>, ended: watch::Receiver<Option<Ended>>) -> Self {
        Self { engine, ended, task: task::try_id(), kept: None, round: OnceCell::new() }
    }

    pub(super) fn with_kept(self, kept: Option<KeptRequest>) -> Self {
        Self { kept, ..self }
    }

    /// Begins a new round with the session as it is now; `false` where it has ended, or where there never was one. What
    /// was changed and not committed is discarded, with an event.
    ///
    /// # Errors
    /// Fails when the store does: that is not the end of the session.
    pub async fn reload(&mut self) -> Result<bool, SessionError> {
        self.round = OnceCell::new();
        Ok(self.round().await?.state().current.is_some())
    }

    /// Checks a struct out, to change it.
    ///
    /// # Errors
    /// Fails when the session has ended, when there never was one, when the store fails, and when a stored value does
    /// not fit its field.
    pub async fn checkout<T: SessionData>(&self) -> Result<HandleRef<'_, Checkout<T>>, SessionError> {
        Ok(HandleRef::new(self.session().await?.checkout().await?))
    }

    /// Shows the session as a map from keys to values.
    ///
    /// # Errors
    /// Fails when the session has ended, when there never was one, and when the store fails.
    pub async fn dynamic(&self) -> Result<HandleRef<'_, DynamicSession>, SessionError> {
        Ok(HandleRef::new(self.session().await?.dynamic().await?))
    }

    /// Reads a struct without the means to change it.
    ///
    /// # Errors
    /// Fails as [`checkout`](Self::checkout) does.
    pub async fn view<T: SessionData>(&self) -> Result<T, SessionError> {
        self.session().await?.view().await
    }

    /// The id of the user who is logged in; `None` after the session's end.
    ///
    /// # Errors
    /// Fails when the store does.
    pub async fn user_id(&self) -> Result<Option<Arc<str>>, SessionError> {
        Ok(self.round().await?.loaded_user_id())
    }

    /// Returns what is known of the session itself; `None` after its end.
    ///
    /// # Errors
    /// Fails when the store does.
    pub async fn info(&self) -> Result<Option<SessionInfo>, SessionError> {
        self.round().await?.info().await
    }

    /// Stores what was changed in this round, by the rules by which the end of a request does: fields are merged with
    /// what others stored meanwhile, and once begun it completes. Makes no store call where nothing was changed, unless a
    /// touch is due.
    ///
    /// What was checked out has to be dropped before, since it is taken when it is dropped:
    ///
    /// ```compile_fail,E0502
    /// # async fn go_on(mut handle: sessionkit_core::SessionHandle) -> Result<(), sessionkit_core::SessionError> {
    /// let mut map = handle.dynamic().await?;
    /// map.insert("state", "done")?;
    /// handle.commit().await?; // error: `handle` is borrowed by `map`
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// ```
    /// # async fn go_on(mut handle: sessionkit_core::SessionHandle) -> Result<(), sessionkit_core::SessionError> {
    /// handle.dynamic().await?.insert("state", "done")?;
    /// handle.commit().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Fails when the session has ended meanwhile, when the store fails, and when a conflict cannot be settled in time.
    /// The changes are gone then.
    pub async fn commit(&mut self) -> Result<(), SessionError> {
        match std::mem::take(&mut self.round).into_inner() {
            Some(round) => close::commit(&round).await,
            None => Ok(()),
        }
    }

    /// Waits until the session is over: after a logout, a revocation, a login or a rotation elsewhere, and at its deadline.
    /// At once where there never was one.
    ///
    /// The store's notice of it comes at once, where the store sends them; otherwise it takes as long as the setting
    /// `watch_interval` says. Watching is no use of the session, and costs a load in each interval. While the store fails it
    /// goes on waiting: that is not the end of the session.
    ///
    /// ```
    /// # mod sessionkit { pub mod manual { pub use sessionkit_core::*; } pub use sessionkit_core::*; }
    /// use sessionkit::SessionError;
    /// use sessionkit::manual::SessionHandle;
    ///
    /// async fn serve(handle: SessionHandle, mut next: impl AsyncFnMut() -> Option<String>) -> Result<(), SessionError> {
    ///     let mut ended = std::pin::pin!(handle.ended());
    ///     loop {
    ///         tokio::select! {
    ///             over = &mut ended => return over, // close the websocket
    ///             message = next() => drop(message),
    ///         }
    ///     }
    /// }
    /// ```
    ///
    /// # Errors
    /// Fails in the handler itself, which would wait for its own end.
    pub fn ended(&self) -> impl Future<Output = Result<(), SessionError>> + Send + use<> {
        let handle = self.clone();
        async move {
            if let Some(left) = handle.request_ended().await? {
                handle.engine.watch(&left).await;
            }
            Ok(())
        }
    }

    /// Returns the session as it was read, or an error if there is none.
    async fn session(&self) -> Result<&RequestSession, SessionError> {
        let round = self.round().await?;
        if round.state().current.is_some() {
            return Ok(round);
        }
        let never = matches!(*self.ended.borrow(), Some(None));
        Err(if never { SessionError::no_session() } else { SessionError::over() })
    }

    /// Returns the session as it was read, or reads it.
    pub(crate) async fn round(&self) -> Result<&RequestSession, SessionError> {
        let begin = async || {
            let current = match self.request_ended().await? {
                Some(left) => self.engine.reopen(&left).await?,
                None => None,
            };
            Ok(RequestSession::resume(self.engine.clone(), current, self.kept.clone()))
        };
        self.round.get_or_try_init(begin).await
    }

    /// Waits until the request has ended.
    async fn request_ended(&self) -> Result<Ended, SessionError> {
        let mut ended = self.ended.clone();
        if ended.borrow().is_none() && task::try_id() == self.task {
            return Err(SessionError::early());
        }
        let ended = ended.wait_for(Option::is_some).await;
        Ok(ended.ok().and_then(|ended| ended.clone()).flatten())
    }
}

impl Engine {
    /// Waits until a session has ended, or was handed to another token.
    async fn watch(&self, left: &LeftBehind) {
        // Watched before it is looked at: nothing that happens between is missed.
        let mut watch = self.store.notices().map(|notices| notices.watch(left.token.id()));
        loop {
            let interval = self.settings().watch_interval;
            let wait = match self.reopen(left).await {
                Ok(None) => return,
                Ok(Some(current)) => {
                    interval.min(current.record.header().deadline().saturating_duration_since(self.now()))
                }
                Err(_) => interval,
            };
            match &mut watch {
                Some(watch) => drop(tokio::time::timeout(wait, watch.notice()).await),
                None => tokio::time::sleep(wait).await,
            }
        }
    }
}

impl Clone for SessionHandle {
    fn clone(&self) -> Self {
        let (engine, ended, kept) = (self.engine.clone(), self.ended.clone(), self.kept.clone());
        Self { engine, ended, task: self.task, kept, round: OnceCell::new() }
    }
}

impl fmt::Debug for SessionHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionHandle").field("round", &self.round.get()).finish_non_exhaustive()
    }
}

/// A reference that a [`SessionHandle`] gave out, to be dropped before it commits.
pub struct HandleRef<'a, V> {
    value: V,
    handle: PhantomData<&'a SessionHandle>,
}

impl<V> HandleRef<'_, V> {
    fn new(value: V) -> Self {
        Self { value, handle: PhantomData }
    }
}

impl<V> Deref for HandleRef<'_, V> {
    type Target = V;

    fn deref(&self) -> &V {
        &self.value
    }
}

impl<V> DerefMut for HandleRef<'_, V> {
    fn deref_mut(&mut self) -> &mut V {
        &mut self.value
    }
}

/// With this the handle is borrowed until the value is dropped, and not only until it is last used.
impl<V> Drop for HandleRef<'_, V> {
    fn drop(&mut self) {}
}

impl<V: fmt::Debug> fmt::Debug for HandleRef<'_, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)
    }
}

impl State {
    /// The session that the request leaves behind if it ends like this.
    pub(crate) fn left_behind(&self) -> Ended {
        match (&self.current, &self.cookie) {
            (Some(current), _) => {
                let (token, generation) = (current.token.clone(), current.record.header().generation);
                Some(LeftBehind { token, generation, is_former: current.is_former() })
            }
            (None, CookieChange::Set { token, .. }) => {
                Some(LeftBehind { token: token.clone(), generation: Generation::default(), is_former: false })
            }
            (None, _) => None,
        }
    }
}

//! Login, logout and rotation: they happen at once, and hold whatever the handler answers.

use std::fmt::{self, Display};
use std::future::{Future, IntoFuture};
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use crate::delta::{Authenticate, Delta, FieldOp, HeaderOp};
use crate::error::SessionError;
use crate::event;
use crate::header::Header;
use crate::info::SessionInfo;
use crate::manager::Engine;
use crate::record::Record;
use crate::request::{CookieChange, Current, RequestSession, State};
use crate::store::{CommitOutcome, CreateOutcome};
use crate::time::Timestamp;
use crate::token::{NEW_IDS, Token};

/// Who is logged in, and the ways to change that.
///
/// Each change is stored at once, in a task of its own that goes on even if the client disconnects, and holds whatever
/// the handler answers. [`RequestSession::auth`] makes one.
///
/// `E` is the error of its methods; see [`with_error`](Self::with_error).
pub struct Auth<E = SessionError> {
    session: RequestSession,
    error: PhantomData<fn() -> E>,
}

impl Auth {
    pub(crate) fn new(session: RequestSession) -> Self {
        Self { session, error: PhantomData }
    }

    /// Lets the methods fail with another error: an adapter chooses one that its framework can answer with.
    pub fn with_error<E: From<SessionError>>(self) -> Auth<E> {
        Auth { session: self.session, error: PhantomData }
    }
}

impl<E: From<SessionError> + 'static> Auth<E> {
    /// The request's session, for adapters.
    pub fn session(&self) -> &RequestSession {
        &self.session
    }

    /// The user who is logged in.
    ///
    /// # Errors
    /// Fails when the store does: that is no reason to treat anybody as logged out.
    pub async fn user(&self) -> Result<Option<Arc<str>>, E> {
        Ok(self.session.user().await?)
    }

    /// What is known of the session itself; `None` where the visitor has none.
    ///
    /// # Errors
    /// Fails when the store does.
    pub async fn info(&self) -> Result<Option<SessionInfo>, E> {
        Ok(self.session.info().await?)
    }

    /// Logs a user in, whose credentials the application has checked.
    ///
    /// The token is always replaced. What an anonymous visitor had in the session stays; what another user had goes,
    /// but for the fields marked `#[session(carry)]`, and structs that were extracted before are not stored: check out
    /// what the new user's session shall hold after the login. Await it, or set options first:
    ///
    /// ```
    /// # use std::time::Duration;
    /// # async fn handler(auth: sessionkit_core::Auth) -> Result<(), sessionkit_core::SessionError> {
    /// auth.login("ada").await?;
    /// let remember = true;
    /// auth.login(42).lifetime(remember.then_some(Duration::from_secs(30 * 24 * 60 * 60))).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn login(&self, user: impl Display) -> Login<E> {
        Login { session: self.session.clone(), user: user.to_string().into(), lifetime: None, error: PhantomData }
    }

    /// Ends the session for good: no request that is still running can bring it back. Removes the cookie.
    ///
    /// # Errors
    /// Fails when the store does; then the session may go on, and the cookie stays.
    pub async fn logout(&self) -> Result<(), E> {
        Ok(run(&self.session, logout(self.session.clone())).await?)
    }

    /// Replaces the token, as after a change of the user's role: the old one is dead at once. Does nothing where there
    /// is no session.
    ///
    /// # Errors
    /// Fails when the store does, or when the session has ended meanwhile.
    pub async fn rotate(&self) -> Result<(), E> {
        Ok(run(&self.session, rotate(self.session.clone())).await?)
    }
}

impl<E> Clone for Auth<E> {
    fn clone(&self) -> Self {
        Self { session: self.session.clone(), error: PhantomData }
    }
}

impl<E> fmt::Debug for Auth<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Auth").field(&self.session).finish()
    }
}

/// A login with its options; it happens when it is awaited.
#[must_use = "a login happens when it is awaited"]
pub struct Login<E = SessionError> {
    session: RequestSession,
    user: Arc<str>,
    lifetime: Option<Duration>,
    error: PhantomData<fn() -> E>,
}

impl<E: From<SessionError> + 'static> Login<E> {
    /// Lets this login last for `lifetime` after its last use, in place of the setting `ttl`: "keep me signed in".
    /// Where the setting `absolute` is shorter, it is raised to `lifetime`. Whole seconds, at least one; `None` leaves
    /// the settings as they are. It does not pass the limits of a preset such as
    /// [`aal2`](crate::SessionConfigBuilder::aal2).
    pub fn lifetime(mut self, lifetime: impl Into<Option<Duration>>) -> Self {
        self.lifetime = lifetime.into().map(|lifetime| Duration::from_secs(lifetime.as_secs().max(1)));
        self
    }

    fn authenticate(&self, engine: &Engine, now: Timestamp) -> Authenticate {
        let (ttl, absolute) = engine.settings().login_lifetime(self.lifetime);
        let absolute_deadline = Some(now.after(absolute));
        Authenticate { user: self.user.clone(), at: now, ttl, absolute_deadline, label: None }
    }

    async fn run(self) -> Result<(), SessionError> {
        let session = &self.session;
        session.look_up().await?;
        let _turn = session.shared.turn.lock().await;
        in_time(session)?;
        let (engine, current) = (&session.shared.engine, session.state().current.clone());
        let now = engine.now();
        let authenticate = self.authenticate(engine, now);
        if let Some(current) = current {
            let header = current.record.header();
            let another = header.user.as_ref().is_some_and(|user| *user != self.user);
            let mut delta = Delta::new();
            delta.header.push(HeaderOp::Authenticate(authenticate.clone()));
            delta.fields.extend(another.then_some(FieldOp::Clear { keep_carried: true }));
            if replace_secret(session, current, delta, now, another).await? {
                return Ok(());
            }
            // The session ended or was rotated meanwhile, so it is not this visitor's any more: begin a new one.
            session.state().change_user();
        }
        self.begin(authenticate, now).await
    }

    /// Begins a new session.
    async fn begin(&self, authenticate: Authenticate, now: Timestamp) -> Result<(), SessionError> {
        let engine = &self.session.shared.engine;
        let mut deadline = engine.commit_deadline();
        for _ in 0..NEW_IDS {
            let token = Token::new(engine.tokens());
            let secret = token.secret_hash(engine.layer());
            let (ttl, absolute) = engine.anonymous_lifetime();
            let mut delta = Delta::new();
            delta.header.push(HeaderOp::Authenticate(authenticate.clone()));
            let empty = Record::new(Header::new(secret, now, ttl, absolute));
            let record = empty.applied(&delta, now)?.ok_or_else(SessionError::unsettled)?;
            let creating = engine.store.create(token.id(), &record, now);
            if engine.within(&mut deadline, creating).await? == CreateOutcome::Created {
                event::login(engine.layer(), token.id());
                self.session.state().opened(Current { token, secret, record });
                return Ok(());
            }
        }
        Err(SessionError::no_free_id())
    }
}

impl<E: From<SessionError> + 'static> IntoFuture for Login<E> {
    type Output = Result<(), E>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let session = self.session.clone();
            Ok(run(&session, self.run()).await?)
        })
    }
}

impl<E> fmt::Debug for Login<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { user, lifetime, .. } = self;
        f.debug_struct("Login").field("user", user).field("lifetime", lifetime).finish_non_exhaustive()
    }
}

async fn logout(session: RequestSession) -> Result<(), SessionError> {
    session.look_up().await?;
    let _turn = session.shared.turn.lock().await;
    let engine = &session.shared.engine;
    let opened = {
        let state = session.state();
        let current = state.current.as_ref().map(Current::id);
        current.into_iter().chain(state.ambiguous.iter().copied()).collect::<Vec<_>>()
    };
    for id in &opened {
        engine.within(&mut engine.commit_deadline(), engine.store.destroy(*id)).await?;
        event::logout(engine.layer(), *id);
    }
    let had_cookie = session.cookie_presented() || !opened.is_empty();
    let mut state = session.state();
    state.change_user();
    state.forgiven = true;
    state.current = None;
    state.ambiguous.clear();
    state.cookie = if had_cookie { CookieChange::Remove } else { CookieChange::Keep };
    Ok(())
}

async fn rotate(session: RequestSession) -> Result<(), SessionError> {
    session.load().await?;
    let _turn = session.shared.turn.lock().await;
    in_time(&session)?;
    let Some(current) = session.state().current.clone() else { return Ok(()) };
    let now = session.shared.engine.now();
    if replace_secret(&session, current, Delta::new(), now, false).await? {
        return Ok(());
    }
    // A login of this request, too, was overtaken: its token is not current any more.
    session.state().cookie = CookieChange::Keep;
    Err(SessionError::lost())
}

/// Commits `delta` together with a new secret; `false` if the session has ended or was rotated meanwhile.
async fn replace_secret(
    session: &RequestSession,
    current: Current,
    mut delta: Delta,
    now: Timestamp,
    another_user: bool,
) -> Result<bool, SessionError> {
    let engine = &session.shared.engine;
    let (id, generation) = (current.id(), current.record.header().generation);
    let token = Token::rotate(id, engine.tokens());
    let secret = token.secret_hash(engine.layer());
    delta.header.push(HeaderOp::Rotate { secret });
    let commit = engine.store.commit(id, generation, &delta, now);
    match engine.within(&mut engine.commit_deadline(), commit).await? {
        CommitOutcome::Committed(_) => {}
        CommitOutcome::Stale | CommitOutcome::Gone | CommitOutcome::Conflict(_) => return Ok(false),
    }
    // The store holds the same; what other requests stored meanwhile is seen when fields are committed.
    let record = current.record.applied(&delta, now)?.unwrap_or(current.record);
    match &*delta.header {
        [HeaderOp::Authenticate(_), ..] => event::login(engine.layer(), id),
        _ => event::rotated(engine.layer(), id),
    }
    // Under one lock: nobody may see the new user's session with the old user's changes.
    let mut state = session.state();
    if another_user {
        state.change_user();
    }
    state.opened(Current { token, secret, record });
    Ok(true)
}

impl State {
    fn opened(&mut self, current: Current) {
        let ends = current.record.header().deadline();
        self.cookie = CookieChange::Set { token: current.token.clone(), ends };
        self.forgiven = true;
        self.current = Some(current);
    }

    /// Lets go of everything that belongs to the user before.
    fn change_user(&mut self) {
        self.epoch.users += 1;
        self.pending.forget_changes();
    }
}

/// A new token needs a response that can carry it.
fn in_time(session: &RequestSession) -> Result<(), SessionError> {
    if session.state().closed { Err(SessionError::late()) } else { Ok(()) }
}

async fn run(
    session: &RequestSession,
    work: impl Future<Output = Result<(), SessionError>> + Send + 'static,
) -> Result<(), SessionError> {
    let engine = &session.shared.engine;
    match engine.tasks.finish(work).await {
        Some(Ok(())) => Ok(()),
        Some(Err(error)) => {
            event::failed(engine.layer(), &error);
            Err(error)
        }
        None => Err(SessionError::interrupted()),
    }
}

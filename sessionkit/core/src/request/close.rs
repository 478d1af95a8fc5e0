//! The end of a request: the changes that it stores, and those that it makes to the response.

use std::fmt;
use std::future::Future;
use std::ops::Deref;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use crate::config::set_cookie;
use crate::config::{CookieMaxAge, LONGEST_COOKIE, OnLostWrite};
use crate::engine::Engine;
use crate::engine::open::Current;
use crate::engine::tasks::Completion;
use crate::error::SessionError;
use crate::event::EventKind;
use crate::request::RequestSession;
use crate::request::changes::Changes;
use crate::request::commit::{Commit, Settled};
use crate::request::operations::RequestChanges;
use crate::request::state::{CookieChange, Phase, State};
use crate::request::upkeep::Upkeep;
use crate::time::Timestamp;
use crate::wire::response::{ResponseChanges, SetCookie};

pub(crate) fn close(session: &RequestSession, status: u16) -> CloseFuture {
    session.refuse_unguarded(status);
    session.state().phase = Phase::Ending;
    // A login that the handler did not await to its end is awaited here: its cookie belongs into this response, and
    // changes of the user before must not meet it half-way. Later ones are refused.
    let taken = session.shared.turn.try_lock().map(|_turn| take(session, status));
    let settled = match taken {
        Ok(Ok(None)) if session.is_written_elsewhere() => return ahead(session, status, None),
        Ok(Ok(None)) => Ok(()),
        Ok(Err(error)) => Err(error),
        Ok(Ok(Some(commit))) => return ahead(session, status, Some(commit)),
        Err(_) => return ahead(session, status, None),
    };
    session.end();
    CloseFuture(End::Reached(Some(respond(session, status, settled))))
}

/// Ends a request whose client left before it was closed.
fn leave(session: &RequestSession) {
    if !session.is_used() {
        return;
    }
    {
        let mut state = session.state();
        if state.phase != Phase::Handling {
            return;
        }
        state.phase = Phase::Ending;
    }
    let ending = Ending(session.clone());
    if session.shared.turn.try_lock().is_err() {
        // Handles go on with what comes of a login that runs still.
        drop(session.shared.engine.tasks.complete(async move {
            let _turn = ending.0.shared.turn.lock().await;
        }));
    }
}

/// The session of a request that is being served, from [`RequestSession::serving`].
///
/// If it is dropped before the request is closed, because the client left, nothing is stored, and handles stop waiting
/// for the end of the request.
#[derive(Debug)]
pub struct RequestGuard(RequestSession);

impl RequestGuard {
    pub(crate) fn new(session: RequestSession) -> Self {
        Self(session)
    }
}

impl Deref for RequestGuard {
    type Target = RequestSession;

    fn deref(&self) -> &RequestSession {
        &self.0
    }
}

impl Drop for RequestGuard {
    fn drop(&mut self) {
        leave(&self.0);
    }
}

/// Returns a future for the rest of the work, which takes more than this moment.
fn ahead(session: &RequestSession, status: u16, commit: Option<Box<Commit>>) -> CloseFuture {
    let ending = Ending(session.clone());
    let work = async move { settle_in_turn(&ending.0, status, commit).await };
    CloseFuture(End::Ahead { session: session.clone(), status, settling: session.shared.engine.tasks.complete(work) })
}

/// Ends its request when it is dropped, also where a merge function panicked: handles wait for that.
struct Ending(RequestSession);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.end();
    }
}

/// Without a commit, a login or a logout comes first.
async fn settle_in_turn(
    session: &RequestSession,
    status: u16,
    commit: Option<Box<Commit>>,
) -> Result<(), SessionError> {
    let commit = match commit {
        Some(commit) => Some(commit),
        None => {
            let _turn = session.shared.turn.lock().await;
            take(session, status)?
        }
    };
    let stored = match commit {
        Some(commit) => settle(session, commit).await?,
        None => None,
    };
    session.write_foreign(stored).await;
    Ok(())
}

/// The end of a request, from [`SessionManager::close`](crate::SessionManager::close): await it to learn what the response
/// becomes. If it is dropped before, the runtime completes it.
#[must_use = "it tells what the response becomes"]
pub struct CloseFuture(End);

enum End {
    /// There was nothing to store.
    Reached(Option<ResponseChanges>),
    Ahead {
        session: RequestSession,
        status: u16,
        settling: Completion<Result<(), SessionError>>,
    },
}

impl Future for CloseFuture {
    type Output = ResponseChanges;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<ResponseChanges> {
        match &mut self.0 {
            End::Reached(closed) => Poll::Ready(closed.take().expect("it is not polled after it was ready")),
            End::Ahead { session, status, settling } => {
                let settled = ready!(Pin::new(settling).poll(context));
                let settled = settled.unwrap_or_else(|| Err(session.fail(SessionError::panicked("a merge function"))));
                Poll::Ready(respond(session, *status, settled))
            }
        }
    }
}

impl fmt::Debug for CloseFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CloseFuture").finish_non_exhaustive()
    }
}

/// Stores what a handle changed. There is no response that could carry a cookie.
pub(crate) async fn commit(round: &RequestSession) -> Result<(), SessionError> {
    let engine = &round.shared.engine;
    let (current, pending) = {
        let mut state = round.state();
        state.phase = Phase::Closed;
        let pending = std::mem::take(&mut state.pending);
        if let Some(objection) = state.objection() {
            return Err(objection.clone());
        }
        let Some(current) = state.current.clone() else { return Ok(()) };
        (current, pending)
    };
    let (upkeep, nothing_changed) = (Upkeep::without_response(engine, &current, engine.now()), pending.is_empty());
    if nothing_changed && (upkeep.is_empty() || engine.jar.is_some()) {
        return Ok(());
    }
    if engine.jar.is_some() {
        return Err(round.fail(SessionError::cookie_is_sent()));
    }
    let (engine, changes) = (engine.clone(), RequestChanges::new(pending, Some(&current), Vec::new()));
    let commit =
        Commit { engine, current: Some(current), overtaken: None, changes, upkeep, anonymous_ttl: None, begins: false };
    let session = round.clone();
    match round.shared.engine.tasks.complete(async move { commit.run(&session).await }).await {
        Some(Ok(Settled::Stored { .. })) => Ok(()),
        Some(Ok(Settled::Lost { reason, id })) => {
            if !nothing_changed {
                let record = round.state().current.as_ref().map(|current| current.record.clone());
                round.report_of(
                    id,
                    record.as_ref().map(|record| record.header()),
                    EventKind::WriteDiscarded { reason },
                );
            }
            Err(SessionError::over())
        }
        Some(Err(error)) => Err(round.fail(error)),
        None => Err(round.fail(SessionError::panicked("a merge function"))),
    }
}

/// Takes what the request changed, if that has to be stored; from now on it changes nothing.
fn take(session: &RequestSession, status: u16) -> Result<Option<Box<Commit>>, SessionError> {
    let engine = &session.shared.engine;
    let mut state = session.state();
    state.phase = Phase::Closed;
    let pending = std::mem::take(&mut state.pending);
    if let Some(objection) = state.objection() {
        return Err(objection.clone());
    }
    let keeps = status < 500 && status != 408;
    let is_unseen = session.is_unseen();
    let begins = keeps && !is_unseen && begins(session, &state);
    let mut pending = if keeps { pending } else { Changes::default() };
    if is_unseen {
        pending.keep_flash();
    }
    let is_on_its_way = matches!(state.cookie, CookieChange::Set { .. });
    let due = |current| match is_unseen {
        true => Upkeep::unseen(current),
        false => Upkeep::due(engine, current, engine.now(), is_on_its_way),
    };
    let mut upkeep = state.current.as_ref().map(due).unwrap_or_default();
    let anonymous_ttl = state.anonymous_ttl.filter(|_| keeps);
    let anonymous_ttl = match state.current.as_ref().map(|current| current.record.header()) {
        Some(header) => anonymous_ttl.filter(|ttl| header.user_id.is_none() && header.ttl != *ttl),
        // It begins no session by itself.
        None => anonymous_ttl.filter(|_| begins || !pending.is_empty()),
    };
    if anonymous_ttl.is_some() {
        upkeep.moves_deadline();
    } else if pending.is_empty() && upkeep.is_empty() && !begins {
        return Ok(None);
    }
    let (engine, current, earlier) = (engine.clone(), state.current.clone(), std::mem::take(&mut state.earlier));
    let overtaken = state.overtaken.as_ref().map(|overtaken| overtaken.token.id());
    let changes = RequestChanges::new(pending, current.as_ref(), earlier);
    Ok(Some(Box::new(Commit { engine, current, overtaken, changes, upkeep, anonymous_ttl, begins })))
}

/// Stores what a request changed, and returns the session for another system to learn of.
async fn settle(session: &RequestSession, commit: Box<Commit>) -> Result<Option<Box<Current>>, SessionError> {
    let engine = &session.shared.engine;
    let nothing_changed = commit.changes.is_none() && commit.anonymous_ttl.is_none();
    // A logout in a task of the handler's may have come meanwhile: what it makes of the cookie stays.
    let logged_out = |state: &State| commit.current.is_some() && state.current.is_none();
    match commit.run(session).await {
        Ok(Settled::Stored { cookie, stored }) => {
            let mut state = session.state();
            if let Some(cookie) = cookie.filter(|_| !logged_out(&state)) {
                // Of a session that the client had before, unless this request logged in.
                state.cookie_can_wait = commit.current.is_some() && matches!(state.cookie, CookieChange::Keep);
                state.cookie = cookie;
            }
            Ok(stored)
        }
        Ok(Settled::Lost { reason, id }) => {
            // A login of this request, too, was overtaken: its token is not current any more.
            let mut state = session.state();
            if !logged_out(&state) {
                state.cookie = CookieChange::Keep;
            }
            drop(state);
            if nothing_changed {
                return Ok(None);
            }
            let header = commit.current.as_ref().map(|current| current.record.header());
            session.report_of(id, header, EventKind::WriteDiscarded { reason });
            match engine.settings().on_lost_write {
                OnLostWrite::Ignore => Ok(None),
                OnLostWrite::Error => Err(SessionError::lost()),
            }
        }
        // The handler did its work and the session is as good as before: only its use, or the visit, was not recorded.
        Err(error) if nothing_changed => {
            session.report_failure(&error);
            Ok(None)
        }
        Err(error) => Err(session.fail(error)),
    }
}

/// Returns whether a session begins though there is nothing to keep in it: the visitor has none, as far as the request
/// knows.
fn begins(session: &RequestSession, state: &State) -> bool {
    let nobody = state.current.is_none() && state.ambiguous.is_empty() && state.overtaken.is_none();
    let nobody = nobody && matches!(state.cookie, CookieChange::Keep);
    // A cookie that nobody asked about may well open a session.
    let known = || session.shared.loaded.initialized() || !session.cookie_presented() && !session.may_be_adopted();
    session.shared.engine.settings().save_uninitialized && nobody && known()
}

fn respond(session: &RequestSession, status: u16, settled: Result<(), SessionError>) -> ResponseChanges {
    let (cookie, too_large) = match set_cookie_of(session) {
        Ok(cookie) => (cookie, None),
        Err(error) => (None, Some(session.fail(error))),
    };
    let rejection = session.answer(settled.err().or(too_large).filter(|_| status < 500));
    let (denied, foreign) = {
        let mut state = session.state();
        (state.denied, std::mem::take(&mut state.foreign_cookies))
    };
    ResponseChanges::new(session.consulted(), denied, cookie, rejection).with_cookies(foreign)
}

/// Writes what the response makes of the client's cookie.
fn set_cookie_of(session: &RequestSession) -> Result<Option<SetCookie>, SessionError> {
    let engine = &session.shared.engine;
    let (settings, state) = (engine.settings(), session.state());
    let (token, ends) = match (&state.cookie, &engine.jar) {
        (CookieChange::Set { token, ends }, _) => (token.clone(), *ends),
        (CookieChange::Remove, jar) => {
            let value = set_cookie::remove(settings, &settings.cookie_name);
            let more = jar.as_ref().map(|jar| jar.remove_chunks()).unwrap_or_default();
            return Ok(Some(SetCookie { value, more, can_wait: false, clear_site_data: settings.clear_site_data() }));
        }
        // Of a session in the cookie, each change is one of the cookie.
        (CookieChange::Keep, Some(jar)) => {
            let Some(current) = &state.current else { return Ok(None) };
            let Some(record) = jar.changed(current.id()) else { return Ok(None) };
            (current.token.clone(), record.header().deadline())
        }
        (CookieChange::Keep, None) => return Ok(None),
    };
    let (max_age, can_wait) = (max_age(engine, &state, ends), state.cookie_can_wait && engine.jar.is_none());
    drop(state);
    session.note_begun();
    let (value, more) = match &engine.jar {
        None => (set_cookie::set(settings, &token, max_age), Vec::new()),
        Some(jar) => {
            let mut headers = jar.set(&token, max_age)?.into_iter();
            let Some(value) = headers.next() else { return Ok(None) };
            (value, headers.collect())
        }
    };
    Ok(Some(SetCookie { value, more, can_wait, clear_site_data: None }))
}

fn max_age(engine: &Engine, state: &State, ends: Timestamp) -> Option<Duration> {
    let until_the_end = || Some(ends.saturating_duration_since(engine.now()).min(LONGEST_COOKIE));
    match engine.settings().cookie_max_age {
        CookieMaxAge::Session if !outlives_browser(engine, state) => None,
        CookieMaxAge::Fixed(age) => Some(age),
        CookieMaxAge::Session | CookieMaxAge::Follow => until_the_end(),
    }
}

/// Returns whether the session was asked to last for longer than the browser is open.
fn outlives_browser(engine: &Engine, state: &State) -> bool {
    let Some(header) = state.current.as_ref().map(|current| current.record.header()) else {
        return state.anonymous_ttl.is_some();
    };
    let is_asked_for = match header.user_id {
        Some(_) => state.lasting,
        // A session in its cookie is given again by requests that did not ask.
        None => state.anonymous_ttl.is_some() || engine.jar.is_some() && header.ttl != engine.settings().anonymous_ttl,
    };
    header.has_own_lifetime() || is_asked_for
}

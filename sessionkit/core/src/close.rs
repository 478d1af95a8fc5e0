//! What the end of a request stores, and what its response becomes.

use std::fmt;
use std::time::Duration;

use crate::config::{CookieMaxAge, LONGEST_COOKIE, OnLostWrite};
use crate::cookie;
use crate::error::SessionError;
use crate::event;
use crate::manager::Engine;
use crate::pending::{Pending, size_after};
use crate::record::Record;
use crate::rejection::Rejection;
use crate::request::{CookieChange, Current, RequestSession, State};
use crate::store::{CommitOutcome, CreateOutcome};
use crate::time::Timestamp;
use crate::token::{SessionId, Token};
use crate::upkeep::Upkeep;
use crate::{Delta, Header};

/// What a response becomes.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Closed {
    /// Changes of the response's headers, with lower-case names, in order.
    pub headers: Vec<HeaderChange>,
    /// The answer that takes the place of the handler's; the header changes apply to it too.
    pub rejection: Option<Rejection>,
}

/// A change of a response's headers.
#[derive(Clone, Eq, PartialEq)]
pub enum HeaderChange {
    /// Adds a value beside those that are there.
    Append(&'static str, String),
    /// Replaces all values that are there.
    Set(&'static str, String),
}

/// Names the header; the value of `set-cookie` is a secret.
impl fmt::Debug for HeaderChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (change, name) = match self {
            Self::Append(name, _) => ("Append", name),
            Self::Set(name, _) => ("Set", name),
        };
        f.debug_tuple(change).field(name).finish_non_exhaustive()
    }
}

pub(crate) async fn close(session: &RequestSession, status: u16) -> Closed {
    let settled = settle(session, status).await;
    session.end();
    respond(session, status, settled)
}

/// Stores what a handle changed. There is no response that could carry a cookie.
pub(crate) async fn commit(round: &RequestSession) -> Result<(), SessionError> {
    let engine = &round.shared.engine;
    let (current, pending) = {
        let mut state = round.state();
        state.closed = true;
        let pending = std::mem::take(&mut state.pending);
        if let Some(failure) = &state.failure {
            return Err(failure.clone());
        }
        let Some(current) = state.current.clone() else { return Ok(()) };
        (current, pending)
    };
    let now = engine.now();
    let (upkeep, nothing_changed) = (Upkeep::without_response(engine, &current, now), pending.is_empty());
    if nothing_changed && upkeep.is_empty() {
        return Ok(());
    }
    let commit = Commit { engine: engine.clone(), pending, upkeep, begins: false, now };
    match engine.tasks.finish(commit.run(Some(current))).await {
        Some(Ok(Settled::Stored { .. })) => Ok(()),
        Some(Ok(Settled::Lost { reason, id })) => {
            if !nothing_changed {
                event::write_discarded(engine.layer(), id, reason);
            }
            Err(SessionError::over())
        }
        Some(Err(error)) => Err(round.fail(error)),
        None => Err(SessionError::interrupted()),
    }
}

/// How a commit ended, where it did not fail.
enum Settled {
    Stored { cookie: Option<CookieChange> },
    Lost { reason: &'static str, id: SessionId },
}

async fn settle(session: &RequestSession, status: u16) -> Result<(), SessionError> {
    let engine = &session.shared.engine;
    let (current, pending, begins) = {
        // A login that the handler did not await to its end is awaited here: its cookie belongs into this response, and
        // changes of the user before must not meet it half-way. Later ones are refused.
        let _turn = session.shared.turn.lock().await;
        let mut state = session.state();
        state.closed = true;
        let pending = std::mem::take(&mut state.pending);
        if let Some(objection) = state.objection() {
            return Err(objection.clone());
        }
        let keeps = status < 500 && status != 408;
        let begins = keeps && begins(session, &state);
        (state.current.clone(), if keeps { pending } else { Pending::default() }, begins)
    };
    let now = engine.now();
    let upkeep = current.as_ref().map(|current| Upkeep::due(engine, current, now)).unwrap_or_default();
    if pending.is_empty() && upkeep.is_empty() && !begins {
        return Ok(());
    }
    let nothing_changed = pending.is_empty();
    let commit = Commit { engine: engine.clone(), pending, upkeep, begins, now };
    let settled = match engine.tasks.finish(commit.run(current)).await {
        Some(settled) => settled,
        None => Err(SessionError::interrupted()),
    };
    match settled {
        Ok(Settled::Stored { cookie }) => {
            if let Some(cookie) = cookie {
                session.state().cookie = cookie;
            }
            Ok(())
        }
        Ok(Settled::Lost { reason, id }) => {
            // A login of this request, too, was overtaken: its token is not current any more.
            session.state().cookie = CookieChange::Keep;
            if nothing_changed {
                return Ok(());
            }
            event::write_discarded(engine.layer(), id, reason);
            match engine.settings().on_lost_write {
                OnLostWrite::Ignore => Ok(()),
                OnLostWrite::Error => Err(SessionError::lost()),
            }
        }
        // The handler did its work and the session is as good as before: only its use, or the visit, was not recorded.
        Err(error) if nothing_changed => {
            event::failed(engine.layer(), &error);
            Ok(())
        }
        Err(error) => Err(session.fail(error)),
    }
}

/// Whether a session begins though there is nothing to keep in it: the visitor has none, as far as the request knows.
fn begins(session: &RequestSession, state: &State) -> bool {
    let nobody = state.current.is_none() && state.ambiguous.is_empty() && matches!(state.cookie, CookieChange::Keep);
    // A cookie that nobody asked about may well open a session.
    let known = || session.shared.loaded.initialized() || !session.cookie_presented();
    session.shared.engine.settings().save_uninitialized && nobody && known()
}

/// One commit, with what it needs to outlive its request.
struct Commit {
    engine: std::sync::Arc<Engine>,
    pending: Pending,
    upkeep: Upkeep,
    /// Whether a session begins even without a field.
    begins: bool,
    now: Timestamp,
}

impl Commit {
    async fn run(self, current: Option<Current>) -> Result<Settled, SessionError> {
        match current {
            Some(current) => self.update(current).await,
            None => self.create().await,
        }
    }

    async fn update(self, current: Current) -> Result<Settled, SessionError> {
        let engine = &self.engine;
        let (id, generation) = (current.id(), current.record.header().generation);
        let deadline = engine.commit_deadline();
        let mut newest: Option<Record> = None;
        for attempt in 0.. {
            let record = newest.as_ref().unwrap_or(&current.record);
            let mut delta = self.pending.delta(Some(&current.record), Some(record), self.now)?;
            delta.header.extend(self.upkeep.ops());
            if delta.is_empty() {
                break;
            }
            self.check_size(Some(record), &delta)?;
            match engine.within(deadline, engine.store.commit(id, generation, &delta, self.now)).await? {
                CommitOutcome::Committed(receipt) => {
                    return Ok(Settled::Stored { cookie: self.upkeep.cookie(engine, current, receipt) });
                }
                CommitOutcome::Conflict(record) => newest = Some(record),
                CommitOutcome::Stale => return Ok(Settled::Lost { reason: "the token was rotated", id }),
                CommitOutcome::Gone => return Ok(Settled::Lost { reason: "the session ended", id }),
            }
            event::conflict(engine.layer(), id);
            let pause = jitter(engine, attempt);
            if tokio::time::timeout_at(deadline, tokio::time::sleep(pause)).await.is_err() {
                return Err(SessionError::unsettled());
            }
        }
        Ok(Settled::Stored { cookie: None })
    }

    async fn create(self) -> Result<Settled, SessionError> {
        let engine = &self.engine;
        let deadline = engine.commit_deadline();
        let delta = self.pending.delta(None, None, self.now)?;
        self.check_size(None, &delta)?;
        loop {
            let token = Token::new(engine.tokens());
            let (ttl, absolute) = engine.anonymous_lifetime();
            let empty = Record::new(Header::new(token.secret_hash(engine.layer()), self.now, ttl, absolute));
            let record = empty.applied(&delta, self.now)?.ok_or_else(SessionError::unsettled)?;
            if record.fields().next().is_none() && !self.begins {
                return Ok(Settled::Stored { cookie: None });
            }
            let creating = engine.store.create(token.id(), &record, self.now);
            if engine.within(deadline, creating).await? == CreateOutcome::Created {
                event::created(engine.layer(), token.id());
                let ends = record.header().deadline();
                return Ok(Settled::Stored { cookie: Some(CookieChange::Set { token, ends }) });
            }
        }
    }

    fn check_size(&self, record: Option<&Record>, delta: &Delta) -> Result<(), SessionError> {
        let (size, limit) = (size_after(record, delta, self.now), self.engine.settings().max_record_size);
        // A record that is too large already, under an older setting, may still shrink.
        let grows = size > record.map_or(0, |record| record.live_size(self.now));
        if size > limit && grows { Err(SessionError::too_large(size, limit)) } else { Ok(()) }
    }
}

/// A random pause before another attempt, up to one, two, four .. sixteen milliseconds.
fn jitter(engine: &Engine, attempt: u32) -> Duration {
    let mut random = [0; 4];
    engine.tokens().fill(&mut random);
    let most = 1000 << attempt.min(4);
    Duration::from_micros(u64::from(u32::from_le_bytes(random) % most))
}

fn respond(session: &RequestSession, status: u16, settled: Result<(), SessionError>) -> Closed {
    let engine = &session.shared.engine;
    let settings = engine.settings();
    let mut closed = Closed::default();
    if session.consulted() {
        closed.headers.push(HeaderChange::Append("vary", "Cookie".into()));
    }
    let state = session.state();
    let cookie = match &state.cookie {
        CookieChange::Keep => None,
        CookieChange::Remove => Some(cookie::remove(settings)),
        CookieChange::Set { token, ends } => Some(cookie::set(settings, token, max_age(engine, *ends))),
    };
    if cookie.is_some() || state.denied {
        closed.headers.push(HeaderChange::Set("cache-control", "no-store".into()));
    }
    closed.headers.extend(cookie.map(|cookie| HeaderChange::Append("set-cookie", cookie)));
    closed.rejection = settled.err().filter(|_| status < 500).map(|error| error.rejection());
    closed
}

fn max_age(engine: &Engine, ends: Timestamp) -> Option<Duration> {
    match engine.settings().cookie_max_age {
        CookieMaxAge::Session => None,
        CookieMaxAge::Fixed(age) => Some(age),
        CookieMaxAge::Follow => Some(ends.since(engine.now()).min(LONGEST_COOKIE)),
    }
}

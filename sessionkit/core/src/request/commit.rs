//! One commit of a request's changes: how it is built, tried again, and given up.

use std::sync::Arc;
use std::time::Duration;

use crate::engine::Engine;
use crate::error::SessionError;
use crate::event::EventKind;
use crate::record::Record;
use crate::request::RequestSession;
use crate::request::pending::{Pending, size_after};
use crate::request::state::{CookieChange, Current};
use crate::request::upkeep::Upkeep;
use crate::store::{CommitOutcome, CreateOutcome};
use crate::time::Timestamp;
use crate::token::{NEW_IDS, SessionId, Token};
use crate::{Delta, Header};

/// One commit, with what it needs to outlive its request.
pub(crate) struct Commit {
    pub(crate) engine: Arc<Engine>,
    pub(crate) current: Option<Current>,
    pub(crate) pending: Pending,
    pub(crate) upkeep: Upkeep,
    /// Whether a session begins even without a field.
    pub(crate) begins: bool,
    pub(crate) now: Timestamp,
}

/// How a commit ended, where it did not fail.
pub(crate) enum Settled {
    Stored { cookie: Option<CookieChange> },
    Lost { reason: &'static str, id: SessionId },
}

impl Commit {
    /// Stores the changes of this request.
    pub(crate) async fn run(&self, session: &RequestSession) -> Result<Settled, SessionError> {
        match &self.current {
            Some(current) => self.update(session, current).await,
            None => self.create(session).await,
        }
    }

    async fn update(&self, session: &RequestSession, current: &Current) -> Result<Settled, SessionError> {
        let engine = &self.engine;
        let (id, generation) = (current.id(), current.record.header().generation);
        let mut deadline = engine.commit_deadline();
        let mut newest: Option<Record> = None;
        for attempt in 0.. {
            let record = newest.as_ref().unwrap_or(&current.record);
            let mut delta = self.pending.delta(Some(&current.record), Some(record), self.now)?;
            delta.header.extend(self.upkeep.ops());
            if delta.is_empty() {
                break;
            }
            self.check_size(Some(record), &delta)?;
            match engine.within(&mut deadline, engine.store.commit(id, generation, &delta, self.now)).await? {
                CommitOutcome::Committed(receipt) => {
                    return Ok(Settled::Stored { cookie: self.upkeep.cookie(session, current, receipt) });
                }
                CommitOutcome::Conflict(record) => newest = Some(record),
                CommitOutcome::Stale => return Ok(Settled::Lost { reason: "the token was rotated", id }),
                CommitOutcome::Gone => return Ok(Settled::Lost { reason: "the session ended", id }),
            }
            session.report_of(id, Some(current.record.header()), EventKind::Conflict);
            let pause = tokio::time::sleep(jitter(engine, attempt));
            if deadline.limit(pause).await.is_none() {
                return Err(SessionError::unsettled());
            }
        }
        Ok(Settled::Stored { cookie: None })
    }

    async fn create(&self, session: &RequestSession) -> Result<Settled, SessionError> {
        let engine = &self.engine;
        let mut deadline = engine.commit_deadline();
        let delta = self.pending.delta(None, None, self.now)?;
        self.check_size(None, &delta)?;
        for _ in 0..NEW_IDS {
            let token = Token::new(engine.tokens());
            let (ttl, absolute) = engine.anonymous_lifetime();
            let empty = Record::new(Header::new(token.secret_hash(engine.scope()), self.now, ttl, absolute));
            let record = empty.applied(&delta, self.now)?.ok_or_else(SessionError::unsettled)?;
            if record.fields().next().is_none() && !self.begins {
                return Ok(Settled::Stored { cookie: None });
            }
            let creating = engine.store.create(token.id(), &record, self.now);
            if engine.within(&mut deadline, creating).await? == CreateOutcome::Created {
                session.report_of(token.id(), None, EventKind::Created);
                let ends = record.header().deadline();
                return Ok(Settled::Stored { cookie: Some(CookieChange::Set { token, ends }) });
            }
        }
        Err(SessionError::no_free_id())
    }

    fn check_size(&self, record: Option<&Record>, delta: &Delta) -> Result<(), SessionError> {
        let limit = self.engine.settings().max_record_size;
        let before = record.map_or(0, |record| record.live_size(self.now));
        // Nearly always there is room even if nothing that is there were replaced.
        if before + delta.written() <= limit {
            return Ok(());
        }
        let size = size_after(record, delta, self.now);
        // A record that is too large already, under an older setting, may still shrink.
        if size > limit && size > before { Err(SessionError::too_large(size, limit)) } else { Ok(()) }
    }
}

/// A random pause before another attempt, up to one, two, four .. sixteen milliseconds.
fn jitter(engine: &Engine, attempt: u32) -> Duration {
    let mut random = [0; 4];
    engine.tokens().fill(&mut random);
    let most = 1000 << attempt.min(4);
    Duration::from_micros(u64::from(u32::from_le_bytes(random) % most))
}

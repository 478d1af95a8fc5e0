//! The commit of a request: what it changed, and what its use of the session makes due.

use std::sync::Arc;
use std::time::Duration;

use crate::engine::Engine;
use crate::engine::commit::CommitError;
use crate::engine::document::Refusal;
use crate::engine::open::Current;
use crate::engine::session::RecordChange;
use crate::error::SessionError;
use crate::event::EventKind;
use crate::record::Record;
use crate::record::delta::{Delta, HeaderOp};
use crate::record::front::Generation;
use crate::request::RequestSession;
use crate::request::operations::RequestChanges;
use crate::request::state::CookieChange;
use crate::request::upkeep::Upkeep;
use crate::token::{SessionId, Token};

/// One commit, with what it needs to outlive its request.
pub(crate) struct Commit {
    pub(crate) engine: Arc<Engine>,
    pub(crate) current: Option<Current>,
    /// The session that a login or a rotation took from the request while it was under way.
    pub(crate) overtaken: Option<SessionId>,
    /// The changes of fields, if there are any.
    pub(crate) changes: Option<Arc<RequestChanges>>,
    pub(crate) upkeep: Upkeep,
    /// The idle time that a visitor's session gets.
    pub(crate) anonymous_ttl: Option<Duration>,
    /// True if a session begins even without a field.
    pub(crate) begins: bool,
}

/// The outcome of a commit that did not fail.
pub(crate) enum Settled {
    Stored {
        cookie: Option<CookieChange>,
        /// The session as it is now, if another system has to learn of it.
        stored: Option<Box<Current>>,
    },
    Lost {
        reason: &'static str,
        id: SessionId,
    },
}

/// Finds out, before anything is stored, whether a session can begin with what a request has changed.
pub(crate) fn check_new(session: &RequestSession) -> Result<(), SessionError> {
    let engine = session.shared.engine.clone();
    let changes = RequestChanges::new(session.state().pending.clone(), None, Vec::new());
    let (upkeep, anonymous_ttl) = (Upkeep::default(), None);
    let commit = Commit { engine, current: None, overtaken: None, changes, upkeep, anonymous_ttl, begins: true };
    commit.engine.new_record(|token| commit.delta(token.id(), Generation::default()), true)?;
    Ok(())
}

impl Commit {
    /// Stores the changes of this request.
    pub(crate) async fn run(&self, session: &RequestSession) -> Result<Settled, SessionError> {
        match (&self.current, self.overtaken) {
            (Some(current), _) => self.update(session, current).await,
            // Its cookie would take the place of the one that the login has given to the client.
            (None, Some(id)) => Ok(Settled::Lost { reason: "the token was replaced a moment ago", id }),
            // Boxed, since most sessions exist already, and futures are copied around.
            (None, None) => Box::pin(self.create(session)).await,
        }
    }

    async fn update(&self, session: &RequestSession, current: &Current) -> Result<Settled, SessionError> {
        let (engine, id, base) = (&self.engine, current.id(), current.base());
        let change = {
            let mut delta = self.delta(id, base.header().generation);
            delta.header.extend(self.upkeep.ops());
            delta.header.extend(self.set_ttl());
            RecordChange::of(delta, Some(session.shared.clone()))
        };
        let end = engine.commit_deadline().end();
        match engine.commit_record(id, base.clone(), change, end).await {
            Ok(record) => {
                let cookie = self.upkeep.cookie(session, current, record.header());
                let token = match &cookie {
                    Some(CookieChange::Set { token, .. }) => token.clone(),
                    _ => current.token.clone(),
                };
                Ok(Settled::Stored { cookie, stored: stored(session, token, record) })
            }
            Err(CommitError::Refused(Refusal::Failed(error)) | CommitError::Failed(error)) => Err(error),
            Err(CommitError::Refused(Refusal::Gone)) => Ok(Settled::Lost { reason: "the session ended", id }),
            Err(CommitError::Refused(_)) => Ok(Settled::Lost { reason: "the token was rotated", id }),
        }
    }

    async fn create(&self, session: &RequestSession) -> Result<Settled, SessionError> {
        let engine = &self.engine;
        let delta = |token: &Token| {
            let mut delta = self.delta(token.id(), Generation::default());
            delta.header.extend(self.set_ttl());
            delta
        };
        let Some((token, record)) = engine.begin_record(delta, self.begins, &mut engine.commit_deadline()).await?
        else {
            return Ok(Settled::Stored { cookie: None, stored: None });
        };
        session.report_of(token.id(), None, EventKind::Created);
        let ends = record.header().deadline();
        let cookie = Some(CookieChange::Set { token: token.clone(), ends });
        Ok(Settled::Stored { cookie, stored: stored(session, token, record) })
    }

    fn set_ttl(&self) -> Option<HeaderOp> {
        self.anonymous_ttl.map(|ttl| HeaderOp::SetAnonymousTtl { ttl, at: self.engine.now() })
    }

    fn delta(&self, id: SessionId, generation: Generation) -> Delta {
        let mut delta = Delta::new(generation);
        if let Some(changes) = &self.changes {
            delta.fields = Some(changes.clone());
            delta.cipher = self.engine.cipher(id);
            delta.limit = self.engine.field_limit();
        }
        delta
    }
}

/// Returns a session for another system to learn of; `None` if there is none.
fn stored(session: &RequestSession, token: Token, record: Record) -> Option<Box<Current>> {
    let secret = token.secret_hash(session.shared.engine.scope());
    session.is_written_elsewhere().then(|| Box::new(Current::new(token, secret, record)))
}

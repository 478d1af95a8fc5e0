//! The sessions that the cookies of a request open.

use crate::engine::Engine;
use crate::engine::deadline::Deadline;
use crate::engine::session::{Found, UnreadableSession};
use crate::record::Record;
use crate::record::apply::{self, Applied};
use crate::record::clock::is_ahead;
use crate::record::delta::{Delta, HeaderOp};
use crate::record::front::Generation;
use crate::record::header::FormerSecret;
use crate::store::error::StoreError;
use crate::time::Timestamp;
use crate::token::{SecretHash, SessionId, Token};
use crate::wire::cookie::Candidates;

/// The result of opening the cookies of a request: one session, several, which are nobody's, or none.
#[derive(Default)]
pub(crate) struct Opened {
    pub(crate) current: Option<Current>,
    pub(crate) ambiguous: Vec<Current>,
    /// A session that has ended at its deadline.
    pub(crate) expired: Option<Box<Current>>,
    /// A session whose secret was replaced a moment ago.
    pub(crate) overtaken: Option<Box<Overtaken>>,
    pub(crate) unreadable: Vec<UnreadableSession>,
}

impl Opened {
    /// Takes what was loaded; returns the record if there is one that can be read.
    fn record(&mut self, found: Found) -> Option<Record> {
        match found {
            Found::Record(record) => return Some(record),
            Found::Unreadable(session) => self.unreadable.push(session),
            Found::Nothing => {}
        }
        None
    }

    /// Takes what a token is to its record; returns the session if the token opens it.
    fn fitting(&mut self, fit: Fit) -> Option<Current> {
        match fit {
            Fit::Opens(current) => return Some(current),
            Fit::Expired(current) => self.expired = Some(current),
            Fit::Overtaken(overtaken) => self.overtaken = Some(overtaken),
            Fit::Nothing => {}
        }
        None
    }
}

/// A session whose token was verified.
#[derive(Clone)]
pub(crate) struct Current {
    pub(crate) token: Token,
    pub(crate) secret: SecretHash,
    pub(crate) record: Record,
    /// The record as it is stored, if the other differs: times of a clock that was ahead are taken back, or the token is one
    /// from before a rotation.
    pub(crate) stored: Option<Record>,
}

impl Current {
    pub(crate) fn new(token: Token, secret: SecretHash, record: Record) -> Self {
        Self { token, secret, record, stored: None }
    }

    pub(crate) fn id(&self) -> SessionId {
        self.token.id()
    }

    /// Returns the record that a commit changes, and whose it is.
    pub(crate) fn seen(&self) -> (SessionId, Record) {
        (self.id(), self.base().clone())
    }

    /// Returns whether the token is the one before a rotation.
    pub(crate) fn is_former(&self) -> bool {
        let former = self.record.header().former.as_ref();
        former.is_some_and(|former| former.iter().any(|former| former.secret == self.secret))
    }

    /// Returns the record that a commit changes.
    pub(crate) fn base(&self) -> &Record {
        self.stored.as_ref().unwrap_or(&self.record)
    }
}

/// The session that a request leaves behind, for those who go on with it after the response.
#[derive(Clone)]
pub(crate) struct LeftBehind {
    pub(crate) token: Token,
    pub(crate) generation: Generation,
    /// True if the token is the one before a rotation.
    pub(crate) is_former: bool,
}

/// A session that a request does not open any more, because a login or a rotation replaced its secret while the request
/// was under way.
#[derive(Clone)]
pub(crate) struct Overtaken {
    pub(crate) token: Token,
    /// The session, if it is the very secret of this token that the last rotation replaced.
    pub(crate) replaced: Option<Record>,
}

/// The relation of a token to a record.
enum Fit {
    Opens(Current),
    Expired(Box<Current>),
    Overtaken(Box<Overtaken>),
    Nothing,
}

impl Engine {
    /// Opens the session that the candidates name: one that exists, is live, and has the secret. More than one is nobody.
    pub(crate) async fn open_candidates(
        &self,
        candidates: &Candidates,
        deadline: &mut Deadline,
    ) -> Result<Opened, StoreError> {
        match candidates.only() {
            Some(token) => {
                let found = self.load_session(token.id(), deadline).await?;
                let mut opened = Opened::default();
                match opened.record(found) {
                    Some(record) => opened.current = opened.fitting(self.fit(token, record)),
                    None => self.present(token, &mut opened.unreadable),
                }
                Ok(opened)
            }
            None if candidates.are_none() => Ok(Opened::default()),
            // Boxed, since few requests have several, and futures are copied around.
            None => Box::pin(self.open_several(candidates, deadline)).await,
        }
    }

    /// Opens the session of a token that nobody presented.
    pub(crate) async fn open_token(&self, token: Token) -> Result<Opened, StoreError> {
        let mut candidates = Candidates::presented(true);
        candidates.add_token(Some(token));
        self.open_candidates(&candidates, &mut self.load_deadline()).await
    }

    async fn open_several(&self, candidates: &Candidates, deadline: &mut Deadline) -> Result<Opened, StoreError> {
        let (mut opened, mut others): (Opened, Vec<Current>) = (Opened::default(), Vec::new());
        let mut loaded: Vec<(SessionId, Option<Record>)> = Vec::new();
        for token in candidates.tokens() {
            let record = match loaded.iter().find(|(id, _)| *id == token.id()) {
                Some((_, record)) => record.clone(),
                None => {
                    let record = opened.record(self.load_session(token.id(), deadline).await?);
                    loaded.push((token.id(), record.clone()));
                    record
                }
            };
            if record.is_none() {
                self.present(token, &mut opened.unreadable);
            }
            let Some(current) = record.and_then(|record| opened.fitting(self.fit(token, record))) else { continue };
            match &opened.current {
                // Of two tokens of one session the current one counts, not the one that a renewal replaced.
                Some(other) if other.id() == current.id() && other.secret == other.record.header().secret => {}
                Some(other) if other.id() != current.id() => others.push(current),
                _ => opened.current = Some(current),
            }
        }
        if let Some(current) = opened.current.take_if(|_| !others.is_empty()) {
            others.push(current);
        }
        Ok(Opened { ambiguous: others, ..opened })
    }

    /// Takes note that the client has a token of a session that cannot be read.
    fn present(&self, token: &Token, unreadable: &mut [UnreadableSession]) {
        for session in unreadable.iter_mut().filter(|session| session.id == token.id()) {
            session.present(token.secret_hash(self.scope()));
        }
    }

    /// Loads a session again; `None` if it has ended, or was handed to another token.
    pub(crate) async fn reopen(&self, left: &LeftBehind) -> Result<Option<Current>, StoreError> {
        let LeftBehind { token, generation, is_former } = left;
        let record = match self.load_session(token.id(), &mut self.load_deadline()).await? {
            Found::Record(record) => record,
            Found::Nothing => return Ok(None),
            Found::Unreadable(session) => return Err(StoreError::unreadable(session.why)),
        };
        let now = self.now();
        if record.header().generation != *generation
            || record.header().is_expired(now)
            || self.settings().is_over_limits(record.header(), now)
        {
            return Ok(None);
        }
        if *is_former {
            let secret = token.secret_hash(self.scope());
            let former = record.header().former_of(&secret, now).map(|former| with_former_rights(&record, former));
            return Ok(former.map(|former| self.current(token, secret, former, Some(&record), now)));
        }
        let secret = record.header().secret;
        let current = self.current(token, secret, record, None, now);
        Ok(Some(current).filter(|current| !current.record.header().is_expired(now)))
    }

    /// Finds out what a token is to a record.
    fn fit(&self, token: &Token, record: Record) -> Fit {
        let (header, now) = (record.header(), self.now());
        let secret = token.secret_hash(self.scope());
        let is_previous = || {
            let previous = header.previous.filter(|previous| previous.until.is_none_or(|until| now < until));
            previous.is_some_and(|previous| previous.secret == secret)
        };
        if let Some(former) = header.former_of(&secret, now) {
            return self
                .fit_of(self.current(token, secret, with_former_rights(&record, former), Some(&record), now), now);
        }
        if header.secret == secret || is_previous() {
            return self.fit_of(self.current(token, secret, record, None, now), now);
        }
        self.overtaken(token, secret, record, now).map_or(Fit::Nothing, |overtaken| Fit::Overtaken(Box::new(overtaken)))
    }

    /// Returns what a token is that was verified.
    fn fit_of(&self, current: Current, now: Timestamp) -> Fit {
        let header = current.record.header();
        if header.is_expired(now) || self.settings().is_over_limits(header, now) {
            return Fit::Expired(Box::new(current));
        }
        Fit::Opens(current)
    }

    /// Looks again at a session that was rotated while a request with this token was under way; `None` if it has ended, or
    /// was rotated longer ago.
    pub(crate) async fn look_at_overtaken(&self, token: &Token) -> Result<Option<Overtaken>, StoreError> {
        let Found::Record(record) = self.load_session(token.id(), &mut self.load_deadline()).await? else {
            return Ok(None);
        };
        Ok(self.overtaken(token, token.secret_hash(self.scope()), record, self.now()))
    }

    /// Returns what a rotation has made of the session of a token, if requests may be under way that were sent with the
    /// secret before it.
    fn overtaken(&self, token: &Token, secret: SecretHash, record: Record, now: Timestamp) -> Option<Overtaken> {
        let (header, grace) = (record.header(), self.settings().renew_grace);
        let rotation = header.rotation.filter(|rotation| now < rotation.at.saturating_add(grace))?;
        // A rotation by a clock that is ahead may have been at any time: nobody is shut out by it.
        if header.is_expired(now) || is_ahead(rotation.at, now) {
            return None;
        }
        let replaced = rotation.has_replaced(&secret).then_some(record);
        Some(Overtaken { token: token.clone(), replaced })
    }

    /// Shows the times of a clock that is ahead as this server sees them: nothing is granted that lies later than the
    /// lifetime from now. `stored` is what is stored, if that is another record.
    fn current(
        &self,
        token: &Token,
        secret: SecretHash,
        record: Record,
        stored: Option<&Record>,
        now: Timestamp,
    ) -> Current {
        let mut current = Current { stored: stored.cloned(), ..Current::new(token.clone(), secret, record) };
        let seen = current.record.header().seen_at(now);
        if seen.is_none() && !current.record.has_field_ahead(now) {
            return current;
        }
        if let Some(seen) = seen {
            let before = current.record.clone();
            current.record = current.record.shown_as(seen.header);
            if seen.is_news {
                current.stored.get_or_insert(before);
            }
        }
        let mut delta = Delta::new(current.record.header().generation);
        delta.header.push(HeaderOp::Correct);
        // What has ended is shown as it is.
        if let Ok(Applied::Changed(draft)) = apply::apply(&current.record, &delta, now) {
            let before = std::mem::replace(&mut current.record, draft.finish());
            current.stored.get_or_insert(before);
        }
        current
    }
}

/// Returns the record as it was for the token before the last rotation: neither fresher nor more elevated.
fn with_former_rights(record: &Record, former: &FormerSecret) -> Record {
    let mut header = record.header().clone();
    former.give_rights(&mut header);
    record.with_header(header)
}

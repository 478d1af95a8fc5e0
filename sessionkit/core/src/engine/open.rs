//! The sessions that the cookies of a request open.

use crate::engine::Engine;
use crate::engine::deadline::Deadline;
use crate::engine::session::{Found, UnreadableSession};
use crate::record::Record;
use crate::record::apply::{self, Applied};
use crate::record::clock::is_ahead;
use crate::record::delta::{Delta, HeaderOp};
use crate::record::front::Generation;
use crate::record::header::{FormerSecret, Header};
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

    /// Returns whether the token is the one before a rotation.
    pub(crate) fn is_former(&self) -> bool {
        self.record.header().former.as_ref().is_some_and(|former| former.secret == self.secret)
    }

    /// Returns the record that a commit changes.
    pub(crate) fn base(&self) -> &Record {
        self.stored.as_ref().unwrap_or(&self.record)
    }
}

/// A session that a request does not open any more, because a login or a rotation replaced its secret while the request
/// was under way.
#[derive(Clone)]
pub(crate) struct Overtaken {
    pub(crate) token: Token,
    pub(crate) record: Record,
    /// True if it is the very secret that the last rotation replaced.
    pub(crate) is_replaced: bool,
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
    pub(crate) async fn reopen(&self, token: &Token, generation: Generation) -> Result<Option<Current>, StoreError> {
        let record = match self.load_session(token.id(), &mut self.load_deadline()).await? {
            Found::Record(record) => record,
            Found::Nothing => return Ok(None),
            Found::Unreadable(session) => return Err(StoreError::unreadable(session.why)),
        };
        let now = self.now();
        let is_over = record.header().is_expired(now) || self.settings().is_over_limits(record.header(), now);
        let is_meant = record.header().generation == generation && !is_over;
        let secret = record.header().secret;
        let current = is_meant.then(|| self.current(token, secret, record, None, now));
        Ok(current.filter(|current| !current.record.header().is_expired(now)))
    }

    /// Finds out what a token is to a record.
    fn fit(&self, token: &Token, record: Record) -> Fit {
        let (header, now) = (record.header(), self.now());
        let secret = token.secret_hash(self.scope());
        let is_previous = || {
            let previous = header.previous.filter(|previous| previous.until.is_none_or(|until| now < until));
            previous.is_some_and(|previous| previous.secret == secret)
        };
        if let Some(former) = header.former.as_ref().filter(|former| now < former.until && former.secret == secret) {
            return self
                .fit_of(self.current(token, secret, with_former_rights(&record, former), Some(&record), now), now);
        }
        if header.secret == secret || is_previous() {
            return self.fit_of(self.current(token, secret, record, None, now), now);
        }
        match header.rotation.filter(|_| self.is_just_rotated(header, now)) {
            Some(rotation) => {
                let is_replaced = rotation.replaced == secret;
                Fit::Overtaken(Box::new(Overtaken { token: token.clone(), record, is_replaced }))
            }
            None => Fit::Nothing,
        }
    }

    /// Returns what a token is that was verified.
    fn fit_of(&self, current: Current, now: Timestamp) -> Fit {
        let header = current.record.header();
        if header.is_expired(now) || self.settings().is_over_limits(header, now) {
            return Fit::Expired(Box::new(current));
        }
        Fit::Opens(current)
    }

    /// Returns whether requests may be under way that were sent with the secret before the last rotation.
    fn is_just_rotated(&self, header: &Header, now: Timestamp) -> bool {
        let grace = self.settings().renew_grace;
        // A rotation by a clock that is ahead may have been at any time: nobody is shut out by it.
        let is_recent = |at: Timestamp| !is_ahead(at, now) && now < at.saturating_add(grace);
        !header.is_expired(now) && header.rotation.is_some_and(|rotation| is_recent(rotation.at))
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

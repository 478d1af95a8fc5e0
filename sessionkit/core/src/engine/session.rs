//! The operations of the engine on the record of a session: load, begin, commit, and end it.

use std::sync::Arc;

use tokio::time::Instant;

use crate::engine::Engine;
use crate::engine::commit::CommitError;
use crate::engine::deadline::{Deadline, NO_ANSWER_TO_A_LOAD};
use crate::engine::document::{Change, Document, Refusal, Step};
use crate::error::SessionError;
use crate::record::Record;
use crate::record::apply::{self, Applied, Unfit};
use crate::record::delta::Delta;
use crate::record::front::{Generation, Unreadable};
use crate::record::header::{Header, secret_of};
use crate::store::entry::Entry;
use crate::store::error::{StoreError, StoreErrorKind};
use crate::store::key::EntryKey;
use crate::store::{InsertOutcome, RemoveOutcome};
use crate::time::Timestamp;
use crate::token::{NEW_IDS, SecretHash, SessionId, Token};

/// The stored state of a session.
pub(crate) enum Found {
    Record(Record),
    /// This release cannot read what is there.
    Unreadable(UnreadableSession),
    Nothing,
}

/// A session whose record this release cannot read.
#[derive(Clone, Copy)]
pub(crate) struct UnreadableSession {
    pub(crate) id: SessionId,
    pub(crate) generation: Generation,
    pub(crate) why: Unreadable,
    /// The hash of the secret, which every version of the format has at the same place.
    pub(crate) secret: Option<SecretHash>,
    /// True if the client has presented a token with which it may end the session.
    pub(crate) is_theirs: bool,
}

impl UnreadableSession {
    /// Takes note of a token that the client presents. It may end the session if it has its secret; or if the session is
    /// damaged, and nobody's.
    pub(crate) fn present(&mut self, secret: SecretHash) {
        self.is_theirs |= self.why == Unreadable::Damaged || self.secret == Some(secret);
    }
}

/// The session that a removal may end.
#[derive(Clone, Copy)]
pub(crate) enum Removal<'a> {
    /// The session as it was seen.
    AsSeen,
    /// The session, whatever its secret is by now, while it has this owner.
    OwnedBy(&'a str),
    /// The session, whatever its secret is by now, while it is a visitor's.
    Unowned,
    /// The session, whatever became of it, while nobody can read it.
    Unreadable,
}

impl Engine {
    pub(crate) async fn load_entry(
        &self,
        key: &EntryKey,
        deadline: &mut Deadline,
    ) -> Result<Option<Entry>, StoreError> {
        let loaded = deadline.limit(self.store.load(key)).await;
        loaded.unwrap_or_else(|| Err(StoreError::unavailable(NO_ANSWER_TO_A_LOAD)))
    }

    /// Loads what is stored of a session, expired or not.
    pub(crate) async fn load_session(&self, id: SessionId, deadline: &mut Deadline) -> Result<Found, StoreError> {
        let unreadable = |generation, why, secret| {
            Ok(Found::Unreadable(UnreadableSession { id, generation, why, secret, is_theirs: false }))
        };
        match self.load_entry(&EntryKey::session(id), deadline).await {
            Ok(Some(entry)) => match Record::read(&entry) {
                Ok(record) => Ok(Found::Record(record)),
                Err(why) => unreadable(entry.generation().unwrap_or_default(), why, secret_of(entry.bytes())),
            },
            Ok(None) => Ok(Found::Nothing),
            Err(error) if error.kind() == StoreErrorKind::Corrupt => {
                unreadable(Generation::default(), Unreadable::Damaged, None)
            }
            Err(error) => Err(error),
        }
    }

    /// Commits a change to a record, or to a newer one.
    #[inline]
    pub(crate) fn commit_record(
        &self,
        id: SessionId,
        held: Record,
        change: Arc<RecordChange>,
        end: Instant,
    ) -> impl Future<Output = Result<Record, CommitError>> + Send {
        self.commit_change(EntryKey::session(id), Some(held), change, end)
    }

    /// Begins a session under a new token: what `delta` makes of an empty record. `None` if there is nothing to keep, and
    /// `keeps_empty` says that it does not begin then.
    ///
    /// If an answer is lost, the session begins under another token. The call may still come in after the session has ended,
    /// and must not bring back one whose token a client has.
    pub(crate) async fn begin_record(
        self: &Arc<Self>,
        delta: impl Fn(&Token) -> Delta,
        keeps_empty: bool,
        deadline: &mut Deadline,
    ) -> Result<Option<(Token, Record)>, SessionError> {
        let begin = |limit| self.begin_at_once(&delta, keeps_empty, Deadline::of(limit));
        let (begun, _) = self.insist(deadline.end(), true, begin).await?;
        begun
    }

    /// Begins a session, unless an answer is lost.
    async fn begin_at_once(
        self: &Arc<Self>,
        delta: impl Fn(&Token) -> Delta,
        keeps_empty: bool,
        mut deadline: Deadline,
    ) -> Result<Result<Option<(Token, Record)>, SessionError>, StoreError> {
        for _ in 0..NEW_IDS {
            let (token, record) = match self.new_record(&delta, keeps_empty) {
                Ok(Some(new)) => new,
                nothing => return Ok(nothing),
            };
            match self.insert_record(token.id(), &record, &mut deadline).await {
                Ok(true) => return Ok(Ok(Some((token, record)))),
                Ok(false) => {}
                Err(error) => {
                    if error.kind() == StoreErrorKind::Unknown {
                        self.forget(token.id(), record.header().generation);
                    }
                    return Err(error);
                }
            }
        }
        Ok(Err(SessionError::no_free_id()))
    }

    /// Makes the record of a new session, which is not stored; `None` if there is nothing to keep.
    pub(crate) fn new_record(
        &self,
        delta: impl Fn(&Token) -> Delta,
        keeps_empty: bool,
    ) -> Result<Option<(Token, Record)>, SessionError> {
        let (token, now) = (Token::new(self.tokens()), self.now());
        let (ttl, absolute) = self.anonymous_lifetime();
        let mut header = Header::new(token.secret_hash(self.scope()), now, ttl, absolute);
        header.scope = self.scope().into();
        let (empty, delta) = (Record::new(header), delta(&token));
        let record = match apply::apply(&empty, &delta, now) {
            Ok(Applied::Changed(draft)) => draft.seal(self.random()),
            Ok(Applied::Unchanged) if keeps_empty => empty.sealed(self.random()),
            Ok(_) => return Ok(None),
            Err(unfit) => return Err(session_error(unfit, delta.limit)),
        };
        let is_kept = keeps_empty || record.fields().next().is_some();
        Ok(is_kept.then_some((token, record)))
    }

    /// Removes, without being awaited, a session that may be stored and whose token nobody gets.
    pub(crate) fn forget(self: &Arc<Self>, id: SessionId, generation: Generation) {
        let engine = self.clone();
        drop(self.tasks.complete(async move { engine.remove_record(id, generation, Removal::AsSeen).await }));
    }

    /// Stores a new record; `false` if the id is another session's.
    pub(crate) async fn insert_record(
        &self,
        id: SessionId,
        record: &Record,
        deadline: &mut Deadline,
    ) -> Result<bool, StoreError> {
        let (key, entry) = (EntryKey::session(id), record.entry(self.now()));
        let outcome = self.within(deadline, self.store.insert(&key, &entry)).await?;
        if outcome == InsertOutcome::Taken {
            // Perhaps by this insert, which the network delivered twice.
            let found = self.load_entry(&key, &mut self.load_deadline()).await?;
            return Ok(found.and_then(|found| found.revision()) == entry.revision());
        }
        Ok(outcome == InsertOutcome::Inserted)
    }

    /// Ends a session that was seen under this generation; `false` if there is none any more, or if it stays because it
    /// is not the one that is to be removed.
    ///
    /// # Errors
    /// Fails when the store does, and if a later release has written the session since: nobody can tell whose it is.
    pub(crate) async fn remove_record(
        &self,
        id: SessionId,
        seen: Generation,
        removal: Removal<'_>,
    ) -> Result<bool, StoreError> {
        let (key, end) = (&EntryKey::session(id), self.commit_deadline().end());
        let (mut generation, mut may_be_done) = (seen, false);
        loop {
            let remove = move |limit| async move {
                self.within(&mut Deadline::of(limit), self.store.remove(key, generation)).await
            };
            let (outcome, was_lost) = self.insist(end, true, remove).await?;
            may_be_done |= was_lost;
            match outcome {
                RemoveOutcome::Removed => break,
                // Otherwise the answer that was lost said that it was removed.
                RemoveOutcome::Absent if !may_be_done => return Ok(false),
                RemoveOutcome::Absent => break,
                RemoveOutcome::Changed(entry) => match newest_to_remove(&entry, removal)
                    .map_err(StoreError::unreadable)?
                {
                    Some(newest) if Instant::now() < end => generation = newest,
                    Some(_) => return Err(StoreError::unavailable("the session kept changing within commit_deadline")),
                    None => return Ok(false),
                },
            }
        }
        self.store.announce(id);
        Ok(true)
    }
}

/// Returns the generation of an entry if it is still to be removed; fails if that cannot be told.
pub(super) fn newest_to_remove(entry: &Entry, removal: Removal<'_>) -> Result<Option<Generation>, Unreadable> {
    Ok(match (Record::read(entry), removal) {
        (_, Removal::AsSeen) => None,
        (Ok(record), Removal::OwnedBy(owner)) if record.header().owner().is_some_and(|newest| **newest == *owner) => {
            Some(record.header().generation)
        }
        (Ok(record), Removal::Unowned) if record.header().owner().is_none() => Some(record.header().generation),
        (Ok(_), _) | (Err(Unreadable::Damaged), Removal::Unowned) => None,
        (Err(Unreadable::Damaged), _) => Some(entry.generation().unwrap_or_default()),
        (Err(newer), _) => return Err(newer),
    })
}

impl<'a> Removal<'a> {
    /// Returns the removal that a logout asks for. It ends the session also if it was rotated since, but not if another
    /// user has logged in with it.
    pub(crate) fn by_owner(header: &'a Header) -> Self {
        header.owner().map_or(Self::Unowned, |owner| Self::OwnedBy(owner))
    }
}

/// The requester of a change, to whom conflicts are reported.
pub(crate) trait Requester: Send + Sync {
    fn report_conflict(&self);
}

/// A delta, and who wants it.
pub(crate) struct RecordChange {
    delta: Delta,
    requester: Option<Arc<dyn Requester>>,
}

impl RecordChange {
    pub(crate) fn of(delta: Delta, requester: Option<Arc<dyn Requester>>) -> Arc<Self> {
        Arc::new(Self { delta, requester })
    }
}

impl Change<Record> for RecordChange {
    fn apply(&self, newest: Option<&Record>, now: Timestamp) -> Step<Record> {
        let Some(newest) = newest else { return Step::Refused(Refusal::Gone) };
        match apply::apply(newest, &self.delta, now) {
            Ok(Applied::Changed(draft)) => Step::Changed(draft),
            Ok(Applied::Unchanged) => Step::Unchanged,
            Ok(Applied::Stale) => Step::Refused(Refusal::Stale),
            Ok(Applied::Gone) => Step::Refused(Refusal::Gone),
            Err(unfit) => Step::Refused(Refusal::Failed(session_error(unfit, self.delta.limit))),
        }
    }

    fn is_done_in(&self, found: &Record) -> Option<bool> {
        let header = found.header();
        let opens = |secret| header.secret == secret || header.previous.is_some_and(|held| held.secret == secret);
        match self.delta.rotation() {
            Some(secret) => Some(opens(secret)),
            None => opens(self.delta.renewal()?).then_some(true),
        }
    }

    fn is_repeatable(&self) -> bool {
        self.delta.is_repeatable()
    }

    fn is_worth_a_look(&self) -> bool {
        !self.delta.is_upkeep()
    }

    fn report_conflict(&self) {
        if let Some(requester) = &self.requester {
            requester.report_conflict();
        }
    }

    fn is_last_of_batch(&self) -> bool {
        self.delta.ends_generation()
    }
}

fn session_error(unfit: Unfit, limit: usize) -> SessionError {
    match unfit {
        Unfit::Field(error) => error.into(),
        Unfit::TooLarge(size) => SessionError::too_large(size, limit),
    }
}

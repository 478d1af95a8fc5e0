//! The sessions of other systems: what a request presents of them, and the notes of what became of them.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use crate::engine::Engine;
use crate::engine::commit::CommitError;
use crate::engine::document::{Change, Refusal, Step};
use crate::engine::open::{Current, Opened};
use crate::error::SessionError;
use crate::record::adoption::{Adoption, AdoptionName, AdoptionState, SealedToken};
use crate::record::front::{History, Revision, Unreadable};
use crate::record::header::LEEWAY;
use crate::store::error::{StoreError, StoreErrorKind};
use crate::store::key::EntryKey;
use crate::time::Timestamp;
use crate::wire::head::Headers;

/// A session cookie of another system, as a request presented it.
#[derive(Clone, Eq, PartialEq)]
pub(crate) struct PresentedForeign {
    /// The number of the reader that reads it.
    pub(crate) reader: usize,
    pub(crate) value: String,
}

/// The session that one of another system became, as its token opens it.
pub(crate) struct Adopted {
    pub(crate) opened: Opened,
    pub(crate) system: &'static str,
}

/// The session of ours with which a request asks for that of another system.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Asker {
    /// None.
    Nobody,
    /// That of a visitor: what has no user is not looked for.
    Visitor,
    /// One that a login has just replaced, perhaps that of the other system's user: no other one begins.
    Overtaken,
}

pub(crate) type AdoptionFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, SessionError>> + Send + 'a>>;

/// Takes over the sessions of other systems. The engine does not know how.
pub(crate) trait Adopts: Send + Sync {
    /// Returns the cookies of other systems among the headers of a request.
    fn presented(&self, headers: &dyn Headers) -> Vec<PresentedForeign>;

    /// Returns until when sessions are taken over.
    fn until(&self) -> Timestamp;

    /// Returns whether sessions are compared only, and nothing is taken over.
    fn only_compares(&self) -> bool;

    /// Returns whether what is stored is written for the other system too.
    fn writes(&self) -> bool;

    /// Returns what a session of the other system became, or becomes now; `None` if it may not.
    fn adopt(
        &self,
        engine: Arc<Engine>,
        presented: Arc<[PresentedForeign]>,
        asker: Asker,
    ) -> AdoptionFuture<'static, Option<Adopted>>;

    /// Compares what would be taken over with the session that is there.
    fn compare(
        &self,
        engine: Arc<Engine>,
        presented: Arc<[PresentedForeign]>,
        current: Option<Current>,
    ) -> AdoptionFuture<'static, ()>;

    /// Ends the sessions of the other system that a request presents.
    fn end(&self, engine: Arc<Engine>, presented: Arc<[PresentedForeign]>) -> AdoptionFuture<'static, ()>;

    /// Returns the headers that remove the cookies of the other system.
    fn removals(&self, presented: &[PresentedForeign]) -> Vec<String>;

    /// Writes a session for the other system, if it says something else there or `always`, and returns the headers that set
    /// its cookie.
    fn write(
        &self,
        engine: Arc<Engine>,
        presented: Arc<[PresentedForeign]>,
        current: Current,
        always: bool,
    ) -> AdoptionFuture<'static, Vec<String>>;
}

/// The time for which notes are kept after the last day: it may be moved by so much.
const KEPT: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// The name of the note in the place of the system that says which sessions of a user were ended together.
const USERS: &str = "@user";

/// The same for those of everyone.
const EVERYONE: &str = "@everyone";

/// The time of an end that cannot be read any more.
const NEVER: Timestamp = Timestamp::from_unix_seconds(u64::MAX);

impl Engine {
    /// Returns the note about a session of another system.
    pub(crate) async fn load_adoption(&self, name: AdoptionName) -> Result<Option<Adoption>, SessionError> {
        let revision = match self.load_entry(&EntryKey::adoption(name), &mut self.load_deadline()).await {
            Ok(None) => return Ok(None),
            Ok(Some(entry)) => match Adoption::from_bytes(entry.bytes()) {
                Ok(note) => return Ok(Some(note)),
                Err(Unreadable::Damaged) => entry.revision().unwrap_or_default(),
                Err(newer) => return Err(StoreError::unreadable(newer).into()),
            },
            Err(error) if error.kind() == StoreErrorKind::Corrupt => Revision::default(),
            Err(error) => return Err(error.into()),
        };
        // Nobody knows what it said. As if all had ended, nobody gets what is not theirs.
        let history = History { revision, ..History::default() };
        let until = self.migration.as_ref().map(|migration| migration.until()).unwrap_or_default();
        let state = AdoptionState::Ended { at: NEVER };
        Ok(Some(Adoption { history, ..self.new_note("", until, state) }))
    }

    /// Changes the note about a session of another system, if it still is as it was seen; `false` if it is not.
    pub(crate) async fn change_adoption(
        &self,
        name: AdoptionName,
        seen: Option<Adoption>,
        change: AdoptionChange,
    ) -> Result<bool, SessionError> {
        let end = self.commit_deadline().end();
        match self.commit_change(EntryKey::adoption(name), seen, Arc::new(change), end).await {
            Ok(_) => Ok(true),
            Err(CommitError::Refused(Refusal::Failed(error)) | CommitError::Failed(error)) => Err(error),
            Err(CommitError::Refused(_)) => Ok(false),
        }
    }

    /// Notes that all sessions of a user, or of everyone, were ended: none from before is taken over.
    pub(crate) async fn note_end_of_all(&self, user: Option<&str>) -> Result<(), SessionError> {
        let Some(migration) = self.migration.as_ref().filter(|migration| self.now() < migration.until()) else {
            return Ok(());
        };
        let name = self.name_of_all(user);
        let system = if user.is_some() { USERS } else { EVERYONE };
        let note = self.new_note(system, migration.until(), AdoptionState::Ended { at: self.now() });
        self.change_adoption(name, self.load_adoption(name).await?, AdoptionChange { note, rule: Rule::Always })
            .await?;
        Ok(())
    }

    /// Returns whether a session of another system that was written then was ended with all others of its user, or of
    /// everyone. One that does not say when it was written was, if others were.
    pub(crate) async fn ended_with_all(
        &self,
        user: Option<&str>,
        written_at: Option<Timestamp>,
    ) -> Result<bool, SessionError> {
        let Some(user) = user else { return Ok(false) };
        for whose in [None, Some(user)] {
            let note = self.load_adoption(self.name_of_all(whose)).await?;
            if let Some(AdoptionState::Ended { at }) = note.map(|note| note.state)
                && written_at.is_none_or(|written_at| written_at <= at.saturating_add(LEEWAY))
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn name_of_all(&self, user: Option<&str>) -> AdoptionName {
        match user {
            Some(user) => AdoptionName::new(self.scope(), USERS, user),
            None => AdoptionName::new(self.scope(), EVERYONE, ""),
        }
    }

    /// Makes a note that is kept until the last day of the migration, and for some time after it.
    pub(crate) fn new_note(&self, system: &str, until: Timestamp, state: AdoptionState) -> Adoption {
        let (history, scope) = (History::default(), self.scope().into());
        Adoption { history, scope, system: system.into(), kept_until: until.saturating_add(KEPT), state }
    }

    /// Returns the time after which a claim is another request's to take.
    pub(crate) fn claim_time(&self) -> Duration {
        let settings = self.settings();
        (settings.load_deadline + settings.commit_deadline * 3 + settings.user_deadline).max(Duration::from_secs(10))
    }
}

/// A change of a note.
pub(crate) struct AdoptionChange {
    pub(crate) note: Adoption,
    pub(crate) rule: Rule,
}

/// The condition under which a note changes.
#[derive(Clone, Copy)]
pub(crate) enum Rule {
    Always,
    /// There is none, or a claim that has lapsed.
    IfFree,
    /// It is this claim.
    IfClaimed([u8; 16]),
    /// It became the session of this token.
    IfAdoptedAs(SealedToken),
}

impl Change<Adoption> for AdoptionChange {
    fn apply(&self, newest: Option<&Adoption>, now: Timestamp) -> Step<Adoption> {
        let state = newest.map(|newest| newest.state);
        let may_change = match (self.rule, state) {
            (Rule::Always, _) | (Rule::IfFree, None) => true,
            (Rule::IfFree, Some(AdoptionState::Claimed { lapses, .. })) => lapses <= now,
            (Rule::IfClaimed(own), Some(AdoptionState::Claimed { claim, .. })) => claim == own,
            (Rule::IfAdoptedAs(sealed), Some(AdoptionState::Adopted(other))) => sealed == other,
            (Rule::IfFree | Rule::IfClaimed(_) | Rule::IfAdoptedAs(_), _) => false,
        };
        if !may_change {
            return Step::Refused(Refusal::Stale);
        }
        let history = newest.map(|newest| newest.history).unwrap_or_default();
        let mut changed = Adoption { history, ..self.note.clone() };
        // A clock that is behind takes back nothing of what another one has ended.
        if let (AdoptionState::Ended { at }, Some(AdoptionState::Ended { at: before })) = (&mut changed.state, state)
            && before != NEVER
        {
            *at = before.max(*at);
        }
        Step::Changed(changed)
    }
}

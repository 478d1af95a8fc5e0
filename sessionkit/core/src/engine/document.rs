//! The documents to which the engine commits changes: sessions, and the lists of the sessions of a user.

use crate::engine::Engine;
use crate::engine::queue::Queues;
use crate::error::SessionError;
use crate::record::adoption::Adoption;
use crate::record::front::{History, Unreadable};
use crate::record::list::{ListedSession, SessionList};
use crate::record::{Draft, Record};
use crate::store::entry::Entry;
use crate::time::Timestamp;

/// Something that is stored under a key, and changed by compare-and-swap.
pub(crate) trait Document: Clone + Send + Sync + 'static {
    /// The document after a change, before it has its next revision.
    type Draft: Send;

    /// True if a change may begin a document under a key that has none.
    const MAY_BEGIN: bool;

    fn read(entry: &Entry) -> Result<Self, Unreadable>;

    fn history(&self) -> History;

    /// Returns whether it was written later than another one, or there is no other.
    fn is_newer_than(&self, other: Option<&Self>) -> bool {
        other.is_none_or(|other| self.history().revision.writes_since(other.history().revision) > 0)
    }

    /// Returns the queues of the requests that change documents of this kind.
    fn queues(engine: &Engine) -> &Queues<Self>;

    /// Gives the draft the next revision.
    fn seal(draft: Self::Draft, random: u32) -> Self;

    /// Returns the draft as it is, for the next change of the same commit.
    fn unsealed(draft: &Self::Draft) -> Self;

    /// Returns what the store is given.
    fn entry(&self, now: Timestamp) -> Entry;
}

/// A change that one request wants to make to a document.
pub(crate) trait Change<D: Document>: Send + Sync {
    /// Applies the change to the newest document.
    fn apply(&self, newest: Option<&D>, now: Timestamp) -> Step<D>;

    /// Returns whether a document that was found after an unknown outcome shows that the change happened; `None` if it
    /// shows neither.
    fn is_done_in(&self, found: &D) -> Option<bool> {
        let _ = found;
        None
    }

    /// Returns whether applying the change twice does what applying it once does.
    fn is_repeatable(&self) -> bool {
        true
    }

    /// Returns whether it is worth finding out what came of the change if the answer is lost.
    fn is_worth_a_look(&self) -> bool {
        true
    }

    /// Reports that the change met a conflict and is tried again.
    fn report_conflict(&self) {}

    /// Returns whether changes that come later must see this one stored.
    fn is_last_of_batch(&self) -> bool {
        false
    }
}

/// The result of applying a change to a document.
pub(crate) enum Step<D: Document> {
    Changed(D::Draft),
    Unchanged,
    Refused(Refusal),
}

/// The reason why a change is not made. Nothing was stored of it.
#[derive(Clone, Debug)]
pub(crate) enum Refusal {
    /// The secret was rotated since the session was loaded, or the sessions of the user were ended.
    Stale,
    /// The session has ended.
    Gone,
    /// These sessions of the list have to end first.
    Crowded {
        list: Box<SessionList>,
        sessions: Vec<ListedSession>,
    },
    Failed(SessionError),
}

impl Document for Record {
    type Draft = Draft;

    const MAY_BEGIN: bool = false;

    fn queues(engine: &Engine) -> &Queues<Self> {
        &engine.records
    }

    fn read(entry: &Entry) -> Result<Self, Unreadable> {
        Self::from_bytes(entry.shared_bytes().clone())
    }

    fn history(&self) -> History {
        self.history()
    }

    fn seal(draft: Draft, random: u32) -> Self {
        draft.seal(random)
    }

    fn unsealed(draft: &Draft) -> Self {
        draft.clone().finish()
    }

    fn entry(&self, now: Timestamp) -> Entry {
        Entry::of_record(self, now)
    }
}

impl Document for Adoption {
    type Draft = Self;

    const MAY_BEGIN: bool = true;

    fn read(entry: &Entry) -> Result<Self, Unreadable> {
        Self::from_bytes(entry.bytes())
    }

    fn history(&self) -> History {
        self.history
    }

    fn queues(engine: &Engine) -> &Queues<Self> {
        &engine.adoptions
    }

    fn seal(mut draft: Self, random: u32) -> Self {
        draft.history = draft.history.next(random);
        draft
    }

    fn unsealed(draft: &Self) -> Self {
        draft.clone()
    }

    fn entry(&self, now: Timestamp) -> Entry {
        Entry::of_adoption(self, now)
    }
}

impl Document for SessionList {
    type Draft = Self;

    const MAY_BEGIN: bool = true;

    fn queues(engine: &Engine) -> &Queues<Self> {
        &engine.lists
    }

    fn read(entry: &Entry) -> Result<Self, Unreadable> {
        Self::from_bytes(entry.bytes())
    }

    fn history(&self) -> History {
        self.history
    }

    fn seal(mut draft: Self, random: u32) -> Self {
        draft.history = draft.history.next(random);
        draft
    }

    fn unsealed(draft: &Self) -> Self {
        draft.clone()
    }

    fn entry(&self, now: Timestamp) -> Entry {
        Entry::of_list(self, now)
    }
}

//! Committing a change: applied to the newest document, compared and swapped, and tried again.
//!
//! The first try is a request's own. A request that meets a conflict joins the queue of the document; its driver, a task of the
//! engine, applies all changes that wait there, in order, and stores them with one call. An answer that is lost is looked into by sending the
//! same bytes with the same revision again: an entry remembers its last revisions, so the next answer tells what happened.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::Instant;

use crate::engine::Engine;
use crate::engine::deadline::Deadline;
use crate::engine::document::{Change, Document, Refusal, Step};
use crate::engine::queue::{Queue, Turn};
use crate::engine::waiter::{Hand, Waiter};
use crate::error::SessionError;
use crate::event::{About, EventKind};
use crate::record::front::Revision;
use crate::store::entry::Entry;
use crate::store::error::StoreError;
use crate::store::key::EntryKey;
use crate::store::{InsertOutcome, ReplaceOutcome};
use crate::time::Timestamp;

/// The reason why a change was not stored.
#[derive(Clone, Debug)]
pub(crate) enum CommitError {
    Refused(Refusal),
    Failed(SessionError),
}

impl Engine {
    /// Commits a change to the document that is held, or to a newer one, until `end`; returns the document after it.
    #[inline]
    pub(crate) fn commit_change<D: Document>(
        &self,
        key: EntryKey,
        held: Option<D>,
        change: Arc<dyn Change<D>>,
        end: Instant,
    ) -> impl Future<Output = Result<D, CommitError>> + Send {
        // The future of an async function keeps its arguments twice; that of a block keeps them once.
        let own = Waiter::new(change, end, held.as_ref());
        let mut attempt = Attempt { engine: self, key, newest: held, conflicts: 0, is_conflict_new: false };
        async move {
            if !D::queues(self).has(&attempt.key) {
                let mut hand = Hand(vec![own.clone()]);
                attempt.run(&mut hand, None).await;
                hand.0.clear();
            }
            if !own.is_done() {
                // Boxed, since few commits meet a conflict, and futures are copied around.
                Box::pin(attempt.queue(&own)).await;
            }
            own.take().unwrap_or_else(|| Err(CommitError::Failed(SessionError::unsettled())))
        }
    }

    /// Commits for all who wait in a queue until nobody does.
    async fn drive<D: Document>(&self, key: EntryKey, conflicts: u32, is_conflict_new: bool) {
        let mut turn = Turn::new(D::queues(self), key);
        let mut attempt = Attempt { engine: self, key, newest: None, conflicts, is_conflict_new };
        while let Some(Queue { waiting, newest }) = turn.next() {
            attempt.know(newest);
            let conflicts = attempt.conflicts;
            let mut hand = Hand(waiting);
            hand.0.iter().for_each(|waiter| waiter.give_up_in_time());
            attempt.run(&mut hand, Some(&turn)).await;
            let meets_others = attempt.conflicts > conflicts.max(1) && hand.0.iter().any(|waiter| !waiter.is_done());
            // Nothing of what is left is in a call: if this driver is cut off, another one takes it up.
            turn.put_back(hand.0.drain(..));
            // Other processes may be at it too; the first conflict was met before the queue.
            if meets_others {
                tokio::time::sleep(self.jitter(attempt.conflicts - 1)).await;
            }
        }
    }
}

/// The way of some changes to the store.
struct Attempt<'a, D> {
    engine: &'a Engine,
    key: EntryKey,
    newest: Option<D>,
    conflicts: u32,
    /// True if a conflict was met that is not reported yet.
    is_conflict_new: bool,
}

impl<D: Document> Attempt<'_, D> {
    /// Waits until the change is committed with those of others. The engine runs the queue, not the request that begins it,
    /// whose thread may be busy elsewhere, and whose client may leave.
    async fn queue(&mut self, own: &Arc<Waiter<D>>) {
        let (engine, key) = (self.engine, self.key);
        // The driver is done by then, or its thread is blocked.
        let margin = engine.settings().load_deadline;
        while !own.is_done() {
            own.queue_up();
            if D::queues(engine).join(key, own.clone(), self.newest.clone()) {
                let (conflicts, is_conflict_new) = (self.conflicts, std::mem::take(&mut self.is_conflict_new));
                match (engine.shared(), Handle::try_current()) {
                    (Some(engine), Ok(runtime)) => {
                        runtime.spawn(async move { engine.drive::<D>(key, conflicts, is_conflict_new).await });
                    }
                    _ => engine.drive::<D>(key, conflicts, is_conflict_new).await,
                }
            }
            own.wait(margin).await;
        }
    }

    /// Takes over a document that is newer than the one that is known.
    fn know(&mut self, other: Option<D>) {
        if let Some(other) = other.filter(|other| other.is_newer_than(self.newest.as_ref())) {
            self.newest = Some(other);
        }
    }

    /// Applies the changes to the newest document and stores it. Those that are left in the hand have met a conflict.
    async fn run(&mut self, hand: &mut Hand<D>, queue: Option<&Turn<'_, D>>) {
        if let Some((sealed, entry)) = self.prepare(hand, queue) {
            self.store(hand, &sealed, &entry).await;
        }
        hand.0.iter().for_each(|waiter| waiter.end_call());
    }

    /// Applies the changes, and returns what is to be stored.
    fn prepare(&mut self, hand: &mut Hand<D>, queue: Option<&Turn<'_, D>>) -> Option<(D, Entry)> {
        let end = hand.end().unwrap_or_else(Instant::now);
        hand.0.retain(|waiter| waiter.begin_call(end));
        let now = self.engine.now();
        let (draft, later) = self.apply(hand, now);
        if let Some(queue) = queue {
            later.iter().for_each(|waiter| waiter.end_call());
            queue.put_back(later);
        }
        let sealed = D::seal(draft?, self.engine.random());
        if let Some(waiter) = hand.0.first().filter(|_| std::mem::take(&mut self.is_conflict_new)) {
            waiter.change.report_conflict();
        }
        let entry = sealed.entry(now);
        Some((sealed, entry))
    }

    /// Applies the changes one after the other. Those that come to nothing are done. Those are returned that depend on one
    /// that has to be stored first: they come behind it, or are refused after it.
    fn apply(&self, hand: &mut Hand<D>, now: Timestamp) -> (Option<D::Draft>, Vec<Arc<Waiter<D>>>) {
        let (mut changed, mut draft): (Option<D>, Option<D::Draft>) = (None, None);
        let (mut taken, mut later) = (0, Vec::new());
        while let Some(waiter) = hand.0.get(taken) {
            if let Some(draft) = draft.as_ref().filter(|_| changed.is_none()) {
                changed = Some(D::unsealed(draft));
            }
            let newest = changed.as_ref().or(self.newest.as_ref());
            let applied = catch_unwind(AssertUnwindSafe(|| waiter.change.apply(newest, now)));
            let step =
                applied.unwrap_or_else(|_| Step::Refused(Refusal::Failed(SessionError::panicked("a merge function"))));
            match step {
                Step::Changed(after) => (draft, changed) = (Some(after), None),
                // It is done when what it saw is stored.
                Step::Unchanged if draft.is_some() => {}
                Step::Unchanged => {
                    waiter.finish(newest.cloned().ok_or(CommitError::Refused(Refusal::Gone)));
                    hand.0.remove(taken);
                    continue;
                }
                Step::Refused(_) if draft.is_some() => {
                    later.push(hand.0.remove(taken));
                    continue;
                }
                Step::Refused(refusal) => {
                    waiter.finish(Err(CommitError::Refused(refusal)));
                    hand.0.remove(taken);
                    continue;
                }
            }
            taken += 1;
            if waiter.change.is_last_of_batch() {
                break;
            }
        }
        later.extend(hand.0.split_off(taken));
        (draft, later)
    }

    /// Stores the document in the place of the newest one that is known.
    async fn store(&mut self, hand: &mut Hand<D>, sealed: &D, entry: &Entry) {
        let revision = sealed.history().revision;
        match self.call(hand, entry).await {
            Ok((Answer::Stored, _)) => {
                self.newest = Some(sealed.clone());
                hand.finish(Ok(sealed.clone()));
            }
            Ok((Answer::Found(found), was_lost)) => match D::read(&found) {
                // Boxed, since few commits meet a conflict, and futures are copied around.
                Ok(found) => Box::pin(self.meet(hand, found, Sent { revision, was_lost })).await,
                Err(unreadable) => {
                    hand.finish(Err(CommitError::Failed(StoreError::unreadable(unreadable).into())));
                }
            },
            Ok((Answer::Absent, _)) => {
                self.newest = None;
                if D::MAY_BEGIN {
                    self.conflicts += 1;
                } else {
                    hand.finish(Err(CommitError::Refused(Refusal::Gone)));
                }
            }
            Err(error) => hand.finish(Err(CommitError::Failed(error.into()))),
        }
    }

    /// Sends the bytes, again and again while the answer is lost; also returns whether one was.
    async fn call(&self, hand: &Hand<D>, entry: &Entry) -> Result<(Answer, bool), StoreError> {
        let end = hand.end().unwrap_or_else(Instant::now);
        let looks = hand.0.iter().any(|waiter| waiter.change.is_worth_a_look());
        self.engine.insist(end, looks, |limit| self.send(entry, limit)).await
    }

    async fn send(&self, entry: &Entry, limit: Duration) -> Result<Answer, StoreError> {
        let (store, key, mut deadline) = (&self.engine.store, &self.key, Deadline::of(limit));
        match &self.newest {
            Some(newest) => {
                let replacing = store.replace(key, newest.history().revision, entry);
                Ok(match self.engine.within(&mut deadline, replacing).await? {
                    ReplaceOutcome::Replaced => Answer::Stored,
                    ReplaceOutcome::Changed(found) => Answer::Found(found),
                    ReplaceOutcome::Absent => Answer::Absent,
                })
            }
            None => match self.engine.within(&mut deadline, store.insert(key, entry)).await? {
                InsertOutcome::Inserted => Ok(Answer::Stored),
                InsertOutcome::Taken => {
                    let loaded = self.engine.within(&mut deadline, store.load(key)).await?;
                    Ok(loaded.map_or(Answer::Absent, Answer::Found))
                }
            },
        }
    }

    /// Looks at another document than the one that was known. What was sent may have been stored: an answer was lost, or
    /// the network delivered the call twice.
    async fn meet(&mut self, hand: &mut Hand<D>, mut found: D, sent: Sent) {
        let held = self.newest.as_ref().map(|newest| newest.history().revision);
        self.conflicts += 1;
        if held == Some(found.history().revision) {
            // The read behind the answer saw an older state than the comparison did.
            let Some(newest) = self.load_again(hand, sent.was_lost).await else { return };
            found = newest;
        }
        let history = found.history();
        if history.includes(sent.revision) {
            // A secret that was replaced since opens nothing: nobody may be given it.
            let is_overtaken = |waiter: &Arc<Waiter<D>>| waiter.change.is_done_in(&found) == Some(false);
            for waiter in hand.0.extract_if(.., |waiter| is_overtaken(waiter)) {
                waiter.finish(Err(CommitError::Refused(Refusal::Stale)));
            }
            self.newest = Some(found.clone());
            return hand.finish(Ok(found));
        }
        hand.0.retain(|waiter| {
            let is_stored = waiter.is_in(&history);
            if is_stored {
                tell_stored(waiter, &found);
            }
            !is_stored
        });
        if held.is_some_and(|held| history.revision.writes_since(held) < 0) {
            self.engine.record(EventKind::StoreWentBack, self.about());
            // Others have seen only what is there: the document that is lost was handed on to them.
            hand.0.retain(|waiter| {
                let is_stale = waiter.has_seen_more_than(&history);
                if is_stale {
                    waiter.finish(Err(CommitError::Refused(Refusal::Stale)));
                }
                !is_stale
            });
        }
        let lost = sent.was_lost.then_some(sent.revision);
        hand.0.iter().for_each(|waiter| waiter.meets(&history, lost));
        if lost.is_some_and(|lost| history.forgets(lost) && is_seen_in(hand, &found, lost)) {
            self.newest = Some(found.clone());
            return hand.finish(Ok(found));
        }
        hand.0.retain(|waiter| !waiter.may_be_in(&history) || self.may_go_on(waiter, &found));
        self.is_conflict_new |= held != Some(history.revision);
        self.newest = Some(found);
    }

    /// Returns whether a change may be applied again that may have been stored, as far as the document shows.
    fn may_go_on(&self, waiter: &Waiter<D>, found: &D) -> bool {
        match waiter.change.is_done_in(found) {
            Some(true) => waiter.finish(Ok(found.clone())),
            Some(false) => waiter.finish(Err(CommitError::Refused(Refusal::Stale))),
            None if waiter.change.is_repeatable() => return true,
            None => {
                let unknown = StoreError::unknown("an answer was lost, and too much was written since");
                waiter.finish(Err(CommitError::Failed(unknown.into())));
            }
        }
        false
    }

    /// Loads the newest document; `None` if there is none to go on with. The changes may have been stored if an answer was
    /// lost.
    async fn load_again(&mut self, hand: &mut Hand<D>, was_lost: bool) -> Option<D> {
        let mut deadline = self.engine.load_deadline();
        let loaded = self.engine.load_entry(&self.key, &mut deadline).await;
        let failure = match loaded.map(|entry| entry.map(|entry| D::read(&entry))) {
            Ok(Some(Ok(found))) => return Some(found),
            Ok(None) => {
                self.newest = None;
                return None;
            }
            Ok(Some(Err(unreadable))) => StoreError::unreadable(unreadable),
            Err(error) if was_lost => error.into_unknown(),
            Err(error) => error,
        };
        hand.finish(Err(CommitError::Failed(failure.into())));
        None
    }

    fn about(&self) -> About<'static> {
        About { session: self.key.session_id(), ..About::default() }
    }
}

/// Tells a waiter that its change was stored, unless another one has replaced its secret since.
fn tell_stored<D: Document>(waiter: &Waiter<D>, found: &D) {
    let is_overtaken = waiter.change.is_done_in(found) == Some(false);
    waiter.finish(if is_overtaken { Err(CommitError::Refused(Refusal::Stale)) } else { Ok(found.clone()) });
}

/// Returns whether a document shows that a call was done: one of its changes is there, and was in no other call.
fn is_seen_in<D: Document>(hand: &Hand<D>, found: &D, sent: Revision) -> bool {
    hand.0.iter().any(|waiter| waiter.was_sent_once(sent) && waiter.change.is_done_in(found) == Some(true))
}

/// The revision that was sent.
#[derive(Clone, Copy)]
struct Sent {
    revision: Revision,
    /// True if an answer to it was lost.
    was_lost: bool,
}

/// The outcome of a call.
enum Answer {
    Stored,
    /// Nothing was stored: this is there.
    Found(Entry),
    /// Nothing was stored: nothing is there.
    Absent,
}

#[cfg(test)]
mod tests;

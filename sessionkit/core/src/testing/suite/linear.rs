//! Small concurrent histories that must have an order.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Barrier;
use tokio::task::JoinSet;

use super::fixture::{Bytes, Seen, Slot, entry, entry_of, generation, numbered};
use super::random::Random;
use crate::record::front::{Generation, Revision, generation_of, revision_of};
use crate::store::Store;

const TASKS: usize = 3;
const CALLS: usize = 4;

#[derive(Clone, Debug)]
enum Call {
    Load,
    Insert(Bytes),
    Replace(Revision, Bytes),
    Remove(Generation),
}

/// A call, what came of it, and when it began and ended.
#[derive(Debug)]
struct Event {
    call: Call,
    seen: Seen,
    began: usize,
    ended: usize,
}

/// The outcomes of concurrent calls are those of the same calls in some order, one after the other, in which a call that
/// ended before another began comes first. For two hundred random histories.
pub async fn concurrent_calls_have_an_order<S: Store>(store: Arc<S>) {
    for seed in 0..200 {
        let start = numbered(0);
        let slot = Slot::with(&store, &start).await;
        let mut events = history(&slot, seed, &Bytes::of(&start)).await;
        let clock = events.iter().map(|event| event.ended).max().unwrap_or_default();
        events.push(Event { call: Call::Load, seen: slot.load().await, began: clock + 1, ended: clock + 2 });
        let mut done = vec![false; events.len()];
        assert!(
            has_order(&events, &mut done, Some(Bytes::of(&start))),
            "[P1] [P2] [P3] [P6] no order of these calls explains what came of them (seed {seed}): {events:#?}"
        );
    }
}

async fn history<S: Store>(slot: &Slot<S>, seed: u64, start: &Bytes) -> Vec<Event> {
    let clock = Arc::new(AtomicUsize::new(0));
    let barrier = Arc::new(Barrier::new(TASKS));
    let mut tasks = JoinSet::new();
    for task in 0..TASKS {
        let (slot, clock, barrier) = (slot.clone(), clock.clone(), barrier.clone());
        let mut caller = Caller { random: Random::new(seed * TASKS as u64 + task as u64), known: start.clone(), task };
        tasks.spawn(async move {
            barrier.wait().await;
            let mut events = Vec::with_capacity(CALLS);
            for number in 0..CALLS {
                let call = caller.next(number);
                if caller.random.chance(50) {
                    tokio::task::yield_now().await;
                }
                let began = clock.fetch_add(1, Ordering::SeqCst);
                let seen = perform(&slot, &call).await;
                let ended = clock.fetch_add(1, Ordering::SeqCst);
                caller.learn(&call, &seen);
                events.push(Event { call, seen, began, ended });
            }
            events
        });
    }
    tasks.join_all().await.into_iter().flatten().collect()
}

/// The caller of a task. Most of its calls suit the entry that it saw last.
struct Caller {
    random: Random,
    known: Bytes,
    task: usize,
}

impl Caller {
    fn next(&mut self, number: usize) -> Call {
        let held = revision_of(&self.known.0).unwrap_or_default();
        let known = generation_of(&self.known.0).unwrap_or_default();
        let mine = (1 + self.task * CALLS + number) as u32;
        let rotated = if self.random.chance(25) { known.next() } else { known };
        match self.random.below(12) {
            0 | 1 => Call::Load,
            2 | 3 => Call::Insert(Bytes::of(&entry_of(Revision::new(0, mine), generation(0), b"inserted"))),
            4 | 5 => Call::Remove(known),
            _ => Call::Replace(held, Bytes::of(&entry_of(held.next(mine), rotated, b"replaced"))),
        }
    }

    fn learn(&mut self, call: &Call, seen: &Seen) {
        match (call, seen) {
            (_, Seen::Found(bytes) | Seen::Changed(bytes))
            | (Call::Insert(bytes), Seen::Inserted)
            | (Call::Replace(_, bytes), Seen::Replaced) => self.known = bytes.clone(),
            _ => {}
        }
    }
}

async fn perform<S: Store>(slot: &Slot<S>, call: &Call) -> Seen {
    match call {
        Call::Load => slot.load().await,
        Call::Insert(bytes) => slot.insert(&entry(bytes.0.clone())).await,
        Call::Replace(held, bytes) => slot.replace(*held, &entry(bytes.0.clone())).await,
        Call::Remove(held) => slot.remove(*held).await,
    }
}

/// Returns whether the calls that are not done have an order that explains them, beginning with these bytes.
fn has_order(events: &[Event], done: &mut [bool], stored: Option<Bytes>) -> bool {
    let open = |done: &[bool]| (0..events.len()).filter(|at| !done[*at]).collect::<Vec<_>>();
    let Some(first_end) = open(done).into_iter().map(|at| events[at].ended).min() else { return true };
    for at in open(done) {
        let Event { call, seen, began, .. } = &events[at];
        if *began > first_end {
            continue;
        }
        let mut stored = stored.clone();
        if explains(call, &reference(&mut stored, call), seen) {
            done[at] = true;
            if has_order(events, done, stored) {
                return true;
            }
            done[at] = false;
        }
    }
    false
}

fn reference(stored: &mut Option<Bytes>, call: &Call) -> Seen {
    let held = stored.clone();
    match (call, held) {
        (Call::Load, Some(held)) => Seen::Found(held),
        (Call::Load, None) => Seen::Nothing,
        (Call::Insert(_), Some(_)) => Seen::Taken,
        (Call::Insert(bytes), None) => {
            *stored = Some(bytes.clone());
            Seen::Inserted
        }
        (Call::Replace(..) | Call::Remove(_), None) => Seen::Absent,
        (Call::Replace(revision, bytes), Some(held)) if revision_of(&held.0) == Some(*revision) => {
            *stored = Some(bytes.clone());
            Seen::Replaced
        }
        (Call::Remove(generation), Some(held)) if generation_of(&held.0) == Some(*generation) => {
            *stored = None;
            Seen::Removed
        }
        (Call::Replace(..) | Call::Remove(_), Some(held)) => Seen::Changed(held),
    }
}

fn explains(call: &Call, expected: &Seen, seen: &Seen) -> bool {
    if expected == seen {
        return true;
    }
    let (Seen::Changed(_), Seen::Changed(shown)) = (expected, seen) else { return false };
    // A statement may show what it read before it compared, which is what the caller held.
    match call {
        Call::Replace(held, _) => revision_of(&shown.0) == Some(*held),
        Call::Remove(held) => generation_of(&shown.0) == Some(*held),
        Call::Load | Call::Insert(_) => false,
    }
}

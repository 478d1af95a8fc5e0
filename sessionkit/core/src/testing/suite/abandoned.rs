//! Calls whose caller leaves: at a deadline the engine does.

use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use super::fixture::{Bytes, Seen, Slot, entry_of, generation, revision};
use crate::record::front::Revision;
use crate::store::Store;
use crate::store::entry::Entry;

fn written(slot: usize, times: u32) -> Entry {
    entry_of(revision(times), generation(0), format!("slot {slot}, {}", "x".repeat(slot * 50)).as_bytes())
}

/// A call that is abandoned happens whole or not at all, perhaps a little later, and the calls after it get their own
/// answers.
pub async fn an_abandoned_call_happens_whole_or_not_at_all<S: Store>(store: Arc<S>) {
    let mut slots = Vec::new();
    for number in 0..4 {
        slots.push(Slot::with(&store, &written(number, 0)).await);
    }
    let (other, untouched) = (Slot::with(&store, &written(9, 7)).await, Seen::found(&written(9, 7)));
    for times in 0..40 {
        for (number, slot) in slots.iter().enumerate() {
            let next = written(number, times + 1);
            abandon_at(1 + times % 4, slot.replace(revision(times), &next)).await;
            abandon_at(1 + times % 3, other.load()).await;
            assert_eq!(other.load().await, untouched, "[P6] the call after an abandoned one gets its own answer");
            settle(slot, &written(number, times), &next, revision(times)).await;
        }
    }
}

/// Drops a call once it has been pending so often, unless it is done before.
async fn abandon_at<T>(times: u32, call: impl Future<Output = T>) {
    let (mut call, mut pending) = (pin!(call), 0);
    std::future::poll_fn(|context| {
        pending += 1;
        if call.as_mut().poll(context).is_ready() || pending == times { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

/// Makes sure that the entry is the one before the abandoned replacement or the one after it, and then that after it.
async fn settle<S: Store>(slot: &Slot<S>, before: &Entry, after: &Entry, held: Revision) {
    let seen = slot.load().await;
    let whole = [Seen::found(before), Seen::found(after)];
    assert!(whole.contains(&seen), "[P6] an abandoned call happens whole or not at all, but: {seen:?}");
    let seen = slot.replace(held, after).await;
    let settled = [Seen::Replaced, Seen::Changed(Bytes::of(after))];
    assert!(settled.contains(&seen), "[P2] a call after an abandoned one works, but: {seen:?}");
    assert_eq!(slot.load().await, Seen::found(after), "[P2] an acknowledged replacement is stored");
}

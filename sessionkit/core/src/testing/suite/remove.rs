//! Tests that removed entries stay gone.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Barrier;
use tokio::task::JoinSet;

use super::fixture::{KINDS, Seen, Slot, entry, entry_of, generation, numbered, revision};
use crate::record::front::Generation;
use crate::store::Store;
use crate::store::entry::Entry;

/// A removal under another generation is refused, changes nothing, and shows the newest entry. The revision does not
/// matter.
pub async fn a_removal_compares_the_generation<S: Store>(store: Arc<S>) {
    let generations = [0, 1, u32::MAX, 0x0a0d_0020, 0x8000_0000];
    for (at, number) in generations.into_iter().enumerate() {
        let held = entry_of(revision(1), generation(number), b"held");
        let slot = Slot::new(&store, KINDS[at % 2]);
        slot.fill(&held).await;
        for bit in 0..32 {
            let seen = slot.remove(generation(number ^ (1 << bit))).await;
            assert_eq!(seen, Seen::changed(&held), "[P3] bit {bit} of a generation counts");
            assert_eq!(slot.load().await, Seen::found(&held), "[P6] a removal that is refused changes nothing");
        }
        let newer = entry_of(revision(2), generation(number), b"newer");
        assert_eq!(slot.replace(revision(1), &newer).await, Seen::Replaced);
        assert_eq!(slot.remove(generation(number)).await, Seen::Removed, "[P1] an entry of this generation goes");
        assert_eq!(slot.load().await, Seen::Nothing, "[P1] what is removed is gone");
        assert_eq!(slot.remove(generation(number)).await, Seen::Absent, "[P1] there is nothing left to remove");
    }
}

/// An entry that is too short to have a generation is removed, whatever generation is held.
pub async fn what_is_too_short_is_removed<S: Store>(store: Arc<S>) {
    for kind in KINDS {
        for length in 0..Generation::RANGE.end {
            for held in [0, 1, u32::MAX] {
                let slot = Slot::new(&store, kind);
                slot.fill(&entry(vec![7; length])).await;
                assert_eq!(slot.remove(generation(held)).await, Seen::Removed, "[P1] {length} bytes can be removed");
                assert_eq!(slot.load().await, Seen::Nothing, "[P1] what is removed is gone");
            }
        }
    }
}

/// Nothing but an insert brings back what was removed, and an insert does.
pub async fn what_is_removed_stays_gone<S: Store>(store: Arc<S>) {
    for kind in KINDS {
        let (slot, other) = (Slot::new(&store, kind), Slot::new(&store, kind));
        assert_eq!(slot.remove(generation(0)).await, Seen::Absent, "there was nothing to remove");
        slot.fill(&numbered(1)).await;
        other.fill(&numbered(1)).await;
        assert_eq!(slot.remove(generation(0)).await, Seen::Removed);
        assert_eq!(slot.load().await, Seen::Nothing, "[P1] what is removed is gone");
        let seen = slot.replace(revision(1), &numbered(2)).await;
        assert_eq!(seen, Seen::Absent, "[P1] a replacement finds nothing where an entry was removed");
        assert_eq!(slot.load().await, Seen::Nothing, "[P1] a replacement does not revive what was removed");
        assert_eq!(slot.remove(generation(0)).await, Seen::Absent, "[P1] it is removed once");
        assert_eq!(other.load().await, Seen::found(&numbered(1)), "other entries stay");

        assert_eq!(slot.insert(&numbered(3)).await, Seen::Inserted, "the key is free again");
        let seen = slot.replace(revision(1), &numbered(4)).await;
        assert_eq!(seen, Seen::changed(&numbered(3)), "[P1] the revision of what was removed is nobody's");
        assert_eq!(slot.load().await, Seen::found(&numbered(3)));
    }
}

/// Replacements that run while an entry is removed never bring it back.
pub async fn nothing_revives_what_is_removed_meanwhile<S: Store>(store: Arc<S>) {
    const WRITERS: usize = 6;
    for round in 0..60 {
        let slot = Slot::with(&store, &numbered(0)).await;
        let start = Arc::new(Barrier::new(WRITERS + 1));
        let removed = Arc::new(AtomicBool::new(false));
        let mut writers = JoinSet::new();
        for _ in 0..WRITERS {
            let (slot, start, removed) = (slot.clone(), start.clone(), removed.clone());
            writers.spawn(async move {
                start.wait().await;
                replace_until_gone(&slot, &removed).await;
            });
        }
        start.wait().await;
        // Earlier and later among the replacements.
        for _ in 0..round {
            tokio::task::yield_now().await;
        }
        let seen = slot.remove(generation(0)).await;
        assert_eq!(seen, Seen::Removed, "[P1] a removal goes through while the entry is replaced");
        removed.store(true, Ordering::SeqCst);
        let seen = slot.load().await;
        assert_eq!(seen, Seen::Nothing, "[P1] once a removal has returned, no running replacement revives the entry");
        writers.join_all().await;
        assert_eq!(slot.load().await, Seen::Nothing, "[P1] replacements do not revive an entry");
    }
}

async fn replace_until_gone<S: Store>(slot: &Slot<S>, removed: &AtomicBool) {
    let mut number = 0;
    loop {
        let is_late = removed.load(Ordering::SeqCst);
        match slot.replace(revision(number), &numbered(number + 1)).await {
            Seen::Absent => return,
            Seen::Replaced if is_late => panic!("[P1] a replacement goes through after the removal has returned"),
            Seen::Replaced => number += 1,
            // The others write the same numbers.
            Seen::Changed(_) if is_late => panic!("[P1] an entry is there after the removal has returned"),
            Seen::Changed(_) => number += 1,
            other => panic!("a replacement does not come to {other:?}"),
        }
        tokio::task::yield_now().await;
    }
}

/// A removal, and a replacement that raises the generation, at once: the first of them wins, and the other one is
/// refused.
pub async fn a_removal_and_a_rotation_have_an_order<S: Store>(store: Arc<S>) {
    let rotated = entry_of(revision(1), generation(1), b"rotated");
    let may_show = [Seen::changed(&rotated), Seen::changed(&numbered(0))];
    for round in 0..150 {
        let slot = Slot::with(&store, &numbered(0)).await;
        match at_once(&slot, round, &rotated).await {
            (Seen::Absent, Seen::Removed) => {
                assert_eq!(slot.load().await, Seen::Nothing, "[P1] the removal came first");
            }
            (Seen::Replaced, removed) if may_show.contains(&removed) => {
                assert_eq!(slot.load().await, Seen::found(&rotated), "[P3] the replacement came first");
            }
            (replaced, removed) => panic!("[P1] [P3] one of the two wins, but: {replaced:?}, {removed:?}"),
        }
    }
}

/// A removal, and a replacement that keeps the generation, at once: the entry is gone in any case.
pub async fn a_removal_ends_what_is_replaced_meanwhile<S: Store>(store: Arc<S>) {
    for round in 0..150 {
        let slot = Slot::new(&store, KINDS[round % 2]);
        slot.fill(&numbered(0)).await;
        let (replaced, removed) = at_once(&slot, round, &numbered(1)).await;
        assert_eq!(removed, Seen::Removed, "[P1] a removal goes through while the entry is replaced");
        assert!(
            matches!(replaced, Seen::Replaced | Seen::Absent),
            "the replacement came before or after: {replaced:?}"
        );
        assert_eq!(slot.load().await, Seen::Nothing, "[P1] what is removed is gone");
    }
}

/// Replaces and removes the first entry of a slot, and returns what came of the one and of the other. In each round one
/// of them begins a little later.
async fn at_once<S: Store>(slot: &Slot<S>, round: usize, next: &Entry) -> (Seen, Seen) {
    let start = Arc::new(Barrier::new(2));
    let (writer, remover, next) = (slot.clone(), slot.clone(), next.clone());
    let begin = async |start: Arc<Barrier>, later: usize| {
        start.wait().await;
        for _ in 0..later {
            tokio::task::yield_now().await;
        }
    };
    let (writers_start, removers_start) = (start.clone(), start);
    let replacing = tokio::spawn(async move {
        begin(writers_start, round % 3).await;
        writer.replace(revision(0), &next).await
    });
    let removing = tokio::spawn(async move {
        begin(removers_start, round / 3 % 5).await;
        remover.remove(generation(0)).await
    });
    (replacing.await.expect("the replacement returns"), removing.await.expect("the removal returns"))
}

//! Compare and swap.

use std::sync::Arc;

use tokio::sync::Barrier;
use tokio::task::JoinSet;

use super::fixture::{Bytes, KINDS, Seen, Slot, answered, entry, entry_of, generation, numbered, revision};
use crate::record::front::{FRONT, Revision};
use crate::store::entry::Entry;
use crate::store::{ReplaceOutcome, Store};

/// A replacement under a revision that differs in any bit of its counter or of its random number is refused, changes
/// nothing, and shows the newest entry.
pub async fn a_replacement_compares_the_whole_revision<S: Store>(store: Arc<S>) {
    let revisions = [
        [0; 8],
        [0xff; 8],
        *b"\0\0\0\x01abcd",
        *b"\r\n\0 '%_\\",
        [0x80, 0, 0, 0, 0, 0, 0, 0x80],
        *revision(7).as_bytes(),
    ];
    for (at, bytes) in revisions.into_iter().enumerate() {
        let held = entry_of(Revision::from_bytes(bytes), generation(3), b"held");
        let slot = Slot::new(&store, KINDS[at % 2]);
        slot.fill(&held).await;
        for (byte, bit) in (0..8).flat_map(|byte| [(byte, 0x01), (byte, 0x20), (byte, 0x80)]) {
            let mut wrong = bytes;
            wrong[byte] ^= bit;
            let seen = slot.replace(Revision::from_bytes(wrong), &numbered(9)).await;
            let half = if byte < 4 { "counter" } else { "random number" };
            assert_eq!(seen, Seen::changed(&held), "[P2] byte {byte} of a revision, in its {half}, counts");
            assert_eq!(slot.load().await, Seen::found(&held), "[P6] a replacement that is refused changes nothing");
        }
        let seen = slot.replace(Revision::from_bytes(bytes), &numbered(9)).await;
        assert_eq!(seen, Seen::Replaced, "[P2] the revision {bytes:?} is the stored one");
        assert_eq!(slot.load().await, Seen::found(&numbered(9)), "[P2] an acknowledged replacement is stored");
        let seen = slot.replace(Revision::from_bytes(bytes), &held).await;
        assert_eq!(seen, Seen::changed(&numbered(9)), "[P2] a revision is replaced once");
    }
}

/// A replacement under a key that has no entry is `Absent` and makes none.
pub async fn a_replacement_makes_no_entry<S: Store>(store: Arc<S>) {
    for kind in KINDS {
        let slot = Slot::new(&store, kind);
        for held in [Revision::default(), revision(1)] {
            assert_eq!(slot.replace(held, &numbered(1)).await, Seen::Absent, "[P5] there is nothing to replace");
            assert_eq!(slot.load().await, Seen::Nothing, "[P5] a replacement makes no entry");
        }
    }
}

/// An entry that is too short to have a revision is replaced under the default alone, which no whole entry has.
pub async fn what_is_too_short_is_replaced_under_the_default<S: Store>(store: Arc<S>) {
    for length in 0..Revision::RANGE.end {
        // As if the missing bytes were zeros.
        let mut like = [0; 8];
        like.iter_mut().take(length.saturating_sub(Revision::RANGE.start)).for_each(|like| *like = 7);
        for kind in KINDS {
            let (slot, short) = (Slot::new(&store, kind), entry(vec![7; length]));
            slot.fill(&short).await;
            for held in [[7; 8], like].into_iter().filter(|held| *held != [0; 8]) {
                let seen = slot.replace(Revision::from_bytes(held), &numbered(1)).await;
                assert_eq!(seen, Seen::changed(&short), "[P6] {length} bytes have no revision");
            }
            assert_eq!(slot.load().await, Seen::found(&short), "[P6] {length} bytes are not replaced");
            let seen = slot.replace(Revision::default(), &numbered(1)).await;
            assert_eq!(seen, Seen::Replaced, "{length} bytes are damaged, and can be replaced");
            assert_eq!(slot.load().await, Seen::found(&numbered(1)), "{length} bytes are replaced");
            let seen = slot.replace(Revision::default(), &numbered(2)).await;
            assert_eq!(seen, Seen::changed(&numbered(1)), "[P2] what is whole has another revision");
        }
    }
}

/// Of many replacements under one revision at once, exactly one wins.
pub async fn one_of_many_replacements_wins<S: Store>(store: Arc<S>) {
    const TASKS: u32 = 20;
    for kind in KINDS {
        let (slot, held) = (Slot::new(&store, kind), numbered(0));
        slot.fill(&held).await;
        let start = Arc::new(Barrier::new(TASKS as usize));
        let mut tasks = JoinSet::new();
        for number in 1..=TASKS {
            let (slot, start) = (slot.clone(), start.clone());
            tasks.spawn(async move {
                start.wait().await;
                (slot.replace(revision(0), &numbered(number)).await, Bytes::of(&numbered(number)))
            });
        }
        let outcomes = tasks.join_all().await;
        let winners: Vec<_> = outcomes.iter().filter(|(seen, _)| *seen == Seen::Replaced).collect();
        assert_eq!(winners.len(), 1, "[P2] exactly one of many replacements wins: {outcomes:?}");
        let winner = &winners[0].1;
        for (seen, _) in outcomes.iter().filter(|(seen, _)| *seen != Seen::Replaced) {
            // A statement may have read before it compared.
            let may_show = [Seen::Changed(winner.clone()), Seen::changed(&held)];
            assert!(may_show.contains(seen), "[P2] the others are refused and shown the winner's entry: {seen:?}");
        }
        assert_eq!(slot.load().await, Seen::Found(winner.clone()), "[P6] the winner's entry is stored");
    }
}

/// Two hundred changes by twenty tasks, each tried anew on the entry that came with a refusal, are all kept.
pub async fn every_change_is_kept<S: Store>(store: Arc<S>) {
    const TASKS: u32 = 20;
    const CHANGES: u32 = 10;
    let slot = Slot::with(&store, &appended(&[], 0)).await;
    let mut tasks = JoinSet::new();
    for task in 0..TASKS {
        let slot = slot.clone();
        tasks.spawn(async move {
            for change in 0..CHANGES {
                append(&slot, (task * CHANGES + change) as u8).await;
            }
        });
    }
    tasks.join_all().await;
    let Seen::Found(bytes) = slot.load().await else { panic!("[P2] the entry is there") };
    let mut changes = bytes.0[FRONT..].to_vec();
    changes.sort_unstable();
    let expected: Vec<u8> = (0..=(TASKS * CHANGES - 1) as u8).collect();
    assert_eq!(changes, expected, "[P2] each acknowledged change is kept, once");
}

/// An entry that holds these changes, as one more write. Two writes of one number have different revisions.
fn appended(changes: &[u8], change: u8) -> Entry {
    let number = changes.len() as u32;
    entry_of(Revision::new(number, u32::from(change)), generation(0), changes)
}

/// Adds a change to those that an entry holds.
async fn append<S: Store>(slot: &Slot<S>, change: u8) {
    let mut held = answered(slot.store.load(&slot.key).await).expect("[P2] the entry is there");
    for _ in 0..1000 {
        // Another writer comes between.
        tokio::task::yield_now().await;
        let next = appended(&[&held.bytes()[FRONT..], &[change]].concat(), change);
        let revision = held.revision().expect("[P6] the entry is whole");
        held = match answered(slot.store.replace(&slot.key, revision, &next).await) {
            ReplaceOutcome::Replaced => return,
            ReplaceOutcome::Changed(newest) => newest,
            ReplaceOutcome::Absent => panic!("[P2] nobody removes the entry"),
        };
    }
    panic!("[P2] the entry that comes with a refusal must be the newest: a thousand tries did not do");
}

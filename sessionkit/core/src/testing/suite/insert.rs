//! Only an insert makes an entry.

use std::sync::Arc;

use tokio::task::JoinSet;

use super::fixture::{Bytes, KINDS, Seen, Slot, entry_of, generation, numbered, revision};
use crate::store::Store;

/// The second insert under a key is `Taken` and changes nothing, whatever it brings.
pub async fn a_key_is_taken_once<S: Store>(store: Arc<S>) {
    let first = numbered(5);
    let others =
        [numbered(6), numbered(4), first.clone(), entry_of(revision(5), generation(0), b"of the same revision")];
    for kind in KINDS {
        let slot = Slot::new(&store, kind);
        assert_eq!(slot.load().await, Seen::Nothing, "[P5] nothing is there before it is inserted");
        slot.fill(&first).await;
        for other in &others {
            assert_eq!(slot.insert(other).await, Seen::Taken, "[P5] a key is taken once");
            assert_eq!(slot.load().await, Seen::found(&first), "[P6] an insert that is refused changes nothing");
        }
    }
}

/// Of many inserts under one key at once, one wins.
pub async fn one_of_many_inserts_wins<S: Store>(store: Arc<S>) {
    for kind in KINDS {
        let slot = Slot::new(&store, kind);
        let mut tasks = JoinSet::new();
        for number in 0..20 {
            let slot = slot.clone();
            tasks.spawn(async move { (slot.insert(&numbered(number)).await, Bytes::of(&numbered(number))) });
        }
        let outcomes = tasks.join_all().await;
        let winners: Vec<_> = outcomes.iter().filter(|(seen, _)| *seen == Seen::Inserted).collect();
        assert_eq!(winners.len(), 1, "[P5] one of many inserts wins: {outcomes:?}");
        let others = outcomes.iter().filter(|(seen, _)| *seen == Seen::Taken).count();
        assert_eq!(others, outcomes.len() - 1, "[P5] to the others the key is taken: {outcomes:?}");
        assert_eq!(slot.load().await, Seen::Found(winners[0].1.clone()), "[P6] the winner's entry is stored");
    }
}

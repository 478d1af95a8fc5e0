//! Loading several entries at once.

use std::sync::Arc;

use super::fixture::{KINDS, Seen, Slot, answered, numbered, random_key};
use crate::record::front::EntryKind;
use crate::store::Store;
use crate::store::key::EntryKey;

async fn load_many<S: Store>(store: &S, keys: &[EntryKey]) -> Vec<Seen> {
    answered(store.load_many(keys).await).into_iter().map(Seen::from).collect()
}

/// The entries come in the order of their keys, `None` for each that is absent, and again for each key that is asked
/// again.
pub async fn entries_come_in_the_order_of_their_keys<S: Store>(store: Arc<S>) {
    assert_eq!(load_many(&*store, &[]).await, [], "no keys have no entries");
    let mut keys = Vec::new();
    let mut expected = Vec::new();
    for number in 0..150 {
        let slot = Slot::new(&store, KINDS[(number % 5 == 0) as usize]);
        // Some are absent.
        if number % 3 != 1 {
            slot.fill(&numbered(number)).await;
            expected.push(Seen::found(&numbered(number)));
        } else {
            expected.push(Seen::Nothing);
        }
        keys.push(slot.key);
    }
    let seen = load_many(&*store, &keys).await;
    assert_eq!(seen, expected, "[P6] entries come in the order of their keys, and none for those that are absent");

    // Backwards, each of them twice, among others.
    let order: Vec<usize> = (0..150).rev().flat_map(|at| [at, (at * 7) % 150, at]).collect();
    let keys: Vec<EntryKey> = order.iter().map(|at| keys[*at]).collect();
    let expected: Vec<Seen> = order.iter().map(|at| expected[*at].clone()).collect();
    assert_eq!(load_many(&*store, &keys).await, expected, "[P6] a key that comes twice has its entry twice");

    let absent = [(); 3].map(|()| random_key(EntryKind::Session));
    assert_eq!(load_many(&*store, &absent).await, [Seen::Nothing, Seen::Nothing, Seen::Nothing], "nothing is there");
}

//! Tests of the time for which an entry is kept.

use std::sync::Arc;
use std::time::Duration;

use super::fixture::{AN_HOUR, KINDS, Seen, Slot, generation, numbered, revision};
use crate::record::front::EntryKind;
use crate::store::Store;
use crate::store::entry::Entry;

const A_SECOND: Duration = Duration::from_secs(1);

fn kept_for(number: u32, reclaim_in: Duration) -> Entry {
    Entry::new(numbered(number).shared_bytes().clone(), reclaim_in)
}

/// Entries that must be kept for hours, for years, and for as long as the format can tell are stored, and are there.
///
/// The clock of a store is its own: nobody waits for the end of these times.
pub async fn an_entry_is_kept_for_its_time<S: Store>(store: Arc<S>) {
    let the_longest_session = Duration::from_secs(u64::from(u32::MAX)) + Duration::from_secs(300);
    let the_end_of_the_format = Duration::from_secs(1 << 40);
    let odd = Duration::from_millis(3_600_001);
    for kind in KINDS {
        for time in [AN_HOUR, odd, 24 * AN_HOUR * 400, the_longest_session, the_end_of_the_format] {
            let slot = Slot::new(&store, kind);
            slot.fill(&kept_for(0, time)).await;
            assert_eq!(slot.load().await, Seen::found(&numbered(0)), "[P2] an entry is kept for {time:?}");
            assert_eq!(slot.replace(revision(0), &kept_for(1, time)).await, Seen::Replaced);
            assert_eq!(slot.load().await, Seen::found(&numbered(1)), "[P2] an entry is kept for {time:?}");
        }
    }
}

/// A replacement begins the time of the entry anew: what may be forgotten after a second is there two seconds later if
/// it was replaced by what must be kept for an hour.
///
/// It waits, because time has to pass. A store that sweeps seldom passes in any case.
pub async fn a_replacement_begins_the_time_anew<S: Store>(store: Arc<S>) {
    let slots = KINDS.map(|kind| Slot::new(&store, kind));
    for slot in &slots {
        slot.fill(&kept_for(0, A_SECOND)).await;
        assert_eq!(slot.replace(revision(0), &kept_for(1, AN_HOUR)).await, Seen::Replaced);
    }
    tokio::time::sleep(2 * A_SECOND).await;
    for slot in &slots {
        assert_eq!(slot.load().await, Seen::found(&numbered(1)), "[P2] a replacement begins the time anew");
        assert_eq!(slot.replace(revision(1), &numbered(2)).await, Seen::Replaced, "[P2] so it does for replacements");
        assert_eq!(slot.remove(generation(0)).await, Seen::Removed, "[P1] so it does for removals");
    }
}

/// An entry that may be forgotten is there for all calls, or for none: otherwise its key would be neither free nor taken.
///
/// It waits, because time has to pass.
pub async fn what_may_be_forgotten_is_there_or_not<S: Store>(store: Arc<S>) {
    let [loaded, replaced, removed, inserted] = [(); 4].map(|()| Slot::new(&store, EntryKind::Session));
    for slot in [&loaded, &replaced, &removed, &inserted] {
        slot.fill(&kept_for(0, A_SECOND)).await;
    }
    tokio::time::sleep(2 * A_SECOND).await;

    if loaded.load().await == Seen::Nothing {
        assert_eq!(
            loaded.replace(revision(0), &numbered(1)).await,
            Seen::Absent,
            "[P5] what does not load is not replaced"
        );
        assert_eq!(loaded.remove(generation(0)).await, Seen::Absent, "[P1] what does not load is not removed");
        assert_eq!(loaded.insert(&numbered(1)).await, Seen::Inserted, "[P5] what does not load leaves its key free");
        assert_eq!(loaded.load().await, Seen::found(&numbered(1)), "[P2] what was inserted since is kept");
    }
    match replaced.replace(revision(0), &numbered(1)).await {
        Seen::Replaced => {
            assert_eq!(replaced.load().await, Seen::found(&numbered(1)), "[P2] what was replaced is kept")
        }
        Seen::Absent => assert_eq!(replaced.load().await, Seen::Nothing, "[P5] what is absent does not load"),
        other => panic!("[P2] the entry is there or not, but: {other:?}"),
    }
    match removed.remove(generation(0)).await {
        Seen::Removed | Seen::Absent => {
            assert_eq!(removed.load().await, Seen::Nothing, "[P1] what was removed is gone")
        }
        other => panic!("[P1] the entry is there or not, but: {other:?}"),
    }
    match inserted.insert(&numbered(1)).await {
        Seen::Inserted => {
            assert_eq!(inserted.load().await, Seen::found(&numbered(1)), "[P2] what was inserted is kept")
        }
        // It may have been forgotten since.
        Seen::Taken => assert!([Seen::found(&numbered(0)), Seen::Nothing].contains(&inserted.load().await)),
        other => panic!("an insert does not come to {other:?}"),
    }
}

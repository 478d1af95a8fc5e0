//! Another process was faster.

use super::bench::{Act, Bench, Call, NOW, add, failure, is_gone, is_stale, rotate, secret, set};
use crate::store::entry::Entry;
use crate::store::key::EntryKey;

fn fields(names: &[(&str, &str)]) -> Vec<(String, String)> {
    names.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect()
}

#[tokio::test(start_paused = true)]
async fn a_change_is_one_call() {
    let bench = Bench::new().await;
    let committed = bench.commit(set("b", "1")).await.unwrap();
    assert_eq!(bench.fields().await, fields(&[("a", "0"), ("b", "1")]));
    assert_eq!(committed.as_bytes(), bench.stored().await.unwrap().as_bytes());
    assert_eq!(bench.store.take_calls().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_changes_nothing_is_no_call() {
    let bench = Bench::new().await;
    let committed = bench.commit(set("a", "0")).await.unwrap();
    assert_eq!(committed.as_bytes(), bench.held.as_bytes());
    assert_eq!(bench.store.take_calls(), []);
}

#[tokio::test(start_paused = true)]
async fn a_conflict_is_settled_with_what_came_with_the_refusal() {
    let bench = Bench::new().await;
    bench.script([Act::After(set("b", "another's")), Act::After(add(5))]);
    bench.commit(add(1)).await.unwrap();
    assert_eq!(bench.fields().await, fields(&[("a", "6"), ("b", "another's")]));
    let calls = bench.store.take_calls();
    assert_eq!(calls.len(), 3, "nothing is loaded: {calls:?}");
    assert_eq!(bench.events(), ["conflict"; 2]);
    assert!(!bench.engine.records.has(&EntryKey::session(bench.id)), "the queue is gone");
}

#[tokio::test(start_paused = true)]
async fn what_is_rotated_or_ended_meanwhile_is_not_changed() {
    let bench = Bench::new().await;
    bench.script([Act::After(rotate(9))]);
    assert!(is_stale(&bench.commit(set("b", "1")).await), "[P3] the generation is another");
    let stored = bench.stored().await.unwrap();
    assert!(stored.header().secret == secret(9) && stored.fields().count() == 1);
    assert_eq!(bench.store.take_calls().len(), 1);

    let bench = Bench::new().await;
    bench.script([Act::AfterTheEnd]);
    assert!(is_gone(&bench.commit(set("b", "1")).await));
    assert!(bench.stored().await.is_none(), "[P1] nothing brings it back");
    assert_eq!(bench.store.take_calls().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_that_shows_what_is_held_is_loaded_again() {
    let bench = Bench::new().await;
    bench.another_does(add(5)).await;
    bench.script([Act::Show(bench.held_entry())]);
    bench.commit(add(1)).await.unwrap();
    assert_eq!(bench.number().await, 6);
    let calls = bench.store.take_calls();
    assert!(matches!(calls[..], [Call::Write { .. }, Call::Load, Call::Write { .. }]), "{calls:?}");

    // Even if what is loaded is the same again.
    let bench = Bench::new().await;
    bench.script([Act::Show(bench.held_entry()), Act::Show(bench.held_entry())]);
    bench.commit(add(1)).await.unwrap();
    assert_eq!((bench.number().await, bench.events()), (1, vec![]));
}

#[tokio::test(start_paused = true)]
async fn what_was_ended_is_not_found_when_it_is_loaded_again() {
    let bench = Bench::new().await;
    bench.script([Act::Show(bench.held_entry())]);
    bench.another_ends().await;
    assert!(is_gone(&bench.commit(add(1)).await));
    assert!(bench.stored().await.is_none(), "[P1] nothing brings it back");
}

#[tokio::test(start_paused = true)]
async fn a_store_that_went_back_makes_a_change_stale() {
    let bench = Bench::new().await;
    let mut ahead = bench.held.clone();
    for random in 0..3 {
        ahead = ahead.sealed(random);
    }
    let mut late = bench.clone();
    late.held = ahead;
    assert!(is_stale(&late.commit(set("b", "1")).await));
    assert_eq!(
        bench.stored().await.unwrap().as_bytes(),
        bench.held.as_bytes(),
        "nothing is written over the older state"
    );
    assert_eq!(bench.events(), ["store_went_back"]);
    assert_eq!(bench.store.take_calls().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_read_is_not_replaced() {
    let bench = Bench::new().await;
    let mut later = bench.held.as_bytes().to_vec();
    later[0] = 31;
    for (shown, words) in [(later, "version 31"), (vec![1; 50], "damaged")] {
        bench.script([Act::Show(Entry::from_bytes(shown))]);
        let error = failure(bench.commit(set("b", "1")).await).chain().to_string();
        assert!(error.contains(words), "{error}");
    }
    assert_eq!(bench.fields().await, fields(&[("a", "0")]));
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_down_fails_at_once() {
    let bench = Bench::new().await;
    bench.script([Act::Fail]);
    let error = failure(bench.commit(set("b", "1")).await);
    assert_eq!((error.status(), bench.store.take_calls().len()), (503, 1));
    assert_eq!(bench.fields().await, fields(&[("a", "0")]));
}

#[tokio::test(start_paused = true)]
async fn a_session_that_never_comes_to_rest_is_given_up_at_the_deadline() {
    let bench = Bench::new().await;
    bench.script((0..5000).map(|_| Act::After(add(1))));
    let begun = tokio::time::Instant::now();
    let error = failure(bench.commit(set("b", "1")).await);
    let (took, deadline) = (begun.elapsed(), bench.engine.settings().commit_deadline);
    assert_eq!(error.status(), 409, "{error}");
    assert!(took >= deadline && took < deadline * 2, "{took:?}");
    assert!(bench.stored().await.unwrap().field("b", NOW).is_none());
    assert!(bench.stored().await.unwrap().history().revision.counter() > 20, "it was tried again and again");
}

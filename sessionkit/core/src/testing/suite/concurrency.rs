//! Many tasks on one session.

use std::collections::BTreeSet;
use std::sync::Arc;

use tokio::sync::Barrier;
use tokio::task::JoinSet;

use super::fixture::{NOW, Session, add, committed, delta, plain, replace, secret, set};
use super::seen::Bytes;
use crate::record::delta::HeaderOp;
use crate::store::{CommitOutcome, Store};

/// 200 concurrent commits to different fields all survive.
pub async fn writes_to_different_fields_survive<S: Store>(store: Arc<S>) {
    const TASKS: usize = 200;
    let session = Session::with(&store, [("before", plain("0"))]).await;
    let mut tasks = JoinSet::new();
    for number in 0..TASKS {
        let session = session.clone();
        tasks.spawn(async move { session.apply([set(format!("f{number}"), plain(number.to_string()))]).await });
    }
    tasks.join_all().await;
    let fields = session.seen().await.fields;
    let lost: Vec<_> = (0..TASKS)
        .filter(|number| {
            fields.get(&format!("f{number}")).map(|field| &*field.bytes.0) != Some(number.to_string().as_bytes())
        })
        .collect();
    assert!(lost.is_empty(), "[P2] acknowledged writes to different fields survive, but these are lost: {lost:?}");
    assert_eq!(fields.len(), TASKS + 1, "[P2] what was there before survives");
}

/// 200 concurrent additions sum up, those that make the field included.
pub async fn additions_add_up<S: Store>(store: Arc<S>) {
    let session = Session::with(&store, []).await;
    let mut tasks = JoinSet::new();
    for number in 1..=200 {
        let session = session.clone();
        tasks.spawn(async move { session.apply([add("n", number), add("minus", -1)]).await });
    }
    tasks.join_all().await;
    assert_eq!(session.bytes("n").await.map(Bytes), Some(Bytes(b"20100".to_vec())), "[P2] N additions add up");
    assert_eq!(session.bytes("minus").await.map(Bytes), Some(Bytes(b"-200".to_vec())), "[P2] N additions add up");
}

/// 50 concurrent conditional changes of one field, each tried anew with the newest value after a conflict, are all kept.
pub async fn every_three_way_change_is_kept<S: Store>(store: Arc<S>) {
    const TASKS: usize = 50;
    let session = Session::with(&store, []).await;
    let mut tasks = JoinSet::new();
    for number in 0..TASKS {
        let session = session.clone();
        tasks.spawn(async move { append(&session, number).await });
    }
    let tries: usize = tasks.join_all().await.into_iter().sum();
    let list = session.bytes("list").await.expect("the field is stored");
    let list = String::from_utf8(list).expect("a list of numbers");
    let numbers: Vec<usize> = list.split_terminator(',').filter_map(|number| number.parse().ok()).collect();
    assert_eq!(numbers.len(), TASKS, "[P2] each change is kept once, after {tries} tries: {list}");
    assert_eq!(numbers.iter().collect::<BTreeSet<_>>().len(), TASKS, "[P2] each change is kept: {list}");
}

/// Appends a number to a list, on condition of what it was based on.
async fn append<S: Store>(session: &Session<S>, number: usize) -> usize {
    let mut base = session.bytes("list").await;
    for tries in 1..=1000 {
        let mut list = base.clone().unwrap_or_default();
        list.extend_from_slice(format!("{number},").as_bytes());
        match session.commit(&delta([], [replace("list", base.as_deref(), Some(plain(list)))])).await {
            CommitOutcome::Committed(_) => return tries,
            CommitOutcome::Conflict(record) => base = record.field("list", NOW).map(|value| value.bytes.to_vec()),
            other => panic!("a conditional change is committed or conflicts, but: {other:?}"),
        }
        tokio::task::yield_now().await;
    }
    panic!("the record in a conflict must be the newest: 1000 tries did not do");
}

/// Of 20 racing rotations exactly one is committed; the others are stale.
pub async fn one_of_many_rotations_wins<S: Store>(store: Arc<S>) {
    let outcomes = race(&store, |number| HeaderOp::Rotate { secret: secret(number) }).await;
    let winners: Vec<u8> = outcomes
        .iter()
        .filter_map(|(number, outcome)| matches!(outcome, CommitOutcome::Committed(_)).then_some(*number))
        .collect();
    assert_eq!(winners.len(), 1, "[P3] exactly one of many rotations wins: {outcomes:?}");
    let stale = outcomes.iter().filter(|(_, outcome)| matches!(outcome, CommitOutcome::Stale)).count();
    assert_eq!(stale, outcomes.len() - 1, "[P3] the others are stale: {outcomes:?}");
}

/// Of 20 racing renewals exactly one changes the secret, and all learn which.
pub async fn one_of_many_renewals_wins<S: Store>(store: Arc<S>) {
    let renew = |number| HeaderOp::Renew { if_current: secret(0), secret: secret(number), at: NOW };
    let outcomes = race(&store, renew).await;
    let secrets: BTreeSet<_> =
        outcomes.iter().map(|(_, outcome)| *committed(outcome.clone()).secret.as_bytes()).collect();
    assert_eq!(secrets.len(), 1, "[P3] all renewals see one winner");
    assert!(!secrets.contains(&[0; 32]), "[P3] one renewal wins");
}

/// Starts 20 commits of one operation each at once. The losers' mark must not be left on the record.
async fn race<S: Store>(store: &Arc<S>, op: impl Fn(u8) -> HeaderOp) -> Vec<(u8, CommitOutcome)> {
    let session = Session::with(store, []).await;
    let start = Arc::new(Barrier::new(20));
    let mut tasks = JoinSet::new();
    for number in 1..=20 {
        let (session, start) = (session.clone(), start.clone());
        let change = delta([op(number)], [add("accepted", 1)]);
        tasks.spawn(async move {
            start.wait().await;
            (number, session.commit(&change).await)
        });
    }
    let outcomes = tasks.join_all().await;
    let record = session.record().await;
    let accepted = outcomes.iter().filter(|(_, outcome)| matches!(outcome, CommitOutcome::Committed(_)));
    let count = record.field("accepted", NOW).map(|value| Bytes(value.bytes.to_vec()));
    assert_eq!(count, Some(Bytes(accepted.clone().count().to_string().into())), "[P6] refused commits leave no mark");
    let current = record.header().secret;
    for (_, outcome) in accepted {
        assert!(committed(outcome.clone()).secret == current, "the receipt names the secret that is stored");
    }
    outcomes
}

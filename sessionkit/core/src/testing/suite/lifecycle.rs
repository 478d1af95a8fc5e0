//! How a session begins and ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Barrier;
use tokio::task::JoinSet;

use super::fixture::{NOW, Session, TTL, after, carried, delta, header, plain, random_id, record, secret, set, until};
use super::seen::SeenRecord;
use crate::record::delta::Delta;
use crate::record::header::{Generation, Header, PreviousSecret};
use crate::store::{CommitOutcome, CreateOutcome, Store};

/// A commit to an unknown id is `Gone` and makes nothing.
pub async fn an_unknown_session_is_not_made<S: Store>(store: Arc<S>) {
    let session = Session { store, id: random_id() };
    assert!(session.load(NOW).await.is_none(), "[P5] an unknown session does not load");
    let outcome = session.commit(&delta([], [set("a", plain("1"))])).await;
    assert!(matches!(outcome, CommitOutcome::Gone), "[P5] a commit to an unknown session is gone, but: {outcome:?}");
    assert!(session.load(NOW).await.is_none(), "[P5] a commit makes no session");
    assert!(!session.destroy().await, "an unknown session did not exist");
}

/// The second `create` of an id is `Taken` and changes nothing.
pub async fn an_id_is_taken_once<S: Store>(store: Arc<S>) {
    let session = Session::with(&store, [("a", plain("1"))]).await;
    let other = record(Header::new(secret(1), NOW, TTL * 2, None), [("b", plain("2"))]);
    let outcome = store.create(session.id, &other, NOW).await.expect("the store answers");
    assert_eq!(outcome, CreateOutcome::Taken, "an id is taken once");
    let first = record(header(), [("a", plain("1"))]);
    assert_eq!(session.seen().await, SeenRecord::of(&first), "the first record stays as it was");
}

/// Of many that create the same id at once, one does.
pub async fn one_of_many_creations_wins<S: Store>(store: Arc<S>) {
    let id = random_id();
    let mut tasks = JoinSet::new();
    for number in 0..20 {
        let store = store.clone();
        tasks.spawn(async move {
            let record = record(Header::new(secret(number), NOW, TTL, None), [("a", plain([number]))]);
            (store.create(id, &record, NOW).await.expect("the store answers"), SeenRecord::of(&record))
        });
    }
    let outcomes = tasks.join_all().await;
    let winners: Vec<_> =
        outcomes.iter().filter(|(outcome, _)| *outcome == CreateOutcome::Created).map(|(_, record)| record).collect();
    assert_eq!(winners.len(), 1, "one of many creations wins");
    assert_eq!(&Session { store, id }.seen().await, winners[0], "the winner's record is stored");
}

/// A record that uses every part of the header, and every flag, comes back as it was.
pub async fn a_record_comes_back_whole<S: Store>(store: Arc<S>) {
    let mut header = Header::new(secret(9), NOW, TTL, Some(TTL * 4));
    header.authenticated = Some(after(1));
    header.last_seen = after(2);
    header.idle_deadline = after(3000);
    header.generation = Generation::from_number(u32::MAX - 1);
    header.user = Some("ada".into());
    header.device_label = Some("laptop".into());
    let mut both = carried("4");
    both.deadline = Some(after(50));
    for end in [None, Some(after(30))] {
        header.previous = Some(PreviousSecret { secret: secret(8), renewed: after(7), until: end });
        let fields = [("a", plain("1")), ("b", carried("2")), ("c", until(after(40), "3")), ("d", both.clone())];
        let record = record(header.clone(), fields);
        let session = Session::of(&store, &record).await;
        assert_eq!(session.seen().await, SeenRecord::of(&record));
    }
}

/// After `destroy`, the session neither loads nor commits, and is not destroyed again.
pub async fn a_destroyed_session_stays_ended<S: Store>(store: Arc<S>) {
    let session = Session::with(&store, [("a", plain("1"))]).await;
    let other = Session::with(&store, [("a", plain("2"))]).await;
    assert!(session.destroy().await, "the session existed");
    assert!(session.load(NOW).await.is_none(), "[P1] a destroyed session does not load");
    let outcome = session.commit(&delta([], [set("a", plain("3"))])).await;
    assert!(matches!(outcome, CommitOutcome::Gone), "[P1] a commit to a destroyed session is gone, but: {outcome:?}");
    assert!(session.load(NOW).await.is_none(), "[P1] a commit does not revive a session");
    assert!(!session.destroy().await, "a destroyed session does not exist");
    assert_eq!(other.bytes("a").await.as_deref(), Some(&b"2"[..]), "other sessions live on");
}

/// Commits that run while the session is destroyed never bring it back.
pub async fn nothing_revives_a_session_that_is_destroyed_meanwhile<S: Store>(store: Arc<S>) {
    const WRITERS: usize = 8;
    for round in 0..60 {
        let session = Session::with(&store, []).await;
        let start = Arc::new(Barrier::new(WRITERS + 1));
        let destroyed = Arc::new(AtomicBool::new(false));
        let mut writers = JoinSet::new();
        for number in 0..WRITERS {
            let (session, start, destroyed) = (session.clone(), start.clone(), destroyed.clone());
            writers.spawn(async move {
                start.wait().await;
                write_until_gone(&session, &delta([], [set(format!("f{number}"), plain("1"))]), &destroyed).await;
            });
        }
        start.wait().await;
        // Earlier and later among the writes.
        for _ in 0..round {
            tokio::task::yield_now().await;
        }
        assert!(session.destroy().await, "the session existed");
        destroyed.store(true, Ordering::SeqCst);
        let seen = session.load(NOW).await;
        assert!(seen.is_none(), "[P1] once `destroy` has returned, no running commit revives the session: {seen:?}");
        writers.join_all().await;
        assert!(session.load(NOW).await.is_none(), "[P1] commits do not revive a session");
    }
}

async fn write_until_gone<S: Store>(session: &Session<S>, change: &Delta, destroyed: &AtomicBool) {
    loop {
        let late = destroyed.load(Ordering::SeqCst);
        match session.commit(change).await {
            CommitOutcome::Gone => return,
            CommitOutcome::Committed(_) if late => panic!("[P1] a commit goes through after `destroy` has returned"),
            CommitOutcome::Committed(_) => tokio::task::yield_now().await,
            other => panic!("a plain set is committed or gone, but: {other:?}"),
        }
    }
}

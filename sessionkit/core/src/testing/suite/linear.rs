//! Small concurrent histories that must have an order.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Barrier;
use tokio::task::JoinSet;

use super::fixture::{NOW, Session, add, delta, header, plain, record, remove, replace, secret, set};
use super::generator::Random;
use super::seen::Seen;
use crate::record::Record;
use crate::record::delta::{Delta, FieldOp, HeaderOp};
use crate::record::header::Generation;
use crate::store::Store;

const TASKS: usize = 3;
const CALLS: usize = 3;

#[derive(Clone, Debug)]
enum Call {
    Load,
    Commit(u32, Delta),
    Destroy,
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
/// ended before another began comes first. For a hundred random histories.
pub async fn concurrent_calls_have_an_order<S: Store>(store: Arc<S>) {
    for seed in 0..100 {
        let start = record(header(), [("a", plain("1")), ("b", plain("x"))]);
        let session = Session::of(&store, &start).await;
        let mut events = history(&session, seed).await;
        let clock = events.iter().map(|event| event.ended).max().unwrap_or_default();
        let seen = Seen::load(session.store.load(session.id, NOW).await);
        events.push(Event { call: Call::Load, seen, began: clock + 1, ended: clock + 2 });
        let mut done = vec![false; events.len()];
        assert!(
            has_order(&events, &mut done, Some(start)),
            "[P2] [P3] [P6] no order of these calls explains what came of them (seed {seed}): {events:#?}"
        );
    }
}

async fn history<S: Store>(session: &Session<S>, seed: u64) -> Vec<Event> {
    let clock = Arc::new(AtomicUsize::new(0));
    let barrier = Arc::new(Barrier::new(TASKS));
    let mut tasks = JoinSet::new();
    for task in 0..TASKS {
        let (session, clock, barrier) = (session.clone(), clock.clone(), barrier.clone());
        let mut random = Random::new(seed * TASKS as u64 + task as u64);
        let calls: Vec<Call> = (0..CALLS).map(|_| random_call(&mut random)).collect();
        tasks.spawn(async move {
            barrier.wait().await;
            let mut events = Vec::with_capacity(CALLS);
            for call in calls {
                let began = clock.fetch_add(1, Ordering::SeqCst);
                let seen = perform(&session, &call).await;
                events.push(Event { call, seen, began, ended: clock.fetch_add(1, Ordering::SeqCst) });
            }
            events
        });
    }
    tasks.join_all().await.into_iter().flatten().collect()
}

fn random_call(random: &mut Random) -> Call {
    let value = |random: &mut Random| plain(random.below(1000).to_string());
    let fields: Vec<FieldOp> = match random.below(12) {
        0..=2 => return Call::Load,
        3 if random.chance(40) => return Call::Destroy,
        3 | 4 => vec![set("a", value(random)), set("b", value(random))],
        5 | 6 => vec![add("a", 1), add("c", 10)],
        7 => vec![replace("a", Some(b"1"), Some(value(random))), add("c", 1)],
        8 => vec![replace("c", None, Some(value(random))), remove("b")],
        9 => vec![FieldOp::Clear { keep_carried: false }, set("d", value(random))],
        10 => vec![add("b", 1), set("a", value(random))],
        _ => vec![],
    };
    let rotate = HeaderOp::Rotate { secret: secret(random.below(100) as u8) };
    let header = if fields.is_empty() || random.chance(10) { vec![rotate] } else { vec![] };
    Call::Commit(u32::from(random.chance(15)), delta(header, fields))
}

async fn perform<S: Store>(session: &Session<S>, call: &Call) -> Seen {
    match call {
        Call::Load => Seen::load(session.store.load(session.id, NOW).await),
        Call::Commit(generation, delta) => Seen::commit(session.try_commit(*generation, delta, NOW).await),
        Call::Destroy => Seen::Destroyed(session.destroy().await),
    }
}

/// Whether the calls that are not done have an order that explains them, beginning with this record.
fn has_order(events: &[Event], done: &mut [bool], record: Option<Record>) -> bool {
    let open = |done: &[bool]| (0..events.len()).filter(|at| !done[*at]).collect::<Vec<_>>();
    let Some(first_end) = open(done).into_iter().map(|at| events[at].ended).min() else { return true };
    for at in open(done) {
        if events[at].began > first_end {
            continue;
        }
        let mut record = record.clone();
        if reference(&mut record, &events[at].call) == events[at].seen {
            done[at] = true;
            if has_order(events, done, record) {
                return true;
            }
            done[at] = false;
        }
    }
    false
}

fn reference(record: &mut Option<Record>, call: &Call) -> Seen {
    match (call, record.as_mut()) {
        (Call::Load, record) => Seen::load(Ok(record.cloned())),
        (Call::Commit(generation, delta), Some(record)) => {
            Seen::commit(record.apply(Generation::from_number(*generation), delta, NOW))
        }
        (Call::Commit(..), None) => Seen::Gone,
        (Call::Destroy, _) => Seen::Destroyed(record.take().is_some()),
    }
}

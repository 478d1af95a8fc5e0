//! A Redis that is another one in the middle of something.

use sessionkit_tests::harness::{Bench, ServerKind};

use super::*;

/// §5: a scan "returns at least once each key that is there from its beginning to its end"; [P9] of `end_everyone`, whose
/// pages it is. A cursor means nothing to another server process: the rest of a scan that met a restart may not be one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p9_a_scan_over_a_restart_misses_no_key_or_says_so() {
    let bench = Bench::persistent(ServerKind::Redis).await;
    let clock = &bench.clock;
    let manager = manager(bench.store.clone(), clock, |config| config);
    for number in 0..300 {
        Browser::default().login(&manager, &format!("user{number}")).await;
    }
    let store = bench.store.inner();
    let (mut found, mut after, mut pages) = (std::collections::HashSet::new(), None, 0);
    loop {
        let Ok(page) = store.scan(EntryKind::Session, after.as_ref(), 10).await else { return };
        found.extend(page.entries.into_iter().map(|(key, _)| key));
        pages += 1;
        if pages == 15 {
            bench.with_redis(|redis| redis.restart());
        }
        match page.next {
            Some(next) => after = Some(next),
            None => break,
        }
    }
    assert_eq!((bench.sessions(), found.len()), (300, 300), "keys that were there from the beginning to the end");
}

/// [P9] The same of the whole call: it says that it has ended everyone's sessions.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p9_the_end_of_everyones_sessions_over_a_restart_leaves_nobody_logged_in() {
    let bench = Bench::persistent(ServerKind::Redis).await;
    let held = HeldStore::new(bench.store.clone(), &bench.gates);
    let manager = manager(held.clone(), &bench.clock, |config| config);
    for number in 0..1200 {
        Browser::default().login(&manager, &format!("user{number}")).await;
    }
    held.hold("before scan");
    let ending = tokio::spawn({
        let manager = manager.clone();
        async move { manager.end_everyone().await }
    });
    bench.gates.arrived("before scan", 1).await;
    bench.gates.open("before scan", 1);
    bench.gates.arrived("before scan", 1).await;
    held.release("before scan");
    bench.with_redis(|redis| redis.restart());
    bench.gates.open("before scan", 1);
    if ending.await.unwrap().is_ok() {
        assert_eq!(bench.sessions(), 0, "[P9] it was acknowledged");
    }
}

//! A number of requests, to be counted from outside or by the allocator.

use std::hint::black_box;

use sha2::{Digest as _, Sha256};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region};

use crate::apps::guards;
use crate::candidate::{Backend, Candidate, Route};
use crate::content::Visit;
use crate::in_process::{self, Callable, Job, among, begin, check};

/// Makes requests of one client, and nothing besides.
pub(super) fn requests(candidate: Candidate, backend: &Backend, route: Route, others: usize, count: usize) {
    in_process::run(candidate, backend, Requests { candidate, route, others, count });
}

/// Hashes what a request's token is checked by as often, as SessionKit does once per request that uses its session.
pub(super) fn secrets(count: usize) {
    let secret = black_box([7; 32]);
    for _ in 0..count {
        black_box(Sha256::new().chain_update(black_box("Main")).chain_update([0]).chain_update(secret).finalize());
    }
}

/// Decodes as often the field that a write changes, as SessionKit does before it stores a changed value.
pub(super) fn read_back(count: usize) {
    let items = serde_json::to_vec(&Visit::new().items).expect("numbers can be encoded");
    for _ in 0..count {
        black_box(serde_json::from_slice::<Vec<u64>>(black_box(&items)).expect("they were encoded above"));
    }
}

const COUNT: usize = 1_000;

/// Prints how many calls a request to a guarded handler makes: to the store, and to the loader of users.
pub(super) fn calls(candidate: Candidate, route: Route) {
    in_process::run(candidate, &Backend::Memory, Requests { candidate, route, others: 0, count: COUNT });
    let (store, users) = guards::calls();
    println!("{} {}", store as f64 / COUNT as f64, users as f64 / COUNT as f64);
}

/// Prints how many allocations a request makes.
pub(super) fn allocations(candidate: Candidate, backend: &Backend, route: Route, others: usize) {
    let made = in_process::run(candidate, backend, Requests { candidate, route, others, count: COUNT });
    println!("{}", made as f64 / COUNT as f64);
}

struct Requests {
    candidate: Candidate,
    route: Route,
    others: usize,
    count: usize,
}

impl Job for Requests {
    /// The number of allocations, if this program's allocator counts them.
    type Output = usize;

    async fn run<C: Callable>(self, app: &C) -> usize {
        let session = if self.candidate.has_sessions() { begin(app).await } else { "id=none".to_owned() };
        let cookies = C::cookies(&among(&session, self.others));
        check(app, self.candidate, &cookies).await;
        // What is made at first use is there afterwards.
        for _ in 0..50 {
            black_box(app.call(self.route.path(), Some(&cookies)).await);
        }
        guards::calls();
        let region = Region::new(&INSTRUMENTED_SYSTEM);
        for _ in 0..self.count {
            black_box(app.call(self.route.path(), Some(&cookies)).await);
        }
        let stats = region.change();
        stats.allocations + stats.reallocations
    }
}

//! Many sessions in memory: what each takes, and whether the rest slow it down.

use std::fs;
use std::hint::black_box;

use stats_alloc::{INSTRUMENTED_SYSTEM, Region};

use crate::candidate::{Backend, Candidate, Route};
use crate::in_process::{self, Callable, Job, begin};

/// The number of requests that are timed at each size.
const TIMED: usize = 20_000;

/// Begins sessions until there are as many as each of the sizes says, and prints for each the heap bytes per session and
/// the nanoseconds of CPU per request that writes.
pub(super) fn heap(candidate: Candidate, sizes: &[usize]) {
    in_process::run(candidate, &Backend::Memory, Heap { sizes });
}

struct Heap<'a> {
    sizes: &'a [usize],
}

impl Job for Heap<'_> {
    type Output = ();

    async fn run<C: Callable>(self, app: &C) {
        // Whatever is made once is there before the count begins, room for the clients' cookies included.
        let example = begin(app).await;
        let most = self.sizes.iter().copied().max().unwrap_or_default();
        let mut cookies = String::with_capacity(most * (example.len() + 16));
        let mut ends = Vec::with_capacity(most);
        let region = Region::new(&INSTRUMENTED_SYSTEM);
        for &size in self.sizes {
            while ends.len() < size {
                cookies.push_str(&begin(app).await);
                ends.push(cookies.len());
            }
            let stats = region.change();
            let held = stats.bytes_allocated.saturating_sub(stats.bytes_deallocated);
            println!("{size} {} {}", held as f64 / size as f64, time_writes(app, &cookies, &ends).await);
        }
    }
}

/// The nanoseconds of CPU that a request takes which changes one of these sessions, each another one.
async fn time_writes<C: Callable>(app: &C, cookies: &str, ends: &[usize]) -> f64 {
    // Steps through all sessions in an order that no cache foresees.
    let step = 7_919;
    let session = |n: usize| {
        let index = n * step % ends.len();
        let start = if index == 0 { 0 } else { ends[index - 1] };
        C::cookies(&cookies[start..ends[index]])
    };
    let prepared: Vec<C::Cookies> = (0..TIMED).map(session).collect();
    let before = cpu_nanoseconds();
    for cookies in &prepared {
        black_box(app.call(Route::Write.path(), Some(cookies)).await);
    }
    (cpu_nanoseconds() - before) as f64 / TIMED as f64
}

/// The time that this thread was on a CPU.
fn cpu_nanoseconds() -> u64 {
    let text = fs::read_to_string("/proc/thread-self/schedstat").expect("Linux tells the CPU time of a thread");
    text.split(' ').next().and_then(|time| time.parse().ok()).expect("the first number is the CPU time")
}

//! The pause before the next attempt.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// The pause after the first failure. Each further one is half as long again.
const SHORTEST: Duration = Duration::from_millis(20);

/// The longest pause, which is the shortest of the default deadlines: whoever comes when the server is back has not come in
/// vain. Attempts against a server that is overloaded take until their timeout, which spaces them further.
const LONGEST: Duration = Duration::from_millis(250);

/// A connection that lasted this long was a good one: the first attempt after it comes at once.
const SETTLED: Duration = Duration::from_secs(1);

/// Paces attempts, to connect or to be served, so that a fleet of processes does not storm a server that has just come back.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    failures: u32,
    next: Option<Instant>,
}

impl Backoff {
    /// Returns when the next attempt may begin, or `None` if it may now.
    pub(super) fn wait_until(&self, now: Instant) -> Option<Instant> {
        self.next.filter(|next| now < *next)
    }

    /// Returns whether the pauses grow no more: the server has been away for half a second.
    pub(super) fn is_at_its_longest(&self) -> bool {
        self.pause() == LONGEST
    }

    /// Notes that an attempt failed.
    pub(super) fn failed(&mut self, now: Instant) {
        let pause = self.pause();
        self.failures += 1;
        // Between half of the pause and all of it: what broke at once for all must not come back at once.
        self.next = Some(now + pause.mul_f64(0.5 + random() / 2.0));
    }

    /// Notes that an attempt failed, and waits until the next one may begin, but not beyond this time.
    pub(super) async fn pause_until(&mut self, end: Instant) {
        let now = Instant::now();
        self.failed(now);
        sleep_until(self.wait_until(now).unwrap_or(now).min(end)).await;
    }

    /// Notes that a connection broke. One that broke soon counts as an attempt that failed.
    pub(super) fn broke(&mut self, opened: Instant, now: Instant) {
        if now - opened < SETTLED {
            self.failed(now);
        } else {
            *self = Self::default();
        }
    }

    fn pause(&self) -> Duration {
        SHORTEST.mul_f64(1.5_f64.powi(self.failures.min(20) as i32)).min(LONGEST)
    }
}

/// Returns a number from 0 to 1. The keys of the standard library's hash maps are random enough to spread attempts.
fn random() -> f64 {
    let bits = RandomState::new().hash_one(());
    f64::from((bits >> 32) as u32) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The times at which one process tries to connect in vain, in milliseconds.
    fn attempts(begin: Instant) -> Vec<u128> {
        let (mut backoff, mut now, mut attempts) = (Backoff::default(), begin, Vec::new());
        while now - begin < Duration::from_secs(30) {
            attempts.push((now - begin).as_millis());
            backoff.failed(now);
            now = backoff.wait_until(now).unwrap();
        }
        attempts
    }

    #[test]
    fn pauses_grow_and_are_bounded() {
        let attempts = attempts(Instant::now());
        let pauses: Vec<_> = attempts.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!((9..=21).contains(&pauses[0]), "{pauses:?}");
        assert!(pauses.iter().all(|pause| *pause <= 251), "{pauses:?}");
        assert!(pauses[8..].iter().all(|pause| *pause >= 124), "{pauses:?}");
        assert!(attempts.len() < 240, "{attempts:?}");
        // Who begins to wait when the server goes sees it come back if that takes less than half of a short deadline.
        assert!(attempts.iter().any(|at| (125..250).contains(at)), "{attempts:?}");
    }

    #[test]
    fn a_fleet_is_spread() {
        let begin = Instant::now();
        let mut windows = [0; 30_500 / 20];
        for at in (0..1000).flat_map(|_| attempts(begin)) {
            windows[at as usize / 20] += 1;
        }
        // From the second second on. Before, the pauses are too short for it.
        let most = windows[50..].iter().max();
        assert!(most < Some(&250), "{most:?} of 1000 come within 20 ms");
    }

    #[test]
    fn after_a_good_connection_the_first_attempt_comes_at_once() {
        let (mut backoff, now) = (Backoff::default(), Instant::now());
        assert_eq!(backoff.wait_until(now), None);
        for _ in 0..100 {
            backoff.broke(now, now);
        }
        assert!(backoff.wait_until(now).unwrap() - now >= LONGEST / 2, "connections that break soon come in pauses");
        backoff.broke(now, now + SETTLED);
        assert_eq!(backoff.wait_until(now + SETTLED), None);
    }
}

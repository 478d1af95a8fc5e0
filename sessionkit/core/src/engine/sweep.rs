//! Removing what the store may forget, for stores that do not forget by themselves.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use crate::engine::Engine;
use crate::engine::deadline::Deadline;
use crate::error::Chain;
use crate::event::{About, EventKind};
use crate::store::error::StoreError;

/// The number of entries that a batch removes, about.
const BATCH: usize = 500;

/// The time that a batch may take. No request waits for it, and a store may have to look at all that it holds.
const BATCH_DEADLINE: Duration = Duration::from_secs(30);

/// The shortest time between two passes.
const SHORTEST_PERIOD: Duration = Duration::from_secs(1);

impl Engine {
    /// Removes all entries that may be forgotten, in batches; returns how many.
    pub(crate) async fn sweep(&self) -> Result<usize, StoreError> {
        let mut removed = 0;
        loop {
            match self.sweep_batch().await? {
                0 => return Ok(removed),
                batch => removed += batch,
            }
        }
    }

    /// Sweeps once in each period, until the server drains.
    pub(crate) async fn sweep_every(self: Arc<Self>, period: Duration) {
        let period = period.max(SHORTEST_PERIOD);
        // Servers that a deploy started together do not sweep together.
        let mut pause = period.mul_f64(f64::from(self.random()) / f64::from(u32::MAX));
        while !self.drains_within(pause).await {
            if let Err(error) = self.sweep_gently().await {
                self.record(EventKind::SweepFailed { error: format_args!("{}", Chain(&error)) }, About::default());
            }
            pause = period;
        }
    }

    /// Sweeps for no more than half of the time: requests need the store too.
    async fn sweep_gently(&self) -> Result<(), StoreError> {
        while !self.is_draining() {
            let begun = Instant::now();
            if self.sweep_batch().await? == 0 {
                break;
            }
            sleep(begun.elapsed()).await;
        }
        Ok(())
    }

    async fn sweep_batch(&self) -> Result<usize, StoreError> {
        let batch = Deadline::of(BATCH_DEADLINE).limit(self.store.sweep(BATCH)).await;
        batch.unwrap_or_else(|| Err(StoreError::unknown("the store did not remove a batch within 30 seconds")))
    }

    /// Waits; returns whether the server drains before the time is over.
    async fn drains_within(&self, time: Duration) -> bool {
        let mut draining = self.draining.subscribe();
        timeout(time, draining.wait_for(|drains| *drains)).await.is_ok()
    }
}

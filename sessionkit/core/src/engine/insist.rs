//! Calls that write, made again while their answers are lost.

use std::future::Future;
use std::time::Duration;

use tokio::time::Instant;

use crate::engine::Engine;
use crate::store::error::{StoreError, StoreErrorKind};

/// The shortest time for a call before its answer counts as lost.
const SHORTEST_TRY: Duration = Duration::from_millis(20);

impl Engine {
    /// Makes a call that writes, once more while its answer is lost and there is time; also returns whether one was lost.
    /// It must do no harm if it was done already.
    pub(crate) async fn insist<T, F: Future<Output = Result<T, StoreError>>>(
        &self,
        end: Instant,
        looks: bool,
        call: impl Fn(Duration) -> F,
    ) -> Result<(T, bool), StoreError> {
        let (mut was_lost, mut tries) = (false, 0);
        loop {
            let left = end.saturating_duration_since(Instant::now());
            // There has to be time for a look if the answer does not come.
            let limit = if looks && tries == 0 { (left / 2).max(SHORTEST_TRY).min(left) } else { left };
            let error = match call(limit).await {
                Ok(answer) => return Ok((answer, was_lost)),
                Err(error) => error,
            };
            was_lost |= error.kind() == StoreErrorKind::Unknown;
            tries += 1;
            let pause = self.jitter(tries);
            let has_time = end.saturating_duration_since(Instant::now()) > pause;
            if !looks || !was_lost || !has_time || error.kind() == StoreErrorKind::Corrupt {
                return Err(if was_lost { error.into_unknown() } else { error });
            }
            tokio::time::sleep(pause).await;
        }
    }

    /// Returns a random pause, up to one, two, four .. sixteen milliseconds.
    pub(super) fn jitter(&self, attempt: u32) -> Duration {
        let most = 1000 << attempt.saturating_sub(1).min(4);
        Duration::from_micros(u64::from(self.random() % most))
    }
}

//! The time that a store may take.

use std::future::Future;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// The text about a load whose answer did not come in time, for the log.
pub(crate) const NO_ANSWER_TO_A_LOAD: &str = "no answer within load_deadline: the store is slow, or code that blocks kept the \
    worker threads from looking; run such code with `spawn_blocking`, or raise load_deadline";

/// The text about a commit whose answer did not come in time, for the log.
pub(crate) const NO_ANSWER_TO_A_COMMIT: &str = "no answer within commit_deadline: the store is slow, or code that blocks kept \
    the worker threads from looking; run such code with `spawn_blocking`, or raise commit_deadline";

/// A deadline that begins with the first call that it limits, and holds for all of them together.
pub(crate) struct Deadline {
    length: Duration,
    end: Option<Instant>,
}

impl Deadline {
    pub(crate) fn of(length: Duration) -> Self {
        Self { length, end: None }
    }

    /// Returns the end, which is fixed by now.
    pub(crate) fn end(&mut self) -> Instant {
        *self.end.get_or_insert_with(|| Instant::now() + self.length)
    }

    /// The result of the call, or `None` if it does not come in time. A call that is ready at once needs no timer.
    pub(crate) async fn limit<T>(&mut self, call: impl Future<Output = T>) -> Option<T> {
        let (mut call, mut timer) = (pin!(call), None);
        std::future::poll_fn(|context| {
            if let Poll::Ready(result) = call.as_mut().poll(context) {
                return Poll::Ready(Some(result));
            }
            let end = self.end();
            let timer = timer.get_or_insert_with(|| Box::pin(sleep_until(end)));
            timer.as_mut().poll(context).map(|()| None)
        })
        .await
    }
}

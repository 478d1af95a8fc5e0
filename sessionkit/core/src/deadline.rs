//! How long a store may take.

use std::future::Future;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

/// A deadline that begins with the first call that it limits, and holds for all of them together.
pub(crate) struct Deadline {
    length: Duration,
    end: Option<Instant>,
}

impl Deadline {
    pub(crate) fn of(length: Duration) -> Self {
        Self { length, end: None }
    }

    /// The result of the call, or `None` if it does not come in time. A call that is ready at once needs no timer.
    pub(crate) async fn limit<T>(&mut self, call: impl Future<Output = T>) -> Option<T> {
        let mut call = pin!(call);
        let at_once = std::future::poll_fn(|context| Poll::Ready(call.as_mut().poll(context)));
        if let Poll::Ready(result) = at_once.await {
            return Some(result);
        }
        let end = *self.end.get_or_insert_with(|| Instant::now() + self.length);
        timeout_at(end, call).await.ok()
    }
}

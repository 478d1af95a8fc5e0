//! The time that a store may take.

use std::cell::RefCell;
use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

/// The text about a load whose answer did not come in time, for the log.
pub(crate) const NO_ANSWER_TO_A_LOAD: &str = "no answer within load_deadline: the store is down or slow, or code that blocks kept the \
    worker threads from looking; run such code with `spawn_blocking`, or raise load_deadline";

/// The text about a commit whose answer did not come in time, for the log.
pub(crate) const NO_ANSWER_TO_A_COMMIT: &str = "no answer within commit_deadline: the store is down or slow, or code that blocks kept \
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
            let timer = timer.get_or_insert_with(|| timer_until(end));
            timer.as_mut().poll(context).map(|()| None)
        })
        .await
    }
}

/// Makes the timer of a deadline.
///
/// A runtime of tokio is woken for each timer that ends before all those that it went to sleep with: with a write to an
/// event descriptor, one for nearly every request, since the timers of the requests before it are gone by then. Here
/// another timer of this thread ends before that of the deadline, and is made once for many requests.
pub(super) fn timer_until(end: Instant) -> Pin<Box<Sleep>> {
    let now = Instant::now();
    // A thread that ends has none any more, and its timers are slower.
    let _ = EARLIER.try_with(|earlier| {
        let mut earlier = earlier.borrow_mut();
        if earlier.as_ref().is_none_or(|timer| timer.deadline() <= now || timer.deadline() >= end) {
            let mut timer = Box::pin(sleep_until(now + end.saturating_duration_since(now) / 2));
            // It begins when it is polled.
            let _ = timer.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            *earlier = Some(timer);
        }
    });
    Box::pin(sleep_until(end))
}

thread_local! {
    static EARLIER: RefCell<Option<Pin<Box<Sleep>>>> = const { RefCell::new(None) };
}

//! Panics in code of the application: they end what it was asked, and nothing else.

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

/// Calls code of the application; `None` if it panics.
///
/// The caller drops, or reports as failed, what the code may have left half done.
pub(crate) fn caught<T>(call: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(call)).ok()
}

/// Awaits code of the application; `None` if it panics.
pub(crate) async fn await_caught<T>(work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    poll_fn(|context| poll_caught(work.as_mut(), context)).await
}

/// Polls code of the application; ready with `None` if it panics. It must not be polled again then.
pub(crate) fn poll_caught<F: Future + ?Sized>(work: Pin<&mut F>, context: &mut Context<'_>) -> Poll<Option<F::Output>> {
    caught(|| work.poll(context)).map_or(Poll::Ready(None), |polled| polled.map(Some))
}

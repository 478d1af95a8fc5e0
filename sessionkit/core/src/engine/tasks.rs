//! Work that outlives the request that began it.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use tokio::runtime::Handle;
use tokio::sync::Notify;

use crate::error::SessionError;
use crate::event::{About, EventKind, Events};
use crate::panics::poll_caught;

/// Counts the work that is not done yet.
pub(crate) struct Tasks {
    shared: Arc<Shared>,
}

struct Shared {
    events: Arc<Events>,
    running: AtomicUsize,
    done: Notify,
}

impl Tasks {
    /// Counts from zero; work that is lost is told to `events`.
    pub(crate) fn new(events: Arc<Events>) -> Self {
        Self { shared: Arc::new(Shared { events, running: AtomicUsize::new(0), done: Notify::new() }) }
    }

    /// Runs `work` to its end even if the caller leaves.
    ///
    /// # Errors
    /// Fails outside of a tokio runtime, which alone can do that, and if the runtime is going away.
    pub(crate) fn finish<T, W>(&self, work: W) -> impl Future<Output = Result<T, SessionError>> + Send + use<T, W>
    where
        T: Send + 'static,
        W: Future<Output = T> + Send + 'static,
    {
        // Boxed before it is moved on: the future of a login has some thousand bytes.
        let (work, shared): (Work<T>, _) = (Box::pin(work), self.shared.clone());
        async move {
            let runtime = Handle::try_current().map_err(|_| SessionError::no_runtime())?;
            let running = Running::new(shared);
            let task = runtime.spawn(async move {
                let result = work.await;
                running.end();
                result
            });
            task.await.map_err(|_| SessionError::interrupted())
        }
    }

    /// Lets the caller run `work`, and the runtime if the caller leaves. For callers that poll it or drop it: one that does
    /// neither would keep it from ending.
    pub(crate) fn complete<T: 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> Completion<T> {
        let running = Running::new(self.shared.clone());
        Completion { work: Some((Box::pin(work), running)), runtime: Handle::try_current().ok() }
    }

    /// Waits until nothing is running. Work whose runtime has ended before it is not running any more, which is reported.
    pub(crate) async fn drain(&self) {
        loop {
            let done = self.shared.done.notified();
            let mut done = std::pin::pin!(done);
            done.as_mut().enable();
            if self.shared.running.load(Ordering::Acquire) == 0 {
                return;
            }
            done.await;
        }
    }
}

/// Work that its caller runs: its result, or `None` if it panicked.
pub(crate) struct Completion<T: 'static> {
    work: Option<(Work<T>, Running)>,
    runtime: Option<Handle>,
}

type Work<T> = Pin<Box<dyn Future<Output = T> + Send>>;

impl<T> Future for Completion<T> {
    type Output = Option<T>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        let (work, _) = self.work.as_mut().expect("it is not polled after it was ready");
        let polled = poll_caught(work.as_mut(), context);
        if polled.is_pending() {
            return Poll::Pending;
        }
        if let Some((_, running)) = self.work.take() {
            running.end();
        }
        polled
    }
}

impl<T> Drop for Completion<T> {
    fn drop(&mut self) {
        if let (Some((work, running)), Some(runtime)) = (self.work.take(), &self.runtime) {
            runtime.spawn(async move {
                work.await;
                running.end();
            });
        }
    }
}

struct Running {
    shared: Arc<Shared>,
    ended: bool,
}

impl Running {
    fn new(shared: Arc<Shared>) -> Self {
        shared.running.fetch_add(1, Ordering::AcqRel);
        Self { shared, ended: false }
    }

    fn end(mut self) {
        self.ended = true;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.ended && !std::thread::panicking() {
            self.shared.events.record(EventKind::CutOff, About::default());
        }
        if self.shared.running.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.shared.done.notify_waiters();
        }
    }
}

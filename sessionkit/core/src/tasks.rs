//! Work that outlives the request that began it.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;

/// Counts the work that was handed to the runtime.
#[derive(Clone, Default)]
pub(crate) struct Tasks {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    running: AtomicUsize,
    done: Notify,
}

impl Tasks {
    /// Runs `work` to its end even if the caller leaves; `None` if the runtime is going away.
    pub(crate) async fn finish<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> Option<T> {
        let running = Running::new(self.shared.clone());
        let task = tokio::spawn(async move {
            let _running = running;
            work.await
        });
        task.await.ok()
    }

    /// Waits until nothing is running.
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

struct Running(Arc<Shared>);

impl Running {
    fn new(shared: Arc<Shared>) -> Self {
        shared.running.fetch_add(1, Ordering::AcqRel);
        Self(shared)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.0.running.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.done.notify_waiters();
        }
    }
}

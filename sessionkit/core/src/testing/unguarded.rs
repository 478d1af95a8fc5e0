//! Finding routes that no guard decides about.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::event::{EventKind, EventSink, SessionEvent};

/// Names the routes of an application that no guard decides about, for a test of an application that withholds their answers.
///
/// ```
/// # use sessionkit_core as sessionkit;
/// use sessionkit::testing::UnguardedRoutes;
/// use sessionkit::{MemoryStore, SessionManager};
///
/// # async fn call(_: &SessionManager, _: &str, _: &str) -> u16 { 401 }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let unguarded = UnguardedRoutes::default();
/// let manager = SessionManager::builder(MemoryStore::new()).event_sink(unguarded.clone()).build();
/// // Make the application with a layer over this manager that says `.withhold_unguarded()`. Then, with a `call` that sends
/// // it a request and returns the status of the answer:
/// let routes = [("GET", "/"), ("POST", "/cart"), ("GET", "/orders/7")];
/// let found = unguarded.among(routes, async |method, path| call(&manager, method, path).await).await;
/// assert_eq!(found, [""; 0]);
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct UnguardedRoutes {
    found: Arc<AtomicBool>,
}

impl UnguardedRoutes {
    /// Calls each of the routes, a method and a path, with `send`, which returns the status of the answer, and names those
    /// that no guard decided about: `GET /cart`.
    ///
    /// # Panics
    /// Panics where the answer is 404 or 405, since then nobody knows.
    pub async fn among<'r>(
        &self,
        routes: impl IntoIterator<Item = (&'r str, &'r str)>,
        send: impl AsyncFn(&'r str, &'r str) -> u16,
    ) -> Vec<String> {
        let mut unguarded = Vec::new();
        for (method, path) in routes {
            self.found.store(false, Ordering::Relaxed);
            let status = send(method, path).await;
            assert!(!matches!(status, 404 | 405), "{method} {path} leads nowhere: its answer is {status}");
            if self.found.load(Ordering::Relaxed) {
                unguarded.push(format!("{method} {path}"));
            }
        }
        unguarded
    }
}

impl EventSink for UnguardedRoutes {
    fn record(&self, event: &SessionEvent<'_>) {
        if let EventKind::Unguarded = event.kind() {
            self.found.store(true, Ordering::Relaxed);
        }
    }
}

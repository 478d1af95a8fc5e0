//! Notices for the watchers of a session that it may have ended.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::token::SessionId;

/// The notices of a store to those who watch sessions: that one was destroyed, or that its secret was rotated.
///
/// A notice is a hint: the watcher that gets one looks at the record. So one too many does no harm, and one that is lost
/// delays the news by the setting `watch_interval`. Clones reach the same watchers.
#[derive(Clone, Default)]
pub struct Notices(Arc<Shared>);

#[derive(Default)]
struct Shared {
    watched: Mutex<HashMap<SessionId, (watch::Sender<()>, usize)>>,
    /// The number of sessions that are watched, so that a store that nobody watches loses no time.
    count: AtomicUsize,
}

impl Notices {
    /// Begins with nobody watching.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns whether anybody watches.
    pub fn are_wanted(&self) -> bool {
        self.0.count.load(Ordering::SeqCst) > 0
    }

    /// Tells the watchers of one session.
    pub fn tell(&self, id: SessionId) {
        if self.are_wanted()
            && let Some((sender, _)) = self.0.lock().get(&id)
        {
            sender.send_replace(());
        }
    }

    /// Tells all watchers, as after a time in which notices were lost.
    pub fn tell_all(&self) {
        self.0.lock().values().for_each(|(sender, _)| sender.send_replace(()));
    }

    /// Watches a session from now on.
    pub(crate) fn watch(&self, id: SessionId) -> Watch {
        let mut watched = self.0.lock();
        let (sender, watchers) = watched.entry(id).or_insert_with(|| (watch::Sender::new(()), 0));
        *watchers += 1;
        let told = sender.subscribe();
        self.0.count.store(watched.len(), Ordering::SeqCst);
        Watch { shared: self.0.clone(), id, told }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, HashMap<SessionId, (watch::Sender<()>, usize)>> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Notices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Notices").field("watched", &self.0.count).finish()
    }
}

/// A watch over a session.
pub(crate) struct Watch {
    shared: Arc<Shared>,
    id: SessionId,
    told: watch::Receiver<()>,
}

impl Watch {
    /// Waits for the next notice; those that came before this was last awaited count.
    pub(crate) async fn notice(&mut self) {
        if self.told.changed().await.is_err() {
            std::future::pending().await
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let mut watched = self.shared.lock();
        if let Some((_, watchers)) = watched.get_mut(&self.id) {
            *watchers -= 1;
            if *watchers == 0 {
                watched.remove(&self.id);
            }
        }
        self.shared.count.store(watched.len(), Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn whoever_watches_is_told_of_their_session_alone() {
        let (notices, one, two) = (Notices::new(), SessionId::from_bytes([1; 16]), SessionId::from_bytes([2; 16]));
        notices.tell(one);
        let (mut watch, mut other) = (notices.watch(one), notices.watch(one));
        assert!(notices.are_wanted());
        let is_told = async |watch: &mut Watch| {
            tokio::select! { biased; () = watch.notice() => true, () = tokio::task::yield_now() => false }
        };
        assert!(!is_told(&mut watch).await, "it was told before");
        notices.tell(two);
        assert!(!is_told(&mut watch).await);
        notices.clone().tell(one);
        assert!(is_told(&mut watch).await && is_told(&mut other).await);
        assert!(!is_told(&mut watch).await, "it is told once");
        drop(other);
        notices.tell_all();
        assert!(is_told(&mut watch).await);
        drop(watch);
        assert!(!notices.are_wanted());
    }
}

//! Notices of ended sessions.

use std::sync::Arc;
use std::time::Duration;

use super::fixture::random_id;
use crate::store::Store;

/// A watcher of a session in this process gets a notice when it is announced. Checks nothing if the store has no notices.
///
/// A notice is a hint, and may be lost while a store connects: it is announced again and again.
pub async fn a_watcher_is_told_of_an_announcement<S: Store>(store: Arc<S>) {
    let Some(notices) = store.notices() else { return };
    let (ended, other) = (random_id(), random_id());
    let (mut watch, mut also) = (notices.watch(ended), notices.watch(ended));
    let told = async {
        watch.notice().await;
        also.notice().await;
    };
    let mut told = std::pin::pin!(told);
    for _ in 0..50 {
        store.announce(other);
        store.announce(ended);
        if tokio::time::timeout(Duration::from_millis(100), &mut told).await.is_ok() {
            return;
        }
    }
    panic!("all who watch a session are told when it is announced");
}

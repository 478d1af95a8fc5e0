//! The index in the memory of this process.

use std::collections::BTreeMap;
use std::future::ready;
use std::ops::Bound;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::entries::Entries;
use super::index::{DeviceEntry, DeviceIndex, DeviceSelection, Registered, Registration, StoreFuture};
use crate::store::memory::MemoryStore;
use crate::time::Timestamp;
use crate::token::SessionId;

/// How many users a registration looks at besides its own, to remove what is over.
const SWEEP: usize = 4;

/// The entries of all users.
#[derive(Debug, Default)]
pub(crate) struct MemoryIndex(Mutex<Users>);

#[derive(Debug, Default)]
struct Users {
    entries: BTreeMap<String, Entries>,
    /// Whom the last sweep came to.
    swept: String,
}

impl MemoryIndex {
    fn lock(&self) -> MutexGuard<'_, Users> {
        // Each change is done before the lock is given back, a panic included.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Users {
    fn change<T>(&mut self, user: &str, change: impl FnOnce(&mut Entries) -> T) -> Option<T> {
        let entries = self.entries.get_mut(user)?;
        let changed = change(entries);
        if entries.is_empty() {
            self.entries.remove(user);
        }
        Some(changed)
    }

    fn sweep(&mut self, now: Timestamp) {
        let after = (Bound::Excluded(std::mem::take(&mut self.swept)), Bound::Unbounded);
        let next: Vec<String> = self.entries.range(after).take(SWEEP).map(|(user, _)| user.clone()).collect();
        for user in &next {
            if self.entries.get(user).is_some_and(|entries| entries.is_over(now)) {
                self.entries.remove(user);
            }
        }
        // At the end it begins anew.
        self.swept = next.into_iter().last().unwrap_or_default();
    }
}

impl DeviceIndex for MemoryStore {
    fn register<'a>(&'a self, user: &'a str, login: Registration) -> StoreFuture<'a, Registered> {
        let mut users = self.index().lock();
        users.sweep(login.now);
        let registered = users.entries.entry(user.to_owned()).or_default().register(login);
        Box::pin(ready(Ok(registered)))
    }

    fn confirm<'a>(
        &'a self,
        user: &'a str,
        id: SessionId,
        ended: &'a [SessionId],
        now: Timestamp,
    ) -> StoreFuture<'a, bool> {
        let confirmed = self.index().lock().change(user, |entries| entries.confirm(id, ended, now));
        Box::pin(ready(Ok(confirmed.unwrap_or(false))))
    }

    fn entries<'a>(&'a self, user: &'a str, now: Timestamp) -> StoreFuture<'a, Vec<DeviceEntry>> {
        let entries = self.index().lock().change(user, |entries| entries.live(now));
        Box::pin(ready(Ok(entries.unwrap_or_default())))
    }

    fn end<'a>(&'a self, user: &'a str, meant: DeviceSelection, now: Timestamp) -> StoreFuture<'a, Vec<SessionId>> {
        let ended = self.index().lock().change(user, |entries| entries.end(meant, now));
        Box::pin(ready(Ok(ended.unwrap_or_default())))
    }

    fn forget<'a>(&'a self, user: &'a str, ids: &'a [SessionId]) -> StoreFuture<'a, ()> {
        self.index().lock().change(user, |entries| entries.forget(ids));
        Box::pin(ready(Ok(())))
    }

    fn prune<'a>(&'a self, user: &'a str, seen: &'a [DeviceEntry]) -> StoreFuture<'a, ()> {
        self.index().lock().change(user, |entries| entries.prune(seen));
        Box::pin(ready(Ok(())))
    }

    fn users<'a>(&'a self, prefix: &'a str) -> StoreFuture<'a, Vec<String>> {
        let users = self.index().lock();
        let from = (Bound::Included(prefix.to_owned()), Bound::Unbounded);
        let named = users.entries.range(from).map(|(user, _)| user).take_while(|user| user.starts_with(prefix));
        let named = named.cloned().collect();
        Box::pin(ready(Ok(named)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn users_whose_sessions_are_over_are_swept_away_by_the_logins_of_others() {
        let (store, at) = (MemoryStore::new(), Timestamp::from_unix_seconds);
        let register = async |user: String, deadline: u64, now: u64| {
            let id = SessionId::from_bytes([7; 16]);
            let (most, evict, stored) = (None, false, false);
            let login = Registration { id, deadline: at(deadline), most, evict, stored, now: at(now) };
            DeviceIndex::register(&store, &user, login).await.expect("it is in memory");
        };
        for user in 0..50 {
            register(format!("Main/{user}"), 10, 0).await;
        }
        // More of them than are looked at each time, and the first in the order.
        for user in 0..2 * SWEEP {
            register(format!("Main/!{user}"), 99, 0).await;
        }
        assert_eq!(store.index().lock().entries.len(), 50 + 2 * SWEEP);
        for _ in 0..20 {
            register("Main/now".into(), 99, 10).await;
        }
        let left: Vec<String> = store.index().lock().entries.keys().cloned().collect();
        assert!(
            left.len() == 2 * SWEEP + 1 && left.iter().all(|user| user.starts_with("Main/!") || user == "Main/now"),
            "{left:?}"
        );
    }
}

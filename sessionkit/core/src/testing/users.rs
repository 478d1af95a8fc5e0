//! Users for tests of applications.

use std::collections::HashMap;
use std::fmt::{self, Display};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::engine::user::{SessionUser, UserLoader};

/// A [`UserLoader`] that knows a few users, for tests of an application without its database. Clones share them, so that
/// a test can change them while the application runs.
///
/// ```
/// # use sessionkit_core as sessionkit;
/// use sessionkit::testing::{TestSession, TestUsers};
/// use sessionkit::{MemoryStore, SessionManager, SessionUser};
///
/// #[derive(Clone)]
/// struct Account {
///     is_admin: bool,
/// }
///
/// impl SessionUser for Account {}
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let users = TestUsers::new([("ada", Account { is_admin: true }), ("bob", Account { is_admin: false })]);
/// let manager = SessionManager::builder(MemoryStore::new()).user_loader(users.clone()).build();
/// let ada = TestSession::new(&manager).login("ada").await;
/// // Send requests with `ada.cookie()`: an administrator's. Then:
/// users.insert("ada", Account { is_admin: false });
/// // And now she is none.
/// # let _ = ada;
/// # }
/// ```
pub struct TestUsers<U> {
    shared: Arc<Mutex<Shared<U>>>,
}

struct Shared<U> {
    users: HashMap<String, U>,
    is_failing: bool,
    loads: usize,
}

impl<U: SessionUser + Clone> TestUsers<U> {
    /// Makes a loader of these users, by the id that `auth.login(id)` takes.
    pub fn new<I: Display>(users: impl IntoIterator<Item = (I, U)>) -> Self {
        let users = users.into_iter().map(|(id, user)| (id.to_string(), user)).collect();
        Self { shared: Arc::new(Mutex::new(Shared { users, is_failing: false, loads: 0 })) }
    }

    /// Adds a user, or replaces the one with this id.
    pub fn insert(&self, id: impl Display, user: U) {
        self.shared().users.insert(id.to_string(), user);
    }

    /// Removes a user, whose sessions end when a request asks who they are. Returns it.
    pub fn remove(&self, id: impl Display) -> Option<U> {
        self.shared().users.remove(&id.to_string())
    }

    /// Lets every load fail, as those of a database that is away, or does so no more.
    pub fn set_failing(&self, is_failing: bool) {
        self.shared().is_failing = is_failing;
    }

    /// Returns how often a user was loaded since the last call.
    pub fn take_loads(&self) -> usize {
        std::mem::take(&mut self.shared().loads)
    }
}

impl<U> TestUsers<U> {
    fn shared(&self) -> MutexGuard<'_, Shared<U>> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<U: SessionUser + Clone> UserLoader for TestUsers<U> {
    type User = U;
    type Error = &'static str;

    async fn load(&self, id: &str) -> Result<Option<U>, &'static str> {
        let mut shared = self.shared();
        shared.loads += 1;
        if shared.is_failing { Err("the test lets every load fail") } else { Ok(shared.users.get(id).cloned()) }
    }
}

impl<U> Clone for TestUsers<U> {
    fn clone(&self) -> Self {
        Self { shared: self.shared.clone() }
    }
}

/// Names the ids; users may be sensitive.
impl<U> fmt::Debug for TestUsers<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shared = self.shared();
        f.debug_tuple("TestUsers").field(&shared.users.keys().collect::<std::collections::BTreeSet<_>>()).finish()
    }
}

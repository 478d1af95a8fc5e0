//! The data behind the guarded handlers, the same on both frameworks.

use std::convert::Infallible;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use sessionkit::testing::CountingStore;
use sessionkit::{MemoryStore, SessionData, SessionManager, SessionUser, UserLoader};

/// The store of the one application that is in this process.
static STORE: LazyLock<CountingStore<MemoryStore>> = LazyLock::new(|| CountingStore::new(MemoryStore::new()));
static LOADED: AtomicUsize = AtomicUsize::new(0);

pub(super) fn manager() -> SessionManager {
    SessionManager::builder(STORE.clone()).user_loader(Accounts).build()
}

/// Returns the number of calls to the store, and to the loader of users, since the last call.
pub fn calls() -> (usize, usize) {
    (STORE.take().total(), LOADED.swap(0, Ordering::Relaxed))
}

/// The data that a predicate looks at, besides the data that the handlers read.
#[derive(SessionData)]
pub(super) struct Rights {
    pub(super) may_read: bool,
}

pub(super) struct Account {
    pub(super) is_admin: bool,
}

impl SessionUser for Account {}

struct Accounts;

impl UserLoader for Accounts {
    type User = Account;
    type Error = Infallible;

    async fn load(&self, _: &str) -> Result<Option<Account>, Infallible> {
        LOADED.fetch_add(1, Ordering::Relaxed);
        Ok(Some(Account { is_admin: true }))
    }
}

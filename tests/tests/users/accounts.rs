//! The users of an application, whose loader does what a test wants.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use sessionkit::{CredentialStamp, SessionUser, UserLoader};
use sessionkit_tests::harness::Gates;

/// A user of the application.
#[derive(Clone, Debug)]
pub struct Account {
    pub name: String,
    pub is_admin: bool,
    pub password_hash: Option<String>,
}

impl SessionUser for Account {
    fn credential_stamp(&self) -> Option<CredentialStamp> {
        self.password_hash.as_ref().map(CredentialStamp::of)
    }
}

/// The application's users: `ada`, who is an administrator, and `bob`. Clones share them.
#[derive(Clone, Debug)]
pub struct Accounts {
    shared: Arc<Mutex<Shared>>,
    gates: Gates,
}

#[derive(Debug)]
struct Shared {
    accounts: HashMap<String, Account>,
    mood: Mood,
    calls: Vec<String>,
}

/// The behaviour of the loader when it is called.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Mood {
    /// It answers.
    Willing,
    /// It answers after it passed the gate `loader`.
    Gated,
    /// It fails.
    Failing,
    /// It fails for this user after it passed the gate `loader`, and answers for others.
    GatedFailingFor(&'static str),
    /// It panics before it waits for anything.
    PanickingAtOnce,
    /// It panics after it has waited.
    Panicking,
    /// It never answers.
    Hanging,
}

impl Accounts {
    pub fn new(gates: &Gates) -> Self {
        let account =
            |name: &str, is_admin| (name.to_owned(), Account { name: name.to_owned(), is_admin, password_hash: None });
        let accounts = HashMap::from([account("ada", true), account("bob", false)]);
        let shared = Shared { accounts, mood: Mood::Willing, calls: Vec::new() };
        Self { shared: Arc::new(Mutex::new(shared)), gates: gates.clone() }
    }

    pub fn set_mood(&self, mood: Mood) {
        self.shared.lock().unwrap().mood = mood;
    }

    pub fn remove(&self, id: &str) -> Account {
        self.shared.lock().unwrap().accounts.remove(id).unwrap()
    }

    pub fn add(&self, account: Account) {
        self.shared.lock().unwrap().accounts.insert(account.name.clone(), account);
    }

    pub fn change(&self, id: &str, change: impl FnOnce(&mut Account)) {
        change(self.shared.lock().unwrap().accounts.get_mut(id).unwrap());
    }

    /// Returns the user ids that were loaded since the last call.
    pub fn calls(&self) -> Vec<String> {
        std::mem::take(&mut self.shared.lock().unwrap().calls)
    }
}

impl UserLoader for Accounts {
    type User = Account;
    type Error = &'static str;

    async fn load(&self, id: &str) -> Result<Option<Account>, &'static str> {
        let mood = {
            let mut shared = self.shared.lock().unwrap();
            shared.calls.push(id.to_owned());
            shared.mood
        };
        assert!(mood != Mood::PanickingAtOnce, "the loader panics on purpose");
        tokio::task::yield_now().await;
        match mood {
            Mood::Willing | Mood::PanickingAtOnce => {}
            Mood::Gated => self.gates.pass("loader").await,
            Mood::GatedFailingFor(one) if one == id => {
                self.gates.pass("loader").await;
                return Err("postgres://app:canary@db does not answer");
            }
            Mood::GatedFailingFor(_) => {}
            Mood::Failing => return Err("postgres://app:canary@db does not answer"),
            Mood::Panicking => panic!("the loader panics on purpose"),
            Mood::Hanging => std::future::pending().await,
        }
        Ok(self.shared.lock().unwrap().accounts.get(id).cloned())
    }
}

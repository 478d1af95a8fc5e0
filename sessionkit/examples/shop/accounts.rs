//! The people who can log in.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sessionkit::{CredentialStamp, SessionUser, UserLoader};

/// A person who can log in.
#[derive(Clone)]
pub(crate) struct Person {
    /// The id that a login names, and that the person types.
    pub(crate) id: &'static str,
    pub(crate) name: &'static str,
    pub(crate) is_admin: bool,
    password: String,
    /// The number of times that the password was changed.
    changes: u64,
}

impl SessionUser for Person {
    /// Another one after a change of the password: a session that was begun with the old one ends when it is next used.
    /// Where passwords are stored as they should be, the stamp is that of the stored hash.
    fn credential_stamp(&self) -> Option<CredentialStamp> {
        Some(CredentialStamp::of(self.changes.to_be_bytes()))
    }
}

/// Everybody's account. Clones are the same list.
///
/// A real shop keeps salted password hashes (Argon2id) in a database and compares them in constant time.
#[derive(Clone)]
pub(crate) struct Accounts(Arc<Mutex<Vec<Person>>>);

impl Accounts {
    /// The demo accounts.
    pub(crate) fn new() -> Self {
        let person =
            |id: &'static str, name, is_admin| Person { id, name, is_admin, password: id.to_owned(), changes: 0 };
        Self(Arc::new(Mutex::new(vec![person("ada", "Ada", true), person("bob", "Bob", false)])))
    }

    /// Everybody who has an account.
    pub(crate) fn everybody(&self) -> Vec<Person> {
        self.people().clone()
    }

    /// Finds an account.
    pub(crate) fn find(&self, id: &str) -> Option<Person> {
        self.people().iter().find(|person| person.id == id).cloned()
    }

    /// Checks a password.
    pub(crate) fn check(&self, id: &str, password: &str) -> Option<Person> {
        self.find(id).filter(|person| person.password == password)
    }

    /// Changes a password, and returns the person with the new one.
    pub(crate) fn change_password(&self, id: &str, password: String) -> Option<Person> {
        let mut people = self.people();
        let person = people.iter_mut().find(|person| person.id == id)?;
        (person.password, person.changes) = (password, person.changes + 1);
        Some(person.clone())
    }

    fn people(&self) -> MutexGuard<'_, Vec<Person>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Loads the person when a handler asks for a `User<Person>`, once for each request.
impl UserLoader for Accounts {
    type User = Person;
    type Error = Infallible;

    async fn load(&self, id: &str) -> Result<Option<Person>, Infallible> {
        Ok(self.find(id))
    }
}

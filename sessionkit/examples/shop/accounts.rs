//! The demo accounts.
//!
//! A real shop keeps salted password hashes (Argon2id) in a database and compares them in constant time.

/// Somebody who can log in.
pub(crate) struct Person {
    pub(crate) user: &'static str,
    pub(crate) name: &'static str,
    pub(crate) is_admin: bool,
    password: &'static str,
}

static PEOPLE: [Person; 2] = [
    Person { user: "ada", name: "Ada", is_admin: true, password: "ada" },
    Person { user: "bob", name: "Bob", is_admin: false, password: "bob" },
];

/// Checks a password.
pub(crate) fn check(user: &str, password: &str) -> Option<&'static Person> {
    PEOPLE.iter().find(|person| person.user == user && person.password == password)
}

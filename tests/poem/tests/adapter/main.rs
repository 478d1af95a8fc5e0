//! The adapter for Poem does what the others do.

mod failures;
mod guards;
mod rejections;
mod sessions;

use std::collections::BTreeSet;

use poem::http::HeaderMap;
use poem::test::TestResponse;
use sessionkit::testing::TestUsers;
use sessionkit::{MemoryStore, SessionConfig, SessionData, SessionManager, SessionUser, Store};

#[derive(SessionData)]
pub(crate) struct Cart {
    #[session(merge = union)]
    pub(crate) items: BTreeSet<String>,
    pub(crate) paid: bool,
}

#[derive(Clone)]
pub(crate) struct Person {
    pub(crate) name: &'static str,
    pub(crate) is_admin: bool,
}

impl SessionUser for Person {}

pub(crate) fn manager() -> SessionManager {
    manager_of(MemoryStore::new())
}

pub(crate) fn manager_of(store: impl Store) -> SessionManager {
    SessionManager::new(store, SessionConfig::default())
}

/// Ada is an administrator, and Bob is not.
pub(crate) fn manager_with_users(store: impl Store) -> SessionManager {
    let people = [("ada", Person { name: "Ada", is_admin: true }), ("bob", Person { name: "Bob", is_admin: false })];
    SessionManager::builder(store).user_loader(TestUsers::new(people)).build()
}

/// The values of a header.
pub(crate) fn all(headers: &HeaderMap, name: &str) -> Vec<String> {
    headers.get_all(name).iter().map(|value| value.to_str().expect("text").to_owned()).collect()
}

pub(crate) fn status(response: &TestResponse) -> u16 {
    response.0.status().as_u16()
}

pub(crate) async fn text(response: TestResponse) -> String {
    response.0.into_body().into_string().await.expect("a text")
}

//! A visitor of an application without a framework.

use std::sync::Mutex;

use sessionkit::{MainScope, MemoryStore, SessionConfig, SessionData, SessionManager, SessionScope};
use sessionkit_core::RequestHead;
use sessionkit_core::adapter::{HeaderChange, Headers};

/// Sends one request after the other, and keeps the cookie.
pub(crate) struct Visitor<Scope: SessionScope = MainScope> {
    manager: SessionManager<Scope>,
    cookie: Mutex<Option<String>>,
}

impl<Scope: SessionScope<Home = sessionkit::OnServer>> Visitor<Scope> {
    pub(crate) fn new() -> Self {
        let config = SessionConfig::builder().plaintext_sensitive(true).build().unwrap();
        let manager = SessionManager::for_scope(MemoryStore::new(), config);
        Self { manager, cookie: Mutex::default() }
    }

    /// Changes a struct of the session in one request.
    pub(crate) async fn change<T: SessionData<Scope = Scope>>(&self, change: impl FnOnce(&mut T)) {
        let session = self.manager.open();
        let headers = Cookie(self.cookie.lock().unwrap().clone());
        session.attach(&RequestHead::new("GET", "/", &headers));
        change(&mut session.checkout().await.unwrap());
        let changes = self.manager.close(&session, 200).await;
        assert_eq!(changes.rejection, None);
        for header in changes.headers {
            if let HeaderChange::Append("set-cookie", value) = header {
                *self.cookie.lock().unwrap() = value.split(';').next().map(str::to_owned);
            }
        }
    }

    /// Reads a struct of the session in one request.
    pub(crate) async fn read<T: SessionData<Scope = Scope>>(&self) -> T {
        let session = self.manager.open();
        let headers = Cookie(self.cookie.lock().unwrap().clone());
        session.attach(&RequestHead::new("GET", "/", &headers));
        session.view().await.unwrap()
    }
}

struct Cookie(Option<String>);

impl Headers for Cookie {
    fn each<'a>(&'a self, each: &mut dyn FnMut(&'a str, &'a [u8])) {
        self.0.iter().for_each(|cookie| each("cookie", cookie.as_bytes()));
    }
}

/// The keys of the fields of a struct.
pub(crate) fn keys<T: SessionData>() -> Vec<&'static str> {
    T::FIELDS.iter().map(|field| field.key).collect()
}

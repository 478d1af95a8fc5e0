//! Row 15 of the list of systems that applications come from.

use reqwest::Method;
use sessionkit::store::{
    Entry, EntryKey, Generation, InsertOutcome, RemoveOutcome, ReplaceOutcome, Revision, Store, StoreError,
};
use sessionkit::{CrossOriginProtection, SessionConfig, SessionData, SessionManager};
use sessionkit_tests::behaviour;
use sessionkit_tests::harness::{Bench, TestStore};

#[derive(SessionData)]
pub struct Cart {
    items: Vec<u32>,
}

/// A backend of the application's own.
struct Custom(TestStore);

impl Store for Custom {
    async fn load(&self, key: &EntryKey) -> Result<Option<Entry>, StoreError> {
        self.0.load(key).await
    }

    async fn insert(&self, key: &EntryKey, entry: &Entry) -> Result<InsertOutcome, StoreError> {
        self.0.insert(key, entry).await
    }

    async fn replace(&self, key: &EntryKey, held: Revision, entry: &Entry) -> Result<ReplaceOutcome, StoreError> {
        self.0.replace(key, held, entry).await
    }

    async fn remove(&self, key: &EntryKey, held: Generation) -> Result<RemoveOutcome, StoreError> {
        self.0.remove(key, held).await
    }
}

behaviour! {
    tests: [row_15_a_custom_backend_with_csrf_protection_beside_cors_and_bearer_tokens];

    /// Adds the headers of CORS, for an interface that pages of another site may call.
    fn cors(reply: Reply) -> Reply {
        let reply = reply.header("access-control-allow-origin", "https://app.example");
        reply.header("access-control-allow-credentials", "true")
    }

    async fn add(mut cart: Session<Cart>) -> Reply {
        cart.items.push(7);
        cors(Reply::ok(cart.items.len()))
    }

    async fn row_15_a_custom_backend_with_csrf_protection_beside_cors_and_bearer_tokens(bench: Bench) {
        let manager = SessionManager::new(Custom(bench.store.inner().clone()), SessionConfig::default());
        let protection = CrossOriginProtection::new().trusted_origin("https://app.example").expect("an origin");
        let server = serve_protected(&bench, manager, protection, routes!["/add" => add]).await;
        let visitor = server.visitor();
        let send = async |method: Method, headers: &[(&str, &[u8])]| visitor.send(method, "/add", headers, "").await;
        let same_origin = send(Method::POST, &[("sec-fetch-site", b"same-origin")]).await;
        assert_eq!(&*same_origin.body, "1");
        // CORS: the question before the request, and the request itself from the origin that is trusted.
        let from = |origin: &'static [u8]| [("sec-fetch-site", &b"cross-site"[..]), ("origin", origin)];
        let preflight = send(Method::OPTIONS, &from(b"https://app.example")).await;
        assert_eq!(preflight.all("access-control-allow-origin"), ["https://app.example"]);
        assert_eq!(send(Method::POST, &from(b"https://app.example")).await.body, "3");
        assert_eq!(send(Method::POST, &from(b"https://evil.example")).await.status, 403);
        // A program with a bearer token has no cookie, and is no browser.
        let program = server.visitor();
        let bearer = [("authorization", &b"Bearer a.b.c"[..])];
        assert_eq!(program.send(Method::POST, "/add", &bearer, "").await.body, "1");
    }
}

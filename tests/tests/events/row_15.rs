//! Row 15 of the list of systems that applications come from.

use reqwest::Method;
use sessionkit::store::{CommitOutcome, CreateOutcome, Delta, Generation, Record, Store, StoreError};
use sessionkit::{CrossOriginProtection, SessionConfig, SessionData, SessionId, SessionManager, Timestamp};
use sessionkit_tests::behaviour;
use sessionkit_tests::harness::{Bench, TestStore};

#[derive(SessionData)]
pub struct Cart {
    items: Vec<u32>,
}

/// A backend of the application's own.
struct Custom(TestStore);

impl Store for Custom {
    async fn load(&self, id: SessionId, now: Timestamp) -> Result<Option<Record>, StoreError> {
        self.0.load(id, now).await
    }

    async fn create(&self, id: SessionId, record: &Record, now: Timestamp) -> Result<CreateOutcome, StoreError> {
        self.0.create(id, record, now).await
    }

    async fn commit(
        &self,
        id: SessionId,
        generation: Generation,
        delta: &Delta,
        now: Timestamp,
    ) -> Result<CommitOutcome, StoreError> {
        self.0.commit(id, generation, delta, now).await
    }

    async fn destroy(&self, id: SessionId) -> Result<bool, StoreError> {
        self.0.destroy(id).await
    }
}

behaviour! {
    tests: [row_15_a_custom_backend_with_csrf_protection_beside_cors_and_bearer_tokens];

    /// What CORS adds to the answers of an interface that another site's pages may call.
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

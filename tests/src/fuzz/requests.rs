//! The header `Cookie` of a request.

use sessionkit::manual::{Headers, RequestHead};
use sessionkit::testing::TestSession;
use sessionkit::{MemoryStore, SessionConfig, SessionManager};
use tokio::runtime::Runtime;

/// The text that stands for the cookie of a user who has logged in.
const PLACE: &[u8] = b"$COOKIE";

struct Fixture {
    runtime: Runtime,
    manager: SessionManager,
    cookie: String,
}

thread_local! {
    static FIXTURE: Fixture = Fixture::new();
}

impl Fixture {
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("there are threads");
        let manager = SessionManager::new(MemoryStore::new(), SessionConfig::default());
        let session = runtime.block_on(async { TestSession::new(&manager).login("ada").await });
        Self { cookie: session.cookie(), runtime, manager }
    }
}

/// Sends headers, one on each line. A request without the cookie of the user must not be hers.
pub(super) fn run(input: &[u8]) {
    FIXTURE.with(|Fixture { runtime, manager, cookie }| {
        let mut sent = input.to_vec();
        while let Some(at) = sent.windows(PLACE.len()).position(|window| window == PLACE) {
            sent.splice(at..at + PLACE.len(), cookie.bytes());
        }
        runtime.block_on(async {
            let session = manager.open();
            session.attach(&RequestHead::new("GET", "/", &Lines(&sent)));
            let user = session.auth().user_id().await.expect("the store is there");
            let may_be = sent.windows(cookie.len()).any(|window| window == cookie.as_bytes());
            assert!(may_be || user.is_none(), "somebody is logged in");
            let _ = manager.close(&session, 200).await;
        });
    });
}

/// The lines of an input as headers `Cookie`.
pub(super) struct Lines<'a>(pub(super) &'a [u8]);

impl Headers for Lines<'_> {
    fn each<'a>(&'a self, each: &mut dyn FnMut(&'a str, &'a [u8])) {
        self.0.split(|byte| *byte == b'\n').for_each(|line| each("cookie", line));
    }
}

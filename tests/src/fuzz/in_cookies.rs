//! Sessions that lie in the cookie itself: the header of a request, and what stands behind the signature of another system.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sessionkit::formats::{CookieContent, CookieFormat as _, SignedJson};
use sessionkit::manual::RequestHead;
use sessionkit::{
    Clock as _, CookieSessions, InCookie, KeyRing, SessionConfig, SessionManager, SessionScope, SystemClock,
};
use tokio::runtime::Runtime;

use super::cookies::secrets;
use super::requests::Lines;

const NAME: &str = "__Host-session";

struct Client;

impl SessionScope for Client {
    const NAME: &'static str = "Client";
    type Home = InCookie;
}

struct Fixture {
    runtime: Runtime,
    sealed: SessionManager<Client>,
    shared: SessionManager<Client>,
    format: SignedJson,
}

thread_local! {
    static FIXTURE: Fixture = Fixture::new();
}

impl Fixture {
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("there are threads");
        let chunks = CookieSessions::sealed_in_chunks(KeyRing::generate(), 4).expect("it is a number of chunks");
        let format = || SignedJson::new(secrets(), NAME);
        let shared = CookieSessions::shared(format()).user_key("user_id");
        Self {
            runtime,
            sealed: SessionManager::in_cookie(chunks, SessionConfig::default()),
            shared: SessionManager::in_cookie(shared, SessionConfig::default()),
            format: format(),
        }
    }

    fn asks(&self, manager: &SessionManager<Client>, headers: &[u8]) -> bool {
        self.runtime.block_on(async {
            let session = manager.open();
            session.attach(&RequestHead::new("GET", "/", &Lines(headers)));
            // An error says that a later release wrote it.
            let user = session.auth().user_id().await.ok().flatten();
            if let Ok(mut map) = session.dynamic().await {
                let _ = map.insert("seen", &true);
            }
            let _ = manager.close(&session, 200).await;
            user.is_some()
        })
    }
}

/// Sends headers to sealed sessions, or packed bytes as another system's session, as the first byte says.
pub(super) fn run(input: &[u8]) {
    let Some((selector, rest)) = input.split_first() else { return };
    FIXTURE.with(|fixture| {
        if selector % 2 == 0 {
            assert!(!fixture.asks(&fixture.sealed, rest), "somebody is logged in");
            return;
        }
        let ours = ("_sessionkit".to_owned(), URL_SAFE_NO_PAD.encode(rest).into());
        let content = CookieContent::new([ours].into_iter().collect());
        let Ok(cookie) = fixture.format.write(&content, SystemClock.now()) else { return };
        assert!(!fixture.asks(&fixture.shared, format!("{NAME}={cookie}").as_bytes()), "the format names no user");
    });
}

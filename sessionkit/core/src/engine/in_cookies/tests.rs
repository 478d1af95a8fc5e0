//! Tests of what no application can make: cookies of another release.

use super::LoginMark;
use super::packing::pack;
use crate::encryption::cookie::{cookie_place, seal_cookie};
use crate::record::Record;
use crate::record::header::Header;
use crate::scope::{InCookie, SessionScope};
use crate::token::{OsRandom, Token};
use crate::wire::head::{Headers, RequestHead};
use crate::{CookieSessions, KeyRing, SessionConfig, SessionErrorKind, SessionManager, Timestamp};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::time::Duration;

struct Client;

impl SessionScope for Client {
    const NAME: &'static str = "Client";
    type Home = InCookie;
}

struct Cookie(String);

impl Headers for Cookie {
    fn each<'a>(&'a self, each: &mut dyn FnMut(&'a str, &'a [u8])) {
        each("cookie", self.0.as_bytes());
    }
}

/// A session with its version at the place where the packed record begins.
fn packed(scope: &'static str) -> Vec<u8> {
    let token = Token::new(&OsRandom);
    let now = Timestamp::from_unix_seconds(4_000_000_000);
    let mut header = Header::new(token.secret_hash(scope), now, Duration::from_secs(60), None);
    header.scope = scope.into();
    header.created = Timestamp::from_unix_seconds(1_000_000_000);
    pack(&token, LoginMark::default(), &Record::new(header))
}

fn cookie(keys: &KeyRing, packed: &[u8]) -> Cookie {
    let sealed = seal_cookie(keys, &cookie_place("__Host-session", "Client"), packed);
    Cookie(format!("__Host-session={}", URL_SAFE_NO_PAD.encode(sealed)))
}

const VERSION_AT: usize = 48 + 8 + 8;

#[tokio::test]
async fn a_session_of_a_later_release_is_waited_for_and_ended_by_a_logout() {
    let keys = KeyRing::generate();
    let manager = SessionManager::<Client>::in_cookie(CookieSessions::sealed(keys.clone()), SessionConfig::default());
    let mut packed = packed("Client");
    packed[VERSION_AT] += 1;
    let cookie = cookie(&keys, &packed);
    let session = manager.open();
    session.attach(&RequestHead::new("GET", "/", &cookie));
    let refused = session.user_id().await.expect_err("nobody knows whose it is");
    assert_eq!((refused.kind(), refused.status()), (SessionErrorKind::StoreUnavailable, 503));
    let changes = manager.close(&session, 200).await;
    assert!(changes.rejection.is_some() && !format!("{:?}", changes.headers).contains("set-cookie"));
    let session = manager.open();
    session.attach(&RequestHead::new("GET", "/", &cookie));
    session.auth().logout().await.expect("a logout is always possible");
    let changes = manager.close(&session, 200).await;
    assert!(format!("{:?}", changes.headers).contains("set-cookie"));
}

#[tokio::test]
async fn a_damaged_session_and_one_of_another_scope_are_nobody() {
    let keys = KeyRing::generate();
    let manager = SessionManager::<Client>::in_cookie(CookieSessions::sealed(keys.clone()), SessionConfig::default());
    let whole = packed("Client");
    let damaged = [&whole[..70], &whole[..VERSION_AT], &packed("Office"), &[], &[whole.as_slice(), &[7]].concat()];
    for packed in damaged {
        let session = manager.open();
        session.attach(&RequestHead::new("GET", "/", &cookie(&keys, packed)));
        assert!(session.info().await.expect("it is nobody").is_none());
    }
    let session = manager.open();
    session.attach(&RequestHead::new("GET", "/", &cookie(&keys, &whole)));
    assert!(session.info().await.expect("it can be read").is_some());
}

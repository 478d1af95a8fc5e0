//! Whole sessions in the cookies of other systems, whose own packages change them between two requests.

use serde_json::{Value, json};
use sessionkit::formats::{AuthenticatedFormat, Django, Flask, Starlette};
use sessionkit::manual::{HeaderChange, Headers, RequestHead};
use sessionkit::testing::ManualClock;
use sessionkit::{
    Clock as _, CookieSessions, InCookie, SessionConfig, SessionData, SessionId, SessionManager, SessionScope,
};

use crate::{Peer, SECRET, secrets};

struct Migrating;

impl SessionScope for Migrating {
    const NAME: &'static str = "Migrating";
    type Home = InCookie;
}

#[derive(SessionData)]
#[session(scope = Migrating)]
struct Visit {
    cart: Vec<String>,
    #[session(carry)]
    language: Option<String>,
}

struct Cookie(String);

impl Headers for Cookie {
    fn each<'a>(&'a self, each: &mut dyn FnMut(&'a str, &'a [u8])) {
        each("cookie", self.0.as_bytes());
    }
}

/// A request that changes the session as `handle` says; returns its cookie after it, and the session's id.
async fn request(
    manager: &SessionManager<Migrating>,
    cookie: &str,
    handle: impl AsyncFnOnce(&sessionkit::manual::RequestSession),
) -> (String, Option<SessionId>) {
    let (session, head) = (manager.open(), Cookie(format!("session={cookie}")));
    session.attach(&RequestHead::new("GET", "/", &head));
    handle(&session).await;
    let id = session.info().await.expect("no store is asked").map(|info| info.id);
    let changes = manager.close(&session, 200).await;
    assert!(changes.rejection.is_none(), "{changes:?}");
    let set = changes.headers.into_iter().find_map(|change| match change {
        HeaderChange::Append("set-cookie", set) => Some(set.into_owned()),
        _ => None,
    });
    let value = set.as_deref().and_then(|set| set.strip_prefix("session=")?.split(';').next());
    (value.unwrap_or(cookie).to_owned(), id)
}

async fn goes_back_and_forth(peer: &Peer, format: impl AuthenticatedFormat, user_key: &str, user: Value) {
    let clock = ManualClock::new();
    let sessions = CookieSessions::shared(format).top_level::<Visit>();
    let sessions = if user.is_number() { sessions.numeric_user_key(user_key) } else { sessions.user_key(user_key) };
    let config =
        SessionConfig::builder().cookie_name("session").allow_weak_cookie(true).build().expect("the settings agree");
    let manager = SessionManager::<Migrating>::builder_in_cookie(sessions).config(config).clock(clock.clone()).build();
    // It begins there.
    let cookie = peer.write(&json!({"cart": ["tea"], "theme": {"dark": true}}), clock.now());
    let (cookie, _) = request(&manager, &cookie, async |session| {
        session.auth().login(42).await.expect("nothing fails");
        let mut visit = session.checkout::<Visit>().await.expect("it fits");
        visit.cart.push("milk".to_owned());
        visit.language = Some("fo".to_owned());
    })
    .await;
    let (cookie, id) = request(&manager, &cookie, async |_| {}).await;
    // It sees all of it, and changes some.
    let mut values = peer.read(&cookie, clock.now());
    assert_eq!(
        (&values["cart"], &values["theme"], &values[user_key]),
        (&json!(["tea", "milk"]), &json!({"dark": true}), &user)
    );
    values["cart"] = json!(["milk"]);
    let cookie = peer.write(&values, clock.now());
    let (_, same) = request(&manager, &cookie, async |session| {
        let visit = session.view::<Visit>().await.expect("it fits");
        assert_eq!((visit.cart, visit.language.as_deref()), (vec!["milk".to_owned()], Some("fo")));
        assert_eq!(session.user_id().await.expect("no store is asked").as_deref(), Some("42"));
    })
    .await;
    assert!(id.is_some() && id == same);
    // It logs them out.
    values.as_object_mut().expect("it is one").remove(user_key);
    let cookie = peer.write(&values, clock.now());
    request(&manager, &cookie, async |session| {
        assert_eq!(session.user_id().await.expect("no store is asked"), None);
    })
    .await;
}

#[tokio::test]
async fn row_16_a_session_goes_between_starlette_and_sessionkit() {
    let peer = Peer::new("starlette", json!({"secret": SECRET}));
    goes_back_and_forth(&peer, Starlette::new(secrets([SECRET])), "user_id", json!(42)).await;
    let peer = Peer::new("ravyn", json!({"secret": SECRET}));
    goes_back_and_forth(&peer, Starlette::ravyn(secrets([SECRET])), "user_id", json!(42)).await;
}

#[tokio::test]
async fn a_session_goes_between_flask_and_sessionkit() {
    let peer = Peer::new("flask", json!({"secrets": [SECRET]}));
    goes_back_and_forth(&peer, Flask::new(secrets([SECRET])), "_user_id", json!("42")).await;
}

#[tokio::test]
async fn a_session_goes_between_django_and_sessionkit() {
    let peer = Peer::new("django", json!({"secrets": [SECRET]}));
    goes_back_and_forth(&peer, Django::new(secrets([SECRET])), "_auth_user_id", json!("42")).await;
}

//! A visitor's session for tests of applications.

use std::collections::BTreeMap;
use std::fmt::{self, Display};
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use crate::config::set_cookie;
use crate::data::SessionData;
use crate::devices::entering::EnteringSession;
use crate::manager::SessionManager;
use crate::record::Record;
use crate::record::credential_stamp::CredentialStamp;
use crate::record::delta::StoredValue;
use crate::record::details::LoginDetails;
use crate::record::front::Generation;
use crate::record::header::Header;
use crate::request::RequestSession;
use crate::request::info::SessionInfo;
use crate::scope::{MainScope, SessionScope};
use crate::token::Token;
use crate::wire::cookie::{MOST_CHUNKS, chunk_name};
use crate::wire::head::{Headers, RequestHead};
use crate::wire::response::{HeaderChange, ResponseChanges};

/// A visitor with a session, for tests of an application: made in one line, it gives the cookie to send, and reports what
/// a response changed.
///
/// ```
/// # use sessionkit_core as sessionkit;
/// # use sessionkit_core::{FieldError, Json, MainScope, SessionData};
/// # use sessionkit_core::derive::{Field, FieldReader, FieldWriter};
/// # struct Cart { views: u64 }
/// # impl SessionData for Cart {
/// #     type Scope = MainScope; type Codec = Json;
/// #     const NAMESPACE: &'static str = "cart"; const FIELDS: &'static [Field] = &[];
/// #     fn decode(_: &mut FieldReader<'_>) -> Result<Self, FieldError> { Ok(Cart { views: 0 }) }
/// #     fn encode(&self, _: &mut FieldWriter) -> Result<(), FieldError> { Ok(()) }
/// # }
/// use sessionkit::testing::TestSession;
/// use sessionkit::{MemoryStore, SessionConfig, SessionManager};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let manager = SessionManager::new(MemoryStore::new(), SessionConfig::default());
/// let mut ada = TestSession::new(&manager).login("ada").with(|cart: &mut Cart| cart.views = 3).await;
/// // Send a request with `ada.cookie()`, and let her keep the cookies of the response:
/// # let set_cookies: [&str; 0] = [];
/// ada.follow(set_cookies);
/// assert_eq!(ada.user_id().await.as_deref(), Some("ada"));
/// assert_eq!(ada.changed().await, [""; 0]);
/// # }
/// ```
///
/// What it looks at is what the store holds, and looking is no use of the session. Its methods panic where the store
/// fails.
pub struct TestSession<Scope: SessionScope = MainScope> {
    pub(super) manager: SessionManager<Scope>,
    /// The value of the cookie.
    /// The cookies of the session, of which there are several if it lies in them.
    cookies: BTreeMap<String, String>,
    /// The fields when [`changed`](Self::changed) was last asked.
    seen: BTreeMap<String, StoredValue>,
}

impl<Scope: SessionScope> TestSession<Scope> {
    /// Begins to make a session; await it. Without more it is a visitor who has none yet.
    #[expect(clippy::new_ret_no_self, reason = "a session is made by awaiting")]
    pub fn new(manager: &SessionManager<Scope>) -> NewTestSession<Scope> {
        let (manager, details) = (manager.clone(), LoginDetails::default());
        NewTestSession {
            manager,
            user_id: None,
            ago: None,
            device_label: None,
            details,
            acts_as: None,
            changes: Vec::new(),
        }
    }

    /// The value of the `Cookie` header to send; empty for a visitor without a session.
    pub fn cookie(&self) -> String {
        self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }

    /// Keeps and removes cookies as a browser does, given the values of a response's `Set-Cookie` headers:
    /// `ada.follow(response.headers().get_all("set-cookie"))`.
    pub fn follow<V: AsRef<[u8]>>(&mut self, set_cookies: impl IntoIterator<Item = V>) {
        for set_cookie in set_cookies {
            let set_cookie = String::from_utf8_lossy(set_cookie.as_ref());
            let (pair, attributes) = set_cookie.split_once(';').unwrap_or((&set_cookie, ""));
            let Some((name, value)) = pair.split_once('=') else { continue };
            if !self.is_ours(name) {
                continue;
            }
            if attributes.split(';').any(|attribute| attribute.trim().eq_ignore_ascii_case("max-age=0")) {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }

    /// A token for a form of this session, as a page that shows one has it. A visitor without a session gets one.
    ///
    /// ```
    /// # use sessionkit_core::testing::TestSession;
    /// # use sessionkit_core::{MemoryStore, SessionConfig, SessionManager};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// # let manager = SessionManager::new(MemoryStore::new(), SessionConfig::default());
    /// let mut ada = TestSession::new(&manager).login("ada").await;
    /// let form = format!("csrf_token={}&item=tea", ada.csrf_token().await);
    /// # assert!(form.len() > 40);
    /// # }
    /// ```
    pub async fn csrf_token(&mut self) -> String {
        let session = self.opened().await;
        let token = session.csrf_token().await.expect("the store answers").value();
        self.close(&session).await;
        token
    }

    /// Reads a struct of the session; defaults where there is none.
    pub async fn view<T: SessionData<Scope = Scope>>(&self) -> T {
        self.opened().await.view().await.expect("the struct can be read")
    }

    /// The id of the user who is logged in.
    pub async fn user_id(&self) -> Option<Arc<str>> {
        self.opened().await.loaded_user_id()
    }

    /// Returns what is known of the session itself.
    pub async fn info(&self) -> Option<SessionInfo> {
        self.opened().await.info().await.expect("the session can be read")
    }

    /// Returns whether the cookie opens no session: the session has ended, or the visitor has another cookie, or none.
    pub async fn is_over(&self) -> bool {
        self.opened().await.state().current.is_none()
    }

    /// The keys of the fields that were stored, changed or removed since this was last asked, or since the session was
    /// made, in alphabetical order: `cart.items`.
    pub async fn changed(&mut self) -> Vec<String> {
        let now = self.fields().await;
        let before = std::mem::replace(&mut self.seen, now);
        let keys = before.keys().chain(self.seen.keys()).filter(|key| before.get(*key) != self.seen.get(*key));
        let mut keys: Vec<String> = keys.cloned().collect();
        keys.sort_unstable();
        keys.dedup();
        keys
    }

    /// The fields that the store holds and returns.
    async fn fields(&self) -> BTreeMap<String, StoredValue> {
        let session = self.opened().await;
        let now = session.shared.engine.now();
        let state = session.state();
        let Some(current) = &state.current else { return BTreeMap::new() };
        let live = current.record.fields().filter(|(_, value)| value.is_live(now));
        live.map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
    }

    /// The session as a request with the cookie opens it.
    async fn opened(&self) -> RequestSession {
        let session = self.manager.open();
        session.attach(&RequestHead::new("GET", "/", &Cookie(self.cookie())));
        session.look_up().await.expect("the store answers");
        session
    }

    /// Ends a request, and keeps the cookies of its response.
    async fn close(&mut self, session: &RequestSession) {
        let changes = self.manager.close(session, 200).await;
        assert!(changes.rejection.is_none(), "the session cannot be made: {:?}", changes.rejection);
        self.keep(changes);
    }

    /// Keeps the cookies of a response.
    pub(super) fn keep(&mut self, changes: ResponseChanges) {
        let set_cookies = changes.headers.into_iter().filter_map(|change| match change {
            HeaderChange::Append("set-cookie", value) => Some(value.into_owned()),
            _ => None,
        });
        self.follow(set_cookies);
    }

    fn is_ours(&self, name: &str) -> bool {
        let session = self.manager.open();
        let ours = &session.shared.engine.settings().cookie_name;
        (0..MOST_CHUNKS).any(|number| chunk_name(ours, number) == name)
    }
}

/// A visitor with a copy of the cookie.
impl<Scope: SessionScope> Clone for TestSession<Scope> {
    fn clone(&self) -> Self {
        Self { manager: self.manager.clone(), cookies: self.cookies.clone(), seen: self.seen.clone() }
    }
}

/// Names the keys that it has seen, never a value or the cookie.
impl<Scope: SessionScope> fmt::Debug for TestSession<Scope> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seen: Vec<_> = self.seen.keys().collect();
        f.debug_struct("TestSession").field("seen", &seen).finish_non_exhaustive()
    }
}

type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A [`TestSession`] that is made when it is awaited.
#[must_use = "a session is made when it is awaited"]
pub struct NewTestSession<Scope: SessionScope = MainScope> {
    manager: SessionManager<Scope>,
    user_id: Option<String>,
    /// The time that has passed since the login.
    ago: Option<Duration>,
    device_label: Option<String>,
    details: LoginDetails,
    acts_as: Option<String>,
    changes: Vec<Box<dyn FnOnce(RequestSession) -> Work + Send>>,
}

impl<Scope: SessionScope> NewTestSession<Scope> {
    /// Logs a user in.
    pub fn login(mut self, user_id: impl Display) -> Self {
        self.user_id = Some(user_id.to_string());
        self
    }

    /// Lets the login be this long ago, for what needs a fresh one. The session was in use since, so that it ends no
    /// earlier than others do, but for the setting `absolute_ttl`.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use sessionkit_core::testing::TestSession;
    /// # use sessionkit_core::{MemoryStore, SessionConfig, SessionManager};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// # let manager = SessionManager::new(MemoryStore::new(), SessionConfig::default());
    /// let an_hour = Duration::from_secs(60 * 60);
    /// let ada = TestSession::new(&manager).login("ada").authenticated_ago(an_hour).await;
    /// let info = ada.info().await.unwrap();
    /// assert_eq!(info.as_of.saturating_duration_since(info.authenticated_at.unwrap()), an_hour);
    /// # }
    /// ```
    pub fn authenticated_ago(mut self, ago: Duration) -> Self {
        self.ago = Some(ago);
        self
    }

    /// Names the device of the login, as [`Login::device_label`](crate::Login::device_label) does.
    pub fn device_label(mut self, label: impl Into<String>) -> Self {
        self.device_label = Some(label.into());
        self
    }

    /// Says how the user proved who they are, as [`Login::methods`](crate::Login::methods) does: `["pwd", "otp"]`.
    pub fn methods(mut self, methods: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.details.methods = methods.into_iter().map(Into::into).collect();
        self
    }

    /// Binds the session to a credential, as [`Login::credential_stamp`](crate::Login::credential_stamp) does.
    pub fn credential_stamp(mut self, stamp: impl Into<Option<CredentialStamp>>) -> Self {
        self.details.stamp = stamp.into();
        self
    }

    /// Lets the user who logs in act as another one, as [`Auth::impersonate`](crate::Auth::impersonate) does.
    ///
    /// ```
    /// # use sessionkit_core::testing::TestSession;
    /// # use sessionkit_core::{MemoryStore, SessionConfig, SessionManager};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// # let manager = SessionManager::new(MemoryStore::new(), SessionConfig::default());
    /// let bob = TestSession::new(&manager).login("ada").methods(["pwd", "otp"]).acting_as("bob").await;
    /// assert_eq!(bob.user_id().await.as_deref(), Some("bob"));
    /// assert_eq!(bob.info().await.unwrap().actor.as_deref(), Some("ada"));
    /// # }
    /// ```
    pub fn acting_as(mut self, user_id: impl Display) -> Self {
        self.acts_as = Some(user_id.to_string());
        self
    }

    /// Changes a struct of the session, after the login.
    pub fn with<T: SessionData<Scope = Scope> + Send>(mut self, change: impl FnOnce(&mut T) + Send + 'static) -> Self {
        self.changes.push(Box::new(move |session| {
            Box::pin(async move { change(&mut *session.checkout().await.expect("the struct can be read")) })
        }));
        self
    }

    async fn make(self) -> TestSession<Scope> {
        let of_a_login =
            self.device_label.is_some() || self.details != LoginDetails::default() || self.acts_as.is_some();
        assert!(
            self.user_id.is_some() || !of_a_login,
            "say with `login` whose device, methods or stamp that is, or who acts"
        );
        let session = self.manager.open();
        let mut made = TestSession { manager: self.manager.clone(), cookies: BTreeMap::new(), seen: BTreeMap::new() };
        if let (Some(user_id), Some(ago)) = (&self.user_id, self.ago) {
            let token = store_login(&session, user_id, ago, self.device_label.as_deref(), self.details.clone()).await;
            made.follow(set_cookies(&session, &token));
        }
        session.attach(&RequestHead::new("POST", "/", &Cookie(made.cookie())));
        if let (Some(user_id), None) = (&self.user_id, self.ago) {
            let login =
                session.auth().login(user_id).methods(self.details.methods).credential_stamp(self.details.stamp);
            let login = match self.device_label {
                Some(label) => login.device_label(label),
                None => login,
            };
            login.await.expect("the user can log in");
        }
        if let Some(user_id) = self.acts_as {
            session.auth().impersonate(user_id).await.expect("a user is logged in who can act as another one");
        }
        for change in self.changes {
            change(session.clone()).await;
        }
        made.close(&session).await;
        made.seen = made.fields().await;
        made
    }
}

impl<Scope: SessionScope> IntoFuture for NewTestSession<Scope> {
    type Output = TestSession<Scope>;
    type IntoFuture = Pin<Box<dyn Future<Output = TestSession<Scope>> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.make())
    }
}

impl<Scope: SessionScope> fmt::Debug for NewTestSession<Scope> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewTestSession").field("user_id", &self.user_id).finish_non_exhaustive()
    }
}

/// Stores a session whose user logged in some time ago.
async fn store_login(
    session: &RequestSession,
    user: &str,
    ago: Duration,
    device: Option<&str>,
    details: LoginDetails,
) -> Token {
    let engine = &session.shared.engine;
    let (token, now) = (Token::new(engine.tokens()), engine.now());
    let login = now.saturating_sub(ago);
    let (ttl, absolute) = engine.settings().login_lifetime(None);
    let mut header = Header::new(token.secret_hash(engine.scope()), login, ttl, Some(absolute));
    header.scope = engine.scope().into();
    (header.user_id, header.authenticated) = (Some(user.into()), Some(login));
    (header.device_label, header.details) = (device.map(Into::into), details.shared());
    (header.last_seen, header.idle_deadline) = (now, now.saturating_add(ttl));
    let (id, until) = (token.id(), login.saturating_add(absolute));
    let mut entering = engine.enter(user, None).await.expect("the store answers");
    let record = Record::new(header).sealed(engine.random());
    let deadline = &mut engine.commit_deadline();
    assert!(engine.insert_record(id, &record, deadline).await.expect("the store answers"), "the id is random");
    let stored = EnteringSession { id, generation: Generation::default(), until };
    engine.admit_begun(&mut entering, stored).await.expect("the store answers");
    token
}

/// Returns the `Set-Cookie` headers that give a session to the client.
fn set_cookies(session: &RequestSession, token: &Token) -> Vec<String> {
    let engine = &session.shared.engine;
    match &engine.jar {
        Some(jar) => jar.set(token, None).expect("an empty session fits"),
        None => vec![set_cookie::set(engine.settings(), token, None)],
    }
}

/// The headers of a request that has one cookie.
struct Cookie(String);

impl Headers for Cookie {
    fn each<'a>(&'a self, each: &mut dyn FnMut(&'a str, &'a [u8])) {
        each("cookie", self.0.as_bytes());
    }
}

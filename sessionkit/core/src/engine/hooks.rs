//! The decisions of an application while the session of a request is loaded, and about its rejections.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};

use tokio::sync::OnceCell;

use crate::engine::Engine;
use crate::engine::deadline::Deadline;
use crate::error::SessionError;
use crate::panics::await_caught;
use crate::wire::cookie::Candidates;
use crate::wire::head::{OwnedHead, RequestHead};
use crate::wire::rejection::Rejection;

/// A cookie of our name, as a request presented it; see [`SessionManagerBuilder::on_load_cookie`].
///
/// [`SessionManagerBuilder::on_load_cookie`]: crate::SessionManagerBuilder::on_load_cookie
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PresentedCookie {
    /// The head of the request.
    pub request: Arc<OwnedHead>,
    value: String,
}

impl PresentedCookie {
    /// The value of the cookie. It may be a secret: of this application, or of the one before it.
    pub fn value(&self) -> &str {
        &self.value
    }
}

/// The decision about a cookie that a request presented.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum LoadCookie {
    /// It is looked at as if there were no hook.
    Continue,
    /// This value takes its place: the token that stands for the cookie of an older system, for example.
    Replace(String),
    /// It is as if the request had come without it.
    Ignore,
    /// The answer to all code that asks for the session; a login and a logout still work.
    Answer(Rejection),
}

/// A request that asks for a session and has none; see [`SessionManagerBuilder::on_missing_session`].
///
/// [`SessionManagerBuilder::on_missing_session`]: crate::SessionManagerBuilder::on_missing_session
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SessionlessRequest {
    /// The head of the request.
    pub request: Arc<OwnedHead>,
    /// The reason why there is no session.
    pub reason: MissingReason,
}

/// The reason why a request has no session.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum MissingReason {
    /// It came without a cookie of the session's name.
    NoCookie,
    /// The cookie is no token.
    MalformedToken,
    /// The token opens nothing: it was guessed, or its session ended long ago.
    UnknownToken,
    /// The session of the token has expired, or its user logged in or out a moment ago.
    EndedSession,
    /// The request came with the tokens of two sessions.
    SeveralSessions,
}

/// The decision about a request that asks for a session and has none.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum MissingSession {
    /// The visitor is anonymous.
    Continue,
    /// The answer to all code that asks for the session; a login and a logout still work.
    Answer(Rejection),
}

type Hook<Asked, Decision> = dyn Fn(Asked) -> Pin<Box<dyn Future<Output = Decision> + Send>> + Send + Sync;

type OnRejection = dyn Fn(Rejection, &RequestHead<'_>) -> Rejection + Send + Sync;

/// The hooks of a manager.
#[derive(Default)]
pub(crate) struct Hooks {
    rejection: Option<Box<OnRejection>>,
    load_cookie: Option<Box<Hook<PresentedCookie, LoadCookie>>>,
    missing_session: Option<Box<Hook<SessionlessRequest, MissingSession>>>,
}

/// The data that a request keeps for hooks.
pub(crate) struct Hooked {
    head: Arc<OwnedHead>,
    /// The reason why there is no session, once that is known.
    reason: OnceLock<MissingReason>,
    asked_about_missing: OnceCell<Result<Option<Rejection>, SessionError>>,
}

impl Hooks {
    pub(crate) fn set_load_cookie<F: Future<Output = LoadCookie> + Send + 'static>(
        &mut self,
        hook: impl Fn(PresentedCookie) -> F + Send + Sync + 'static,
    ) {
        self.load_cookie = Some(Box::new(move |cookie| Box::pin(hook(cookie))));
    }

    pub(crate) fn set_missing_session<F: Future<Output = MissingSession> + Send + 'static>(
        &mut self,
        hook: impl Fn(SessionlessRequest) -> F + Send + Sync + 'static,
    ) {
        self.missing_session = Some(Box::new(move |missing| Box::pin(hook(missing))));
    }

    pub(crate) fn set_rejection(
        &mut self,
        hook: impl Fn(Rejection, &RequestHead<'_>) -> Rejection + Send + Sync + 'static,
    ) {
        self.rejection = Some(Box::new(hook));
    }

    /// Returns whether no hook decides about the load.
    pub(crate) fn is_empty(&self) -> bool {
        self.load_cookie.is_none() && self.missing_session.is_none()
    }

    /// Returns whether a hook needs the heads of requests.
    pub(crate) fn need_heads(&self) -> bool {
        self.rejection.is_some() || !self.is_empty()
    }

    /// Returns the rejection after the hook has seen it; `None` if there is no hook.
    pub(crate) fn rejection(&self, rejection: Rejection, head: &RequestHead<'_>) -> Option<Rejection> {
        self.rejection.as_ref().map(|hook| hook(rejection, head))
    }

    /// Returns the cookies after the hook has looked at them, or the answer; `None` if there is no hook.
    pub(crate) async fn load_cookies(
        &self,
        hooked: &Hooked,
        engine: &Engine,
        deadline: &mut Deadline,
    ) -> Result<Option<Result<Candidates, Rejection>>, SessionError> {
        let Some(hook) = &self.load_cookie else { return Ok(None) };
        let mut found = Candidates::default();
        for value in engine.cookie_values(&*hooked.head) {
            let presented = PresentedCookie { request: hooked.head.clone(), value: value.clone() };
            match decision_of("on_load_cookie", deadline, || hook(presented)).await? {
                LoadCookie::Continue => engine.add_candidate(&mut found, &value),
                LoadCookie::Replace(value) => engine.add_candidate(&mut found, &value),
                LoadCookie::Ignore => {}
                LoadCookie::Answer(rejection) => return Ok(Some(Err(rejection))),
            }
        }
        Ok(Some(Ok(found)))
    }

    /// The answer to a request without a session, if the hook has one. Asked once for each request.
    pub(crate) async fn missing_session(
        &self,
        hooked: &Hooked,
        deadline: &mut Deadline,
    ) -> Result<Option<Rejection>, SessionError> {
        let Some(hook) = &self.missing_session else { return Ok(None) };
        let ask = async || {
            let reason = hooked.reason.get().copied().unwrap_or(MissingReason::NoCookie);
            let missing = SessionlessRequest { request: hooked.head.clone(), reason };
            let decision = decision_of("on_missing_session", deadline, || hook(missing)).await?;
            Ok(match decision {
                MissingSession::Continue => None,
                MissingSession::Answer(rejection) => Some(rejection),
            })
        };
        hooked.asked_about_missing.get_or_init(ask).await.clone()
    }
}

impl Hooked {
    pub(crate) fn new(head: &RequestHead<'_>) -> Self {
        let head = Arc::new(OwnedHead::new(head));
        Self { head, reason: OnceLock::new(), asked_about_missing: OnceCell::new() }
    }

    /// Remembers why the request has no session.
    pub(crate) fn set_reason(&self, reason: MissingReason) {
        self.reason.get_or_init(|| reason);
    }

    pub(crate) fn head(&self) -> RequestHead<'_> {
        self.head.as_head()
    }
}

/// Waits for a hook, which fails closed: where it panics or takes too long, the session cannot be used.
async fn decision_of<T, F: Future<Output = T>>(
    hook: &'static str,
    deadline: &mut Deadline,
    call: impl FnOnce() -> F,
) -> Result<T, SessionError> {
    let decided = deadline.limit(await_caught(async { call().await })).await;
    decided.ok_or_else(|| SessionError::slow(hook))?.ok_or_else(|| SessionError::panicked(hook))
}

//! Who may call a handler.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;

use crate::data::SessionData;
use crate::error::SessionError;
use crate::event::EventKind;
use crate::head::RequestHead;
use crate::layer::{LayerMarker, Main};
use crate::local_path::LocalPath;
use crate::rejection::Rejection;
use crate::request::RequestSession;

/// What a request must fulfil before a handler's arguments are extracted.
#[diagnostic::on_unimplemented(message = "`{Self}` is not a requirement that a guard can check")]
pub trait Requirement: 'static {
    /// The session that is asked.
    type Layer: LayerMarker;

    /// The handler, for logs.
    const HANDLER: &'static str = "";

    /// Decides.
    fn check(session: &RequestSession) -> impl Future<Output = Result<(), Refusal>> + Send;
}

/// Why a request was refused.
#[derive(Debug)]
#[non_exhaustive]
pub enum Refusal {
    /// Nobody is logged in.
    LoginRequired,
    /// The condition does not hold.
    Unmet,
    /// The condition could not be decided: the store failed.
    Session(SessionError),
    /// The condition could not be decided: the predicate failed.
    Failed(String),
}

impl From<SessionError> for Refusal {
    fn from(error: SessionError) -> Self {
        Self::Session(error)
    }
}

/// Requires that somebody is logged in.
#[derive(Debug)]
pub struct RequireLogin<L: LayerMarker = Main>(PhantomData<fn() -> L>);

impl<L: LayerMarker> Requirement for RequireLogin<L> {
    type Layer = L;

    async fn check(session: &RequestSession) -> Result<(), Refusal> {
        session.user().await?.map_or(Err(Refusal::LoginRequired), |_| Ok(()))
    }
}

/// Conditions that `#[session(require = ..)]` writes down. They are synchronous: the session is loaded before.
pub trait Check: 'static {
    /// The session that is asked.
    type Layer: LayerMarker;

    /// The handler, for logs.
    const HANDLER: &'static str;

    /// Decides.
    ///
    /// # Errors
    /// Refuses the request.
    fn check(subjects: &Subjects<'_, Self::Layer>) -> Result<(), Refusal>;
}

impl<C: Check> Requirement for C {
    type Layer = C::Layer;

    const HANDLER: &'static str = C::HANDLER;

    async fn check(session: &RequestSession) -> Result<(), Refusal> {
        session.load().await?;
        C::check(&Subjects { session, layer: PhantomData })
    }
}

/// What conditions can look at: a loaded session.
pub struct Subjects<'a, L = Main> {
    session: &'a RequestSession,
    layer: PhantomData<fn() -> L>,
}

impl<L> Subjects<'_, L> {
    /// Requires that somebody is logged in.
    ///
    /// # Errors
    /// Refuses the request otherwise.
    pub fn require_login(&self) -> Result<(), Refusal> {
        self.session.loaded_user().map_or(Err(Refusal::LoginRequired), |_| Ok(()))
    }

    /// Requires that a predicate holds.
    ///
    /// # Errors
    /// Refuses the request otherwise.
    pub fn require<K, P: Predicate<L, K>>(&self, predicate: P) -> Result<(), Refusal> {
        predicate.test(self)
    }
}

impl<L> fmt::Debug for Subjects<'_, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subjects").finish_non_exhaustive()
    }
}

/// A condition over what its arguments name. `K` is the kind of the arguments, which is inferred.
#[diagnostic::on_unimplemented(
    message = "this is not a predicate over session state",
    label = "expected `fn(&T) -> bool` or `fn(&T) -> Result<bool, E>`, where `T` derives `SessionData`",
    note = "write `require = |cart: &Cart| !cart.items.is_empty()`, or the path of such a function",
    note = "`T` must belong to the same layer as the guard: see `#[session(layer = ..)]`"
)]
pub trait Predicate<L, K> {
    /// Decides.
    ///
    /// # Errors
    /// Refuses the request.
    fn test(self, subjects: &Subjects<'_, L>) -> Result<(), Refusal>;
}

/// The kind of a predicate over one session struct.
#[derive(Debug)]
pub struct OfData<T, V>(PhantomData<fn(T) -> V>);

impl<L, F, T, V> Predicate<L, OfData<T, V>> for F
where
    F: Fn(&T) -> V,
    T: SessionData<Layer = L>,
    V: Verdict,
{
    fn test(self, subjects: &Subjects<'_, L>) -> Result<(), Refusal> {
        let (data, _) = subjects.session.read::<T>()?;
        if self(&data).into_verdict()? {
            return Ok(());
        }
        // Somebody who is not logged in may fulfil the condition after they are.
        subjects.require_login()?;
        Err(Refusal::Unmet)
    }
}

/// What a predicate returns: `bool`, or `Result<bool, E>`, where an error is a 500 and never a denial.
#[diagnostic::on_unimplemented(
    message = "a predicate returns `bool` or `Result<bool, E>`, not `{Self}`",
    label = "expected `bool` or `Result<bool, E>`"
)]
pub trait Verdict {
    /// Takes the verdict.
    ///
    /// # Errors
    /// Fails when the predicate did.
    fn into_verdict(self) -> Result<bool, Refusal>;
}

impl Verdict for bool {
    fn into_verdict(self) -> Result<bool, Refusal> {
        Ok(self)
    }
}

impl<E: fmt::Display> Verdict for Result<bool, E> {
    fn into_verdict(self) -> Result<bool, Refusal> {
        self.map_err(|error| Refusal::Failed(error.to_string()))
    }
}

/// Decides whether a request may go on to its handler, and what it gets if not.
///
/// # Errors
/// Refuses the request: a redirect to the login page or 401, 403, or a 5xx where it could not be decided.
pub async fn guard<R: Requirement>(session: &RequestSession, head: &RequestHead<'_>) -> Result<(), Rejection> {
    session.attach(head);
    if !R::HANDLER.is_empty() {
        let _ = session.shared.handler.set(R::HANDLER);
    }
    let Err(refusal) = R::check(session).await else { return Ok(()) };
    Err(reject(session, head, refusal))
}

fn reject(session: &RequestSession, head: &RequestHead<'_>, refusal: Refusal) -> Rejection {
    match refusal {
        Refusal::LoginRequired => {
            session.report(EventKind::Denied { reason: "not logged in" });
            session.state().denied = true;
            log_in(&session.shared.engine.settings().login_url, head)
        }
        Refusal::Unmet => {
            session.report(EventKind::Denied { reason: "not allowed" });
            session.state().denied = true;
            Rejection::new(403, "You are logged in, but not allowed to do this.")
        }
        Refusal::Session(error) => error.rejection(),
        Refusal::Failed(reason) => {
            session.report(EventKind::Failed { error: format_args!("{reason}") });
            Rejection::new(500, "It could not be decided whether you may do this.")
        }
    }
}

/// The answer to somebody who is not logged in, where an extractor needs a user.
pub(crate) fn login_required(session: &RequestSession, head: &RequestHead<'_>) -> Rejection {
    session.report(EventKind::Denied { reason: "not logged in" });
    log_in(&session.shared.engine.settings().login_url, head)
}

fn log_in(login_url: &str, head: &RequestHead<'_>) -> Rejection {
    if !head.is_navigation() {
        return Rejection::new(401, "Please log in.");
    }
    // Only a page that can be asked for again is worth coming back to.
    let returns = matches!(head.method(), "GET" | "HEAD");
    let next = if returns { LocalPath::parse(head.target()) } else { None };
    Rejection::login(login_url, next.as_ref())
}

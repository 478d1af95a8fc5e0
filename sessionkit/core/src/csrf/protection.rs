//! Refusing what browsers call cross-origin.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use super::origin::Origin;
use super::path::Pattern;
use super::{CsrfRefusal, token};
use crate::config::ConfigError;
use crate::error::SessionError;
use crate::event::{self, EventKind};
use crate::panics::caught;
use crate::request::RequestSession;
use crate::request::unguarded::GuardMark;
use crate::wire::head::{OwnedHead, RequestHead};
use crate::wire::rejection::Rejection;

/// Refuses requests that a page of another origin made a browser send, by what the browser says of them.
///
/// It decides as `CrossOriginProtection` of Go 1.25 does:
///
/// 1. `GET`, `HEAD` and `OPTIONS` pass: they must change nothing.
/// 2. `Sec-Fetch-Site`, which browsers send since 2020 to 2023 to `https` and to localhost, decides: `same-origin` and
///    `none` (the person typed the address) pass, anything else is refused, `same-site` too.
/// 3. Without it the `Origin` decides, which browsers send with every unsafe request: it passes if its host and port are
///    those of the request's `Host`.
/// 4. A request with neither header was not sent by a browser of the last ten years, and passes, unless the protection is
///    [`strict`](Self::strict).
///
/// What 2 and 3 would refuse passes if its origin is [trusted](Self::trusted_origin) or its path
/// [exempt](Self::exempt).
///
/// ```
/// # use sessionkit_core as sessionkit;
/// use sessionkit::CrossOriginProtection;
///
/// let protection = CrossOriginProtection::new().trusted_origin("https://pay.example")?.exempt("/webhooks/")?;
/// # let _ = protection;
/// # Ok::<(), sessionkit_core::ConfigError>(())
/// ```
///
/// A proxy in front of the application must pass on the `Host` that the browser sent, for 3. There `http` and `https` of
/// one host are one, since `Host` does not tell them apart. Websockets begin with a `GET`, which passes: with the default
/// `SameSite=Lax` their requests from other sites come without the session's cookie, but those from other hosts of this
/// site come with it. Where such hosts are not trusted, compare the `Origin` before the upgrade.
///
/// # What comes back from an identity provider
///
/// OpenID Connect and SAML may send a person back with a form that the provider's page posts (`response_mode=form_post`).
/// That is a cross-site `POST`, for all that a browser can say:
///
/// - The protection refuses it. [Exempt](Self::exempt) its path, which checks a signature, and `state` and `nonce`, itself;
///   or trust the provider's origin.
/// - It comes **without** the session's cookie, which is `SameSite=Lax`. So the handler sees an anonymous visitor, and
///   `state` is not in the session that it sees. A handler that stores anything in that session, or logs in there, begins
///   another one, whose cookie replaces the one that the browser held back: what the visitor had in it is lost.
///
/// So let that handler use no session: have it answer with a page that posts the same fields again, to a path of this
/// site, where they arrive with the cookie, from the same origin. Or keep what the return needs in a cookie of its own
/// that is short-lived and `SameSite=None`, by hand or as a [scope](crate::SessionScope) of its own. Or ask the provider for
/// `response_mode=query`: a `GET` that leads to a page comes with the cookie.
#[derive(Clone, Default)]
pub struct CrossOriginProtection {
    trusted: Vec<Box<str>>,
    exempt: Vec<Pattern>,
    strict: bool,
    on_denied: Option<Arc<OnDenied>>,
}

type OnDenied = dyn Fn(&RequestHead<'_>, CsrfRefusal) -> Rejection + Send + Sync;

impl CrossOriginProtection {
    /// Makes a protection that trusts no other origin and exempts nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets requests of this origin pass, `scheme://host` or `scheme://host:port`. Its pages can do whatever the person
    /// can.
    ///
    /// # Errors
    /// Refuses what no browser sends as an origin: with a path or a slash at its end, without a scheme, `null`.
    pub fn trusted_origin(mut self, origin: &str) -> Result<Self, ConfigError> {
        match Origin::parse(origin) {
            Some(_) => self.trusted.push(origin.into()),
            None => {
                return Err(ConfigError(format!(
                    "`{origin}` is not an origin: write its scheme, host and port alone, as in `https://pay.example`"
                )));
            }
        }
        Ok(self)
    }

    /// Lets requests of other sites to this path pass. A slash at its end means everything below too, and `*` any one
    /// segment: `/webhooks/`, `/shops/*/webhook`.
    ///
    /// For what proves by other means than a cookie who sent it. The path is that of the whole application, also where
    /// routers are nested. One that can be read in two ways, with `..`, `//` or their percent-encodings in it, is not
    /// exempt.
    ///
    /// # Errors
    /// Refuses what is no plain path, and `/`, which would exempt all.
    pub fn exempt(mut self, path: &str) -> Result<Self, ConfigError> {
        let pattern = Pattern::parse(path);
        let pattern =
            pattern.map_err(|hint| ConfigError(format!("`{path}` cannot be exempt from the protection: {hint}")));
        self.exempt.push(pattern?);
        Ok(self)
    }

    /// Refuses also what has neither `Sec-Fetch-Site` nor `Origin`, unless its path is exempt or it has a token of its
    /// session in the header `X-CSRF-Token`; see [`CsrfToken`](super::CsrfToken).
    pub fn strict(mut self) -> Self {
        self.strict = true;
        self
    }

    /// Answers what is refused with `answer`, in place of a 403 with a problem document. A panic is a 500.
    ///
    /// ```
    /// # use sessionkit_core as sessionkit;
    /// use sessionkit::{CrossOriginProtection, Rejection};
    ///
    /// let protection = CrossOriginProtection::new()
    ///     .on_denied(|request, refusal| Rejection::new(403, format!("{}: {refusal}", request.path())));
    /// # let _ = protection;
    /// ```
    pub fn on_denied(
        mut self,
        answer: impl Fn(&RequestHead<'_>, CsrfRefusal) -> Rejection + Send + Sync + 'static,
    ) -> Self {
        self.on_denied = Some(Arc::new(answer));
        self
    }

    /// Decides about a request by its head alone.
    ///
    /// # Errors
    /// Returns why the request is refused.
    pub fn check(&self, head: &RequestHead<'_>) -> Result<(), CsrfRefusal> {
        if matches!(head.method(), "GET" | "HEAD" | "OPTIONS") {
            return Ok(());
        }
        let (mut site, mut origin) = (Claim::Nothing, Claim::Nothing);
        head.headers().each_value("sec-fetch-site", &mut |value| {
            site.add(value, |value| matches!(value, b"same-origin" | b"none"));
        });
        head.headers().each_value("origin", &mut |value| origin.add(value, |value| is_own(value, head)));
        let refusal = match (site, origin) {
            (Claim::Own, _) | (Claim::Nothing, Claim::Own) => return Ok(()),
            (Claim::Nothing, Claim::Nothing) if !self.strict => return Ok(()),
            (Claim::Foreign, _) => CsrfRefusal::CrossOrigin,
            (Claim::Nothing, Claim::Foreign) => CsrfRefusal::ForeignOrigin,
            (Claim::Nothing, Claim::Nothing) => CsrfRefusal::Unknown,
        };
        if self.trusts(head) || self.exempt.iter().any(|path| path.matches(head.path())) {
            Ok(())
        } else {
            Err(refusal)
        }
    }

    /// Decides about a request, for adapters: by its head, and where that says nothing by its token. `scope` is the name
    /// of the session's scope. What is refused is decided: it is no route that nobody guards, and `mark` says so.
    pub fn admit(
        self: &Arc<Self>,
        session: Option<&RequestSession>,
        mark: Option<&GuardMark>,
        scope: &'static str,
        head: &RequestHead<'_>,
    ) -> Admission {
        let Err(refusal) = self.check(head) else { return Admission::Admitted };
        let presented = head.header(token::HEADER).filter(|_| refusal == CsrfRefusal::Unknown);
        let (Some(presented), Some(session)) = (presented, session) else {
            report(session, scope, head, EventKind::Csrf { reason: refusal.as_str() });
            mark.into_iter().for_each(GuardMark::set);
            return Admission::Refused(self.answer(session, scope, head, refusal));
        };
        session.attach(head);
        let (presented, head) = (presented.to_owned(), OwnedHead::new(head));
        let (protection, session, mark) = (self.clone(), session.clone(), mark.cloned());
        let check = async move {
            session.load().await?;
            if token::is_valid(&session, &presented) {
                return Ok(());
            }
            session.report(EventKind::Csrf { reason: CsrfRefusal::Token.as_str() });
            Err(protection.answer(Some(&session), scope, &head.as_head(), CsrfRefusal::Token))
        };
        Admission::Undecided(TokenCheck(Box::pin(async move {
            check.await.inspect_err(|_| mark.iter().for_each(GuardMark::set))
        })))
    }

    fn trusts(&self, head: &RequestHead<'_>) -> bool {
        let origin = head.header("origin").and_then(|origin| str::from_utf8(origin).ok()).and_then(Origin::parse);
        let is_trusted = |origin: Origin<'_>| {
            self.trusted.iter().filter_map(|trusted| Origin::parse(trusted)).any(|trusted| trusted.is(&origin))
        };
        origin.is_some_and(is_trusted)
    }

    fn answer(
        &self,
        session: Option<&RequestSession>,
        scope: &'static str,
        head: &RequestHead<'_>,
        refusal: CsrfRefusal,
    ) -> Rejection {
        let refused = SessionError::cross_site(refusal.as_str(), refusal.detail());
        refused.note_scope(scope);
        let answer = || match &self.on_denied {
            Some(answer) => answer(head, refusal),
            None => refused.rejection(),
        };
        let answer = caught(answer).unwrap_or_else(|| {
            let error = SessionError::panicked("on_denied");
            error.note_scope(scope);
            report(session, scope, head, EventKind::Failed { error: format_args!("{error}") });
            error.rejection()
        });
        let answer = answer.because_of(refused.clone());
        match session {
            Some(session) => {
                session.note(head);
                session.present(answer)
            }
            None => answer.addressed(head.is_navigation()),
        }
    }
}

impl fmt::Debug for CrossOriginProtection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { trusted, exempt, strict, .. } = self;
        let mut shown = f.debug_struct("CrossOriginProtection");
        shown.field("trusted", trusted).field("exempt", exempt).field("strict", strict).finish_non_exhaustive()
    }
}

/// Reports to the sinks of the session's manager, or else to the log.
fn report(session: Option<&RequestSession>, scope: &'static str, head: &RequestHead<'_>, kind: EventKind<'_>) {
    match session {
        Some(session) => session.report_at(head, kind),
        None => event::log_at(scope, head, kind),
    }
}

/// The decision whether a request may go on, as far as it is known.
#[derive(Debug)]
pub enum Admission {
    /// It may.
    Admitted,
    /// It may not; here is the answer.
    Refused(Rejection),
    /// The decision depends on the token of the request.
    Undecided(TokenCheck),
}

/// Decides about a request by its token. It loads the session.
#[must_use = "it decides whether the request may go on"]
pub struct TokenCheck(Pin<Box<dyn Future<Output = Result<(), Rejection>> + Send>>);

impl Future for TokenCheck {
    type Output = Result<(), Rejection>;

    fn poll(mut self: Pin<&mut Self>, context: &mut std::task::Context<'_>) -> std::task::Poll<Self::Output> {
        self.0.as_mut().poll(context)
    }
}

impl fmt::Debug for TokenCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenCheck").finish_non_exhaustive()
    }
}

/// The origin of a request by the headers of one name. An empty header says nothing.
#[derive(Clone, Copy)]
enum Claim {
    Nothing,
    Own,
    Foreign,
}

impl Claim {
    /// Of several headers the worst counts.
    fn add(&mut self, value: &[u8], is_own: impl Fn(&[u8]) -> bool) {
        *self = match *self {
            _ if value.is_empty() => return,
            Self::Nothing | Self::Own if is_own(value) => Self::Own,
            _ => Self::Foreign,
        };
    }
}

fn is_own(origin: &[u8], head: &RequestHead<'_>) -> bool {
    let origin = str::from_utf8(origin).ok().and_then(Origin::parse);
    origin.zip(head.host()).is_some_and(|(origin, host)| origin.is_at(host))
}

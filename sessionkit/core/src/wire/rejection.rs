//! The answer that SessionKit gives in place of the handler.

use std::borrow::Cow;
use std::fmt::{self, Display};
use std::sync::{Arc, Once};

use crate::error::{SessionError, SessionErrorKind};
use crate::wire::local_path::LocalPath;
use crate::wire::{header, page, status};

/// The content type of a body that says what went wrong to a program.
const PROBLEM: &str = "application/problem+json";

/// The content type of a page for a person.
const PAGE: &str = "text/html; charset=utf-8";

/// A response that SessionKit gives in place of the handler: a problem, or a redirect.
///
/// A program gets `application/problem+json` ([RFC 9457](https://www.rfc-editor.org/rfc/rfc9457)), and a person who opened a
/// page gets a small plain page. [`on_rejection`](crate::SessionManagerBuilder::on_rejection) of the manager's builder
/// replaces either; [`with_body`](Self::with_body) decides about one.
///
/// It keeps the [`SessionError`] that it was made of: hooks, and whatever stands outside of the session layer, ask it for
/// its [kind](Self::kind). Cheap to clone.
#[derive(Clone)]
pub struct Rejection(Arc<Answer>);

#[derive(Clone)]
struct Answer {
    status: u16,
    detail: Cow<'static, str>,
    error: Option<SessionError>,
    location: Option<String>,
    headers: Vec<(String, String)>,
    /// The content type and the body, if they are not a problem document.
    content: Option<(&'static str, String)>,
    /// True if every client gets it as it is.
    is_final: bool,
    /// The action that runs when the answer is given.
    when_given: Option<Arc<WhenGiven>>,
}

/// Done once.
struct WhenGiven(Once, Box<dyn Fn() + Send + Sync>);

impl Rejection {
    /// Makes an answer of this status, for hooks. `detail` is a sentence for the client. A status that is not from 400 to
    /// 599 becomes 500.
    ///
    /// ```
    /// # use sessionkit_core as sessionkit;
    /// let refused = sessionkit::Rejection::new(403, "Sessions of this device were revoked.");
    /// assert_eq!(refused.status(), 403);
    /// ```
    pub fn new(status: u16, detail: impl Into<String>) -> Self {
        let status = if (400..600).contains(&status) { status } else { 500 };
        Self::bare(status, Cow::Owned(detail.into()))
    }

    fn bare(status: u16, detail: Cow<'static, str>) -> Self {
        let (error, location, headers, content, when_given) = (None, None, Vec::new(), None, None);
        Self(Arc::new(Answer { status, detail, error, location, headers, content, is_final: false, when_given }))
    }

    /// Makes an answer of this status that is a page for a person. A status that is not from 400 to 599 becomes 500.
    ///
    /// ```
    /// # use sessionkit_core as sessionkit;
    /// let refused = sessionkit::Rejection::html(403, "<h1>Members only</h1>");
    /// assert_eq!(refused.body(), "<h1>Members only</h1>");
    /// ```
    pub fn html(status: u16, page: impl Into<String>) -> Self {
        let answer = Self::new(status, String::new());
        let detail = answer.title();
        answer.changed(|answer| answer.detail = detail.into()).with_html(page)
    }

    /// Gives the answer a page as its body, for whomever it is.
    pub fn with_html(self, page: impl Into<String>) -> Self {
        self.with_body(PAGE, page)
    }

    /// Gives the answer a body of another content type, in place of the problem document or the page.
    pub fn with_body(self, content_type: &'static str, body: impl Into<String>) -> Self {
        self.changed(|answer| {
            answer.content = Some((content_type, body.into()));
            answer.is_final = true;
        })
    }

    /// Adds a header: `WWW-Authenticate`, `Retry-After`, `HX-Redirect`. The case of the name does not matter. It replaces
    /// `Cache-Control: no-store` and the `Location` of a redirect, and stands beside what was added before.
    ///
    /// ```
    /// # use sessionkit_core as sessionkit;
    /// use sessionkit::Rejection;
    ///
    /// let busy = Rejection::new(429, "Too many attempts.").with_header("Retry-After", 120);
    /// assert!(busy.headers().any(|header| header == ("retry-after", "120")));
    /// ```
    ///
    /// A name or a value that cannot be sent makes the answer a 500, whose error says what is wrong: control characters and
    /// anything but ASCII, and the headers that belong to the body or to the connection.
    ///
    /// ```
    /// # use sessionkit_core as sessionkit;
    /// # use sessionkit::{Rejection, SessionErrorKind};
    /// let split = Rejection::new(429, "Too many attempts.").with_header("Retry-After", "1\r\nSet-Cookie: a=b");
    /// assert_eq!((split.status(), split.kind()), (500, SessionErrorKind::Misuse));
    /// ```
    pub fn with_header(self, name: &str, value: impl Display) -> Self {
        let (name, value) = (name.to_ascii_lowercase(), value.to_string());
        match header::objection(&name, &value) {
            Some(wrong) => SessionError::bad_header(&name, wrong).into(),
            None => self.changed(|answer| answer.headers.push((name, value))),
        }
    }

    /// Sends the client to a page of this site, with 303, for hooks.
    pub fn redirect(to: &LocalPath) -> Self {
        Self::to(to.as_str().to_owned(), "Please continue at the address in `location`.")
    }

    fn to(location: String, detail: &'static str) -> Self {
        Self::bare(303, Cow::Borrowed(detail)).changed(|answer| {
            answer.location = Some(location);
            answer.is_final = true;
        })
    }

    /// Lets something be done when it is given, once.
    pub(crate) fn when_given(self, act: impl Fn() + Send + Sync + 'static) -> Self {
        self.changed(|answer| answer.when_given = Some(Arc::new(WhenGiven(Once::new(), Box::new(act)))))
    }

    /// Says that it is what the client gets: for adapters, when they make a response of it. One that was the error of an
    /// extractor may never come to that.
    pub fn give(&self) {
        if let Some(WhenGiven(once, act)) = self.0.when_given.as_deref() {
            once.call_once(act);
        }
    }

    /// Sends a person to the login page, and from there back to `next`.
    pub(crate) fn login(login_url: &str, next: Option<&LocalPath>) -> Self {
        let (address, fragment) = login_url.split_at(login_url.find('#').unwrap_or(login_url.len()));
        let mut location = address.to_owned();
        // A login page that was given a way back, for a form as a rule, keeps it.
        let query = address.split_once('?').map_or("", |(_, query)| query);
        let returns = query.split('&').any(|pair| pair.starts_with("next="));
        if let Some(next) = next.filter(|_| !returns) {
            location.push(if address.contains('?') { '&' } else { '?' });
            location.push_str("next=");
            location.push_str(&next.to_query_value());
        }
        location.push_str(fragment);
        Self::to(location, "Please log in.")
    }

    /// Sends a person who is logged in away from a page for guests.
    pub(crate) fn home(home_url: &str) -> Self {
        Self::to(home_url.to_owned(), "You are logged in already.")
    }

    /// The address to which it redirects.
    pub(crate) fn location(&self) -> Option<&str> {
        self.0.location.as_deref()
    }

    /// Says of what error it was made, unless it knows.
    pub(crate) fn because_of(self, error: SessionError) -> Self {
        if self.0.error.is_some() { self } else { self.changed(|answer| answer.error = Some(error)) }
    }

    /// Says what went wrong and what to do, for the developers of the application.
    pub(crate) fn explained(self) -> Self {
        match &self.0.error {
            Some(error) if self.0.status == 500 => {
                let detail = error.chain().to_string();
                self.changed(|answer| answer.detail = detail.into())
            }
            _ => self,
        }
    }

    /// Makes it what the client gets: a page for a person who opened one, and a problem document for everything else.
    pub(crate) fn addressed(self, to_a_person: bool) -> Self {
        if self.0.is_final {
            return self;
        }
        let page = to_a_person.then(|| (PAGE, page::page(self.title(), self.detail())));
        self.changed(|answer| {
            answer.content = page;
            answer.is_final = true;
        })
    }

    /// Returns whether its body is of this content type.
    pub(crate) fn has_type(&self, content_type: Option<&[u8]>) -> bool {
        let own = self.0.content.as_ref().map_or(PROBLEM, |(content_type, _)| content_type);
        content_type == Some(own.as_bytes())
    }

    /// Returns whether every client gets it as it is.
    pub(crate) fn is_final(&self) -> bool {
        self.0.is_final
    }

    fn changed(mut self, change: impl FnOnce(&mut Answer)) -> Self {
        change(Arc::make_mut(&mut self.0));
        self
    }

    /// The status code.
    pub fn status(&self) -> u16 {
        self.0.status
    }

    /// The reason phrase of the status, and the title of the problem.
    pub fn title(&self) -> &'static str {
        status::title(self.0.status)
    }

    /// Returns a sentence for the client about what went wrong. It holds no secret, and tells nothing of a 500.
    pub fn detail(&self) -> &str {
        &self.0.detail
    }

    /// The kind of the error that it was made of; [`Answered`](SessionErrorKind::Answered) if the application made it of
    /// none.
    pub fn kind(&self) -> SessionErrorKind {
        self.0.error.as_ref().map_or(SessionErrorKind::Answered, SessionError::kind)
    }

    /// The error that it was made of, if there is one.
    pub fn error(&self) -> Option<&SessionError> {
        self.0.error.as_ref()
    }

    /// The headers, with lower-case names.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        let Answer { location, headers, content, .. } = &*self.0;
        let location = location.as_deref().map(|location| ("location", location));
        let content_type = content.as_ref().map_or(PROBLEM, |(content_type, _)| content_type);
        let own = [("content-type", content_type), ("cache-control", "no-store")].into_iter().chain(location);
        let own = own.filter(|(name, _)| headers.iter().all(|(added, _)| added != name));
        own.chain(headers.iter().map(|(name, value)| (&**name, &**value)))
    }

    /// The body: a problem document, a page, or what the answer was given.
    pub fn body(&self) -> String {
        if let Some((_, body)) = &self.0.content {
            return body.clone();
        }
        let problem = serde_json::json!({
            "type": "about:blank",
            "title": self.title(),
            "status": self.status(),
            "detail": self.detail(),
        });
        problem.to_string()
    }
}

impl SessionError {
    /// The answer. What failed goes to the log, and the client is told no more than it can act on.
    pub fn rejection(&self) -> Rejection {
        match self.cause::<Rejection>() {
            Some(answer) => answer.clone(),
            None => Rejection::bare(self.status(), self.detail().clone()),
        }
        .because_of(self.clone())
    }

    /// A guard that the handler called refused the request, with this answer.
    pub(crate) fn refused(rejection: Rejection) -> Self {
        let (kind, status, detail) = (rejection.kind(), rejection.status(), rejection.0.detail.clone());
        let scope = rejection.error().and_then(SessionError::scope_noted);
        let refused = Self::new(kind, status, "a guard refused the request", detail, Some(rejection.into()));
        scope.into_iter().for_each(|scope| refused.note_scope(scope));
        refused
    }

    /// A hook answered the request.
    pub(crate) fn answered(rejection: Rejection) -> Self {
        let (status, detail) = (rejection.status(), rejection.0.detail.clone());
        let message = "the application answered the request itself";
        Self::new(SessionErrorKind::Answered, status, message, detail, Some(rejection.into()))
    }
}

impl From<SessionError> for Rejection {
    fn from(error: SessionError) -> Self {
        error.rejection()
    }
}

/// The same to the client.
impl PartialEq for Rejection {
    fn eq(&self, other: &Self) -> bool {
        let Answer { status, detail, location, headers, content, error: _, is_final: _, when_given: _ } = &*self.0;
        (status, detail, location, headers, content)
            == (&other.0.status, &other.0.detail, &other.0.location, &other.0.headers, &other.0.content)
    }
}

impl Eq for Rejection {}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.status(), self.title(), self.detail())
    }
}

impl fmt::Debug for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Rejection {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.error().map(|error| error as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn what_is_done_when_it_is_given_is_done_once() {
        let done = Arc::new(AtomicUsize::new(0));
        let count = done.clone();
        let act = move || {
            count.fetch_add(1, Ordering::SeqCst);
        };
        let rejection = Rejection::new(403, "no").when_given(act);
        assert_eq!((&rejection, done.load(Ordering::SeqCst)), (&Rejection::new(403, "no"), 0));
        rejection.clone().give();
        rejection.clone().addressed(true).give();
        rejection.give();
        assert_eq!(done.load(Ordering::SeqCst), 1);
        Rejection::new(403, "no").give();
    }

    #[test]
    fn they_are_equal_that_say_the_same() {
        let rejection = Rejection::new(403, "no");
        let others = [
            Rejection::new(404, "no"),
            Rejection::new(403, "never"),
            Rejection::html(403, "no"),
            rejection.clone().with_body("text/plain", "no"),
            rejection.clone().with_header("retry-after", 1),
            Rejection::redirect(&LocalPath::default()),
        ];
        assert_eq!(rejection, rejection.clone());
        for other in others {
            assert_ne!(rejection, other);
        }
    }

    #[test]
    fn a_header_of_ours_is_replaced_and_others_stand_beside_each_other() {
        let answer = Rejection::new(401, "no")
            .with_header("WWW-Authenticate", "Bearer")
            .with_header("www-authenticate", "Basic")
            .with_header("Cache-Control", "private");
        let headers: Vec<_> = answer.headers().collect();
        assert_eq!(
            headers,
            [
                ("content-type", "application/problem+json"),
                ("www-authenticate", "Bearer"),
                ("www-authenticate", "Basic"),
                ("cache-control", "private"),
            ]
        );
    }

    #[test]
    fn a_500_tells_the_client_nothing_unless_it_is_explained() {
        let opaque = Rejection::from(SessionError::no_user_loader("Person"));
        assert_eq!((opaque.status(), opaque.kind()), (500, SessionErrorKind::Misuse));
        for text in [opaque.body(), opaque.to_string(), opaque.clone().addressed(true).body()] {
            assert!(text.contains("Internal Server Error") && !text.contains("Person"), "{text}");
        }
        let explained = opaque.explained();
        for text in [explained.body(), explained.addressed(true).body()] {
            assert!(text.contains("Person") && text.contains("SessionManagerBuilder::user_loader"), "{text}");
        }
    }
}

//! The answer that SessionKit gives in place of the handler.

use std::fmt;
use std::sync::{Arc, Once};

use crate::event::{self, EventKind};
use crate::wire::head::{RequestHead, Route};
use crate::wire::local_path::LocalPath;

/// A response that SessionKit gives in place of the handler: a problem document, or a redirect to the login page.
///
/// The body is `application/problem+json` ([RFC 9457](https://www.rfc-editor.org/rfc/rfc9457)), unless it was given
/// [another](Self::with_body).
#[derive(Clone)]
pub struct Rejection {
    status: u16,
    title: &'static str,
    detail: String,
    location: Option<String>,
    /// The content type and the body, where they are not a problem document.
    content: Option<(&'static str, String)>,
    /// What is done when it is given.
    when_given: Option<Arc<WhenGiven>>,
}

/// Done once.
struct WhenGiven(Once, Box<dyn Fn() + Send + Sync>);

impl Rejection {
    /// Makes an answer of this status with a problem document, for hooks. `detail` is a sentence for the client. A status
    /// that is not from 400 to 599 becomes 500.
    ///
    /// ```
    /// # use sessionkit_core as sessionkit;
    /// let refused = sessionkit::Rejection::new(403, "Sessions of this device were revoked.");
    /// assert_eq!(refused.status(), 403);
    /// ```
    pub fn new(status: u16, detail: impl Into<String>) -> Self {
        let status = if (400..600).contains(&status) { status } else { 500 };
        Self { status, title: title(status), detail: detail.into(), location: None, content: None, when_given: None }
    }

    /// Makes an answer of this status that is a page for a person. A status that is not from 400 to 599 becomes 500.
    ///
    /// ```
    /// # use sessionkit_core as sessionkit;
    /// let refused = sessionkit::Rejection::html(403, "<h1>Members only</h1>");
    /// assert_eq!(refused.body(), "<h1>Members only</h1>");
    /// ```
    pub fn html(status: u16, page: impl Into<String>) -> Self {
        let mut answer = Self::new(status, String::new());
        answer.detail = answer.title.into();
        answer.with_body("text/html; charset=utf-8", page)
    }

    /// Gives the answer a body of another content type, in place of the problem document.
    pub fn with_body(mut self, content_type: &'static str, body: impl Into<String>) -> Self {
        self.content = Some((content_type, body.into()));
        self
    }

    /// Sends the client to a page of this site, with 303, for hooks.
    pub fn redirect(to: &LocalPath) -> Self {
        Self::to(to.as_str().to_owned(), "Please continue at the address in `location`.")
    }

    fn to(location: String, detail: &str) -> Self {
        Self { status: 303, title: "See Other", location: Some(location), ..Self::new(500, detail) }
    }

    /// Lets something be done when it is given, once.
    pub(crate) fn when_given(self, act: impl Fn() + Send + Sync + 'static) -> Self {
        Self { when_given: Some(Arc::new(WhenGiven(Once::new(), Box::new(act)))), ..self }
    }

    /// Says that it is what the client gets: for adapters, when they make a response of it. One that was the error of an
    /// extractor may never come to that.
    pub fn give(&self) {
        if let Some(WhenGiven(once, act)) = self.when_given.as_deref() {
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

    /// The request came to a handler without passing the session layer called `layer`, which the log says too.
    pub fn missing_layer(scope: &'static str, adapter_layer: &str, head: &RequestHead<'_>) -> Self {
        let detail = format!(
            "The session layer `{scope}` did not run before {}. Perhaps you forgot to add it? Add `{adapter_layer}` to the \
             application, outside of this route.",
            Route::new(head)
        );
        event::log_at(scope, head, EventKind::Failed { error: format_args!("{detail}") });
        Self::new(500, detail)
    }

    /// The status code.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// What went wrong, in a sentence. It holds no secret.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// The headers, with lower-case names.
    pub fn headers(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let location = self.location.as_deref().map(|location| ("location", location));
        let content_type = self.content.as_ref().map_or("application/problem+json", |(content_type, _)| content_type);
        [("content-type", content_type), ("cache-control", "no-store")].into_iter().chain(location)
    }

    /// The body: a problem document, or what the answer was given.
    pub fn body(&self) -> String {
        if let Some((_, body)) = &self.content {
            return body.clone();
        }
        let problem = serde_json::json!({
            "type": "about:blank",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
        });
        problem.to_string()
    }
}

/// The reason phrase of a status, as RFC 9457 wants it.
fn title(status: u16) -> &'static str {
    match status {
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        409 => "Conflict",
        410 => "Gone",
        429 => "Too Many Requests",
        503 => "Service Unavailable",
        _ if status < 500 => "Client Error",
        _ => "Internal Server Error",
    }
}

/// The same to the client.
impl PartialEq for Rejection {
    fn eq(&self, other: &Self) -> bool {
        let Self { status, title, detail, location, content, when_given: _ } = self;
        (status, title, detail, location, content)
            == (&other.status, &other.title, &other.detail, &other.location, &other.content)
    }
}

impl Eq for Rejection {}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.status, self.title, self.detail)
    }
}

impl fmt::Debug for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Rejection {}

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
            Rejection::redirect(&LocalPath::default()),
        ];
        assert_eq!(rejection, rejection.clone());
        for other in others {
            assert_ne!(rejection, other);
        }
    }
}

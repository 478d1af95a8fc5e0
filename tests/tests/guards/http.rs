//! Requests and responses of no framework.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use sessionkit::MemoryStore;
use sessionkit::testing::FailingStore;

pub(crate) type TestStore = FailingStore<MemoryStore>;

/// An application that answers in this process.
pub(crate) trait App {
    /// Answers one request.
    async fn answer(&self, ask: Ask) -> Answer;

    /// Returns the store of the sessions.
    fn store(&self) -> &TestStore;

    /// Logs in and gives the cookie.
    async fn cookie_of(&self, user: &str) -> String {
        let answer = self.answer(Ask::post(&format!("/login/{user}"))).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let cookie = answer.header("set-cookie").expect("a login sets a cookie");
        cookie.split(';').next().expect("a cookie has a first part").to_owned()
    }
}

pub(crate) struct Ask {
    pub(crate) method: &'static str,
    pub(crate) target: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Probe,
}

impl Ask {
    pub(crate) fn get(target: &str) -> Self {
        Self { method: "GET", target: target.to_owned(), headers: Vec::new(), body: Probe::new("") }
    }

    pub(crate) fn post(target: &str) -> Self {
        Self { method: "POST", ..Self::get(target) }
    }

    pub(crate) fn method(self, method: &'static str) -> Self {
        Self { method, ..self }
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// As a person's browser opens a page.
    pub(crate) fn navigating(self) -> Self {
        self.with("sec-fetch-mode", "navigate")
    }

    pub(crate) fn json(self, body: &'static str) -> Self {
        Self { body: Probe::new(body), ..self.with("content-type", "application/json") }
    }
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
    /// The number of times that the server polled the request's body.
    pub(crate) polled: usize,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// A request's body that counts how often it is asked for.
pub(crate) struct Probe {
    body: Option<&'static str>,
    polled: Arc<AtomicUsize>,
}

impl Probe {
    fn new(body: &'static str) -> Self {
        Self { body: (!body.is_empty()).then_some(body), polled: Arc::default() }
    }

    /// Tells later how often the body was asked for.
    pub(crate) fn count(&self) -> impl Fn() -> usize + use<> {
        let polled = self.polled.clone();
        move || polled.load(Ordering::SeqCst)
    }

    fn next<B: From<&'static str>>(&mut self) -> Poll<Option<B>> {
        self.polled.fetch_add(1, Ordering::SeqCst);
        Poll::Ready(self.body.take().map(B::from))
    }

    /// The body as a stream of bytes, whatever the framework's type for them is.
    pub(crate) fn stream<B: From<&'static str>, E>(mut self) -> Stream<Result<B, E>> {
        Stream(Box::new(move || self.next().map(|item: Option<B>| item.map(Ok))))
    }
}

type Next<T> = Box<dyn FnMut() -> Poll<Option<T>> + Send>;

pub(crate) struct Stream<T>(Next<T>);

impl<T> futures_util::Stream for Stream<T> {
    type Item = T;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<T>> {
        (self.0)()
    }
}

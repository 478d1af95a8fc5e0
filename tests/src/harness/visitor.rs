//! A client with a cookie jar that a test can look into.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use super::{OpenRequest, Server};

/// The name of the session cookie under the bench's settings.
pub const COOKIE: &str = "__Host-session";

/// A person's browser. Clones share the cookie jar.
#[derive(Clone, Debug)]
pub struct Visitor {
    pub(super) address: SocketAddr,
    client: reqwest::Client,
    jar: Arc<Mutex<BTreeMap<String, String>>>,
}

/// An answer of a server.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The body.
    pub body: String,
    /// The headers.
    pub headers: reqwest::header::HeaderMap,
}

impl Answer {
    /// The values of all headers of this name.
    pub fn all(&self, name: &str) -> Vec<&str> {
        self.headers.get_all(name).iter().map(|value| value.to_str().expect("headers are text")).collect()
    }

    /// The `Set-Cookie` headers.
    pub fn cookies(&self) -> Vec<&str> {
        self.all("set-cookie")
    }
}

impl Visitor {
    pub(crate) fn new(address: SocketAddr) -> Self {
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy();
        Self { address, client: client.build().expect("a client can be built"), jar: Arc::default() }
    }

    /// Asks for a path with the jar's cookies, and keeps the cookies of the answer.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(reqwest::Method::GET, path, &[], "").await
    }

    /// Asks for a path in the background, for a request that waits at a gate.
    pub fn get_in_background(&self, path: &str) -> tokio::task::JoinHandle<Answer> {
        let (visitor, path) = (self.clone(), path.to_owned());
        tokio::spawn(async move { visitor.get(&path).await })
    }

    /// Posts a body.
    pub async fn post(&self, path: &str, body: &str) -> Answer {
        self.send(reqwest::Method::POST, path, &[], body).await
    }

    /// Sends any request with the jar's cookies, and keeps the cookies of the answer. A `cookie` among the headers
    /// replaces the jar's.
    pub async fn send(&self, method: reqwest::Method, path: &str, headers: &[(&str, &[u8])], body: &str) -> Answer {
        self.try_send(method, path, headers, body).await.expect("the server answers")
    }

    /// Sends a request to a server that may close the connection instead of answering.
    ///
    /// # Errors
    /// Fails when there is no answer.
    pub async fn try_send(
        &self,
        method: reqwest::Method,
        path: &str,
        headers: &[(&str, &[u8])],
        body: &str,
    ) -> Result<Answer, reqwest::Error> {
        let mut request = self.client.request(method, format!("http://{}{path}", self.address)).body(body.to_owned());
        let cookies = self.cookie_header();
        if !headers.iter().any(|(name, _)| *name == "cookie") && !cookies.is_empty() {
            request = request.header("cookie", cookies);
        }
        for (name, value) in headers {
            request = request.header(*name, reqwest::header::HeaderValue::from_bytes(value).expect("a header value"));
        }
        let response = request.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let answer = Answer { status, headers, body: response.text().await? };
        answer.cookies().into_iter().for_each(|cookie| self.keep(cookie));
        Ok(answer)
    }

    /// Sends a request with the jar's cookies, whose client may leave before it is answered.
    pub async fn begin(&self, path: &str) -> OpenRequest {
        OpenRequest::send(self.address, path, &self.cookie_header()).await
    }

    /// The same browser, at another server of the same site.
    pub fn at(&self, server: &Server) -> Self {
        Self { address: server.address(), ..self.clone() }
    }

    /// The value of the session cookie.
    pub fn token(&self) -> Option<String> {
        self.jar().get(COOKIE).cloned()
    }

    /// Puts a value into the session cookie.
    pub fn set_token(&self, token: &str) {
        self.jar().insert(COOKIE.into(), token.into());
    }

    /// The names of all cookies.
    pub fn cookie_names(&self) -> Vec<String> {
        self.jar().keys().cloned().collect()
    }

    /// The value of a cookie.
    pub fn cookie(&self, name: &str) -> Option<String> {
        self.jar().get(name).cloned()
    }

    /// Puts a value into a cookie.
    pub fn set_cookie(&self, name: &str, value: &str) {
        self.jar().insert(name.into(), value.into());
    }

    /// Another browser, without any cookies.
    pub fn stranger(&self) -> Self {
        Self { jar: Arc::default(), ..self.clone() }
    }

    /// Another browser with a copy of the cookies.
    pub fn fork(&self) -> Self {
        Self { jar: Arc::new(Mutex::new(self.jar().clone())), ..self.clone() }
    }

    pub(super) fn cookie_header(&self) -> String {
        self.jar().iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }

    pub(super) fn keep(&self, set_cookie: &str) {
        let (pair, attributes) = set_cookie.split_once(';').unwrap_or((set_cookie, ""));
        let (name, value) = pair.split_once('=').expect("a cookie has a name");
        if attributes.contains("Max-Age=0") {
            self.jar().remove(name);
        } else {
            self.jar().insert(name.into(), value.into());
        }
    }

    fn jar(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, String>> {
        self.jar.lock().expect("no holder panics")
    }
}

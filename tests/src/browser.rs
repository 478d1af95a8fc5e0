//! A real browser: headless Chromium, steered through chromedriver.
//!
//! ```no_run
//! # async fn example(server: sessionkit_tests::harness::Server) {
//! use sessionkit_tests::browser::Browser;
//!
//! let browser = Browser::start(&[("https://shop.test", server.address())]).await;
//! let tab = browser.tab().await;
//! tab.open("https://shop.test/login").await;
//! tab.fill("user", "ada").await;
//! tab.press("Log in").await;
//! assert_eq!(tab.url().await, "https://shop.test/");
//! # }
//! ```

mod tab;
#[cfg(test)]
mod tests;
mod wire;

pub use tab::{Cookie, Tab};

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use serde_json::json;
use tokio::sync::Mutex;

use self::wire::Wire;
use crate::servers::https::HttpsFront;

/// A browser with a fresh profile. It ends when this and its tabs are dropped, and at the latest with the test process.
#[derive(Clone, Debug)]
pub struct Browser(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// The tab that commands go to, and a flag: `untouched` until a test takes the empty tab that the browser began with.
    focus: Mutex<Focus>,
    wire: Wire,
    _https: Option<HttpsFront>,
}

#[derive(Debug)]
struct Focus {
    window: String,
    untouched: bool,
}

impl Browser {
    /// Starts a browser that knows these origins, `https://shop.test` or `http://shop.test`, at their default ports, and
    /// which plain server is behind each. No other host has an address.
    ///
    /// The certificate is made for the occasion, and the browser trusts its key alone.
    ///
    /// # Panics
    ///
    /// If Chromium or chromedriver is not installed, or does not start.
    pub async fn start(origins: &[(&str, SocketAddr)]) -> Self {
        let (mut rules, mut secure) = (String::new(), BTreeMap::new());
        for (origin, server) in origins {
            match origin.split_once("://") {
                Some(("https", host)) => drop(secure.insert(host.to_owned(), *server)),
                Some(("http", host)) => write!(rules, "MAP {host}:80 {server}, ").expect("strings take all"),
                _ => panic!("`{origin}` is no origin of a browser's"),
            }
        }
        let mut arguments = Vec::new();
        let mut https = None;
        if !secure.is_empty() {
            let hosts: Vec<String> = secure.keys().cloned().collect();
            let front = HttpsFront::start(secure).await;
            for host in hosts {
                write!(rules, "MAP {host}:443 {}, ", front.address()).expect("strings take all");
            }
            arguments.push(format!("--ignore-certificate-errors-spki-list={}", front.fingerprint()));
            https = Some(front);
        }
        // Names such as `localhost`, and addresses, are left as they are.
        arguments.push(format!("--host-resolver-rules={rules}MAP *.test ~NOTFOUND"));
        let wire = Wire::connect(&arguments).await;
        let window = wire.get("window").await.as_str().expect("a window's name is text").to_owned();
        Self(Arc::new(Inner { focus: Mutex::new(Focus { window, untouched: true }), wire, _https: https }))
    }

    /// Returns the directory of the browser's files, which nothing else uses.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.0.wire.driver.directory()
    }

    /// Opens a tab.
    pub async fn tab(&self) -> Tab {
        let mut focus = self.0.focus.lock().await;
        if !std::mem::take(&mut focus.untouched) {
            let new = self.0.wire.post("window/new", json!({ "type": "tab" })).await;
            focus.window = new["handle"].as_str().expect("a window's name is text").to_owned();
            self.0.wire.post("window", json!({ "handle": focus.window })).await;
        }
        Tab::new(self.clone(), focus.window.clone())
    }
}

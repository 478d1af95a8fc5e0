//! The tabs of a browser: the actions of a user in them, and the pages that the user sees.

use serde::Deserialize;
use serde_json::{Value, json};

use super::Browser;

/// A tab of a [`Browser`].
///
/// Whatever a test asks for is awaited until it is there, for some seconds.
///
/// # Panics
///
/// All methods do if the browser cannot do what is asked for.
#[derive(Clone, Debug)]
pub struct Tab {
    browser: Browser,
    window: String,
}

/// A cookie as the browser keeps it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Cookie {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
    /// The host that gets it; with a dot before it, hosts below too.
    pub domain: String,
    /// Paths below which it is sent.
    pub path: String,
    /// True if scripts cannot read it.
    pub http_only: bool,
    /// True if it is sent over https alone.
    pub secure: bool,
    /// `Strict`, `Lax` or `None`.
    pub same_site: Option<String>,
    /// The time at which it ends, in seconds since 1970; without it, with the browser.
    pub expiry: Option<u64>,
}

impl Tab {
    pub(super) fn new(browser: Browser, window: String) -> Self {
        Self { browser, window }
    }

    /// Types an address, and waits until the page is there.
    pub async fn open(&self, url: &str) {
        self.post("url", json!({ "url": url })).await;
    }

    /// Loads the page again.
    pub async fn reload(&self) {
        self.post("refresh", json!({})).await;
    }

    /// Goes back in the history.
    pub async fn back(&self) {
        self.post("back", json!({})).await;
    }

    /// The address of the page.
    pub async fn url(&self) -> String {
        text(&self.get("url").await)
    }

    /// The text of the page, as a person sees it.
    pub async fn text(&self) -> String {
        // In one step: between two the page may give way to the next one.
        text(&self.run("return document.body.innerText").await).trim().to_owned()
    }

    /// Waits until an element that contains this text is there.
    pub async fn wait_for(&self, text: &str) {
        self.find("xpath", &format!("//body/descendant-or-self::*[contains(normalize-space(), {})]", quote(text)))
            .await;
    }

    /// Waits until there is something that this CSS selector names.
    pub async fn wait_for_element(&self, selector: &str) {
        self.find("css selector", selector).await;
    }

    /// Types into the field of this name.
    pub async fn fill(&self, field: &str, value: &str) {
        let field = self.find("css selector", &format!("[name='{field}']:not([type='hidden'])")).await;
        self.post(&format!("element/{field}/value"), json!({ "text": value })).await;
    }

    /// Presses the button with this text or label.
    pub async fn press(&self, button: &str) {
        let label = quote(button);
        self.click("xpath", &format!("//button[normalize-space() = {label} or @aria-label = {label}]")).await;
    }

    /// Follows the link with this text.
    pub async fn follow(&self, link: &str) {
        self.click("link text", link).await;
    }

    /// Clicks on what this CSS selector names.
    pub async fn click_on(&self, selector: &str) {
        self.click("css selector", selector).await;
    }

    /// Looks into the frame that this CSS selector names, and comes back out.
    pub async fn in_frame<T>(&self, selector: &str, look: impl Future<Output = T>) -> T {
        let frame = self.post("element", json!({ "using": "css selector", "value": selector })).await;
        self.post("frame", json!({ "id": frame })).await;
        let seen = look.await;
        self.post("frame", json!({ "id": null })).await;
        seen
    }

    /// Runs the body of an asynchronous function in the page, and returns what it returns.
    pub async fn run(&self, body: &str) -> Value {
        let script = format!("return (async () => {{ {body} }})()");
        self.post("execute/sync", json!({ "script": script, "args": [] })).await
    }

    /// The cookies that a request for this page takes along, those that scripts cannot read too.
    pub async fn cookies(&self) -> Vec<Cookie> {
        serde_json::from_value(self.get("cookie").await).expect("cookies are as WebDriver says")
    }

    /// Makes the page so wide, in CSS pixels, as that of a phone.
    pub async fn resize(&self, width: u32, height: u32) {
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        let command = json!({ "cmd": "Emulation.setDeviceMetricsOverride", "params": metrics });
        self.post("goog/cdp/execute", command).await;
    }

    async fn click(&self, strategy: &str, what: &str) {
        let element = self.find(strategy, what).await;
        self.post(&format!("element/{element}/click"), json!({})).await;
    }

    /// The id of an element.
    async fn find(&self, strategy: &str, what: &str) -> String {
        let element = self.post("element", json!({ "using": strategy, "value": what })).await;
        text(element.as_object().and_then(|element| element.values().next()).expect("an element has an id"))
    }

    async fn get(&self, command: &str) -> Value {
        let focus = self.focus().await;
        let answer = self.browser.0.wire.get(command).await;
        drop(focus);
        answer
    }

    async fn post(&self, command: &str, parameters: Value) -> Value {
        let focus = self.focus().await;
        let answer = self.browser.0.wire.post(command, parameters).await;
        drop(focus);
        answer
    }

    /// Brings this tab to the front, for as long as the result is held.
    async fn focus(&self) -> impl Drop {
        let mut focus = self.browser.0.focus.lock().await;
        if focus.window != self.window {
            self.browser.0.wire.post("window", json!({ "handle": self.window })).await;
            focus.window.clone_from(&self.window);
        }
        focus
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}

/// XPath has no escapes.
fn quote(text: &str) -> String {
    assert!(!text.contains('"'), "no test has needed quotation marks yet");
    format!("\"{text}\"")
}

//! The protocol, <https://www.w3.org/TR/webdriver2/>: JSON over http.

use std::time::Duration;

use reqwest::{Client, Method};
use serde_json::{Value, json};

use crate::servers::chromedriver::Chromedriver;

/// The arguments that turn off features that no test needs, or that no container offers.
const ARGUMENTS: [&str; 11] = [
    "--headless",
    // As root there is none.
    "--no-sandbox",
    "--disable-gpu",
    // Small in containers.
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    // `http://` means it.
    "--disable-features=HttpsUpgrades",
    // Over a pipe from chromedriver, so that the browser ends with it, however that ends.
    "--remote-debugging-pipe",
];

/// The time for which the browser waits for an element that a test expects, or for a script.
const PATIENCE: Duration = Duration::from_secs(30);

/// A session of WebDriver, which is one browser.
#[derive(Debug)]
pub(super) struct Wire {
    client: Client,
    session: String,
    /// Ends the browser with it.
    pub(super) driver: Chromedriver,
}

impl Wire {
    /// Starts a browser with more arguments.
    pub(super) async fn connect(more: &[String]) -> Self {
        let driver = Chromedriver::start();
        let client = Client::builder().no_proxy().build().expect("a client can be built");
        let profile = format!("--user-data-dir={}", driver.directory().join("profile").display());
        let arguments = ARGUMENTS.iter().map(|argument| (*argument).to_owned());
        let arguments: Vec<String> = arguments.chain([profile]).chain(more.iter().cloned()).collect();
        let patience = PATIENCE.as_millis() as u64;
        let capabilities = json!({ "capabilities": { "alwaysMatch": {
            "goog:chromeOptions": { "args": arguments, "binary": driver.browser() },
            "timeouts": { "implicit": patience, "script": patience, "pageLoad": 3 * patience },
            "unhandledPromptBehavior": "accept",
        } } });
        let all = format!("{}/session", driver.url());
        let new = ask(&client, Method::POST, &all, Some(capabilities)).await;
        let new = new.unwrap_or_else(|error| panic!("the browser does not start: {error}"));
        let id = new["sessionId"].as_str().expect("a session has an id");
        Self { session: format!("{all}/{id}"), client, driver }
    }

    /// Asks for a value.
    pub(super) async fn get(&self, command: &str) -> Value {
        let answer = ask(&self.client, Method::GET, &format!("{}/{command}", self.session), None).await;
        answer.unwrap_or_else(|error| panic!("{command}: {error}"))
    }

    /// Has something done.
    pub(super) async fn post(&self, command: &str, parameters: Value) -> Value {
        let url = format!("{}/{command}", self.session);
        let answer = ask(&self.client, Method::POST, &url, Some(parameters.clone())).await;
        answer.unwrap_or_else(|error| panic!("{command} {parameters}: {error}"))
    }
}

async fn ask(client: &Client, method: Method, url: &str, parameters: Option<Value>) -> Result<Value, String> {
    let mut request = client.request(method, url);
    if let Some(parameters) = parameters {
        request = request.header("content-type", "application/json").body(parameters.to_string());
    }
    let answer = request.send().await.map_err(|error| error.to_string())?;
    let succeeded = answer.status().is_success();
    let answer = answer.text().await.map_err(|error| error.to_string())?;
    let answer: Value = serde_json::from_str(&answer).map_err(|error| format!("{error}: {answer}"))?;
    let value = &answer["value"];
    if succeeded {
        return Ok(value.clone());
    }
    // Without the stack trace of chromedriver.
    Err(format!("{}: {}", value["error"].as_str().unwrap_or_default(), value["message"].as_str().unwrap_or_default()))
}

//! A browser without a window.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use reqwest::cookie::{CookieStore as _, Jar};
use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, RequestBuilder};
use serde_json::Value;

use crate::shop::Shop;

/// A browser that does not follow redirects by itself. Clones are tabs.
#[derive(Clone)]
pub struct Browser {
    client: Client,
    cookies: Arc<Jar>,
    address: String,
}

/// An answer of a shop.
pub struct Page {
    pub status: u16,
    pub location: String,
    pub content_type: String,
    pub sets_cookie: bool,
    pub body: String,
}

/// The answer to `GET /api/session`; `lasts` counts seconds from now.
pub struct SessionSeen {
    pub user: Value,
    pub cart: Value,
    pub lasts: Option<u64>,
}

impl Browser {
    pub fn at(shop: &Shop) -> Self {
        Self::of(shop, Client::builder(), Jar::default())
    }

    /// A browser that says of itself what it is.
    pub fn called(agent: &str, shop: &Shop) -> Self {
        Self::of(shop, Client::builder().user_agent(agent), Jar::default())
    }

    /// A browser that has this cookie.
    pub fn with_cookie(cookie: &str, shop: &Shop) -> Self {
        let jar = Jar::default();
        jar.add_cookie_str(cookie, &shop.address.parse().expect("it is an address"));
        Self::of(shop, Client::builder(), jar)
    }

    fn of(shop: &Shop, client: ClientBuilder, cookies: Jar) -> Self {
        let cookies = Arc::new(cookies);
        let client = client.redirect(Policy::none()).no_proxy().cookie_provider(cookies.clone());
        Self { client: client.build().expect("a client can be built"), cookies, address: shop.address.clone() }
    }

    /// The header `Cookie` that it sends.
    pub fn cookie(&self) -> String {
        let header = self.cookies.cookies(&self.address.parse().expect("it is an address"));
        header.expect("it has a cookie").to_str().expect("cookies are text").to_owned()
    }

    /// The same browser at another shop. Cookies do not tell ports apart.
    pub fn walk_to(&self, shop: &Shop) -> Self {
        Self { address: shop.address.clone(), ..self.clone() }
    }

    pub async fn get(&self, path: &str) -> Page {
        Self::send(self.client.get(format!("{}{path}", self.address))).await
    }

    /// Opens a page as a person does.
    pub async fn open(&self, path: &str) -> Page {
        let request = self.client.get(format!("{}{path}", self.address));
        Self::send(request.header("accept", "text/html").header("sec-fetch-mode", "navigate")).await
    }

    pub async fn post(&self, path: &str, form: &[(&str, &str)]) -> Page {
        Self::send(self.client.post(format!("{}{path}", self.address)).form(form)).await
    }

    /// Posts a form as a browser does.
    pub async fn submit(&self, path: &str, form: &[(&str, &str)]) -> Page {
        let request = self.client.post(format!("{}{path}", self.address)).form(form);
        Self::send(request.header("sec-fetch-site", "same-origin").header("sec-fetch-mode", "navigate")).await
    }

    /// Posts a form that a page of another site has.
    pub async fn post_from_elsewhere(&self, path: &str, form: &[(&str, &str)]) -> Page {
        let request = self.client.post(format!("{}{path}", self.address)).form(form);
        Self::send(request.header("sec-fetch-site", "cross-site")).await
    }

    /// Opens a page, and posts what a person fills in there.
    pub async fn fill_in(&self, page: &str, path: &str, form: &[(&str, &str)]) -> Page {
        let page = self.open(page).await;
        let (_, rest) = page.body.split_once(r#"name="csrf_token" value=""#).expect("the form has a token");
        let (token, _) = rest.split_once('"').expect("the token ends");
        self.post(path, &[form, &[("csrf_token", token)]].concat()).await
    }

    pub async fn add(&self, item: &str) {
        assert_eq!(self.post("/cart", &[("item", item)]).await.status, 303);
    }

    pub async fn log_in(&self, user: &str) -> Page {
        let page = self.post("/login", &[("user", user), ("password", user)]).await;
        assert_eq!(page.status, 303);
        page
    }

    pub async fn session(&self) -> SessionSeen {
        let mut told: Value = serde_json::from_str(&self.get("/api/session").await.body).expect("it is JSON");
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is right").as_secs();
        let lasts = told["expires_at"].as_u64().map(|end| end - now);
        SessionSeen { user: told["user"].take(), cart: told["cart"].take(), lasts }
    }

    async fn send(request: RequestBuilder) -> Page {
        let response = request.send().await.expect("the shop answers");
        let header =
            |name| response.headers().get(name).map(|value| value.to_str().expect("headers are text").to_owned());
        Page {
            status: response.status().as_u16(),
            location: header("location").unwrap_or_default(),
            content_type: header("content-type").unwrap_or_default(),
            sets_cookie: header("set-cookie").is_some(),
            body: response.text().await.expect("the body is text"),
        }
    }
}

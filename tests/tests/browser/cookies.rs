//! Tests of the cookie in a real browser: which attributes it keeps, and which hosts it sends the cookie to.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use sessionkit::{CookieMaxAge, SameSite};
use sessionkit_tests::both_frameworks;
use sessionkit_tests::browser::{Browser, Cookie, Tab};
use sessionkit_tests::harness::{Bench, Server};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

both_frameworks! {
    tests: [
        the_browser_stores_the_cookie_as_it_was_meant,
        settings_of_the_cookie_reach_the_browser,
        a_plain_page_keeps_no_host_cookie,
        a_host_cookie_belongs_to_one_host,
        a_sibling_host_plants_no_session,
    ];

    async fn who(auth: Auth) -> Result<Reply, SessionRejection> {
        Ok(Reply::html(auth.user_id().await?.unwrap_or_else(|| "nobody".into())))
    }

    async fn enter(auth: Auth) -> Result<Reply, SessionRejection> {
        auth.login("ada").await?;
        Ok(Reply::see_other("/who"))
    }

    async fn leave(auth: Auth) -> Result<Reply, SessionRejection> {
        auth.logout().await?;
        Ok(Reply::see_other("/who"))
    }

    /// Sets cookies as a sibling host might: each for the whole domain, so that none may count as ours.
    async fn plant() -> Reply {
        let token = "A".repeat(64);
        let cookies = [
            format!("__Host-session={token}; Secure; Path=/; Domain=shop.test"),
            format!("__Host-session={token}; Secure; Path=/; Domain=.shop.test"),
            format!("__Host-session={token}; Path=/; Domain=shop.test"),
            format!("__host-SESSION={token}; Secure; Path=/; Domain=shop.test"),
            format!("session={token}; Secure; Path=/; Domain=shop.test"),
        ];
        let page = Reply::html("planted");
        cookies.into_iter().fold(page, |page, cookie| page.header("set-cookie", cookie))
    }

    async fn start(bench: &Bench) -> Server {
        serve(bench, routes!["/who" => who, "/enter" => enter, "/leave" => leave, "/plant" => plant]).await
    }

    async fn the_browser_stores_the_cookie_as_it_was_meant() {
        let bench = Bench::memory().with_config(|config| config.ttl(DAY));
        let server = start(&bench).await;
        let browser = Browser::start(&[("https://shop.test", server.address())]).await;
        let tab = browser.tab().await;
        tab.open("https://shop.test/who").await;
        assert_eq!(tab.cookies().await, [], "looking around sets none");

        tab.open("https://shop.test/enter").await;
        assert_eq!(tab.text().await, "ada");
        let cookie = the_cookie(&tab).await;
        assert_eq!((cookie.name.as_str(), cookie.domain.as_str(), cookie.path.as_str()), ("__Host-session", "shop.test", "/"));
        assert_eq!((cookie.http_only, cookie.secure, cookie.same_site.as_deref()), (true, true, Some("Lax")));
        assert_eq!(cookie.value.len(), 64);
        assert_ends_in(&cookie, DAY);
        assert_eq!(tab.run("return document.cookie").await, "", "scripts cannot read it");
        // Another one takes its place.
        tab.open("https://shop.test/enter").await;
        assert_ne!(the_cookie(&tab).await.value, cookie.value);

        tab.open("https://shop.test/leave").await;
        assert_eq!(tab.text().await, "nobody");
        assert_eq!(tab.cookies().await, []);
    }

    async fn settings_of_the_cookie_reach_the_browser() {
        let bench = Bench::memory().with_config(|config| {
            let config = config.cookie_name("__Secure-shop").cookie_domain("shop.test").cookie_path("/who");
            config.cookie_same_site(SameSite::Strict).cookie_max_age(CookieMaxAge::Session)
        });
        let server = start(&bench).await;
        let hosts = ["https://shop.test", "https://www.shop.test"].map(|host| (host, server.address()));
        let browser = Browser::start(&hosts).await;
        let tab = browser.tab().await;
        tab.open("https://shop.test/enter").await;
        assert_eq!(tab.text().await, "ada");
        let cookie = the_cookie(&tab).await;
        assert_eq!((cookie.name.as_str(), cookie.domain.as_str(), cookie.path.as_str()), ("__Secure-shop", ".shop.test", "/who"));
        assert_eq!((cookie.http_only, cookie.secure, cookie.same_site.as_deref()), (true, true, Some("Strict")));
        assert_eq!(cookie.expiry, None);
        tab.open("https://www.shop.test/who").await;
        assert_eq!(tab.text().await, "ada", "hosts below share it");
    }

    async fn a_plain_page_keeps_no_host_cookie() {
        let server = start(&Bench::memory()).await;
        let origins = ["https://shop.test", "http://shop.test"].map(|origin| (origin, server.address()));
        let browser = Browser::start(&origins).await;
        let tab = browser.tab().await;
        tab.open("http://shop.test/enter").await;
        assert_eq!((tab.url().await.as_str(), tab.text().await.as_str()), ("http://shop.test/who", "nobody"));
        assert_eq!(tab.cookies().await, []);
        // Nor does a plain page see, replace or remove the one of the same host's https pages.
        tab.open("https://shop.test/enter").await;
        let cookie = the_cookie(&tab).await;
        for path in ["/who", "/enter", "/leave", "/plant"] {
            tab.open(&format!("http://shop.test{path}")).await;
            assert_eq!(tab.cookies().await, [], "{path}");
        }
        tab.run("document.cookie = '__Host-session=; Path=/; Max-Age=0'").await;
        tab.open("https://shop.test/who").await;
        assert_eq!(tab.text().await, "ada");
        assert_eq!(the_cookie(&tab).await, cookie);
    }

    async fn a_host_cookie_belongs_to_one_host() {
        let server = start(&Bench::memory()).await;
        let hosts = ["https://shop.test", "https://www.shop.test"].map(|host| (host, server.address()));
        let browser = Browser::start(&hosts).await;
        let tab = browser.tab().await;
        tab.open("https://shop.test/enter").await;
        assert_eq!(tab.text().await, "ada");
        tab.open("https://www.shop.test/who").await;
        assert_eq!((tab.text().await.as_str(), tab.cookies().await), ("nobody", Vec::new()));
    }

    async fn a_sibling_host_plants_no_session() {
        let server = start(&Bench::memory()).await;
        let hosts = ["https://shop.test", "https://blog.shop.test"].map(|host| (host, server.address()));
        let browser = Browser::start(&hosts).await;
        let tab = browser.tab().await;
        tab.open("https://shop.test/enter").await;
        let cookie = the_cookie(&tab).await;
        tab.open("https://blog.shop.test/plant").await;
        assert_eq!(tab.text().await, "planted");
        let script = "document.cookie = '__Host-session=A; Secure; Path=/; Domain=shop.test'";
        tab.run(script).await;
        // Whatever has no prefix may be set for the hosts around; it is none of ours.
        assert_eq!(names(&tab.cookies().await), ["session"]);
        tab.open("https://shop.test/who").await;
        assert_eq!(tab.text().await, "ada");
        let cookies = tab.cookies().await;
        assert_eq!(names(&cookies), ["__Host-session", "session"]);
        assert!(cookies.contains(&cookie));
    }
}

async fn the_cookie(tab: &Tab) -> Cookie {
    let cookies: [Cookie; 1] = tab.cookies().await.try_into().expect("there is one cookie");
    cookies.into_iter().next().expect("it has one item")
}

fn names(cookies: &[Cookie]) -> Vec<&str> {
    let mut names: Vec<&str> = cookies.iter().map(|cookie| cookie.name.as_str()).collect();
    names.sort_unstable();
    names
}

fn assert_ends_in(cookie: &Cookie, time: Duration) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("1970 is over");
    let left = Duration::from_secs(cookie.expiry.expect("the cookie has an end")).saturating_sub(now);
    let difference = left.abs_diff(time);
    assert!(difference < Duration::from_secs(60), "{difference:?}");
}

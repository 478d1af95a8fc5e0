//! One person's tabs, and the way back.

use sessionkit::SessionData;
use sessionkit_tests::both_frameworks;
use sessionkit_tests::browser::Browser;
use sessionkit_tests::harness::{Bench, Server};

#[derive(SessionData)]
struct Cart {
    #[session(merge = add)]
    items: u32,
}

/// A browser keeps the pages that one has just left as they were, and Chromium also those that say `no-store`. It drops them
/// when the cookie changes, but takes its time for it.
const ASK_AGAIN: &str = "<script>addEventListener('pageshow', shown => shown.persisted && location.reload())</script>";

both_frameworks! {
    tests: [
        a_logout_in_one_tab_acts_in_the_other,
        a_login_in_one_tab_acts_in_the_other,
        parallel_requests_of_one_page_all_count,
        the_way_back_after_a_logout_shows_nothing,
    ];

    async fn login() -> Reply {
        Reply::html("Please log in")
    }

    async fn enter(auth: Auth) -> Result<Reply, SessionRejection> {
        auth.login("ada").await?;
        Ok(Reply::see_other("/secret"))
    }

    async fn leave(auth: Auth) -> Result<Reply, SessionRejection> {
        auth.logout().await?;
        Ok(Reply::see_other("/"))
    }

    async fn home(auth: Auth) -> Result<Reply, SessionRejection> {
        let who = auth.user_id().await?.unwrap_or_else(|| "nobody".into());
        Ok(Reply::html(format!("Home of {who} <a href=/leave>leave</a>")))
    }

    async fn add(mut cart: Session<Cart>) -> Reply {
        cart.items += 1;
        Reply::ok(cart.items)
    }

    #[session(require_login)]
    async fn secret(cart: SessionView<Cart>) -> Reply {
        let page = format!("The secret, {} items <a href=/leave>leave</a>{ASK_AGAIN}", cart.items);
        Reply::html(page).header("cache-control", "no-store")
    }

    async fn browser() -> (Server, Browser) {
        let routes = routes!["/" => home, "/login" => login, "/enter" => enter, "/leave" => leave, "/secret" => secret, "/add" => add];
        let server = serve(&Bench::memory(), routes).await;
        let browser = Browser::start(&[("https://shop.test", server.address())]).await;
        (server, browser)
    }

    async fn a_logout_in_one_tab_acts_in_the_other() {
        let (_server, browser) = browser().await;
        let (one, other) = (browser.tab().await, browser.tab().await);
        one.open("https://shop.test/enter").await;
        other.open("https://shop.test/secret").await;
        other.wait_for("The secret").await;
        one.follow("leave").await;
        one.wait_for("Home of nobody").await;
        other.reload().await;
        other.wait_for("Please log in").await;
        assert_eq!(other.url().await, "https://shop.test/login?next=/secret");
        assert_eq!(other.cookies().await, []);
    }

    async fn a_login_in_one_tab_acts_in_the_other() {
        let (_server, browser) = browser().await;
        let (one, other) = (browser.tab().await, browser.tab().await);
        other.open("https://shop.test/").await;
        other.wait_for("Home of nobody").await;
        // It has a session, whose token the login replaces.
        other.run("await fetch('/add')").await;
        one.open("https://shop.test/enter").await;
        one.wait_for("The secret, 1 items").await;
        other.run("await fetch('/add')").await;
        other.open("https://shop.test/secret").await;
        other.wait_for("The secret, 2 items").await;
    }

    async fn parallel_requests_of_one_page_all_count() {
        let (_server, browser) = browser().await;
        let tab = browser.tab().await;
        tab.open("https://shop.test/enter").await;
        tab.run("await Promise.all(Array.from({ length: 20 }, () => fetch('/add')))").await;
        tab.reload().await;
        tab.wait_for("The secret, 20 items").await;
    }

    async fn the_way_back_after_a_logout_shows_nothing() {
        let (_server, browser) = browser().await;
        let tab = browser.tab().await;
        tab.open("https://shop.test/").await;
        tab.open("https://shop.test/enter").await;
        tab.wait_for("The secret").await;
        tab.follow("leave").await;
        tab.wait_for("Home of nobody").await;
        tab.back().await;
        tab.wait_for("Please log in").await;
        assert_eq!(tab.text().await, "Please log in");
    }
}

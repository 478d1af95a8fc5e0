//! The shop as a person sees it.

use sessionkit_tests::browser::{Browser, Tab};

use crate::Browser as Client;
use crate::shop::Shop;

/// The width of a small phone, in CSS pixels.
const PHONE: u32 = 360;

#[tokio::test]
async fn a_person_at_the_shop_on_axum() {
    visit("shop").await;
}

#[tokio::test]
async fn a_person_at_the_shop_on_actix() {
    visit("shop-actix").await;
}

async fn visit(example: &str) {
    let shop = Shop::open(example, None);
    let address = shop.address.strip_prefix("http://").and_then(|address| address.parse().ok());
    let browser = Browser::start(&[("http://shop.test", address.expect("the shop says where it is"))]).await;
    let tab = browser.tab().await;
    a_login_leads_where_one_wanted_to_go(&tab).await;
    a_page_notices_that_its_session_ends(&browser, &tab).await;
    a_new_password_ends_the_other_sessions(&shop, &tab).await;
    the_pages_fit_a_phone(&tab).await;
    // With the stream of events still open.
    tab.open("http://shop.test/account").await;
    tab.wait_for_element("#live.on").await;
    shop.close();
}

async fn a_login_leads_where_one_wanted_to_go(tab: &Tab) {
    tab.open("http://shop.test/account").await;
    log_in(tab, "bob", "bob").await;
    tab.wait_for("Welcome, Bob.").await;
    assert_eq!(tab.url().await, "http://shop.test/account");
    tab.wait_for("Chrome on ").await;
}

async fn a_page_notices_that_its_session_ends(browser: &Browser, tab: &Tab) {
    tab.wait_for_element("#live.on").await;
    let other = browser.tab().await;
    other.open("http://shop.test/").await;
    log_out(&other).await;
    // Not the text alone: the script that writes it contains it, too.
    tab.wait_for_element("main [role='alert']").await;
    let left = tab.text().await;
    assert!(left.contains("This session was ended elsewhere."), "{left}");
    assert!(!left.contains("Bob"), "what was private is gone");
    tab.follow("Log in again").await;
    log_in(tab, "bob", "bob").await;
    tab.wait_for("Your account").await;
}

async fn a_new_password_ends_the_other_sessions(shop: &Shop, tab: &Tab) {
    let elsewhere = Client::at(shop);
    elsewhere.log_in("bob").await;
    assert_eq!(elsewhere.open("/account").await.status, 200);

    tab.follow("Change password").await;
    change_password(tab, "not bob", "builder", "builder").await;
    tab.wait_for("That is not your current password.").await;
    change_password(tab, "bob", "builder", "bilder").await;
    tab.wait_for("The two are not the same.").await;
    assert_eq!(elsewhere.open("/account").await.status, 200);
    change_password(tab, "bob", "builder", "builder").await;
    tab.wait_for("Your password is changed.").await;
    assert_eq!(tab.url().await, "http://shop.test/account");

    assert_eq!(elsewhere.open("/account").await.location, "/login?next=/account");
    log_out(tab).await;
    tab.open("http://shop.test/account").await;
    log_in(tab, "bob", "bob").await;
    tab.wait_for("That user and password do not go together.").await;
    log_in(tab, "bob", "builder").await;
    tab.wait_for("Your account").await;
}

async fn the_pages_fit_a_phone(tab: &Tab) {
    log_out(tab).await;
    tab.open("http://shop.test/login").await;
    log_in(tab, "ada", "ada").await;
    tab.wait_for("Welcome, Ada.").await;
    tab.resize(PHONE, 700).await;
    for path in ["/", "/cart", "/session", "/account", "/password", "/admin", "/login", "/nothing"] {
        tab.open(&format!("http://shop.test{path}")).await;
        let width = tab.run("return document.documentElement.scrollWidth").await;
        assert!(width.as_u64().is_some_and(|width| width <= PHONE.into()), "{path}: {width}");
    }
}

async fn log_in(tab: &Tab, user: &str, password: &str) {
    tab.wait_for_element("[name='user']:not([type='hidden'])").await;
    tab.fill("user", user).await;
    tab.fill("password", password).await;
    tab.press("Log in").await;
}

async fn log_out(tab: &Tab) {
    tab.press("Log out").await;
    tab.wait_for_element("a.button[href='/login']").await;
}

async fn change_password(tab: &Tab, current: &str, new: &str, again: &str) {
    tab.fill("current", current).await;
    tab.fill("password", new).await;
    tab.fill("again", again).await;
    tab.press("Change password").await;
}

//! The shop as a person sees it.

use sessionkit_tests::browser::{Browser, Tab};
use sessionkit_tests::servers::redis::RedisServer;

use crate::client::Browser as Client;
use crate::identity;
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

#[tokio::test]
async fn a_person_who_comes_back_to_the_shop_on_axum() {
    come_back("shop").await;
}

#[tokio::test]
async fn a_person_who_comes_back_to_the_shop_on_actix() {
    come_back("shop-actix").await;
}

#[tokio::test]
async fn a_person_with_devices_at_two_shops_on_one_redis() {
    let redis = RedisServer::start();
    let url = redis.url();
    let (shop, twin) = (Shop::open("shop", Some(&url)), Shop::open("shop-actix", Some(&url)));
    let browser = look_at(&shop, &twin).await;
    let tab = browser.tab().await;
    a_login_leads_where_one_wanted_to_go(&tab).await;
    a_page_notices_that_another_device_ends_its_session(&browser, &tab).await;
}

async fn visit(example: &str) {
    let shop = Shop::open(example, None);
    let browser = look_at(&shop, &shop).await;
    let tab = browser.tab().await;
    a_login_leads_where_one_wanted_to_go(&tab).await;
    a_page_notices_that_its_session_ends(&browser, &tab).await;
    a_page_notices_that_another_device_ends_its_session(&browser, &tab).await;
    a_page_stays_when_its_session_goes_on(&browser, &tab).await;
    a_new_password_ends_the_other_sessions(&shop, &tab).await;
    an_admin_ends_the_sessions_of_a_customer(&browser, &tab).await;
    the_pages_fit_a_phone(&tab).await;
    // With the stream of events still open.
    tab.open("http://shop.test/account").await;
    tab.wait_for_element("#live.on").await;
    shop.close();
}

/// A browser that is two devices: cookies of one host do not go to the other.
async fn look_at(shop: &Shop, from_the_phone: &Shop) -> Browser {
    let address = |shop: &Shop| {
        let address = shop.address.strip_prefix("http://").and_then(|address| address.parse().ok());
        address.expect("the shop says where it is")
    };
    Browser::start(&[("http://shop.test", address(shop)), ("http://phone.test", address(from_the_phone))]).await
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
    tab.wait_for_element("[name='user']").await;
    assert_eq!(tab.url().await, "http://shop.test/login?next=/account");
    assert!(!tab.text().await.contains("Bob"), "what was private is gone");
    log_in(tab, "bob", "bob").await;
    tab.wait_for("Your account").await;
}

async fn a_page_notices_that_another_device_ends_its_session(browser: &Browser, tab: &Tab) {
    let phone = browser.tab().await;
    phone.open("http://phone.test/account").await;
    log_in(&phone, "bob", "bob").await;
    phone.wait_for_element("#live.on").await;

    tab.follow("All your devices").await;
    tab.wait_for("This device").await;
    tab.click_on("[name='device']").await;
    tab.wait_for("That device is logged out.").await;
    phone.wait_for_element("[name='user']").await;
    assert_eq!(phone.url().await, "http://phone.test/login?next=/account");

    log_in(&phone, "bob", "bob").await;
    phone.wait_for_element("#live.on").await;
    tab.reload().await;
    tab.press("Log out everywhere else").await;
    tab.wait_for("All other devices are logged out.").await;
    phone.wait_for_element("[name='user']").await;
    let left = tab.text().await;
    assert!(left.contains("This device") && !left.contains("everywhere else"), "{left}");
}

async fn a_page_stays_when_its_session_goes_on(browser: &Browser, tab: &Tab) {
    tab.open("http://shop.test/account").await;
    tab.wait_for_element("#live.on").await;
    tab.run("document.title = 'The same page'").await;
    let other = browser.tab().await;
    other.open("http://shop.test/login").await;
    confirm(&other, "bob").await;
    other.wait_for("Six good things").await;
    tab.wait_for_element("#live:not(.on)").await;
    tab.wait_for_element("#live.on").await;
    assert_eq!(tab.run("return document.title").await, "The same page");
}

async fn a_new_password_ends_the_other_sessions(shop: &Shop, tab: &Tab) {
    let elsewhere = Client::at(shop);
    elsewhere.log_in("bob").await;
    assert_eq!(elsewhere.open("/account").await.status, 200);

    tab.follow("Change password").await;
    change_password(tab, "builder", "bilder").await;
    tab.wait_for("The two are not the same.").await;
    assert_eq!(elsewhere.open("/account").await.status, 200);
    change_password(tab, "builder", "builder").await;
    tab.wait_for("Your password is changed.").await;
    assert_eq!(tab.url().await, "http://shop.test/account");

    assert_eq!(elsewhere.open("/account").await.location, "/login?next=/account");
    log_out(tab).await;
    tab.open("http://shop.test/account").await;
    log_in(tab, "bob", "bob").await;
    tab.wait_for("That password does not fit.").await;
    log_in(tab, "bob", "builder").await;
    tab.wait_for("Your account").await;
}

async fn an_admin_ends_the_sessions_of_a_customer(browser: &Browser, tab: &Tab) {
    tab.wait_for_element("#live.on").await;
    tab.open("http://shop.test/admin/people").await;
    tab.wait_for("This is not for you").await;
    tab.back().await;
    tab.wait_for_element("#live.on").await;

    let office = browser.tab().await;
    office.open("http://phone.test/admin/people").await;
    log_in(&office, "ada", "ada").await;
    office.wait_for("Customer, logged in on 1 device").await;
    office.press("Log out Bob").await;
    office.wait_for("Bob is logged out everywhere.").await;
    office.wait_for("Customer, not logged in").await;
    tab.wait_for_element("[name='user']").await;
    log_in(tab, "bob", "builder").await;
    tab.wait_for("Your account").await;
}

async fn the_pages_fit_a_phone(tab: &Tab) {
    log_out(tab).await;
    tab.open("http://shop.test/login").await;
    log_in(tab, "ada", "ada").await;
    tab.wait_for("Welcome, Ada.").await;
    tab.resize(PHONE, 700).await;
    for path in
        ["/", "/cart", "/session", "/account", "/devices", "/password", "/admin", "/admin/people", "/login", "/nothing"]
    {
        tab.open(&format!("http://shop.test{path}")).await;
        let width = tab.run("return document.documentElement.scrollWidth").await;
        assert!(width.as_u64().is_some_and(|width| width <= PHONE.into()), "{path}: {width}");
    }
}

async fn come_back(example: &str) {
    let redis = RedisServer::start();
    let shop = Shop::open(example, Some(&redis.url()));
    let browser = look_at(&shop, &shop).await;
    let tab = browser.tab().await;
    tab.open("http://shop.test/").await;
    let cookie = identity::stale("bob", &redis).await.cookie();
    tab.run(&format!("document.cookie = '{cookie}'")).await;
    tab.open("http://shop.test/account").await;
    tab.follow("Change password").await;
    tab.wait_for("Please confirm that it is you").await;
    confirm(&tab, "ada").await;
    tab.wait_for("That password does not fit.").await;
    confirm(&tab, "bob").await;
    tab.wait_for("New password").await;
    assert_eq!(tab.url().await, "http://shop.test/password");
    change_password(&tab, "builder", "builder").await;
    tab.wait_for("Your password is changed.").await;
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

/// On a page that asks for the password alone.
async fn confirm(tab: &Tab, password: &str) {
    tab.fill("password", password).await;
    tab.press("Confirm").await;
}

async fn change_password(tab: &Tab, new: &str, again: &str) {
    tab.fill("password", new).await;
    tab.fill("again", again).await;
    tab.press("Change password").await;
}

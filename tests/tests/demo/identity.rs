//! Devices, who may end whose sessions, and what asks for the password again.

use std::time::Duration;

use serde_json::{Value, json};
use sessionkit::redis::RedisStore;
use sessionkit::testing::TestSession;
use sessionkit::{SessionConfig, SessionManager};
use sessionkit_tests::servers::redis::RedisServer;

use crate::client::{Browser, Page};
use crate::shop::Shop;

const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
const SAFARI: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Mobile Safari/604.1";

#[tokio::test]
async fn people_and_their_devices_at_the_shop_on_axum() {
    visit("shop").await;
}

#[tokio::test]
async fn people_and_their_devices_at_the_shop_on_actix() {
    visit("shop-actix").await;
}

#[tokio::test]
async fn a_stale_login_at_the_shop_on_axum() {
    come_back("shop").await;
}

#[tokio::test]
async fn a_stale_login_at_the_shop_on_actix() {
    come_back("shop-actix").await;
}

async fn visit(example: &str) {
    let shop = Shop::open(example, None);
    one_device_logs_another_out(&shop).await;
    one_device_logs_all_others_out(&shop).await;
    nobody_logs_out_the_devices_of_others(&shop).await;
    an_admin_logs_anybody_out(&shop).await;
    a_customer_sees_no_people(&shop).await;
}

async fn one_device_logs_another_out(shop: &Shop) {
    let (laptop, phone) = (Browser::called(FIREFOX, shop), Browser::called(SAFARI, shop));
    assert_eq!(laptop.open("/devices").await.location, "/login?next=/devices");
    laptop.log_in("bob").await;
    let alone = laptop.open("/devices").await.body;
    assert!(alone.contains("Firefox on Linux") && alone.contains("This device"), "{alone}");
    assert!(!alone.contains("Log out everywhere else"), "{alone}");
    phone.log_in("bob").await;
    let both = laptop.open("/devices").await;
    assert_eq!(both.body.matches("last seen").count(), 2);

    let device = device_to_log_out(&both, "Safari on iPhone");
    let refused = laptop.fill_in("/devices", "/devices/end", &[("device", "no id")]).await.status;
    assert!([400, 422].contains(&refused), "as the framework answers a form that it cannot read: {refused}");
    let ended = laptop.fill_in("/devices", "/devices/end", &[("device", &device)]).await;
    assert_eq!((ended.status, ended.location.as_str()), (303, "/devices"));
    let left = laptop.open("/devices").await.body;
    assert!(left.contains("That device is logged out.") && !left.contains("Safari"), "{left}");
    assert_eq!(phone.open("/account").await.location, "/login?next=/account");
    laptop.post("/logout", &[]).await;
}

async fn one_device_logs_all_others_out(shop: &Shop) {
    let others = [Browser::called(SAFARI, shop), Browser::called(FIREFOX, shop)];
    for other in &others {
        other.log_in("bob").await;
    }
    let this = Browser::called(FIREFOX, shop);
    this.log_in("bob").await;
    assert_eq!(this.fill_in("/devices", "/devices/end-others", &[]).await.location, "/devices");
    assert!(this.open("/devices").await.body.contains("All other devices are logged out."));
    for other in &others {
        assert_eq!(other.session().await.user, Value::Null);
    }
    this.post("/logout", &[]).await;
}

async fn nobody_logs_out_the_devices_of_others(shop: &Shop) {
    let (ada, bob) = (Browser::called(FIREFOX, shop), Browser::at(shop));
    let phone = Browser::called(SAFARI, shop);
    for own in [&ada, &phone] {
        own.log_in("ada").await;
    }
    bob.log_in("bob").await;
    let device = device_to_log_out(&ada.open("/devices").await, "Safari on iPhone");
    Browser::at(shop).log_in("bob").await;
    bob.fill_in("/devices", "/devices/end", &[("device", &device)]).await;
    bob.fill_in("/devices", "/devices/end-others", &[]).await;
    assert_eq!(phone.session().await.user, json!("ada"));
    bob.post("/logout", &[]).await;
    ada.fill_in("/devices", "/devices/end-others", &[]).await;
}

async fn an_admin_logs_anybody_out(shop: &Shop) {
    let (ada, bob, phone) = (Browser::at(shop), Browser::at(shop), Browser::at(shop));
    ada.log_in("ada").await;
    for own in [&bob, &phone] {
        own.log_in("bob").await;
    }
    let people = ada.open("/admin/people").await.body;
    assert!(people.contains("Customer, logged in on 2 devices"), "{people}");
    assert_eq!(ada.fill_in("/admin/people", "/admin/people", &[("person", "eve")]).await.status, 404);
    let ended = ada.fill_in("/admin/people", "/admin/people", &[("person", "bob")]).await;
    assert_eq!((ended.status, ended.location.as_str()), (303, "/admin/people"));
    let people = ada.open("/admin/people").await.body;
    assert!(people.contains("Bob is logged out everywhere.") && people.contains("Customer, not logged in"), "{people}");
    for own in [&bob, &phone] {
        assert_eq!(own.session().await.user, Value::Null);
    }

    // The one in the mirror, too.
    assert_eq!(ada.fill_in("/admin/people", "/admin/people", &[("person", "ada")]).await.location, "/admin/people");
    assert_eq!(ada.open("/admin/people").await.location, "/login?next=/admin/people");
}

async fn a_customer_sees_no_people(shop: &Shop) {
    let bob = Browser::at(shop);
    bob.log_in("bob").await;
    assert!(!bob.open("/").await.body.contains("/admin/people"));
    refused(&bob).await;
    assert_eq!(bob.post("/admin/people", &[("person", "ada")]).await.status, 403);
}

async fn come_back(example: &str) {
    let redis = RedisServer::start();
    let shop = Shop::open(example, Some(&redis.url()));
    the_password_page_asks_who_it_is(&shop, &redis).await;
    a_form_that_comes_too_late_leads_back_to_its_page(&shop, &redis).await;
    somebody_else_logs_in_instead(&shop, &redis).await;
    an_admin_confirms_and_a_customer_need_not(&shop, &redis).await;
}

/// A browser whose user logged in ten minutes ago.
pub async fn stale(user: &str, redis: &RedisServer) -> TestSession {
    let store = RedisStore::connect(&redis.url()).await.expect("Redis answers");
    let config = SessionConfig::builder().dev().track_devices(true).build().expect("as the shop's");
    let ten_minutes = Duration::from_secs(10 * 60);
    TestSession::new(&SessionManager::new(store, config)).login(user).authenticated_ago(ten_minutes).await
}

async fn the_password_page_asks_who_it_is(shop: &Shop, redis: &RedisServer) {
    let before = stale("bob", redis).await;
    let bob = Browser::with_cookie(&before.cookie(), shop);
    bob.add("lamp").await;
    assert_eq!(bob.open("/account").await.status, 200);
    assert_eq!(bob.get("/password").await.status, 401);
    let asked = bob.open("/password").await;
    assert_eq!((asked.status, asked.location.as_str()), (303, "/login?next=/password"));
    let page = bob.open(&asked.location).await.body;
    assert!(page.contains("Please confirm that it is you") && page.contains("Not Bob?"), "{page}");
    assert!(page.contains(r#"<input type="hidden" name="user" value="bob">"#) && !page.contains("remember"), "{page}");

    let refused = bob.post("/login", &[("user", "bob"), ("password", "ada"), ("next", "/password")]).await;
    assert_eq!((refused.status, refused.sets_cookie), (401, false));
    assert!(refused.body.contains("Please confirm that it is you") && refused.body.contains("does not fit"));
    assert_eq!(bob.open("/password").await.status, 303);

    let confirmed = bob.post("/login", &[("user", "bob"), ("password", "bob"), ("next", "/password")]).await;
    assert_eq!((confirmed.status, confirmed.location.as_str(), confirmed.sets_cookie), (303, "/password", true));
    let form = bob.open("/password").await;
    assert_eq!(form.status, 200);
    assert!(form.body.contains("new-password") && !form.body.contains("current-password"));
    // The session goes on, with another token.
    assert_eq!(bob.session().await.cart, json!({ "lamp": 1 }));
    assert!(before.is_over().await);
    assert!(!bob.open("/").await.body.contains("Welcome"));

    let other = Browser::at(shop);
    other.log_in("bob").await;
    let new = [("password", "builder"), ("again", "builder")];
    assert_eq!(bob.fill_in("/password", "/password", &new).await.location, "/account");
    assert_eq!(other.open("/account").await.location, "/login?next=/account");
    assert_eq!(other.post("/login", &[("user", "bob"), ("password", "bob")]).await.status, 401);
    let back = [("password", "bob"), ("again", "bob")];
    assert_eq!(bob.fill_in("/password", "/password", &back).await.location, "/account");
}

async fn a_form_that_comes_too_late_leads_back_to_its_page(shop: &Shop, redis: &RedisServer) {
    for (user, path) in [("bob", "/password"), ("ada", "/admin/people")] {
        let visitor = Browser::with_cookie(&stale(user, redis).await.cookie(), shop);
        assert_eq!(visitor.post(path, &[]).await.status, 401, "{path}");
        let late = visitor.submit(path, &[("password", "b"), ("again", "b"), ("person", "bob")]).await;
        assert_eq!((late.status, late.location), (303, format!("/login?next={path}")));
    }
}

async fn somebody_else_logs_in_instead(shop: &Shop, redis: &RedisServer) {
    let visitor = Browser::with_cookie(&stale("bob", redis).await.cookie(), shop);
    visitor.add("mug").await;
    let login = visitor.log_in("ada").await;
    assert_eq!(login.location, "/");
    assert!(visitor.open("/").await.body.contains("Welcome, Ada."));
    let session = visitor.session().await;
    assert_eq!((session.user, session.cart), (json!("ada"), json!({})));
}

async fn an_admin_confirms_and_a_customer_need_not(shop: &Shop, redis: &RedisServer) {
    let ada = Browser::with_cookie(&stale("ada", redis).await.cookie(), shop);
    assert_eq!(ada.open("/admin").await.status, 200);
    assert_eq!(ada.open("/admin/people").await.location, "/login?next=/admin/people");
    ada.log_in("ada").await;
    assert_eq!(ada.open("/admin/people").await.status, 200);
    refused(&Browser::with_cookie(&stale("bob", redis).await.cookie(), shop)).await;
}

/// Expects that `/admin/people` is not for somebody.
async fn refused(visitor: &Browser) {
    let page = visitor.open("/admin/people").await;
    assert_eq!((page.status, page.content_type.as_str()), (403, "text/html; charset=utf-8"));
    assert!(page.body.contains("This is not for you"), "{}", page.body);
    let answer = visitor.get("/admin/people").await;
    assert_eq!((answer.status, answer.content_type.as_str()), (403, "application/problem+json"));
}

/// The id beside the name of a device.
fn device_to_log_out(page: &Page, label: &str) -> String {
    let (before, _) = page.body.split_once(&format!(r#"aria-label="Log out {label}""#)).expect("the device is listed");
    let (_, button) = before.rsplit_once(r#"value=""#).expect("the button has a value");
    button.split('"').next().expect("the value ends").to_owned()
}

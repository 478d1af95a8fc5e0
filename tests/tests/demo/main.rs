//! The examples, `sessionkit/examples/`: their binaries, with a real HTTP client, and in a real browser.

mod client;
mod identity;
mod in_a_browser;
mod restarts;
mod shop;

use serde_json::{Value, json};
use sessionkit_tests::servers::redis::RedisServer;

use crate::client::{Browser, Page};
use crate::shop::Shop;

const HOUR: u64 = 60 * 60;
const DAY: u64 = 24 * HOUR;

/// A field of a form with a token that belongs to no session.
const FORGED: (&str, &str) = ("csrf_token", "AAAA");

#[tokio::test]
async fn a_visit_to_the_shop_on_axum() {
    visit(Shop::open("shop", None)).await;
}

#[tokio::test]
async fn a_visit_to_the_shop_on_actix() {
    visit(Shop::open("shop-actix", None)).await;
}

#[tokio::test]
async fn a_visit_to_the_shops_on_redis() {
    let redis = RedisServer::start();
    visit(Shop::open("shop", Some(&redis.url()))).await;
    visit(Shop::open("shop-actix", Some(&redis.url()))).await;
}

#[tokio::test]
async fn two_shops_on_one_redis_share_their_visitors() {
    let redis = RedisServer::start();
    let url = redis.url();
    let (shop, twin) = (Shop::open("shop", Some(&url)), Shop::open("shop-actix", Some(&url)));
    let at_shop = Browser::at(&shop);
    let at_twin = at_shop.walk_to(&twin);
    at_shop.add("teapot").await;
    at_twin.add("teapot").await;
    at_twin.log_in("ada").await;
    assert_eq!(at_shop.session().await.user, "ada");
    assert_eq!(at_shop.session().await.cart, json!({ "teapot": 2 }));
    assert_eq!(at_shop.get("/admin").await.status, 200);
    at_shop.post("/logout", &[]).await;
    assert_eq!(at_twin.session().await.user, Value::Null);
}

#[tokio::test]
async fn row_21_sessions_by_hand_on_plain_hyper() {
    let (server, welcome) = Shop::run("by-hand", None);
    assert!(welcome.contains("by hand"), "{welcome}");
    let visitor = Browser::at(&server);
    for views in 1..=3 {
        let page = visitor.get("/").await;
        assert_eq!((page.body, page.sets_cookie), (format!("nobody, seen {views} times\n"), views == 1));
    }
    let stranger = Browser::at(&server);
    let denied = stranger.get("/account").await;
    assert_eq!((denied.status, denied.sets_cookie), (401, false));
    assert_eq!(stranger.open("/account").await.location, "/login?next=/account");
    assert_eq!(stranger.get("/").await.body, "nobody, seen 1 times\n");
    assert!(visitor.post("/login", &[]).await.sets_cookie);
    assert_eq!(visitor.get("/account").await.status, 200);
    assert_eq!(visitor.get("/").await.body, "ada, seen 4 times\n");
    assert_eq!(visitor.get("/nothing").await.status, 404);
    visitor.post("/logout", &[]).await;
    assert_eq!(visitor.get("/account").await.status, 401);
    assert_eq!(visitor.get("/").await.body, "nobody, seen 1 times\n");
}

async fn visit(shop: Shop) {
    looking_around_stores_nothing(&shop).await;
    a_cart_is_filled_and_emptied(&shop).await;
    parallel_requests_all_count(&shop).await;
    a_cart_survives_the_login(&shop).await;
    who_asks_for_it_stays_signed_in(&shop).await;
    a_wrong_password_opens_nothing(&shop).await;
    only_admins_see_the_stock_room(&shop).await;
    a_login_leads_nowhere_else(&shop).await;
    another_user_starts_afresh(&shop).await;
    a_logout_is_final(&shop).await;
    a_form_of_another_site_changes_nothing(&shop).await;
    the_session_page_shows_the_session(&shop).await;
    shop.close();
}

async fn looking_around_stores_nothing(shop: &Shop) {
    let visitor = Browser::at(shop);
    for path in ["/", "/cart", "/login", "/session"] {
        let page = visitor.get(path).await;
        assert_eq!(page.status, 200, "{path}");
        assert!(!page.sets_cookie, "{path}");
        assert!(page.body.contains("</html>"), "{path}");
    }
    assert_eq!(visitor.get("/nothing").await.status, 404);
    let session = visitor.session().await;
    assert_eq!((session.user, session.cart, session.lasts), (Value::Null, json!({}), None));
}

async fn a_cart_is_filled_and_emptied(shop: &Shop) {
    let visitor = Browser::at(shop);
    let added = visitor.post("/cart", &[("item", "teapot")]).await;
    assert_eq!((added.status, added.location.as_str()), (303, "/"));
    assert!(visitor.get("/").await.body.contains("Teapot is in your cart."));
    assert!(!visitor.get("/").await.body.contains("Teapot is in your cart."), "a notice is shown once");

    visitor.add("mug").await;
    visitor.add("mug").await;
    assert_eq!(visitor.session().await.cart, json!({ "mug": 2, "teapot": 1 }));
    assert!(visitor.get("/cart").await.body.contains("€53.00"));
    let changed = visitor.post("/cart", &[("item", "mug"), ("quantity", "1000")]).await;
    assert_eq!((changed.status, changed.location.as_str()), (303, "/cart"));
    visitor.post("/cart", &[("item", "teapot"), ("quantity", "0")]).await;
    assert_eq!(visitor.session().await.cart, json!({ "mug": 99 }));

    assert_eq!(visitor.post("/cart", &[("item", "<script>")]).await.status, 404);
    let nonsense = visitor.post("/cart", &[("item", "mug"), ("quantity", "-1")]).await;
    assert!((400..500).contains(&nonsense.status), "{}", nonsense.status);
    assert_eq!(visitor.session().await.cart, json!({ "mug": 99 }));
}

async fn parallel_requests_all_count(shop: &Shop) {
    let visitor = Browser::at(shop);
    visitor.add("teapot").await;
    let adding = ["mug", "lamp"].repeat(5).into_iter().map(|item| {
        let visitor = visitor.clone();
        tokio::spawn(async move { visitor.add(item).await })
    });
    for added in adding.collect::<Vec<_>>() {
        added.await.unwrap();
    }
    assert_eq!(visitor.session().await.cart, json!({ "lamp": 5, "mug": 5, "teapot": 1 }));
}

async fn a_cart_survives_the_login(shop: &Shop) {
    let visitor = Browser::at(shop);
    visitor.add("plant").await;
    assert_lasts(&visitor, 12 * HOUR).await;
    let login = visitor.log_in("bob").await;
    assert_eq!(login.location, "/");
    assert!(visitor.get("/").await.body.contains("Welcome, Bob."));
    assert!(!visitor.get("/").await.body.contains("Welcome, Bob."), "a notice is shown once");
    let session = visitor.session().await;
    assert_eq!((session.user, session.cart), (json!("bob"), json!({ "plant": 1 })));
    assert_lasts(&visitor, DAY).await;
}

async fn who_asks_for_it_stays_signed_in(shop: &Shop) {
    let visitor = Browser::at(shop);
    let login = visitor.post("/login", &[("user", "bob"), ("password", "bob"), ("remember", "on")]).await;
    assert_eq!(login.status, 303);
    assert_lasts(&visitor, 30 * DAY).await;
}

async fn a_wrong_password_opens_nothing(shop: &Shop) {
    let visitor = Browser::at(shop);
    let refused = visitor.post("/login", &[("user", "ada"), ("password", "bob"), ("next", "/admin")]).await;
    assert_eq!((refused.status, refused.sets_cookie), (401, false));
    assert!(refused.body.contains(r#"name="next" value="/admin""#), "the next attempt leads there too");
    assert_eq!(visitor.session().await.user, Value::Null);
}

async fn only_admins_see_the_stock_room(shop: &Shop) {
    let visitor = Browser::at(shop);
    assert_eq!(visitor.get("/admin").await.status, 401, "a script gets an answer that it understands");
    let sent = visitor.open("/admin?by=price").await;
    assert_eq!((sent.status, sent.location.as_str()), (303, "/login?next=/admin%3Fby%3Dprice"));
    let form = visitor.open(&sent.location).await;
    assert!(form.body.contains(r#"name="next" value="/admin?by=price""#));

    visitor.log_in("bob").await;
    let refused = visitor.open("/admin").await;
    assert_eq!((refused.status, refused.content_type.as_str()), (403, "text/html; charset=utf-8"));
    assert!(refused.body.contains("This is not for you"));
    let refused = visitor.get("/admin").await;
    assert_eq!((refused.status, refused.content_type.as_str()), (403, "application/problem+json"));
    assert!(!visitor.get("/").await.body.contains("/admin"));

    let admin = Browser::at(shop);
    let login = admin.post("/login", &[("user", "ada"), ("password", "ada"), ("next", "/admin?by=price")]).await;
    assert_eq!(login.location, "/admin?by=price");
    let page = admin.open(&login.location).await;
    assert_eq!(page.status, 200);
    assert!(page.body.contains("Margin"));
    assert!(admin.get("/").await.body.contains(r#"href="/admin""#));
}

async fn a_login_leads_nowhere_else(shop: &Shop) {
    let visitor = Browser::at(shop);
    for next in ["https://evil.example/", "//evil.example", "/\\evil.example", "/\"><script>"] {
        let login = visitor.post("/login", &[("user", "bob"), ("password", "bob"), ("next", next)]).await;
        assert_eq!((login.status, login.location.as_str()), (303, "/"), "{next}");
    }
    for next in ["//evil.example", "%2F%22%3E%3Cscript%3E", "https:evil.example"] {
        let form = visitor.get(&format!("/login?next={next}")).await;
        assert!(form.body.contains(r#"name="next" value="/""#), "{next}");
    }
}

async fn another_user_starts_afresh(shop: &Shop) {
    let visitor = Browser::at(shop);
    visitor.log_in("bob").await;
    visitor.add("cookie").await;
    visitor.log_in("ada").await;
    let session = visitor.session().await;
    assert_eq!((session.user, session.cart), (json!("ada"), json!({})));
    assert_eq!(visitor.get("/admin").await.status, 200);
    visitor.log_in("bob").await;
    assert_eq!(visitor.get("/admin").await.status, 403);
}

async fn a_logout_is_final(shop: &Shop) {
    let visitor = Browser::at(shop);
    visitor.add("lamp").await;
    visitor.log_in("ada").await;
    let logout = visitor.post("/logout", &[]).await;
    assert_eq!((logout.status, logout.location.as_str(), logout.sets_cookie), (303, "/", true));
    let session = visitor.session().await;
    assert_eq!((session.user, session.cart, session.lasts), (Value::Null, json!({}), None));
    assert_eq!(visitor.get("/admin").await.status, 401);
    assert!(!visitor.get("/").await.sets_cookie);
}

async fn a_form_of_another_site_changes_nothing(shop: &Shop) {
    let visitor = Browser::at(shop);
    visitor.log_in("bob").await;
    for (path, form) in
        [("/cart", &[("item", "mug")][..]), ("/logout", &[]), ("/login", &[("user", "ada"), ("password", "ada")])]
    {
        let refused = visitor.post_from_elsewhere(path, form).await;
        assert_eq!((refused.status, refused.sets_cookie), (403, false), "{path}");
    }
    let session = visitor.session().await;
    assert_eq!((session.user, session.cart), (json!("bob"), json!({})));
    for (path, form) in [
        ("/password", &[("password", "b"), ("again", "b"), FORGED][..]),
        ("/devices/end", &[("device", "AAAAAAAAAAAAAAAAAAAAAA"), FORGED]),
        ("/devices/end-others", &[FORGED]),
    ] {
        assert_eq!(visitor.post(path, form).await.status, 403, "{path}");
    }
    visitor.log_in("ada").await;
    assert_eq!(visitor.post("/admin/people", &[("person", "bob"), FORGED]).await.status, 403);
}

async fn the_session_page_shows_the_session(shop: &Shop) {
    let visitor = Browser::at(shop);
    assert!(visitor.get("/session").await.body.contains("You have none."));
    visitor.post("/login", &[("user", "ada"), ("password", "ada"), ("remember", "on")]).await;
    visitor.add("teapot").await;
    let count = |page: &Page| {
        let (_, rest) = page.body.split_once("visit.views").expect("the page lists the field");
        let digits = rest.chars().skip_while(|char| !char.is_ascii_digit()).take_while(char::is_ascii_digit);
        digits.collect::<String>()
    };
    let page = visitor.get("/session").await;
    assert!(page.body.contains("in 30 days") || page.body.contains("in 29 days and 23 hours"));
    assert!(page.body.contains("{&quot;teapot&quot;:1}"));
    assert!(page.body.contains("Teapot is in your cart."));
    assert_eq!(count(&page), "1");
    assert_eq!(count(&visitor.get("/session").await), "2");
}

async fn assert_lasts(visitor: &Browser, seconds: u64) {
    let lasts = visitor.session().await.lasts.expect("there is a session");
    assert!((seconds - 60..=seconds + 1).contains(&lasts), "{lasts} instead of {seconds}");
}

//! Tests of the answers that guards give to requests that they do not let in.

use crate::http::{Answer, App, Ask};
use crate::on_both_frameworks;

on_both_frameworks! {
    shop:
    program_gets_a_problem_document,
    person_gets_the_login_page_and_comes_back,
    only_navigation_is_redirected,
    only_what_can_be_asked_for_again_is_worth_coming_back_to,
    nobody_is_sent_to_another_site,
    denial_is_not_for_caches,
}

fn problem(answer: &Answer) -> serde_json::Value {
    assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    serde_json::from_str(&answer.body).expect("a problem document is JSON")
}

async fn program_gets_a_problem_document(app: impl App) {
    let anonymous = app.answer(Ask::get("/admin")).await;
    let cookie = app.cookie_of("bob").await;
    let forbidden = app.answer(Ask::get("/admin").with("cookie", cookie.clone())).await;
    for (answer, status, title) in [(&anonymous, 401, "Unauthorized"), (&forbidden, 403, "Forbidden")] {
        let problem = problem(answer);
        assert_eq!(answer.status, status);
        assert_eq!(problem["status"], status);
        assert_eq!(problem["title"], title);
        assert_eq!(problem["type"], "about:blank");
        assert!(!problem["detail"].as_str().expect("a detail is text").is_empty());
        assert_eq!(answer.header("location"), None);
    }
    // Logging in would not help somebody who is logged in: no redirect.
    let person = app.answer(Ask::get("/admin").with("cookie", cookie).navigating()).await;
    assert_eq!((person.status, person.header("location")), (403, None));
}

async fn person_gets_the_login_page_and_comes_back(app: impl App) {
    let answer = app.answer(Ask::get("/cart?item=7&note=a%20b").navigating()).await;
    assert_eq!(answer.status, 303);
    assert_eq!(answer.header("location"), Some("/login?next=/cart%3Fitem%3D7%26note%3Da%2520b"));
    // Where the login page has a query already, the way back is added to it.
    let answer = app.answer(Ask::get("/office").navigating()).await;
    assert_eq!(answer.header("location"), Some("/office/login?as=clerk&next=/office"));
}

async fn only_navigation_is_redirected(app: impl App) {
    let html = "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8";
    let cases = [
        (Ask::get("/page"), 401),
        (Ask::get("/page").with("accept", "*/*"), 401),
        (Ask::get("/page").with("accept", "application/json"), 401),
        (Ask::get("/page").with("accept", html), 303),
        (Ask::get("/page").navigating(), 303),
        // A browser that says what it does is believed, whatever it accepts.
        (Ask::get("/page").with("accept", html).with("sec-fetch-mode", "cors"), 401),
        (Ask::post("/page").with("accept", html), 401),
        (Ask::post("/page").navigating(), 303),
    ];
    for (ask, status) in cases {
        let case = format!("{} {:?}", ask.method, ask.headers);
        assert_eq!(app.answer(ask).await.status, status, "{case}");
    }
}

async fn only_what_can_be_asked_for_again_is_worth_coming_back_to(app: impl App) {
    for (method, location) in [
        ("GET", "/login?next=/page"),
        ("HEAD", "/login?next=/page"),
        ("POST", "/login"),
        ("PUT", "/login"),
        ("DELETE", "/login"),
    ] {
        let answer = app.answer(Ask::get("/page").method(method).navigating()).await;
        assert_eq!((answer.status, answer.header("location")), (303, Some(location)), "{method}");
    }
}

async fn nobody_is_sent_to_another_site(app: impl App) {
    for target in
        ["//evil.example", "//evil.example/page?a=b", "///evil.example", "/%2fevil.example", "/%5Cevil.example"]
    {
        let answer = app.answer(Ask::get(target).navigating()).await;
        assert_eq!((answer.status, answer.header("location")), (303, Some("/login")), "{target}");
    }
    // An address in the query stays a part of the query.
    let answer = app.answer(Ask::get("/page?next=https://evil.example").navigating()).await;
    assert_eq!(answer.header("location"), Some("/login?next=/page%3Fnext%3Dhttps%3A//evil.example"));
}

async fn denial_is_not_for_caches(app: impl App) {
    let cookie = app.cookie_of("bob").await;
    for (ask, status) in [
        (Ask::get("/page"), 401),
        (Ask::get("/page").navigating(), 303),
        (Ask::get("/admin"), 401),
        (Ask::get("/admin").with("cookie", cookie), 403),
    ] {
        let answer = app.answer(ask).await;
        assert_eq!(answer.status, status);
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        let vary: Vec<_> = answer.headers.iter().filter(|(name, _)| name == "vary").map(|(_, value)| value).collect();
        assert!(vary.iter().any(|value| value.eq_ignore_ascii_case("cookie")), "{vary:?}");
    }
}

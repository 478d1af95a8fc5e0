//! Tests of the decisions of guards: which requests they let in.

use crate::http::{App, Ask};
use crate::on_both_frameworks;

on_both_frameworks! {
    shop:
    somebody_logged_in_passes,
    false_predicate_is_403_for_somebody_logged_in_and_401_for_a_stranger,
    true_predicate_passes_also_for_a_stranger,
    predicate_that_answers_ok_is_decided_by_its_answer,
    predicate_that_fails_is_500_and_never_a_denial,
    all_of_several_conditions_must_hold,
    failing_store_is_503_and_never_a_denial,
    failing_store_is_not_asked_about_a_stranger_without_a_cookie,
}

async fn status(app: &impl App, path: &str, cookie: Option<&str>) -> u16 {
    let ask = Ask::get(path);
    let ask = match cookie {
        Some(cookie) => ask.with("cookie", cookie),
        None => ask,
    };
    app.answer(ask).await.status
}

async fn become_admin(app: &impl App, cookie: &str) {
    assert_eq!(app.answer(Ask::post("/promote").with("cookie", cookie)).await.status, 200);
}

async fn ban(app: &impl App, cookie: &str) {
    assert_eq!(app.answer(Ask::post("/ban").with("cookie", cookie)).await.status, 200);
}

async fn somebody_logged_in_passes(app: impl App) {
    let cookie = app.cookie_of("bob").await;
    assert_eq!(status(&app, "/anything", None).await, 401);
    assert_eq!(status(&app, "/anything", Some(&cookie)).await, 200);
}

async fn false_predicate_is_403_for_somebody_logged_in_and_401_for_a_stranger(app: impl App) {
    let cookie = app.cookie_of("ada").await;
    assert_eq!(status(&app, "/admin", None).await, 401);
    assert_eq!(status(&app, "/admin", Some(&cookie)).await, 403);
    become_admin(&app, &cookie).await;
    assert_eq!(status(&app, "/admin", Some(&cookie)).await, 200);
}

async fn true_predicate_passes_also_for_a_stranger(app: impl App) {
    let cookie = app.cookie_of("bob").await;
    assert_eq!(status(&app, "/open", None).await, 200);
    assert_eq!(status(&app, "/open", Some(&cookie)).await, 200);
    ban(&app, &cookie).await;
    assert_eq!(status(&app, "/open", Some(&cookie)).await, 403);
}

async fn predicate_that_answers_ok_is_decided_by_its_answer(app: impl App) {
    let cookie = app.cookie_of("ada").await;
    assert_eq!(status(&app, "/sure", None).await, 401);
    assert_eq!(status(&app, "/sure", Some(&cookie)).await, 403);
    become_admin(&app, &cookie).await;
    assert_eq!(status(&app, "/sure", Some(&cookie)).await, 200);
}

async fn predicate_that_fails_is_500_and_never_a_denial(app: impl App) {
    let cookie = app.cookie_of("ada").await;
    let problem = "application/problem+json";
    for (ask, content_type) in [
        (Ask::get("/broken"), problem),
        (Ask::get("/broken").navigating(), "text/html; charset=utf-8"),
        (Ask::get("/broken").with("cookie", cookie), problem),
    ] {
        let answer = app.answer(ask).await;
        assert_eq!(answer.status, 500);
        assert_eq!(answer.header("content-type"), Some(content_type));
        // What went wrong inside is for the log.
        assert!(!answer.body.contains("the list of admins"), "{}", answer.body);
    }
}

async fn all_of_several_conditions_must_hold(app: impl App) {
    let cookie = app.cookie_of("ada").await;
    assert_eq!(status(&app, "/both", None).await, 401);
    assert_eq!(status(&app, "/both", Some(&cookie)).await, 403);
    become_admin(&app, &cookie).await;
    assert_eq!(status(&app, "/both", Some(&cookie)).await, 200);
    ban(&app, &cookie).await;
    assert_eq!(status(&app, "/both", Some(&cookie)).await, 403);

    // The predicate holds for a stranger, the login is missing.
    assert_eq!(status(&app, "/welcome", None).await, 401);
    assert_eq!(status(&app, "/welcome", Some(&cookie)).await, 403);
    assert_eq!(status(&app, "/welcome", Some(&app.cookie_of("bob").await)).await, 200);
}

async fn failing_store_is_503_and_never_a_denial(app: impl App) {
    let cookie = app.cookie_of("ada").await;
    app.store().fail();
    for path in ["/anything", "/admin", "/sure", "/open", "/both", "/welcome"] {
        let answer = app.answer(Ask::get(path).with("cookie", cookie.clone()).navigating()).await;
        assert_eq!(answer.status, 503, "{path}");
        assert_eq!(answer.header("set-cookie"), None, "{path}");
        assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"), "{path}");
    }
}

async fn failing_store_is_not_asked_about_a_stranger_without_a_cookie(app: impl App) {
    app.store().fail();
    assert_eq!(status(&app, "/anything", None).await, 401);
    assert_eq!(status(&app, "/open", None).await, 200);
}

//! Nothing of a request is read before the guard has decided.

use crate::http::{App, Ask};
use crate::on_both_frameworks;

on_both_frameworks! {
    shop:
    malformed_body_of_a_stranger_is_not_read,
    malformed_path_of_a_stranger_is_not_parsed,
    navigation_with_a_malformed_body_is_redirected_unread,
    body_of_somebody_not_allowed_is_not_read,
    body_is_read_once_the_guard_has_passed,
}

/// Both kinds of guard, in front of the same arguments.
const GUARDED: [&str; 2] = ["/orders", "/admin/orders"];

async fn malformed_body_of_a_stranger_is_not_read(app: impl App) {
    for path in GUARDED {
        let answer = app.answer(Ask::post(&format!("{path}/7")).json("{ no json")).await;
        assert_eq!((answer.status, answer.polled), (401, 0), "{path}");
    }
}

async fn malformed_path_of_a_stranger_is_not_parsed(app: impl App) {
    for path in GUARDED {
        let answer = app.answer(Ask::post(&format!("{path}/seven")).json(r#"{"item":"tea"}"#)).await;
        assert_eq!((answer.status, answer.polled), (401, 0), "{path}");
    }
}

async fn navigation_with_a_malformed_body_is_redirected_unread(app: impl App) {
    for path in GUARDED {
        let answer = app.answer(Ask::post(&format!("{path}/seven")).json("{ no json").navigating()).await;
        assert_eq!((answer.status, answer.polled), (303, 0), "{path}");
    }
}

async fn body_of_somebody_not_allowed_is_not_read(app: impl App) {
    let cookie = app.cookie_of("bob").await;
    let answer = app.answer(Ask::post("/admin/orders/seven").json("{ no json").with("cookie", cookie)).await;
    assert_eq!((answer.status, answer.polled), (403, 0));
}

async fn body_is_read_once_the_guard_has_passed(app: impl App) {
    let cookie = app.cookie_of("bob").await;
    let order = |path: &str, body| app.answer(Ask::post(path).json(body).with("cookie", cookie.clone()));

    let answer = order("/orders/7", r#"{"item":"tea"}"#).await;
    assert_eq!((answer.status, &*answer.body), (200, "7 of tea"));
    assert!(answer.polled > 0);

    let malformed = order("/orders/7", "{ no json").await;
    assert_eq!(malformed.status, 400);
    assert!(malformed.polled > 0);

    let malformed = order("/orders/seven", r#"{"item":"tea"}"#).await;
    assert!([400, 404].contains(&malformed.status), "{malformed:?}");
}

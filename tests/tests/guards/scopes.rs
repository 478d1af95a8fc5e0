//! Each guard asks the session of its own scope.

use crate::http::{App, Ask};
use crate::on_both_frameworks;
use sessionkit_tests::harness::Log;

mod with_scopes {
    use super::*;

    on_both_frameworks! {
        shop:
        login_of_one_scope_does_not_open_another,
        token_of_one_scope_does_not_open_another_under_its_name,
        each_scope_has_its_own_data,
    }

    async fn login_of_one_scope_does_not_open_another(app: impl App) {
        let main = app.cookie_of("ada").await;
        assert!(main.starts_with("__Host-session="));
        assert_eq!(app.answer(Ask::get("/page").with("cookie", main.clone())).await.status, 200);
        assert_eq!(app.answer(Ask::get("/office").with("cookie", main.clone())).await.status, 401);
        let answer = app.answer(Ask::post("/office/login/eve").with("cookie", main.clone())).await;
        let office = answer.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
        assert!(office.starts_with("__Host-office="));
        assert_eq!(app.answer(Ask::get("/office").with("cookie", office.clone())).await.status, 200);
        assert_eq!(app.answer(Ask::get("/page").with("cookie", office.clone())).await.status, 401);
        assert_eq!(app.answer(Ask::get("/page").with("cookie", format!("{main}; {office}"))).await.status, 200);
    }

    /// The scopes share a store, and a visitor writes the cookie that they like.
    async fn token_of_one_scope_does_not_open_another_under_its_name(app: impl App) {
        let main = app.cookie_of("ada").await;
        let forged = main.replace("__Host-session=", "__Host-office=");
        assert_eq!(app.answer(Ask::get("/office").with("cookie", forged)).await.status, 401);
    }

    async fn each_scope_has_its_own_data(app: impl App) {
        let answer = app.answer(Ask::post("/office/login/eve")).await;
        let office = answer.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
        assert_eq!(app.answer(Ask::get("/office/desk").with("cookie", office.clone())).await.status, 403);
        assert_eq!(app.answer(Ask::post("/office/open").with("cookie", office.clone())).await.status, 200);
        assert_eq!(app.answer(Ask::get("/office/desk").with("cookie", office)).await.status, 200);
        assert_eq!(app.answer(Ask::get("/office/desk").with("cookie", app.cookie_of("ada").await)).await.status, 401);
    }
}

mod without_layers {
    use super::*;

    on_both_frameworks! {
        unlayered:
        missing_layer_is_500_that_names_the_scope_and_the_route,
    }

    async fn missing_layer_is_500_that_names_the_scope_and_the_route(app: impl App) {
        let log = Log::collect();
        for (path, scope) in [("/admin", "`Main`"), ("/anything", "`Main`"), ("/office", "`Office`")] {
            let person = (Ask::get(path).navigating(), "text/html; charset=utf-8");
            for (ask, content_type) in [(Ask::get(path), "application/problem+json"), person] {
                let answer = app.answer(ask).await;
                assert_eq!(answer.status, 500);
                assert_eq!(answer.header("content-type"), Some(content_type));
                for part in [scope, &format!("GET {path}"), "new(manager)"] {
                    assert!(answer.body.contains(part), "{part} is not in {}", answer.body);
                    assert!(log.text().contains(part), "{part} is not in {}", log.text());
                }
            }
        }
        let answer = app.answer(Ask::post("/orders/7").json("{ no json")).await;
        assert_eq!((answer.status, answer.polled), (500, 0));
    }
}

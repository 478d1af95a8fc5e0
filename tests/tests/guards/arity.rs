//! A guard leaves a handler all the arguments that it could have without.

use crate::http::{App, Ask};
use crate::on_both_frameworks;

macro_rules! handlers {
    ($method:ident) => {
        use $crate::shop::is_welcome;

        #[session(require_login)]
        async fn seven(a: $method, b: $method, c: $method, d: $method, e: $method, f: $method, g: $method) -> String {
            format!("{} methods", [a, b, c, d, e, f, g].len())
        }

#[rustfmt::skip]
        #[allow(clippy::too_many_arguments)]
        #[session(require_login, require = is_welcome)]
        async fn fifteen(
            a: $method, b: $method, c: $method, d: $method, e: $method, f: $method, g: $method, h: $method,
            i: $method, j: $method, k: $method, l: $method, m: $method, n: $method, o: $method,
        ) -> String {
            format!("{} methods", [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o].len())
        }

/// The most that either framework takes.
        #[rustfmt::skip]
        #[allow(clippy::too_many_arguments)]
        #[session(require_login, require = is_welcome)]
        async fn sixteen(
            mut a: $method, b: $method, c: $method, d: $method, e: $method, f: $method, g: $method, h: $method,
            i: $method, j: $method, k: $method, l: $method, m: $method, n: $method, o: $method, body: String,
        ) -> String {
            a = std::mem::take(&mut a);
            format!("{} methods and {body}", [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o].len())
        }
    };
}

pub(crate) mod axum {
    use axum::Router;
    use axum::http::Method;
    use axum::routing::post;
    use sessionkit::axum::session;

    handlers!(Method);

    pub(crate) fn router() -> Router {
        Router::new().route("/seven", post(seven)).route("/fifteen", post(fifteen)).route("/sixteen", post(sixteen))
    }
}

pub(crate) mod actix {
    use actix_web::http::Method;
    use actix_web::web::{ServiceConfig, post};
    use sessionkit::actix::session;

    handlers!(Method);

    pub(crate) fn configure(config: &mut ServiceConfig) {
        config
            .route("/seven", post().to(seven))
            .route("/fifteen", post().to(fifteen))
            .route("/sixteen", post().to(sixteen));
    }
}

on_both_frameworks! {
    shapes:
    handlers_keep_their_greatest_arity,
}

async fn handlers_keep_their_greatest_arity(app: impl App) {
    let cookie = app.cookie_of("ada").await;
    for (path, body) in [("/seven", "7 methods"), ("/fifteen", "15 methods"), ("/sixteen", "15 methods and {}")] {
        let answer = app.answer(Ask::post(path).json("{}")).await;
        assert_eq!((answer.status, answer.polled), (401, 0), "{path}");
        let answer = app.answer(Ask::post(path).json("{}").with("cookie", cookie.clone())).await;
        assert_eq!((answer.status, &*answer.body), (200, body), "{path}");
    }
}

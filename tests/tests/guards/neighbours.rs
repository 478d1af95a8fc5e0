//! Other attributes above and below the guard's.

use crate::http::{App, Ask};
use crate::on_both_frameworks;

macro_rules! instrumented {
    () => {
        use $crate::shop::is_welcome;

        #[tracing::instrument(skip_all)]
        #[session(require_login)]
        async fn instrument_above(auth: Auth) -> Result<String, SessionRejection> {
            let user = auth.user_id().await?;
            Ok(format!("instrument_above {}", user.as_deref().unwrap_or_default()))
        }

        #[session(require_login, require = is_welcome)]
        #[tracing::instrument(skip(auth), fields(shop = true))]
        async fn instrument_below(auth: Auth) -> Result<String, SessionRejection> {
            let user = auth.user_id().await?;
            Ok(format!("instrument_below {}", user.as_deref().unwrap_or_default()))
        }
    };
}

pub(crate) mod axum {
    use axum::Router;
    use axum::routing::get;
    use sessionkit::axum::{Auth, SessionRejection, session};

    instrumented!();

    #[session(require_login, require = is_welcome)]
    #[axum::debug_handler]
    async fn native_below(auth: Auth) -> String {
        format!("native_below {}", auth.user_id().await.unwrap().as_deref().unwrap_or_default())
    }

    #[tracing::instrument(skip_all)]
    #[session(require_login)]
    #[axum::debug_handler]
    async fn native_above(auth: Auth) -> String {
        format!("native_above {}", auth.user_id().await.unwrap().as_deref().unwrap_or_default())
    }

    pub(crate) fn router() -> Router {
        Router::new()
            .route("/instrument_above", get(instrument_above))
            .route("/instrument_below", get(instrument_below))
            .route("/native_above", get(native_above))
            .route("/native_below", get(native_below))
    }
}

pub(crate) mod actix {
    use actix_web::web::ServiceConfig;
    use actix_web::{get, post, route, web};
    use sessionkit::actix::{Auth, SessionRejection, session};

    instrumented!();

    #[get("/native_above")]
    #[session(require_login, require = is_welcome)]
    async fn native_above(auth: Auth) -> String {
        format!("native_above {}", auth.user_id().await.unwrap().as_deref().unwrap_or_default())
    }

    #[session(require_login, require = is_welcome)]
    #[get("/native_below")]
    async fn native_below(auth: Auth) -> String {
        format!("native_below {}", auth.user_id().await.unwrap().as_deref().unwrap_or_default())
    }

    #[post("/post_above")]
    #[tracing::instrument(skip_all)]
    #[session(require_login)]
    async fn post_above(auth: Auth) -> String {
        format!("post_above {}", auth.user_id().await.unwrap().as_deref().unwrap_or_default())
    }

    #[session(require_login)]
    #[post("/post_below")]
    #[tracing::instrument(skip_all)]
    async fn post_below(auth: Auth) -> String {
        format!("post_below {}", auth.user_id().await.unwrap().as_deref().unwrap_or_default())
    }

    #[route("/several", method = "GET", method = "POST")]
    #[session(require_login)]
    async fn several() -> &'static str {
        "several"
    }

    pub(crate) fn configure(config: &mut ServiceConfig) {
        config
            .route("/instrument_above", web::get().to(instrument_above))
            .route("/instrument_below", web::get().to(instrument_below))
            .service(native_above)
            .service(native_below)
            .service(post_above)
            .service(post_below)
            .service(several);
    }

    #[actix_web::test]
    async fn route_macros_guard_every_method() {
        use crate::http::{App as _, Ask};
        let app = crate::actix::shapes();
        let cookie = app.cookie_of("ada").await;
        for (ask, body) in [
            (Ask::post as fn(&str) -> Ask, "post_above ada"),
            (Ask::post, "post_below ada"),
            (Ask::get, "several"),
            (Ask::post, "several"),
        ] {
            let path = format!("/{}", body.split(' ').next().unwrap_or_default());
            assert_eq!(app.answer(ask(&path)).await.status, 401, "{path}");
            let answer = app.answer(ask(&path).with("cookie", cookie.clone())).await;
            assert_eq!((answer.status, &*answer.body), (200, body), "{path}");
        }
    }
}

on_both_frameworks! {
    shapes:
    neighbours_change_nothing,
}

async fn neighbours_change_nothing(app: impl App) {
    let cookie = app.cookie_of("ada").await;
    for name in ["instrument_above", "instrument_below", "native_above", "native_below"] {
        let path = format!("/{name}");
        assert_eq!(app.answer(Ask::get(&path)).await.status, 401, "{name}");
        let answer = app.answer(Ask::get(&path).with("cookie", cookie.clone())).await;
        assert_eq!((answer.status, answer.body), (200, format!("{name} ada")));
    }
}

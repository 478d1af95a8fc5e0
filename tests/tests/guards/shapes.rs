//! Handlers in all shapes that the frameworks take.

use std::fmt::Debug;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::http::{App, Ask};
use crate::on_both_frameworks;

/// `sessionkit` under another name, as a renamed dependency is.
pub(crate) mod renamed {
    pub(crate) use ::sessionkit as kit;
}

#[derive(Deserialize)]
pub(crate) struct Page {
    number: u32,
}

macro_rules! handlers {
    () => {
        use $crate::shapes::{Debug, DeserializeOwned, Page};
        use $crate::shop::{Account, Order, is_welcome};

        #[session(require_login)]
        async fn without_arguments() -> &'static str {
            "without_arguments"
        }

        #[session(require_login)]
        async fn mutable(mut account: Session<Account>, mut order: Json<Order>) -> String {
            account.is_admin = false;
            order.item.push_str(" and cake");
            format!("mutable {}", order.item)
        }

        #[session(require_login)]
        async fn patterns(
            _: Auth,
            Query(Page { number }): Query<Page>,
            Json(Order { item, .. }): Json<Order>,
        ) -> String {
            format!("patterns {number} {item}")
        }

        #[session(require = is_welcome)]
        async fn generic<T: DeserializeOwned + 'static>(order: Json<T>) -> &'static str {
            let _ = order;
            "generic"
        }

        #[session(require_login)]
        async fn bounded<T>(order: Json<T>) -> String
        where
            T: DeserializeOwned + Debug + Default + 'static,
        {
            let _ = order;
            format!("bounded {:?}", T::default())
        }

        #[session(require_login)]
        async fn question_mark(auth: Auth) -> Result<String, SessionRejection> {
            let user = auth.user_id().await?;
            Ok(format!("question_mark {}", user.as_deref().unwrap_or_default()))
        }

        #[session(require_login)]
        fn future(auth: Auth) -> impl Future<Output = String> + Send {
            async move {
                let _ = auth;
                "future".to_owned()
            }
        }

        pub(crate) struct Pages;

        impl Pages {
            #[session(require_login)]
            async fn associated(auth: Auth) -> &'static str {
                let _ = auth;
                Self::title()
            }

            fn title() -> &'static str {
                "associated"
            }
        }

        #[session(require = is_welcome)]
        #[cfg(any())]
        async fn configured(_: Json<Nowhere>) -> Nowhere {
            nowhere()
        }

        #[session(require = is_welcome)]
        #[cfg(not(any()))]
        async fn configured() -> &'static str {
            "configured"
        }

        #[session(crate = crate::shapes::renamed::kit, require_login, require = is_welcome)]
        async fn renamed() -> &'static str {
            "renamed"
        }

        #[session(require = |self::Account { is_banned, .. }: &self::Account| -> bool { !*is_banned })]
        async fn r#match() -> &'static str {
            "match"
        }

        /// The guard is documented like any handler.
        #[allow(unused_mut, reason = "attributes stay with the handler")]
        #[session(require = (is_welcome), require = <Account as Welcome>::is_welcome)]
        async fn parenthesised(/* nothing */) -> &'static str {
            let mut answer = "parenthesised";
            answer
        }

        trait Welcome {
            fn is_welcome(&self) -> bool;
        }

        impl Welcome for Account {
            fn is_welcome(&self) -> bool {
                !self.is_banned
            }
        }
    };
}

macro_rules! routes {
    ($($route:tt)*) => {{
        #[session(require = is_welcome)]
        async fn inside_a_function() -> &'static str {
            "inside_a_function"
        }

        [
            ("/without_arguments", $($route)*(without_arguments)),
            ("/mutable", $($route)*(mutable)),
            ("/patterns", $($route)*(patterns)),
            ("/generic", $($route)*(generic::<Order>)),
            ("/bounded", $($route)*(bounded::<serde_json::Value>)),
            ("/question_mark", $($route)*(question_mark)),
            ("/future", $($route)*(future)),
            ("/associated", $($route)*(Pages::associated)),
            ("/configured", $($route)*(configured)),
            ("/renamed", $($route)*(renamed)),
            ("/match", $($route)*(r#match)),
            ("/parenthesised", $($route)*(parenthesised)),
            ("/inside_a_function", $($route)*(inside_a_function)),
        ]
    }};
}

pub(crate) mod axum {
    use axum::Router;
    use axum::extract::{FromRequestParts, Json, Query};
    use axum::routing::post;
    use sessionkit::axum::{Auth, Session, SessionRejection, session};

    handlers!();

    /// An argument of an unnamed type; the type is that of the call in the route.
    #[session(require_login)]
    async fn unnamed(auth: impl FromRequestParts<()> + Debug, Json(order): Json<Order>) -> String {
        format!("unnamed {} {}", order.item, format!("{auth:?}").is_empty())
    }

    pub(crate) fn router() -> Router {
        let router = Router::new().route("/unnamed", post(|guard, auth: Auth, order| unnamed(guard, auth, order)));
        routes!(post).into_iter().fold(router, |router, (path, route)| router.route(path, route))
    }
}

pub(crate) mod actix {
    use actix_web::web::{Json, Query, ServiceConfig, post};
    use sessionkit::actix::{Auth, Session, SessionRejection, session};

    handlers!();

    /// An argument of an unnamed type; the type is that of the annotation in the route.
    #[session(require_login)]
    async fn unnamed(auth: impl Debug, Json(order): Json<Order>) -> String {
        format!("unnamed {} {}", order.item, format!("{auth:?}").is_empty())
    }

    type Unnamed = sessionkit::actix::__private::ActixGuard<sessionkit::__private::RequireLogin, (Auth, Json<Order>)>;

    pub(crate) fn configure(config: &mut ServiceConfig) {
        config.route("/unnamed", post().to(|guarded: Unnamed| unnamed(guarded)));
        for (path, route) in routes!(post().to) {
            config.route(path, route);
        }
    }
}

on_both_frameworks! {
    shapes:
    every_shape_is_guarded_and_runs,
}

async fn every_shape_is_guarded_and_runs(app: impl App) {
    let cookie = app.cookie_of("ada").await;
    let ask = |path: &str| Ask::post(&format!("{path}?number=7")).json(r#"{"item":"tea"}"#);
    for (path, body) in [
        ("/without_arguments", "without_arguments"),
        ("/mutable", "mutable tea and cake"),
        ("/patterns", "patterns 7 tea"),
        ("/bounded", "bounded Null"),
        ("/question_mark", "question_mark ada"),
        ("/future", "future"),
        ("/associated", "associated"),
        ("/renamed", "renamed"),
        ("/unnamed", "unnamed tea false"),
    ] {
        assert_eq!(app.answer(ask(path)).await.status, 401, "{path}");
        let answer = app.answer(ask(path).with("cookie", cookie.clone())).await;
        assert_eq!((answer.status, &*answer.body), (200, body), "{path}");
    }
    for path in ["/generic", "/configured", "/match", "/parenthesised", "/inside_a_function"] {
        let answer = app.answer(ask(path)).await;
        assert_eq!((answer.status, &*answer.body), (200, &path[1..]), "{path}");
    }
}

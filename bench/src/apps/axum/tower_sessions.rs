//! tower-sessions on axum, as its README sets it up, with a day of idle time.

use axum::Router;
use axum::routing::get;
use tower_sessions_redis_store::RedisStore;
use tower_sessions_redis_store::fred::prelude::{ClientLike, Config, Pool};

use crate::candidate::Backend;
use crate::content::Visit;

pub(super) async fn app(backend: &Backend) -> Router {
    match backend {
        Backend::Memory => newest::app(tower_sessions::MemoryStore::default()),
        Backend::Redis(url) => {
            let config = Config::from_url(url).expect("the URL is that of our own server");
            let pool = Pool::new(config, None, None, None, 6).expect("six connections are a pool");
            pool.connect();
            pool.wait_for_connect().await.expect("our own server answers");
            for_redis::app(RedisStore::new(pool))
        }
    }
}

/// The application over a release of tower-sessions: the newest Redis store is made for another than the newest.
macro_rules! over {
    ($name:ident, $release:ident) => {
        mod $name {
            use $release::cookie::time::Duration;
            use $release::{Expiry, Session, SessionManagerLayer, SessionStore};

            use super::*;

            pub(super) fn app(store: impl SessionStore + Clone) -> Router {
                let layer = SessionManagerLayer::new(store).with_expiry(Expiry::OnInactivity(Duration::days(1)));
                Router::new()
                    .route("/fill", get(fill))
                    .route("/untouched", get(async || "untouched"))
                    .route("/read", get(read))
                    .route("/write", get(write))
                    .layer(layer)
            }

            async fn fill(session: Session) -> &'static str {
                session.insert("visit", Visit::new()).await.expect("the store takes it");
                "filled"
            }

            async fn read(session: Session) -> String {
                visit(&session).await.name
            }

            async fn write(session: Session) -> String {
                let mut visit = visit(&session).await;
                let changed = visit.change();
                session.insert("visit", visit).await.expect("the store takes it");
                changed
            }

            async fn visit(session: &Session) -> Visit {
                session.get("visit").await.expect("the store answers").expect("the client has a session")
            }
        }
    };
}

over!(newest, tower_sessions);
over!(for_redis, tower_sessions_for_redis);

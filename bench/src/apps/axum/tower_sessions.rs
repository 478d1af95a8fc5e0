//! tower-sessions on axum, as its README sets it up, with a day of idle time.

use axum::Router;
use axum::routing::get;

use crate::candidate::Backend;
use crate::content::Visit;
use crate::stores::peers;

const ANSWERS: &str = "our own server answers";

pub(super) async fn app(backend: &Backend) -> Router {
    match backend {
        Backend::Memory => newest::app(tower_sessions::MemoryStore::default()),
        Backend::Redis(url) => for_stores::app(peers::tower_redis(url).await.expect(ANSWERS)),
        Backend::Database(url) => match url.split(':').next() {
            Some("postgres") => for_stores::app(peers::tower_postgres(url).await.expect(ANSWERS)),
            Some("mysql") => for_stores::app(peers::tower_mysql(url).await.expect(ANSWERS)),
            _ => for_stores::app(peers::tower_sqlite(url).await.expect(ANSWERS)),
        },
    }
}

/// The application over a release of tower-sessions: the newest stores are made for another than the newest.
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
over!(for_stores, tower_sessions_for_stores);

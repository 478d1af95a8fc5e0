//! axum_session on axum, with its defaults.

use std::fmt::Debug;

use axum::Router;
use axum::routing::get;
use axum_session::{DatabasePool, Session, SessionConfig, SessionLayer, SessionNullPool, SessionStore};

use crate::candidate::Backend;
use crate::content::Visit;
use crate::stores::peers;

const ANSWERS: &str = "our own server answers";

pub(super) async fn app(backend: &Backend) -> Router {
    match backend {
        Backend::Memory => over::<SessionNullPool>(None).await,
        Backend::Redis(url) => over(Some(peers::axum_redis(url).expect(ANSWERS))).await,
        Backend::Database(url) => match url.split(':').next() {
            Some("postgres") => over(Some(peers::axum_postgres(url).await.expect(ANSWERS))).await,
            Some("mysql") => over(Some(peers::axum_mysql(url).await.expect(ANSWERS))).await,
            _ => over(Some(peers::axum_sqlite(url).await.expect(ANSWERS))).await,
        },
    }
}

async fn over<P: DatabasePool + Clone + Debug + Send + Sync + 'static>(pool: Option<P>) -> Router {
    let store = SessionStore::new(pool, SessionConfig::default()).await.expect("the store is there");
    Router::new()
        .route("/fill", get(fill::<P>))
        .route("/untouched", get(async || "untouched"))
        .route("/read", get(read::<P>))
        .route("/write", get(write::<P>))
        .layer(SessionLayer::new(store))
}

async fn fill<P: DatabasePool + Clone + Debug + Send + Sync + 'static>(session: Session<P>) -> &'static str {
    session.set("visit", Visit::new());
    "filled"
}

async fn read<P: DatabasePool + Clone + Debug + Send + Sync + 'static>(session: Session<P>) -> String {
    visit(&session).name
}

async fn write<P: DatabasePool + Clone + Debug + Send + Sync + 'static>(session: Session<P>) -> String {
    let mut visit = visit(&session);
    let changed = visit.change();
    session.set("visit", visit);
    changed
}

fn visit<P: DatabasePool + Clone + Debug + Send + Sync + 'static>(session: &Session<P>) -> Visit {
    session.get("visit").expect("the client has a session")
}

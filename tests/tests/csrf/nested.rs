//! The layer inside of services that axum nests: it goes by the path of the whole application.

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum::routing::post;
use sessionkit::axum::{CsrfLayer, SessionLayer};
use sessionkit::{CrossOriginProtection, MemoryStore, SessionConfig, SessionManager};
use tower::ServiceExt as _;

/// The status of a request of another site to `/admin/hooks/delete`.
async fn status(app: Router) -> u16 {
    let request = Request::post("/admin/hooks/delete").header("sec-fetch-site", "cross-site").body(Body::empty());
    let Ok(response) = app.oneshot(request.expect("a request")).await;
    response.status().as_u16()
}

fn hooks(exempt: &str) -> Router {
    let protection = CrossOriginProtection::new().exempt(exempt).expect("a path");
    Router::new().route("/hooks/delete", post(|| async { "deleted" })).layer(CsrfLayer::new(protection))
}

fn sessions() -> SessionLayer {
    SessionLayer::new(SessionManager::new(MemoryStore::new(), SessionConfig::default()))
}

#[tokio::test]
async fn a_nested_service_is_exempt_by_its_whole_path() {
    for (exempt, expected) in [("/admin/hooks/", 200), ("/hooks/", 403)] {
        let shapes = [
            Router::new().nest("/admin", hooks(exempt)),
            Router::new().nest_service("/admin", hooks(exempt)),
            Router::new().nest_service("/admin", hooks(exempt).layer(sessions())),
            Router::new().nest_service("/admin", hooks(exempt)).layer(sessions()),
            Router::new().nest("/admin", hooks(exempt).layer(sessions())).layer(sessions_outside()),
        ];
        for (index, app) in shapes.into_iter().enumerate() {
            assert_eq!(status(app).await, expected, "{exempt}, shape {index}");
        }
    }
}

/// The layer of another session, outside of the nested router.
fn sessions_outside() -> SessionLayer<Office> {
    let config = SessionConfig::builder().cookie_name("__Host-office").build().expect("the settings agree");
    SessionLayer::new(SessionManager::for_scope(MemoryStore::new(), config))
}

struct Office;

impl sessionkit::SessionScope for Office {
    const NAME: &'static str = "Office";
    type Home = sessionkit::OnServer;
}

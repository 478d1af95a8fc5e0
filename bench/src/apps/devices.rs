//! SessionKit on axum with the list of each user's sessions: `/login/{user}` begins a session.

use axum::Router;
use axum::extract::Path;
use axum::routing::get;
use sessionkit::axum::{Auth, SessionLayer, SessionRejection};
use sessionkit::redis::RedisStore;
use sessionkit::{SessionConfig, SessionManager};

/// A limit that no measurement meets.
pub const UNLIMITED: usize = 1_000_000;

/// Makes the application, in which a user has at most so many sessions.
pub fn app(limit: usize, redis: &str) -> Router {
    let store = RedisStore::new(redis).expect("the URL is that of our own server");
    let config = SessionConfig::builder().track_devices(true).max_devices(limit);
    let config = config.build().expect("the settings agree");
    Router::new().route("/login/{user}", get(log_in)).layer(SessionLayer::new(SessionManager::new(store, config)))
}

/// The path where a user logs in.
pub fn login(user: usize) -> String {
    format!("/login/{user}")
}

async fn log_in(auth: Auth, Path(user): Path<String>) -> Result<&'static str, SessionRejection> {
    auth.login(user).await?;
    Ok("logged in")
}

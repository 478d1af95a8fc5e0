//! Sessions by hand, for any HTTP stack: the work of an adapter's layer and extractors.
//!
//! [`SessionManager::open`](crate::SessionManager::open) makes the session of a request, which costs nothing before its
//! first use. [`SessionManager::close`](crate::SessionManager::close) stores the changes of the session, and returns those
//! of the response: its headers, or an answer in place of the handler's. With the feature `http`, the head and the response
//! are those of the crate `http`:
//!
//! ```
//! use http::{Request, Response};
//! use sessionkit::manual::{RequestHead, RequestSession};
//! use sessionkit::{SessionData, SessionError, SessionManager};
//!
//! #[derive(SessionData)]
//! struct Cart {
//!     views: u64,
//! }
//!
//! async fn serve<B>(manager: &SessionManager, request: Request<B>) -> Response<String> {
//!     let session = manager.open();
//!     session.attach(&RequestHead::from(&request));
//!     let response = route(&session, request.uri().path()).await;
//!     let response = response.unwrap_or_else(|error| error.rejection().into());
//!     let changes = manager.close(&session, &response).await;
//!     changes.apply(response)
//! }
//!
//! async fn route(session: &RequestSession, path: &str) -> Result<Response<String>, SessionError> {
//!     match path {
//!         "/login" => session.auth().login("ada").await?,
//!         "/logout" => session.auth().logout().await?,
//!         _ => session.checkout::<Cart>().await?.views += 1,
//!     }
//!     Ok(Response::new(format!("seen {} times", session.view::<Cart>().await?.views)))
//! }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! #     let manager = SessionManager::new(sessionkit::MemoryStore::new(), sessionkit::SessionConfig::default());
//! #     let response = serve(&manager, Request::new(())).await;
//! #     assert_eq!(response.body(), "seen 1 times");
//! #     assert!(response.headers().contains_key("set-cookie"));
//! # }
//! ```
//!
//! If your stack drops the future of a request when the client disconnects, keep a [`RequestGuard`] in that future:
//! `manager.open().serving()`. When it is dropped, the session handles of the request learn that the request is over.
//!
//! Without the feature, make the head with [`RequestHead::new`] over your stack's own headers, which need to be
//! [`Headers`], and do to the response what [`ResponseChanges`] says. `cargo run --example by-hand` serves with
//! plain hyper.

pub use sessionkit_core::adapter::{
    Check, Checkout, CloseFuture, HandlerResponse, HeaderChange, HeaderChanges, Headers, RequestGuard, RequestSession,
    RequireLogin, ResponseChanges, guard,
};
pub use sessionkit_core::{
    Auth, CookieHome, DynamicSession, DynamicValue, HandleRef, RequestHead, SessionHandle, SessionHome, SessionsOf,
};

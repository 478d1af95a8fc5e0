//! Sessions for Poem: an adapter of SessionKit that knows no more of it than is published.
//!
//! ```
//! use poem::{EndpointExt, Route, get, handler};
//! use sessionkit::{MemoryStore, SessionConfig, SessionData, SessionManager};
//! use sessionkit_poem::{Session, SessionMiddleware, session};
//!
//! #[derive(SessionData)]
//! struct Cart {
//!     views: u64,
//! }
//!
//! #[handler]
//! async fn show(mut cart: Session<Cart>) -> String {
//!     cart.views += 1;
//!     format!("seen {} times", cart.views)
//! }
//!
//! #[session(require_login)]
//! #[handler]
//! async fn checkout(cart: Session<Cart>) -> String {
//!     format!("seen {} times before", cart.views)
//! }
//!
//! let manager = SessionManager::new(MemoryStore::new(), SessionConfig::default());
//! let app = Route::new().at("/", get(show)).at("/checkout", get(checkout)).with(SessionMiddleware::new(manager));
//! # let _ = app;
//! ```

#![deny(missing_docs)]

mod extract;
mod guard;
mod head;
mod middleware;
mod rejection;

pub use extract::{Auth, Session, SessionView, User};
pub use middleware::{SessionEndpoint, SessionMiddleware};
pub use rejection::SessionRejection;
pub use sessionkit_poem_macros::session;

/// The names in the code that `#[session(..)]` makes.
#[doc(hidden)]
pub mod __private {
    pub use crate::guard::PoemGuard;
    pub use sessionkit_macros::session_in_order;
}

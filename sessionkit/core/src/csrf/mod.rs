//! Cross-site request forgery: another site lets a person's browser send a request, and the browser adds the cookie.
//!
//! Two defences, of which the first is enough for most applications. [`CrossOriginProtection`] refuses what browsers
//! themselves call cross-origin; it keeps nothing and loads nothing. [`CsrfToken`] is a value in a form that only pages of
//! this session have, for the applications that must also serve browsers from before 2020, or whose rules ask for it.

mod origin;
mod path;
mod protection;
mod refusal;
mod token;

pub use protection::{Admission, CrossOriginProtection, TokenCheck};
pub use refusal::CsrfRefusal;
pub use token::CsrfToken;

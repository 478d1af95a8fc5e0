//! What browsers and scripts post.

use std::time::Duration;

use serde::Deserialize;
use sessionkit::LocalPath;

use super::catalog::{self, Product};

/// `POST /login`.
#[derive(Deserialize)]
pub(crate) struct LoginForm {
    pub(crate) user: String,
    pub(crate) password: String,
    /// The checkbox "keep me signed in": browsers send it only if it is ticked.
    remember: Option<String>,
    #[serde(flatten)]
    pub(crate) next: Next,
}

impl LoginForm {
    /// Thirty days for those who want to be kept signed in; otherwise what the settings say.
    pub(crate) fn lifetime(&self) -> Option<Duration> {
        self.remember.as_ref().map(|_| Duration::from_secs(30 * 24 * 60 * 60))
    }
}

/// The page that asked for a login, as a guard's redirect tells it: `/login?next=/admin`.
#[derive(Deserialize)]
pub(crate) struct Next {
    next: Option<String>,
}

impl Next {
    /// Where to go after a login. Anybody can write a link with a `next`, so only a path on this site will do.
    pub(crate) fn path(&self) -> LocalPath {
        self.next.as_deref().and_then(LocalPath::parse).unwrap_or_default()
    }
}

/// `POST /cart`: puts one more of a product into the cart, or as many as `quantity` says.
#[derive(Deserialize)]
pub(crate) struct CartForm {
    item: String,
    pub(crate) quantity: Option<u32>,
}

impl CartForm {
    pub(crate) fn product(&self) -> Option<&'static Product> {
        catalog::find(&self.item)
    }
}

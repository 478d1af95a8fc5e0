//! The forms and pages that these tests share.

use serde::Deserialize;

/// The form of a login.
#[derive(Deserialize)]
pub struct Login {
    pub user: String,
    #[serde(flatten)]
    pub next: Next,
}

/// The page that the user wants to see after the login.
#[derive(Deserialize)]
pub struct Next {
    next: Option<String>,
}

impl Next {
    pub fn path(&self) -> sessionkit::LocalPath {
        self.next.as_deref().and_then(sessionkit::LocalPath::parse).unwrap_or_default()
    }
}

/// A page with a form for a login.
pub fn login_form(next: &Next) -> String {
    let next = next.path();
    format!(
        "<form method=post action=/enter><input name=user><input type=hidden name=next value='{next}'>
<button>Log in</button></form>"
    )
}

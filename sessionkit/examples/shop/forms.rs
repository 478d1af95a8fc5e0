//! The forms that browsers and scripts post.

use std::time::Duration;

use serde::Deserialize;
use sessionkit::{LocalPath, SessionId};

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
    /// Returns the path to go to after a login. Anybody can write a link with a `next`, so only a path on this site will do.
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

/// `POST /password`.
#[derive(Deserialize)]
pub(crate) struct PasswordForm {
    password: String,
    again: String,
    pub(crate) csrf_token: String,
}

impl PasswordForm {
    /// The new password, or what is wrong with it.
    pub(crate) fn password(self) -> Result<String, &'static str> {
        if self.password != self.again {
            return Err("The two are not the same.");
        }
        if self.password.is_empty() {
            return Err("An empty password opens every door.");
        }
        Ok(self.password)
    }
}

/// `POST /devices/end`: logs one device out.
#[derive(Deserialize)]
pub(crate) struct DeviceForm {
    /// The id of the session there. It is no secret, and opens nothing.
    pub(crate) device: SessionId,
    pub(crate) csrf_token: String,
}

/// `POST /devices/end-others`: logs all other devices out.
#[derive(Deserialize)]
pub(crate) struct OthersForm {
    pub(crate) csrf_token: String,
}

/// `POST /admin/people`: logs a person out everywhere.
#[derive(Deserialize)]
pub(crate) struct PersonForm {
    pub(crate) person: String,
    pub(crate) csrf_token: String,
}

/// Names the device as a person would, from what its browser says of itself.
pub(crate) fn device(user_agent: Option<&str>) -> String {
    let agent = user_agent.unwrap_or_default();
    let find =
        |names: &[(&str, &'static str)]| names.iter().find(|(mark, _)| agent.contains(mark)).map(|(_, name)| *name);
    // Each claims to be those after it, too.
    let browsers =
        [("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari")];
    let systems = [
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Mac OS X", "macOS"),
        ("Linux", "Linux"),
    ];
    match (find(&browsers), find(&systems)) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(name), None) | (None, Some(name)) => name.to_owned(),
        (None, None) => "Unknown device".to_owned(),
    }
}

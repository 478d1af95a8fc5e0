//! The answers to those whom a guard refuses.

use std::fmt;

use crate::engine::denial::Denial;
use crate::wire::head::RequestHead;
use crate::wire::rejection::Rejection;

/// The answers of a guard to those whom it refuses, if they differ from the manager's: `login_url` and
/// `on_denied` of `#[session(..)]`.
#[derive(Clone, Copy, Default)]
pub struct GuardOptions {
    pub(crate) login_url: Option<LoginUrl>,
    pub(crate) on_denied: Option<fn(&Denial<'_>) -> Rejection>,
}

/// The address of the login page.
#[derive(Clone, Copy)]
pub(crate) enum LoginUrl {
    Path(&'static str),
    Function(fn(&RequestHead<'_>) -> String),
}

impl GuardOptions {
    /// Does what the manager does.
    pub const fn new() -> Self {
        Self { login_url: None, on_denied: None }
    }

    /// Takes from others what these leave to the manager.
    pub(crate) fn or(self, others: Self) -> Self {
        Self { login_url: self.login_url.or(others.login_url), on_denied: self.on_denied.or(others.on_denied) }
    }

    /// Sends to a login page of this site.
    pub const fn login_path(self, path: &'static str) -> Self {
        Self { login_url: Some(LoginUrl::Path(path)), ..self }
    }

    /// Sends to the login page that a function names, as
    /// [`SessionManagerBuilder::login_url`](crate::SessionManagerBuilder::login_url) does.
    pub const fn login_url(self, function: fn(&RequestHead<'_>) -> String) -> Self {
        Self { login_url: Some(LoginUrl::Function(function)), ..self }
    }

    /// Gives the answer of a function, as [`SessionManagerBuilder::on_denied`](crate::SessionManagerBuilder::on_denied)
    /// does.
    pub const fn on_denied(self, function: fn(&Denial<'_>) -> Rejection) -> Self {
        Self { on_denied: Some(function), ..self }
    }
}

impl fmt::Debug for GuardOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GuardOptions").finish_non_exhaustive()
    }
}

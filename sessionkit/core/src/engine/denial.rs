//! The answer to those who may not.

use std::fmt;
use std::sync::Arc;

use crate::engine::Engine;
use crate::engine::guard_options::{GuardOptions, LoginUrl};
use crate::error::{DenialReason, SessionError};
use crate::event::{About, EventKind};
use crate::wire::head::{RequestHead, Route};
use crate::wire::local_path::LocalPath;
use crate::wire::rejection::Rejection;

/// A request that a guard refused, as a function sees it that answers it: `#[session(.., on_denied = path)]`, or
/// [`SessionManagerBuilder::on_denied`](crate::SessionManagerBuilder::on_denied).
///
/// ```
/// # use sessionkit_core as sessionkit;
/// use sessionkit::{Denial, DenialReason, Rejection};
///
/// fn forbidden_page(denial: &Denial<'_>) -> Rejection {
///     match denial.reason {
///         DenialReason::NotAllowed if denial.head.is_navigation() => Rejection::html(403, "<h1>Members only</h1>"),
///         _ => denial.answer(),
///     }
/// }
/// # let _: fn(&Denial<'_>) -> Rejection = forbidden_page;
/// ```
#[non_exhaustive]
pub struct Denial<'a> {
    /// The reason why the request was refused.
    pub reason: DenialReason,
    /// The head of the request.
    pub head: RequestHead<'a>,
    /// The id of the user who is logged in.
    pub user: Option<Arc<str>>,
    pub(crate) engine: &'a Engine,
    pub(crate) options: GuardOptions,
}

impl Denial<'_> {
    /// Returns SessionKit's own answer. If a login helps, that is a redirect (303) to the login page for a person who
    /// opens a page, and 401 for all other requests. A user who is logged in and opens a page for guests is redirected to the
    /// setting `home_url`. All others get 403. A redirect to the very page that was refused would have no end: that is a
    /// 500, and the log names the mistake.
    pub fn answer(&self) -> Rejection {
        let is_navigation = self.head.is_navigation();
        match self.reason {
            DenialReason::LoginRequired | DenialReason::FreshLoginRequired if is_navigation => self.to_the_login_page(),
            DenialReason::LoginRequired => Rejection::new(401, "Please log in."),
            DenialReason::FreshLoginRequired => {
                Rejection::new(401, "Please log in again: your login is not recent enough.")
            }
            DenialReason::GuestOnly if is_navigation => self.home(),
            DenialReason::GuestOnly => Rejection::new(403, "You are logged in already."),
            DenialReason::NotAllowed if self.user.is_none() => Rejection::new(403, "You are not allowed to do this."),
            DenialReason::NotAllowed => Rejection::new(403, "You are logged in, but not allowed to do this."),
        }
    }

    fn to_the_login_page(&self) -> Rejection {
        let login_url = self.login_url();
        // It becomes a header.
        if login_url.is_empty() || !login_url.bytes().all(|byte| (0x21..0x7f).contains(&byte)) {
            return SessionError::bad_login_url(&login_url).rejection();
        }
        if self.head.is_sent_to(&login_url, self.prefix()) {
            return SessionError::login_page_behind_a_guard(self.head.path(), &login_url).rejection();
        }
        Rejection::login(&self.at_the_client(login_url), self.way_back().as_ref())
    }

    fn home(&self) -> Rejection {
        let home_url = &self.engine.settings().home_url;
        if self.head.is_sent_to(home_url, self.prefix()) {
            return SessionError::guests_alone_at_home(self.head.path(), home_url).rejection();
        }
        Rejection::home(&self.at_the_client(home_url.clone()))
    }

    /// Returns the page to come back to after the login, if it can be asked for again and is one of this site.
    fn way_back(&self) -> Option<LocalPath> {
        if !matches!(self.head.method(), "GET" | "HEAD") {
            return None;
        }
        let path = LocalPath::of_request(self.prefix(), self.head.target());
        let report = |reason: &&'static str| {
            let (route, kind) = (Route::new(&self.head), EventKind::NextDropped { reason });
            self.engine.record(kind, About { route: Some(&route), ..About::default() });
        };
        path.inspect_err(report).ok()
    }

    /// Returns an address as the client sees it, before the proxy that strips the prefix.
    fn at_the_client(&self, url: String) -> String {
        if url.starts_with('/') && !url.starts_with("//") { self.prefix().to_owned() + &url } else { url }
    }

    fn prefix(&self) -> &str {
        &self.engine.settings().path_prefix
    }

    /// The guard's, or else the manager's, or else the setting.
    fn login_url(&self) -> String {
        let engine = self.engine;
        match (self.options.login_url, &engine.denials.login_url) {
            (Some(LoginUrl::Path(path)), _) => path.to_owned(),
            (Some(LoginUrl::Function(function)), _) => function(&self.head),
            (None, Some(function)) => function(&self.head),
            (None, None) => engine.settings().login_url.clone(),
        }
    }
}

impl fmt::Debug for Denial<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { reason, head, user, .. } = self;
        f.debug_struct("Denial").field("reason", reason).field("head", head).field("user", user).finish_non_exhaustive()
    }
}

type LoginUrlOf = dyn Fn(&RequestHead<'_>) -> String + Send + Sync;
type OnDenied = dyn Fn(&Denial<'_>) -> Rejection + Send + Sync;

/// The answers of a manager to requests that its guards refuse.
#[derive(Default)]
pub(crate) struct Denials {
    pub(crate) login_url: Option<Box<LoginUrlOf>>,
    pub(crate) on_denied: Option<Box<OnDenied>>,
}

//! Every reason with its kind, its status, its line in the log, and what the client is told.

use std::borrow::Cow;

use super::{Cause, DenialReason, SessionError, SessionErrorKind as Kind};
use crate::format::FormatError;

/// The text that a client gets for a failure that is the application's matter.
pub(crate) const OPAQUE: &str = "The server could not answer this request.";

/// The text that a user gets who lacks the permission.
const NOT_ALLOWED: &str = "You are not allowed to do this.";

impl SessionError {
    /// Makes an error of the application's own making, which the log explains and the client learns nothing of.
    fn misuse(message: impl Into<Cow<'static, str>>) -> Self {
        Self::opaque(Kind::Misuse, message, None)
    }

    /// Makes a 500 that tells the client nothing.
    pub(crate) fn opaque(kind: Kind, message: impl Into<Cow<'static, str>>, cause: Option<Cause>) -> Self {
        Self::new(kind, 500, message, OPAQUE, cause)
    }

    pub(crate) fn namespace(namespace: &'static str, first: &'static str, second: &'static str) -> Self {
        Self::misuse(format!(
            "the structs `{first}` and `{second}` both use the session namespace `{namespace}`: give one of them another \
             with `#[session(name = \"..\")]`"
        ))
    }

    /// A struct was asked of a session that it does not belong to.
    pub(crate) fn scope(data: &'static str, belongs: &'static str, asked: &'static str) -> Self {
        Self::misuse(format!(
            "the struct `{data}` belongs to the session scope `{belongs}`, and was asked of `{asked}`: ask the session of \
             its scope, or move it with `#[session(scope = ..)]`"
        ))
    }

    /// A struct has a sensitive field, and there is no key to encrypt it with.
    pub(crate) fn no_keys(data: &'static str, field: &'static str) -> Self {
        Self::misuse(format!(
            "the field `{field}` of `{data}` is sensitive, and there is no key to encrypt it with: make one with `sessionkit \
             keygen` and give it to the setting `keys` (`SESSION_KEYS`), or store sensitive fields as plain text with \
             `plaintext_sensitive`"
        ))
    }

    /// Two managers of one application use one cookie.
    pub(crate) fn one_cookie(cookie: &str, outer: &'static str, inner: &'static str) -> Self {
        Self::misuse(format!(
            "a request passed the session layers of two managers whose cookie is `{cookie}`, one of the scope `{outer}` and \
             inside of it one of the scope `{inner}`: give one of them another `cookie_name`, or make one manager and give \
             clones of it to both layers"
        ))
    }

    /// A request did not pass the layer of a session.
    pub(crate) fn missing_layer(scope: &'static str, adapter_layer: &str, route: impl std::fmt::Display) -> Self {
        Self::misuse(format!(
            "the session layer `{scope}` did not run before {route}. Perhaps you forgot to add it? Add `{adapter_layer}` to \
             the application, outside of this route"
        ))
    }

    pub(crate) fn too_large(size: usize, limit: usize) -> Self {
        let message = format!(
            "the session would take {size} bytes, more than max_record_size = {limit}: store less in it, or raise the setting"
        );
        Self::opaque(Kind::RecordTooLarge, message, None)
    }

    /// The session does not fit into its cookie.
    pub(crate) fn cookie_too_large(size: usize, limit: usize) -> Self {
        let message = format!(
            "the cookie of the session would take {size} bytes, more than {limit}, and browsers would drop it: store less in \
             the session, keep it on a server, or allow more cookies with `CookieSessions::sealed_in_chunks`"
        );
        Self::opaque(Kind::RecordTooLarge, message, None)
    }

    /// The format of the cookie has no way to say something in the session.
    pub(crate) fn cookie_format(error: FormatError) -> Self {
        Self::opaque(Kind::Field, "the session cannot be written in the format of its cookie", Some(Box::new(error)))
    }

    /// A handle wants to change a session in a cookie that was sent already.
    pub(crate) fn cookie_is_sent() -> Self {
        let message = "a session in a cookie cannot be changed after the response: change it in the handler, or keep it on a \
                       server";
        Self::opaque(Kind::Misuse, message, None)
    }

    /// A conflict could not be settled in time.
    pub(crate) fn unsettled() -> Self {
        let message = "other requests kept changing the same session field; nothing was stored, please try again";
        Self::new(Kind::Conflict, 409, message, "Other requests changed the same data. Please try again.", None)
    }

    /// The session ended, or its secret was rotated, before the changes came.
    pub(crate) fn lost() -> Self {
        let message = "the session ended before the changes of this request could be stored";
        Self::new(Kind::SessionEnded, 409, message, "Your session ended before this could be stored.", None)
    }

    /// The session of a handle has ended.
    pub(crate) fn over() -> Self {
        let message = "the session of this handle has ended: its user logged out, or in again";
        Self::new(Kind::SessionEnded, 409, message, "Your session has ended.", None)
    }

    /// A form was not made for this session.
    pub(crate) fn csrf() -> Self {
        Self::cross_site(
            "the token of the form is missing, or is not one of this session",
            "This form is not one of your session any more. Please load the page again.",
        )
    }

    /// Another site made a browser send the request.
    pub(crate) fn cross_site(message: &'static str, detail: &'static str) -> Self {
        Self::new(Kind::CrossSite, 403, message, detail, None)
    }

    /// A guard refused the request.
    pub(crate) fn denied(reason: DenialReason) -> Self {
        let status = match reason {
            DenialReason::LoginRequired | DenialReason::FreshLoginRequired => 401,
            DenialReason::GuestOnly | DenialReason::NotAllowed => 403,
        };
        Self::new(
            Kind::Denied(reason),
            status,
            format!("the guard refused the request: {}", reason.name()),
            NOT_ALLOWED,
            None,
        )
    }

    /// The rules of one scope were asked of the session of another.
    pub(crate) fn rules_of_another_scope(session: &'static str, rules: &'static str) -> Self {
        Self::misuse(format!(
            "rules of the session scope `{rules}` cannot decide about a session of `{session}`: ask the `Auth` of their scope"
        ))
    }

    /// A guard was called after the response.
    pub(crate) fn late_guard() -> Self {
        Self::misuse(
            "a guard was called after the response, when nothing tells whether the session goes on: extract a \
             `SessionHandle`, and call its guards after `reload`",
        )
    }

    /// A guard was called, and nobody kept the head of the request.
    pub(crate) fn no_head() -> Self {
        Self::misuse(
            "a guard was called without the head of the request: call `RequestSession::keep_head` before, as the \
             extractors of axum and actix-web do",
        )
    }

    /// A guard could not decide.
    pub(crate) fn guard_failed(cause: Cause) -> Self {
        Self::opaque(Kind::GuardFailed, "it could not be decided whether the request may pass", Some(cause))
    }

    /// A header that cannot be sent was given to an answer.
    pub(crate) fn bad_header(name: &str, wrong: &'static str) -> Self {
        Self::misuse(format!("the header `{}` cannot be given to a rejection: {wrong}", name.escape_debug()))
    }

    /// The page to log in at has no address.
    pub(crate) fn bad_login_url(login_url: &str) -> Self {
        Self::misuse(format!(
            "a function named {login_url:?} as the login page, which is no address: write visible ASCII, as in `/login`"
        ))
    }

    /// The page to log in at asks for a login itself.
    pub(crate) fn login_page_behind_a_guard(path: &str, login_url: &str) -> Self {
        Self::misuse(format!(
            "the guard of {path} sends those who must log in to {login_url:?}, which is this page: take the guard off the \
             login page, or name another one with `login_url`"
        ))
    }

    /// The page where users are sent from a page for guests is one for guests itself.
    pub(crate) fn guests_alone_at_home(path: &str, home_url: &str) -> Self {
        Self::misuse(format!(
            "the guard `guest_only` of {path} sends those who are logged in to {home_url:?}, which is this page: name another \
             one with `home_url`"
        ))
    }

    /// The page for those who have no session needs a session itself.
    pub(crate) fn missing_session_leads_here(url: &str) -> Self {
        Self::misuse(format!(
            "the hook on_missing_session sends those who have no session to {url:?}, which is this page, and it uses the \
             session: let the hook continue for its path"
        ))
    }

    /// The response was sent already.
    pub(crate) fn late() -> Self {
        Self::misuse("a login needs a response that is not sent yet, to carry the new cookie")
    }

    /// The runtime is going away.
    pub(crate) fn interrupted() -> Self {
        let detail = "The session store is not available. Please try again.";
        Self::new(Kind::ShuttingDown, 503, "the server is shutting down", detail, None)
    }

    /// Something that goes on if its caller leaves was asked for where nothing can go on.
    pub(crate) fn no_runtime() -> Self {
        Self::misuse(
            "logins, logouts and revocations run in tasks of tokio, so that they go on if the client leaves: await them \
             inside of a tokio runtime",
        )
    }

    /// A handle was used before its request ended.
    pub(crate) fn early() -> Self {
        Self::misuse(
            "this session handle begins when the response is sent: until then use the extractors, or spawn a task",
        )
    }

    /// A handle has no session.
    pub(crate) fn no_session() -> Self {
        let message = "there is no session, and a handle cannot begin one, because the response that could carry its cookie \
                       was sent: store something or log in before";
        Self::new(Kind::NoSession, 409, message, "You have no session.", None)
    }

    /// No store can hold a value under this key.
    pub(crate) fn key(key: &str) -> Self {
        Self::misuse(format!(
            "`{key}` cannot be a key of the session: write one that is not empty and has no name that begins with `@`"
        ))
    }

    /// No authentication method is called like this.
    pub(crate) fn method(method: &str) -> Self {
        Self::misuse(format!(
            "`{}` cannot be the name of an authentication method: write visible ASCII without spaces, such as `pwd`",
            method.escape_debug()
        ))
    }

    /// Makes an error for a request that needs a user who is logged in.
    pub(crate) fn not_logged_in() -> Self {
        Self::new(Kind::NotLoggedIn, 401, "nobody is logged in", "Please log in.", None)
    }

    /// Makes an error for an attempt to act as a user who does not exist.
    pub(crate) fn no_such_user() -> Self {
        Self::new(Kind::NoSuchUser, 404, "there is no such user", "There is no such user.", None)
    }

    /// An empty text was given for the id of a user.
    pub(crate) fn no_user_id() -> Self {
        Self::misuse("the id of a user must not be empty")
    }

    /// The user is logged in on as many devices as may be.
    pub(crate) fn too_many_devices(most: usize) -> Self {
        let detail = match most {
            1 => "You are logged in on another device: log out there before logging in here.".to_owned(),
            _ => format!("You are logged in on {most} devices already: log out on one of them before."),
        };
        let message = format!("too many devices: the user is logged in on {most} already");
        Self::new(Kind::TooManyDevices, 409, message, detail, None)
    }

    /// The sessions of the user were ended while a login was under way.
    pub(crate) fn revoked() -> Self {
        let message = "the sessions of the user were ended while this login was under way";
        let detail = "Your sessions were ended while you logged in. Please log in again.";
        Self::new(Kind::LoginRevoked, 409, message, detail, None)
    }

    /// The sessions of each user are not listed.
    pub(crate) fn devices_are_not_tracked() -> Self {
        Self::misuse("the sessions of each user are not listed: set `track_devices`")
    }

    /// Makes an error for an actor who tries to act as one more user.
    pub(crate) fn acting() -> Self {
        let message = "the user acts as another one: call `end_impersonation` first";
        Self::new(Kind::Impersonating, 409, message, "You act as another user already: end that first.", None)
    }

    /// An entry was written of a field that is stored in one piece.
    pub(crate) fn in_one_piece(field: &str) -> Self {
        Self::misuse(format!("`{field}` is stored in one piece: insert it as a whole to change one of its entries"))
    }

    /// Code of the application did not come to an end in time.
    pub(crate) fn slow(what: &'static str) -> Self {
        let detail = "The session could not be loaded in time. Please try again.";
        Self::new(Kind::HookTimeout, 503, format!("`{what}` did not answer within load_deadline"), detail, None)
    }

    /// The application could not say who the user is.
    pub(crate) fn user_loader(cause: Cause) -> Self {
        Self::no_user("the user could not be loaded", Some(cause))
    }

    /// The application did not say in time who the user is.
    pub(crate) fn slow_user_loader() -> Self {
        Self::no_user("the user loader did not answer within user_deadline", None)
    }

    fn no_user(message: &'static str, cause: Option<Cause>) -> Self {
        let detail = "Who is logged in could not be looked up. Please try again.";
        Self::new(Kind::UserLoader, 503, message, detail, cause)
    }

    /// No guard decided about a route, in an application that denies by default.
    pub(crate) fn unguarded(route: String, dev: bool) -> Self {
        let message = format!(
            "no guard decided about `{route}`: put `#[session(require_login)]` or another condition on its handler, or \
             `#[session(public)]` if everybody may call it; for what is no handler of yours add a layer of `Rules`"
        );
        let (status, detail) = if dev { (500, OPAQUE) } else { (403, NOT_ALLOWED) };
        Self::new(Kind::Unguarded, status, message, detail, None)
    }

    /// A user was asked for, and nothing loads any.
    pub(crate) fn no_user_loader(asked: &'static str) -> Self {
        Self::misuse(format!(
            "nothing loads the user `{asked}`: give the manager a `UserLoader` of it with `SessionManagerBuilder::user_loader`"
        ))
    }

    /// A user was asked for, and the loader loads users of another type.
    pub(crate) fn other_user(asked: &'static str, loaded: &'static str) -> Self {
        Self::misuse(format!(
            "the user `{asked}` was asked for, and the `UserLoader` of the manager loads `{loaded}`: ask for that, or give \
             the manager a loader of the other"
        ))
    }

    /// Every new id was in use.
    pub(crate) fn no_free_id() -> Self {
        Self::misuse("every new session id is in use already: the token source repeats itself")
    }

    /// Code of the application panicked.
    pub(crate) fn panicked(what: &'static str) -> Self {
        Self::opaque(Kind::Panic, format!("{what} panicked"), None)
    }
}

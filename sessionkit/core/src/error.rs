//! Why the session of a request cannot be used.

use std::fmt;
use std::sync::Arc;

use crate::csrf::CsrfRefusal;
use crate::data::field_error::FieldError;
use crate::event::EventKind;
use crate::store::{StoreError, StoreErrorKind};
use crate::wire::cookie::BadCookie;
use crate::wire::rejection::Rejection;

/// Why the session of a request cannot be used. Never a reason to treat a person as logged out.
///
/// Cheap to clone: everybody who asks in one request gets the same error.
#[derive(Clone)]
pub struct SessionError(Arc<Reason>);

enum Reason {
    Store(StoreError),
    Field(FieldError),
    Namespace { namespace: &'static str, first: &'static str, second: &'static str },
    Layer { data: &'static str, belongs: &'static str, asked: &'static str },
    TooLarge { size: usize, limit: usize },
    Unsettled,
    Lost,
    Csrf,
    Late,
    Interrupted,
    BadCookie(BadCookie),
    Answered(Rejection),
    Slow(&'static str),
    Panicked(&'static str),
    UserLoader(String),
    SlowUserLoader,
    Unguarded { route: String, dev: bool },
    NoUserLoader { asked: &'static str },
    OtherUser { asked: &'static str, loaded: &'static str },
    NoFreeId,
    Key(String),
    Method(String),
    NotLoggedIn,
    NoSuchUser,
    NoUserId,
    TooManyDevices(usize),
    Revoked,
    NoDeviceIndex,
    Acting,
    InOnePiece(String),
    Early,
    Over,
    NoSession,
}

impl SessionError {
    pub(crate) fn namespace(namespace: &'static str, first: &'static str, second: &'static str) -> Self {
        Reason::Namespace { namespace, first, second }.into()
    }

    /// A struct was asked of a session that it does not belong to.
    pub(crate) fn scope(data: &'static str, belongs: &'static str, asked: &'static str) -> Self {
        Reason::Layer { data, belongs, asked }.into()
    }

    pub(crate) fn too_large(size: usize, limit: usize) -> Self {
        Reason::TooLarge { size, limit }.into()
    }

    /// A conflict could not be settled in time.
    pub(crate) fn unsettled() -> Self {
        Reason::Unsettled.into()
    }

    /// The session ended, or its secret was rotated, before the changes came.
    pub(crate) fn lost() -> Self {
        Reason::Lost.into()
    }

    /// A form was not made for this session.
    pub(crate) fn csrf() -> Self {
        Reason::Csrf.into()
    }

    /// The response was sent already.
    pub(crate) fn late() -> Self {
        Reason::Late.into()
    }

    /// The runtime is going away.
    pub(crate) fn interrupted() -> Self {
        Reason::Interrupted.into()
    }

    /// A handle was used before its request ended.
    pub(crate) fn early() -> Self {
        Reason::Early.into()
    }

    /// The session of a handle has ended.
    pub(crate) fn over() -> Self {
        Reason::Over.into()
    }

    /// A handle has no session.
    pub(crate) fn no_session() -> Self {
        Reason::NoSession.into()
    }

    /// No store can hold a value under this key.
    pub(crate) fn key(key: &str) -> Self {
        Reason::Key(key.into()).into()
    }

    /// No authentication method is called like this.
    pub(crate) fn method(method: &str) -> Self {
        Reason::Method(method.into()).into()
    }

    /// What was asked for needs somebody who is logged in.
    pub(crate) fn not_logged_in() -> Self {
        Reason::NotLoggedIn.into()
    }

    /// Somebody was to act as a user who is not there.
    pub(crate) fn no_such_user() -> Self {
        Reason::NoSuchUser.into()
    }

    /// An empty text was given for the id of a user.
    pub(crate) fn no_user_id() -> Self {
        Reason::NoUserId.into()
    }

    /// The user is logged in on as many devices as may be.
    pub(crate) fn too_many_devices(most: usize) -> Self {
        Reason::TooManyDevices(most).into()
    }

    /// The sessions of the user were ended while a login was under way.
    pub(crate) fn revoked() -> Self {
        Reason::Revoked.into()
    }

    /// Nobody keeps the sessions of each user.
    pub(crate) fn no_device_index() -> Self {
        Reason::NoDeviceIndex.into()
    }

    /// Whoever acts as somebody already cannot act as somebody else.
    pub(crate) fn acting() -> Self {
        Reason::Acting.into()
    }

    /// An entry was written of a field that is stored in one piece.
    pub(crate) fn in_one_piece(field: &str) -> Self {
        Reason::InOnePiece(field.into()).into()
    }

    /// The cookie opens nothing, and the setting `on_bad_cookie` rejects that.
    pub(crate) fn bad_cookie(fault: BadCookie) -> Self {
        Reason::BadCookie(fault).into()
    }

    /// A hook answered the request.
    pub(crate) fn answered(rejection: Rejection) -> Self {
        Reason::Answered(rejection).into()
    }

    /// Code of the application did not come to an end in time.
    pub(crate) fn slow(what: &'static str) -> Self {
        Reason::Slow(what).into()
    }

    /// The application could not tell who the user is.
    pub(crate) fn user_loader(error: String) -> Self {
        Reason::UserLoader(error).into()
    }

    /// The application did not tell in time who the user is.
    pub(crate) fn slow_user_loader() -> Self {
        Reason::SlowUserLoader.into()
    }

    /// No guard decided about a route, in an application that withholds unguarded answers.
    pub(crate) fn unguarded(route: String, dev: bool) -> Self {
        Reason::Unguarded { route, dev }.into()
    }

    /// A user was asked for, and nothing loads any.
    pub(crate) fn no_user_loader(asked: &'static str) -> Self {
        Reason::NoUserLoader { asked }.into()
    }

    /// A user was asked for, and the loader loads users of another type.
    pub(crate) fn other_user(asked: &'static str, loaded: &'static str) -> Self {
        Reason::OtherUser { asked, loaded }.into()
    }

    /// Every new id was in use.
    pub(crate) fn no_free_id() -> Self {
        Reason::NoFreeId.into()
    }

    /// Code of the application panicked.
    pub(crate) fn panicked(what: &'static str) -> Self {
        Reason::Panicked(what).into()
    }

    /// Tells of a failure; what is the client's matter is told to the client alone.
    pub(crate) fn tell(&self, tell: impl FnOnce(EventKind<'_>)) {
        match &*self.0 {
            Reason::Store(_) => tell(EventKind::StoreUnavailable { error: format_args!("{self}") }),
            _ if self.status() >= 500 => tell(EventKind::Failed { error: format_args!("{self}") }),
            _ => {}
        }
    }

    /// Whether what is stored is damaged: then nothing else is known to be wrong.
    pub(crate) fn is_of_damage(&self) -> bool {
        matches!(&*self.0, Reason::Store(error) if error.kind() == StoreErrorKind::Corrupt)
    }

    /// The status code of the answer: 503 where the store or the user loader failed, 409 where changes could not be
    /// settled and where a login is one too many, 404 where somebody was to act as a user who is not there, 401 where nobody is
    /// logged in, 400 or 401 where the setting `on_bad_cookie` rejects the cookie, 403 where a form is not one of the session,
    /// a hook's where one answered, 500 otherwise.
    pub fn status(&self) -> u16 {
        match &*self.0 {
            Reason::Store(error) if error.kind() == StoreErrorKind::Corrupt => 500,
            Reason::Store(_) | Reason::Interrupted | Reason::Slow(_) => 503,
            Reason::UserLoader(_) | Reason::SlowUserLoader => 503,
            Reason::Answered(rejection) => rejection.status(),
            Reason::Unsettled | Reason::Lost | Reason::Over | Reason::NoSession | Reason::Acting => 409,
            Reason::TooManyDevices(_) | Reason::Revoked => 409,
            Reason::NoSuchUser => 404,
            Reason::Csrf => 403,
            Reason::Unguarded { dev: false, .. } => 403,
            Reason::BadCookie(BadCookie::Malformed) => 400,
            Reason::BadCookie(BadCookie::Unknown) | Reason::NotLoggedIn => 401,
            _ => 500,
        }
    }

    /// The answer. Details of a failing store or user loader and of a value that does not fit go to the log, not to the client.
    pub fn rejection(&self) -> Rejection {
        let detail = match &*self.0 {
            Reason::Answered(rejection) => return rejection.clone(),
            Reason::Store(error) if error.kind() == StoreErrorKind::Corrupt => {
                "What is stored of the session is not what this application expects.".into()
            }
            Reason::Store(_) | Reason::Interrupted => "The session store is not available. Please try again.".into(),
            Reason::Slow(_) => "The session could not be loaded in time. Please try again.".into(),
            Reason::UserLoader(_) | Reason::SlowUserLoader => {
                "Who is logged in could not be looked up. Please try again.".into()
            }
            Reason::Unguarded { dev: false, .. } => "You are not allowed to do this.".into(),
            Reason::BadCookie(BadCookie::Malformed) => "The session cookie is not one of this application's.".into(),
            Reason::BadCookie(BadCookie::Unknown) => "The session has ended. Please log in again.".into(),
            Reason::Csrf => CsrfRefusal::Token.detail().into(),
            Reason::Field(error) => format!("The session field `{}` could not be read or stored.", error.key()),
            _ => self.to_string(),
        };
        Rejection::new(self.status(), detail)
    }
}

impl From<SessionError> for Rejection {
    fn from(error: SessionError) -> Self {
        error.rejection()
    }
}

impl From<Reason> for SessionError {
    fn from(reason: Reason) -> Self {
        Self(Arc::new(reason))
    }
}

impl From<StoreError> for SessionError {
    fn from(error: StoreError) -> Self {
        Reason::Store(error).into()
    }
}

impl From<FieldError> for SessionError {
    fn from(error: FieldError) -> Self {
        Reason::Field(error).into()
    }
}

impl fmt::Display for SessionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            Reason::Store(error) => error.fmt(f),
            Reason::Field(error) => error.fmt(f),
            Reason::Namespace { namespace, first, second } => write!(
                f,
                "the structs `{first}` and `{second}` both use the session namespace `{namespace}`: give one of them another with `#[session(name = \"..\")]`"
            ),
            Reason::Layer { data, belongs, asked } => {
                write!(f, "the struct `{data}` belongs to the session scope `{belongs}`, and was asked of `{asked}`")
            }
            Reason::TooLarge { size, limit } => {
                write!(f, "the session would take {size} bytes, more than max_record_size = {limit}")
            }
            Reason::Unsettled => {
                f.write_str("other requests kept changing the same session field; nothing was stored, please try again")
            }
            Reason::Lost => f.write_str("the session ended before the changes of this request could be stored"),
            Reason::Csrf => f.write_str("the token of the form is missing, or is not one of this session"),
            Reason::Late => f.write_str("a login needs a response that is not sent yet, to carry the new cookie"),
            Reason::Interrupted => f.write_str("the server is shutting down"),
            Reason::Answered(rejection) => rejection.fmt(f),
            Reason::Slow(what) => write!(f, "`{what}` did not answer within load_deadline"),
            Reason::Panicked(what) => write!(f, "{what} panicked"),
            Reason::UserLoader(error) => write!(f, "the user could not be loaded: {error}"),
            Reason::SlowUserLoader => f.write_str("the user loader did not answer within user_deadline"),
            Reason::Unguarded { route, .. } => write!(
                f,
                "no guard decided about `{route}`: put `#[session(require_login)]` or another condition on its handler, or \
                 `#[session(public)]` if everybody may call it; for what is no handler of yours add a layer of `Rules`"
            ),
            Reason::NoUserLoader { asked } => write!(
                f,
                "nothing loads the user `{asked}`: give the manager a `UserLoader` of it with `SessionManager::with_user_loader`"
            ),
            Reason::OtherUser { asked, loaded } => write!(
                f,
                "the user `{asked}` was asked for, and the `UserLoader` of the manager loads `{loaded}`: ask for that, or give \
                 the manager a loader of the other"
            ),
            Reason::NoFreeId => f.write_str("every new session id is in use already: the token source repeats itself"),
            Reason::BadCookie(BadCookie::Malformed) => f.write_str("the session cookie is malformed"),
            Reason::BadCookie(BadCookie::Unknown) => f.write_str("the session cookie is unknown or has expired"),
            Reason::Early => f.write_str(
                "this session handle begins when the response is sent: until then use the extractors, or spawn a task",
            ),
            Reason::Over => f.write_str("the session of this handle has ended: its user logged out, or in again"),
            Reason::NoSession => f.write_str(
                "there is no session, and a handle cannot begin one, because the response that could carry its cookie \
                 was sent: store something or log in before",
            ),
            Reason::InOnePiece(field) => {
                write!(f, "`{field}` is stored in one piece: insert it as a whole to change one of its entries")
            }
            Reason::TooManyDevices(1) => {
                f.write_str("the user is logged in on another device: log out there before logging in here")
            }
            Reason::TooManyDevices(most) => {
                write!(f, "too many devices: the user is logged in on {most} already; log out on one of them before")
            }
            Reason::Revoked => {
                f.write_str("the sessions of the user were ended while this login was under way: please log in again")
            }
            Reason::NoDeviceIndex => f.write_str(
                "the sessions of each user are not kept: set `track_devices`, and use a store that has an index of them",
            ),
            Reason::NotLoggedIn => f.write_str("nobody is logged in"),
            Reason::NoSuchUser => f.write_str("there is no such user"),
            Reason::NoUserId => f.write_str("the id of a user must not be empty"),
            Reason::Acting => f.write_str("somebody who acts as another user has to end that first"),
            Reason::Method(method) => write!(
                f,
                "`{}` cannot be the name of an authentication method: write visible ASCII without spaces, such as `pwd`",
                method.escape_debug()
            ),
            Reason::Key(key) => {
                write!(
                    f,
                    "`{key}` cannot be a key of the session: write one that is not empty and does not begin with `@`"
                )
            }
        }
    }
}

impl fmt::Debug for SessionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for SessionError {}

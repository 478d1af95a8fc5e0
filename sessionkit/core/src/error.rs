//! The error of a request whose session cannot be used.

mod chain;
mod denial_reason;
mod kind;
mod reason;

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::sync::{Arc, OnceLock};

pub(crate) use chain::Chain;
pub use denial_reason::DenialReason;
pub use kind::SessionErrorKind;

/// The cause of an error.
pub(crate) type Cause = Box<dyn Error + Send + Sync>;

/// The reason why the session of a request cannot be used. Never a reason to treat a person as logged out.
///
/// It tells its [kind](Self::kind), its [status](Self::status) and its cause, with [`source`](Error::source): the
/// [`StoreError`](crate::StoreError), the [`FieldError`](crate::FieldError), the user loader's own error. Its text is for
/// the log; a client gets its [`rejection`](Self::rejection), which reveals nothing of a 500.
///
/// A handler may fail with the framework's `SessionRejection`, or with an error of the application that is made from it:
///
/// ```
/// # use sessionkit_core as sessionkit;
/// use sessionkit::SessionError;
///
/// enum AppError {
///     Session(SessionError),
///     OutOfStock,
/// }
///
/// impl From<SessionError> for AppError {
///     fn from(error: SessionError) -> Self {
///         Self::Session(error)
///     }
/// }
///
/// async fn log_in(auth: sessionkit::Auth) -> Result<&'static str, AppError> {
///     auth.login("ada").await?;
///     Ok("welcome")
/// }
/// # let _ = (log_in, AppError::OutOfStock);
/// ```
///
/// Cheap to clone: everybody who asks in one request gets the same error.
#[derive(Clone)]
pub struct SessionError(Arc<Inner>);

struct Inner {
    kind: SessionErrorKind,
    status: u16,
    /// For the log, without the cause.
    message: Cow<'static, str>,
    /// For the client.
    detail: Cow<'static, str>,
    cause: Option<Cause>,
    /// The scope of the session that failed, once it is known.
    scope: OnceLock<&'static str>,
}

impl SessionError {
    pub(crate) fn new(
        kind: SessionErrorKind,
        status: u16,
        message: impl Into<Cow<'static, str>>,
        detail: impl Into<Cow<'static, str>>,
        cause: Option<Cause>,
    ) -> Self {
        let (message, detail, scope) = (message.into(), detail.into(), OnceLock::new());
        Self(Arc::new(Inner { kind, status, message, detail, cause, scope }))
    }

    /// The kind, to decide by.
    pub fn kind(&self) -> SessionErrorKind {
        self.0.kind
    }

    /// The status code of the answer; that of a hook which answered the request.
    pub fn status(&self) -> u16 {
        self.0.status
    }

    /// Returns the sentence that the client gets.
    pub(crate) fn detail(&self) -> &Cow<'static, str> {
        &self.0.detail
    }

    /// The error and its causes, for the log.
    pub(crate) fn chain(&self) -> Chain<'_> {
        Chain(self)
    }

    /// The cause, if it is a `T`.
    pub(crate) fn cause<T: Error + 'static>(&self) -> Option<&T> {
        self.0.cause.as_ref()?.downcast_ref()
    }

    /// Returns whether what is stored is damaged: then nothing else is known to be wrong.
    pub(crate) fn is_of_damage(&self) -> bool {
        self.kind() == SessionErrorKind::StoreCorrupt
    }

    /// Notes of which scope's session it is, for applications with several, and that it was reported there.
    pub(crate) fn note_scope(&self, scope: &'static str) {
        let _ = self.0.scope.set(scope);
    }

    /// Returns the scope that was noted.
    pub(crate) fn scope_noted(&self) -> Option<&'static str> {
        self.0.scope.get().copied()
    }

    /// Returns whether it was made outside of a session, so that nobody was told of it.
    pub(crate) fn is_unreported(&self) -> bool {
        self.0.scope.get().is_none()
    }

    /// Returns whether the session of this scope failed, as far as that is known.
    pub(crate) fn may_be_of(&self, scope: &str) -> bool {
        self.0.scope.get().is_none_or(|known| *known == scope)
    }
}

impl fmt::Display for SessionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

/// Shows the causes too.
impl fmt::Debug for SessionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.chain(), f)
    }
}

impl Error for SessionError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.cause.as_deref().map(|cause| cause as &(dyn Error + 'static))
    }
}

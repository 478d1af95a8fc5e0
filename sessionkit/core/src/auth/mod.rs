//! Login, logout and rotation: they happen at once, and hold whatever the handler answers.

use std::fmt::{self, Display};
use std::sync::Arc;
use std::time::Duration;

use crate::devices::entering::{Entering, EnteringSession};
use crate::devices::list::Devices;
use crate::engine::open::Current;
use crate::engine::session::Removal;
use crate::error::{SessionError, SessionErrorKind};
use crate::request::RequestSession;
use crate::request::info::SessionInfo;
use crate::request::state::{CookieChange, State, Verdict};
use crate::time::Timestamp;

mod impersonation;
mod login;
mod logout;
mod operation;
mod rotation;
mod step_up;

pub use login::Login;
pub use logout::Logout;
pub use step_up::Reauthentication;

/// The login of a request, and the ways to change it.
///
/// Each change is stored at once, in a task of its own that goes on even if the client disconnects, and holds whatever
/// the handler answers. [`RequestSession::auth`] makes one.
pub struct Auth {
    session: RequestSession,
}

impl Auth {
    pub(crate) fn new(session: RequestSession) -> Self {
        Self { session }
    }

    /// The request's session, for adapters.
    pub fn session(&self) -> &RequestSession {
        &self.session
    }

    /// The id of the user who is logged in.
    ///
    /// # Errors
    /// Fails when the store does: that is no reason to treat anybody as logged out.
    pub async fn user_id(&self) -> Result<Option<Arc<str>>, SessionError> {
        self.session.user_id().await
    }

    /// Returns the user id of the actor under impersonation; see [`impersonate`](Self::impersonate).
    ///
    /// # Errors
    /// Fails when the store does.
    pub async fn actor(&self) -> Result<Option<Arc<str>>, SessionError> {
        Ok(self.session.info().await?.and_then(|info| info.actor))
    }

    /// Returns the facts about the session itself; `None` if the visitor has none.
    ///
    /// # Errors
    /// Fails when the store does.
    pub async fn info(&self) -> Result<Option<SessionInfo>, SessionError> {
        self.session.info().await
    }

    /// Logs a user in, whose credentials the application has checked.
    ///
    /// The token is always replaced. What an anonymous visitor had in the session stays, unless the setting
    /// [`on_login`](crate::SessionConfigBuilder::on_login) or a struct says otherwise; what another user had goes,
    /// but for the fields marked `#[session(carry)]`, and structs that were extracted before are not stored: check out
    /// what the new user's session shall hold after the login. Await it, or set options first:
    ///
    /// ```
    /// # use std::time::Duration;
    /// # async fn handler(auth: sessionkit_core::Auth) -> Result<(), sessionkit_core::SessionError> {
    /// auth.login("ada").await?;
    /// let remember = true;
    /// auth.login(42).lifetime(remember.then_some(Duration::from_secs(30 * 24 * 60 * 60))).await?;
    /// auth.login("ada").device_label("Firefox on Linux").methods(["pwd", "otp"]).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn login(&self, user: impl Display) -> Login {
        Login::new(self.session.clone(), user.to_string().into())
    }

    /// Lets the session of a visitor who is not logged in end this long after its last use, in place of the setting
    /// `anonymous_ttl`: a cart that waits for a month. The unit is whole seconds, at least one.
    ///
    /// It is stored with what the handler changes, and begins no session by itself. It holds until another call, or a login.
    /// The setting `absolute_ttl` and the limits of a preset still hold. Does nothing if a user is logged in.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # async fn handler(auth: sessionkit_core::Auth) -> Result<(), sessionkit_core::SessionError> {
    /// auth.set_anonymous_ttl(Duration::from_secs(30 * 24 * 60 * 60)).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Fails when the store does.
    pub async fn set_anonymous_ttl(&self, ttl: Duration) -> Result<(), SessionError> {
        self.session.load().await?;
        let ttl = Duration::from_secs(ttl.as_secs().max(1));
        let (ttl, _) = self.session.shared.engine.settings().login_lifetime(Some(ttl));
        self.session.change("*", |_| true, |state| state.anonymous_ttl = Some(ttl));
        Ok(())
    }

    /// Returns the devices of the current user, to list and to end their sessions. Needs the setting `track_devices`.
    pub fn devices(&self) -> Devices {
        Devices::of_session(self.session.clone())
    }

    /// Records that the user proved once more who they are: the login is fresh again, its lifetime begins anew, and the
    /// token is replaced. Await it, or set options first:
    ///
    /// ```
    /// # use sessionkit_core::{Auth, CredentialStamp, SessionError};
    /// # async fn handler(auth: Auth, new_password_hash: &str) -> Result<(), SessionError> {
    /// auth.reauthenticate().await?;
    /// auth.reauthenticate().methods(["pwd"]).credential_stamp(CredentialStamp::of(new_password_hash)).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Awaiting it fails where nobody is logged in, when the store does, and when the session has ended or was rotated
    /// meanwhile.
    pub fn reauthenticate(&self) -> Reauthentication {
        Reauthentication::new(self.session.clone())
    }

    /// Records that the user proved who they are by one more method, as RFC 8176 names it: `"otp"`, `"hwk"`. Otherwise as
    /// [`reauthenticate`](Self::reauthenticate).
    ///
    /// # Errors
    /// Fails where nobody is logged in, when the name of the method is anything but visible ASCII, when the store fails,
    /// and when the session has ended or was rotated meanwhile.
    pub async fn elevate(&self, method: impl Into<String>) -> Result<(), SessionError> {
        self.session.finish(step_up::elevate(self.session.clone(), method.into())).await
    }

    /// Lets the logged-in user act as `user`, to see what they see. Whether they may is for the application to check.
    ///
    /// It is a change of user, as [`login`](Self::login) makes one: what the session held goes, but for the fields marked
    /// `#[session(carry)]`, and the token is replaced. [`actor`](Self::actor) tells who really acts. Theirs is the proof
    /// of identity: how fresh it is, and that the session stays in the list of their devices. What ends their own session
    /// ends this one: a [`UserLoader`](crate::UserLoader) that does not know them any more, and another
    /// [credential stamp](crate::SessionUser::credential_stamp) of theirs. Another stamp of `user` does not.
    ///
    /// # Errors
    /// Fails if nobody is logged in, if they act as another user already, if the manager's
    /// [`UserLoader`](crate::UserLoader), which is asked if it has one, knows no such user (404) or fails, when the store
    /// fails, and when the session has ended or was rotated meanwhile.
    pub async fn impersonate(&self, user: impl Display) -> Result<(), SessionError> {
        self.session.finish(impersonation::begin(self.session.clone(), user.to_string().into())).await
    }

    /// Lets the actor be themselves again: the opposite of [`impersonate`](Self::impersonate), and like it a change of
    /// user. Does nothing if they act as nobody else.
    ///
    /// # Errors
    /// Fails where nobody is logged in, when the store fails, and when the session has ended or was rotated meanwhile.
    pub async fn end_impersonation(&self) -> Result<(), SessionError> {
        self.session.finish(impersonation::end(self.session.clone())).await
    }

    /// Ends the session for good: no request that is still running can bring it back. Removes the cookie. Await it, or say
    /// first what stays with the browser:
    ///
    /// ```
    /// # async fn handler(auth: sessionkit_core::Auth) -> Result<(), sessionkit_core::SessionError> {
    /// auth.logout().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// With [`keep`](Logout::keep) the visitor gets a new session, and its cookie takes the place of the old one.
    ///
    /// A struct that was extracted before belongs to the session that has ended, and its changes are discarded. A notice for
    /// the next page is set in one that is checked out after the logout, which begins a new session:
    /// `auth.checkout::<Notices>().await?.notice = Some(..)`.
    ///
    /// # Errors
    /// Awaiting it fails when the store does; then the session may go on, and the cookie stays.
    pub fn logout(&self) -> Logout {
        Logout::new(self.session.clone())
    }

    /// Replaces the token, as after a change of the user's role: the old one is dead at once. Does nothing where there
    /// is no session.
    ///
    /// # Errors
    /// Fails when the store does, or when the session has ended meanwhile.
    pub async fn rotate(&self) -> Result<(), SessionError> {
        self.session.finish(rotation::rotate(self.session.clone())).await
    }
}

impl Clone for Auth {
    fn clone(&self) -> Self {
        Self { session: self.session.clone() }
    }
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Auth").field(&self.session).finish()
    }
}

impl State {
    fn opened(&mut self, current: Current) {
        let ends = current.record.header().deadline();
        self.cookie = CookieChange::Set { token: current.token.clone(), ends };
        self.verdict = Verdict::Forgiven;
        self.user = None;
        self.overtaken = None;
        self.epoch.records += 1;
        let before = self.current.replace(current);
        self.earlier.push(before.as_ref().map(Current::seen));
    }

    /// Knows of no session any more.
    pub(crate) fn log_out(&mut self, had_cookie: bool) {
        self.change_user();
        self.verdict = Verdict::Forgiven;
        self.current = None;
        self.overtaken = None;
        self.expired = None;
        self.unreadable.clear();
        self.ambiguous.clear();
        self.cookie = if had_cookie { CookieChange::Remove } else { CookieChange::Keep };
    }

    /// Lets go of everything that belongs to the user before.
    pub(crate) fn change_user(&mut self) {
        self.epoch.users += 1;
        self.user = None;
        self.pending.forget_changes();
    }
}

impl RequestSession {
    /// Returns the login of the request, and the ways to change it.
    pub fn auth(&self) -> Auth {
        Auth::new(self.clone())
    }
}

/// A new token needs a response that can carry it.
fn in_time(session: &RequestSession) -> Result<(), SessionError> {
    if session.state().phase.is_closed() { Err(SessionError::late()) } else { Ok(()) }
}

/// Adds the session of a request, whose secret is about to be replaced, to the list of a user. If that fails, the session
/// goes on as it is, unless it was this user's, and was ended with the user's others.
async fn list(
    session: &RequestSession,
    current: &Current,
    owner: &str,
    entering: &mut Option<Entering>,
    until: Timestamp,
) -> Result<(), SessionError> {
    let (engine, header) = (&session.shared.engine, current.base().header());
    let (id, generation) = (current.id(), header.generation);
    let listed = engine.admit(entering, EnteringSession { id, generation: generation.next(), until }).await;
    if let Err(error) = &listed
        && error.kind() == SessionErrorKind::LoginRevoked
        && header.owner().is_some_and(|before| **before == *owner)
    {
        // It may have begun without the list.
        engine.remove_record(id, generation, Removal::AsSeen).await?;
        session.state().log_out(false);
    }
    listed
}

/// Proof that code that holds a session can log a user in, or make the login fresh, only with the methods of [`Auth`]. All
/// of them replace the token.
///
/// ```compile_fail,E0639
/// # fn forge(known: sessionkit_core::SessionInfo) -> sessionkit_core::SessionInfo {
/// sessionkit_core::SessionInfo { user_id: Some("ada".into()), ..known }
/// # }
/// ```
///
/// ```compile_fail,E0599
/// let auth: sessionkit_core::Auth = sessionkit_core::Auth::default();
/// ```
///
/// ```compile_fail,E0624
/// # fn forge(session: sessionkit_core::adapter::RequestSession) {
/// let login = sessionkit_core::Login::new(session, "ada".into());
/// # }
/// ```
///
/// ```compile_fail,E0616
/// # fn forge(session: sessionkit_core::adapter::RequestSession) {
/// session.shared.state().current = None;
/// # }
/// ```
///
/// ```compile_fail,E0599
/// # async fn forge(auth: sessionkit_core::Auth, then: sessionkit_core::Timestamp) {
/// auth.reauthenticate().at(then).await;
/// # }
/// ```
///
/// ```compile_fail
/// #![deny(unused_must_use)]
/// # async fn forget(auth: sessionkit_core::Auth) {
/// auth.login("ada");
/// # }
/// ```
///
/// ```compile_fail
/// #![deny(unused_must_use)]
/// # async fn forget(auth: sessionkit_core::Auth) {
/// auth.logout();
/// # }
/// ```
///
/// ```compile_fail
/// #![deny(unused_must_use)]
/// # async fn forget(auth: sessionkit_core::Auth) {
/// auth.reauthenticate().methods(["pwd"]);
/// # }
/// ```
#[cfg(doctest)]
struct Forged;

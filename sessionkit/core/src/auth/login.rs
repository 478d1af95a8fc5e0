//! Logging a user in.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use super::rotation::{self, Occasion, Replacement};
use super::{in_time, run};
use crate::devices::Entering;
use crate::engine::Engine;
use crate::error::SessionError;
use crate::event::EventKind;
use crate::record::Record;
use crate::record::credential_stamp::CredentialStamp;
use crate::record::delta::{Authenticate, Delta, FieldOp, HeaderOp};
use crate::record::details::{self, LoginDetails};
use crate::record::header::Header;
use crate::request::RequestSession;
use crate::request::state::Current;
use crate::store::CreateOutcome;
use crate::time::Timestamp;
use crate::token::{NEW_IDS, Token};

/// The longest label of a device, in bytes.
const LONGEST_LABEL: usize = 128;

/// A login with its options; it happens when it is awaited.
#[must_use = "a login happens when it is awaited"]
pub struct Login<E = SessionError> {
    session: RequestSession,
    user: Arc<str>,
    lifetime: Option<Duration>,
    device: Option<Arc<str>>,
    details: LoginDetails,
    error: PhantomData<fn() -> E>,
}

impl<E> Login<E> {
    pub(super) fn new(session: RequestSession, user: Arc<str>) -> Self {
        let details = LoginDetails::default();
        Self { session, user, lifetime: None, device: None, details, error: PhantomData }
    }
}

impl<E: From<SessionError> + 'static> Login<E> {
    /// Lets this login last for `lifetime` after its last use, in place of the setting `ttl`: "keep me signed in".
    /// If the setting `absolute_ttl` is shorter, this login uses `lifetime` in its place. The unit is whole seconds, at
    /// least one; `None` keeps the settings. The limits of a preset such as
    /// [`aal2`](crate::SessionConfigBuilder::aal2) still hold.
    pub fn lifetime(mut self, lifetime: impl Into<Option<Duration>>) -> Self {
        self.lifetime = lifetime.into().map(|lifetime| Duration::from_secs(lifetime.as_secs().max(1)));
        self
    }

    /// Names the device for the list of the user's devices: `"Firefox on Linux"`. What is longer than 128 bytes is cut.
    pub fn device_label(mut self, label: impl AsRef<str>) -> Self {
        let label = label.as_ref();
        let end = (0..=LONGEST_LABEL.min(label.len())).rfind(|end| label.is_char_boundary(*end)).unwrap_or(0);
        self.device = Some(label[..end].into());
        self
    }

    /// Says how the user proved who they are, as RFC 8176 names it: `"pwd"`, `"otp"`, `"hwk"`. A name of anything but
    /// visible ASCII fails the login.
    pub fn methods(mut self, methods: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.details.methods = methods.into_iter().map(Into::into).collect();
        self
    }

    /// Binds the session to the credential that it began with: it is over when the loaded user has another stamp.
    pub fn credential_stamp(mut self, stamp: impl Into<Option<CredentialStamp>>) -> Self {
        self.details.stamp = stamp.into();
        self
    }

    fn authenticate(&self, engine: &Engine, now: Timestamp) -> Authenticate {
        let (ttl, absolute) = engine.settings().login_lifetime(self.lifetime);
        let absolute_deadline = Some(now.saturating_add(absolute));
        let (user, label, details) = (self.user.clone(), self.device.clone(), self.details.clone().shared());
        Authenticate { user, at: now, ttl, absolute_deadline, device_label: label, details }
    }

    async fn run(self) -> Result<(), SessionError> {
        details::check_methods(&self.details.methods)?;
        if self.user.is_empty() {
            return Err(SessionError::no_user_id());
        }
        let session = &self.session;
        session.look_up().await?;
        let _turn = session.shared.turn.lock().await;
        in_time(session)?;
        let (engine, current) = (&session.shared.engine, session.state().current.clone());
        let now = engine.now();
        let authenticate = self.authenticate(engine, now);
        if let Some(current) = current {
            if self.take_over(current, authenticate.clone(), now).await? {
                return Ok(());
            }
            // The session ended or was rotated meanwhile, so it is not this visitor's any more: begin a new one.
            session.state().change_user();
        }
        self.begin(authenticate, now).await
    }

    /// Logs in with the session that is there; `false` if it is not any more.
    async fn take_over(
        &self,
        current: Current,
        authenticate: Authenticate,
        now: Timestamp,
    ) -> Result<bool, SessionError> {
        let (session, engine) = (&self.session, &self.session.shared.engine);
        let (id, ends) = (current.id(), latest(&authenticate));
        let entering = engine.enter(&self.user, id, ends).await?;
        if let Entering::Ended = entering {
            return Ok(false);
        }
        let header = current.record.header();
        let before = header.owner().filter(|owner| **owner != self.user).cloned();
        // Whoever acted as this user was another one.
        let another = before.is_some() || header.user.as_ref().is_some_and(|user| *user != self.user);
        let mut delta = Delta::new();
        delta.header.push(HeaderOp::Authenticate(authenticate));
        delta.fields.extend(another.then_some(FieldOp::Clear { keep_carried: true }));
        let login = Replacement { delta, now, another_user: another, occasion: Occasion::Login };
        let Some(replaced) = rotation::replace_secret(session, current, login).await? else {
            engine.withdraw(entering).await;
            return Ok(false);
        };
        if let Err(error) = engine.confirm(entering).await {
            // Its old token is dead, and nobody gets the new one.
            session.state().log_out(false);
            return Err(error);
        }
        engine.leave(before.as_deref(), id).await;
        replaced.open(session);
        Ok(true)
    }

    /// Begins a new session.
    async fn begin(&self, authenticate: Authenticate, now: Timestamp) -> Result<(), SessionError> {
        let engine = &self.session.shared.engine;
        let (mut deadline, ends) = (engine.commit_deadline(), latest(&authenticate));
        for _ in 0..NEW_IDS {
            let token = Token::new(engine.tokens());
            let secret = token.secret_hash(engine.scope());
            let (ttl, absolute) = engine.anonymous_lifetime();
            let mut delta = Delta::new();
            delta.header.push(HeaderOp::Authenticate(authenticate.clone()));
            let empty = Record::new(Header::new(secret, now, ttl, absolute));
            let record = empty.applied(&delta, now)?.ok_or_else(SessionError::unsettled)?;
            let entering = engine.enter(&self.user, token.id(), ends).await?;
            let creating = engine.store.create(token.id(), &record, now);
            let created = engine.within(&mut deadline, creating).await;
            if let Ok(CreateOutcome::Created) = created {
                engine.confirm(entering).await?;
                self.session.report_of(token.id(), Some(record.header()), EventKind::Login);
                self.session.state().opened(Current { token, secret, record });
                return Ok(());
            }
            engine.abandon(entering, created.is_err()).await;
            created?;
        }
        Err(SessionError::no_free_id())
    }
}

/// When a session with this login ends at the latest.
fn latest(authenticate: &Authenticate) -> Timestamp {
    authenticate.absolute_deadline.unwrap_or_else(|| authenticate.at.saturating_add(authenticate.ttl))
}

impl<E: From<SessionError> + 'static> IntoFuture for Login<E> {
    type Output = Result<(), E>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let session = self.session.clone();
            Ok(run(&session, self.run()).await?)
        })
    }
}

impl<E> fmt::Debug for Login<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { user, lifetime, .. } = self;
        f.debug_struct("Login").field("user", user).field("lifetime", lifetime).finish_non_exhaustive()
    }
}

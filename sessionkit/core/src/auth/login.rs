//! Logging a user in.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use super::operation::Operation;
use super::rotation::{self, Occasion, Replaced, Replacement};
use super::{in_time, logout};
use crate::devices::entering::{Entering, EnteringSession};
use crate::engine::Engine;
use crate::engine::commit::CommitError;
use crate::engine::document::Refusal;
use crate::engine::open::{Current, Overtaken};
use crate::engine::session::RecordChange;
use crate::error::SessionError;
use crate::event::EventKind;
use crate::record::Record;
use crate::record::credential_stamp::CredentialStamp;
use crate::record::delta::{Authenticate, Clear, Delta, HeaderOp};
use crate::record::details::{self, LoginDetails};
use crate::record::front::Generation;
use crate::record::header::Header;
use crate::request::RequestSession;
use crate::time::Timestamp;
use crate::token::Token;

/// The longest label of a device, in bytes.
const LONGEST_LABEL: usize = 128;

/// A login with its options; it happens when it is awaited.
#[must_use = "a login happens when it is awaited"]
pub struct Login {
    session: RequestSession,
    user: Arc<str>,
    lifetime: Option<Duration>,
    device: Option<Arc<str>>,
    details: LoginDetails,
    is_proved: bool,
    operation: Operation,
}

impl Login {
    pub(super) fn new(session: RequestSession, user: Arc<str>) -> Self {
        let details = LoginDetails::default();
        Self { session, user, lifetime: None, device: None, details, is_proved: true, operation: Operation::default() }
    }
}

impl Login {
    /// Lets this login last for `lifetime` after its last use, in place of the setting `ttl`: "keep me signed in".
    /// If the setting `absolute_ttl` is shorter, this login uses `lifetime` in its place. The unit is whole seconds, at
    /// least one; `None` keeps the settings. The limits of a preset such as
    /// [`aal2`](crate::SessionConfigBuilder::aal2) still hold.
    ///
    /// With [`CookieMaxAge::Session`](crate::CookieMaxAge::Session), whose cookies end with the browser, the cookie of
    /// this login lasts as long as its session.
    pub fn lifetime(mut self, lifetime: impl Into<Option<Duration>>) -> Self {
        self.lifetime = lifetime.into().map(|lifetime| Duration::from_secs(lifetime.as_secs().max(1)));
        self.details.own_lifetime = self.lifetime.is_some();
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

    /// Says that the user did not prove who they are just now, so that the login is not fresh.
    pub(crate) fn not_fresh(mut self) -> Self {
        self.is_proved = false;
        self
    }

    fn authenticate(&self, engine: &Engine, now: Timestamp) -> Authenticate {
        let (ttl, absolute) = engine.settings().login_lifetime(self.lifetime);
        let absolute_deadline = Some(now.saturating_add(absolute));
        let (user, label, details) = (self.user.clone(), self.device.clone(), self.details.clone().shared());
        Authenticate { user, at: now, is_proved: self.is_proved, ttl, absolute_deadline, device_label: label, details }
    }

    async fn run(self) -> Result<(), SessionError> {
        details::check_methods(&self.details.methods)?;
        if self.user.is_empty() {
            return Err(SessionError::no_user_id());
        }
        let session = &self.session;
        let _turn = session.shared.turn.lock().await;
        session.look_up().await?;
        in_time(session)?;
        session.check_version()?;
        logout::end_ambiguous(session).await?;
        let engine = &session.shared.engine;
        let (current, mut overtaken) = {
            let state = session.state();
            (state.current.clone(), state.overtaken.clone())
        };
        let now = engine.now();
        let authenticate = self.authenticate(engine, now);
        let from = current.as_ref().map(Current::id).or(overtaken.as_ref().map(|overtaken| overtaken.token.id()));
        let mut entering = engine.enter(&self.user, from).await?;
        let until = latest(&authenticate);
        if let Some(current) = current {
            let token = current.token.clone();
            super::list(session, &current, &self.user, &mut entering, until).await?;
            if let Some(taken) = self.take_over(current, authenticate.clone(), now).await? {
                return self.open(taken).await;
            }
            // The session ended or was rotated meanwhile. It is not this visitor's any more, unless it was their other click.
            session.state().log_out(false);
            overtaken = engine.look_at_overtaken(&token).await?.map(Box::new);
        }
        if let Some(Overtaken { token, replaced: Some(record) }) = overtaken.map(|overtaken| *overtaken)
            && self.is_theirs(&record)
        {
            if !says_the_same(record.header(), &authenticate) {
                let secret = token.secret_hash(engine.scope());
                let current = Current::new(token, secret, record);
                super::list(session, &current, &self.user, &mut entering, until).await?;
                if let Some(taken) = self.take_over(current, authenticate.clone(), now).await? {
                    return self.open(taken).await;
                }
            } else if let Some(renewed) = self.go_on(&token, record, now).await? {
                return self.admit_renewed(entering, renewed, until).await;
            }
        }
        self.begin(entering, authenticate).await
    }

    /// Logs in with the session that is there; `None` if it is not any more.
    async fn take_over(
        &self,
        current: Current,
        authenticate: Authenticate,
        now: Timestamp,
    ) -> Result<Option<Taken>, SessionError> {
        let header = current.record.header();
        let before = header.owner().filter(|owner| **owner != self.user).cloned();
        // The actor who acted as this user was another one.
        let another_user = before.is_some() || header.user_id.as_ref().is_some_and(|user| *user != self.user);
        let mut delta = Delta::new(current.base().header().generation);
        delta.header.push(HeaderOp::Authenticate(authenticate));
        self.session.shared.engine.note_login();
        if another_user {
            delta.clear = Clear::AllButCarried;
        } else if header.user_id.is_none() {
            delta.clear = Clear::AtLogin(self.session.shared.engine.settings().on_login);
        }
        let login = Replacement { delta, now, another_user, occasion: Occasion::Login };
        let replaced = rotation::replace_secret(&self.session, current, login).await?;
        Ok(replaced.map(|replaced| Taken { replaced, before }))
    }

    /// Makes a session that was taken over that of the request, and takes it out of the list of the user before.
    async fn open(&self, taken: Taken) -> Result<(), SessionError> {
        let (session, engine) = (&self.session, &self.session.shared.engine);
        let (id, generation) = (taken.replaced.id(), taken.replaced.header().generation);
        engine.leave(taken.before.as_deref(), id, Some(generation)).await;
        taken.replaced.open(session);
        session.state().lasting = self.lifetime.is_some();
        Ok(())
    }

    /// Returns whether a session is that of the user who logs in, and nobody's who acts as them.
    fn is_theirs(&self, record: &Record) -> bool {
        let header = record.header();
        header.user_id.as_ref() == Some(&self.user) && header.owner() == Some(&self.user)
    }

    /// Goes on with a session in which the same user has just logged in, with the same token before: a double click.
    /// `None` if it is not such a session any more, or if another click does so.
    async fn go_on(&self, token: &Token, record: Record, now: Timestamp) -> Result<Option<Current>, SessionError> {
        let engine = &self.session.shared.engine;
        let header = record.header();
        // A token that nobody has used yet may still be on its way, of a click before this one; another renewal would end it.
        let is_renewing = header.previous.is_some_and(|previous| previous.until.is_none_or(|until| now < until));
        if is_renewing {
            return Ok(None);
        }
        let renewed = Token::rotate(token.id(), engine.tokens());
        let secret = renewed.secret_hash(engine.scope());
        let mut delta = Delta::new(header.generation);
        delta.header.push(HeaderOp::Renew { if_current: header.secret, secret, at: now });
        let change = RecordChange::of(delta, None);
        let end = engine.commit_deadline().end();
        let committed = engine.commit_record(token.id(), record, change, end).await;
        let record = match committed {
            Ok(record) => record,
            Err(CommitError::Refused(Refusal::Failed(error)) | CommitError::Failed(error)) => return Err(error),
            Err(CommitError::Refused(_)) => return Ok(None),
        };
        Ok((record.header().secret == secret).then(|| Current::new(renewed, secret, record)))
    }

    /// Adds a session that was gone on with to the list of the user, unless the login before has done so. If that fails, the
    /// session of that login goes on.
    async fn admit_renewed(
        &self,
        mut entering: Option<Entering>,
        renewed: Current,
        until: Timestamp,
    ) -> Result<(), SessionError> {
        let (session, id, header) = (&self.session, renewed.id(), renewed.record.header());
        let generation = header.generation;
        if !entering.as_ref().is_some_and(|entering| entering.knows(id, generation)) {
            session.shared.engine.admit(&mut entering, EnteringSession { id, generation, until }).await?;
        }
        session.report_of(id, Some(header), EventKind::Renewed);
        let mut state = session.state();
        state.change_user();
        state.opened(renewed);
        state.lasting = self.lifetime.is_some();
        Ok(())
    }

    /// Begins a new session.
    async fn begin(&self, mut entering: Option<Entering>, authenticate: Authenticate) -> Result<(), SessionError> {
        let engine = &self.session.shared.engine;
        let until = latest(&authenticate);
        let delta = |_: &Token| {
            let mut delta = Delta::new(Generation::default());
            delta.header.push(HeaderOp::Authenticate(authenticate.clone()));
            delta
        };
        engine.note_login();
        let begun = engine.begin_record(delta, true, &mut engine.commit_deadline()).await?;
        let (token, record) = begun.ok_or_else(SessionError::unsettled)?;
        let (id, generation, secret) = (token.id(), record.header().generation, record.header().secret);
        engine.admit_begun(&mut entering, EnteringSession { id, generation, until }).await?;
        self.session.report_of(id, Some(record.header()), EventKind::Login);
        let mut state = self.session.state();
        state.opened(Current::new(token, secret, record));
        state.lasting = self.lifetime.is_some();
        Ok(())
    }
}

/// A session that a login has taken over, and who owned it before if it was another user.
struct Taken {
    replaced: Replaced,
    before: Option<Arc<str>>,
}

/// Returns whether a login says what the one before it said. Otherwise the token of that one must not get what this one
/// proves.
fn says_the_same(header: &Header, login: &Authenticate) -> bool {
    let (details, label) = (&login.details, &login.device_label);
    header.details == *details && header.device_label == *label && header.ttl == login.ttl
}

/// Returns the time at which a session with this login ends at the latest.
fn latest(authenticate: &Authenticate) -> Timestamp {
    authenticate.absolute_deadline.unwrap_or_else(|| authenticate.at.saturating_add(authenticate.ttl))
}

impl Future for Login {
    type Output = Result<(), SessionError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        this.operation.poll(context, || {
            let (session, device) = (this.session.clone(), this.device.clone());
            let (user, lifetime, details) = (this.user.clone(), this.lifetime, std::mem::take(&mut this.details));
            let (is_proved, operation) = (this.is_proved, Operation::default());
            let login = Self { session, user, lifetime, device, details, is_proved, operation };
            async move {
                let session = login.session.clone();
                session.finish(login.run()).await?;
                session.state().unread = None;
                Ok(())
            }
        })
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { user, lifetime, .. } = self;
        f.debug_struct("Login").field("user", user).field("lifetime", lifetime).finish_non_exhaustive()
    }
}

//! Proving again who one is, or by one more method.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::in_time;
use super::operation::Operation;
use super::rotation::{self, Occasion, Replacement};
use crate::engine::open::Current;
use crate::error::SessionError;
use crate::record::credential_stamp::CredentialStamp;
use crate::record::delta::{Authenticate, Delta, HeaderOp};
use crate::record::details::{self, LoginDetails};
use crate::request::RequestSession;

/// A user's new proof of who they are, with its options; it counts when it is awaited.
#[must_use = "it counts when it is awaited"]
pub struct Reauthentication {
    session: RequestSession,
    methods: Option<Vec<String>>,
    stamp: Option<CredentialStamp>,
    operation: Operation,
}

impl Reauthentication {
    pub(super) fn new(session: RequestSession) -> Self {
        Self { session, methods: None, stamp: None, operation: Operation::default() }
    }
}

impl Reauthentication {
    /// Says how the user proved it this time, as RFC 8176 names it: `"pwd"`, `"otp"`, `"hwk"`. These take the place of
    /// those of the login. A name of anything but visible ASCII is an error.
    pub fn methods(mut self, methods: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.methods = Some(methods.into_iter().map(Into::into).collect());
        self
    }

    /// Binds the session to another credential, as after a change of the password: the user's other sessions, which
    /// have the stamp of the old one, are over, and this one goes on.
    pub fn credential_stamp(mut self, stamp: impl Into<Option<CredentialStamp>>) -> Self {
        self.stamp = stamp.into();
        self
    }
}

impl Future for Reauthentication {
    type Output = Result<(), SessionError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        this.operation.poll(context, || {
            let (session, methods, stamp) = (this.session.clone(), this.methods.take(), this.stamp.take());
            async move { session.finish(reauthenticate(session.clone(), methods, stamp)).await }
        })
    }
}

async fn reauthenticate(
    session: RequestSession,
    methods: Option<Vec<String>>,
    stamp: Option<CredentialStamp>,
) -> Result<(), SessionError> {
    prove(&session, |details| {
        details.stamp = stamp.or(details.stamp);
        if let Some(methods) = methods {
            details.methods = methods;
        }
    })
    .await
}

impl fmt::Debug for Reauthentication {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reauthentication").field("methods", &self.methods).finish_non_exhaustive()
    }
}

/// Adds a method to those of the login.
pub(super) async fn elevate(session: RequestSession, method: String) -> Result<(), SessionError> {
    let add = |details: &mut LoginDetails| {
        if !details.methods.contains(&method) {
            details.methods.push(method);
        }
    };
    prove(&session, add).await
}

/// Begins the lifetime of the login anew, under another secret and with what `say` makes of its details.
async fn prove(session: &RequestSession, say: impl FnOnce(&mut LoginDetails)) -> Result<(), SessionError> {
    let _turn = session.shared.turn.lock().await;
    session.load().await?;
    in_time(session)?;
    let (current, user) = logged_in(session)?;
    let header = current.record.header();
    let mut details = header.details.as_deref().cloned().unwrap_or_default();
    say(&mut details);
    details::check_methods(&details.methods)?;

    let engine = &session.shared.engine;
    let now = engine.now();
    // A login may have asked for another lifetime than the settings'.
    let (ttl, absolute) = engine.settings().login_lifetime(Some(header.ttl));
    let (until, device_label) = (now.saturating_add(absolute), header.device_label.clone());
    let owner = header.owner().unwrap_or(&user).clone();
    let mut entering = engine.enter(&owner, Some(current.id())).await?;
    super::list(session, &current, &owner, &mut entering, until).await?;
    let (details, absolute_deadline) = (details.shared(), Some(until));
    let mut delta = Delta::new(current.base().header().generation);
    let proof = Authenticate { user, at: now, is_proved: true, ttl, absolute_deadline, device_label, details };
    delta.header.push(HeaderOp::Authenticate(proof));
    let proof = Replacement { delta, now, another_user: false, occasion: Occasion::Proof };
    rotation::replace_secret_or_fail(session, current, proof).await?.open(session);
    Ok(())
}

/// The session of a user who is logged in, and who that is.
pub(super) fn logged_in(session: &RequestSession) -> Result<(Current, Arc<str>), SessionError> {
    let current = session.state().current.clone().ok_or_else(SessionError::not_logged_in)?;
    let user = current.record.header().user_id.clone().ok_or_else(SessionError::not_logged_in)?;
    Ok((current, user))
}

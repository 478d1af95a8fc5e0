//! Ending a session for good.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::operation::Operation;
use crate::data::SessionData;
use crate::encryption::Opener;
use crate::engine::Engine;
use crate::engine::open::Current;
use crate::engine::session::Removal;
use crate::error::SessionError;
use crate::event::EventKind;
use crate::record::Record;
use crate::record::delta::{Clear, Delta, FieldChanges, FieldKey, FieldOps, StoredValue, ValueRef};
use crate::record::field_error::FieldError;
use crate::record::front::Generation;
use crate::record::header::Header;
use crate::record::reserved::{VERSION, is_reserved};
use crate::request::RequestSession;
use crate::request::operations::RequestChanges;
use crate::store::error::StoreError;
use crate::time::Timestamp;
use crate::token::{SessionId, Token};

/// A logout with its options; it happens when it is awaited.
#[must_use = "a logout happens when it is awaited"]
pub struct Logout {
    session: RequestSession,
    kept: Vec<Kept>,
    operation: Operation,
}

/// A struct that stays with the visitor.
struct Kept {
    namespace: &'static str,
    claim: fn(&Engine) -> Result<(), SessionError>,
}

impl Logout {
    pub(super) fn new(session: RequestSession) -> Self {
        Self { session, kept: Vec::new(), operation: Operation::default() }
    }

    /// Keeps a struct that belongs to the browser rather than to its user: the language, the theme. The session ends for good
    /// all the same; the struct, as it is now, becomes part of a new session of an anonymous visitor. If nothing of it is
    /// stored, no session begins. May be repeated.
    ///
    /// ```
    /// # use sessionkit_core::*;
    /// # use sessionkit_core::derive::*;
    /// # struct Preferences { dark: bool }
    /// # impl SessionData for Preferences {
    /// #     type Scope = MainScope; type Codec = Json;
    /// #     const NAMESPACE: &'static str = "preferences"; const FIELDS: &'static [Field] = &[];
    /// #     fn decode(_: &mut FieldReader<'_>) -> Result<Self, FieldError> { Ok(Preferences { dark: false }) }
    /// #     fn encode(&self, _: &mut FieldWriter) -> Result<(), FieldError> { Ok(()) }
    /// # }
    /// # async fn handler(auth: Auth) -> Result<(), SessionError> {
    /// auth.logout().keep::<Preferences>().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// A logout after the response was sent keeps nothing, because no response can carry the new cookie.
    ///
    /// # Errors
    /// Awaiting it fails if the struct belongs to another scope, or shares its name with another one.
    pub fn keep<T: SessionData>(mut self) -> Self {
        self.kept.push(Kept { namespace: T::NAMESPACE, claim: Engine::claim_namespace::<T> });
        self
    }
}

impl Future for Logout {
    type Output = Result<(), SessionError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        this.operation.poll(context, || {
            let (session, kept) = (this.session.clone(), std::mem::take(&mut this.kept));
            async move { session.finish(logout(session.clone(), kept)).await }
        })
    }
}

impl fmt::Debug for Logout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kept: Vec<_> = self.kept.iter().map(|kept| kept.namespace).collect();
        f.debug_struct("Logout").field("kept", &kept).finish_non_exhaustive()
    }
}

async fn logout(session: RequestSession, kept: Vec<Kept>) -> Result<(), SessionError> {
    let _turn = session.shared.turn.lock().await;
    session.look_up().await?;
    // What the old session became may be open to others.
    session.state().foreign_failure.clone().map_or(Ok(()), Err)?;
    let engine = &session.shared.engine;
    kept.iter().try_for_each(|kept| (kept.claim)(engine))?;
    // The new session comes first: if it cannot be stored, nothing has happened.
    let begun = begin(&session, &kept).await?;
    if let Err(error) = remove(&session).await {
        if let Some((token, record)) = begun {
            engine.forget(token.id(), record.header().generation);
        }
        return Err(error);
    }
    let opened = begun.map(|(token, record)| Current::new(token, record.header().secret, record));
    if let Some(opened) = &opened {
        session.report_of(opened.id(), Some(opened.record.header()), EventKind::Created);
    }
    {
        let mut state = session.state();
        // The cookie of a session that was taken over a moment ago goes too: a request beside this one may have given it.
        state.log_out(session.cookie_presented() || session.has_foreign());
        state.unread = None;
        if let Some(opened) = opened {
            state.opened(opened);
        }
    }
    // Ours has ended: if the other system's does not, the caller learns so, and may try again.
    session.end_foreign().await
}

/// Ends every session that the request opens.
async fn remove(session: &RequestSession) -> Result<(), SessionError> {
    let engine = &session.shared.engine;
    let (opened, expired, unreadable) = {
        let state = session.state();
        // The holder of the secret from before the last rotation ends the session, if it was theirs then too.
        let overtaken = state.overtaken.iter().filter_map(|overtaken| {
            let record = overtaken.replaced.clone()?;
            let same_owner = record.header().rotation.is_some_and(|rotation| rotation.same_owner);
            same_owner.then(|| (overtaken.token.id(), record))
        });
        let opened = state.current.iter().chain(&state.ambiguous).map(|current| (current.id(), current.record.clone()));
        let opened: Vec<(SessionId, Record)> = opened.chain(overtaken).collect();
        (opened, state.expired.clone(), state.unreadable.clone())
    };
    for (id, record) in &opened {
        let header = record.header();
        end(engine, *id, header).await?;
        session.report_of(*id, Some(header), EventKind::Logout);
    }
    if let Some(expired) = expired {
        // The clock of this server may be ahead: others would open it for a while. It has been told that it expired.
        end(engine, expired.id(), expired.record.header()).await?;
    }
    let mut ended = opened.len();
    for unreadable in unreadable.iter().filter(|unreadable| unreadable.is_theirs) {
        ended += 1;
        engine.remove_record(unreadable.id, unreadable.generation, Removal::Unreadable).await?;
        session.report_of(unreadable.id, None, EventKind::Logout);
    }
    // Only a newer release can tell whether the client may end what it wrote.
    if let Some(newer) = unreadable.iter().find(|unreadable| !unreadable.is_theirs).filter(|_| ended == 0) {
        return Err(StoreError::unreadable(newer.why).into());
    }
    Ok(())
}

/// Ends a session, and takes it out of the list of its owner.
async fn end(engine: &Engine, id: SessionId, header: &Header) -> Result<(), SessionError> {
    let has_ended = engine.remove_record(id, header.generation, Removal::by_owner(header)).await?;
    // If it stays, it is another user's; its owner may have logged in with it again since, and has to stay listed.
    let older_than = (!has_ended).then(|| header.generation.next());
    engine.leave(header.owner().map(|owner| &**owner), id, older_than).await;
    Ok(())
}

/// Ends the sessions that a request opened at once, before a login. Otherwise the next request would bring the login's token
/// beside theirs, and would be nobody's again.
pub(super) async fn end_ambiguous(session: &RequestSession) -> Result<(), SessionError> {
    let (engine, ambiguous) = (&session.shared.engine, session.state().ambiguous.clone());
    for current in &ambiguous {
        let (id, header) = (current.id(), current.record.header());
        end(engine, id, header).await?;
        session.report_of(id, Some(header), EventKind::Revoked { reason: "another login took its place" });
    }
    session.state().ambiguous.clear();
    Ok(())
}

/// Stores what stays with the visitor in a new session; `None` if there is nothing.
async fn begin(session: &RequestSession, kept: &[Kept]) -> Result<Option<(Token, Record)>, SessionError> {
    let engine = &session.shared.engine;
    let fields = kept_fields(session, kept);
    if fields.0.iter().all(|(key, _)| is_reserved(key)) {
        return Ok(None);
    }
    let fields = Arc::new(fields);
    let delta = |token: &Token| {
        let mut delta = Delta::new(Generation::default());
        delta.fields = Some(fields.clone());
        delta.cipher = engine.cipher(token.id());
        delta
    };
    engine.begin_record(delta, false, &mut engine.commit_deadline()).await
}

/// Collects what stays: of the session that the request has opened, with the changes of the request.
fn kept_fields(session: &RequestSession, kept: &[Kept]) -> KeptFields {
    let (state, now) = (session.state(), session.shared.engine.now());
    let Some(current) = state.current.as_ref().filter(|_| !kept.is_empty() && !state.phase.is_closed()) else {
        return KeptFields(Vec::new());
    };
    let is_kept = |key: &str| {
        let name = kept.iter().find_map(|kept| key.strip_prefix(kept.namespace)?.strip_prefix('.'));
        name.is_some_and(|name| !is_reserved(key) || name == VERSION)
    };
    let changes =
        RequestChanges { changes: state.pending.clone(), origin: Some(current.seen()), earlier: state.earlier.clone() };
    // A logout does not fail because a change cannot be made: what is stored stays then.
    let opener = session.shared.engine.opener(current.id());
    let changes = changes.operations(&current.record, opener, now).unwrap_or_default();
    // The next session has another id: what is encrypted for this one is of no use to it.
    let decrypted = |(key, value): (&str, ValueRef<'_>)| {
        let mut kept = value.to_owned();
        if value.encrypted {
            (kept.bytes, kept.encrypted) = (opener.decrypt(key, value.bytes).ok()?, false);
        }
        Some((key.to_owned().into(), kept))
    };
    let stored = current.record.fields().filter(|(key, value)| is_kept(key) && value.is_live(now));
    let stored = stored.filter(|_| changes.clear == Clear::Nothing);
    let mut fields: BTreeMap<FieldKey, StoredValue> = stored.filter_map(decrypted).collect();
    for (key, value) in changes.values.into_iter().filter(|(key, _)| is_kept(key)) {
        match value {
            Some(value) => fields.insert(key, value),
            None => fields.remove(&key),
        };
    }
    KeptFields(fields.into_iter().collect())
}

/// The fields with which a new session begins.
struct KeptFields(Vec<(FieldKey, StoredValue)>);

impl FieldChanges for KeptFields {
    fn operations(&self, _: &Record, _: Opener<'_>, _: Timestamp) -> Result<FieldOps, FieldError> {
        let values = self.0.iter().map(|(key, value)| (key.clone(), Some(value.clone()))).collect();
        Ok(FieldOps { values, ..FieldOps::default() })
    }

    fn is_repeatable(&self) -> bool {
        true
    }
}

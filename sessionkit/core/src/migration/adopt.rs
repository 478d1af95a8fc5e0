//! Making a session of ours of one of another system, once.
//!
//! A note in the store says what became of the other system's session. A request that finds none claims it, makes a session, and
//! notes its token, encrypted so that only who has the cookie of the other system reads it. Whoever comes with that cookie later gets the same
//! token, whether the response to the first request was lost or not. The note outlives our session, so that none is made twice.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::conversion::Taken;
use super::look::{not_adopted, refused};
use super::plan::Plan;
use crate::auth::Auth;
use crate::engine::Engine;
use crate::engine::adopting::{Adopted, AdoptionChange, Asker, PresentedForeign, Rule};
use crate::engine::open::{Current, Opened};
use crate::error::{SessionError, SessionErrorKind};
use crate::event::{About, EventKind};
use crate::foreign::{ForeignError, ForeignSession};
use crate::record::adoption::{Adoption, AdoptionKey, AdoptionName, AdoptionState, SealedToken};
use crate::record::clock::is_ahead;
use crate::request::RequestSession;
use crate::request::state::CookieChange;
use crate::request::{close, commit};
use crate::time::Timestamp;
use crate::token::Token;

/// The first pause of a request that waits for another server's to make the session; each is twice as long as the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(5);

impl Plan {
    pub(super) async fn adopt(
        &self,
        engine: &Arc<Engine>,
        presented: &[PresentedForeign],
        asker: Asker,
    ) -> Result<Option<Adopted>, SessionError> {
        if engine.now() >= self.until {
            return Ok(None);
        }
        let Some((_, session)) = self.open(engine, presented).await? else { return Ok(None) };
        if asker != Asker::Nobody && !self.has_user(&session) {
            return Ok(None);
        }
        let name = AdoptionName::new(engine.scope(), session.system(), session.id());
        let opened =
            self.in_turn(name, engine.commit_deadline().end(), self.opened_of(engine, &session, name, asker)).await?;
        Ok(opened.map(|opened| Adopted { opened, system: session.system() }))
    }

    /// Opens the session that one of the other system became, or becomes now; `None` if there is none to become.
    async fn opened_of(
        &self,
        engine: &Arc<Engine>,
        session: &ForeignSession,
        name: AdoptionName,
        asker: Asker,
    ) -> Result<Option<Opened>, SessionError> {
        let key = AdoptionKey::new(engine.scope(), session.system(), session.id());
        let end = engine.commit_deadline().end();
        loop {
            if Instant::now() >= end {
                return Err(SessionError::unsettled());
            }
            let note = unclaimed(engine, name, end).await?;
            let (ours, rule) = match note.as_ref().map(|note| note.state) {
                // By a clock that is ahead it may lapse in a day. Its owner, if there is one, finds it taken.
                Some(AdoptionState::Claimed { claim, lapses })
                    if asker != Asker::Overtaken && engine.now() < lapses =>
                {
                    (RequestSession::without_cookie(engine.clone()), Rule::IfClaimed(claim))
                }
                Some(AdoptionState::Ended { .. }) => {
                    return Ok(not_adopted(engine, session.system(), "logged out before", ""));
                }
                Some(AdoptionState::Adopted(sealed)) => {
                    let Some(token) = key.open(&sealed) else { return Ok(Some(Opened::default())) };
                    let opened = engine.open_token(token).await?;
                    let user = opened.current.as_ref().map(|current| current.record.header().user_id.is_some());
                    match (user, &opened.current) {
                        // A visitor, who has logged in at the other system since.
                        (Some(false), Some(current)) if self.has_user(session) => {
                            (RequestSession::with_current(engine.clone(), current.clone()), Rule::IfAdoptedAs(sealed))
                        }
                        // That system may give a session another user, under the same id.
                        (Some(true), Some(current)) if !self.is_theirs(session, current) => {
                            return Ok(not_adopted(engine, session.system(), "its user is another one by now", ""));
                        }
                        // Perhaps by just such a login, which is noted now.
                        (None, _) if opened.overtaken.is_some() && !is_as(engine, name, sealed).await? => continue,
                        _ => return Ok(Some(opened)),
                    }
                }
                Some(AdoptionState::Claimed { .. }) | None if asker == Asker::Overtaken => return Ok(None),
                Some(AdoptionState::Claimed { .. }) | None => {
                    (RequestSession::without_cookie(engine.clone()), Rule::IfFree)
                }
            };
            let visitor = ours.state().current.clone();
            let made = async {
                match self.candidate(engine, session, ours).await? {
                    Some(candidate) => self.make(engine, session, (name, note), rule, candidate).await,
                    None => Ok(None),
                }
            };
            let Some(Made) = or_not_adopted(engine, session.system(), made.await)? else {
                return Ok(visitor.map(|visitor| Opened { current: Some(visitor), ..Opened::default() }));
            };
        }
    }

    fn has_user(&self, session: &ForeignSession) -> bool {
        self.user.as_ref().is_some_and(|user| user.find(session).is_ok_and(|user| user.is_some()))
    }

    /// Returns whether a session of ours is that of the user whom the other system's has now.
    fn is_theirs(&self, session: &ForeignSession, current: &Current) -> bool {
        let user = self.user.as_ref().and_then(|user| user.find(session).ok()).flatten();
        let header = current.record.header();
        let mut own = [header.owner(), header.user_id.as_ref()].into_iter().flatten();
        user.is_none_or(|user| own.any(|own| **own == *user))
    }

    /// Claims a session of the other system, makes one of ours, and notes its token; or finds that another request has. `None` if there is
    /// nothing to make.
    async fn make(
        &self,
        engine: &Arc<Engine>,
        session: &ForeignSession,
        (name, seen): (AdoptionName, Option<Adoption>),
        rule: Rule,
        candidate: Candidate,
    ) -> Result<Option<Made>, SessionError> {
        let system = session.system();
        let key = AdoptionKey::new(engine.scope(), system, session.id());
        let new_note = |state| engine.new_note(system, self.until, state);
        let mut claim = [0; 16];
        engine.tokens().fill(&mut claim);
        let lapses = engine.now().saturating_add(engine.claim_time());
        let note = new_note(AdoptionState::Claimed { claim, lapses });
        if !engine.change_adoption(name, seen, AdoptionChange { note, rule }).await? {
            return Ok(Some(Made));
        }
        let begun = candidate.begin(engine, session.written_at).await;
        let settle = async |state| {
            let seen = engine.load_adoption(name).await?;
            let change = AdoptionChange { note: new_note(state), rule: Rule::IfClaimed(claim) };
            engine.change_adoption(name, seen, change).await
        };
        let given_up = match rule {
            // The visitor's session is as it was, unless the login has replaced its token: then it is discarded.
            Rule::IfAdoptedAs(sealed) if !candidate.has_token() => AdoptionState::Adopted(sealed),
            // The next request may try again at once.
            _ => AdoptionState::Claimed { claim, lapses: Timestamp::from_unix_seconds(0) },
        };
        let Ok(Some(token)) = begun else {
            let _ = settle(given_up).await;
            return begun.map(|_| None);
        };
        match settle(AdoptionState::Adopted(key.seal(&token))).await {
            Ok(true) => {}
            // It took too long, and another request has made one.
            Ok(false) => {
                discard(engine, &token).await?;
                return Ok(Some(Made));
            }
            Err(error) => {
                // It may have been noted all the same, or will be unless the note changes. While nobody knows, the session stays:
                // who finds its token in the note goes on with it.
                let is_given_up = settle(given_up).await?;
                let seen = engine.load_adoption(name).await?.map(|note| note.state);
                let found = if let Some(AdoptionState::Adopted(sealed)) = seen { key.open(&sealed) } else { None };
                if is_given_up || found.as_ref() != Some(&token) {
                    discard(engine, &token).await?;
                    return Err(error);
                }
            }
        }
        let about = About { session: Some(token.id()), user_id: candidate.user.as_deref(), ..About::default() };
        engine.record(EventKind::Adopted { system }, about);
        Ok(Some(Made))
    }

    /// Finds out what a session of ours would be; `None` if there would be none.
    async fn candidate(
        &self,
        engine: &Arc<Engine>,
        session: &ForeignSession,
        ours: RequestSession,
    ) -> Result<Option<Candidate>, SessionError> {
        let system = session.system();
        let (user, taken) = match self.convert(session) {
            Ok(converted) => converted,
            Err(error) => {
                refused(engine, system, &error);
                return Ok(None);
            }
        };
        if engine.ended_with_all(user.as_deref(), session.written_at).await? {
            return Ok(not_adopted(engine, system, "ended with all sessions", ""));
        }
        if let Some(user) = &user
            && ours.login_details(user).await?.is_none()
        {
            return Ok(not_adopted(engine, system, "there is no such user", ""));
        }
        // The values of a visitor were taken when their session was.
        if ours.state().current.is_none() {
            for put in taken {
                put(ours.clone()).await?;
            }
            // A login makes room among the devices of its user: none begins that comes to nothing.
            commit::check_new(&ours)?;
        }
        // A visitor without anything has no session.
        let is_kept = user.is_some() || !ours.state().pending.is_empty();
        Ok(is_kept.then_some(Candidate { ours, user }))
    }

    /// Makes of the values of a session what they are here.
    pub(super) fn convert(&self, session: &ForeignSession) -> Result<(Option<String>, Vec<Taken>), ForeignError> {
        let user = self.user.as_ref().map(|user| user.find(session)).transpose()?.flatten();
        let taken: Vec<_> = self.takes.iter().map(|take| take.convert(session)).collect::<Result<_, _>>()?;
        Ok((user, taken))
    }
}

/// A session of ours that can be made.
struct Candidate {
    ours: RequestSession,
    user: Option<String>,
}

impl Candidate {
    /// Makes the session, and returns its token; `None` if there is nothing to keep. Of what fails nothing is left.
    async fn begin(&self, engine: &Arc<Engine>, written_at: Option<Timestamp>) -> Result<Option<Token>, SessionError> {
        let stored = self.store().await;
        let token = match &self.ours.state().cookie {
            CookieChange::Set { token, .. } => token.clone(),
            _ => return stored.map(|()| None),
        };
        let is_over = match stored {
            // All sessions of the user may have been ended while this one began.
            Ok(()) => engine.ended_with_all(self.user.as_deref(), written_at).await,
            Err(error) => Err(error),
        };
        if let Ok(false) = is_over {
            return Ok(Some(token));
        }
        let discarded = discard(engine, &token).await;
        is_over?;
        discarded.map(|()| None)
    }

    /// Returns whether a session was made, or has another token.
    fn has_token(&self) -> bool {
        matches!(self.ours.state().cookie, CookieChange::Set { .. })
    }

    async fn store(&self) -> Result<(), SessionError> {
        let ours = &self.ours;
        if let Some(user) = &self.user {
            let details = ours.login_details(user).await?.unwrap_or_default();
            Auth::new(ours.clone()).login(user).credential_stamp(details.stamp).not_fresh().await?;
        }
        let changes = close::close(ours, 200).await;
        if changes.rejection.is_some() {
            let failure = ours.state().failure.clone();
            return Err(failure.unwrap_or_else(SessionError::unsettled));
        }
        Ok(())
    }
}

/// Ends a session that was made, and that nobody gets.
async fn discard(engine: &Arc<Engine>, token: &Token) -> Result<(), SessionError> {
    engine.end_by_id(token.id()).await?;
    Ok(())
}

/// A session has been made, by this request or by another one.
struct Made;

/// Returns the note about a session, after the claim of another request has come to something or lapsed, or if it is of a clock
/// that is ahead.
async fn unclaimed(engine: &Engine, name: AdoptionName, end: Instant) -> Result<Option<Adoption>, SessionError> {
    let mut pause = FIRST_PAUSE;
    loop {
        let note = engine.load_adoption(name).await?;
        match note.as_ref().map(|note| note.state) {
            Some(AdoptionState::Claimed { lapses, .. })
                if engine.now() < lapses && !is_ahead(lapses, engine.now().saturating_add(engine.claim_time())) => {}
            _ => return Ok(note),
        }
        if Instant::now() + pause >= end {
            return Err(SessionError::unsettled());
        }
        tokio::time::sleep(pause).await;
        pause *= 2;
    }
}

/// Returns whether a session still is noted as the one of this token.
async fn is_as(engine: &Engine, name: AdoptionName, sealed: SealedToken) -> Result<bool, SessionError> {
    let note = engine.load_adoption(name).await?;
    Ok(matches!(note.map(|note| note.state), Some(AdoptionState::Adopted(other)) if other == sealed))
}

/// Tells a session that cannot be one of ours, which is nobody's then, from a store that fails.
fn or_not_adopted<T>(
    engine: &Engine,
    system: &str,
    result: Result<Option<T>, SessionError>,
) -> Result<Option<T>, SessionError> {
    use SessionErrorKind::{Field, LoginRevoked, Panic, RecordTooLarge, TooManyDevices};
    let Err(error) = result else { return result };
    match error.kind() {
        LoginRevoked => Ok(not_adopted(engine, system, "ended with all sessions", "")),
        Field | Panic | RecordTooLarge | TooManyDevices => {
            Ok(not_adopted(engine, system, "cannot be kept", &error.chain().to_string()))
        }
        _ => Err(error),
    }
}

//! Writing a session of ours for the other system, so that the application can go back to it.

use std::sync::Arc;

use super::end::in_time;
use super::plan::Plan;
use super::reader::Reader;
use crate::engine::Engine;
use crate::engine::adopting::{AdoptionChange, PresentedForeign, Rule};
use crate::engine::open::Current;
use crate::engine::session::Found;
use crate::error::SessionError;
use crate::event::{About, EventKind};
use crate::foreign::ForeignSession;
use crate::record::adoption::{AdoptionKey, AdoptionName, AdoptionState};
use crate::request::RequestSession;

/// A session of the other system that is to be written.
struct Target {
    reader: usize,
    session: ForeignSession,
    /// The reader of a session that has ended for it.
    replaces: Option<usize>,
}

impl Plan {
    /// Writes a session, and returns the headers that set the cookie of the other system.
    pub(super) async fn write(
        &self,
        engine: &Arc<Engine>,
        presented: &[PresentedForeign],
        current: Current,
        always: bool,
    ) -> Result<Vec<String>, SessionError> {
        let Some(first) = self.readers.iter().position(Reader::writes).filter(|_| engine.now() < self.until) else {
            return Ok(Vec::new());
        };
        let written = async {
            let target = self.target(engine, presented, &current, first).await?;
            self.write_to(engine, presented, current, target, always).await
        };
        let written = written.await;
        if let Err(error) = &written {
            let (system, error) = (self.readers[first].system(), format_args!("{error}"));
            engine.record(EventKind::ForeignNotWritten { system, error }, About::default());
        }
        written
    }

    /// Finds the session of the other system that is written: the one that became this one, or a new one. A change of user is a new
    /// one too, and the one before it ends.
    async fn target(
        &self,
        engine: &Arc<Engine>,
        presented: &[PresentedForeign],
        current: &Current,
        first: usize,
    ) -> Result<Target, SessionError> {
        let new = |values| {
            let session = ForeignSession::new("", values).of_system(self.readers[first].system());
            Ok(Target { reader: first, session, replaces: None })
        };
        let Some((reader, session)) = self.open(engine, presented).await? else { return new(Default::default()) };
        let (scope, system, id) = (engine.scope(), session.system(), session.id());
        let note = engine.load_adoption(AdoptionName::new(scope, system, id)).await?;
        let became = match note.map(|note| note.state) {
            Some(AdoptionState::Adopted(sealed)) => AdoptionKey::new(scope, system, id).open(&sealed),
            _ => None,
        };
        if became.is_none_or(|token| token.id() != current.id()) || !self.readers[reader].writes() {
            return new(Default::default());
        }
        let user = self.user.as_ref().map_or(Ok(None), |user| user.find(&session));
        if user.as_ref().is_ok_and(|user| user.as_deref() == current.record.header().user_id.as_deref()) {
            return Ok(Target { reader, session, replaces: None });
        }
        self.end_one(engine, reader, &session).await?;
        // What a visitor had stays theirs when they log in.
        let target = new(if let Ok(None) = user { session.values } else { Default::default() })?;
        Ok(Target { replaces: Some(reader), ..target })
    }

    async fn write_to(
        &self,
        engine: &Arc<Engine>,
        presented: &[PresentedForeign],
        current: Current,
        Target { reader: number, session: mut foreign, replaces }: Target,
        always: bool,
    ) -> Result<Vec<String>, SessionError> {
        let reader = &self.readers[number];
        let (token, header) = (current.token.clone(), current.record.header().clone());
        let ours = RequestSession::resume(engine.clone(), Some(current), None);
        let before = foreign.values.clone();
        if let Some(give) = &self.give_user {
            give.write(header.user_id.as_deref(), &mut foreign)?;
        }
        for give in &self.gives {
            give.write(&ours, &mut foreign)?;
        }
        let is_new = foreign.id().is_empty();
        // A use of ours is written too: the other system's lasts as long.
        let says_nothing = is_new && foreign.values.is_empty();
        let replaces = replaces.filter(|replaced| *replaced != number || says_nothing);
        let mut cookies = replaces.map(|replaced| self.readers[replaced].removals()).unwrap_or_default();
        if says_nothing || (foreign.values == before && !always) {
            return Ok(cookies);
        }
        let (ends, now) = (header.deadline(), engine.now());
        foreign.expires_at = Some(ends);
        let cookie = in_time(engine, reader.write(&foreign, now)).await?;
        if is_new {
            // It is ours already: it is not taken over, and it ends with ours.
            let written = in_time(engine, reader.open(&cookie, now)).await?;
            let (scope, system, id) = (engine.scope(), reader.system(), written.id());
            let state = AdoptionState::Adopted(AdoptionKey::new(scope, system, id).seal(&token));
            let change = AdoptionChange { note: engine.new_note(system, self.until, state), rule: Rule::IfFree };
            engine.change_adoption(AdoptionName::new(scope, system, id), None, change).await?;
            foreign = written;
        }
        // What has ended ours meanwhile may have ended the other one before it was written.
        let found = engine.load_session(token.id(), &mut engine.load_deadline()).await?;
        let is_over = match &found {
            Found::Record(record) => record.header().user_id != header.user_id,
            Found::Nothing => true,
            Found::Unreadable(_) => false,
        };
        if is_over {
            self.end_one(engine, number, &foreign).await?;
            return Ok(Vec::new());
        }
        let is_known = presented.iter().any(|presented| presented.reader == number && presented.value == cookie);
        let age = ends.saturating_duration_since(now);
        if !is_known {
            cookies.push(reader.cookie().set(&cookie, Some(age)));
        }
        Ok(cookies)
    }
}

//! Looking at the sessions of the other system that a request presents.

use std::sync::Arc;

use super::plan::Plan;
use crate::engine::Engine;
use crate::engine::adopting::PresentedForeign;
use crate::engine::deadline::{Deadline, NO_ANSWER_TO_A_LOAD};
use crate::engine::open::Current;
use crate::error::SessionError;
use crate::event::{About, EventKind};
use crate::foreign::{ForeignError, ForeignErrorKind, ForeignSession};
use crate::store::error::StoreError;

impl Plan {
    /// Opens the first session that a reader finds, and returns it with the reader's number. Two different ones of one reader are nobody's.
    pub(super) async fn open(
        &self,
        engine: &Engine,
        presented: &[PresentedForeign],
    ) -> Result<Option<(usize, ForeignSession)>, SessionError> {
        for (number, reader) in self.readers.iter().enumerate() {
            let mut opened: Vec<ForeignSession> = Vec::new();
            for value in presented.iter().filter(|presented| presented.reader == number) {
                match self.open_one(engine, value).await? {
                    Ok(session) if opened.iter().any(|other| other.id() == session.id()) => {}
                    Ok(session) => opened.push(session),
                    Err(error) => refused(engine, reader.system(), &error),
                }
            }
            if opened.len() > 1 {
                engine.record(
                    EventKind::NotAdopted { system: reader.system(), reason: "one of several sessions", detail: "" },
                    About::default(),
                );
                return Ok(None);
            }
            if let Some(session) = opened.pop() {
                return Ok(Some((number, session)));
            }
        }
        Ok(None)
    }

    /// Opens the session of one cookie. The outer error is that of a store that does not answer.
    pub(super) async fn open_one(
        &self,
        engine: &Engine,
        presented: &PresentedForeign,
    ) -> Result<Result<ForeignSession, ForeignError>, SessionError> {
        let reader = &self.readers[presented.reader];
        let opening = reader.open(&presented.value, engine.now());
        let mut deadline = Deadline::of(engine.settings().load_deadline);
        match deadline.limit(opening).await {
            Some(Err(error)) if error.kind() == ForeignErrorKind::Unavailable => {
                Err(StoreError::unavailable(error).into())
            }
            Some(opened) => Ok(opened),
            None => Err(StoreError::unavailable(NO_ANSWER_TO_A_LOAD).into()),
        }
    }

    /// Compares what would be taken over with the session that is there, and reports what comes of it.
    pub(super) async fn compare(&self, engine: &Arc<Engine>, presented: &[PresentedForeign], current: Option<Current>) {
        if engine.now() >= self.until {
            return;
        }
        let (system, outcome) = match self.open(engine, presented).await {
            Ok(None) => return,
            Err(_) => (self.readers[0].system(), "its store does not answer"),
            Ok(Some((_, session))) => {
                let outcome = match (self.convert(&session), &current) {
                    (Err(_), _) => "it cannot be converted",
                    (Ok(_), None) => "it would be taken over",
                    (Ok((user, _)), Some(current)) if current.record.header().user_id.as_deref() == user.as_deref() => {
                        "its user is that of the session"
                    }
                    (Ok(_), Some(_)) => "its user is another one than that of the session",
                };
                (session.system(), outcome)
            }
        };
        engine.record(EventKind::Shadowed { system, outcome }, About::default());
    }
}

/// Reports that a session of the other system is not taken over.
pub(super) fn not_adopted<T>(engine: &Engine, system: &str, reason: &'static str, detail: &str) -> Option<T> {
    engine.record(EventKind::NotAdopted { system, reason, detail }, About::default());
    None
}

/// Reports a cookie of the other system that opens nothing.
pub(super) fn refused(engine: &Engine, system: &str, error: &ForeignError) {
    let reason = match error.kind() {
        ForeignErrorKind::Ended => "ended",
        ForeignErrorKind::Invalid => "not valid",
        _ => "unreadable",
    };
    let detail = if error.kind() == ForeignErrorKind::Unreadable { error.to_string() } else { String::new() };
    let _: Option<()> = not_adopted(engine, system, reason, &detail);
}

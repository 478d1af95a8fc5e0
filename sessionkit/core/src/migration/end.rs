//! Ending the sessions of the other system with ours.

use std::sync::Arc;

use super::plan::Plan;
use crate::engine::Engine;
use crate::engine::adopting::{AdoptionChange, PresentedForeign, Rule};
use crate::error::SessionError;
use crate::event::{About, EventKind};
use crate::foreign::{ForeignError, ForeignSession};
use crate::record::adoption::{AdoptionName, AdoptionState};
use crate::store::error::StoreError;

impl Plan {
    /// Ends the sessions of the other system that a request presents.
    pub(super) async fn end(&self, engine: &Arc<Engine>, presented: &[PresentedForeign]) -> Result<(), SessionError> {
        if engine.now() >= self.until {
            return Ok(());
        }
        let mut failed = None;
        for value in presented {
            let ended = async {
                match self.open_one(engine, value).await? {
                    Ok(session) => self.end_one(engine, value.reader, &session).await,
                    Err(_) => Ok(()),
                }
            };
            // The others end all the same.
            failed = failed.or(ended.await.err());
        }
        failed.map_or(Ok(()), Err)
    }

    /// Ends a session of the other system: it is not taken over any more, neither as it is nor as what it became.
    pub(super) async fn end_one(
        &self,
        engine: &Arc<Engine>,
        reader: usize,
        session: &ForeignSession,
    ) -> Result<(), SessionError> {
        let name = AdoptionName::new(engine.scope(), session.system(), session.id());
        let note = engine.new_note(session.system(), self.until, AdoptionState::Ended { at: engine.now() });
        let noted = async {
            let seen = engine.load_adoption(name).await?;
            // A claim that is under way finds another state, and discards what it has made.
            engine.change_adoption(name, seen, AdoptionChange { note, rule: Rule::Always }).await
        };
        let noted = noted.await;
        // It ends even if ours cannot note that: nobody else would end it.
        in_time(engine, self.readers[reader].end(session)).await?;
        if !noted? {
            return Err(SessionError::unsettled());
        }
        engine.record(EventKind::ForeignEnded { system: session.system() }, About::default());
        Ok(())
    }
}

/// Waits for the store of the other system for as long as for ours.
pub(super) async fn in_time<T>(
    engine: &Engine,
    call: impl Future<Output = Result<T, ForeignError>>,
) -> Result<T, SessionError> {
    match engine.commit_deadline().limit(call).await {
        Some(done) => Ok(done.map_err(StoreError::unavailable)?),
        None => {
            Err(StoreError::unavailable("the store of the other system gave no answer within commit_deadline").into())
        }
    }
}

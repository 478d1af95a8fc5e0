//! Ending one session by its id, for any user.

use tokio::time::Instant;

use crate::devices::DeviceSelection;
use crate::engine::Engine;
use crate::engine::session::{Found, Removal};
use crate::error::SessionError;
use crate::event::{About, EventKind};
use crate::record::Record;
use crate::store::error::StoreError;
use crate::token::SessionId;

const REASON: &str = "ended by an operator";

impl Engine {
    /// Ends a session of the scope, and takes it off the list of its user; `false` if there is none.
    ///
    /// Another request may replace its secret or its user meanwhile: it ends all the same.
    pub(crate) async fn end_by_id(&self, id: SessionId) -> Result<bool, SessionError> {
        let end = self.commit_deadline().end();
        loop {
            let has_ended = match self.load_session(id, &mut self.load_deadline()).await? {
                Found::Record(record) if record.header().scope == self.scope() => self.end_seen(id, &record).await?,
                Found::Record(_) | Found::Nothing => return Ok(false),
                // Its list, if it is in one, forgets it when it is met.
                Found::Unreadable(session) => {
                    let removed = self.remove_record(id, session.generation, Removal::Unreadable).await?;
                    if removed {
                        self.record(EventKind::Revoked { reason: REASON }, About::default().session(id, None));
                    }
                    removed
                }
            };
            if has_ended {
                return Ok(true);
            }
            if Instant::now() >= end {
                return Err(StoreError::unavailable("the session kept changing within commit_deadline").into());
            }
        }
    }

    /// Ends a session as it was seen; `false` if there is none any more, or if it has another user by now.
    async fn end_seen(&self, id: SessionId, record: &Record) -> Result<bool, SessionError> {
        let header = record.header();
        if !self.remove_record(id, header.generation, Removal::by_owner(header)).await? {
            return Ok(false);
        }
        if !header.is_expired(self.now()) {
            self.record(EventKind::Revoked { reason: REASON }, About::default().session(id, Some(header)));
        }
        // Marked there, it keeps a login under way with its cookie from beginning another.
        if let Some(owner) = header.owner().filter(|_| self.settings().lists_devices()) {
            self.end_sessions(owner, DeviceSelection::One(id), REASON, About::default()).await?;
        }
        Ok(true)
    }
}

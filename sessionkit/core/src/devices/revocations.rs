//! The sessions in cookies that have ended before their time: the list of their user, in a store.
//!
//! The list has the epoch of the user, and an entry for each login that has ended, until no cookie of it can be good any more. A session whose
//! epoch is not the user's was ended with all others.

use std::sync::Arc;
use std::time::Duration;

use crate::devices::list_change::ListChangeKind;
use crate::engine::Engine;
use crate::engine::commit::CommitError;
use crate::engine::document::Refusal;
use crate::engine::in_cookies::{RevocationFuture, Revocations};
use crate::error::SessionError;
use crate::event::{About, EventKind};
use crate::record::front::Generation;
use crate::record::list::{ListEpoch, ListedSession};
use crate::store::error::StoreError;
use crate::time::Timestamp;
use crate::token::SessionId;

/// The least time for which the end of all sessions of a user is remembered: browsers keep no cookie for longer.
const REMEMBERED: Duration = Duration::from_secs(400 * 24 * 60 * 60);

/// Keeps revocations in the lists of users.
pub(crate) struct ListedRevocations;

impl Revocations for ListedRevocations {
    fn epoch<'a>(&'a self, engine: &'a Arc<Engine>, user: &'a str) -> RevocationFuture<'a, ListEpoch> {
        Box::pin(async move { Ok(engine.load_list(user).await.map_err(store_error)?.epoch) })
    }

    fn is_ended<'a>(
        &'a self,
        engine: &'a Arc<Engine>,
        user: &'a str,
        login: SessionId,
        epoch: ListEpoch,
    ) -> RevocationFuture<'a, bool> {
        Box::pin(async move {
            let list = engine.load_list(user).await.map_err(store_error)?;
            // A list without an epoch is none, or one that was forgotten and begun again after all of these sessions.
            let all_ended = list.epoch != ListEpoch::default() && list.epoch != epoch;
            Ok(all_ended || list.entries.iter().any(|entry| entry.id == login))
        })
    }

    fn end<'a>(
        &'a self,
        engine: &'a Arc<Engine>,
        user: &'a str,
        login: SessionId,
        until: Timestamp,
    ) -> RevocationFuture<'a, ()> {
        Box::pin(async move {
            engine.revoke(user, |_| ListChangeKind::Revoke(ended(engine, login, until))).await.map_err(store_error)
        })
    }
}

impl Engine {
    /// Ends all sessions of a user that lie in cookies.
    pub(crate) async fn revoke_all(self: &Arc<Self>, user: &str) -> Result<(), SessionError> {
        let until = self.now().saturating_add(REMEMBERED.max(self.settings().absolute_ttl));
        let marker = ended(self, SessionId::from_bytes([0; 16]), until);
        self.revoke(user, |epoch| ListChangeKind::RevokeAll { marker, epoch }).await?;
        let about = About { user_id: Some(user), ..About::default() };
        self.record(EventKind::Revoked { reason: "all sessions of the user were ended" }, about);
        Ok(())
    }

    async fn revoke(&self, user: &str, change: impl FnOnce(ListEpoch) -> ListChangeKind) -> Result<(), SessionError> {
        let list = self.load_list(user).await?;
        match self.change_list(list, change(self.new_epoch())).await {
            Ok(_) => Ok(()),
            Err(CommitError::Refused(Refusal::Failed(error)) | CommitError::Failed(error)) => Err(error),
            Err(CommitError::Refused(_)) => Err(SessionError::unsettled()),
        }
    }
}

fn ended(engine: &Engine, id: SessionId, until: Timestamp) -> ListedSession {
    let (generation, registered) = (Generation::default(), engine.now());
    ListedSession { id, is_ended: true, generation, registered, until }
}

/// Makes of an error one that a store would report, with the error as its cause.
fn store_error(error: SessionError) -> StoreError {
    StoreError::unavailable(error)
}

//! The readiness of a server.

use crate::engine::Engine;
use crate::error::SessionError;
use crate::store::key::EntryKey;
use crate::token::SessionId;

/// The readiness of a server: from [`SessionManager::health`](crate::SessionManager::health).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Health {
    /// Requests that use their session are served.
    Ready,
    /// They are not, or will not be soon: send them to another server. The reason is for the log.
    ///
    /// Its kind is [`ShuttingDown`](crate::SessionErrorKind::ShuttingDown) after
    /// [`drain`](crate::SessionManager::drain) has begun, and otherwise that of the failure of the store.
    NotReady(SessionError),
}

impl Health {
    /// Returns whether requests that use their session are served.
    pub fn is_ready(&self) -> bool {
        matches!(self, Self::Ready)
    }
}

/// Asks the store for a session that does not exist: another one each time, so that nothing can answer but the store.
pub(super) async fn of(engine: &Engine) -> Health {
    if engine.is_draining() {
        return Health::NotReady(SessionError::interrupted());
    }
    let mut id = [0; 16];
    for part in id.chunks_exact_mut(4) {
        part.copy_from_slice(&engine.random().to_be_bytes());
    }
    match engine.load_entry(&EntryKey::session(SessionId::from_bytes(id)), &mut engine.load_deadline()).await {
        Ok(_) => Health::Ready,
        Err(error) => Health::NotReady(error.into()),
    }
}

//! Loading the session of a request: once, and for whom.

use crate::config::OnBadCookie;
use crate::error::SessionError;
use crate::request::{Current, RequestSession, State};

impl RequestSession {
    /// Loads the session for somebody who asks for it.
    pub(crate) async fn load(&self) -> Result<(), SessionError> {
        self.look_up().await?;
        if self.shared.engine.settings().on_bad_cookie == OnBadCookie::Anonymous {
            return Ok(());
        }
        let mut state = self.state();
        state.refused = state.refusal.is_some();
        state.refusal.clone().map_or(Ok(()), Err)
    }

    /// Loads the session for a login or a logout, which nobody is refused.
    pub(crate) async fn look_up(&self) -> Result<(), SessionError> {
        self.shared.loaded.get_or_init(|| self.look_up_once()).await.clone()
    }

    async fn look_up_once(&self) -> Result<(), SessionError> {
        let Some(candidates) = self.shared.candidates.get() else { return Ok(()) };
        let engine = &self.shared.engine;
        let mut opened = engine.open(candidates).await.map_err(|error| self.fail(error.into()))?;
        let mut state = self.state();
        match opened.len() {
            0 if engine.settings().on_bad_cookie == OnBadCookie::Reject => {
                state.refusal = candidates.fault().map(SessionError::bad_cookie);
            }
            0 | 1 => state.current = opened.pop(),
            _ => state.ambiguous = opened.iter().map(Current::id).collect(),
        }
        Ok(())
    }
}

impl State {
    /// Why the handler's answer cannot stand: something failed, or somebody who asked was refused.
    pub(crate) fn objection(&self) -> Option<&SessionError> {
        self.failure.as_ref().or(self.refusal.as_ref().filter(|_| self.refused))
    }

    /// The client's cookie does not matter any more: this request has logged in or out.
    pub(crate) fn forgive(&mut self) {
        self.refusal = None;
    }
}

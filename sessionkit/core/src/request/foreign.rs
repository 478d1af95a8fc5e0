//! The sessions of other systems that a request came with.

use std::sync::Arc;

use crate::engine::Engine;
use crate::engine::adopting::{Adopted, Adopts, Asker, PresentedForeign};
use crate::engine::open::Current;
use crate::error::SessionError;
use crate::request::RequestSession;
use crate::request::state::CookieChange;
use crate::wire::cookie::Candidates;
use crate::wire::head::RequestHead;

impl RequestSession {
    /// Makes the session of a request that never was, to be filled and closed: it has no cookie.
    pub(crate) fn without_cookie(engine: Arc<Engine>) -> Self {
        let session = Self::new(engine);
        let _ = session.shared.candidates.set(Candidates::default());
        session
    }

    /// Makes the session of a request that never was, to be changed and closed: it has opened this one.
    pub(crate) fn with_current(engine: Arc<Engine>, current: Current) -> Self {
        let session = Self::without_cookie(engine);
        let _ = session.shared.loaded.set(Ok(()));
        session.state().current = Some(current);
        session
    }

    /// Takes note of the cookies of other systems.
    pub(super) fn note_foreign(&self, head: &RequestHead<'_>) {
        if let Some(migration) = &self.shared.engine.migration {
            let _ = self.shared.foreign.set(migration.presented(head.headers()).into());
        }
    }

    /// Returns what migrates sessions, and the cookies of other systems; `None` without a migration.
    fn migration(&self) -> Option<(&dyn Adopts, &Arc<[PresentedForeign]>)> {
        Some((&**self.shared.engine.migration.as_ref()?, self.shared.foreign.get()?))
    }

    /// Takes over the session of another system; `None` if there is none to take over.
    pub(super) async fn adopt(&self, asker: Asker) -> Result<Option<Adopted>, SessionError> {
        let Some((migration, presented)) = self.migration() else { return Ok(None) };
        if presented.is_empty() || migration.only_compares() {
            return Ok(None);
        }
        migration.adopt(self.shared.engine.clone(), presented.clone(), asker).await
    }

    /// Compares the session of another system with that of the request, if that is all that is asked.
    pub(super) async fn compare_foreign(&self, current: Option<&Current>) -> Result<(), SessionError> {
        let Some((migration, presented)) = self.migration() else { return Ok(()) };
        if presented.is_empty() || !migration.only_compares() {
            return Ok(());
        }
        migration.compare(self.shared.engine.clone(), presented.clone(), current.cloned()).await
    }

    /// Ends the sessions of other systems with ours.
    ///
    /// # Errors
    /// Fails when a store does. The response removes the cookies all the same.
    pub(crate) async fn end_foreign(&self) -> Result<(), SessionError> {
        let Some((migration, presented)) = self.migration() else { return Ok(()) };
        if presented.is_empty() || migration.only_compares() {
            return Ok(());
        }
        self.state().foreign_cookies = migration.removals(presented);
        migration.end(self.shared.engine.clone(), presented.clone()).await
    }

    /// Returns whether the request came with a session of another system.
    pub(crate) fn has_foreign(&self) -> bool {
        self.migration().is_some_and(|(_, presented)| !presented.is_empty())
    }

    /// Returns whether the request may turn out to have a session of another system that is taken over.
    pub(super) fn may_be_adopted(&self) -> bool {
        let engine = &self.shared.engine;
        self.migration().is_some_and(|(migration, presented)| {
            !presented.is_empty() && !migration.only_compares() && engine.now() < migration.until()
        })
    }

    /// Returns whether the other system may have to learn what became of the session.
    pub(super) fn is_written_elsewhere(&self) -> bool {
        self.migration().is_some_and(|(migration, _)| migration.writes())
    }

    /// Writes the session for the other system, as it was `stored`, or as a login of the request has begun it.
    pub(super) async fn write_foreign(&self, stored: Option<Box<Current>>) {
        let Some((migration, presented)) = self.migration().filter(|(migration, _)| migration.writes()) else { return };
        let was_stored = stored.is_some();
        let begun = || {
            let state = self.state();
            let is_given = matches!(state.cookie, CookieChange::Set { .. });
            state.current.clone().filter(|_| is_given)
        };
        let Some(current) = stored.map(|stored| *stored).or_else(begun) else { return };
        // What the other system does not learn is reported. Ours is stored, and the answer stands.
        if let Ok(cookies) = migration.write(self.shared.engine.clone(), presented.clone(), current, was_stored).await {
            let mut state = self.state();
            for cookie in cookies {
                // A logout of this request may have removed it, and others.
                let name = cookie.split('=').next();
                state.foreign_cookies.retain(|other| other.split('=').next() != name);
                state.foreign_cookies.push(cookie);
            }
        }
    }
}

//! The plan of a migration: its readers, its conversions, its mode and its last day.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::time::{Instant, timeout_at};

use crate::engine::Engine;
use crate::engine::adopting::{Adopted, AdoptionFuture, Adopts, Asker, PresentedForeign};
use crate::engine::open::Current;
use crate::error::SessionError;
use crate::migration::MigrationMode;
use crate::migration::conversion::{Give, GiveUser, Take, UserOf};
use crate::migration::reader::Reader;
use crate::record::adoption::AdoptionName;
use crate::time::Timestamp;
use crate::wire::head::Headers;

/// Everything that an application says of a migration.
pub(super) struct Plan {
    pub(super) until: Timestamp,
    pub(super) mode: MigrationMode,
    pub(super) readers: Vec<Reader>,
    pub(super) user: Option<UserOf>,
    pub(super) takes: Vec<Take>,
    pub(super) give_user: Option<GiveUser>,
    pub(super) gives: Vec<Give>,
    /// The sessions of the other system about which requests of this process ask: one after the other.
    turns: Mutex<HashMap<[u8; 32], Arc<tokio::sync::Mutex<()>>>>,
}

impl Plan {
    pub(super) fn new(until: Timestamp) -> Self {
        Self {
            until,
            mode: MigrationMode::default(),
            readers: Vec::new(),
            user: None,
            takes: Vec::new(),
            give_user: None,
            gives: Vec::new(),
            turns: Mutex::default(),
        }
    }

    /// Runs `work` when no other request of this process is about the same session.
    ///
    /// # Errors
    /// Fails if the others are not done until `end`.
    pub(super) async fn in_turn<T>(
        &self,
        name: AdoptionName,
        end: Instant,
        work: impl Future<Output = Result<T, SessionError>>,
    ) -> Result<T, SessionError> {
        let turn = self.turns.lock().unwrap_or_else(PoisonError::into_inner).entry(name.0).or_default().clone();
        let done = {
            match timeout_at(end, turn.lock()).await {
                Ok(_turn) => work.await,
                Err(_) => Err(SessionError::unsettled()),
            }
        };
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        drop(turn);
        if turns.get(&name.0).is_some_and(|turn| Arc::strong_count(turn) == 1) {
            turns.remove(&name.0);
        }
        done
    }
}

impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let systems: Vec<_> = self.readers.iter().map(Reader::system).collect();
        f.debug_struct("Migration")
            .field("systems", &systems)
            .field("mode", &self.mode)
            .field("until", &self.until)
            .finish_non_exhaustive()
    }
}

/// A plan that requests carry out.
pub(super) struct Migrating(pub(super) Arc<Plan>);

impl Adopts for Migrating {
    fn presented(&self, headers: &dyn Headers) -> Vec<PresentedForeign> {
        let of_reader = |(number, reader): (usize, &Reader)| {
            let values = reader.values(headers).into_iter();
            values.map(move |value| PresentedForeign { reader: number, value }).collect::<Vec<_>>()
        };
        self.0.readers.iter().enumerate().flat_map(of_reader).collect()
    }

    fn until(&self) -> Timestamp {
        self.0.until
    }

    fn only_compares(&self) -> bool {
        self.0.mode == MigrationMode::Shadow
    }

    fn writes(&self) -> bool {
        self.0.mode == MigrationMode::DualWrite
    }

    fn adopt(
        &self,
        engine: Arc<Engine>,
        presented: Arc<[PresentedForeign]>,
        asker: Asker,
    ) -> AdoptionFuture<'static, Option<Adopted>> {
        let plan = self.0.clone();
        // What was begun completes, even if the client leaves: others wait for it.
        let tasks = engine.clone();
        Box::pin(async move { tasks.tasks.finish(async move { plan.adopt(&engine, &presented, asker).await }).await? })
    }

    fn compare(
        &self,
        engine: Arc<Engine>,
        presented: Arc<[PresentedForeign]>,
        current: Option<Current>,
    ) -> AdoptionFuture<'static, ()> {
        let plan = self.0.clone();
        Box::pin(async move {
            plan.compare(&engine, &presented, current).await;
            Ok(())
        })
    }

    fn end(&self, engine: Arc<Engine>, presented: Arc<[PresentedForeign]>) -> AdoptionFuture<'static, ()> {
        let plan = self.0.clone();
        Box::pin(async move { plan.end(&engine, &presented).await })
    }

    fn removals(&self, presented: &[PresentedForeign]) -> Vec<String> {
        let is_presented = |number: usize| presented.iter().any(|presented| presented.reader == number);
        let readers = self.0.readers.iter().enumerate().filter(|(number, _)| is_presented(*number));
        readers.flat_map(|(_, reader)| reader.removals()).collect()
    }

    fn write(
        &self,
        engine: Arc<Engine>,
        presented: Arc<[PresentedForeign]>,
        current: Current,
        always: bool,
    ) -> AdoptionFuture<'static, Vec<String>> {
        let plan = self.0.clone();
        Box::pin(async move { plan.write(&engine, &presented, current, always).await })
    }
}

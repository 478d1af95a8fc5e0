//! The suite has to fail where a store is wrong.

use std::panic::{AssertUnwindSafe, catch_unwind};

use sessionkit_core::testing::suite::{concurrency, expiry, header, lifecycle, linear, run};
use sessionkit_core::{
    CommitOutcome, CreateOutcome, Delta, Generation, Header, MemoryStore, Record, SecretHash, SessionId, Store,
    StoreError, Timestamp,
};

/// What is wrong with a store.
#[derive(Clone, Copy, PartialEq)]
enum Fault {
    /// A commit loads, changes and writes back, and others come between.
    NotAtomic,
    /// A commit makes the session if it is not there.
    Upserts,
    /// A commit takes the generation that it finds.
    IgnoresGeneration,
    /// A session lives a second too long.
    ExpiresLate,
}

struct Faulty {
    fault: Fault,
    store: MemoryStore,
}

impl Faulty {
    fn moved(&self, now: Timestamp) -> Timestamp {
        let late = u64::from(self.fault == Fault::ExpiresLate);
        Timestamp::from_unix_seconds(now.unix_seconds() - late)
    }
}

impl Store for Faulty {
    async fn load(&self, id: SessionId, now: Timestamp) -> Result<Option<Record>, StoreError> {
        self.store.load(id, self.moved(now)).await
    }

    async fn create(&self, id: SessionId, record: &Record, now: Timestamp) -> Result<CreateOutcome, StoreError> {
        self.store.create(id, record, now).await
    }

    async fn commit(
        &self,
        id: SessionId,
        generation: Generation,
        delta: &Delta,
        now: Timestamp,
    ) -> Result<CommitOutcome, StoreError> {
        let now = self.moved(now);
        let found = self.store.load(id, now).await?;
        match (self.fault, found) {
            (Fault::NotAtomic, Some(mut record)) => {
                tokio::task::yield_now().await;
                let outcome = record.apply(generation, delta, now)?;
                self.store.destroy(id).await?;
                self.store.create(id, &record, now).await?;
                Ok(outcome)
            }
            (Fault::Upserts, None) => {
                let header =
                    Header::new(SecretHash::from_bytes([0; 32]), now, std::time::Duration::from_secs(60), None);
                self.store.create(id, &Record::new(header), now).await?;
                self.store.commit(id, generation, delta, now).await
            }
            (Fault::IgnoresGeneration, Some(record)) => {
                self.store.commit(id, record.header().generation, delta, now).await
            }
            _ => self.store.commit(id, generation, delta, now).await,
        }
    }

    async fn destroy(&self, id: SessionId) -> Result<bool, StoreError> {
        self.store.destroy(id).await
    }
}

/// Asserts that each check fails for a store with this fault.
macro_rules! assert_found {
    ($fault:ident: $($check:path),+) => {
        $(
            let make = || async { Faulty { fault: Fault::$fault, store: MemoryStore::new() } };
            let outcome = catch_unwind(AssertUnwindSafe(|| run(make, $check)));
            assert!(outcome.is_err(), "{} passes a store with the fault {}", stringify!($check), stringify!($fault));
        )+
    };
}

#[test]
fn a_store_that_is_not_atomic_fails() {
    assert_found!(NotAtomic:
        concurrency::writes_to_different_fields_survive,
        concurrency::additions_add_up,
        concurrency::one_of_many_rotations_wins,
        lifecycle::nothing_revives_a_session_that_is_destroyed_meanwhile,
        linear::concurrent_calls_have_an_order
    );
}

#[test]
fn a_store_that_makes_sessions_of_commits_fails() {
    assert_found!(Upserts:
        lifecycle::an_unknown_session_is_not_made,
        lifecycle::a_destroyed_session_stays_ended,
        lifecycle::nothing_revives_a_session_that_is_destroyed_meanwhile
    );
}

#[test]
fn a_store_that_ignores_the_generation_fails() {
    assert_found!(IgnoresGeneration:
        header::a_rotation_refuses_the_old_generation,
        concurrency::one_of_many_rotations_wins
    );
}

#[test]
fn a_store_that_expires_late_fails() {
    assert_found!(ExpiresLate: expiry::an_expired_session_is_gone);
}

//! The connections that go straight from one call to the next.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use sqlx::pool::PoolConnection;
use sqlx::{Database, Pool};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::failure::Failure;

/// The time for which a connection may rest. Whatever lies between may have forgotten it afterwards: the pool tests it.
const LONGEST_REST: Duration = Duration::from_secs(5);

/// The time after which a connection goes back to its pool, which knows how old it may become.
const LONGEST_USE: Duration = Duration::from_secs(60);

/// Connections of a pool that is the store's own, at rest between two calls.
///
/// The pool asks the server if a connection is still there, before it gives it away and before it takes it back. A call
/// would be three round trips. Here a connection goes back to the pool only after a failure, after a rest, and once a
/// minute. An application may want the connections of *its* pool back at once, so of those none is kept.
pub(crate) struct Kept<DB: Database> {
    /// As many permits as the pool has connections: the holder of one finds a connection here or in the pool.
    turns: Arc<Semaphore>,
    /// Those that were used last stand last, so that the others can be seen to be too many.
    resting: Mutex<Vec<Resting<DB>>>,
    /// The way back to the pool.
    returned: fn(PoolConnection<DB>),
}

struct Resting<DB: Database> {
    connection: PoolConnection<DB>,
    /// The time at which the pool gave it away.
    taken: Instant,
    since: Instant,
}

impl<DB: Database> Kept<DB> {
    pub(crate) fn new(pool: &Pool<DB>, returned: fn(PoolConnection<DB>)) -> Self {
        let turns = usize::try_from(pool.options().get_max_connections()).unwrap_or(Semaphore::MAX_PERMITS);
        Self { turns: Arc::new(Semaphore::new(turns)), resting: Mutex::default(), returned }
    }

    /// Waits for a turn, and returns a connection; the pool's if none is at rest.
    pub(crate) async fn borrow(self: &Arc<Self>, pool: &Pool<DB>) -> Result<Borrowed<DB>, Failure> {
        let turn = timeout(pool.options().get_acquire_timeout(), self.turns.clone().acquire_owned()).await;
        let turn = turn.ok().and_then(Result::ok).ok_or_else(|| Failure::of_pool(&sqlx::Error::PoolTimedOut))?;
        let (connection, taken) = match self.take() {
            Some(rested) => rested,
            None => (acquire(pool).await?, Instant::now()),
        };
        Ok(Borrowed {
            connection: Some(connection),
            returned: self.returned,
            kept: Some(Turn { kept: self.clone(), taken, _turn: turn }),
        })
    }

    fn take(&self) -> Option<(PoolConnection<DB>, Instant)> {
        let newest = self.resting().pop()?;
        if newest.since.elapsed() <= LONGEST_REST {
            return Some((newest.connection, newest.taken));
        }
        (self.returned)(newest.connection);
        // The others have rested for longer.
        self.give_back();
        None
    }

    fn keep(&self, connection: PoolConnection<DB>, taken: Instant) {
        let now = Instant::now();
        if now.duration_since(taken) > LONGEST_USE {
            return (self.returned)(connection);
        }
        let mut resting = self.resting();
        resting.push(Resting { connection, taken, since: now });
        let is_too_many = now.duration_since(resting[0].since) > LONGEST_REST;
        let first = is_too_many.then(|| resting.remove(0));
        drop(resting);
        if let Some(first) = first {
            (self.returned)(first.connection);
        }
    }

    /// Gives all that is at rest back to the pool, which tests it.
    fn give_back(&self) {
        let resting = std::mem::take(&mut *self.resting());
        resting.into_iter().for_each(|resting| (self.returned)(resting.connection));
    }

    fn resting(&self) -> std::sync::MutexGuard<'_, Vec<Resting<DB>>> {
        self.resting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends the connections as their pool does when it is dropped. They cannot go back there: there may be no runtime.
impl<DB: Database> Drop for Kept<DB> {
    fn drop(&mut self) {
        let resting = self.resting.get_mut().unwrap_or_else(PoisonError::into_inner);
        resting.drain(..).for_each(|resting| drop(resting.connection.detach()));
    }
}

impl<DB: Database> fmt::Debug for Kept<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kept").field("resting", &self.resting().len()).finish_non_exhaustive()
    }
}

/// A connection in use. It goes back to the pool in the way of its database.
pub(crate) struct Borrowed<DB: Database> {
    connection: Option<PoolConnection<DB>>,
    returned: fn(PoolConnection<DB>),
    /// The place where it rests afterwards, unless something went wrong.
    kept: Option<Turn<DB>>,
}

struct Turn<DB: Database> {
    kept: Arc<Kept<DB>>,
    taken: Instant,
    _turn: OwnedSemaphorePermit,
}

impl<DB: Database> Borrowed<DB> {
    /// Takes a connection out of the pool of an application.
    pub(crate) async fn of_pool(pool: &Pool<DB>, returned: fn(PoolConnection<DB>)) -> Result<Self, Failure> {
        Ok(Self { connection: Some(acquire(pool).await?), returned, kept: None })
    }

    pub(crate) fn get(&mut self) -> &mut DB::Connection {
        self.connection.as_mut().expect("it is there until it is dropped")
    }

    /// Ends the use after a statement that went this way. A use that ends in another way goes back to the pool.
    pub(crate) fn end<T>(mut self, done: &Result<T, Failure>) {
        match (done, &self.kept) {
            (Ok(_), Some(turn)) => {
                if let Some(connection) = self.connection.take() {
                    turn.kept.keep(connection, turn.taken);
                }
            }
            // The server may have been restarted: each of the others would fail the same way.
            (Err(failure), Some(turn)) if failure.is_lost() => turn.kept.give_back(),
            _ => {}
        }
    }
}

impl<DB: Database> Drop for Borrowed<DB> {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            (self.returned)(connection);
        }
    }
}

async fn acquire<DB: Database>(pool: &Pool<DB>) -> Result<PoolConnection<DB>, Failure> {
    pool.acquire().await.map_err(|error| Failure::of_pool(&error))
}

#[cfg(all(test, feature = "sqlite"))]
mod tests {
    use sqlx::sqlite::SqlitePoolOptions;
    use sqlx::{Sqlite, SqlitePool};

    use super::*;
    use crate::failure::FailureKind;

    fn kept(connections: u32) -> (SqlitePool, Arc<Kept<Sqlite>>) {
        let pool = SqlitePoolOptions::new().max_connections(connections);
        let pool = pool.connect_lazy("sqlite::memory:").expect("the URL is one of SQLite");
        let kept = Arc::new(Kept::new(&pool, drop));
        (pool, kept)
    }

    fn failed(kind: FailureKind) -> Result<(), Failure> {
        Err(Failure::new(kind, "a test"))
    }

    #[tokio::test]
    async fn a_connection_rests_after_a_success_and_after_nothing_else() {
        let (pool, kept) = kept(3);
        drop(kept.borrow(&pool).await.unwrap());
        assert_eq!(kept.resting().len(), 0, "its call was given up");
        kept.borrow(&pool).await.unwrap().end(&failed(FailureKind::Refused));
        assert_eq!(kept.resting().len(), 0);
        let two = [kept.borrow(&pool).await.unwrap(), kept.borrow(&pool).await.unwrap()];
        two.into_iter().for_each(|borrowed| borrowed.end(&Ok(())));
        assert_eq!(kept.resting().len(), 2);
        let again = kept.borrow(&pool).await.unwrap();
        assert_eq!(kept.resting().len(), 1);
        again.end(&failed(FailureKind::Lost));
        assert_eq!(kept.resting().len(), 0, "the other one may be dead, too");
    }

    #[tokio::test]
    async fn no_more_are_in_use_than_the_pool_may_have() {
        let (pool, kept) = kept(1);
        let one = kept.borrow(&pool).await.unwrap();
        assert!(timeout(Duration::from_millis(50), kept.borrow(&pool)).await.is_err(), "the only one is in use");
        let (another, ()) = tokio::join!(kept.borrow(&pool), async { one.end(&Ok(())) });
        another.unwrap().end(&Ok(()));
    }

    #[tokio::test]
    async fn a_long_rest_or_a_long_use_leads_back_to_the_pool() {
        let (pool, kept) = kept(1);
        kept.borrow(&pool).await.unwrap().end(&Ok(()));
        let first = kept.resting()[0].taken;
        kept.borrow(&pool).await.unwrap().end(&Ok(()));
        assert_eq!(kept.resting()[0].taken, first);
        kept.resting()[0].since -= LONGEST_REST + Duration::from_millis(1);
        kept.borrow(&pool).await.unwrap().end(&Ok(()));
        assert_ne!(kept.resting()[0].taken, first, "the pool gave it away once more");
        kept.resting()[0].taken -= LONGEST_USE;
        kept.borrow(&pool).await.unwrap().end(&Ok(()));
        assert_eq!(kept.resting().len(), 0);
        kept.borrow(&pool).await.unwrap().end(&Ok(()));
    }

    #[tokio::test]
    async fn connections_that_are_too_many_go_back_one_by_one() {
        let (pool, kept) = kept(2);
        let two = [kept.borrow(&pool).await.unwrap(), kept.borrow(&pool).await.unwrap()];
        two.into_iter().for_each(|borrowed| borrowed.end(&Ok(())));
        kept.resting()[0].since -= LONGEST_REST + Duration::from_millis(1);
        kept.borrow(&pool).await.unwrap().end(&Ok(()));
        assert_eq!(kept.resting().len(), 1);
    }

    #[test]
    fn they_may_outlive_their_runtime() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let pool = runtime.block_on(async {
            let (pool, kept) = kept(1);
            kept.borrow(&pool).await.unwrap().end(&Ok(()));
            (pool, kept)
        });
        drop(runtime);
        drop(pool);
    }
}

//! Stores that are filled with sessions and take turns.

use std::time::{Duration, Instant};

use futures_util::future::{LocalBoxFuture, join_all};

use super::place::Place;
use super::{Operation, Subject};
use crate::process::Result;

/// The number of sessions that are there all the time.
pub const SESSIONS: usize = 4_000;

const TURN: Duration = Duration::from_millis(300);

/// The number of callers that fill a store.
const FILLERS: usize = 32;

/// A store with sessions, whatever its type.
pub trait Measured {
    fn name(&self) -> &str;

    /// Fills the store, and returns the bytes that a session takes up, if they are known.
    fn fill(&mut self) -> LocalBoxFuture<'_, Result<Option<f64>>>;

    /// Lets so many callers do an operation again and again; returns how often a second it was done, `None` if the store
    /// has no such thing.
    fn turn(&mut self, operation: Operation, callers: usize) -> LocalBoxFuture<'_, Result<Option<f64>>>;
}

/// A store, with the sessions that are in it.
pub struct Filled<S: Subject> {
    name: &'static str,
    subject: S,
    place: Place,
    sessions: Vec<S::Session>,
    /// The sessions that a turn inserted, until the next turn removes them.
    inserted: Vec<S::Session>,
}

impl<S: Subject> Filled<S> {
    pub fn boxed(name: &'static str, subject: S, place: Place) -> Box<dyn Measured> {
        Box::new(Self { name, subject, place, sessions: Vec::new(), inserted: Vec::new() })
    }

    /// Lets each caller insert sessions until its time is over, or until it has inserted so many.
    async fn insert(&self, callers: usize, time: Duration, most: usize) -> Result<Vec<S::Session>> {
        let start = Instant::now();
        let work = async || {
            let mut inserted = Vec::new();
            while start.elapsed() < time && inserted.len() < most {
                inserted.push(self.subject.insert().await?);
            }
            Ok::<_, String>(inserted)
        };
        let done = join_all((0..callers).map(|_| work())).await;
        done.into_iter().try_fold(Vec::new(), |mut all, inserted| {
            all.extend(inserted?);
            Ok(all)
        })
    }

    /// Removes what was inserted; returns how much it was.
    async fn remove(&mut self, callers: usize) -> Result<usize> {
        let inserted = std::mem::take(&mut self.inserted);
        let count = inserted.len();
        let work = async |sessions: Vec<S::Session>| {
            for session in sessions {
                self.subject.remove(session).await?;
            }
            Ok::<_, String>(())
        };
        let done = join_all(shares(inserted, callers).into_iter().map(work)).await;
        done.into_iter().collect::<Result<()>>()?;
        Ok(count)
    }

    /// Lets each caller go round its share of the sessions until the time is over; returns how often that was.
    async fn go_round(&mut self, operation: Operation, callers: usize) -> Result<usize> {
        let start = Instant::now();
        let subject = &self.subject;
        let work = async |mut sessions: Vec<S::Session>| {
            let mut count = 0;
            while start.elapsed() < TURN {
                let session = count % sessions.len();
                match operation {
                    Operation::Commit => subject.commit(&mut sessions[session]).await?,
                    _ => subject.load(&mut sessions[session]).await?,
                }
                count += 1;
            }
            // The next turn begins with others.
            let met = count % sessions.len();
            sessions.rotate_left(met);
            Ok::<_, String>((sessions, count))
        };
        let sessions = std::mem::take(&mut self.sessions);
        let done = join_all(shares(sessions, callers).into_iter().map(work)).await;
        let mut times = 0;
        for done in done {
            let (sessions, count) = done?;
            self.sessions.extend(sessions);
            times += count;
        }
        Ok(times)
    }

    /// Lets each caller look up the list until the time is over; `None` if there is no list.
    async fn list(&self, callers: usize) -> Result<Option<usize>> {
        let start = Instant::now();
        let work = async || {
            let mut count = 0;
            while start.elapsed() < TURN {
                if !self.subject.list().await? {
                    return Ok(None);
                }
                count += 1;
            }
            Ok::<_, String>(Some(count))
        };
        let done = join_all((0..callers).map(|_| work())).await;
        done.into_iter().try_fold(Some(0), |all, done| Ok(done?.and_then(|done| Some(all? + done))))
    }
}

impl<S: Subject> Measured for Filled<S> {
    fn name(&self) -> &str {
        self.name
    }

    fn fill(&mut self) -> LocalBoxFuture<'_, Result<Option<f64>>> {
        Box::pin(async {
            let before = self.place.bytes().await?;
            self.sessions = self.insert(FILLERS, Duration::MAX, SESSIONS / FILLERS).await?;
            let after = self.place.bytes().await?;
            let between = before.zip(after).map(|(before, after)| after - before);
            Ok(between.map(|bytes| bytes / self.sessions.len() as f64))
        })
    }

    fn turn(&mut self, operation: Operation, callers: usize) -> LocalBoxFuture<'_, Result<Option<f64>>> {
        Box::pin(async move {
            let start = Instant::now();
            let times = match operation {
                Operation::Load | Operation::Commit => Some(self.go_round(operation, callers).await?),
                Operation::Insert => {
                    self.inserted = self.insert(callers, TURN, usize::MAX).await?;
                    Some(self.inserted.len())
                }
                Operation::Remove => Some(self.remove(callers).await?),
                Operation::List => self.list(callers).await?,
            };
            Ok(times.map(|times| times as f64 / start.elapsed().as_secs_f64()))
        })
    }
}

/// Divides sessions among callers.
fn shares<T>(sessions: Vec<T>, callers: usize) -> Vec<Vec<T>> {
    let mut shares: Vec<Vec<T>> = (0..callers).map(|_| Vec::new()).collect();
    for (number, session) in sessions.into_iter().enumerate() {
        shares[number % callers].push(session);
    }
    shares
}

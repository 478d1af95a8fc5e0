//! A store whose answers to an operator a test decides, and a sink that keeps what it hears.

use std::collections::VecDeque;
use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sessionkit::store::{
    Entry, EntryKey, Generation, InsertOutcome, RemoveOutcome, ReplaceOutcome, Revision, Store, StoreError,
};
use sessionkit::{EventSink, MemoryStore, SessionEvent};
use tokio::time::Instant;

/// The answer to a call.
#[derive(Clone, Copy, Debug)]
pub enum Answer {
    /// So many entries are removed, after this time.
    Removed(usize, Duration),
    Failure,
    /// There is never an answer.
    Silence,
}

/// A store in memory that answers sweeps, and loads while it is silent, as a test says. When nothing is said, a sweep finds
/// nothing to remove. Clones are the same store.
#[derive(Clone, Debug, Default)]
pub struct ScriptedStore {
    store: MemoryStore,
    script: Arc<Mutex<Script>>,
}

#[derive(Debug, Default)]
struct Script {
    answers: VecDeque<Answer>,
    sweeps: Vec<Instant>,
    is_silent: bool,
}

impl ScriptedStore {
    /// Answers the next sweeps like this.
    pub fn sweeps_answer(&self, answers: impl IntoIterator<Item = Answer>) {
        self.script.lock().unwrap().answers.extend(answers);
    }

    /// Returns when the sweeps came since the last call.
    pub fn take_sweeps(&self) -> Vec<Instant> {
        std::mem::take(&mut self.script.lock().unwrap().sweeps)
    }

    /// Lets loads never answer.
    pub fn fall_silent(&self) {
        self.script.lock().unwrap().is_silent = true;
    }
}

impl Store for ScriptedStore {
    async fn load(&self, key: &EntryKey) -> Result<Option<Entry>, StoreError> {
        let is_silent = self.script.lock().unwrap().is_silent;
        if is_silent {
            std::future::pending::<()>().await;
        }
        self.store.load(key).await
    }

    fn insert(&self, key: &EntryKey, entry: &Entry) -> impl Future<Output = Result<InsertOutcome, StoreError>> + Send {
        self.store.insert(key, entry)
    }

    fn replace(
        &self,
        key: &EntryKey,
        held: Revision,
        entry: &Entry,
    ) -> impl Future<Output = Result<ReplaceOutcome, StoreError>> + Send {
        self.store.replace(key, held, entry)
    }

    fn remove(
        &self,
        key: &EntryKey,
        held: Generation,
    ) -> impl Future<Output = Result<RemoveOutcome, StoreError>> + Send {
        self.store.remove(key, held)
    }

    async fn sweep(&self, _: usize) -> Result<usize, StoreError> {
        let answer = {
            let mut script = self.script.lock().unwrap();
            script.sweeps.push(Instant::now());
            script.answers.pop_front().unwrap_or(Answer::Removed(0, Duration::ZERO))
        };
        match answer {
            Answer::Removed(count, after) => {
                tokio::time::sleep(after).await;
                Ok(count)
            }
            Answer::Failure => Err(StoreError::unavailable("the test lets it fail")),
            Answer::Silence => std::future::pending().await,
        }
    }
}

/// Keeps the events that it hears: name, reason and user. Clones keep together.
#[derive(Clone, Debug, Default)]
pub struct Heard(Arc<Mutex<Vec<(String, String, String)>>>);

impl Heard {
    /// Returns the events since the last call.
    pub fn take(&self) -> Vec<(String, String, String)> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

impl EventSink for Heard {
    fn record(&self, event: &SessionEvent<'_>) {
        let (kind, user) = (event.kind(), event.user_id().unwrap_or_default());
        let heard = (kind.name().to_owned(), kind.reason().unwrap_or_default().to_owned(), user.to_owned());
        self.0.lock().unwrap().push(heard);
    }
}

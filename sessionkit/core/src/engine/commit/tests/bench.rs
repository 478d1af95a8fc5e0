//! One session, in a store that follows a script.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::encryption::Opener;
use crate::engine::Engine;
use crate::engine::commit::CommitError;
use crate::engine::document::{Document as _, Refusal};
use crate::engine::parts::EngineParts;
use crate::engine::session::{RecordChange, Requester};
use crate::error::{SessionError, SessionErrorKind};
use crate::event::{EventSink, SessionEvent};
use crate::record::Record;
use crate::record::apply::{Applied, apply};
use crate::record::delta::{Delta, FieldChanges, FieldKey, FieldOps, HeaderOp, StoredValue};
use crate::record::field_error::FieldError;
use crate::record::front::{Generation, Revision};
use crate::record::header::Header;
use crate::store::entry::Entry;
use crate::store::error::StoreError;
use crate::store::key::EntryKey;
use crate::store::memory::MemoryStore;
use crate::store::{InsertOutcome, RemoveOutcome, ReplaceOutcome, Store};
use crate::time::{Clock, Timestamp};
use crate::token::{SecretHash, SessionId};

/// The fate of a call that writes.
pub(super) enum Act {
    /// It is done.
    Do,
    /// It is done after another process has done this to the session.
    After(Delta),
    /// It is done after another process has done all of this to the session.
    AfterAll(Vec<Delta>),
    /// It is done after another process has ended the session.
    AfterTheEnd,
    /// It is done once the gate is open.
    At(Gate),
    /// It is done, and the answer is lost.
    LoseAnswer,
    /// It is not done, and the answer is lost.
    LoseCall,
    /// It is not done, and no answer comes.
    Never,
    /// It is refused with this entry.
    Show(Entry),
    /// It is not done.
    Fail,
}

/// Holds calls up until it is opened; tells when one has come.
#[derive(Clone)]
pub(super) struct Gate {
    opened: Arc<Semaphore>,
    reached: Arc<Semaphore>,
}

impl Gate {
    pub(super) fn new() -> Self {
        Self { opened: Arc::new(Semaphore::new(0)), reached: Arc::new(Semaphore::new(0)) }
    }

    pub(super) fn open(&self) {
        self.opened.add_permits(1);
    }

    /// Waits until a call has come.
    pub(super) async fn reached(&self) {
        self.reached.acquire().await.unwrap().forget();
    }

    async fn pass(&self) {
        self.reached.add_permits(1);
        self.opened.acquire().await.unwrap().forget();
    }
}

/// A call that was made.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Call {
    Load,
    Write { held: Option<Revision>, bytes: Vec<u8> },
}

#[derive(Default)]
pub(super) struct Scripted {
    pub(super) store: MemoryStore,
    script: Mutex<VecDeque<Act>>,
    calls: Mutex<Vec<Call>>,
}

impl Scripted {
    /// Does what the script says instead of a call or before it; returns what a refusal shows.
    async fn act(&self, key: &EntryKey, held: Option<Revision>, entry: &Entry) -> Result<Option<Entry>, StoreError> {
        self.calls.lock().unwrap().push(Call::Write { held, bytes: entry.bytes().to_vec() });
        let act = self.script.lock().unwrap().pop_front().unwrap_or(Act::Do);
        tokio::task::yield_now().await;
        match act {
            Act::Do => {}
            Act::After(delta) => self.change(key, &delta).await,
            Act::AfterAll(deltas) => {
                for delta in deltas {
                    self.change(key, &delta).await;
                }
            }
            Act::AfterTheEnd => self.end(key).await,
            Act::At(gate) => gate.pass().await,
            Act::LoseAnswer => {
                self.write(key, held, entry).await?;
                return Err(StoreError::unknown("lost"));
            }
            Act::LoseCall => return Err(StoreError::unknown("lost")),
            Act::Never => std::future::pending().await,
            Act::Show(entry) => return Ok(Some(entry)),
            Act::Fail => return Err(StoreError::unavailable("down")),
        }
        Ok(None)
    }

    async fn write(&self, key: &EntryKey, held: Option<Revision>, entry: &Entry) -> Result<(), StoreError> {
        match held {
            Some(held) => drop(self.store.replace(key, held, entry).await?),
            None => drop(self.store.insert(key, entry).await?),
        }
        Ok(())
    }

    /// Changes the session as another process does.
    async fn change(&self, key: &EntryKey, delta: &Delta) {
        let entry = self.store.load(key).await.unwrap().unwrap();
        let record = Record::read(&entry).unwrap();
        let Ok(Applied::Changed(draft)) = apply(&record, delta, NOW) else { panic!("another process changes nothing") };
        let changed = draft.seal(77);
        let outcome = self.store.replace(key, record.history().revision, &Entry::of_record(&changed, NOW)).await;
        assert_eq!(outcome.unwrap(), ReplaceOutcome::Replaced);
    }

    async fn end(&self, key: &EntryKey) {
        let found = self.store.load(key).await.unwrap().unwrap();
        self.store.remove(key, found.generation().unwrap()).await.unwrap();
    }

    pub(super) fn take_calls(&self) -> Vec<Call> {
        std::mem::take(&mut self.calls.lock().unwrap())
    }
}

impl Store for Scripted {
    async fn load(&self, key: &EntryKey) -> Result<Option<Entry>, StoreError> {
        self.calls.lock().unwrap().push(Call::Load);
        self.store.load(key).await
    }

    async fn insert(&self, key: &EntryKey, entry: &Entry) -> Result<InsertOutcome, StoreError> {
        match self.act(key, None, entry).await? {
            Some(_) => Ok(InsertOutcome::Taken),
            None => self.store.insert(key, entry).await,
        }
    }

    async fn replace(&self, key: &EntryKey, held: Revision, entry: &Entry) -> Result<ReplaceOutcome, StoreError> {
        match self.act(key, Some(held), entry).await? {
            Some(shown) => Ok(ReplaceOutcome::Changed(shown)),
            None => self.store.replace(key, held, entry).await,
        }
    }

    async fn remove(&self, key: &EntryKey, held: Generation) -> Result<RemoveOutcome, StoreError> {
        self.store.remove(key, held).await
    }
}

pub(super) const NOW: Timestamp = Timestamp::from_unix_seconds(1_700_000_000);

/// Keeps the names of the events.
#[derive(Default)]
struct Names(Mutex<Vec<&'static str>>);

impl EventSink for Names {
    fn record(&self, event: &SessionEvent<'_>) {
        self.0.lock().unwrap().push(event.kind().name());
    }
}

impl Requester for Names {
    fn report_conflict(&self) {
        self.0.lock().unwrap().push("conflict");
    }
}

/// Stands still.
struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        NOW
    }
}

/// A session with the field `a`, in a store that follows a script.
#[derive(Clone)]
pub(super) struct Bench {
    pub(super) engine: Arc<Engine>,
    pub(super) store: Arc<Scripted>,
    pub(super) id: SessionId,
    /// The record as everybody has loaded it.
    pub(super) held: Record,
    names: Arc<Names>,
}

impl Bench {
    pub(super) async fn new() -> Self {
        let (store, names) = (Arc::new(Scripted::default()), Arc::new(Names::default()));
        let id = SessionId::from_bytes([3; 16]);
        let header = Header::new(secret(0), NOW, Duration::from_secs(3600), None);
        let held = Record::from_fields(header, [("a", StoredValue::new("0").as_ref())]).sealed(1);
        let entry = Entry::of_record(&held, NOW);
        store.store.insert(&EntryKey::session(id), &entry).await.unwrap();
        let engine = Self::process(&store, &names);
        Self { engine, store, id, held, names }
    }

    /// Another process over the same store.
    pub(super) fn another(&self) -> Self {
        Self { engine: Self::process(&self.store, &self.names), ..self.clone() }
    }

    fn process(store: &Arc<Scripted>, names: &Arc<Names>) -> Arc<Engine> {
        let (sinks, clock) = (vec![names.clone() as Arc<dyn EventSink>], Arc::new(Still));
        let parts = EngineParts { sinks, clock, ..EngineParts::new(store.clone()) };
        Engine::new(parts, "Main")
    }

    pub(super) fn script(&self, acts: impl IntoIterator<Item = Act>) {
        self.store.script.lock().unwrap().extend(acts);
    }

    pub(super) async fn commit(&self, delta: Delta) -> Result<Record, CommitError> {
        self.commit_within(delta, self.engine.settings().commit_deadline).await
    }

    pub(super) async fn commit_within(&self, delta: Delta, deadline: Duration) -> Result<Record, CommitError> {
        let (held, requester) = (self.held.clone(), Some(self.names.clone() as Arc<dyn Requester>));
        let change = RecordChange::of(delta, requester);
        self.engine.commit_record(self.id, held, change, Instant::now() + deadline).await
    }

    pub(super) fn spawn(&self, delta: Delta) -> JoinHandle<Result<Record, CommitError>> {
        self.spawn_within(delta, self.engine.settings().commit_deadline)
    }

    pub(super) fn spawn_within(&self, delta: Delta, deadline: Duration) -> JoinHandle<Result<Record, CommitError>> {
        let bench = self.clone();
        tokio::spawn(async move { bench.commit_within(delta, deadline).await })
    }

    /// Another process does this to the session.
    pub(super) async fn another_does(&self, delta: Delta) {
        self.store.change(&EntryKey::session(self.id), &delta).await;
    }

    /// Another process ends the session.
    pub(super) async fn another_ends(&self) {
        self.store.end(&EntryKey::session(self.id)).await;
    }

    /// The entry as everybody has loaded it.
    pub(super) fn held_entry(&self) -> Entry {
        Entry::of_record(&self.held, NOW)
    }

    /// Returns the stored record of the session, if there is one.
    pub(super) async fn stored(&self) -> Option<Record> {
        let entry = self.store.store.load(&EntryKey::session(self.id)).await.unwrap();
        entry.map(|entry| Record::read(&entry).unwrap())
    }

    /// The fields that are stored, in the order of their keys.
    pub(super) async fn fields(&self) -> Vec<(String, String)> {
        let record = self.stored().await.unwrap();
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let mut fields: Vec<_> = record.fields().map(|(key, value)| (key.to_owned(), text(value.bytes))).collect();
        fields.sort();
        fields
    }

    /// The number that is stored under `a`.
    pub(super) async fn number(&self) -> i64 {
        number(&self.stored().await.unwrap())
    }

    pub(super) fn events(&self) -> Vec<&'static str> {
        std::mem::take(&mut self.names.0.lock().unwrap())
    }
}

pub(super) fn secret(number: u8) -> SecretHash {
    SecretHash::from_bytes([number; 32])
}

/// The number under `a`.
pub(super) fn number(record: &Record) -> i64 {
    let value = record.field("a", NOW).unwrap();
    str::from_utf8(value.bytes).unwrap().parse().unwrap()
}

type Make = dyn Fn(&Record) -> Vec<(FieldKey, Option<StoredValue>)> + Send + Sync;

struct Changing {
    make: Box<Make>,
    is_repeatable: bool,
}

impl FieldChanges for Changing {
    fn operations(&self, newest: &Record, _: Opener<'_>, _: Timestamp) -> Result<FieldOps, FieldError> {
        Ok(FieldOps { values: (self.make)(newest), ..FieldOps::default() })
    }

    fn is_repeatable(&self) -> bool {
        self.is_repeatable
    }
}

fn changing(make: Box<Make>, is_repeatable: bool) -> Delta {
    Delta { fields: Some(Arc::new(Changing { make, is_repeatable })), ..Delta::new(Generation::default()) }
}

pub(super) fn set(key: &str, value: &'static str) -> Delta {
    let key = key.to_owned();
    changing(Box::new(move |_| vec![(key.clone().into(), Some(StoredValue::new(value)))]), true)
}

/// So many changes of others, under this generation.
pub(super) fn others(count: usize, generation: u32) -> Vec<Delta> {
    let generation = Generation::from_number(generation);
    (0..count).map(|number| Delta { generation, ..set(&format!("other{number}"), "1") }).collect()
}

/// Adds to the number under `a`.
pub(super) fn add(by: i64) -> Delta {
    let make = move |newest: &Record| vec![("a".into(), Some(StoredValue::new((number(newest) + by).to_string())))];
    changing(Box::new(make), by == 0)
}

pub(super) fn panicking() -> Delta {
    changing(Box::new(|_| panic!("a merge function of the application")), true)
}

pub(super) fn header(ops: impl Into<Vec<HeaderOp>>) -> Delta {
    Delta { header: ops.into(), ..Delta::new(Generation::default()) }
}

pub(super) fn rotate(to: u8) -> Delta {
    header([HeaderOp::Rotate { secret: secret(to), replaced: secret(0), at: NOW }])
}

pub(super) fn touch() -> Delta {
    let last_seen = NOW.saturating_add(Duration::from_secs(60));
    header([HeaderOp::Touch { last_seen, idle_deadline: NOW.saturating_add(Duration::from_secs(3660)) }])
}

pub(super) fn is_stale(outcome: &Result<Record, CommitError>) -> bool {
    matches!(outcome, Err(CommitError::Refused(Refusal::Stale)))
}

pub(super) fn is_gone(outcome: &Result<Record, CommitError>) -> bool {
    matches!(outcome, Err(CommitError::Refused(Refusal::Gone)))
}

/// The error of a change that was not committed.
#[track_caller]
pub(super) fn failure(outcome: Result<Record, CommitError>) -> SessionError {
    match outcome {
        Err(CommitError::Failed(error) | CommitError::Refused(Refusal::Failed(error))) => error,
        other => panic!("the commit fails, but: {other:?}"),
    }
}

/// Returns whether a commit fails because it is not known whether it happened. The error says so once.
#[track_caller]
pub(super) fn is_unknown(outcome: Result<Record, CommitError>) -> bool {
    let error = failure(outcome);
    let said = format!("{error:?}").matches("may or may not").count();
    assert!(said <= 1, "{error:?}");
    error.kind() == SessionErrorKind::StoreUnknown && said == 1
}

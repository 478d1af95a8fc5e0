//! The engine under every order in which the store calls of three requests can happen.
//!
//! A store holds each call back until a scheduler lets it happen; the scheduler tries all orders. What must hold after
//! each of them are the contracts [P1], [P2], [P3] and [P8] of the engine.

mod devices;
mod renewal;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sessionkit::store::{
    Entry, EntryKey, Generation, InsertOutcome, Record, RemoveOutcome, ReplaceOutcome, Revision, Store, StoreError,
};
use sessionkit::testing::ManualClock;
use sessionkit::{
    Clock as _, MemoryStore, OnLostWrite, SessionConfig, SessionConfigBuilder, SessionData, SessionManager, Timestamp,
};
use sessionkit_core::adapter::{HeaderChange, Headers};
use sessionkit_core::{RequestHead, Token};
use tokio::sync::oneshot;

#[derive(Debug, SessionData)]
struct Data {
    first: u32,
    second: u32,
    #[session(merge = add)]
    sum: u64,
    #[session(merge = append)]
    list: Vec<u32>,
}

/// The action of one of the racing requests.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Request {
    First,
    Second,
    Add,
    Append(u32),
    Login,
    LoginAndAdd,
    Logout,
    Rotate,
    Read,
    /// Ends the sessions of the user.
    Revoke,
}

/// Holds every call back until the scheduler lets it happen.
#[derive(Clone, Default)]
struct Stage {
    store: Arc<MemoryStore>,
    waiting: Arc<Mutex<Vec<oneshot::Sender<()>>>>,
    turns: Arc<AtomicUsize>,
}

impl Stage {
    /// Loads a session without a turn.
    async fn record(&self, token: &Token) -> Option<Record> {
        let entry = self.store.load(&EntryKey::session(token.id())).await.unwrap();
        entry.map(|entry| Record::from_bytes(entry.bytes()).unwrap())
    }

    async fn turn(&self) {
        let (go, gone) = oneshot::channel();
        self.waiting.lock().unwrap().push(go);
        gone.await.unwrap();
        self.turns.fetch_add(1, Ordering::SeqCst);
    }
}

impl Store for Stage {
    async fn load(&self, key: &EntryKey) -> Result<Option<Entry>, StoreError> {
        self.turn().await;
        self.store.load(key).await
    }

    async fn insert(&self, key: &EntryKey, entry: &Entry) -> Result<InsertOutcome, StoreError> {
        self.turn().await;
        self.store.insert(key, entry).await
    }

    async fn replace(&self, key: &EntryKey, held: Revision, entry: &Entry) -> Result<ReplaceOutcome, StoreError> {
        self.turn().await;
        self.store.replace(key, held, entry).await
    }

    async fn remove(&self, key: &EntryKey, held: Generation) -> Result<RemoveOutcome, StoreError> {
        self.turn().await;
        self.store.remove(key, held).await
    }
}

struct Cookie(String);

impl Headers for Cookie {
    fn each<'a>(&'a self, each: &mut dyn FnMut(&'a str, &'a [u8])) {
        each("cookie", self.0.as_bytes());
    }
}

/// The outcome of a request.
#[derive(Debug)]
struct Outcome {
    request: Request,
    /// `true` if it had a session: a token that was replaced before the request began opens none.
    opened: bool,
    /// `true` if its login, logout or rotation succeeded.
    authenticated: bool,
    /// `true` if its changes were acknowledged.
    stored: bool,
    cookie: Option<Token>,
    /// The number of turns taken when it began; `ended` has the number when it ended.
    began: usize,
    ended: usize,
}

struct World {
    stage: Stage,
    clock: ManualClock,
    manager: SessionManager,
}

impl World {
    fn new() -> Self {
        Self::with(SessionConfig::builder())
    }

    fn with(config: SessionConfigBuilder) -> Self {
        let (stage, clock) = (Stage::default(), ManualClock::new());
        let hour = Duration::from_secs(3600);
        let config = config.load_deadline(hour).commit_deadline(hour);
        let config = config.on_lost_write(OnLostWrite::Error).build().unwrap();
        let manager = SessionManager::builder(stage.clone()).config(config).clock(clock.clone()).build();
        Self { stage, clock, manager }
    }

    async fn perform(stage: Stage, manager: SessionManager, cookie: String, request: Request) -> Outcome {
        let turns = || stage.turns.load(Ordering::SeqCst);
        let began = turns();
        let session = manager.open();
        session.attach(&RequestHead::new("POST", "/", &Cookie(cookie)));
        let auth = session.auth();
        let opened = request != Request::Revoke && auth.info().await.unwrap().is_some();
        let authenticated = match request {
            Request::Login | Request::LoginAndAdd => auth.login("ada").await,
            Request::Logout => auth.logout().await,
            Request::Rotate => auth.rotate().await,
            Request::Revoke => manager.devices_of("ada").end_all().await,
            _ => Ok(()),
        };
        if let Request::First | Request::Second | Request::Add | Request::LoginAndAdd | Request::Append(_) = request {
            let mut data = session.checkout::<Data>().await.unwrap();
            match request {
                Request::First => data.first = 1,
                Request::Second => data.second = 1,
                Request::Append(item) => data.list.push(item),
                _ => data.sum += 1,
            }
        }
        let changes = manager.close(&session, 200).await;
        let cookie = changes.headers.into_iter().find_map(|change| match change {
            HeaderChange::Append("set-cookie", cookie) => {
                Token::parse(cookie.split(['=', ';']).nth(1).unwrap().as_bytes())
            }
            _ => None,
        });
        let stored = changes.rejection.is_none();
        Outcome { request, opened, authenticated: authenticated.is_ok(), stored, cookie, began, ended: turns() }
    }

    /// Lets requests run until each is done, waits for its turn, or for another that commits for it.
    async fn settle(&self, running: &[tokio::task::JoinHandle<Outcome>]) {
        let mut seen = Vec::new();
        loop {
            for _ in 0..64 {
                tokio::task::yield_now().await;
            }
            let done = running.iter().filter(|request| request.is_finished()).count();
            let waiting = self.stage.waiting.lock().unwrap().len();
            // A request that met a conflict pauses before it tries again, 16 milliseconds at most.
            seen.push((done, waiting));
            let is_steady = seen.len() > 2 && seen[seen.len() - 3..].iter().all(|state| *state == (done, waiting));
            if done + waiting == running.len() || (waiting > 0 && is_steady) {
                return;
            }
            tokio::time::advance(Duration::from_millis(20)).await;
        }
    }

    /// Does something alone.
    async fn alone(&self, cookie: &str, request: Request) -> Outcome {
        let running = [tokio::spawn(Self::perform(self.stage.clone(), self.manager.clone(), cookie.into(), request))];
        loop {
            self.settle(&running).await;
            let next = self.stage.waiting.lock().unwrap().pop();
            match next {
                Some(go) => go.send(()).unwrap(),
                None => break,
            }
        }
        let [request] = running;
        request.await.unwrap()
    }

    async fn opens(&self, token: &Token) -> bool {
        self.stage.record(token).await.is_some_and(|record| record.header().secret == token.secret_hash("Main"))
    }
}

/// Runs the requests in the order that `choices` says, and adds to it how many choices there were at each step.
async fn race(world: &World, requests: &[(&Token, Request)], choices: &mut Vec<(usize, usize)>) -> Vec<Outcome> {
    let spawn = |(token, request): &(&Token, Request)| {
        let cookie = format!("__Host-session={}", token.expose());
        tokio::spawn(World::perform(world.stage.clone(), world.manager.clone(), cookie, *request))
    };
    let running: Vec<_> = requests.iter().map(spawn).collect();
    for step in 0.. {
        world.settle(&running).await;
        let mut waiting = world.stage.waiting.lock().unwrap();
        if waiting.is_empty() {
            break;
        }
        if step == choices.len() {
            choices.push((0, waiting.len()));
        }
        choices[step].1 = waiting.len();
        waiting.remove(choices[step].0).send(()).unwrap();
    }
    let mut outcomes = Vec::new();
    for request in running {
        outcomes.push(request.await.unwrap());
    }
    outcomes
}

/// Begins a session, and races the requests over it.
async fn run(requests: &[Request], begin: Request, choices: &mut Vec<(usize, usize)>) {
    let world = World::new();
    let token = world.alone("", begin).await.cookie.unwrap();
    let requests: Vec<_> = requests.iter().map(|request| (&token, *request)).collect();
    let outcomes = race(&world, &requests, choices).await;
    check(&world, begin, &token, &outcomes).await;
}

async fn check(world: &World, begin: Request, token: &Token, outcomes: &[Outcome]) {
    let story = || format!("{outcomes:?}");
    let now = world.clock.now();
    let record = world.stage.record(token).await;
    let is_login = |outcome: &&Outcome| matches!(outcome.request, Request::Login | Request::LoginAndAdd);
    for login in outcomes.iter().filter(is_login) {
        assert!(login.authenticated, "[P3] valid credentials never fail: {}", story());
    }
    // [P11] With the secret that the last rotation replaced, a logout ends the session of the same user.
    let is_theirs = matches!(begin, Request::Login | Request::LoginAndAdd);
    let rotations = outcomes.iter().filter(|o| o.opened && (is_login(o) || o.request == Request::Rotate)).count();
    let ends = |outcome: &Outcome| outcome.opened || (is_theirs && rotations <= 1);
    let logged_out = outcomes.iter().any(|outcome| outcome.request == Request::Logout && ends(outcome));
    assert!(!logged_out || record.is_none(), "[P1] a logout is final: {}", story());
    let rotates =
        |outcome: &&Outcome| is_login(outcome) || (outcome.request == Request::Rotate && outcome.authenticated);
    let replaced = outcomes.iter().filter(rotates).any(|outcome| outcome.opened);
    assert!(!replaced || !world.opens(token).await, "[P3] the old token opens nothing: {}", story());
    if let Some(record) = record {
        check_fields(&record, now, begin, token, outcomes);
    }
    for lost in outcomes.iter().filter(|outcome| !outcome.stored) {
        assert!(lost.cookie.is_none(), "[P8] a request that was overtaken sets no cookie: {}", story());
    }
    let cookies: Vec<&Token> = outcomes.iter().filter_map(|outcome| outcome.cookie.as_ref()).collect();
    for cookie in &cookies {
        let overtaken = cookies.iter().filter(|other| other.id() == cookie.id()).count() > 1;
        let ended = logged_out && cookie.id() == token.id();
        assert!(overtaken || ended || world.opens(cookie).await, "[P8] a cookie's token is stored: {}", story());
    }
}

/// [P2] The record holds what was acknowledged, and nothing else.
fn check_fields(record: &Record, now: Timestamp, begin: Request, token: &Token, outcomes: &[Outcome]) {
    let stored = |key: &str| {
        let value = record.field(key, now);
        value.map(|value| String::from_utf8(value.bytes.to_vec()).unwrap()).unwrap_or_default()
    };
    // A request that found the token replaced wrote into a session of its own.
    let elsewhere = |outcome: &Outcome| outcome.cookie.as_ref().is_some_and(|cookie| cookie.id() != token.id());
    let here: Vec<Request> = outcomes.iter().filter(|o| o.stored && !elsewhere(o)).map(|o| o.request).collect();
    let times = |request| here.iter().filter(|other| **other == request).count() + usize::from(begin == request);
    let story = || format!("{here:?} of {outcomes:?}");
    for (request, key) in [(Request::First, "data.first"), (Request::Second, "data.second")] {
        assert_eq!(stored(key) == "1", times(request) > 0, "[P2] {key}: {}", story());
    }
    let sum: usize = stored("data.sum").parse().unwrap_or(0);
    assert_eq!(sum, times(Request::Add) + times(Request::LoginAndAdd), "[P2] {}", story());
    for item in 0..10 {
        let kept = stored("data.list").contains(&item.to_string());
        assert_eq!(kept, times(Request::Append(item)) > 0, "[P2] {item}: {}", story());
    }
}

/// Tries all orders of the store calls of a story, which asks for its choices.
fn explore(story: impl AsyncFn(&mut Vec<(usize, usize)>)) -> usize {
    explore_within(usize::MAX, story)
}

/// Tries the orders in which calls are overtaken at most so many times, all told: where nobody is, each request makes one
/// call in turn. There are far fewer of them than orders, and few mistakes need many.
fn explore_within(overtaken: usize, story: impl AsyncFn(&mut Vec<(usize, usize)>)) -> usize {
    let mut choices: Vec<(usize, usize)> = Vec::new();
    for orders in 1.. {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(story(&mut choices));
        // The next order differs at the last step that has another choice.
        while choices.last().is_some_and(|(choice, of)| choice + 1 == *of)
            || choices.iter().map(|(choice, _)| choice).sum::<usize>() == overtaken
        {
            choices.pop();
        }
        match choices.last_mut() {
            Some((choice, _)) => *choice += 1,
            None => return orders,
        }
    }
    unreachable!("the orders are finitely many")
}

macro_rules! orders {
    ($($name:ident: $begin:expr => [$($request:expr),*];)*) => {$(
        #[test]
        fn $name() {
            use Request::*;
            let orders = explore(async |choices: &mut Vec<_>| run(&[$($request),*], $begin, choices).await);
            assert!(orders > 20, "only {orders} orders were tried");
        }
    )*};
}

orders! {
    writes_and_a_logout: First => [Second, Add, Logout];
    writes_and_a_login: First => [Second, Append(7), Login];
    additions: First => [Add, Add, Second];
    appends: First => [Append(1), Append(2), Append(3)];
    two_logins_and_a_write: First => [Login, Login, Add];
    a_login_that_writes_and_another: Login => [LoginAndAdd, LoginAndAdd, Add];
    a_login_a_logout_and_a_write: Login => [LoginAndAdd, Logout, Second];
    two_logouts_and_a_login: Login => [Logout, Logout, Login];
    a_rotation_a_logout_and_a_write: Login => [Rotate, Logout, Append(1)];
    two_rotations_and_a_login: Login => [Rotate, Rotate, LoginAndAdd];
}

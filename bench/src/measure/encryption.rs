//! The cost of encryption at rest, per request.

use std::time::{Duration, Instant};

use sessionkit::manual::{Headers, RequestHead};
use sessionkit::testing::TestSession;
use sessionkit::{KeyRing, MemoryStore, SessionConfig, SessionData, SessionManager};

use crate::process::Result;
use crate::table::{Table, whole};

/// The requests of one round.
const REQUESTS: u32 = 2_000;

/// The rounds, of which the median counts.
const ROUNDS: usize = 31;

#[derive(SessionData)]
#[session(name = "note")]
struct Open {
    text: String,
}

#[derive(SessionData)]
#[session(name = "note")]
struct Encrypted {
    #[session(sensitive)]
    text: String,
}

/// A struct of one text.
trait Note: SessionData<Scope = sessionkit::MainScope> + Send + Sync {
    fn text(&mut self) -> &mut String;
}

impl Note for Open {
    fn text(&mut self) -> &mut String {
        &mut self.text
    }
}

impl Note for Encrypted {
    fn text(&mut self) -> &mut String {
        &mut self.text
    }
}

/// Measures reads and writes of values of two sizes, with and without encryption. Rounds of both take turns.
pub async fn measure() -> Result<String> {
    let mut table = Table::new(["", "without", "encrypted", "more"]);
    for size in [200, 2_000] {
        let (open, encrypted) = (Session::<Open>::begin(size).await?, Session::<Encrypted>::begin(size).await?);
        for (name, writes) in [("read", false), ("read and write", true)] {
            let (mut without, mut with) = (Vec::new(), Vec::new());
            for _ in 0..ROUNDS {
                without.push(open.round(writes).await?);
                with.push(encrypted.round(writes).await?);
            }
            let (without, with) = (median(without), median(with));
            let cells = [without, with, with - without].map(|time| format!("{} ns", whole(time)));
            table.row([format!("{name} {} bytes", whole(f64::from(size)))].into_iter().chain(cells));
        }
    }
    Ok(table.to_string())
}

/// A session in memory, and the cookie that opens it.
struct Session<T> {
    manager: SessionManager,
    cookie: String,
    data: std::marker::PhantomData<fn() -> T>,
}

impl<T: Note> Session<T> {
    async fn begin(size: u32) -> Result<Self> {
        let config = SessionConfig::builder().keys(KeyRing::generate()).build().map_err(|error| error.to_string())?;
        let manager = SessionManager::new(MemoryStore::new(), config);
        // Two bytes are the quotes of JSON.
        let length = size as usize - 2;
        let session = TestSession::new(&manager).with(move |note: &mut T| *note.text() = "x".repeat(length)).await;
        Ok(Self { cookie: session.cookie(), manager, data: std::marker::PhantomData })
    }

    /// Returns the nanoseconds that a request takes.
    async fn round(&self, writes: bool) -> Result<f64> {
        let began = Instant::now();
        for _ in 0..REQUESTS {
            let session = self.manager.open();
            session.attach(&RequestHead::new("GET", "/", &Cookie(&self.cookie)));
            let mut note = session.checkout::<T>().await.map_err(|error| error.to_string())?;
            if writes {
                let text = note.text();
                let flipped = if text.ends_with('x') { "y" } else { "x" };
                text.pop();
                text.push_str(flipped);
            }
            std::hint::black_box(&*note);
            drop(note);
            let _ = self.manager.close(&session, 200).await;
        }
        Ok(nanoseconds(began.elapsed()) / f64::from(REQUESTS))
    }
}

fn nanoseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e9
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

struct Cookie<'a>(&'a str);

impl Headers for Cookie<'_> {
    fn each<'a>(&'a self, each: &mut dyn FnMut(&'a str, &'a [u8])) {
        each("cookie", self.0.as_bytes());
    }
}

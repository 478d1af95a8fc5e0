//! A session of one text, and rounds of requests that read and change it.

use std::hint::black_box;
use std::marker::PhantomData;
use std::time::Instant;

use sessionkit::manual::{Headers, RequestHead, RequestSession};
use sessionkit::testing::TestSession;
use sessionkit::{SessionData, SessionError, SessionManager};

use crate::process::Result;

/// The requests of one round.
pub const REQUESTS: u32 = 2_000;

/// The rounds, of which the median counts.
pub const ROUNDS: usize = 31;

/// A struct of one text.
pub trait Note: SessionData + Send + Sync {
    fn text(&mut self) -> &mut String;
}

#[derive(SessionData)]
#[session(name = "note")]
pub struct Open {
    text: String,
}

impl Note for Open {
    fn text(&mut self) -> &mut String {
        &mut self.text
    }
}

/// A session, and the cookie that opens it.
pub struct Session<T: Note> {
    manager: SessionManager<T::Scope>,
    cookie: String,
    data: PhantomData<fn() -> T>,
}

impl<T: Note> Session<T> {
    pub async fn begin(manager: SessionManager<T::Scope>, text: String) -> Self {
        let session = TestSession::new(&manager).with(move |note: &mut T| *note.text() = text).await;
        Self { cookie: session.cookie(), manager, data: PhantomData }
    }

    /// Returns the nanoseconds of a request that reads a copy.
    pub async fn view(&self) -> Result<f64> {
        self.round(async |session| {
            let mut note = session.view::<T>().await?;
            // Where nothing is opened there are defaults, quickly.
            assert!(!black_box(note.text()).is_empty(), "the cookie opens no session");
            Ok(())
        })
        .await
    }

    /// Returns the nanoseconds of a request that borrows the struct, and changes it or not.
    pub async fn check_out(&self, changes: bool) -> Result<f64> {
        self.round(async |session| {
            let mut note = session.checkout::<T>().await?;
            if changes {
                let text = note.text();
                let flipped = if text.ends_with('x') { "y" } else { "x" };
                text.pop();
                text.push_str(flipped);
            }
            black_box(&*note);
            Ok(())
        })
        .await
    }

    async fn round(&self, handler: impl AsyncFn(&RequestSession) -> Result<(), SessionError>) -> Result<f64> {
        let began = Instant::now();
        for _ in 0..REQUESTS {
            let session = self.manager.open();
            session.attach(&RequestHead::new("GET", "/", &Cookie(&self.cookie)));
            handler(&session).await.map_err(|error| error.to_string())?;
            black_box(self.manager.close(&session, 200).await);
        }
        Ok(nanoseconds_each(began))
    }
}

/// Returns how long each request of a round took.
pub fn nanoseconds_each(began: Instant) -> f64 {
    began.elapsed().as_secs_f64() * 1e9 / f64::from(REQUESTS)
}

pub fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

struct Cookie<'a>(&'a str);

impl Headers for Cookie<'_> {
    fn each<'a>(&'a self, each: &mut dyn FnMut(&'a str, &'a [u8])) {
        each("cookie", self.0.as_bytes());
    }
}

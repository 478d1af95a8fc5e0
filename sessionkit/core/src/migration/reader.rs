//! A reader of another system's sessions, whatever its type.

use std::future::Future;
use std::pin::Pin;

use crate::foreign::{ForeignCookie, ForeignError, ForeignSession, ForeignSessions};
use crate::panics::await_caught;
use crate::time::Timestamp;
use crate::wire::cookie::CookieName;
use crate::wire::head::Headers;

/// The largest number of cookies into which a system may have cut a value.
const MOST_CHUNKS: usize = 10;

/// The largest value of a cookie that is read, in bytes. No browser keeps more in one cookie, and few servers take more in all.
const LONGEST: usize = 16 * 1024;

/// A reader with what is needed to find its cookie.
pub(super) struct Reader {
    sessions: Box<dyn DynSessions>,
    name: CookieName,
    chunks: Vec<CookieName>,
}

impl Reader {
    pub(super) fn new(sessions: impl ForeignSessions) -> Self {
        let name = sessions.cookie().name();
        let chunk = |number| {
            let separator = ForeignSessions::chunk_separator(&sessions)?;
            Some(CookieName::new(&format!("{name}{separator}{number}")))
        };
        let (name, chunks) = (CookieName::new(name), (0..MOST_CHUNKS).map_while(chunk).collect());
        Self { sessions: Box::new(sessions), name, chunks }
    }

    pub(super) fn system(&self) -> &'static str {
        self.sessions.system()
    }

    pub(super) fn cookie(&self) -> &ForeignCookie {
        self.sessions.cookie()
    }

    pub(super) fn writes(&self) -> bool {
        self.sessions.writes()
    }

    /// Returns the values of the cookie among the headers of a request.
    pub(super) fn values(&self, headers: &dyn Headers) -> Vec<String> {
        let mut values = self.name.values(headers);
        // What was cut before is left over where there is a whole one.
        if values.is_empty() {
            // Where a part is there twice, nobody can tell which belong together.
            let chunks = self.chunks.iter().map_while(|name| <[String; 1]>::try_from(name.values(headers)).ok());
            let whole: String = chunks.flatten().collect();
            values.extend((!whole.is_empty()).then_some(whole));
        }
        values.retain(|value| value.len() <= LONGEST);
        values
    }

    /// Writes the headers that remove the cookie, and those of its parts.
    pub(super) fn removals(&self) -> Vec<String> {
        let cookie = self.cookie();
        let parts = self.sessions.chunk_separator().into_iter().flat_map(|separator| {
            (0..MOST_CHUNKS).map(move |number| format!("{}{separator}{number}", self.cookie().name()))
        });
        std::iter::once(cookie.name().to_owned()).chain(parts).map(|name| cookie.remove(&name)).collect()
    }

    pub(super) async fn open(&self, cookie: &str, now: Timestamp) -> Result<ForeignSession, ForeignError> {
        let opened = await_caught(self.sessions.open(cookie, now)).await;
        let opened = opened.unwrap_or_else(|| Err(ForeignError::unreadable("the reader panicked")));
        Ok(opened?.of_system(self.system()))
    }

    pub(super) async fn end(&self, session: &ForeignSession) -> Result<(), ForeignError> {
        await_caught(self.sessions.end(session)).await.unwrap_or_else(|| Err(panicked()))
    }

    pub(super) async fn write(&self, session: &ForeignSession, now: Timestamp) -> Result<String, ForeignError> {
        await_caught(self.sessions.write(session, now)).await.unwrap_or_else(|| Err(panicked()))
    }
}

fn panicked() -> ForeignError {
    ForeignError::unavailable("the reader panicked")
}

type ForeignFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, ForeignError>> + Send + 'a>>;

trait DynSessions: Send + Sync {
    fn system(&self) -> &'static str;
    fn cookie(&self) -> &ForeignCookie;
    fn chunk_separator(&self) -> Option<&'static str>;
    fn writes(&self) -> bool;
    fn open<'a>(&'a self, cookie: &'a str, now: Timestamp) -> ForeignFuture<'a, ForeignSession>;
    fn end<'a>(&'a self, session: &'a ForeignSession) -> ForeignFuture<'a, ()>;
    fn write<'a>(&'a self, session: &'a ForeignSession, now: Timestamp) -> ForeignFuture<'a, String>;
}

impl<S: ForeignSessions> DynSessions for S {
    fn system(&self) -> &'static str {
        ForeignSessions::system(self)
    }

    fn cookie(&self) -> &ForeignCookie {
        ForeignSessions::cookie(self)
    }

    fn chunk_separator(&self) -> Option<&'static str> {
        ForeignSessions::chunk_separator(self)
    }

    fn writes(&self) -> bool {
        ForeignSessions::writes(self)
    }

    fn open<'a>(&'a self, cookie: &'a str, now: Timestamp) -> ForeignFuture<'a, ForeignSession> {
        Box::pin(ForeignSessions::open(self, cookie, now))
    }

    fn end<'a>(&'a self, session: &'a ForeignSession) -> ForeignFuture<'a, ()> {
        Box::pin(ForeignSessions::end(self, session))
    }

    fn write<'a>(&'a self, session: &'a ForeignSession, now: Timestamp) -> ForeignFuture<'a, String> {
        Box::pin(ForeignSessions::write(self, session, now))
    }
}

//! The cost of sessions that lie in their cookies: to open a cookie, and to seal another.

use std::hint::black_box;
use std::time::Instant;

use anyhow::{Context as _, anyhow};
use sessionkit::formats::{
    CookieContent, CookieFormat, Django, Fernet, Flask, Jwt, Muffin, Secrets, SignedJson, Starlette,
};
use sessionkit::{
    CookieSessions, InCookie, KeyRing, MemoryStore, SessionConfig, SessionData, SessionManager, SessionScope, Timestamp,
};

use super::note::{Note, Open, REQUESTS, ROUNDS, Session, median, nanoseconds_each};
use crate::process::Result;
use crate::table::{Table, whole};

mod private;

const NOW: Timestamp = Timestamp::from_unix_seconds(1_700_000_000);

struct Visitor;

impl SessionScope for Visitor {
    const NAME: &'static str = "Visitor";
    type Home = InCookie;
}

#[derive(SessionData)]
#[session(name = "note", scope = Visitor)]
struct Sealed {
    text: String,
}

impl Note for Sealed {
    fn text(&mut self) -> &mut String {
        &mut self.text
    }
}

/// Measures both for a text of two sizes. Rounds of all take turns.
pub async fn measure() -> Result<String> {
    let mut table = Table::new(["", "open 200 bytes", "seal 200 bytes", "open 2,000 bytes", "seal 2,000 bytes"]);
    let mut rows: Vec<Vec<String>> = Vec::new();
    for size in [200, 2_000] {
        let ways = ways(&text(size)).await.map_err(|error| format!("{error:#}"))?;
        let mut times = vec![(Vec::new(), Vec::new()); ways.len()];
        for _ in 0..ROUNDS {
            for ((_, way), (opens, seals)) in ways.iter().zip(&mut times) {
                let (open, seal) = way.round().await?;
                opens.push(open);
                seals.push(seal);
            }
        }
        rows.resize(ways.len(), Vec::new());
        for (((name, _), (opens, seals)), row) in ways.into_iter().zip(times).zip(&mut rows) {
            if row.is_empty() {
                row.push(name.to_owned());
            }
            row.extend([opens, seals].map(|times| format!("{} ns", whole(median(times)))));
        }
    }
    rows.into_iter().for_each(|row| table.row(row));
    Ok(table.to_string())
}

/// Makes a text that has so many bytes as JSON, of letters without a pattern: some formats compress.
fn text(size: usize) -> String {
    let mut state = 1_u64;
    // Two bytes are the quotes.
    let letters = (2..size).map(|_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        char::from(b"abcdefghijklmnopqrstuvwxyz012345"[(state >> 59) as usize])
    });
    letters.collect()
}

/// A way to keep a session between requests.
enum Way {
    /// In memory, found by the token in the cookie.
    Token(Session<Open>),
    Sealed(Session<Sealed>),
    Format {
        format: Box<dyn CookieFormat>,
        content: CookieContent,
        cookie: String,
    },
}

async fn ways(text: &str) -> anyhow::Result<Vec<(&'static str, Way)>> {
    let secrets = || Secrets::new([KeyRing::generate_key()]);
    let ed25519 = KeyRing::generate_key().parse()?;
    let fernet = Fernet::new([KeyRing::generate_key() + "="])?;
    let formats: [(_, Box<dyn CookieFormat>); _] = [
        ("Starlette", Box::new(Starlette::new(secrets()?))),
        ("Flask", Box::new(Flask::new(secrets()?))),
        ("Django", Box::new(Django::new(secrets()?))),
        ("SignedJson", Box::new(SignedJson::new(secrets()?, "session"))),
        ("Jwt, HS256", Box::new(Jwt::hs256(secrets()?))),
        ("Jwt, Ed25519", Box::new(Jwt::ed25519(&ed25519, []))),
        ("Fernet", Box::new(fernet)),
        ("Muffin, jwt", Box::new(Muffin::jwt(secrets()?))),
        ("actix-session: JSON in a private cookie", Box::new(private::OfActix::new())),
        ("tower-sessions: private cookie (its id alone, 22 bytes)", Box::new(private::Id::new())),
        ("a private cookie of the crate cookie with the same JSON", Box::new(private::OfCookie::new())),
    ];
    let in_cookie = SessionManager::in_cookie(CookieSessions::sealed(KeyRing::generate()), SessionConfig::default());
    let in_memory = SessionManager::new(MemoryStore::new(), SessionConfig::default());
    let mut ways = vec![
        ("SessionKit, sealed: a request", Way::Sealed(Session::begin(in_cookie, text.to_owned()).await)),
        ("SessionKit, token and MemoryStore: a request", Way::Token(Session::begin(in_memory, text.to_owned()).await)),
    ];
    for (name, format) in formats {
        let content = CookieContent::new([("text".to_owned(), text.into())].into_iter().collect());
        let cookie = format.write(&content, NOW).context(name)?;
        let read = format.read(&cookie, NOW).context(name)?;
        // The id stands for values that are elsewhere.
        if read.values != content.values && !read.values.is_empty() {
            return Err(anyhow!("{name}: the cookie holds something else"));
        }
        ways.push((name, Way::Format { format, content, cookie }));
    }
    Ok(ways)
}

impl Way {
    /// Returns the nanoseconds of opening, and of sealing.
    async fn round(&self) -> Result<(f64, f64)> {
        match self {
            Self::Token(session) => of_requests(session).await,
            Self::Sealed(session) => of_requests(session).await,
            Self::Format { format, content, cookie } => Ok((
                of_calls(|| format.read(black_box(cookie), NOW)),
                of_calls(|| format.write(black_box(content), NOW)),
            )),
        }
    }
}

/// The engine opens and seals within a request: what a change adds to one that reads counts as sealing.
async fn of_requests<T: Note>(session: &Session<T>) -> Result<(f64, f64)> {
    let open = session.view().await?;
    Ok((open, session.check_out(true).await? - open))
}

fn of_calls<T>(call: impl Fn() -> T) -> f64 {
    let began = Instant::now();
    for _ in 0..REQUESTS {
        black_box(call());
    }
    nanoseconds_each(began)
}

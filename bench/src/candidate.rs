//! The candidates of the comparison: libraries on frameworks, with their backends and routes.

use std::fmt;
use std::str::FromStr;

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Framework {
    Axum,
    Actix,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Library {
    /// The framework alone.
    Bare,
    /// A middleware that hands everything on.
    NoOp,
    /// One GET, and one SET for a change, written into the handlers.
    ByHand,
    SessionKit,
    /// SessionKit with handlers that are guarded, and one that is not.
    Guarded,
    TowerSessions,
    AxumSession,
    ActixSession,
}

/// A library on a framework.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Candidate {
    pub framework: Framework,
    pub library: Library,
}

use Framework::{Actix, Axum};
use Library::{ActixSession, AxumSession, Bare, ByHand, Guarded, NoOp, SessionKit, TowerSessions};

const AXUM: &[Library] = &[Bare, NoOp, ByHand, SessionKit, TowerSessions, AxumSession];
const ACTIX: &[Library] = &[Bare, NoOp, ByHand, SessionKit, ActixSession];

impl Candidate {
    /// Everybody, the frameworks one after the other, each begun by itself alone.
    pub fn all() -> impl Iterator<Item = Self> {
        let on = |framework, libraries: &'static [Library]| {
            libraries.iter().map(move |&library| Self { framework, library })
        };
        on(Axum, AXUM).chain(on(Actix, ACTIX))
    }

    /// Those that can keep their sessions in the memory of the process, and those that keep none.
    pub fn on_memory() -> impl Iterator<Item = Self> {
        Self::all().filter(|candidate| candidate.library != ByHand)
    }

    /// Those that can keep their sessions in Redis, and the framework alone.
    pub fn on_redis() -> impl Iterator<Item = Self> {
        Self::all().filter(|candidate| candidate.library != NoOp)
    }

    /// Those whose handlers are guarded: SessionKit alone, since no two libraries mean the same by it.
    pub fn guarded() -> [Self; 2] {
        [Axum, Actix].map(|framework| Self { framework, library: Guarded })
    }

    /// Those on axum that can keep their sessions in a database, and the framework alone. Nobody else can on actix-web.
    pub fn on_database() -> impl Iterator<Item = Self> {
        let can = |library: &Library| matches!(library, Bare | SessionKit | TowerSessions | AxumSession);
        AXUM.iter().copied().filter(can).map(|library| Self { framework: Axum, library })
    }

    /// The framework alone.
    pub fn bare(self) -> Self {
        Self { library: Bare, ..self }
    }

    /// Returns `true` if the candidate has sessions at all.
    pub fn has_sessions(self) -> bool {
        !matches!(self.library, Bare | NoOp)
    }
}

impl fmt::Display for Library {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Bare => "bare",
            NoOp => "no-op layer",
            ByHand => "by hand",
            SessionKit => "SessionKit",
            Guarded => "SessionKit, guarded",
            TowerSessions => "tower-sessions",
            AxumSession => "axum_session",
            ActixSession => "actix-session",
        })
    }
}

impl fmt::Display for Framework {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Axum => "axum",
            Actix => "actix-web",
        })
    }
}

/// `axum/SessionKit`, as it is passed on the command line.
impl fmt::Display for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.framework, self.library)
    }
}

impl FromStr for Candidate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut all = Self::all().chain(Self::guarded());
        all.find(|candidate| candidate.to_string() == text).ok_or_else(|| format!("no such candidate: {text}"))
    }
}

/// The place of the sessions.
#[derive(Clone, Debug)]
pub enum Backend {
    Memory,
    Redis(String),
    /// A database of SQL.
    Database(String),
}

/// `memory`, or the URL of the server.
impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory => f.write_str("memory"),
            Self::Redis(url) | Self::Database(url) => f.write_str(url),
        }
    }
}

impl FromStr for Backend {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(match text.split_once(':') {
            None => Self::Memory,
            Some(("redis", _)) => Self::Redis(text.to_owned()),
            Some(_) => Self::Database(text.to_owned()),
        })
    }
}

/// A route: the use that a request makes of its session, or the guard that it meets if handlers are guarded.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Route {
    Untouched,
    Read,
    Write,
    Open,
    Login,
    Fresh,
    Predicate,
    Same,
    Operators,
    OpenUser,
    User,
}

impl Route {
    pub const ALL: [Self; 3] = [Self::Untouched, Self::Read, Self::Write];

    /// Those without a guard, each with its like that are guarded after it.
    pub const GUARDED: [Self; 8] = [
        Self::Open,
        Self::Login,
        Self::Fresh,
        Self::Predicate,
        Self::Operators,
        Self::Same,
        Self::OpenUser,
        Self::User,
    ];

    pub fn path(self) -> &'static str {
        match self {
            Self::Untouched => "/untouched",
            Self::Read => "/read",
            Self::Write => "/write",
            Self::Open => "/open",
            Self::Login => "/login",
            Self::Fresh => "/fresh",
            Self::Predicate => "/predicate",
            Self::Same => "/same",
            Self::Operators => "/operators",
            Self::OpenUser => "/open-user",
            Self::User => "/user",
        }
    }
}

/// The path that begins a session; no measurement includes it.
pub const FILL: &str = "/fill";

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.path()[1..])
    }
}

impl FromStr for Route {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .chain(Self::GUARDED)
            .find(|route| route.to_string() == text)
            .ok_or_else(|| format!("no such route: {text}"))
    }
}

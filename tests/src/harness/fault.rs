//! Faults of a server that keeps sessions, and the answers that clients must get meanwhile and afterwards.

use std::time::Duration;

use super::{Answer, Bench, ServerKind, Visitor};

/// A fault of the server, or of the network before it.
#[derive(Clone, Copy, Debug)]
pub enum Fault {
    /// It is stopped with `SIGSTOP`: connections stay open, and nothing is answered.
    Stopped,
    /// It is killed, and started again.
    Killed,
    /// Its connections are cut, and new ones refused.
    Refused,
    /// The network swallows everything.
    Swallowed,
}

impl Fault {
    /// A bench to which this can happen. A call has two seconds, its retries included; the store itself waits for a minute.
    pub async fn bench(self, kind: ServerKind) -> Bench {
        let bench = match self {
            Self::Stopped | Self::Killed => Bench::persistent(kind).await,
            Self::Refused | Self::Swallowed => Bench::proxied(kind).await,
        };
        let deadline = Duration::from_secs(2);
        bench.with_config(|config| config.load_deadline(deadline).commit_deadline(deadline))
    }

    /// Makes it happen.
    pub async fn begin(self, bench: &Bench) {
        match self {
            Self::Stopped => bench.with_server(|server| server.pause()),
            Self::Killed => bench.with_server(|server| server.kill()),
            Self::Refused => {
                bench.network().refuse(true).await;
                bench.network().cut().await;
            }
            Self::Swallowed => bench.network().blackhole(true),
        }
    }

    /// Makes it good. The application is left alone.
    pub async fn end(self, bench: &Bench) {
        match self {
            Self::Stopped => bench.with_server(|server| server.resume()),
            Self::Killed => bench.with_server(|server| server.restart()),
            Self::Refused => bench.network().refuse(false).await,
            Self::Swallowed => bench.network().blackhole(false),
        }
    }

    /// Returns whether the server may do afterwards what it was asked meanwhile.
    pub fn holds_back(self) -> bool {
        matches!(self, Self::Stopped | Self::Swallowed)
    }
}

/// Asks for a page until the store is back.
///
/// # Panics
/// If it does not come back.
pub async fn recovered(visitor: &Visitor, path: &str) -> Answer {
    for _ in 0..20 {
        let answer = visitor.get(path).await;
        if answer.status != 503 {
            return answer;
        }
    }
    panic!("the store did not come back");
}

/// Asserts that an answer is one of a server whose store is away.
///
/// # Panics
/// If it is not.
pub fn assert_unavailable(answer: &Answer, what: &str) {
    assert_eq!(answer.status, 503, "{what}: {answer:?}");
    assert_eq!(answer.cookies(), [""; 0], "{what}");
    assert_eq!(answer.all("content-type"), ["application/problem+json"], "{what}");
    // How the store can be reached is nobody's business.
    let revealed = ["127.0.0.1", "edis", "ostgres", "aria", "ysql"].iter().find(|word| answer.body.contains(**word));
    assert_eq!(revealed, None, "{what}: {}", answer.body);
}

//! Requests of one session that write at the same time, to one server process and to three.

use std::time::{Duration, Instant};

use crate::candidate::{Backend, Candidate, Framework, Library, Route};
use crate::load::Client;
use crate::measure::sockets::{median, start};
use crate::process::Result;
use crate::redis_server::RedisServer;
use crate::table::Table;

/// The number of requests that write at once.
const WRITERS: usize = 200;

/// The number of rounds that are measured, after one that is not.
const ROUNDS: usize = 21;

/// Measures SessionKit on both frameworks.
pub async fn measure(redis: &mut RedisServer) -> Result<String> {
    let head = ["", "processes", "first answer, ms", "last answer, ms", "worst round, ms", "Redis calls each"];
    let mut table = Table::new(head);
    for framework in [Framework::Axum, Framework::Actix] {
        for processes in [1, 3] {
            let candidate = Candidate { framework, library: Library::SessionKit };
            table.row(of(candidate, processes, redis).await?);
        }
    }
    Ok(table.to_string())
}

/// The time of one round until the first answer and until the last, and the number of commands that Redis got.
struct Round {
    first: Duration,
    last: Duration,
    commands: usize,
}

async fn of(candidate: Candidate, processes: usize, redis: &mut RedisServer) -> Result<Vec<String>> {
    let backend = Backend::Redis(redis.url());
    let mut servers = Vec::new();
    for _ in 0..processes {
        servers.push(start(candidate, &backend)?);
    }
    let ports: Vec<u16> = servers.iter().map(|(_, port)| *port).collect();
    let first = Client::connect(ports[0]).await?;
    let mut clients = Vec::with_capacity(WRITERS);
    for number in 0..WRITERS {
        clients.push(first.again(ports[number % processes]).await?);
    }
    let mut rounds = Vec::new();
    for round in 0..=ROUNDS {
        let measured = write_at_once(&mut clients, redis).await?;
        if round > 0 {
            rounds.push(measured);
        }
    }
    let milliseconds = |of: fn(&Round) -> Duration| rounds.iter().map(move |round| of(round).as_secs_f64() * 1e3);
    let commands: usize = rounds.iter().map(|round| round.commands).sum();
    Ok(vec![
        format!("{}: {}", candidate.framework, candidate.library),
        processes.to_string(),
        format!("{:.1}", median(milliseconds(|round| round.first).collect())),
        format!("{:.1}", median(milliseconds(|round| round.last).collect())),
        format!("{:.1}", milliseconds(|round| round.last).fold(0.0, f64::max)),
        format!("{:.2}", commands as f64 / (WRITERS * ROUNDS) as f64),
    ])
}

/// An answer other than 200 is an error.
async fn write_at_once(clients: &mut Vec<Client>, redis: &mut RedisServer) -> Result<Round> {
    let monitor = redis.monitor()?;
    let start = Instant::now();
    let work = clients.drain(..).map(async |mut client| {
        let request = client.request(Route::Write.path());
        client.call(&request).await?;
        Ok::<_, String>((client, start.elapsed()))
    });
    let (mut first, mut last) = (Duration::MAX, Duration::ZERO);
    for done in futures_util::future::join_all(work.collect::<Vec<_>>()).await {
        let (client, took) = done?;
        (first, last) = (first.min(took), last.max(took));
        clients.push(client);
    }
    let commands = monitor.finish(redis)?;
    let ours = ["GET", "SET", "EVAL", "EVALSHA", "MGET"];
    let commands = ours.iter().filter_map(|name| commands.get(*name)).sum();
    Ok(Round { first, last, commands })
}

//! Real servers under load.

use std::collections::{BTreeMap, HashMap};
use std::process::Command;
use std::time::Duration;
use std::{fmt, fs};

use crate::candidate::{Backend, Candidate, Library, Route};
use crate::load::{Client, Load};
use crate::process::{Result, Server, myself};
use crate::redis_server::RedisServer;
use crate::table::{Table, nothing};

/// The candidates take turns this often; the median counts.
const ROUNDS: usize = 9;
const TURN: Duration = Duration::from_millis(400);

/// The number of requests that are watched, to find out the commands that each of them sends.
const WATCHED: usize = 20;

/// The results of one turn of a candidate, per request.
#[derive(Clone, Copy)]
struct Turn {
    throughput: f64,
    server_cpu: f64,
    redis_cpu: f64,
}

/// Everything about the requests of one kind to one candidate.
#[derive(Default)]
struct Series {
    turns: Vec<Turn>,
    commands: BTreeMap<String, usize>,
}

pub struct Sockets {
    candidates: Vec<Candidate>,
    on_redis: bool,
    series: HashMap<String, Series>,
}

struct Running {
    candidate: Candidate,
    server: Server,
    load: Load,
}

/// Measures candidates with their sessions in a place. If that is Redis, the server tells its part.
pub async fn measure(
    candidates: Vec<Candidate>,
    backend: Backend,
    mut redis: Option<&mut RedisServer>,
) -> Result<Sockets> {
    let mut sockets = Sockets { candidates, on_redis: redis.is_some(), series: HashMap::new() };
    let mut running = Vec::new();
    for &candidate in &sockets.candidates {
        let (server, port) = start(candidate, &backend)?;
        if let Some(redis) = redis.as_deref_mut() {
            for route in Route::ALL {
                let commands = commands(port, route, redis).await?;
                sockets.series.entry(key(candidate, route)).or_default().commands = commands;
            }
        }
        running.push(Running { candidate, server, load: Load::connect(port).await? });
    }
    // The first round warms up.
    for round in 0..=ROUNDS {
        for route in Route::ALL {
            for candidate in &mut running {
                let turn = candidate.turn(route, redis.as_deref_mut()).await?;
                if round > 0 {
                    sockets.series.entry(key(candidate.candidate, route)).or_default().turns.push(turn);
                }
            }
        }
    }
    Ok(sockets)
}

/// Starts a candidate's server, and waits until it has a port.
pub fn start(candidate: Candidate, backend: &Backend) -> Result<(Server, u16)> {
    let mut server =
        Server::start(Command::new(myself()?).args(["serve", &candidate.to_string(), &backend.to_string()]))?;
    let line = server.first_line()?;
    let port = line.trim().parse().map_err(|_| format!("{candidate} does not start"))?;
    Ok((server, port))
}

async fn commands(port: u16, route: Route, redis: &mut RedisServer) -> Result<BTreeMap<String, usize>> {
    let mut client = Client::connect(port).await?;
    let request = client.request(route.path());
    client.call(&request).await?;
    let monitor = redis.monitor()?;
    for _ in 0..WATCHED {
        client.call(&request).await?;
    }
    monitor.finish(redis)
}

impl Running {
    async fn turn(&mut self, route: Route, redis: Option<&mut RedisServer>) -> Result<Turn> {
        let mut redis = redis;
        let mut redis_cpu = || redis.as_deref_mut().map_or(Ok(0.0), RedisServer::cpu);
        let before = (cpu(self.server.id())?, redis_cpu()?);
        let (answered, throughput) = self.load.run(route, TURN).await?;
        let after = (cpu(self.server.id())?, redis_cpu()?);
        let each = |before: f64, after: f64| (after - before) / answered as f64;
        Ok(Turn { throughput, server_cpu: each(before.0, after.0), redis_cpu: each(before.1, after.1) })
    }
}

/// The microseconds of CPU that the threads of a process have used.
fn cpu(process: u32) -> Result<f64> {
    let mut nanoseconds = 0_u64;
    let threads = fs::read_dir(format!("/proc/{process}/task")).map_err(|error| error.to_string())?;
    for thread in threads.flatten() {
        let times = fs::read_to_string(thread.path().join("schedstat")).unwrap_or_default();
        nanoseconds += times.split(' ').next().and_then(|time| time.parse::<u64>().ok()).unwrap_or_default();
    }
    Ok(nanoseconds as f64 / 1e3)
}

fn key(candidate: Candidate, route: Route) -> String {
    format!("{candidate} {route}")
}

impl Sockets {
    fn median(&self, candidate: Candidate, route: Route, of: impl Fn(&Turn) -> f64) -> f64 {
        median(self.series[&key(candidate, route)].turns.iter().map(of).collect())
    }

    /// The median of the ratios of turns that followed each other, which a busy machine disturbs least.
    fn ratio(&self, candidate: Candidate, route: Route, other: Library) -> String {
        let other = Candidate { library: other, ..candidate };
        if other == candidate || !self.candidates.contains(&other) {
            return nothing();
        }
        let turns = |candidate| self.series[&key(candidate, route)].turns.iter();
        let ratios = turns(candidate).zip(turns(other)).map(|(mine, theirs)| mine.throughput / theirs.throughput);
        format!("{:.2}", median(ratios.collect()))
    }

    fn commands(&self, candidate: Candidate, route: Route) -> String {
        let commands = &self.series[&key(candidate, route)].commands;
        let shown = commands.iter().map(|(name, count)| {
            let each = *count as f64 / WATCHED as f64;
            if each == 1.0 { name.clone() } else { format!("{each:.1} {name}") }
        });
        let shown: Vec<String> = shown.collect();
        if shown.is_empty() { nothing() } else { shown.join(", ") }
    }
}

impl fmt::Display for Sockets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut head = vec!["", "requests/s", "of bare", "server CPU, µs"];
        if self.on_redis {
            head.extend(["of by hand", "Redis CPU, µs", "commands"]);
        }
        let left = [(Route::Untouched, "untouched"), (Route::Read, "as it is, but read it"), (Route::Write, "changed")];
        for (route, left) in left {
            writeln!(f, "Requests that leave the session {left}:\n")?;
            let mut table = Table::new(head.clone());
            for &candidate in &self.candidates {
                let mut cells = vec![
                    format!("{}: {}", candidate.framework, candidate.library),
                    crate::table::whole(self.median(candidate, route, |turn| turn.throughput)),
                    self.ratio(candidate, route, Library::Bare),
                    format!("{:.1}", self.median(candidate, route, |turn| turn.server_cpu)),
                ];
                if self.on_redis {
                    cells.push(self.ratio(candidate, route, Library::ByHand));
                    cells.push(format!("{:.1}", self.median(candidate, route, |turn| turn.redis_cpu)));
                    cells.push(self.commands(candidate, route));
                }
                table.row(cells);
            }
            writeln!(f, "{table}")?;
        }
        Ok(())
    }
}

pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

//! Fleets: what large numbers of sessions need, simulated with measured costs, and the simulation beside a real fleet.

use std::time::{Duration, Instant};

use sessionkit::redis::RedisStore;

use crate::candidate::{Backend, Candidate, Framework, Library, Route};
use crate::fleet::{Cost, Costs, Fleet};
use crate::load::{Client, Load};
use crate::measure::sockets::{median, start};
use crate::process::{Result, Server};
use crate::redis_server::RedisServer;
use crate::table::{Table, whole};

/// The sessions that are begun to find out their size.
const SESSIONS: usize = 20_000;

/// The costs are measured in so many turns; the median counts.
const TURNS: usize = 7;
const TURN: Duration = Duration::from_millis(400);

/// The connections that are opened to find out what one costs.
const CONNECTIONS: usize = 200;

/// The processes of the real fleet, its clients, the mean pause between their requests, and the share of these that write.
const PROCESSES: usize = 3;
const CLIENTS: usize = 48;
const PAUSE: Duration = Duration::from_millis(10);
const WRITES: usize = 10;
const WATCHED: Duration = Duration::from_secs(10);

/// The requests of a session in a day, and how much busier the busiest hour is than the day.
const REQUESTS_A_DAY: f64 = 20.0;
const PEAK: f64 = 3.0;

/// A server is full at so many bytes, and busy enough at half of its time.
const FULL: f64 = 16.0 * 1024.0 * 1024.0 * 1024.0;
const BUSY: f64 = 0.5;

/// The requests of a second that a process answers, and its runtimes: four workers of actix-web, a thousand requests each.
const OF_A_PROCESS: f64 = 4_000.0;
const RUNTIMES: usize = 4;

/// Measures the costs, simulates fleets, and compares a real one with its simulation.
pub async fn measure(redis: &mut RedisServer) -> Result<String> {
    let costs = costs(redis).await?;
    let real = real(redis).await?;
    Ok(format!(
        "Costs of a Redis server: {:.1} µs for a read that finds it idle and {:.1} µs among others, {:.1} and {:.1} µs more for a \
         write, {:.0} µs for a connection, {} bytes for a session.\n\n### What large numbers of sessions need\n\n{}\n### A real fleet beside its simulation\n\n{}",
        costs.read.alone,
        costs.read.among_others,
        costs.write.alone,
        costs.write.among_others,
        costs.connection,
        whole(costs.session),
        sizes(&costs),
        real.beside(&costs),
    ))
}

/// The candidate with a single runtime, so that one process is one connection.
fn candidate() -> Candidate {
    Candidate { framework: Framework::Axum, library: Library::SessionKit }
}

async fn costs(redis: &mut RedisServer) -> Result<Costs> {
    redis.clear()?;
    let (_server, port) = start(candidate(), &Backend::Redis(redis.url()))?;
    let mut load = Load::connect(port).await?;
    let before = redis.memory()?;
    let begun = load.begin(SESSIONS).await? as f64;
    let session = (redis.memory()? - before) / begun;
    let (reads, both) =
        (cost(&mut load, port, Route::Read, redis).await?, cost(&mut load, port, Route::Write, redis).await?);
    let write = Cost { alone: both.alone - reads.alone, among_others: both.among_others - reads.among_others };
    let before = redis.cpu()?;
    for _ in 0..CONNECTIONS {
        RedisStore::connect(&redis.url()).await.map_err(|error| error.to_string())?;
    }
    let connection = (redis.cpu()? - before) / CONNECTIONS as f64;
    redis.clear()?;
    Ok(Costs { read: reads, write, connection, session })
}

/// Measures the requests of a route one by one, and all connections at once.
async fn cost(load: &mut Load, port: u16, route: Route, redis: &mut RedisServer) -> Result<Cost> {
    let mut client = Client::connect(port).await?;
    let request = client.request(route.path());
    let (mut alone, mut among_others) = (Vec::new(), Vec::new());
    for _ in 0..TURNS {
        let before = redis.cpu()?;
        let (answered, _) = load.run(route, TURN).await?;
        let between = redis.cpu()?;
        among_others.push((between - before) / answered as f64);
        let (begun, mut answered) = (Instant::now(), 0);
        while begun.elapsed() < TURN {
            client.call(&request).await?;
            answered += 1;
        }
        alone.push((redis.cpu()? - between) / f64::from(answered));
    }
    Ok(Cost { alone: median(alone), among_others: median(among_others) })
}

fn sizes(costs: &Costs) -> Table {
    let mut table = Table::new([
        "sessions",
        "requests/s at the peak",
        "processes",
        "Redis servers",
        "GB on the fullest",
        "time that the busiest works",
        "99 % wait at most, ms",
        "connections to each",
        "all connected after a deploy, ms",
        "99 % wait at most then, ms",
    ]);
    for sessions in [1e6, 1e7, 1e8, 1e9] {
        let requests_per_second = sessions * REQUESTS_A_DAY / 86_400.0 * PEAK;
        let writes = WRITES as f64 / 100.0;
        let busy = requests_per_second * (costs.read.among_others + writes * costs.write.among_others) / 1e6;
        let servers = (sessions * costs.session / FULL).max(busy / BUSY).ceil().max(1.0) as usize;
        let processes = (requests_per_second / OF_A_PROCESS).ceil() as usize;
        let fleet = Fleet { servers, processes, runtimes: RUNTIMES, sessions, requests_per_second, writes };
        // A million requests show the one percent that waits longest.
        let seconds = (1e6 / requests_per_second).clamp(1.0, 60.0);
        let (calm, deploy) = (fleet.run(costs, seconds, false), fleet.run(costs, seconds, true));
        table.row([
            whole(sessions),
            whole(requests_per_second),
            whole(processes as f64),
            whole(servers as f64),
            format!("{:.2}", calm.fullest / 1e9),
            format!("{:.0} %", calm.busiest * 100.0),
            format!("{:.2}", calm.within(0.99)),
            whole(calm.connections as f64),
            whole(deploy.connected),
            format!("{:.2}", deploy.within(0.99)),
        ]);
    }
    table
}

/// The behaviour of a real fleet.
struct Real {
    seconds: f64,
    requests: f64,
    /// Counted in a run of its own, since to write them down costs Redis something.
    calls_each: f64,
    busy: f64,
    connections: f64,
    /// The connections that all processes opened after a restart of all at once.
    reconnected: f64,
}

impl Real {
    fn beside(&self, costs: &Costs) -> Table {
        let fleet = Fleet {
            servers: 1,
            processes: PROCESSES,
            runtimes: 1,
            sessions: CLIENTS as f64,
            requests_per_second: self.requests / self.seconds,
            writes: WRITES as f64 / 100.0,
        };
        let simulated = fleet.run(costs, self.seconds, true);
        let mut table = Table::new(["", "measured", "simulated"]);
        let mut row = |name: &str, measured: String, simulated: String| {
            table.row([name.to_owned(), measured, simulated]);
        };
        row("requests", whole(self.requests), whole(simulated.requests as f64));
        let each = simulated.calls as f64 / simulated.requests as f64;
        row("calls to Redis per request", format!("{:.2}", self.calls_each), format!("{each:.2}"));
        let percent = |share: f64| format!("{:.1} %", share * 100.0);
        row("time that Redis works", percent(self.busy), percent(simulated.busiest));
        row("connections", whole(self.connections), whole(simulated.connections as f64));
        row(
            "connections after a restart of all processes",
            whole(self.reconnected),
            whole(simulated.connections as f64),
        );
        table
    }
}

async fn real(redis: &mut RedisServer) -> Result<Real> {
    redis.clear()?;
    let idle = redis.accepted()?;
    let fleet = start_all(redis)?;
    let mut clients = Vec::new();
    for number in 0..CLIENTS {
        clients.push(Client::connect(fleet[number % PROCESSES].1).await?);
    }
    let (cpu, begun) = (redis.cpu()?, Instant::now());
    let requests = visit_all(&mut clients, WATCHED).await?;
    let (busy, seconds) = (redis.cpu()? - cpu, begun.elapsed().as_secs_f64());
    let accepted = redis.accepted()?;
    let monitor = redis.monitor()?;
    let watched = visit_all(&mut clients, WATCHED / 10).await?;
    let calls: usize = monitor.finish(redis)?.iter().filter(|(name, _)| *name != "INFO").map(|(_, count)| count).sum();
    drop(fleet);
    let before = redis.accepted()?;
    for (_server, port) in &start_all(redis)? {
        Client::connect(*port).await?;
    }
    Ok(Real {
        seconds,
        requests: requests as f64,
        calls_each: calls as f64 / watched as f64,
        busy: busy / 1e6 / seconds,
        connections: accepted - idle,
        reconnected: redis.accepted()? - before,
    })
}

async fn visit_all(clients: &mut Vec<Client>, time: Duration) -> Result<usize> {
    let end = Instant::now() + time;
    let working = clients.drain(..).enumerate().map(|(number, client)| visit(client, number, end));
    let mut requests = 0;
    for done in futures_util::future::join_all(working.collect::<Vec<_>>()).await {
        let (client, answered) = done?;
        clients.push(client);
        requests += answered;
    }
    Ok(requests)
}

fn start_all(redis: &RedisServer) -> Result<Vec<(Server, u16)>> {
    (0..PROCESSES).map(|_| start(candidate(), &Backend::Redis(redis.url()))).collect()
}

/// A visitor, who pauses between requests, each a little longer than the one before, up to a longest one and then from the shortest again.
async fn visit(mut client: Client, number: usize, end: Instant) -> Result<(Client, usize)> {
    let (read, write) = (client.request(Route::Read.path()), client.request(Route::Write.path()));
    let mut requests = 0;
    while Instant::now() < end {
        let at = number + requests;
        client.call(if at.is_multiple_of(100 / WRITES) { &write } else { &read }).await?;
        requests += 1;
        tokio::time::sleep(PAUSE * (at % 20) as u32 / 10).await;
    }
    Ok((client, requests))
}

//! Logins of a user whose sessions are listed, by the length of the list.

use std::process::Command;
use std::time::{Duration, Instant};

use sessionkit::store::EntryKey;
use sessionkit::{MainScope, SessionScope as _};

use crate::apps::devices::{UNLIMITED, login};
use crate::load::Client;
use crate::process::{Result, Server, myself};
use crate::redis_server::RedisServer;
use crate::table::{Table, nothing, whole};

const LENGTHS: [usize; 4] = [1, 10, 100, 1_000];

/// The number of logins that are measured one after the other, at least.
const LOGINS: usize = 200;

/// The number of clients that log in to one account at once.
const CLIENTS: usize = 16;
const TURN: Duration = Duration::from_secs(2);

/// Measures logins one after the other, and all at once.
pub async fn measure(redis: &mut RedisServer) -> Result<String> {
    let mut alone =
        Table::new(["sessions in the list", "limit", "bytes of the list", "ms per login", "Redis CPU, µs per login"]);
    let mut at_once = Table::new([
        "limit",
        "processes",
        "logins/s",
        "Redis CPU, µs per login",
        "Redis busy",
        "Redis calls per login",
    ]);
    for length in LENGTHS {
        for limit in [UNLIMITED, length] {
            alone.row(one_by_one(length, limit, redis).await?);
        }
        for processes in [1, 3] {
            at_once.row(all_at_once(length, processes, redis).await?);
        }
    }
    Ok(format!(
        "One after the other:\n\n{alone}\n{CLIENTS} clients that log in to one account at its limit:\n\n{at_once}"
    ))
}

async fn one_by_one(length: usize, limit: usize, redis: &mut RedisServer) -> Result<Vec<String>> {
    redis.clear()?;
    // A list that is not full grows with each login: those of many users do, of each by a tenth at most.
    let each = (length / 10).max(1);
    let users = LOGINS.div_ceil(each);
    let (_server, port) = start(limit, redis)?;
    let mut client = Client::new(port).await?;
    for user in 0..users {
        log_in(&mut client, user, length).await?;
    }
    let bytes = redis.length(&list_of(0))?;
    let (cpu, begun) = (redis.cpu()?, Instant::now());
    for user in 0..users {
        log_in(&mut client, user, each).await?;
    }
    let (took, cpu) = (begun.elapsed(), redis.cpu()? - cpu);
    let logins = (users * each) as f64;
    Ok(vec![
        whole(length as f64),
        if limit == UNLIMITED { nothing() } else { whole(limit as f64) },
        whole(bytes),
        format!("{:.2}", took.as_secs_f64() * 1e3 / logins),
        whole(cpu / logins),
    ])
}

async fn all_at_once(limit: usize, processes: usize, redis: &mut RedisServer) -> Result<Vec<String>> {
    redis.clear()?;
    let mut servers = Vec::new();
    for _ in 0..processes {
        servers.push(start(limit, redis)?);
    }
    let mut clients = Vec::with_capacity(CLIENTS);
    for number in 0..CLIENTS {
        clients.push(Client::new(servers[number % processes].1).await?);
    }
    log_in(&mut clients[0], 0, limit).await?;
    let (cpu, begun) = (redis.cpu()?, Instant::now());
    let logins = log_in_at_once(&mut clients, TURN).await? as f64;
    let (took, cpu) = (begun.elapsed(), redis.cpu()? - cpu);
    // To write them down costs Redis something, so it is done apart.
    let monitor = redis.monitor()?;
    let watched = log_in_at_once(&mut clients, TURN / 4).await?;
    let calls: usize = monitor.finish(redis)?.values().sum();
    Ok(vec![
        whole(limit as f64),
        processes.to_string(),
        whole(logins / took.as_secs_f64()),
        whole(cpu / logins),
        format!("{:.0} %", cpu / took.as_micros() as f64 * 100.0),
        format!("{:.1}", calls as f64 / watched as f64),
    ])
}

/// Logs in on all connections for so long; returns how often.
async fn log_in_at_once(clients: &mut Vec<Client>, duration: Duration) -> Result<usize> {
    let begun = Instant::now();
    let work = clients.drain(..).map(async |mut client| {
        let mut logins = 0_usize;
        while begun.elapsed() < duration {
            log_in(&mut client, 0, 1).await?;
            logins += 1;
        }
        Ok::<_, String>((client, logins))
    });
    let mut logins = 0;
    for done in futures_util::future::join_all(work.collect::<Vec<_>>()).await {
        let (client, count) = done?;
        clients.push(client);
        logins += count;
    }
    Ok(logins)
}

/// The key of a user's list in Redis.
fn list_of(user: usize) -> String {
    format!("session:{}", EntryKey::session_list(MainScope::NAME, &user.to_string()))
}

/// Starts a server that lists the sessions of each user, at most so many.
fn start(limit: usize, redis: &RedisServer) -> Result<(Server, u16)> {
    let mut server = Server::start(Command::new(myself()?).args(["devices", &limit.to_string(), &redis.url()]))?;
    let line = server.first_line()?;
    let port = line.trim().parse().map_err(|_| "the server does not start".to_owned())?;
    Ok((server, port))
}

async fn log_in(client: &mut Client, user: usize, times: usize) -> Result {
    let request = client.request(&login(user));
    for _ in 0..times {
        client.call(&request).await?;
    }
    Ok(())
}

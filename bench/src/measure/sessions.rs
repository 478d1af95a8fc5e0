//! The memory that a session takes, in the heap and in Redis, and the speed of requests with many sessions.

use std::fmt;
use std::process::Command;

use super::sockets::{median, start};
use crate::candidate::{Backend, Candidate, Library};
use crate::load::Load;
use crate::process::{Result, counting, output};
use crate::redis_server::RedisServer;
use crate::table::{Table, whole};

const SIZES: [usize; 4] = [1_000, 10_000, 100_000, 1_000_000];
const IN_REDIS: usize = 100_000;

/// The bytes per session and the nanoseconds per write at each size.
pub struct Heap(Vec<(Candidate, Vec<(f64, f64)>)>);

/// Fills the memory stores that are published. `actix-session` has none.
pub fn heap() -> Result<Heap> {
    let published = |candidate: &Candidate| candidate.has_sessions() && candidate.library != Library::ActixSession;
    let mut measured = Vec::new();
    for candidate in Candidate::on_memory().filter(published) {
        let sizes = SIZES.map(|size| size.to_string());
        let (printed, _) = output(Command::new(counting()?).args(["heap", &candidate.to_string()]).args(sizes))?;
        let lines = printed.lines().filter_map(|line| {
            let mut numbers = line.split(' ').skip(1).filter_map(|number| number.parse::<f64>().ok());
            Some((numbers.next()?, numbers.next()?))
        });
        measured.push((candidate, lines.collect()));
    }
    Ok(Heap(measured))
}

impl fmt::Display for Heap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        type Show = fn(&(f64, f64)) -> String;
        let bytes: Show = |(bytes, _)| whole(*bytes);
        let time: Show = |(_, nanoseconds)| format!("{:.1}", nanoseconds / 1e3);
        for (title, show) in [
            ("Heap bytes per session, by the number of sessions", bytes),
            ("Microseconds of CPU per request that changes one of so many sessions, in process", time),
        ] {
            writeln!(f, "{title}:\n")?;
            let head = ["".to_owned()].into_iter().chain(SIZES.map(|size| whole(size as f64)));
            let mut table = Table::new(head);
            for (candidate, measured) in &self.0 {
                let name = format!("{}: {}", candidate.framework, candidate.library);
                table.row([name].into_iter().chain(measured.iter().map(show)));
            }
            writeln!(f, "{table}")?;
        }
        Ok(())
    }
}

/// The memory that Redis needs for a session, and the bytes of one key.
pub struct InRedis(Vec<(Candidate, f64, f64)>);

/// Begins sessions over real servers.
pub async fn in_redis(redis: &mut RedisServer) -> Result<InRedis> {
    let mut measured = Vec::new();
    for candidate in Candidate::on_redis().filter(|candidate| candidate.has_sessions()) {
        redis.clear()?;
        let (_server, port) = start(candidate, &Backend::Redis(redis.url()))?;
        let mut load = Load::connect(port).await?;
        redis.clear()?;
        let before = redis.memory()?;
        let begun = load.begin(IN_REDIS).await?;
        let each = (redis.memory()? - before) / begun as f64;
        let keys = (0..101).map(|_| redis.random_key()).collect::<Result<Vec<f64>>>()?;
        measured.push((candidate, each, median(keys)));
    }
    redis.clear()?;
    Ok(InRedis(measured))
}

impl fmt::Display for InRedis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::new(["", "`used_memory` per session", "`MEMORY USAGE` of one key"]);
        for (candidate, memory, key) in &self.0 {
            table.row([format!("{}: {}", candidate.framework, candidate.library), whole(*memory), whole(*key)]);
        }
        writeln!(f, "Bytes in Redis, at {} sessions:\n\n{table}", whole(IN_REDIS as f64))
    }
}

//! A simulation of many application processes in front of many Redis servers.
//!
//! Sessions lie in slots, and slots on servers, as in a Redis Cluster. A server does one thing at a time, in the order in which
//! it is asked. Each process has a connection to each server for each of its runtimes. What things cost a server is measured,
//! and given to the simulation as [`Costs`].

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// The slots of a Redis Cluster.
pub const SLOTS: usize = 16_384;

/// The connections that wait for a server before it turns others away: `tcp-backlog` of Redis.
const BACKLOG: usize = 511;

/// The nanoseconds after which a system asks a server again that turned it away.
const ASKED_AGAIN: u64 = 1_000_000_000;

/// The nanoseconds between the read of a request and its write: the work of its handler.
const HANDLER: u64 = 500_000;

/// The costs of one Redis server: microseconds of its time, and bytes.
#[derive(Clone, Copy, Debug)]
pub struct Costs {
    pub read: Cost,
    pub write: Cost,
    pub connection: f64,
    pub session: f64,
}

/// The cost of a call, in microseconds.
///
/// A server that has nothing to do sleeps, and a call that wakes it is dearer than one that finds it at work: it takes many of
/// those from a connection at once.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    pub alone: f64,
    pub among_others: f64,
}

/// The size of a fleet, and what it has to do.
#[derive(Clone, Copy, Debug)]
pub struct Fleet {
    pub servers: usize,
    pub processes: usize,
    /// The connections of a process to each server: one for each of its runtimes.
    pub runtimes: usize,
    pub sessions: f64,
    pub requests_per_second: f64,
    /// The share of requests that write.
    pub writes: f64,
}

/// The course of a simulation.
#[derive(Debug)]
pub struct Course {
    pub requests: usize,
    pub calls: usize,
    /// The bytes on the fullest server.
    pub fullest: f64,
    /// The share of its time in which the busiest server worked.
    pub busiest: f64,
    /// The milliseconds that requests spent waiting for Redis, sorted.
    pub waits: Vec<f64>,
    /// The connections to one server.
    pub connections: usize,
    /// The milliseconds until the last process was connected to all servers; 0 without a deploy.
    pub connected: f64,
}

impl Course {
    /// Returns the time that this share of the requests did not exceed, in milliseconds.
    pub fn within(&self, share: f64) -> f64 {
        let at = (self.waits.len() as f64 * share) as usize;
        self.waits.get(at.min(self.waits.len().saturating_sub(1))).copied().unwrap_or_default()
    }
}

#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Event {
    Request,
    Write { spent: u64 },
    Connection,
}

impl Fleet {
    /// Lets the fleet work for so many seconds. With `deploy`, all processes were just restarted and have to connect.
    pub fn run(&self, costs: &Costs, seconds: f64, deploy: bool) -> Course {
        let mut random = Random(0x5e55_1014);
        let nanoseconds = |microseconds: f64| (microseconds * 1e3) as u64;
        let (end, mean) = (nanoseconds(seconds * 1e6), 1e9 / self.requests_per_second);
        let connections = self.processes * self.runtimes;
        let mut events = BinaryHeap::new();
        if deploy {
            events.extend((0..self.servers * connections).map(|at| Reverse((0, at % self.servers, Event::Connection))));
        }
        let (mut requests, mut at) = (0, mean * random.exponential());
        while (at as u64) < end {
            events.push(Reverse((at as u64, self.server_of(random.below(SLOTS)), Event::Request)));
            requests += 1;
            at += mean * random.exponential();
        }
        let mut course = Course {
            requests,
            calls: 0,
            fullest: self.fullest(costs, &mut random),
            busiest: 0.0,
            waits: Vec::with_capacity(requests),
            connections,
            connected: 0.0,
        };
        let mut free = vec![0_u64; self.servers];
        let mut worked = vec![0_u64; self.servers];
        while let Some(Reverse((now, server, event))) = events.pop() {
            let begins = free[server].max(now);
            let of = |cost: Cost| if begins > now { cost.among_others } else { cost.alone };
            let cost = nanoseconds(match event {
                Event::Request => of(costs.read),
                Event::Write { .. } => of(costs.write),
                Event::Connection => costs.connection,
            });
            // As if the server had nothing else to do than to greet those who came before.
            if event == Event::Connection && (begins - now) / cost.max(1) > BACKLOG as u64 {
                events.push(Reverse((now + ASKED_AGAIN, server, event)));
                continue;
            }
            let done = begins + cost;
            free[server] = done;
            worked[server] += cost;
            let spent = done - now;
            match event {
                Event::Connection => course.connected = course.connected.max(done as f64 / 1e6),
                Event::Request if random.unit() < self.writes => {
                    events.push(Reverse((done + HANDLER, server, Event::Write { spent })));
                }
                Event::Request => course.waits.push(spent as f64 / 1e6),
                Event::Write { spent: before } => course.waits.push((before + spent) as f64 / 1e6),
            }
            course.calls += usize::from(event != Event::Connection);
        }
        course.busiest = worked.iter().map(|worked| *worked as f64 / end as f64).fold(0.0, f64::max);
        course.waits.sort_by(f64::total_cmp);
        course
    }

    fn server_of(&self, slot: usize) -> usize {
        slot * self.servers / SLOTS
    }

    /// Returns the bytes on the fullest server. Sessions are spread over slots by a hash, so that their number in a slot has
    /// the spread of a Poisson distribution, which is close to a normal one.
    fn fullest(&self, costs: &Costs, random: &mut Random) -> f64 {
        let mean = self.sessions / SLOTS as f64;
        let mut bytes = vec![0.0; self.servers];
        for slot in 0..SLOTS {
            bytes[self.server_of(slot)] += (mean + mean.sqrt() * random.normal()).max(0.0) * costs.session;
        }
        bytes.into_iter().fold(0.0, f64::max)
    }
}

/// SplitMix64, so that each run is the same.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number above 0, and at most 1.
    fn unit(&mut self) -> f64 {
        ((self.next() >> 11) + 1) as f64 / (1_u64 << 53) as f64
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    fn exponential(&mut self) -> f64 {
        -self.unit().ln()
    }

    fn normal(&mut self) -> f64 {
        (-2.0 * self.unit().ln()).sqrt() * (std::f64::consts::TAU * self.unit()).cos()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COSTS: Costs = Costs { read: of(10.0), write: of(20.0), connection: 100.0, session: 500.0 };

    const fn of(cost: f64) -> Cost {
        Cost { alone: cost, among_others: cost }
    }

    fn fleet() -> Fleet {
        Fleet { servers: 1, processes: 3, runtimes: 1, sessions: 1e6, requests_per_second: 50_000.0, writes: 0.0 }
    }

    #[test]
    fn one_server_waits_as_queueing_theory_says() {
        // M/D/1 at half load: the mean wait is half a service time, beside the service itself.
        let course = fleet().run(&COSTS, 20.0, false);
        let mean = course.waits.iter().sum::<f64>() / course.waits.len() as f64;
        assert!((mean * 1e3 - 15.0).abs() < 0.3, "{mean} ms");
        assert!((course.busiest - 0.5).abs() < 0.01, "{}", course.busiest);
        assert_eq!((course.calls, course.connections), (course.requests, 3));
    }

    #[test]
    fn writes_are_calls_of_their_own() {
        let course = Fleet { writes: 1.0, requests_per_second: 10_000.0, ..fleet() }.run(&COSTS, 5.0, false);
        assert_eq!(course.calls, 2 * course.requests);
        assert!((course.busiest - 0.3).abs() < 0.02, "{}", course.busiest);
    }

    #[test]
    fn a_server_that_sleeps_is_dearer() {
        let costs = Costs { read: Cost { alone: 30.0, among_others: 10.0 }, ..COSTS };
        let busy = |requests_per_second| Fleet { requests_per_second, ..fleet() }.run(&costs, 5.0, false).busiest;
        assert!((busy(100.0) - 0.003).abs() < 0.0005, "each call wakes it: {}", busy(100.0));
        assert!(busy(80_000.0) < 0.95, "few do: {}", busy(80_000.0));
    }

    #[test]
    fn servers_share_sessions_and_requests() {
        let course = Fleet { servers: 10, ..fleet() }.run(&COSTS, 5.0, false);
        assert!((course.fullest / 50e6 - 1.0).abs() < 0.02, "{}", course.fullest);
        assert!(course.busiest < 0.06, "{}", course.busiest);
    }

    #[test]
    fn connections_beyond_the_backlog_come_again_later() {
        let quiet = Fleet { requests_per_second: 1.0, ..fleet() };
        let few = Fleet { processes: 500, ..quiet }.run(&COSTS, 5.0, true);
        assert!((few.connected - 50.0).abs() < 1.0, "{} ms", few.connected);
        let many = Fleet { processes: 1_000, ..quiet }.run(&COSTS, 5.0, true);
        assert!(many.connected > 1_000.0, "{} ms", many.connected);
    }
}

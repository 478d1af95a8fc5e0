//! Instructions and allocations per request.

use std::collections::HashMap;
use std::process::Command;
use std::sync::Mutex;
use std::{fmt, thread};

use crate::candidate::{Backend, Candidate, Library, Route};
use crate::process::{Result, counting, myself, output};
use crate::table::{Table, nothing, whole};

/// The difference between this many requests and twice as many is what is counted: starting up is in both.
const REQUESTS: usize = 300;

/// The smaller number of foreign cookies that come with ours; `MANY` is the larger.
pub const FEW: usize = 0;
pub const MANY: usize = 1_000;

/// The cost of a request in one process.
#[derive(Clone, Copy)]
pub(super) struct Cost {
    pub(super) instructions: f64,
    pub(super) allocations: f64,
}

/// Costs by candidate and route.
pub struct Costs {
    costs: HashMap<String, Cost>,
    candidates: Vec<Candidate>,
    hash: f64,
    read_back: f64,
}

/// Measures candidates that keep their sessions in `backend`, with `others` cookies besides ours.
pub fn measure(candidates: Vec<Candidate>, backend: &Backend, others: usize) -> Result<Costs> {
    let jobs = candidates.iter().flat_map(|&candidate| Route::ALL.map(|route| (candidate, route)));
    let jobs = Mutex::new(jobs.collect::<Vec<_>>());
    let costs = Mutex::new(HashMap::new());
    let work = || -> Result {
        loop {
            let Some((candidate, route)) = jobs.lock().expect("nobody panics").pop() else { return Ok(()) };
            let cost = cost(candidate, backend, route, others)?;
            costs.lock().expect("nobody panics").insert(key(candidate, route), cost);
        }
    };
    // Other processes change nothing about these counts, so all processors may count.
    let workers = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| worker.join().expect("nobody panics"))
    })?;
    let [hash, read_back] =
        ["secrets", "read-back"].map(|child| difference(|count| vec![child.to_owned(), count.to_string()]));
    Ok(Costs { costs: costs.into_inner().expect("nobody panics"), candidates, hash: hash?, read_back: read_back? })
}

pub(super) fn cost(candidate: Candidate, backend: &Backend, route: Route, others: usize) -> Result<Cost> {
    let of_all = [candidate.to_string(), backend.to_string(), route.to_string(), others.to_string()];
    let arguments =
        |count: usize| ["requests".to_owned()].into_iter().chain(of_all.clone()).chain([count.to_string()]).collect();
    let (printed, _) = output(Command::new(counting()?).arg("allocations").args(&of_all))?;
    let allocations = printed.trim().parse().map_err(|_| format!("not a number: {printed}"))?;
    Ok(Cost { instructions: difference(arguments)?, allocations })
}

/// The instructions per request, or whatever else the child does `count` times.
fn difference(arguments: impl Fn(usize) -> Vec<String>) -> Result<f64> {
    let [once, twice] = [REQUESTS, 2 * REQUESTS].map(|count| instructions(&arguments(count)));
    Ok((twice? - once?) / REQUESTS as f64)
}

fn instructions(arguments: &[String]) -> Result<f64> {
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"]);
    let (_, report) = output(valgrind.arg(myself()?).args(arguments))?;
    let line = report.lines().find_map(|line| line.split_once("refs:"));
    let number = line.map(|(_, number)| number.trim().replace(',', ""));
    number.and_then(|number| number.parse().ok()).ok_or_else(|| format!("valgrind counts no instructions:\n{report}"))
}

fn key(candidate: Candidate, route: Route) -> String {
    format!("{candidate} {route}")
}

impl Costs {
    fn of(&self, candidate: Candidate, route: Route) -> Cost {
        self.costs[&key(candidate, route)]
    }

    /// Returns the costs of a candidate above those of another library, if that was measured.
    fn above(&self, candidate: Candidate, other: Library) -> Option<[Cost; 3]> {
        let other = Candidate { library: other, ..candidate };
        self.candidates.contains(&other).then(|| {
            Route::ALL.map(|route| {
                let (cost, other) = (self.of(candidate, route), self.of(other, route));
                Cost {
                    instructions: cost.instructions - other.instructions,
                    allocations: cost.allocations - other.allocations,
                }
            })
        })
    }
}

/// Two tables for each framework: instructions, and allocations.
impl fmt::Display for Costs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head = ["untouched / read / write", "in all", "above a no-op layer", "above bare"];
        for (title, show) in [
            ("Instructions", (|cost: Cost| whole(cost.instructions)) as fn(Cost) -> String),
            ("Allocations", |cost| format!("{:.1}", cost.allocations)),
        ] {
            writeln!(f, "{title} per request:\n")?;
            let mut table = Table::new(head);
            let triple = |costs: [Cost; 3]| costs.map(show).join(" / ");
            for &candidate in &self.candidates {
                let above = |other| self.above(candidate, other).map_or_else(nothing, triple);
                let is_bare = candidate.library == Library::Bare;
                table.row([
                    format!("{}: {}", candidate.framework, candidate.library),
                    triple(Route::ALL.map(|route| self.of(candidate, route))),
                    if is_bare || candidate.library == Library::NoOp { nothing() } else { above(Library::NoOp) },
                    if is_bare { nothing() } else { above(Library::Bare) },
                ]);
            }
            writeln!(f, "{table}")?;
        }
        writeln!(
            f,
            "Of SessionKit's instructions on read and on write, {} are one SHA-256; of those on write, {} read back the one\n\
             field of three that changed. Both are counted alone.",
            whole(self.hash),
            whole(self.read_back)
        )
    }
}

//! Which sections there are, and the file that they are written to.

use crate::candidate::{Backend, Candidate, Library};
use crate::measure::in_process::{self, FEW};
use crate::process::Result;

const USAGE: &str = "\
Usage: cargo xtask bench [-- quick]

  quick   only instructions and allocations of SessionKit on both frameworks
";

pub fn run(arguments: &[&str]) -> Result {
    match arguments {
        [] | ["quick"] => quick(),
        _ => Err(format!("unknown arguments\n\n{USAGE}")),
    }
}

/// For those who change the code: two minutes at most.
fn quick() -> Result {
    let ours = |candidate: &Candidate| matches!(candidate.library, Library::Bare | Library::NoOp | Library::SessionKit);
    let candidates = Candidate::on_memory().filter(ours).collect();
    println!("{}", in_process::measure(candidates, &Backend::Memory, FEW)?);
    Ok(())
}

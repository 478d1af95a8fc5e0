//! The chores of this repository, as `cargo xtask <command>`.

mod bench;
mod ci;
mod fuzz;
// The simulation of the bench, whose own package is outside of the workspace: its tests run here.
#[cfg(test)]
#[allow(dead_code, unreachable_pub)]
#[path = "../../bench/src/fleet.rs"]
mod fleet;
mod install;
mod rooms;
mod run;
mod sweep;
mod test;

use std::env;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const USAGE: &str = "\
Usage: cargo xtask <command>

Commands:
  test [-- <arguments>]  install what the tests need, run all of them, clean up;
                         the arguments go to cargo-nextest, or without it to `cargo test`
  bench [-- <section>]   measure SessionKit and its peers, and write bench/RESULTS.md; with `quick`
                         only instructions and allocations of SessionKit, with others only those
  fuzz [<target>] [--seconds <number>]
                         run what reads bytes of others under libFuzzer, 60 seconds for each target;
                         an input that fails is kept in tests/fuzz/corpus; needs a compiler for C++
  ci                     formatting, clippy, documentation, each feature alone,
                         a publish dry run, minimum Rust versions
";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match dispatch(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("xtask: {message}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(arguments: &[&str]) -> run::Result {
    // `cargo xtask` works from any directory of the workspace, and so must everything that it runs.
    env::set_current_dir(root()).map_err(|error| format!("cannot enter {}: {error}", root().display()))?;
    match arguments {
        ["test"] => test::test(&[]),
        ["test", "--", passed @ ..] => test::test(passed),
        ["bench"] => bench::bench(&[]),
        ["bench", "--", passed @ ..] => bench::bench(passed),
        ["fuzz", passed @ ..] => fuzz::fuzz(passed),
        ["ci"] => ci::ci(),
        // For `test` itself, see there; of no use by hand.
        ["sweep", directory] => sweep::when_stdin_closes(Path::new(directory)),
        ["help" | "--help" | "-h"] => {
            print!("{USAGE}");
            Ok(())
        }
        [] => Err(format!("which command?\n\n{USAGE}")),
        unknown => Err(format!("no such command: `{}`\n\n{USAGE}", unknown.join(" "))),
    }
}

/// As of now, and not of when this was compiled: two checkouts may share a target directory.
fn root() -> PathBuf {
    let manifest_directory = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    let manifest_directory = PathBuf::from(manifest_directory);
    manifest_directory.parent().map_or(manifest_directory.clone(), Path::to_path_buf)
}

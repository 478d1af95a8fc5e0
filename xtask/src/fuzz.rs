//! `cargo xtask fuzz`: the readers of what others send, under libFuzzer, whose coverage guides it.
//!
//! It is built with stable Rust: what `cargo fuzz` does with flags of the nightly compiler, its stable ones `-C passes` and
//! `-C llvm-args` do too. The sanitizers, which need nightly, find nothing in code without `unsafe`.

use crate::run::{Result, cargo, output, show};
use std::path::PathBuf;
use std::process::Command;
use std::{env, fs};

const MANIFEST: &str = "fuzz/Cargo.toml";

/// The inputs that are kept. A folder for each target.
const CORPUS: &str = "tests/fuzz/corpus";

/// What LLVM adds to the code, so that libFuzzer sees where an input led, and what it was compared with.
const COVERAGE: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
                        -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
                        -Cllvm-args=-sanitizer-coverage-trace-compares";

/// How long each target runs if nothing is said.
const SECONDS: u64 = 60;

pub(crate) fn fuzz(arguments: &[&str]) -> Result {
    let (only, seconds) = parse(arguments)?;
    let all = targets()?;
    let chosen: Vec<&String> = all.iter().filter(|target| only.is_none_or(|only| only == target.as_str())).collect();
    if chosen.is_empty() {
        return Err(format!("no such target: the targets are {}", all.join(", ")));
    }
    let program = build()?;
    let (mut total, mut failed) = (0, Vec::new());
    for target in chosen {
        let executions = run_target(&program, target, seconds)?;
        match executions {
            Ok(executions) => {
                println!("{target}: {executions} executions");
                total += executions;
            }
            Err(log) => {
                println!("{target}: an input failed, and is kept in {CORPUS}/{target}\n{log}");
                failed.push(target.as_str());
            }
        }
    }
    println!("{total} executions in all");
    if failed.is_empty() { Ok(()) } else { Err(format!("failed: {}", failed.join(", "))) }
}

fn parse<'a>(arguments: &[&'a str]) -> Result<(Option<&'a str>, u64)> {
    let number = |text: &str| text.parse().map_err(|_| format!("`{text}` is no number of seconds"));
    match arguments {
        [] => Ok((None, SECONDS)),
        ["--seconds", seconds] => Ok((None, number(seconds)?)),
        [target] if !target.starts_with('-') => Ok((Some(target), SECONDS)),
        [target, "--seconds", seconds] => Ok((Some(target), number(seconds)?)),
        _ => Err("cargo xtask fuzz [<target>] [--seconds <number>]".to_owned()),
    }
}

/// Returns the names of the targets: a test sees to it that each has a folder.
fn targets() -> Result<Vec<String>> {
    let folders = fs::read_dir(CORPUS).map_err(|error| format!("cannot read {CORPUS}: {error}"))?;
    let mut names: Vec<String> = folders.filter_map(|folder| folder.ok()?.file_name().into_string().ok()).collect();
    names.sort();
    Ok(names)
}

fn build() -> Result<PathBuf> {
    let version = output(&mut crate::run::command("rustc", ["-vV"]))?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).ok_or("rustc does not say its host")?;
    let directory = directory();
    // With a target, the flags are not those of build scripts and macros.
    let mut build = cargo(["build", "--release", "--locked", "--manifest-path", MANIFEST, "--target", host]);
    crate::run::run(build.env("RUSTFLAGS", COVERAGE).env("CARGO_TARGET_DIR", &directory))?;
    Ok(directory.join(host).join("release/sessionkit-fuzz"))
}

fn directory() -> PathBuf {
    PathBuf::from(env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into())).join("fuzz")
}

/// Runs a target, and returns how many inputs it ran, or the end of the log if one failed.
fn run_target(program: &PathBuf, target: &str, seconds: u64) -> Result<std::result::Result<u64, String>> {
    let kept = format!("{CORPUS}/{target}");
    // What it finds interesting is kept between runs, but not in the repository.
    let found = directory().join("corpus").join(target);
    fs::create_dir_all(&found).map_err(|error| format!("cannot make {}: {error}", found.display()))?;
    let mut fuzzer = Command::new(program);
    fuzzer.env("FUZZ_TARGET", target).arg(&found).arg(&kept).arg(format!("-max_total_time={seconds}"));
    fuzzer.args(["-print_final_stats=1", "-timeout=10", "-max_len=4096"]).arg(format!("-artifact_prefix={kept}/"));
    let shown = show(&fuzzer);
    eprintln!("\n$ {shown}");
    let ran = fuzzer.output().map_err(|error| format!("cannot start `{shown}`: {error}"))?;
    let log = String::from_utf8_lossy(&ran.stderr);
    let executions = log.lines().find_map(|line| line.strip_prefix("stat::number_of_executed_units:"));
    match executions.and_then(|number| number.trim().parse().ok()).filter(|_| ran.status.success()) {
        Some(executions) => Ok(Ok(executions)),
        None => {
            let lines: Vec<&str> = log.lines().collect();
            Ok(Err(lines[lines.len().saturating_sub(40)..].join("\n")))
        }
    }
}

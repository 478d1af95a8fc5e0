//! The report: its sections, and the file that they are written to.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::candidate::{Backend, Candidate, Library};
use crate::measure::in_process::{self, FEW, MANY};
use crate::measure::{
    builds, contention, devices, encryption, fleet, formats, guards, macros, sessions, sockets, stores,
};
use crate::process::{Result, output};
use crate::redis_server::RedisServer;
use crate::servers::{self, MariaDbServer, PostgresServer};

const USAGE: &str = "\
Usage: cargo xtask bench [-- quick | <section> ..]

  quick       only instructions and allocations of SessionKit on both frameworks
  <section>   one or more of: in-process, guards, encryption, formats, sockets, stores, databases, contention,
              devices, sessions, fleet, macros, builds
  nothing     all sections, written to bench/RESULTS.md
";

/// A part of the report, by the name under which it can be asked for.
struct Section {
    name: &'static str,
    title: &'static str,
    measure: fn() -> Result<String>,
}

const SECTIONS: &[Section] = &[
    Section { name: "in-process", title: "Instructions and allocations", measure: in_process },
    Section { name: "guards", title: "Guards", measure: guards::measure },
    Section { name: "encryption", title: "Encryption", measure: encrypted },
    Section { name: "formats", title: "Sessions in cookies", measure: in_cookies },
    Section { name: "sockets", title: "Servers under load", measure: over_sockets },
    Section { name: "stores", title: "Stores", measure: of_stores },
    Section { name: "databases", title: "Servers with a database under load", measure: over_databases },
    Section { name: "contention", title: "Contention", measure: under_contention },
    Section { name: "devices", title: "Devices", measure: logins_with_lists },
    Section { name: "sessions", title: "Many sessions", measure: many_sessions },
    Section { name: "fleet", title: "Fleets", measure: of_fleets },
    Section { name: "macros", title: "The macros", measure: macros::measure },
    Section { name: "builds", title: "A minimal application", measure: builds::measure },
];

pub fn run(arguments: &[&str]) -> Result {
    match arguments {
        [] => all(),
        ["quick"] => quick(),
        names => names.iter().try_for_each(|name| {
            let section = SECTIONS.iter().find(|section| section.name == *name);
            let section = section.ok_or_else(|| format!("no such section: {name}\n\n{USAGE}"))?;
            println!("{}", (section.measure)()?);
            Ok(())
        }),
    }
}

/// For those who change the code: two minutes at most.
fn quick() -> Result {
    let ours = |candidate: &Candidate| matches!(candidate.library, Library::Bare | Library::NoOp | Library::SessionKit);
    let candidates = Candidate::on_memory().filter(ours).collect();
    println!("{}", in_process::measure(candidates, &Backend::Memory, FEW)?);
    Ok(())
}

/// Measures everything, and writes it down between the words that people wrote.
fn all() -> Result {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |name: &str| fs::read_to_string(directory.join(name)).map_err(|error| format!("{name}: {error}"));
    let remarks = read("REMARKS.md")?;
    let mut report = format!("{}\n\n{}\n", remark(&remarks, "Results"), conditions(&read("Cargo.lock")?)?);
    for section in SECTIONS {
        eprintln!("bench: {}", section.title);
        let remark = remark(&remarks, section.title);
        let measured = (section.measure)()?;
        println!("## {}\n\n{measured}", section.title);
        report.push_str(&format!("\n## {}\n\n{remark}\n\n{}\n", section.title, measured.trim_end()));
    }
    fs::write(directory.join("RESULTS.md"), report).map_err(|error| format!("RESULTS.md: {error}"))
}

/// Returns the text of `REMARKS.md` under a heading; under the first, with the heading included.
fn remark<'a>(remarks: &'a str, title: &str) -> &'a str {
    let heading = format!("# {title}\n");
    let Some(start) = remarks.find(&heading) else { return "" };
    let after = start + heading.len();
    let end = remarks[after..].find("\n## ").map_or(remarks.len(), |end| after + end);
    if start == 0 { remarks[..end].trim() } else { remarks[after..end].trim() }
}

/// Describes the conditions of the measurements: the date, the machine, and the versions of all that takes part.
fn conditions(lock: &str) -> Result<String> {
    let line = |command: &mut Command| output(command).map(|(line, _)| line.trim().to_owned());
    let date = line(Command::new("date").args(["--utc", "+%Y-%m-%d"]))?;
    let rustc = line(Command::new("rustc").arg("--version"))?;
    let valgrind = line(Command::new("valgrind").arg("--version"))?;
    let redis = RedisServer::start()?.version()?;
    let databases = servers::versions()?;
    let processor = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let processor = processor.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let versions: Vec<String> = [
        "axum",
        "actix-web",
        "tower-sessions",
        "tower-sessions-redis-store",
        "tower-sessions-sqlx-store",
        "fred",
        "axum_session",
        "axum_session_redispool",
        "axum_session_sqlx",
        "actix-session",
        "cookie",
        "redis",
        "sqlx",
        "tokio",
    ]
    .into_iter()
    .map(|name| format!("{name} {}", versions(lock, name).join(" and ")))
    .collect();
    Ok(format!(
        "Measured on {date}, on {cores} cores of {}, with {rustc}, {valgrind}, Redis {redis}, {databases}, and {}.",
        processor.map_or("an unknown processor", |(_, name)| name),
        versions.join(", "),
    ))
}

/// The versions of a package in a lock file.
fn versions<'a>(lock: &'a str, name: &str) -> Vec<&'a str> {
    let start = format!("name = \"{name}\"\nversion = \"");
    lock.split(&start).skip(1).filter_map(|rest| rest.split('"').next()).collect()
}

fn in_process() -> Result<String> {
    let few = in_process::measure(Candidate::on_memory().collect(), &Backend::Memory, FEW)?;
    let many = in_process::measure(Candidate::on_memory().collect(), &Backend::Memory, MANY)?;
    let redis = RedisServer::start()?;
    let on_redis = in_process::measure(Candidate::on_redis().collect(), &Backend::Redis(redis.url()), FEW)?;
    Ok(format!(
        "### Sessions in memory, one cookie\n\n{few}\n### The same with {MANY} foreign cookies\n\n{many}\n\
         ### Sessions in Redis, one cookie\n\n{on_redis}"
    ))
}

fn encrypted() -> Result<String> {
    runtime()?.block_on(encryption::measure())
}

fn in_cookies() -> Result<String> {
    runtime()?.block_on(formats::measure())
}

fn over_sockets() -> Result<String> {
    runtime()?.block_on(async {
        let memory = sockets::measure(Candidate::on_memory().collect(), Backend::Memory, None).await?;
        let mut redis = RedisServer::start()?;
        let backend = Backend::Redis(redis.url());
        let on_redis = sockets::measure(Candidate::on_redis().collect(), backend, Some(&mut redis)).await?;
        Ok(format!("### Sessions in memory\n\n{memory}\n### Sessions in Redis\n\n{on_redis}"))
    })
}

fn of_stores() -> Result<String> {
    Ok(runtime()?.block_on(stores::measure())?.to_string())
}

fn over_databases() -> Result<String> {
    runtime()?.block_on(async {
        let measure = async |url: String| {
            sockets::measure(Candidate::on_database().collect(), Backend::Database(url), None).await
        };
        let directory = stores::directory()?;
        let sqlite = measure(format!("sqlite:{}", directory.path().join("sessions.db").display())).await?;
        let postgres = PostgresServer::start();
        let on_postgres = measure(postgres.url()).await?;
        drop(postgres);
        let mariadb = MariaDbServer::start().await?;
        let on_mariadb = measure(mariadb.url()).await?;
        Ok(format!("### SQLite\n\n{sqlite}\n### PostgreSQL\n\n{on_postgres}\n### MariaDB\n\n{on_mariadb}"))
    })
}

fn under_contention() -> Result<String> {
    let mut redis = RedisServer::start()?;
    runtime()?.block_on(contention::measure(&mut redis))
}

fn logins_with_lists() -> Result<String> {
    let mut redis = RedisServer::start()?;
    runtime()?.block_on(devices::measure(&mut redis))
}

fn of_fleets() -> Result<String> {
    let mut redis = RedisServer::start()?;
    runtime()?.block_on(fleet::measure(&mut redis))
}

fn many_sessions() -> Result<String> {
    let heap = sessions::heap()?;
    let mut redis = RedisServer::start()?;
    let in_redis = runtime()?.block_on(sessions::in_redis(&mut redis))?;
    Ok(format!("{heap}\n{in_redis}"))
}

/// The load comes from one thread, as a server's work is done by one.
fn runtime() -> Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| error.to_string())
}

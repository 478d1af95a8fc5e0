//! The costs of the macros for their users: the length of the expansions, and the time to check them.

use std::process::Command;

use super::sockets::median;
use crate::process::{Result, output};
use crate::project::{Project, root};
use crate::table::{Table, whole};

const DEPENDENCIES: &str = "\
axum = \"0.8\"
serde = { version = \"1\", features = [\"derive\"] }
sessionkit = { path = \"{root}/sessionkit\", features = [\"axum\"] }";

/// The number of derives, or guarded handlers, that are compiled at once; `TIMES` is the number of repetitions.
const ITEMS: usize = 200;
const TIMES: usize = 5;

pub fn measure() -> Result<String> {
    let project = Project::new(DEPENDENCIES)?;
    let plain = check(&project, &structs("Clone, "))?;
    let derived = check(&project, &structs("Clone, sessionkit::SessionData"))?;
    let handlers = check(&project, &handlers(""))?;
    let guarded = check(&project, &self::handlers("#[session(require_login, require = |visit: &Visit| visit.admin)]"))?;

    let each = |with: f64, without: f64| format!("{:.2}", (with - without) / ITEMS as f64 * 1e3);
    let [derive, guard] = expansions()?;
    let mut table = Table::new(["", "bytes of expansion", "milliseconds of `cargo check`"]);
    table.row(["a derive on 8 fields".to_owned(), whole(derive), each(derived, plain)]);
    table.row(["a guarded handler, with a predicate".to_owned(), whole(guard), each(guarded, handlers)]);
    Ok(format!("{table}\nThe time is of CPU, from a crate with {ITEMS} of them and one without.\n"))
}

/// The median of the seconds of CPU that a check of this library takes, its dependencies not included.
fn check(project: &Project, source: &str) -> Result<f64> {
    let mut seconds = Vec::new();
    for time in 0..=TIMES {
        // Something has to differ, or nothing is done.
        project.write("src/lib.rs", &format!("{source}\n// {time}\n"))?;
        let (taken, _) = project.cargo(&["check", "--quiet"])?;
        // The first time builds the dependencies too.
        seconds.extend((time > 0).then_some(taken));
    }
    Ok(median(seconds))
}

fn structs(derives: &str) -> String {
    let one = |number: usize| {
        format!(
            "#[derive({derives})]\npub struct Visit{number} {{ pub user: u64, pub name: String, pub items: Vec<u64>, \
             pub theme: String, pub seen: u32, pub admin: bool, pub note: Option<String>, pub tags: Vec<String> }}\n"
        )
    };
    (0..ITEMS).map(one).collect()
}

fn handlers(attribute: &str) -> String {
    let one = |number: usize| {
        format!("{attribute}\npub async fn handler{number}(visit: Session<Visit>) -> String {{ visit.name.clone() }}\n")
    };
    let routes = |number: usize| format!(".route(\"/{number}\", axum::routing::get(handler{number}))");
    format!(
        "#[allow(unused_imports)] use sessionkit::axum::{{Session, session}};\n\
         #[derive(sessionkit::SessionData)] pub struct Visit {{ pub name: String, pub admin: bool }}\n\
         {}pub fn routes() -> axum::Router {{ axum::Router::new(){} }}\n",
        (0..ITEMS).map(one).collect::<String>(),
        (0..ITEMS).map(routes).collect::<String>(),
    )
}

/// The bytes of the expansions that the tests of the macros bound.
fn expansions() -> Result<[f64; 2]> {
    let mut cargo = Command::new(std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()));
    cargo.args(["test", "--quiet", "--package", "sessionkit-macros", "tests::size", "--", "--nocapture"]);
    let (printed, _) = output(cargo.current_dir(root()))?;
    let size = |of: &str| {
        let line = printed.lines().find_map(|line| line.split_once(of)?.1.strip_suffix(" bytes"));
        line.and_then(|size| size.trim().parse().ok()).ok_or_else(|| format!("no size of {of} in:\n{printed}"))
    };
    Ok([size("a derive on 8 fields:")?, size("a guarded handler:")?])
}

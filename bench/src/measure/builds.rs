//! The costs of building a minimal application with sessions from nothing.

use crate::process::Result;
use crate::project::Project;
use crate::table::{Table, nothing};

struct Minimal {
    name: &'static str,
    dependencies: &'static str,
    main: &'static str,
}

macro_rules! minimal {
    ($($name:literal $file:literal $dependencies:literal),* $(,)?) => {
        &[$(Minimal {
            name: $name,
            dependencies: $dependencies,
            main: include_str!(concat!("minimal/", $file, ".rs.txt")),
        }),*]
    };
}

/// The frameworks alone come before the libraries on them.
const MINIMAL: &[Minimal] = minimal![
    "axum: bare" "axum" "axum = \"0.8\"\ntokio = { version = \"1\", features = [\"full\"] }",
    "axum: SessionKit" "axum_sessionkit"
        "axum = \"0.8\"\ntokio = { version = \"1\", features = [\"full\"] }\n\
         sessionkit = { path = \"{root}/sessionkit\", features = [\"axum\"] }",
    "axum: tower-sessions" "axum_tower_sessions"
        "axum = \"0.8\"\ntokio = { version = \"1\", features = [\"full\"] }\ntower-sessions = \"0.15\"",
    "axum: axum_session" "axum_axum_session"
        "axum = \"0.8\"\ntokio = { version = \"1\", features = [\"full\"] }\naxum_session = \"0.22\"",
    "actix-web: bare" "actix" "actix-web = { version = \"4\", default-features = false, features = [\"macros\"] }",
    "actix-web: SessionKit" "actix_sessionkit"
        "actix-web = { version = \"4\", default-features = false, features = [\"macros\"] }\n\
         sessionkit = { path = \"{root}/sessionkit\", features = [\"actix\"] }",
    "actix-web: actix-session" "actix_actix_session"
        "actix-web = { version = \"4\", default-features = false, features = [\"macros\"] }\n\
         actix-session = { version = \"0.11\", features = [\"cookie-session\"] }",
];

pub fn measure() -> Result<String> {
    let mut table = Table::new(["", "crates", "above bare", "seconds of CPU", "above bare"]);
    let mut bare = (0, 0.0);
    for minimal in MINIMAL {
        let project = Project::new(minimal.dependencies)?;
        project.write("src/main.rs", minimal.main)?;
        let crates = project.crates()?;
        project.cargo(&["fetch", "--quiet"])?;
        let (seconds, _) = project.cargo(&["build", "--quiet"])?;
        let is_bare = minimal.name.ends_with("bare");
        if is_bare {
            bare = (crates, seconds);
        }
        table.row([
            minimal.name.to_owned(),
            crates.to_string(),
            if is_bare { nothing() } else { format!("+{}", crates - bare.0) },
            format!("{seconds:.1}"),
            if is_bare { nothing() } else { format!("{:+.1}", seconds - bare.1) },
        ]);
    }
    Ok(format!(
        "{table}\nUnoptimised builds from nothing, all sessions in memory, but those of actix-session, which are in the \
         cookie: it publishes no store in memory.\n"
    ))
}

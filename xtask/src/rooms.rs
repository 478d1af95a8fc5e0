//! The order of the rooms of `sessionkit-core`: each imports only from those below it.

use crate::run::Result;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// The rooms from the top to the bottom: folders of `src/`, and the files beside them.
const ROOMS: [&str; 22] = [
    "manager",
    "guard",
    "csrf",
    "migration",
    "auth",
    "devices",
    "request",
    "engine",
    "event",
    "store",
    "data",
    "foreign",
    "config",
    "record",
    "encryption",
    "wire",
    "error",
    "format",
    "token",
    "time",
    "scope",
    "panics",
];

/// The crate's root, and what stands beside all rooms: `extractors` is code of the adapters.
const BESIDE: [&str; 3] = ["lib", "extractors", "testing"];

/// Checks the sources of core.
pub(crate) fn check() -> Result {
    let root = Path::new("sessionkit/core/src");
    let mut complaints = String::new();
    for file in sources(root)? {
        let relative = file.strip_prefix(root).unwrap_or(&file).to_owned();
        let source = fs::read_to_string(&file).map_err(|error| format!("cannot read {}: {error}", file.display()))?;
        for complaint in complaints_about(&relative, &source) {
            let _ = writeln!(complaints, "{}: {complaint}", file.display());
        }
    }
    if complaints.is_empty() {
        Ok(())
    } else {
        Err(format!("{complaints}Imports go down the list in xtask/src/rooms.rs."))
    }
}

/// Returns the Rust files of a folder and those below it; tests may look anywhere.
fn sources(folder: &Path) -> Result<Vec<PathBuf>> {
    let cannot = |error: std::io::Error| format!("cannot list {}: {error}", folder.display());
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(cannot)? {
        let path = entry.map_err(cannot)?.path();
        let is_test = path.file_stem().is_some_and(|stem| stem == "tests" || stem == "model");
        if is_test {
            continue;
        }
        if path.is_dir() {
            found.extend(sources(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn complaints_about(relative: &Path, source: &str) -> Vec<String> {
    let first = relative.components().next().map(|first| first.as_os_str().to_string_lossy().into_owned());
    let room = first.unwrap_or_default().trim_end_matches(".rs").to_owned();
    if BESIDE.contains(&&*room) {
        return Vec::new();
    }
    let Some(rank) = rank(&room) else { return vec![format!("`{room}` is no room of the list in xtask/src/rooms.rs")] };
    let mut complaints = Vec::new();
    // A module of tests is the last thing of its file.
    let code = source.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    for (number, line) in code.lines().enumerate() {
        // Documentation may name what is above.
        let line = line.split("//").next().unwrap_or_default();
        for imported in line.split("crate::").skip(1) {
            let end = imported.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(imported.len());
            let imported = &imported[..end];
            if self::rank(imported).is_some_and(|other| other < rank) {
                complaints.push(format!("line {}: `{room}` imports from `{imported}`, which is above it", number + 1));
            }
        }
    }
    complaints
}

fn rank(room: &str) -> Option<usize> {
    ROOMS.iter().position(|known| *known == room)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaints(file: &str, source: &str) -> usize {
        complaints_about(Path::new(file), source).len()
    }

    #[test]
    fn an_import_that_runs_up_is_found() {
        assert_eq!(complaints("record/apply.rs", "use crate::engine::Engine;\n"), 1);
        assert_eq!(complaints("error.rs", "fn f() { crate::store::g() }\n"), 1);
        assert_eq!(complaints("attic/mod.rs", ""), 1, "every room has a place");
    }

    #[test]
    fn what_is_below_beside_or_only_named_is_not() {
        let source = "use crate::record::Record;\n/// See [`f`](crate::manager::f).\n#[cfg(test)]\nmod tests {\n    use crate::manager::M;\n}\n";
        assert_eq!(complaints("engine/open.rs", source), 0);
        assert_eq!(complaints("testing/suite.rs", "use crate::manager::M;\n"), 0);
    }
}

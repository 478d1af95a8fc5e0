//! Small packages that are generated, to see what building them costs.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::process::{Result, output};

/// The root of the repository.
pub fn root() -> PathBuf {
    let bench = Path::new(env!("CARGO_MANIFEST_DIR"));
    bench.parent().unwrap_or(bench).to_owned()
}

/// A package in a directory of its own, with the versions that this program is built with.
pub struct Project {
    directory: TempDir,
}

impl Project {
    /// Writes a package with these lines under `[dependencies]`; `{root}` stands for the root of the repository.
    pub fn new(dependencies: &str) -> Result<Self> {
        let directory = TempDir::with_prefix("sessionkit-bench-").map_err(|error| error.to_string())?;
        let project = Self { directory };
        let dependencies = dependencies.replace("{root}", &root().display().to_string());
        project.write(
            "Cargo.toml",
            &format!(
                "[package]\nname = \"measured\"\nedition = \"2024\"\n\n[dependencies]\n{dependencies}\n\n[workspace]\n"
            ),
        )?;
        fs::create_dir(project.path("src")).map_err(|error| error.to_string())?;
        let lock = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.lock"));
        project.write("Cargo.lock", &lock.map_err(|error| error.to_string())?)?;
        Ok(project)
    }

    pub fn write(&self, path: &str, text: &str) -> Result {
        fs::write(self.path(path), text).map_err(|error| format!("{path}: {error}"))
    }

    /// Runs cargo on the package; returns the seconds of CPU that it took, and what it printed.
    pub fn cargo(&self, arguments: &[&str]) -> Result<(f64, String)> {
        let mut cargo = Command::new(std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()));
        cargo.args(arguments).current_dir(self.directory.path()).env("CARGO_TARGET_DIR", self.path("target"));
        let before = children_cpu()?;
        let (printed, _) = output(&mut cargo)?;
        Ok((children_cpu()? - before, printed))
    }

    /// Counts the crates that the package is built from, besides itself.
    pub fn crates(&self) -> Result<usize> {
        let (_, tree) =
            self.cargo(&["tree", "--quiet", "--edges", "normal,build", "--prefix", "none", "--format", "{p}"])?;
        let crates: BTreeSet<&str> = tree.lines().map(|line| line.trim_end_matches(" (*)")).collect();
        Ok(crates.iter().filter(|name| !name.is_empty()).count() - 1)
    }

    fn path(&self, path: &str) -> PathBuf {
        self.directory.path().join(path)
    }
}

/// The seconds of CPU of all children that have ended.
fn children_cpu() -> Result<f64> {
    let text = fs::read_to_string("/proc/self/stat").map_err(|error| error.to_string())?;
    // The name of the program may hold spaces; after it, the 14th and the 15th number are those of ended children.
    let numbers = text.rsplit(')').next().unwrap_or_default().split_whitespace().skip(13).take(2);
    let ticks: f64 = numbers.filter_map(|number| number.parse::<f64>().ok()).sum();
    Ok(ticks / 100.0)
}

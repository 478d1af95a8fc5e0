//! `cargo xtask bench`: what the measurements need, and the measurements.

use crate::install;
use crate::run::{Result, cargo, run};

/// Not a member of the workspace: it depends on the libraries that we compare with.
const MANIFEST: &str = "bench/Cargo.toml";

pub(crate) fn bench(passed: &[&str]) -> Result {
    install::valgrind()?;
    install::redis()?;
    install::postgres()?;
    install::mariadb()?;
    // It has two programs, and `cargo run` builds one.
    run(&mut cargo(["build", "--release", "--locked", "--manifest-path", MANIFEST]))?;
    run(cargo(["run", "--release", "--locked", "--quiet", "--manifest-path", MANIFEST, "--"]).args(passed))
}

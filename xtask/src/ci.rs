//! `cargo xtask ci`: what has to hold besides the tests.

use crate::rooms;
use crate::run::{Result, cargo, command, output, run};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::PathBuf;

pub(crate) fn ci() -> Result {
    let packages = packages()?;
    rooms::check()?;
    run(&mut cargo(["fmt", "--all", "--check"]))?;
    // A workspace of its own, so that what it is compared with weighs on no other build.
    run(&mut cargo(["fmt", "--manifest-path", "bench/Cargo.toml", "--check"]))?;
    run(&mut cargo(["clippy", "--workspace", "--all-targets", "--all-features", "--", "-D", "warnings"]))?;
    run(cargo(["doc", "--workspace", "--no-deps", "--all-features"]).env("RUSTDOCFLAGS", "-D warnings"))?;
    for package in packages.iter().filter(|package| package.published) {
        each_feature(package)?;
    }
    publish_dry_run(&packages)?;
    minimum_rust_versions(&packages)
}

/// The facts about a member of the workspace that we ask of `cargo metadata`.
struct Package {
    name: String,
    version: String,
    published: bool,
    features: Vec<String>,
    rust_version: Option<String>,
}

fn packages() -> Result<Vec<Package>> {
    let metadata = output(&mut cargo(["metadata", "--no-deps", "--format-version", "1"]))?;
    let metadata: Value =
        serde_json::from_str(&metadata).map_err(|error| format!("cannot read `cargo metadata`: {error}"))?;
    metadata["packages"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|package| {
            package_from(package).ok_or_else(|| format!("`cargo metadata` shows a strange package: {package}"))
        })
        .collect()
}

fn package_from(package: &Value) -> Option<Package> {
    Some(Package {
        name: package["name"].as_str()?.to_owned(),
        version: package["version"].as_str()?.to_owned(),
        // `publish = false` is shown as an empty list of registries, no restriction as null.
        published: package["publish"].as_array().is_none_or(|registries| !registries.is_empty()),
        features: package["features"].as_object()?.keys().cloned().collect(),
        rust_version: package["rust_version"].as_str().map(str::to_owned),
    })
}

/// Checks the package with no feature and with each alone. With clippy, since its `-D warnings` reaches our crates only:
/// so code that is unused without some feature is an error here.
fn each_feature(package: &Package) -> Result {
    let build = |features: &[&str]| {
        let mut clippy = cargo(["clippy", "--package", &package.name, "--no-default-features"]);
        run(clippy.args(features).args(["--", "-D", "warnings"]))
    };
    build(&[])?;
    package.features.iter().try_for_each(|feature| build(&["--features", feature]))
}

fn publish_dry_run(packages: &[Package]) -> Result {
    forget_packaged(packages);
    // Nor what it built of them: to cargo a version of a published crate never changes.
    let _ = std::fs::remove_dir_all("target/dry-run");
    run(&mut cargo(["publish", "--workspace", "--dry-run", "--allow-dirty", "--target-dir", "target/dry-run"])).map_err(|failure| {
        format!(
            "{failure}\nThe dry run packages every crate and builds it from its package. If the output above speaks of the \
             network: it needs the crates.io registry."
        )
    })
}

/// Lets cargo forget what it unpacked at an earlier dry run: it would take the old sources of a crate for those of the
/// same version that it has just packaged.
fn forget_packaged(packages: &[Package]) {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let Some(home) = home.or_else(|| Some(std::env::home_dir()?.join(".cargo"))) else { return };
    for kept in ["src", "cache"] {
        let registries = std::fs::read_dir(home.join("registry").join(kept)).into_iter().flatten().flatten();
        for registry in registries {
            for Package { name, version, .. } in packages {
                // Most of these are not there.
                let _ = std::fs::remove_dir_all(registry.path().join(format!("{name}-{version}")));
                let _ = std::fs::remove_file(registry.path().join(format!("{name}-{version}.crate")));
            }
        }
    }
}

fn minimum_rust_versions(packages: &[Package]) -> Result {
    let mut by_version = BTreeMap::<&str, Vec<&str>>::new();
    for package in packages.iter().filter(|package| package.published) {
        let version = package.rust_version.as_deref().ok_or_else(|| format!("{}: no rust-version", package.name))?;
        by_version.entry(version).or_default().push(&package.name);
    }
    // Without rustup there is just the one toolchain.
    let toolchains = output(&mut command("rustup", ["toolchain", "list"])).unwrap_or_default();
    for (version, names) in by_version {
        let listed = names.join(", ");
        let Some(toolchain) = toolchains.split_whitespace().find(|toolchain| is_version(toolchain, version)) else {
            // The lint knows since when the standard library has what we use, but nothing of the language.
            eprintln!("\nRust {version} ({listed}): not installed; clippy's incompatible_msrv lint ran instead, above");
            continue;
        };
        eprintln!("\nRust {version} ({listed}): checked with the toolchain {toolchain}");
        let mut check = command("rustup", ["run", toolchain, "cargo", "check", "--all-features"]);
        run(check.args(names.iter().flat_map(|name| ["--package", name])))?;
    }
    Ok(())
}

/// Returns whether a toolchain, `1.88.0-x86_64-unknown-linux-gnu` for example, is of that version, `1.88`.
fn is_version(toolchain: &str, version: &str) -> bool {
    toolchain.strip_prefix(version).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '-']))
}

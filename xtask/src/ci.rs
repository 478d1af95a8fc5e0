//! `cargo xtask ci`: what has to hold besides the tests.

use crate::rooms;
use crate::run::{Result, cargo, command, output, run};
use serde_json::Value;
use std::collections::BTreeMap;
use std::{env, fs};

pub(crate) fn ci() -> Result {
    let packages = packages()?;
    rooms::check()?;
    one_generation(&packages)?;
    run(&mut cargo(["fmt", "--all", "--check"]))?;
    // Workspaces of their own, so that neither what we are compared with nor libFuzzer weighs on another build.
    run(&mut cargo(["fmt", "--manifest-path", "bench/Cargo.toml", "--check"]))?;
    run(&mut cargo(["fmt", "--manifest-path", "fuzz/Cargo.toml", "--check"]))?;
    run(&mut cargo(["clippy", "--workspace", "--all-targets", "--all-features", "--", "-D", "warnings"]))?;
    run(cargo(["doc", "--workspace", "--no-deps", "--all-features"]).env("RUSTDOCFLAGS", "-D warnings"))?;
    // The README's first command names no features, and the tests run what was built with all of them.
    run(&mut cargo(["check", "--example", "shop"]))?;
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
    /// The features, and what each of them enables.
    features: BTreeMap<String, Vec<String>>,
    rust_version: Option<String>,
    /// The packages that it names itself, and the versions that it accepts.
    dependencies: Vec<(String, String)>,
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
        features: serde_json::from_value(package["features"].clone()).ok()?,
        rust_version: package["rust_version"].as_str().map(str::to_owned),
        dependencies: package["dependencies"]
            .as_array()?
            .iter()
            .map(|dependency| Some((dependency["name"].as_str()?.to_owned(), dependency["req"].as_str()?.to_owned())))
            .collect::<Option<_>>()?,
    })
}

/// The crates of RustCrypto's present generation, in which the traits and the types of one are those of the others. Those of
/// another beside them would be compiled twice, and one of the two would no longer be kept up.
const RUST_CRYPTO: [(&str, &str); 15] = [
    ("aead", "^0.6"),
    ("aes", "^0.9"),
    ("aes-gcm", "^0.11"),
    ("aes-gcm-siv", "^0.12"),
    ("aes-siv", "^0.8"),
    ("cbc", "^0.2"),
    ("chacha20poly1305", "^0.11"),
    ("cipher", "^0.5"),
    ("digest", "^0.11"),
    ("ed25519-dalek", "^3.0"),
    ("hkdf", "^0.13"),
    ("hmac", "^0.13"),
    ("pbkdf2", "^0.13"),
    ("sha1", "^0.11"),
    ("sha2", "^0.11"),
];

/// Checks that what our packages name of RustCrypto is of one generation. What others depend on is theirs to choose.
fn one_generation(packages: &[Package]) -> Result {
    for package in packages {
        for (name, version) in &package.dependencies {
            let Some((_, generation)) = RUST_CRYPTO.iter().find(|(known, _)| known == name) else { continue };
            let rest = version.strip_prefix(generation);
            if !rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.')) {
                return Err(format!(
                    "{} names {name} {version}, and the others are of the generation of {name} {generation}: see \
                     RUST_CRYPTO in xtask/src/ci.rs",
                    package.name
                ));
            }
        }
    }
    Ok(())
}

/// Checks the package with no feature and with each alone. With clippy, since its `-D warnings` reaches our crates only:
/// so code that is unused without some feature is an error here.
fn each_feature(package: &Package) -> Result {
    let build = |features: &[&str]| {
        let mut clippy = cargo(["clippy", "--package", &package.name, "--no-default-features"]);
        run(clippy.args(features).args(["--", "-D", "warnings"]))
    };
    build(&[])?;
    package.features.keys().try_for_each(|feature| build(&["--features", feature]))
}

/// The directory of the packages, below the root of the workspace.
const PACKAGES: &str = "target/dry-run/package";

/// Packages what is published, and checks it from its packages. Cargo would build each from its own by itself, with all that
/// it depends on, which takes minutes; in one workspace they share what the other commands have built.
fn publish_dry_run(packages: &[Package]) -> Result {
    let _ = fs::remove_dir_all(PACKAGES);
    let unverified = ["--no-verify", "--allow-dirty", "--target-dir", "target/dry-run"];
    run(cargo(["publish", "--workspace", "--dry-run"]).args(unverified)).map_err(|failure| {
        format!("{failure}\nIf the output above speaks of the network: the dry run needs the crates.io registry.")
    })?;
    let published: Vec<&Package> = packages.iter().filter(|package| package.published).collect();
    // The dry run keeps nothing of what it packaged.
    run(cargo(["package"]).args(published.iter().flat_map(|package| ["--package", &package.name])).args(unverified))?;
    for Package { name, version, .. } in &published {
        // With the present time as theirs: to cargo a file that is older than what it built of it has not changed.
        run(&mut command("tar", ["-xzmf", &format!("{PACKAGES}/{name}-{version}.crate"), "-C", PACKAGES]))?;
    }
    let written = fs::write(format!("{PACKAGES}/Cargo.toml"), workspace_of(&published));
    written
        .and_then(|()| fs::copy("Cargo.lock", format!("{PACKAGES}/Cargo.lock")).map(drop))
        .map_err(|error| format!("cannot write to {PACKAGES}: {error}"))?;
    let manifest = format!("{PACKAGES}/Cargo.toml");
    let shared = env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    let mut check = cargo(["check", "--workspace", "--all-features", "--manifest-path", &manifest]);
    run(check.env("CARGO_TARGET_DIR", shared))
}

/// Returns the manifest of a workspace in which each package depends on the others as they were packaged.
fn workspace_of(packages: &[&Package]) -> String {
    let directory = |package: &Package| format!("{}-{}", package.name, package.version);
    let members: Vec<String> = packages.iter().map(|package| format!("{:?}", directory(package))).collect();
    let patches = packages.iter().map(|package| format!("{} = {{ path = {:?} }}\n", package.name, directory(package)));
    format!(
        "[workspace]\nresolver = \"3\"\nmembers = [{}]\n\n[patch.crates-io]\n{}\n[profile.dev]\ndebug = \"line-tables-only\"\n",
        members.join(", "),
        patches.collect::<String>()
    )
}

fn minimum_rust_versions(packages: &[Package]) -> Result {
    let mut by_version = BTreeMap::<&str, Vec<&Package>>::new();
    for package in packages.iter().filter(|package| package.published) {
        let version = package.rust_version.as_deref().ok_or_else(|| format!("{}: no rust-version", package.name))?;
        by_version.entry(version).or_default().push(package);
    }
    // Without rustup there is just the one toolchain.
    let toolchains = output(&mut command("rustup", ["toolchain", "list"])).unwrap_or_default();
    for (version, of_version) in by_version {
        let names: Vec<&str> = of_version.iter().map(|package| &*package.name).collect();
        let listed = names.join(", ");
        let Some(toolchain) = toolchains.split_whitespace().find(|toolchain| is_version(toolchain, version)) else {
            // The lint knows since when the standard library has what we use, but nothing of the language.
            eprintln!("\nRust {version} ({listed}): not installed; clippy's incompatible_msrv lint ran instead, above");
            continue;
        };
        eprintln!("\nRust {version} ({listed}): checked with the toolchain {toolchain}");
        let features: Vec<String> = of_version.iter().flat_map(|package| features_within(package, packages)).collect();
        let mut check = command("rustup", ["run", toolchain, "cargo", "check", "--features", &features.join(",")]);
        run(check.args(names.iter().flat_map(|name| ["--package", name])))?;
    }
    Ok(())
}

/// Returns the features of a package with which its own minimum Rust version is enough, as `package/feature`: those that
/// need none of our packages whose minimum is higher.
fn features_within(package: &Package, packages: &[Package]) -> Vec<String> {
    let minimum = |package: &Package| package.rust_version.as_deref().and_then(minor);
    let newer: Vec<&str> =
        packages.iter().filter(|other| minimum(other) > minimum(package)).map(|other| &*other.name).collect();
    let needs_newer = |feature: &str| {
        let (mut reached, mut at) = (vec![feature], 0);
        while let Some(feature) = reached.get(at).copied() {
            at += 1;
            for enabled in package.features.get(feature).into_iter().flatten() {
                let name = enabled.strip_prefix("dep:").or_else(|| Some(enabled.split_once('/')?.0)).unwrap_or(enabled);
                // With a `?` it is a feature of what something else enables.
                if newer.contains(&name) {
                    return true;
                }
                if !reached.contains(&name) {
                    reached.push(name);
                }
            }
        }
        false
    };
    let within = package.features.keys().filter(|feature| !needs_newer(feature));
    within.map(|feature| format!("{}/{feature}", package.name)).collect()
}

/// Returns the second number of a version of Rust.
fn minor(version: &str) -> Option<u32> {
    version.split('.').nth(1)?.parse().ok()
}

/// Returns whether a toolchain, `1.88.0-x86_64-unknown-linux-gnu` for example, is of that version, `1.88`.
fn is_version(toolchain: &str, version: &str) -> bool {
    toolchain.strip_prefix(version).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '-']))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, rust_version: &str, features: &[(&str, &[&str])]) -> Package {
        let owned =
            |(name, enabled): &(&str, &[&str])| (name.to_string(), enabled.iter().map(ToString::to_string).collect());
        Package {
            name: name.to_owned(),
            version: "0.1.0".to_owned(),
            published: true,
            features: features.iter().map(owned).collect(),
            rust_version: Some(rust_version.to_owned()),
            dependencies: Vec::new(),
        }
    }

    #[test]
    fn crates_of_another_generation_are_refused() {
        let naming = |dependencies: &[(&str, &str)]| {
            let owned = dependencies.iter().map(|(name, version)| ((*name).to_owned(), (*version).to_owned()));
            one_generation(&[Package { dependencies: owned.collect(), ..package("core", "1.88", &[]) }])
        };
        assert!(naming(&[("sha2", "^0.11"), ("aes-gcm-siv", "^0.12.1"), ("serde", "^1.0")]).is_ok());
        for older in [("sha2", "^0.10"), ("aes-gcm-siv", "^0.11.1"), ("aes", "^0.90"), ("hmac", "*")] {
            let refused = naming(&[("sha2", "^0.11"), older]).unwrap_err();
            assert!(refused.contains(older.0) && refused.contains(older.1), "{refused}");
        }
        assert!(one_generation(&packages().unwrap()).is_ok());
    }

    #[test]
    fn features_that_need_a_newer_rust_are_left_to_it() {
        let features: [(&str, &[&str]); 6] = [
            ("redis", &["dep:redis"]),
            ("sqlite", &["dep:sql", "sql/sqlite"]),
            ("only", &["sql/postgres"]),
            ("demo", &["redis", "sqlite"]),
            ("testing", &["core/testing", "sql?/testing"]),
            ("round", &["round"]),
        ];
        let packages = [
            package("facade", "1.89", &features),
            package("sql", "1.94", &[("sqlite", &[])]),
            package("core", "1.9", &[]),
        ];
        assert_eq!(features_within(&packages[0], &packages), ["facade/redis", "facade/round", "facade/testing"]);
        assert_eq!(features_within(&packages[1], &packages), ["sql/sqlite"]);
    }
}

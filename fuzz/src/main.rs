//! Runs one target under libFuzzer. The targets are those of `tests`, which runs the same without coverage.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;

use crate::fuzz::{TARGETS, Target};

#[path = "../../tests/src/fuzz/mod.rs"]
mod fuzz;

static TARGET: LazyLock<&Target> = LazyLock::new(|| {
    let name = std::env::var("FUZZ_TARGET").expect("`cargo xtask fuzz` says which target");
    TARGETS.iter().find(|target| target.name == name).expect("there is a target of this name")
});

fuzz_target!(|input: &[u8]| (TARGET.run)(input));

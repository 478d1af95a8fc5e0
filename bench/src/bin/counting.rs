//! The measurements that need an allocator which counts: a program of its own, since counting costs instructions.

use std::alloc::System;

use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    assert!(sessionkit_bench::children::run(&arguments), "`sessionkit-bench` starts this program");
}

//! What reads bytes of others, as targets for a fuzzer: each takes any bytes, and panics where something is wrong.
//!
//! `cargo xtask fuzz` runs them under libFuzzer, from `fuzz/`, which includes this module. The test `fuzz` runs the inputs that
//! are kept in `tests/fuzz/corpus`, and mutations of them.

mod cookies;
mod in_cookies;
mod requests;
mod signed;
mod stored;
mod texts;

/// A reader of bytes.
#[derive(Debug)]
pub struct Target {
    /// The name, which is that of the folder of its inputs.
    pub name: &'static str,
    /// Reads an input.
    pub run: fn(&[u8]),
}

/// All targets.
pub const TARGETS: &[Target] = &[
    Target { name: "cookies", run: cookies::run },
    Target { name: "signed-cookies", run: signed::run },
    Target { name: "cookie-header", run: requests::run },
    Target { name: "session-in-cookie", run: in_cookies::run },
    Target { name: "record", run: stored::record },
    Target { name: "session-list", run: stored::session_list },
    Target { name: "entry", run: stored::entry },
    Target { name: "token", run: texts::token },
    Target { name: "keys", run: texts::keys },
    Target { name: "settings-environment", run: texts::environment },
    Target { name: "settings-json", run: texts::json },
    Target { name: "local-path", run: texts::local_path },
];

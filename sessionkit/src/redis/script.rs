//! The scripts: each is one key's compare-and-swap.

use std::sync::LazyLock;

use ::redis::{Cmd, Script};

/// A script that reads and writes one key.
pub(super) struct OneKeyScript {
    source: &'static str,
    hash: String,
}

pub(super) static REPLACE: LazyLock<OneKeyScript> =
    LazyLock::new(|| OneKeyScript::new(include_str!("scripts/replace.lua")));

pub(super) static REMOVE: LazyLock<OneKeyScript> =
    LazyLock::new(|| OneKeyScript::new(include_str!("scripts/remove.lua")));

/// The scripts for callers that wait for replicas: each writes something, whatever it finds.
pub(super) static INSERT_REPLICATED: LazyLock<OneKeyScript> =
    LazyLock::new(|| OneKeyScript::new(include_str!("scripts/insert_replicated.lua")));

pub(super) static REPLACE_REPLICATED: LazyLock<OneKeyScript> =
    LazyLock::new(|| OneKeyScript::new(include_str!("scripts/replace_replicated.lua")));

pub(super) static REMOVE_REPLICATED: LazyLock<OneKeyScript> =
    LazyLock::new(|| OneKeyScript::new(include_str!("scripts/remove_replicated.lua")));

impl OneKeyScript {
    fn new(source: &'static str) -> Self {
        Self { source, hash: Script::new(source).get_hash().to_owned() }
    }

    /// Returns the command that runs the script if the server has it.
    pub(super) fn by_hash(&self, key: &str, arguments: &[&[u8]]) -> Cmd {
        Self::command("EVALSHA", &self.hash, key, arguments)
    }

    /// Returns the command that gives the script to the server and runs it.
    pub(super) fn by_source(&self, key: &str, arguments: &[&[u8]]) -> Cmd {
        Self::command("EVAL", self.source, key, arguments)
    }

    fn command(name: &str, script: &str, key: &str, arguments: &[&[u8]]) -> Cmd {
        let size =
            name.len() + script.len() + 1 + key.len() + arguments.iter().map(|argument| argument.len()).sum::<usize>();
        let mut command = Cmd::with_capacity(arguments.len() + 4, size);
        command.arg(name).arg(script).arg(1).arg(key);
        for argument in arguments {
            command.arg(*argument);
        }
        command
    }
}

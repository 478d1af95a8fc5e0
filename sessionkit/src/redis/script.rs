//! The scripts, and what they are given.

use std::fmt;
use std::io::Write as _;
use std::iter;
use std::sync::LazyLock;
use std::time::Duration;

use ::redis::{Cmd, Script, cmd};
use sessionkit_core::{
    Authenticate, Delta, DeviceEntry, DeviceSelection, FieldKey, FieldOp, Generation, Header, HeaderOp,
};
use sessionkit_core::{LoginDetails, Record, Registration, SessionId, StoreError, StoredValue, Timestamp};

use super::{devices, layout};

/// Redis may forget a session this long after its deadline; never before, though clocks differ a little.
const SLACK: Duration = Duration::from_secs(60);

/// A script that reads and writes one key.
pub(super) struct OneKeyScript {
    source: &'static str,
    hash: String,
}

pub(super) static CREATE: LazyLock<OneKeyScript> =
    LazyLock::new(|| OneKeyScript::new(include_str!("scripts/create.lua")));

pub(super) static COMMIT: LazyLock<OneKeyScript> = LazyLock::new(|| {
    OneKeyScript::new(concat!(
        include_str!("scripts/begin.lua"),
        include_str!("scripts/integer.lua"),
        include_str!("scripts/commit.lua")
    ))
});

pub(super) static DESTROY: LazyLock<OneKeyScript> =
    LazyLock::new(|| OneKeyScript::new(include_str!("scripts/destroy.lua")));

pub(super) static DEVICES: LazyLock<OneKeyScript> =
    LazyLock::new(|| OneKeyScript::new(include_str!("scripts/devices.lua")));

impl OneKeyScript {
    fn new(source: &'static str) -> Self {
        Self { source, hash: Script::new(source).get_hash().to_owned() }
    }

    /// Runs the script if the server has it.
    pub(super) fn by_hash(&self, key: &str, arguments: &Arguments) -> Cmd {
        Self::command("EVALSHA", &self.hash, key, arguments)
    }

    /// Gives the script to the server and runs it.
    pub(super) fn by_source(&self, key: &str, arguments: &Arguments) -> Cmd {
        Self::command("EVAL", self.source, key, arguments)
    }

    fn command(name: &str, script: &str, key: &str, arguments: &Arguments) -> Cmd {
        let mut command = cmd(name);
        command.arg(script).arg(1).arg(key);
        arguments.each().for_each(|argument| {
            command.arg(argument);
        });
        command
    }
}

/// The arguments of a script besides its key, one after the other.
#[derive(Default)]
pub(super) struct Arguments {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Arguments {
    fn each(&self) -> impl Iterator<Item = &[u8]> {
        let starts = iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, &end)| &self.bytes[start..end])
    }

    /// What `create.lua` is given.
    pub(super) fn of_create(record: &Record, now: Timestamp) -> Self {
        let mut arguments = Self::default();
        // The packed form decides: it is what every later call reads.
        let deadline = Header::unpack(&record.header().pack()).map_or(now, |header| header.deadline());
        arguments.display((deadline.saturating_duration_since(now) + SLACK).as_secs());
        for (name, value) in layout::write(record) {
            arguments.push(name.as_bytes()).push(value);
        }
        arguments
    }

    /// What `commit.lua` is given.
    pub(super) fn of_commit(generation: Generation, delta: &Delta, now: Timestamp) -> Result<Self, StoreError> {
        let mut arguments = Self::default();
        arguments.time(now).display(generation.number());
        for op in &delta.header {
            arguments.header_op(op)?;
        }
        for op in &delta.fields {
            arguments.field_op(op)?;
        }
        Ok(arguments)
    }

    /// What `devices.lua` is given for a registration.
    pub(super) fn of_register(login: Registration) -> Self {
        let mut arguments = Self::of_devices(login.now, "register");
        arguments.display(login.id).time(login.deadline);
        match login.most {
            Some(most) => arguments.display(most),
            None => arguments.push(""),
        };
        arguments.display(u8::from(login.evict)).push(if login.stored { "c" } else { "b" });
        arguments
    }

    /// What `devices.lua` is given for a confirmation.
    pub(super) fn of_confirm(id: SessionId, ended: &[SessionId], now: Timestamp) -> Self {
        let mut arguments = Self::of_devices(now, "confirm");
        arguments.display(id);
        for ended in ended {
            arguments.display(ended);
        }
        arguments
    }

    /// What `devices.lua` is given to end sessions.
    pub(super) fn of_end(meant: DeviceSelection, now: Timestamp) -> Self {
        let mut arguments = Self::of_devices(now, "end");
        match meant {
            DeviceSelection::All => arguments.push("all"),
            DeviceSelection::Others(id) => arguments.push("others").display(id),
            DeviceSelection::One(id) => arguments.push("one").display(id),
        };
        arguments
    }

    /// What `devices.lua` is given to remove what is still as it was seen.
    pub(super) fn of_prune(seen: &[DeviceEntry]) -> Self {
        // Before all deadlines, so that every entry is looked at.
        let mut arguments = Self::of_devices(Timestamp::from_unix_seconds(0), "prune");
        for entry in seen {
            let DeviceEntry { id, state, registered, deadline } = *entry;
            arguments.display(id).push(devices::letter(state)).time(registered).time(deadline);
        }
        arguments
    }

    fn of_devices(now: Timestamp, operation: &str) -> Self {
        let mut arguments = Self::default();
        arguments.time(now).push(operation);
        arguments
    }

    fn header_op(&mut self, op: &HeaderOp) -> Result<(), StoreError> {
        match op {
            HeaderOp::Authenticate(authenticate) => self.authenticate(authenticate),
            HeaderOp::ActAs { user, details } => self.user(user, details.as_deref()),
            HeaderOp::Rotate { secret } => self.push("R").push(secret.as_bytes()),
            HeaderOp::Renew { if_current, secret, at } => {
                self.push("N").push(if_current.as_bytes()).push(secret.as_bytes()).time(*at)
            }
            HeaderOp::EndPrevious { if_current, until } => self.push("E").push(if_current.as_bytes()).time(*until),
            HeaderOp::Touch { last_seen, idle_deadline } => self.push("T").time(*last_seen).time(*idle_deadline),
            _ => return Err(unknown_operation()),
        };
        Ok(())
    }

    fn authenticate(&mut self, op: &Authenticate) -> &mut Self {
        self.push("A").time(op.at).time(op.at.saturating_add(op.ttl)).display(op.ttl.as_secs());
        self.optional_time(op.absolute_deadline).user(&op.user, op.details.as_deref());
        match &op.device_label {
            Some(label) => self.push("H").push("@label").push(label.as_bytes()),
            None => self,
        }
    }

    fn user(&mut self, user: &str, details: Option<&LoginDetails>) -> &mut Self {
        self.push("U").push(user.as_bytes());
        for (name, value) in details.into_iter().flat_map(layout::write_details) {
            self.push("H").push(name).push(value);
        }
        self
    }

    fn field_op(&mut self, op: &FieldOp) -> Result<(), StoreError> {
        match op {
            FieldOp::Set { key, value } => self.set(key, value),
            FieldOp::Replace { key, expected, value } => {
                match expected {
                    Some(expected) => self.push("=").name(key).push(expected),
                    None => self.push("~").name(key),
                };
                match value {
                    Some(value) => self.set(key, value),
                    None => self.push("r").name(key),
                }
            }
            FieldOp::Remove { key } => self.push("r").name(key),
            FieldOp::Add { key, by, min, max, carried } => {
                let flags = if *carried { layout::flags(true, None) } else { String::new() };
                self.push("+").name(key).display(*by).display(*min).display(*max).push(flags)
            }
            FieldOp::Clear { keep_carried } => self.push("c").display(u8::from(*keep_carried)),
            _ => return Err(unknown_operation()),
        };
        Ok(())
    }

    fn set(&mut self, key: &FieldKey, value: &StoredValue) -> &mut Self {
        self.push("s").name(key).push(layout::encode(value.as_ref())).optional_time(value.deadline)
    }

    fn name(&mut self, key: &FieldKey) -> &mut Self {
        self.push(layout::field_name(key).as_bytes())
    }

    fn time(&mut self, time: Timestamp) -> &mut Self {
        self.display(time.unix_seconds())
    }

    fn optional_time(&mut self, time: Option<Timestamp>) -> &mut Self {
        match time {
            Some(time) => self.time(time),
            None => self.push(""),
        }
    }

    fn display(&mut self, shown: impl fmt::Display) -> &mut Self {
        write!(self.bytes, "{shown}").expect("writing to a vector cannot fail");
        self.push("")
    }

    /// Ends an argument with these bytes.
    fn push(&mut self, argument: impl AsRef<[u8]>) -> &mut Self {
        self.bytes.extend_from_slice(argument.as_ref());
        self.ends.push(self.bytes.len());
        self
    }
}

fn unknown_operation() -> StoreError {
    StoreError::unavailable("this store is older than the engine and does not know an operation of the delta")
}

//! The failures of the store, and the errors that say what is known after them.

use std::fmt;
use std::time::Duration;

use ::redis::{ErrorKind, RedisError, ServerErrorKind};
use sessionkit_core::StoreError;

use super::address::Address;

/// A command failed.
#[derive(Debug)]
pub(super) enum Failure {
    /// Nothing was sent: there is no connection.
    NotConnected(String),
    /// The server answered with an error.
    Refused(RedisError),
    /// The connection broke before the answer.
    Broken(RedisError),
    /// The reply is not one of our command's.
    Unexpected,
    /// The master executed the command, and fewer replicas than wanted have it.
    NotReplicated { have: i64, wanted: u32 },
    /// A node of a cluster sent the command to another one. It was not executed.
    Redirected(Redirection),
    /// The answer to a question of our own did not come in time. Other calls have the deadlines of their callers.
    TimedOut(Duration),
}

impl Failure {
    /// Takes apart an error of a command that was sent.
    pub(super) fn of_command(error: RedisError) -> Self {
        match error.kind() {
            ErrorKind::Server(_) | ErrorKind::Extension => Self::Refused(error),
            _ => Self::Broken(error),
        }
    }

    /// Takes apart an error of a command that was sent to a node of a cluster.
    pub(super) fn of_command_in_cluster(error: RedisError) -> Self {
        match Redirection::of(&error) {
            Some(redirection) => Self::Redirected(redirection),
            None => Self::of_command(error),
        }
    }

    /// Returns whether a node of a cluster may accept soon what was not sent or what it refused, or another node: others take
    /// over from a master, or it loads its data.
    pub(super) fn may_be_sent_elsewhere(&self) -> bool {
        match self {
            Self::NotConnected(_) => true,
            Self::Refused(error) => PASSING.contains(&code(error)) || self.is_of_wrong_server(),
            _ => false,
        }
    }

    /// Returns whether a server refused a command that another one may execute: it is not the master any more, or does not
    /// know us any more. The command was not executed.
    pub(super) fn is_of_wrong_server(&self) -> bool {
        matches!(self, Self::Refused(error) if WRONG_SERVER.contains(&code(error)))
    }

    /// Returns whether nobody else should use the connection.
    pub(super) fn spoils_connection(&self) -> bool {
        matches!(self, Self::Broken(_)) || self.is_of_wrong_server()
    }

    /// Returns whether the server lacks the script.
    pub(super) fn is_unknown_script(&self) -> bool {
        matches!(self, Self::Refused(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript))
    }

    /// Returns whether the key holds something that is not a string.
    pub(super) fn is_wrong_type(&self) -> bool {
        matches!(self, Self::Refused(error) if code(error) == "WRONGTYPE")
    }

    /// The error of a call that changes nothing.
    pub(super) fn of_read(self) -> StoreError {
        StoreError::unavailable(self)
    }

    /// The error of a call that may have changed something.
    pub(super) fn of_write(self) -> StoreError {
        if self.nothing_happened() { StoreError::unavailable(self) } else { StoreError::unknown(self) }
    }

    fn nothing_happened(&self) -> bool {
        match self {
            Self::NotConnected(_) | Self::Redirected(_) => true,
            Self::Refused(error) => NOT_EXECUTED.contains(&code(error)),
            Self::Broken(_) | Self::TimedOut(_) | Self::Unexpected | Self::NotReplicated { .. } => false,
        }
    }
}

/// Errors with which Redis refuses a command, or the first write of a script.
const NOT_EXECUTED: [&str; 15] = [
    "ASK",
    "BUSY",
    "CLUSTERDOWN",
    "CROSSSLOT",
    "LOADING",
    "MASTERDOWN",
    "MISCONF",
    "MOVED",
    "NOAUTH",
    "NOREPLICAS",
    "NOSCRIPT",
    "OOM",
    "READONLY",
    "TRYAGAIN",
    "WRONGPASS",
];

/// Those of them with which a server sends us elsewhere.
const WRONG_SERVER: [&str; 5] = ["MASTERDOWN", "MOVED", "NOAUTH", "READONLY", "WRONGPASS"];

/// Those of them with which a node of a cluster says that others are about to change something.
const PASSING: [&str; 4] = ["CLUSTERDOWN", "LOADING", "MASTERDOWN", "TRYAGAIN"];

/// The node to which a command is sent instead.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Redirection {
    /// Whether the slot is on its way there: the next command for it is sent where the last one was.
    pub(super) is_for_once: bool,
    pub(super) slot: u16,
    /// Without a host if it is that of the node that answered.
    pub(super) address: Address,
}

impl Redirection {
    fn of(error: &RedisError) -> Option<Self> {
        let is_for_once = match error.kind() {
            ErrorKind::Server(ServerErrorKind::Moved) => false,
            ErrorKind::Server(ServerErrorKind::Ask) => true,
            _ => return None,
        };
        let (slot, address) = error.detail()?.split_once(' ')?;
        let mut address = Address::parse(address.split(' ').next()?)?;
        // A node that is to announce its name, and was told none.
        if address.host == "?" {
            address.host.clear();
        }
        Some(Self { is_for_once, slot: slot.parse().ok()?, address })
    }
}

/// Returns the code of the server's answer.
fn code(error: &RedisError) -> &str {
    let code = error.code().unwrap_or("an error without a code");
    if code == "ERR" { error.detail().and_then(wrapped_code).unwrap_or(code) } else { code }
}

/// Returns the code with which a command inside of a script was refused. Redis 6 wraps it, behind the line of the script if
/// the command was executed, and behind two of them and a dash if it was not.
fn wrapped_code(detail: &str) -> Option<&str> {
    let (_, mut inner) = detail.strip_prefix("Error running script")?.split_once("): ")?;
    while let Some((_, rest)) = inner.strip_prefix("@user_script:").and_then(|line| line.split_once(": ")) {
        inner = rest;
    }
    let code = inner.strip_prefix('-').unwrap_or(inner).split(' ').next()?;
    (!code.is_empty() && code.bytes().all(|byte| byte.is_ascii_uppercase())).then_some(code)
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotConnected(reason) => write!(f, "cannot connect to Redis: {reason}"),
            // The server's words may quote what was sent.
            Self::Refused(error) if code(error) == "MOVED" => {
                f.write_str("Redis refused: MOVED; the server is a node of a cluster: write `redis+cluster://..`")
            }
            Self::Refused(error) => write!(f, "Redis refused: {}", code(error)),
            Self::Unexpected => f.write_str("the server's reply is not one of our command's"),
            Self::NotReplicated { have, wanted } => {
                write!(f, "Redis wrote it, but only {have} of {wanted} replicas have it: look after the replicas")
            }
            Self::Redirected(to) => write!(f, "the cluster sends the command on and on, at last to {}", to.address),
            Self::Broken(error) => write!(f, "the connection to Redis broke: {error}"),
            Self::TimedOut(after) => write!(f, "Redis did not answer within {after:?}"),
        }
    }
}

impl std::error::Error for Failure {}

/// A [`RedisStore`](super::RedisStore) cannot be set up.
///
/// Says what to change; never shows a password.
///
/// ```
/// use sessionkit::redis::RedisStore;
///
/// let error = RedisStore::builder("http://:hunter2@localhost").build().unwrap_err();
/// assert!(!error.to_string().contains("hunter2"));
/// ```
pub struct RedisSetupError(String);

impl RedisSetupError {
    pub(super) fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}

impl fmt::Display for RedisSetupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for RedisSetupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for RedisSetupError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(answer: &str) -> Failure {
        let value = ::redis::parse_redis_value(format!("-{answer}\r\n").as_bytes()).unwrap();
        Failure::of_command(value.extract_error().unwrap_err())
    }

    #[test]
    fn a_refusal_is_told_by_its_code() {
        for answer in [
            "READONLY You can't write against a read only replica.",
            "READONLY You can't write against a read only replica. script: d8f2, on @user_script:1.",
            "ERR Error running script (call to f_d8f2): @user_script:1: @user_script: 1: -READONLY You can't write.",
            "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
            "MOVED 3999 127.0.0.1:6381",
            "NOAUTH Authentication required.",
            "WRONGPASS invalid username-password pair or user is disabled.",
        ] {
            let failure = refused(answer);
            assert!(failure.is_of_wrong_server() && failure.spoils_connection(), "{answer}");
            assert!(failure.nothing_happened(), "{answer}");
        }
        for answer in ["LOADING Redis is loading", "BUSY a script", "OOM memory", "MISCONF disk", "NOREPLICAS few"] {
            let failure = refused(answer);
            assert!(!failure.spoils_connection() && failure.nothing_happened(), "{answer}");
        }
        for answer in ["ERR unknown command, with args beginning with: '-READONLY '", "NOPERM no", "WRONGTYPE a hash"] {
            let failure = refused(answer);
            assert!(!failure.spoils_connection() && !failure.nothing_happened(), "{answer}");
        }
    }

    #[test]
    fn a_redirection_names_a_node() {
        let redirection = |answer: &str| match ::redis::parse_redis_value(format!("-{answer}\r\n").as_bytes()) {
            Ok(value) => Redirection::of(&value.extract_error().unwrap_err()),
            Err(error) => panic!("{error}"),
        };
        let to = |host: &str, port| Address { host: host.to_owned(), port };
        let moved = redirection("MOVED 3999 127.0.0.1:6381").unwrap();
        assert_eq!(moved, Redirection { is_for_once: false, slot: 3999, address: to("127.0.0.1", 6381) });
        let asked = redirection("ASK 16383 ::1:7000").unwrap();
        assert_eq!(asked, Redirection { is_for_once: true, slot: 16383, address: to("::1", 7000) });
        assert_eq!(redirection("MOVED 1 :7000").unwrap().address, to("", 7000));
        assert_eq!(redirection("ASK 1 ?:7000").unwrap().address, to("", 7000));
        for answer in ["MOVED", "MOVED 1", "MOVED x 127.0.0.1:1", "MOVED 1 127.0.0.1:x", "MOVED 99999 a:1", "ERR no"] {
            assert_eq!(redirection(answer), None, "{answer}");
        }
    }

    /// Redis 6 wraps what a command inside of a script was refused with, a key of another type too: `replace` is to say that
    /// nothing was changed, and not that it may have been.
    #[test]
    fn a_wrong_type_inside_of_a_script_is_told_by_its_code() {
        let wrapped = "ERR Error running script (call to f_d8f2): @user_script:4: WRONGTYPE Operation against a key";
        assert!(refused("WRONGTYPE Operation against a key").is_wrong_type());
        assert!(refused(wrapped).is_wrong_type());
    }
}

//! The role that a server says it has.
//!
//! The question is `HELLO`, which access control lists cannot forbid, and which a server answers also while it loads its
//! data or has lost its master. `ROLE` and `INFO` need permissions that managed servers often do not give.

use ::redis::{Cmd, ProtocolVersion, Value, cmd};

/// Returns the question. It names the protocol that the connection has, so that it changes nothing.
pub(super) fn question(protocol: ProtocolVersion) -> Cmd {
    let mut command = cmd("HELLO");
    command.arg(if protocol.supports_resp3() { 3 } else { 2 });
    command
}

/// Returns whether the server says that it is a replica. One that does not say is taken for a master.
pub(super) fn is_replica(reply: &Value) -> bool {
    let says =
        |name: &Value, value: &Value| text(name) == b"role" && [&b"replica"[..], b"slave"].contains(&text(value));
    match reply {
        Value::Map(entries) => entries.iter().any(|(name, value)| says(name, value)),
        Value::Array(flat) => flat.chunks_exact(2).any(|pair| says(&pair[0], &pair[1])),
        _ => false,
    }
}

fn text(value: &Value) -> &[u8] {
    match value {
        Value::BulkString(bytes) => bytes,
        Value::SimpleString(text) => text.as_bytes(),
        _ => b"",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_of_both_protocols_are_read() {
        let replies = [
            (&b"*4\r\n$5\r\nproto\r\n:2\r\n$4\r\nrole\r\n$7\r\nreplica\r\n"[..], true),
            (b"*4\r\n$5\r\nproto\r\n:2\r\n$4\r\nrole\r\n$6\r\nmaster\r\n", false),
            (b"%2\r\n$5\r\nproto\r\n:3\r\n$4\r\nrole\r\n$7\r\nreplica\r\n", true),
            (b"%1\r\n+role\r\n+slave\r\n", true),
            (b"%1\r\n+role\r\n+master\r\n", false),
            (b"*2\r\n$4\r\nmode\r\n$7\r\nreplica\r\n", false),
            (b"*1\r\n$4\r\nrole\r\n", false),
            (b"+OK\r\n", false),
        ];
        for (reply, replica) in replies {
            let value = ::redis::parse_redis_value(reply).unwrap();
            assert_eq!(is_replica(&value), replica, "{value:?}");
        }
    }
}

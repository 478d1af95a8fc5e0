//! Lists of names, on one server and on the masters of a cluster.

use std::sync::Arc;

use ::redis::{Cmd, Pipeline, Value, cmd};
use sessionkit_core::{EntryKind, ScanCursor, StoreError};

use super::cluster::{Cluster, Node, Topology, merged};
use super::connection::Connection;
use super::failure::Failure;
use super::servers::unexpected_reply;

/// The number of connections on which a page of a scan is asked for before it fails.
const SCAN_TRIES: usize = 3;

/// Asks for a page of names; returns where the scan goes on, and `None` at its end.
///
/// A cursor means nothing to another server, nor to the same one after a restart: a scan that meets another connection
/// begins anew, and may have keys twice.
pub(super) async fn scan_at(
    connection: &Connection,
    pattern: &str,
    after: Option<&[u8]>,
    limit: usize,
) -> Result<(Option<Vec<u8>>, Vec<Value>), StoreError> {
    let page = page_at(connection, pattern, after, limit, None).await?;
    Ok((page.next, page.names))
}

/// A page of the names of one server.
struct Page {
    /// The place where the scan goes on; `None` at its end.
    next: Option<Vec<u8>>,
    names: Vec<Value>,
    /// The answer to the question that was sent with it.
    answer: Option<Value>,
}

/// Asks for a page of names, and something else together with it.
async fn page_at(
    connection: &Connection,
    pattern: &str,
    after: Option<&[u8]>,
    limit: usize,
    question: Option<Cmd>,
) -> Result<Page, StoreError> {
    for _ in 0..SCAN_TRIES {
        // Before the first call there is none.
        connection.confirm().await.map_err(Failure::of_read)?;
        let number = connection.number();
        let bound = number.to_be_bytes();
        let cursor = after.and_then(|after| after.strip_prefix(&bound)).unwrap_or(b"0");
        let mut commands = Pipeline::with_capacity(2);
        commands.cmd("SCAN").arg(cursor).arg("MATCH").arg(pattern).arg("COUNT").arg(limit.max(1));
        if let Some(question) = &question {
            commands.add_command(question.clone());
        }
        let replies = match connection.call_all(&commands).await {
            Err(Failure::Broken(_)) => connection.call_all(&commands).await,
            replies => replies,
        };
        let mut replies = replies.map_err(Failure::of_read)?.into_iter();
        if connection.number() == number {
            let Some(Value::Array(reply)) = replies.next() else { return Err(unexpected_reply()) };
            let Ok([Value::BulkString(next), Value::Array(names)]) = <[Value; 2]>::try_from(reply) else {
                return Err(unexpected_reply());
            };
            let next = (next != b"0").then(|| [&bound[..], &next].concat());
            return Ok(Page { next, names, answer: replies.next() });
        }
    }
    Err(StoreError::unavailable("the connection to Redis kept breaking while its keys were listed"))
}

/// The number of times that a scan of a cluster begins anew because slots moved.
const SCAN_RESTARTS: u8 = 5;

/// Asks the masters of a cluster for their names, one after the other.
///
/// Keys that move from a master that is still to come to one that is done would be missed. So the cursor holds what the
/// masters were at the beginning, and a scan that meets other masters starts again. Together with each page, the master is
/// asked which slots it has. A slot that moves away and back between two pages does no harm: its keys are there when a page
/// looks for them. If one was away during a page, the scan starts again at its end. Then each master is asked once more:
/// slots that are open for a move are an error, which says that the scan is not complete.
pub(super) async fn scan_in(
    cluster: &Cluster,
    pattern: &str,
    after: Option<&ScanCursor>,
    limit: usize,
) -> Result<(Vec<Value>, Option<ScanCursor>), StoreError> {
    let topology = cluster.topology().await.map_err(Failure::of_read)?;
    let (masters, fingerprint) = (topology.masters(), topology.fingerprint());
    let mut place = match after {
        None => Place::beginning(fingerprint, 0),
        Some(after) => {
            Place::read(after.as_bytes()).ok_or_else(|| StoreError::unavailable("not a cursor of a cluster"))?
        }
    };
    if place.topology != fingerprint {
        if place.restarts == SCAN_RESTARTS {
            return Err(is_partial());
        }
        place = Place::beginning(fingerprint, place.restarts + 1);
    }
    let Some(node) = masters.get(usize::from(place.master)) else { return Err(is_partial()) };
    let (connection, within) = (node.connections.here(), place.within.as_deref());
    let page = page_at(&connection, pattern, within, limit, Some(question())).await?;
    let answer = page.answer.ok_or_else(unexpected_reply)?;
    place.was_disturbed |= settlement_of(&topology, node, answer).map_err(Failure::of_read)? != Settlement::Settled;
    place.within = page.next;
    if place.within.is_none() {
        place.master += 1;
    }
    if usize::from(place.master) < masters.len() {
        return Ok((page.names, Some(ScanCursor::from_bytes(place.bytes()))));
    }
    match settlement(&topology, &masters).await.map_err(Failure::of_read)? {
        Settlement::Settled if !place.was_disturbed => Ok((page.names, None)),
        Settlement::Moving => Err(is_partial()),
        Settlement::Settled | Settlement::Changed => {
            // No masters have this number: with the next page the scan starts again.
            place.topology = !place.topology;
            place.master = 0;
            Ok((page.names, Some(ScanCursor::from_bytes(place.bytes()))))
        }
    }
}

/// The state of slots.
#[derive(Debug, Eq, PartialEq)]
enum Settlement {
    /// Each is where it was, and stays there.
    Settled,
    /// Some are on their way.
    Moving,
    /// Some are elsewhere.
    Changed,
}

/// Asks each master which slots it has. One that is asked for those of the others may not have heard of a move.
async fn settlement(topology: &Topology, masters: &[Arc<Node>]) -> Result<Settlement, Failure> {
    for node in masters {
        let answer = node.connections.here().call(&question()).await?;
        match settlement_of(topology, node, answer)? {
            Settlement::Settled => {}
            other => return Ok(other),
        }
    }
    Ok(Settlement::Settled)
}

/// The question which slots a node has.
fn question() -> Cmd {
    let mut command = cmd("CLUSTER");
    command.arg("NODES");
    command
}

/// Compares the slots that a master says it has with those that it had.
fn settlement_of(topology: &Topology, node: &Node, answer: Value) -> Result<Settlement, Failure> {
    let text = match answer {
        Value::BulkString(text) => String::from_utf8_lossy(&text).into_owned(),
        Value::VerbatimString { text, .. } => text,
        _ => return Err(Failure::Unexpected),
    };
    Ok(match own_slots(&text).map(merged) {
        None => Settlement::Moving,
        Some(slots) if slots == topology.slots_of(node) => Settlement::Settled,
        Some(_) => Settlement::Changed,
    })
}

/// Returns the slots that a node says it has; `None` if some are on their way to it or from it.
fn own_slots(nodes: &str) -> Option<Vec<(u16, u16)>> {
    let own = nodes.lines().find(|line| line.split(' ').nth(2).is_some_and(|flags| flags.contains("myself")));
    let range = |slots: &str| {
        let (first, last) = slots.split_once('-').unwrap_or((slots, slots));
        Some((first.parse().ok()?, last.parse().ok()?))
    };
    own?.split(' ').skip(8).map(range).collect()
}

/// The place where a scan of a cluster goes on.
#[derive(Debug, Eq, PartialEq)]
struct Place {
    topology: u64,
    restarts: u8,
    /// True if a master lacked some of its slots when it was asked for a page.
    was_disturbed: bool,
    /// The number of the master, in the order of their addresses.
    master: u16,
    /// The place within that one.
    within: Option<Vec<u8>>,
}

impl Place {
    fn beginning(topology: u64, restarts: u8) -> Self {
        Self { topology, restarts, was_disturbed: false, master: 0, within: None }
    }

    fn bytes(&self) -> Vec<u8> {
        let within = self.within.as_deref().unwrap_or_default();
        let flags = [self.restarts, self.was_disturbed.into()];
        [&self.topology.to_be_bytes()[..], &flags, &self.master.to_be_bytes(), within].concat()
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let (topology, rest) = bytes.split_first_chunk()?;
        let ([restarts, was_disturbed], rest) = rest.split_first_chunk()?;
        let (master, within) = rest.split_first_chunk()?;
        Some(Self {
            topology: u64::from_be_bytes(*topology),
            restarts: *restarts,
            was_disturbed: *was_disturbed != 0,
            master: u16::from_be_bytes(*master),
            within: (!within.is_empty()).then(|| within.to_vec()),
        })
    }
}

fn is_partial() -> StoreError {
    StoreError::unavailable(
        "the list is not complete: slots of the cluster move between its nodes; list again when they have settled",
    )
}

/// Returns what the names of all entries of a kind look like.
pub(super) fn pattern(prefix: &str, kind: EntryKind) -> String {
    let special = |character: char| "*?[]^\\".contains(character);
    let escape = |character: char| if special(character) { vec!['\\', character] } else { vec![character] };
    let prefix: String = prefix.chars().flat_map(escape).collect();
    match kind {
        EntryKind::SessionList => format!("{prefix}@*"),
        EntryKind::Adoption => format!("{prefix}~*"),
        // Names of one length, none of which begins with `@` or `~`.
        _ => format!("{prefix}{}", "?".repeat(22)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_says_which_slots_it_has() {
        let other = "07c3 127.0.0.1:30004@31004,host slave e7d1 0 1426238317239 4 connected\n";
        let own = |slots: &str| {
            own_slots(&format!("{other}e7d1 127.0.0.1:30001@31001 myself,master - 0 0 1 connected{slots}\n"))
        };
        assert_eq!(own(" 0-5460 5462"), Some(vec![(0, 5460), (5462, 5462)]));
        assert_eq!(own(""), Some(Vec::new()));
        assert_eq!(own(" 0-5460 [93-<-292f]"), None);
        assert_eq!(own_slots(other), None);
    }

    #[test]
    fn a_place_comes_back_from_its_bytes() {
        for within in [None, Some(b"1234567890".to_vec())] {
            let place = Place { topology: 7, restarts: 2, was_disturbed: within.is_some(), master: 300, within };
            assert_eq!(Place::read(&place.bytes()).unwrap(), place);
        }
        assert!(Place::read(b"short").is_none());
    }
}

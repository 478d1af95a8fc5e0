//! The slots of keys, and the nodes that have them.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::iter;
use std::sync::Arc;

use ::redis::Value;

use super::Node;
use crate::redis::address::Address;

/// The number of slots.
const SLOTS: u16 = 16384;

/// Returns the slot of a key: of the part between the first braces if there is any.
pub(in crate::redis) fn slot_of(key: &[u8]) -> u16 {
    crc16(hash_tag(key).unwrap_or(key)) % SLOTS
}

/// Returns the part of a key that alone decides on its slot.
pub(in crate::redis) fn hash_tag(key: &[u8]) -> Option<&[u8]> {
    let (_, behind) = key.split_at(key.iter().position(|byte| *byte == b'{')? + 1);
    let (tag, _) = behind.split_at(behind.iter().position(|byte| *byte == b'}')?);
    (!tag.is_empty()).then_some(tag)
}

/// CRC-16/XMODEM, byte by byte.
fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, byte| (crc << 8) ^ TABLE[usize::from((crc >> 8) as u8 ^ *byte)])
}

static TABLE: [u16; 256] = table();

const fn table() -> [u16; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = (byte as u16) << 8;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 0x8000 == 0 { crc << 1 } else { (crc << 1) ^ 0x1021 };
            bit += 1;
        }
        table[byte] = crc;
        byte += 1;
    }
    table
}

/// The slots of one master, as a node says it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Range {
    pub(super) first: u16,
    pub(super) last: u16,
    pub(super) master: Address,
    pub(super) replicas: Vec<Address>,
}

/// Reads the reply to `CLUSTER SLOTS`. A node without a host has that of the node that answered.
pub(super) fn ranges_in(reply: Value, asked: &Address) -> Option<Vec<Range>> {
    let Value::Array(entries) = reply else { return None };
    let range = |entry| {
        let Value::Array(parts) = entry else { return None };
        let mut parts = parts.into_iter();
        let (Value::Int(first), Value::Int(last)) = (parts.next()?, parts.next()?) else { return None };
        let mut nodes = parts.map(|node| address_in(node, asked));
        let master = nodes.next()??;
        let (first, last) = (u16::try_from(first).ok()?, u16::try_from(last).ok()?);
        (first <= last && last < SLOTS).then(|| Range { first, last, master, replicas: nodes.flatten().collect() })
    };
    let ranges: Option<Vec<Range>> = entries.into_iter().map(range).collect();
    // A node that was not told of any cluster, or was made to forget it, knows none.
    ranges.filter(|ranges| !ranges.is_empty())
}

fn address_in(node: Value, asked: &Address) -> Option<Address> {
    let Value::Array(parts) = node else { return None };
    let mut parts = parts.into_iter();
    let host = match parts.next()? {
        Value::BulkString(host) => String::from_utf8(host).ok()?,
        Value::SimpleString(host) => host,
        Value::Nil => String::new(),
        _ => return None,
    };
    let Value::Int(port) = parts.next()? else { return None };
    let host = if ["", "?"].contains(&&*host) { asked.host.clone() } else { host };
    Some(Address { host, port: u16::try_from(port).ok()? })
}

/// Puts ranges in order, and makes one of those that touch each other.
pub(in crate::redis) fn merged(mut ranges: Vec<(u16, u16)>) -> Vec<(u16, u16)> {
    ranges.sort_unstable();
    let mut merged = Vec::<(u16, u16)>::with_capacity(ranges.len());
    for (first, last) in ranges {
        match merged.last_mut() {
            Some((_, end)) if first <= end.saturating_add(1) => *end = last.max(*end),
            _ => merged.push((first, last)),
        }
    }
    merged
}

/// The masters of all slots, as far as they are known.
#[derive(Default)]
pub(super) struct SlotMap {
    /// In order.
    ranges: Vec<(u16, u16, Arc<Node>)>,
    /// Slots of which a node said meanwhile that they are elsewhere.
    moved: HashMap<u16, Arc<Node>>,
    pub(super) replicas: HashSet<Address>,
}

impl SlotMap {
    pub(super) fn new(ranges: Vec<Range>, mut node_at: impl FnMut(&Address) -> Arc<Node>) -> Self {
        let replicas = ranges.iter().flat_map(|range| range.replicas.iter().cloned()).collect();
        let mut ranges: Vec<_> =
            ranges.into_iter().map(|range| (range.first, range.last, node_at(&range.master))).collect();
        ranges.sort_by_key(|(first, ..)| *first);
        Self { ranges, moved: HashMap::new(), replicas }
    }

    /// Returns the same map, but for one slot.
    pub(super) fn with_moved(&self, slot: u16, node: Arc<Node>) -> Self {
        let mut moved = self.moved.clone();
        moved.insert(slot, node);
        Self { ranges: self.ranges.clone(), moved, replicas: self.replicas.clone() }
    }

    pub(super) fn master_of(&self, slot: u16) -> Option<&Arc<Node>> {
        if !self.moved.is_empty()
            && let Some(node) = self.moved.get(&slot)
        {
            return Some(node);
        }
        let place = self.ranges.partition_point(|(_, last, _)| *last < slot);
        let (first, _, node) = self.ranges.get(place)?;
        (*first <= slot).then_some(node)
    }

    /// Returns the masters, each once, in the order of their addresses.
    pub(super) fn masters(&self) -> Vec<Arc<Node>> {
        self.masters_and(self.moved.values())
    }

    /// Returns the masters that a node named when it was asked for all of them.
    pub(super) fn settled_masters(&self) -> Vec<Arc<Node>> {
        self.masters_and(iter::empty())
    }

    fn masters_and<'a>(&'a self, others: impl Iterator<Item = &'a Arc<Node>>) -> Vec<Arc<Node>> {
        let mut masters: Vec<_> = self.ranges.iter().map(|(.., node)| node).chain(others).cloned().collect();
        masters.sort_by(|one, other| one.address.cmp(&other.address));
        masters.dedup_by(|one, other| one.address == other.address);
        masters
    }

    /// Returns the slots of a master as a node named them: in order, and ranges that touch each other are one.
    pub(super) fn slots_of(&self, node: &Node) -> Vec<(u16, u16)> {
        let own = self.ranges.iter().filter(|(.., master)| master.address == node.address);
        merged(own.map(|(first, last, _)| (*first, *last)).collect())
    }

    /// Returns whether nobody has answered yet.
    pub(super) fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// Returns whether each slot has a master.
    pub(super) fn is_complete(&self) -> bool {
        let covered = self.ranges.iter().map(|(first, last, _)| usize::from(last - first) + 1).sum::<usize>();
        covered == usize::from(SLOTS)
    }

    /// Returns a number that is another one when a slot has another master.
    pub(super) fn fingerprint(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        let mut before: Option<&Address> = None;
        for (first, _, node) in &self.ranges {
            // Ranges that were only cut differently are the same.
            if before != Some(&node.address) {
                (first, &node.address).hash(&mut hasher);
            }
            before = Some(&node.address);
        }
        hasher.finish()
    }
}

/// The slots of all masters, as a node said it at one time.
pub(in crate::redis) struct Topology(pub(super) Arc<SlotMap>);

impl Topology {
    /// Returns the masters in the order of their addresses.
    pub(in crate::redis) fn masters(&self) -> Vec<Arc<Node>> {
        self.0.settled_masters()
    }

    /// Returns a number that is another one when a slot has another master.
    pub(in crate::redis) fn fingerprint(&self) -> u64 {
        self.0.fingerprint()
    }

    /// Returns the slots of a master: in order, and ranges that touch each other are one.
    pub(in crate::redis) fn slots_of(&self, node: &Node) -> Vec<(u16, u16)> {
        self.0.slots_of(node)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The values are those of `CLUSTER KEYSLOT`.
    #[test]
    fn keys_have_the_slots_that_redis_gives_them() {
        for (key, slot) in [
            ("", 0),
            ("123456789", 12739),
            ("foo", 12182),
            ("{user1000}.following", 3443),
            ("{user1000}.followers", 3443),
            ("foo{}{bar}", 8363),
            ("foo{{bar}}zap", 4015),
            ("foo{bar}{zap}", 5061),
        ] {
            assert_eq!(slot_of(key.as_bytes()), slot, "{key}");
        }
        assert_eq!(hash_tag(b"{shop}:session:"), Some(&b"shop"[..]));
        assert_eq!(hash_tag(b"shop{:session:"), None);
        assert_eq!(slot_of(b"foo{bar}{zap}"), slot_of(b"bar"));
    }

    #[test]
    fn ranges_that_touch_each_other_are_one() {
        assert_eq!(merged(vec![(7, 9), (0, 3), (4, 5), (11, 11)]), [(0, 5), (7, 9), (11, 11)]);
        assert_eq!(merged(Vec::new()), []);
    }

    #[test]
    fn a_reply_is_read_and_one_without_slots_is_none() {
        let asked = Address { host: "asked".to_owned(), port: 1 };
        let read = |reply: &[u8]| ranges_in(::redis::parse_redis_value(reply).unwrap(), &asked);
        let node = "*4\r\n$3\r\none\r\n:7000\r\n$2\r\nid\r\n*0\r\n";
        let nameless = "*3\r\n$-1\r\n:7001\r\n$2\r\nid\r\n";
        let reply = format!("*1\r\n*4\r\n:0\r\n:5460\r\n{node}{nameless}");
        let ranges = read(reply.as_bytes()).unwrap();
        let address = |host: &str, port| Address { host: host.to_owned(), port };
        let (master, replicas) = (address("one", 7000), vec![address("asked", 7001)]);
        assert_eq!(ranges, [Range { first: 0, last: 5460, master, replicas }]);
        for reply in ["*0\r\n", "+OK\r\n", "*1\r\n*2\r\n:0\r\n:1\r\n", "*1\r\n*3\r\n:0\r\n:99999\r\n*2\r\n+a\r\n:1\r\n"]
        {
            assert_eq!(read(reply.as_bytes()), None, "{reply}");
        }
    }
}

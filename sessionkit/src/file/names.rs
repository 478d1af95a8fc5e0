//! The names of the directories and the files: all of them are made here, none comes from a request.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};

use sessionkit_core::{EntryKey, EntryKind};

/// The file that those lock who change something in its shard.
pub(super) const LOCK: &str = "lock";

const TEMPORARY: &str = "tmp-";

/// The number of shards, each a directory with a lock of its own.
///
/// A page of a scan lists one of them, so they should be small; a new store makes all of them, so they should be few.
pub(super) const SHARDS: u8 = 64;

/// Returns the shard of a key, a quarter of its first byte behind the kind. That one is random, or of a hash.
pub(super) fn shard_of(key: &EntryKey) -> u8 {
    key.as_bytes()[1] / 4
}

/// Returns the name of the directory of a shard.
pub(super) fn of_shard(shard: u8) -> String {
    let mut name = String::with_capacity(2);
    push_hex(&mut name, &[shard]);
    name
}

/// Returns the name of the file of an entry.
pub(super) fn of_entry(key: &EntryKey) -> String {
    let (kind, rest) = (key.kind().byte(), &key.as_bytes()[1..]);
    let mut name = String::with_capacity(1 + 2 * rest.len());
    name.push(char::from(kind));
    push_hex(&mut name, rest);
    name
}

/// Returns the key of the entry whose file has this name, in this shard; `None` if it is none of ours.
pub(super) fn key_of(name: &str, shard: u8) -> Option<EntryKey> {
    let (kind, digits) = name.split_at_checked(1)?;
    let kind = EntryKind::from_byte(kind.as_bytes()[0])?;
    let (pairs, []) = digits.as_bytes().as_chunks::<2>() else { return None };
    let mut bytes = vec![kind.byte()];
    for [high, low] in pairs {
        bytes.push(digit(*high)? << 4 | digit(*low)?);
    }
    EntryKey::from_bytes(&bytes).filter(|key| shard_of(key) == shard)
}

/// Returns a name for a file that is being written. Another process may have taken it all the same.
pub(super) fn temporary() -> String {
    // The standard library seeds it at random, and differently each time.
    let random = RandomState::new().build_hasher().finish();
    format!("{TEMPORARY}{random:016x}")
}

pub(super) fn is_temporary(name: &str) -> bool {
    name.strip_prefix(TEMPORARY)
        .is_some_and(|digits| digits.len() == 16 && digits.bytes().all(|it| digit(it).is_some()))
}

const DIGITS: &[u8; 16] = b"0123456789abcdef";

fn push_hex(name: &mut String, bytes: &[u8]) {
    for byte in bytes {
        name.extend([byte >> 4, byte & 15].map(|digit| char::from(DIGITS[usize::from(digit)])));
    }
}

fn digit(character: u8) -> Option<u8> {
    DIGITS.iter().position(|digit| *digit == character).map(|value| value as u8)
}

#[cfg(test)]
mod tests {
    use sessionkit_core::SessionId;

    use super::*;

    #[test]
    fn a_name_is_read_as_it_is_made() {
        let session = EntryKey::session(SessionId::from_bytes([0xfb; 16]));
        assert_eq!(of_entry(&session), "sfbfbfbfbfbfbfbfbfbfbfbfbfbfbfbfb");
        for key in [session, EntryKey::session_list("../..", "../\0/ada"), EntryKey::session_list("", "")] {
            let (name, shard) = (of_entry(&key), shard_of(&key));
            assert_eq!(key_of(&name, shard), Some(key));
            assert_eq!(key_of(&name, shard.wrapping_add(1)), None, "it is in another directory");
            assert!(name.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_lowercase()));
            for wrong in [name.to_uppercase(), format!("{name}0"), format!("{name}00"), name[2..].into()] {
                assert_eq!(key_of(&wrong, shard), None, "{wrong}");
            }
        }
        for foreign in ["", "s", "l", "lock", ".", "..", "é", "s\u{e9}", "README", &temporary()] {
            assert_eq!(key_of(foreign, 0), None, "{foreign}");
        }
    }

    #[test]
    fn temporary_names_differ_and_are_known() {
        let (one, other) = (temporary(), temporary());
        assert_ne!(one, other);
        assert!(is_temporary(&one) && is_temporary(&other));
        for foreign in ["tmp-", "tmp-1", "tmp-000000000000000G", "lock", "tmp-00000000000000000"] {
            assert!(!is_temporary(foreign), "{foreign}");
        }
    }
}

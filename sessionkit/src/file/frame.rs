//! The bytes of a file: a header of 32 bytes, and the entry behind it.
//!
//! The checksum is a part of SHA-256, which is in every program with sessions already. Beside a sync it costs nothing.

use sessionkit_core::{Entry, EntryKey};
use sha2::{Digest as _, Sha256};

/// The length of the header.
pub(super) const HEADER: usize = 32;

const MAGIC: [u8; 3] = *b"SKF";
const VERSION: u8 = 1;

/// The last version that there can be: anything else is damage.
const LAST_VERSION: u8 = 31;

const CHECKED: usize = 20;

/// The header of a file, as far as its first bytes are one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Header {
    bytes: [u8; HEADER],
}

impl Header {
    /// Reads a header; `None` if that is none. The checksum is not looked at: the entry is not there.
    pub(super) fn read(bytes: [u8; HEADER]) -> Option<Self> {
        let [m0, m1, m2, version, ..] = bytes;
        ([m0, m1, m2] == MAGIC && (1..=LAST_VERSION).contains(&version)).then_some(Self { bytes })
    }

    /// Returns the version of the format, if this release does not know it.
    pub(super) fn unknown_version(&self) -> Option<u8> {
        Some(self.bytes[3]).filter(|version| *version != VERSION)
    }

    /// Returns the time from which on the file may be removed, in seconds since the Unix epoch. It stands at this place
    /// in every version.
    ///
    /// If the time is damaged, so is the session, and nothing more is lost when it goes.
    pub(super) fn reclaim_at(&self) -> u64 {
        self.number(4)
    }

    /// Returns the length of the entry, which is at the end of the file. So it is in every version.
    pub(super) fn length(&self) -> u64 {
        self.number(12)
    }

    /// Returns whether these bytes are the entry that was stored under the key.
    pub(super) fn fits(&self, key: &EntryKey, entry: &[u8]) -> bool {
        self.length() == entry.len() as u64 && self.bytes[CHECKED..] == checksum(&self.bytes[..CHECKED], key, entry)
    }

    fn number(&self, at: usize) -> u64 {
        self.bytes[at..at + 8].iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
    }
}

/// Returns the bytes of the file of an entry.
pub(super) fn pack(key: &EntryKey, entry: &Entry, reclaim_at: u64) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEADER + entry.bytes().len());
    bytes.extend(MAGIC);
    bytes.push(VERSION);
    bytes.extend(reclaim_at.to_be_bytes());
    bytes.extend((entry.bytes().len() as u64).to_be_bytes());
    bytes.extend(checksum(&bytes, key, entry.bytes()));
    bytes.extend(entry.bytes());
    bytes
}

/// Returns the checksum. The key is in it, so a file under the name of another one is damaged.
fn checksum(header: &[u8], key: &EntryKey, entry: &[u8]) -> [u8; HEADER - CHECKED] {
    let hash = Sha256::new().chain_update(header).chain_update(key.as_bytes()).chain_update(entry).finalize();
    std::array::from_fn(|at| hash[at])
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use sessionkit_core::SessionId;

    use super::*;

    fn key(byte: u8) -> EntryKey {
        EntryKey::session(SessionId::from_bytes([byte; 16]))
    }

    fn is_whole(key: &EntryKey, bytes: &[u8]) -> bool {
        let Some((header, entry)) = bytes.split_first_chunk() else { return false };
        Header::read(*header).is_some_and(|header| header.unknown_version().is_none() && header.fits(key, entry))
    }

    #[test]
    fn a_frame_is_as_the_guide_says() {
        let entry = Entry::new(*b"entry", Duration::ZERO);
        let bytes = pack(&key(7), &entry, 0x0102_0304);
        assert_eq!(bytes[..20], *b"SKF\x01\0\0\0\0\x01\x02\x03\x04\0\0\0\0\0\0\0\x05");
        assert_eq!(bytes[32..], *b"entry");
        let hash = Sha256::digest([&bytes[..20], b"s", &[7; 16], b"entry"].concat());
        assert_eq!(bytes[20..32], hash[..12]);
        let header = Header::read(*bytes.first_chunk().unwrap()).unwrap();
        assert_eq!((header.reclaim_at(), header.length(), header.unknown_version()), (0x0102_0304, 5, None));
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_damage() {
        let entry = Entry::new(vec![3; 100], Duration::ZERO);
        let whole = pack(&key(7), &entry, 1_800_000_000);
        assert!(is_whole(&key(7), &whole) && !is_whole(&key(8), &whole));
        for at in 0..whole.len() * 8 {
            let mut flipped = whole.clone();
            flipped[at / 8] ^= 1 << (at % 8);
            assert!(!is_whole(&key(7), &flipped), "bit {at}");
        }
        assert!((0..whole.len()).all(|length| !is_whole(&key(7), &whole[..length])));
        assert!(!is_whole(&key(7), &[&whole[..], &[0]].concat()));
        assert!(is_whole(&key(7), &pack(&key(7), &Entry::from_bytes([]), u64::MAX)), "an empty entry is one");
    }
}

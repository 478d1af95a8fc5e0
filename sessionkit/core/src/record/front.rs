//! The first bytes of every entry: at the same places in every version of the format, so that any store finds them.

use std::fmt;
use std::ops::Range;

/// The version of the format that this release writes.
pub(crate) const VERSION: u8 = 1;

/// The last version that there can be: zeros and text are damage.
pub(crate) const LAST_VERSION: u8 = 31;

const VERSION_AT: usize = 0;
const KIND_AT: usize = 13;
const RECENT_AT: usize = 14;

/// The length of the front, in bytes.
pub(crate) const FRONT: usize = 30;

/// The number of revisions before the current one that an entry remembers.
pub(crate) const RECENT: usize = 4;

/// Names one state of an entry: a counter, and a random number that no other write has. New at every write.
///
/// It is what a store compares. It is no secret, but tells nothing either. No entry that the engine wrote has the default:
/// it stands for entries that are too short to have a revision.
#[derive(Clone, Copy, Default, Eq, Hash, PartialEq)]
pub struct Revision([u8; 8]);

impl Revision {
    /// The place of the revision among the bytes of every entry.
    pub const RANGE: Range<usize> = 1..9;

    /// Makes a revision from its bytes.
    pub const fn from_bytes(bytes: [u8; 8]) -> Self {
        Self(bytes)
    }

    /// Returns the bytes, as they stand in [`RANGE`](Self::RANGE).
    pub const fn as_bytes(&self) -> &[u8; 8] {
        &self.0
    }

    pub(crate) fn new(counter: u32, random: u32) -> Self {
        let mut bytes = [0; 8];
        bytes[..4].copy_from_slice(&counter.to_be_bytes());
        bytes[4..].copy_from_slice(&random.to_be_bytes());
        Self(bytes)
    }

    /// Returns the revision of the next write.
    pub(crate) fn next(self, random: u32) -> Self {
        Self::new(self.counter().wrapping_add(1), random)
    }

    pub(crate) fn counter(self) -> u32 {
        u32::from_be_bytes([self.0[0], self.0[1], self.0[2], self.0[3]])
    }

    pub(crate) fn random(self) -> u32 {
        u32::from_be_bytes([self.0[4], self.0[5], self.0[6], self.0[7]])
    }

    /// Returns how many writes lie between an earlier revision and this one; negative if this one is the earlier.
    pub(crate) fn writes_since(self, earlier: Self) -> i32 {
        self.counter().wrapping_sub(earlier.counter()) as i32
    }
}

impl fmt::Debug for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Revision({}, {:08x})", self.counter(), self.random())
    }
}

/// Counts the rotations of a session's secret: a commit made under an older generation is refused.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub struct Generation(u32);

impl Generation {
    /// The place of the generation among the bytes of every entry, big-endian.
    pub const RANGE: Range<usize> = 9..13;

    /// Makes a generation from its number.
    pub const fn from_number(number: u32) -> Self {
        Self(number)
    }

    /// Returns the number of the generation.
    pub const fn number(self) -> u32 {
        self.0
    }

    /// Returns the bytes, as they stand in [`RANGE`](Self::RANGE).
    pub const fn to_bytes(self) -> [u8; 4] {
        self.0.to_be_bytes()
    }

    pub(crate) const fn next(self) -> Self {
        Self(self.0.wrapping_add(1))
    }

    /// Returns whether the generation came after another; numbers wrap around.
    pub(crate) const fn is_after(self, other: Self) -> bool {
        (other.0.wrapping_sub(self.0) as i32) < 0
    }
}

/// The kind of an entry.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum EntryKind {
    /// A session.
    Session,
    /// The list of the sessions of one user.
    SessionList,
    /// The note of what became of a session of another system.
    Adoption,
}

impl EntryKind {
    /// Returns the byte that stands for the kind, in keys and in entries: `s` for a session, `l` for a list, `a` for an adoption.
    pub const fn byte(self) -> u8 {
        match self {
            Self::Session => b's',
            Self::SessionList => b'l',
            Self::Adoption => b'a',
        }
    }

    /// Reads what [`byte`](Self::byte) returned.
    pub fn from_byte(byte: u8) -> Option<Self> {
        [Self::Session, Self::SessionList, Self::Adoption].into_iter().find(|kind| kind.byte() == byte)
    }
}

/// The revision of an entry, and the random halves of the last ones before it, the newest first.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct History {
    pub(crate) revision: Revision,
    pub(crate) recent: [u32; RECENT],
}

impl History {
    /// Returns the history after one more write.
    pub(crate) fn next(self, random: u32) -> Self {
        let [first, second, third, _] = self.recent;
        Self { revision: self.revision.next(random), recent: [self.revision.random(), first, second, third] }
    }

    /// Returns whether this revision is the current one or one of the last before it.
    pub(crate) fn includes(&self, revision: Revision) -> bool {
        let distance = self.revision.writes_since(revision);
        match usize::try_from(distance) {
            Ok(0) => self.revision == revision,
            Ok(distance) => self.recent.get(distance - 1) == Some(&revision.random()),
            Err(_) => false,
        }
    }

    /// Returns whether the history no longer tells if it had this revision: too much was written since.
    pub(crate) fn forgets(&self, revision: Revision) -> bool {
        self.revision.writes_since(revision) > RECENT as i32
    }

    /// Reads the history of a packed entry that is known to be whole.
    pub(crate) fn of(packed: &[u8]) -> Self {
        let mut recent = [0; RECENT];
        let places = packed[RECENT_AT..FRONT].as_chunks::<4>().0;
        recent.iter_mut().zip(places).for_each(|(random, place)| *random = u32::from_be_bytes(*place));
        Self { revision: revision_of(packed).unwrap_or_default(), recent }
    }

    /// Writes the history to its place in a packed entry.
    pub(crate) fn write(&self, packed: &mut [u8]) {
        packed[Revision::RANGE].copy_from_slice(self.revision.as_bytes());
        let places = packed[RECENT_AT..FRONT].as_chunks_mut::<4>().0;
        places.iter_mut().zip(self.recent).for_each(|(place, random)| *place = random.to_be_bytes());
    }
}

/// Writes the front of an entry whose history follows later.
pub(crate) fn write_front(packed: &mut Vec<u8>, kind: EntryKind, generation: Generation) {
    debug_assert!(packed.is_empty());
    packed.resize(FRONT, 0);
    packed[VERSION_AT] = VERSION;
    packed[Generation::RANGE].copy_from_slice(&generation.to_bytes());
    packed[KIND_AT] = kind.byte();
}

/// Reads the front of an entry of this kind.
pub(crate) fn read_front(packed: &[u8], kind: EntryKind) -> Result<(Generation, History), Unreadable> {
    let version = *packed.first().ok_or(Unreadable::Damaged)?;
    if version != VERSION {
        let is_version = (1..=LAST_VERSION).contains(&version);
        return Err(if is_version { Unreadable::UnknownVersion(version) } else { Unreadable::Damaged });
    }
    if packed.len() < FRONT || packed[KIND_AT] != kind.byte() {
        return Err(Unreadable::Damaged);
    }
    let generation = generation_of(packed).ok_or(Unreadable::Damaged)?;
    Ok((generation, History::of(packed)))
}

pub(crate) fn revision_of(packed: &[u8]) -> Option<Revision> {
    packed.get(Revision::RANGE)?.try_into().ok().map(Revision)
}

pub(crate) fn generation_of(packed: &[u8]) -> Option<Generation> {
    packed.get(Generation::RANGE)?.try_into().ok().map(|bytes| Generation(u32::from_be_bytes(bytes)))
}

/// Returns whether an entry has this revision. One that is too short to have any is damaged, and has the default.
pub(crate) fn has_revision(packed: &[u8], held: Revision) -> bool {
    match packed.get(Revision::RANGE) {
        Some(found) => *found == held.0,
        None => held == Revision::default(),
    }
}

/// Returns whether an entry has this generation, or is too short to have any: then it is damaged, and can only be removed.
pub(crate) fn may_be_removed(packed: &[u8], held: Generation) -> bool {
    generation_of(packed).is_none_or(|generation| generation == held)
}

pub(crate) fn kind_of(packed: &[u8]) -> Option<EntryKind> {
    EntryKind::from_byte(*packed.get(KIND_AT)?)
}

/// The reason why bytes cannot be read as an entry.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Unreadable {
    /// A release wrote them that this one does not know: they are whole, and must not be touched.
    UnknownVersion(u8),
    /// They are not an entry, or not a whole one.
    Damaged,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownVersion(version) => write!(
                f,
                "version {version} of the format is not known to this release, which reads and writes version {VERSION}: \
                 let a newer release serve this session"
            ),
            Self::Damaged => f.write_str("what is stored is damaged, or was not written by SessionKit"),
        }
    }
}

impl std::error::Error for Unreadable {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_history_tells_its_own_writes_from_others() {
        let mut history = History { revision: Revision::new(u32::MAX - 1, 7), ..History::default() };
        let mut written = vec![history.revision];
        for random in 1..=6 {
            history = history.next(random);
            written.push(history.revision);
        }
        let last_five = &written[written.len() - 5..];
        assert!(last_five.iter().all(|revision| history.includes(*revision) && !history.forgets(*revision)));
        for old in &written[..written.len() - 5] {
            assert!(!history.includes(*old) && history.forgets(*old));
        }
        let other = Revision::new(history.revision.counter(), 99);
        assert!(!history.includes(other) && !history.forgets(other));
        let later = history.revision.next(1);
        assert!(!history.includes(later) && !history.forgets(later));
    }
}

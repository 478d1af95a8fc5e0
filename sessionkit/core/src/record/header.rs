//! The header of a record: whose it is, which secret opens it, and when it ends.

use std::sync::Arc;
use std::time::Duration;

use crate::record::details::LoginDetails;
use crate::time::Timestamp;
use crate::token::SecretHash;

/// The length of a header's fixed part when packed, in bytes.
pub const PACKED_HEADER: usize = 62;

/// The longest lifetime that a session can have, about 136 years; longer ones are cut.
const LONGEST: u64 = u32::MAX as u64 - 1;

/// Counts the rotations of a session's secret: a commit made under an older generation is refused.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub struct Generation(u32);

impl Generation {
    /// Makes a generation from its number.
    pub const fn from_number(number: u32) -> Self {
        Self(number)
    }

    /// The number of the generation.
    pub const fn number(self) -> u32 {
        self.0
    }

    pub(crate) const fn next(self) -> Self {
        Self(self.0.wrapping_add(1))
    }
}

/// Everything that a record knows of its session but the fields.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Header {
    /// When the session began.
    pub created: Timestamp,
    /// When its user last proved who they are; `None` for an anonymous session.
    pub authenticated: Option<Timestamp>,
    /// When the session was last known to be in use; exact to the touch throttle.
    pub last_seen: Timestamp,
    /// When the session ends unless it is used.
    pub idle_deadline: Timestamp,
    /// When the session ends even if it is used.
    pub absolute_deadline: Option<Timestamp>,
    /// The time that a touch grants.
    pub ttl: Duration,
    /// How often the secret was rotated.
    pub generation: Generation,
    /// The hash of the secret that opens the session.
    pub secret: SecretHash,
    /// The secret before a renewal, while it still opens the session.
    pub previous: Option<PreviousSecret>,
    /// The user who is logged in.
    pub user: Option<Arc<str>>,
    /// The device, as its user knows it.
    pub device_label: Option<Arc<str>>,
    /// What else is known of the login.
    pub details: Option<Arc<LoginDetails>>,
}

/// The secret that a renewal replaced.
#[derive(Clone, Copy, Debug)]
pub struct PreviousSecret {
    /// The hash of the old secret.
    pub secret: SecretHash,
    /// When the renewal happened.
    pub renewed: Timestamp,
    /// When it stops opening the session; `None` until the new secret is first used.
    pub until: Option<Timestamp>,
}

impl Header {
    /// Makes the header of a new anonymous session.
    pub fn new(secret: SecretHash, now: Timestamp, ttl: Duration, absolute: Option<Duration>) -> Self {
        let absolute_deadline = absolute.map(|absolute| now.saturating_add(absolute));
        Self {
            created: now,
            authenticated: None,
            last_seen: now,
            idle_deadline: now.saturating_add(ttl),
            absolute_deadline,
            ttl,
            generation: Generation::default(),
            secret,
            previous: None,
            user: None,
            device_label: None,
            details: None,
        }
    }

    /// When the session ends unless something happens: the earlier of the two deadlines.
    pub fn deadline(&self) -> Timestamp {
        self.absolute_deadline.map_or(self.idle_deadline, |absolute| absolute.min(self.idle_deadline))
    }

    /// Whether the session has ended. At its deadline it has.
    pub fn is_expired(&self, now: Timestamp) -> bool {
        now >= self.deadline()
    }

    /// Who proved that the session is theirs: the actor where somebody acts as another user, the user otherwise.
    pub(crate) fn owner(&self) -> Option<&Arc<str>> {
        self.details.as_ref().and_then(|details| details.actor.as_ref()).or(self.user.as_ref())
    }

    /// Packs the fixed part: version, generation, created, and the other times as offsets, then the hash.
    ///
    /// All numbers are big-endian. An offset is in seconds from `created`; zero means none for `authenticated` and
    /// `absolute_deadline`, whose offsets are stored plus one.
    pub fn pack(&self) -> [u8; PACKED_HEADER] {
        let offset = |time: Timestamp| time.saturating_duration_since(self.created).as_secs().min(LONGEST) as u32;
        let optional = |time: Option<Timestamp>| time.map_or(0, |time| offset(time) + 1);
        let mut packed = [0; PACKED_HEADER];
        packed[0] = 1;
        packed[1..5].copy_from_slice(&self.generation.0.to_be_bytes());
        packed[5..10].copy_from_slice(&self.created.unix_seconds().to_be_bytes()[3..]);
        packed[10..14].copy_from_slice(&optional(self.authenticated).to_be_bytes());
        packed[14..18].copy_from_slice(&offset(self.last_seen).to_be_bytes());
        packed[18..22].copy_from_slice(&offset(self.idle_deadline).to_be_bytes());
        packed[22..26].copy_from_slice(&optional(self.absolute_deadline).to_be_bytes());
        packed[26..30].copy_from_slice(&(self.ttl.as_secs().min(LONGEST) as u32).to_be_bytes());
        packed[30..].copy_from_slice(self.secret.as_bytes());
        packed
    }

    /// Reads what [`pack`](Self::pack) wrote; `None` for anything else. User, label,
    /// details and previous secret are not part of it.
    pub fn unpack(packed: &[u8]) -> Option<Self> {
        let packed: &[u8; PACKED_HEADER] = packed.try_into().ok()?;
        if packed[0] != 1 {
            return None;
        }
        let number = |at: usize| u32::from_be_bytes([packed[at], packed[at + 1], packed[at + 2], packed[at + 3]]);
        let created = Timestamp::from_unix_seconds((u64::from(packed[5]) << 32) | u64::from(number(6)));
        let time = |offset: u32| created.saturating_add(Duration::from_secs(u64::from(offset)));
        let optional = |offset: u32| offset.checked_sub(1).map(time);
        let mut secret = [0; 32];
        secret.copy_from_slice(&packed[30..]);
        Some(Self {
            created,
            authenticated: optional(number(10)),
            last_seen: time(number(14)),
            idle_deadline: time(number(18)),
            absolute_deadline: optional(number(22)),
            ttl: Duration::from_secs(u64::from(number(26))),
            generation: Generation(number(1)),
            secret: SecretHash::from_bytes(secret),
            previous: None,
            user: None,
            device_label: None,
            details: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packing_loses_nothing_of_the_fixed_part() {
        let now = Timestamp::from_unix_seconds(1_700_000_000);
        let mut header =
            Header::new(SecretHash::from_bytes([7; 32]), now, Duration::from_secs(60), Some(Duration::from_secs(90)));
        header.generation = Generation(70_000);
        header.authenticated = Some(now);
        header.last_seen = now.saturating_add(Duration::from_secs(30));
        let unpacked = Header::unpack(&header.pack()).unwrap();
        assert_eq!(unpacked.pack(), header.pack());
        assert_eq!(format!("{unpacked:?}"), format!("{header:?}"));
    }

    #[test]
    fn at_its_deadline_a_session_has_ended() {
        let now = Timestamp::from_unix_seconds(100);
        let header = Header::new(SecretHash::from_bytes([0; 32]), now, Duration::from_secs(10), None);
        assert!(!header.is_expired(Timestamp::from_unix_seconds(109)));
        assert!(header.is_expired(Timestamp::from_unix_seconds(110)));
    }
}

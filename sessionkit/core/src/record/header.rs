//! The header of a record: whose it is, which secret opens it, and when it ends.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use crate::record::clock::ClockNote;
use crate::record::details::LoginDetails;
use crate::record::front::{FRONT, Generation};
use crate::record::parts::OtherPart;
use crate::scope::{MainScope, SessionScope as _};
use crate::time::Timestamp;
use crate::token::SecretHash;

/// The length of a header's fixed part, in bytes.
pub(crate) const FIXED: usize = 57;

/// The longest lifetime that a session can have, about 136 years; longer ones are cut.
const LONGEST: u64 = u32::MAX as u64 - 1;

/// By how much clocks may differ without harm.
pub(crate) const LEEWAY: Duration = Duration::from_secs(30);

/// Everything that a record knows of its session but the fields.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Header {
    /// The name of the scope that the session belongs to.
    pub scope: Cow<'static, str>,
    /// The time at which the session began.
    pub created: Timestamp,
    /// The time at which its user last proved who they are; `None` for an anonymous session, and if the clock that said so
    /// was ahead.
    pub authenticated: Option<Timestamp>,
    /// The time at which the session was last known to be in use; exact to the touch throttle.
    pub last_seen: Timestamp,
    /// The time at which the session ends unless it is used.
    pub idle_deadline: Timestamp,
    /// The time at which the session ends even if it is used.
    pub absolute_deadline: Option<Timestamp>,
    /// The time that a touch grants.
    pub ttl: Duration,
    /// The number of rotations of the secret.
    pub generation: Generation,
    /// The hash of the secret that opens the session.
    pub secret: SecretHash,
    /// The secret before a renewal, while it still opens the session.
    pub previous: Option<PreviousSecret>,
    /// The last rotation of the secret.
    pub rotation: Option<LastRotation>,
    /// The secrets before the last rotation that still open the session, the one that its request came with first.
    pub former: Option<Arc<[FormerSecret]>>,
    /// The id of the user who is logged in.
    pub user_id: Option<Arc<str>>,
    /// The device, as its user knows it.
    pub device_label: Option<Arc<str>>,
    /// The details of the login.
    pub details: Option<Arc<LoginDetails>>,
    /// The note of a server to whose clock times of the header were ahead.
    pub(crate) clock: Option<Box<ClockNote>>,
    /// The parts that a later release wrote, in its order.
    pub(crate) other: Option<Arc<[OtherPart]>>,
}

/// The secret that a renewal replaced.
#[derive(Clone, Copy, Debug)]
pub struct PreviousSecret {
    /// The hash of the old secret.
    pub secret: SecretHash,
    /// The time at which the renewal happened.
    pub renewed: Timestamp,
    /// The time at which the new secret was first used.
    pub used: Option<Timestamp>,
    /// The time at which it stops opening the session; `None` until the new secret is first used.
    pub until: Option<Timestamp>,
}

/// The last time that the secret was replaced at once: by a login, a new proof of identity, or on request.
#[derive(Clone, Copy, Debug)]
pub struct LastRotation {
    /// The time at which it happened.
    pub at: Timestamp,
    /// The hash of the secret that its request came with. It opens nothing.
    pub replaced: SecretHash,
    /// The hash of another secret that had opened the session until then, during a renewal. It opens nothing either.
    pub beside: Option<SecretHash>,
    /// True if the session had the same owner before.
    pub same_owner: bool,
}

/// The secret that a rotation replaced and that opens the session for a while, with the setting `rotation_grace`: with the
/// rights that it had.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FormerSecret {
    /// The hash of the old secret.
    pub secret: SecretHash,
    /// The time at which it stops opening the session.
    pub until: Timestamp,
    /// The time at which the user had last proved who they are.
    pub authenticated: Option<Timestamp>,
    /// The methods by which they had done so.
    pub methods: Vec<String>,
}

impl LastRotation {
    /// Returns whether the secret opened the session until then.
    pub(crate) fn has_replaced(&self, secret: &SecretHash) -> bool {
        self.replaced == *secret || self.beside.is_some_and(|beside| beside == *secret)
    }
}

impl FormerSecret {
    /// Makes a session neither fresher nor more elevated than it was for this secret.
    pub(crate) fn give_rights(&self, header: &mut Header) {
        header.authenticated = self.authenticated;
        header.forget_proof();
        let mut details = header.details.as_deref().cloned().unwrap_or_default();
        details.methods.clone_from(&self.methods);
        header.details = details.shared();
    }
}

impl Header {
    /// Makes the header of a new anonymous session of the main scope.
    pub fn new(secret: SecretHash, now: Timestamp, ttl: Duration, absolute: Option<Duration>) -> Self {
        let absolute_deadline = absolute.map(|absolute| now.saturating_add(absolute));
        Self {
            scope: MainScope::NAME.into(),
            created: now,
            authenticated: None,
            last_seen: now,
            idle_deadline: now.saturating_add(ttl),
            absolute_deadline,
            ttl,
            generation: Generation::default(),
            secret,
            previous: None,
            rotation: None,
            former: None,
            user_id: None,
            device_label: None,
            details: None,
            clock: None,
            other: None,
        }
    }

    /// Returns when the session ends unless something happens: the earlier of the two deadlines.
    pub fn deadline(&self) -> Timestamp {
        self.absolute_deadline.map_or(self.idle_deadline, |absolute| absolute.min(self.idle_deadline))
    }

    /// Returns whether the session has ended. At its deadline it has.
    pub fn is_expired(&self, now: Timestamp) -> bool {
        now >= self.deadline()
    }

    /// Returns whether the session was given a lifetime of its own, so that its cookie outlives the browser.
    pub(crate) fn has_own_lifetime(&self) -> bool {
        self.details.as_ref().is_some_and(|details| details.own_lifetime)
    }

    /// Returns the rights of a secret that a rotation replaced, if it still opens the session.
    pub(crate) fn former_of(&self, secret: &SecretHash, now: Timestamp) -> Option<&FormerSecret> {
        self.former.as_deref()?.iter().find(|former| now < former.until && former.secret == *secret)
    }

    /// Returns who proved that the session is theirs: the actor if there is one, the user otherwise.
    pub fn owner(&self) -> Option<&Arc<str>> {
        self.details.as_ref().and_then(|details| details.actor.as_ref()).or(self.user_id.as_ref())
    }

    /// Writes the fixed part: created, and the other times as offsets, then the hash.
    ///
    /// All numbers are big-endian. An offset is in seconds from `created`; zero means none for `authenticated` and
    /// `absolute_deadline`, whose offsets are stored plus one.
    pub(crate) fn write_fixed(&self, packed: &mut Vec<u8>) {
        let offset = |time: Timestamp| time.saturating_duration_since(self.created).as_secs().min(LONGEST) as u32;
        let optional = |time: Option<Timestamp>| time.map_or(0, |time| offset(time) + 1);
        packed.extend_from_slice(&self.created.unix_seconds().to_be_bytes()[3..]);
        for number in [
            optional(self.authenticated),
            offset(self.last_seen),
            offset(self.idle_deadline),
            optional(self.absolute_deadline),
            self.ttl.as_secs().min(LONGEST) as u32,
        ] {
            packed.extend_from_slice(&number.to_be_bytes());
        }
        packed.extend_from_slice(self.secret.as_bytes());
    }

    /// Reads what [`write_fixed`](Self::write_fixed) wrote.
    #[inline]
    pub(crate) fn read_fixed(packed: &[u8; FIXED], generation: Generation) -> Self {
        let number = |at: usize| u32::from_be_bytes([packed[at], packed[at + 1], packed[at + 2], packed[at + 3]]);
        let created = Timestamp::from_unix_seconds((u64::from(packed[0]) << 32) | u64::from(number(1)));
        let time = |offset: u32| created.saturating_add(Duration::from_secs(u64::from(offset)));
        let optional = |offset: u32| offset.checked_sub(1).map(time);
        let mut secret = [0; 32];
        secret.copy_from_slice(&packed[25..]);
        Self {
            authenticated: optional(number(5)),
            last_seen: time(number(9)),
            idle_deadline: time(number(13)),
            absolute_deadline: optional(number(17)),
            generation,
            ..Self::new(SecretHash::from_bytes(secret), created, Duration::from_secs(u64::from(number(21))), None)
        }
    }
}

/// Returns the hash of the secret, which is at the same place in every version of a session.
pub(crate) fn secret_of(packed: &[u8]) -> Option<SecretHash> {
    let bytes = packed.get(FRONT..FRONT + FIXED)?.last_chunk::<32>()?;
    Some(SecretHash::from_bytes(*bytes))
}

/// Returns when the user proved who they are, as far as it is known: a proof from the future may be of any age.
pub(crate) fn proved_by(authenticated: Option<Timestamp>, now: Timestamp) -> Option<Timestamp> {
    authenticated.filter(|at| at.saturating_duration_since(now) <= LEEWAY).map(|at| at.min(now))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fixed_part_loses_nothing() {
        let now = Timestamp::from_unix_seconds(1_700_000_000);
        let mut header =
            Header::new(SecretHash::from_bytes([7; 32]), now, Duration::from_secs(60), Some(Duration::from_secs(90)));
        header.generation = Generation::from_number(70_000);
        header.authenticated = Some(now);
        header.last_seen = now.saturating_add(Duration::from_secs(30));
        let mut packed = Vec::new();
        header.write_fixed(&mut packed);
        let read = Header::read_fixed(packed[..].try_into().unwrap(), header.generation);
        assert_eq!(format!("{read:?}"), format!("{header:?}"));
    }

    #[test]
    fn at_its_deadline_a_session_has_ended() {
        let now = Timestamp::from_unix_seconds(100);
        let header = Header::new(SecretHash::from_bytes([0; 32]), now, Duration::from_secs(10), None);
        assert!(!header.is_expired(Timestamp::from_unix_seconds(109)));
        assert!(header.is_expired(Timestamp::from_unix_seconds(110)));
    }
}

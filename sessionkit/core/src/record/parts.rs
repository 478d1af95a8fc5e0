//! The parts of a header that are there only when needed, each under a tag.
//!
//! A tag is a byte: its low six bits are a number, its high two bits say what ends the part. A release keeps the parts
//! that it does not know, and ends them as their tags say.

use std::sync::Arc;
use std::time::Duration;

use crate::record::clock::ClockNote;
use crate::record::credential_stamp::CredentialStamp;
use crate::record::details::LoginDetails;
use crate::record::header::{FormerSecret, Header, LastRotation, PreviousSecret};
#[cfg(test)]
use crate::record::varint::write_number;
use crate::record::varint::{read_slice, write_slice};
use crate::scope::{MainScope, SessionScope as _};
use crate::time::Timestamp;
use crate::token::SecretHash;

/// The events that end a part of a header. Each includes those before it.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Ending {
    /// Another secret.
    Rotation,
    /// A proof of identity, and whatever ends less.
    Authentication,
    /// Another user or actor.
    UserChange,
}

const ENDS_WITH_AUTHENTICATION: u8 = 0 << 6;
const ENDS_WITH_ROTATION: u8 = 1 << 6;
const ENDS_WITH_USER: u8 = 2 << 6;
/// For what is not the user's.
const ENDS_WITH_SESSION: u8 = 3 << 6;

const END: u8 = 0;
pub(crate) const USER: u8 = 1 | ENDS_WITH_USER;
const LABEL: u8 = 2 | ENDS_WITH_AUTHENTICATION;
const METHODS: u8 = 3 | ENDS_WITH_AUTHENTICATION;
const ACTOR: u8 = 4 | ENDS_WITH_USER;
const STAMP: u8 = 5 | ENDS_WITH_AUTHENTICATION;
const PREVIOUS: u8 = 6 | ENDS_WITH_ROTATION;
const LAST_ROTATION: u8 = 7 | ENDS_WITH_ROTATION;
const FORMER: u8 = 9 | ENDS_WITH_ROTATION;
const CLOCK: u8 = 10 | ENDS_WITH_SESSION;
const OWN_LIFETIME: u8 = 11 | ENDS_WITH_AUTHENTICATION;
const SCOPE: u8 = 8 | ENDS_WITH_SESSION;

/// A part that this release does not know.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct OtherPart {
    tag: u8,
    bytes: Box<[u8]>,
}

impl OtherPart {
    /// Returns whether this ends the part.
    pub(crate) fn ends_with(&self, ending: Ending) -> bool {
        match self.tag & 0b1100_0000 {
            ENDS_WITH_ROTATION => true,
            ENDS_WITH_AUTHENTICATION => ending >= Ending::Authentication,
            ENDS_WITH_USER => ending >= Ending::UserChange,
            _ => false,
        }
    }
}

/// Writes the parts of a header, the user first, and the end of them.
pub(crate) fn write_parts(packed: &mut Vec<u8>, header: &Header) {
    let mut write = |tag: u8, bytes: &[u8]| {
        packed.push(tag);
        write_slice(packed, bytes);
    };
    if let Some(user) = &header.user_id {
        write(USER, user.as_bytes());
    }
    if header.scope != MainScope::NAME {
        write(SCOPE, header.scope.as_bytes());
    }
    if let Some(label) = &header.device_label {
        write(LABEL, label.as_bytes());
    }
    if let Some(details) = &header.details {
        if !details.methods.is_empty() {
            write(METHODS, details.methods.join(" ").as_bytes());
        }
        if let Some(actor) = &details.actor {
            write(ACTOR, actor.as_bytes());
        }
        if let Some(stamp) = &details.stamp {
            write(STAMP, stamp.as_bytes());
        }
        if details.own_lifetime {
            write(OWN_LIFETIME, &[]);
        }
    }
    if let Some(PreviousSecret { secret, renewed, used, until }) = &header.previous {
        let end = until.map(|until| [time(until), time(used.unwrap_or(*renewed))]);
        let end = end.as_ref().map_or(&[][..], |end| end.as_flattened());
        let parts = [&secret.as_bytes()[..], &time(*renewed)[..], end];
        write(PREVIOUS, &parts.concat());
    }
    if let Some(LastRotation { at, replaced, beside, same_owner }) = &header.rotation {
        let beside = beside.as_ref().map_or(&[][..], |beside| beside.as_bytes());
        write(LAST_ROTATION, &[&time(*at)[..], replaced.as_bytes(), &[u8::from(*same_owner)], beside].concat());
    }
    for former in header.former.iter().flat_map(|former| former.iter()) {
        let authenticated = former.authenticated.map_or([0; 5], time);
        let parts = [&former.secret.as_bytes()[..], &time(former.until)[..], &authenticated[..]];
        write(FORMER, &[&parts.concat()[..], former.methods.join(" ").as_bytes()].concat());
    }
    if let Some(note) = &header.clock {
        let lead = u32::try_from(note.lead.as_secs()).unwrap_or(u32::MAX);
        write(CLOCK, &[&time(note.noticed)[..], &lead.to_be_bytes(), &[note.times]].concat());
    }
    for OtherPart { tag, bytes } in header.other.iter().flat_map(|other| other.iter()) {
        write(*tag, bytes);
    }
    packed.push(END);
}

/// Reads the parts into a header; leaves what follows them. `None` if they are not whole.
pub(crate) fn read_parts(rest: &mut &[u8], header: &mut Header) -> Option<()> {
    let (mut details, mut other) = (LoginDetails::default(), Vec::new());
    let mut formers = Vec::new();
    loop {
        let (&tag, after) = rest.split_first()?;
        *rest = after;
        if tag == END {
            break;
        }
        let bytes = read_slice(rest)?;
        match tag {
            SCOPE => header.scope = text(bytes)?.to_owned().into(),
            USER => header.user_id = Some(text(bytes)?.into()),
            LABEL => header.device_label = Some(text(bytes)?.into()),
            METHODS => details.methods = methods(bytes)?,
            ACTOR => details.actor = Some(text(bytes)?.into()),
            STAMP => details.stamp = Some(CredentialStamp::from_bytes(bytes.try_into().ok()?)),
            OWN_LIFETIME => details.own_lifetime = true,
            PREVIOUS => header.previous = Some(previous(bytes)?),
            LAST_ROTATION => header.rotation = Some(last_rotation(bytes)?),
            FORMER => formers.push(former(bytes)?),
            CLOCK => header.clock = Some(Box::new(clock(bytes)?)),
            _ => other.push(OtherPart { tag, bytes: bytes.into() }),
        }
    }
    header.details = details.shared();
    header.former = (!formers.is_empty()).then(|| Arc::from(formers));
    header.other = (!other.is_empty()).then(|| Arc::from(other));
    Some(())
}

fn previous(bytes: &[u8]) -> Option<PreviousSecret> {
    let (secret, times) = bytes.split_first_chunk::<32>()?;
    let (renewed, end) = times.split_first_chunk::<5>()?;
    let (until, used) = match end.as_chunks::<5>() {
        ([], []) => (None, None),
        ([until, used], []) => (Some(read_time(*until)), Some(read_time(*used))),
        _ => return None,
    };
    Some(PreviousSecret { secret: SecretHash::from_bytes(*secret), renewed: read_time(*renewed), used, until })
}

fn last_rotation(bytes: &[u8]) -> Option<LastRotation> {
    let (at, rest) = bytes.split_first_chunk::<5>()?;
    let (replaced, rest) = rest.split_first_chunk::<32>()?;
    let (same_owner, beside) = rest.split_first()?;
    let same_owner = match same_owner {
        0 => false,
        1 => true,
        _ => return None,
    };
    let beside = match beside {
        [] => None,
        beside => Some(SecretHash::from_bytes(beside.try_into().ok()?)),
    };
    Some(LastRotation { at: read_time(*at), replaced: SecretHash::from_bytes(*replaced), beside, same_owner })
}

fn clock(bytes: &[u8]) -> Option<ClockNote> {
    let (noticed, rest) = bytes.split_first_chunk::<5>()?;
    let (lead, times) = rest.split_first_chunk::<4>()?;
    let lead = Duration::from_secs(u32::from_be_bytes(*lead).into());
    Some(ClockNote { noticed: read_time(*noticed), lead, times: *times.first()?, shown: None })
}

fn former(bytes: &[u8]) -> Option<FormerSecret> {
    let (secret, rest) = bytes.split_first_chunk::<32>()?;
    let (until, rest) = rest.split_first_chunk::<5>()?;
    let (authenticated, rest) = rest.split_first_chunk::<5>()?;
    Some(FormerSecret {
        secret: SecretHash::from_bytes(*secret),
        until: read_time(*until),
        authenticated: Some(read_time(*authenticated)).filter(|time| *time != Timestamp::default()),
        methods: methods(rest)?,
    })
}

/// Reads names with spaces between.
fn methods(bytes: &[u8]) -> Option<Vec<String>> {
    Some(text(bytes)?.split(' ').filter(|method| !method.is_empty()).map(str::to_owned).collect())
}

fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}

/// Five bytes of seconds since the Unix epoch, big-endian; what is later than the year 36812 is cut.
pub(crate) fn time(time: Timestamp) -> [u8; 5] {
    let [_, _, _, bytes @ ..] = time.unix_seconds().min(0xff_ffff_ffff).to_be_bytes();
    bytes
}

pub(crate) fn read_time(bytes: [u8; 5]) -> Timestamp {
    Timestamp::from_unix_seconds(bytes.iter().fold(0, |seconds, byte| (seconds << 8) | u64::from(*byte)))
}

/// Writes a part of a later release, for tests.
#[cfg(test)]
pub(crate) fn other_part(number: u8, ending: Ending, bytes: &[u8]) -> Vec<u8> {
    let ends = match ending {
        Ending::Rotation => ENDS_WITH_ROTATION,
        Ending::Authentication => ENDS_WITH_AUTHENTICATION,
        Ending::UserChange => ENDS_WITH_USER,
    };
    let mut part = vec![number | ends];
    write_number(&mut part, bytes.len() as u64);
    part.extend_from_slice(bytes);
    part
}

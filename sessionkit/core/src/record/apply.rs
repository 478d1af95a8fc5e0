//! The application of a delta to a record. Nothing else decides what a commit does.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use crate::encryption::{Cipher, Opener};
use crate::record::clock::{Seen, is_ahead};
use crate::record::delta::{
    Authenticate, Clear, Delta, FieldChanges, FieldDeadline, FieldKey, FieldOps, HeaderOp, StoredValue,
};
use crate::record::details::LoginDetails;
use crate::record::field_error::FieldError;
use crate::record::header::{FormerSecret, Header, LastRotation, PreviousSecret};
use crate::record::packing::{field_size, write_field, write_field_until};
use crate::record::parts::Ending;
use crate::record::{Draft, Record};
use crate::time::Timestamp;
use crate::token::SecretHash;

/// The largest number of secrets from before a rotation that still open a session: parallel requests may each have rotated
/// it, and the client has got the token of any of them.
const MOST_FORMER: usize = 4;

/// The outcome of a delta.
#[derive(Debug)]
pub(crate) enum Applied {
    /// This is the record from now on.
    Changed(Draft),
    /// There is nothing to write.
    Unchanged,
    /// The secret was rotated since the record was loaded.
    Stale,
    /// The session has ended.
    Gone,
}

/// The reason why a delta cannot be applied. The record stays as it is.
#[derive(Debug)]
pub(crate) enum Unfit {
    Field(FieldError),
    /// The fields would take so many bytes.
    TooLarge(usize),
}

/// Applies a delta to the newest record.
pub(crate) fn apply(record: &Record, delta: &Delta, now: Timestamp) -> Result<Applied, Unfit> {
    let seen = record.header().seen_at(now);
    if seen.as_ref().map_or(record.header(), |seen| &seen.header).is_expired(now) {
        return Ok(Applied::Gone);
    }
    if record.header().generation != delta.generation {
        return Ok(Applied::Stale);
    }
    if delta.former().is_some_and(|secret| record.header().former_of(&secret, now).is_none()) {
        return Ok(Applied::Stale);
    }
    let (header, is_header_changed) = changed_header(record.header(), seen, delta, now);
    let mut ops = match &delta.fields {
        Some(fields) => operations(&**fields, record, delta.cipher.as_deref(), now).map_err(Unfit::Field)?,
        None => FieldOps::default(),
    };
    if delta.clear != Clear::Nothing {
        ops.clear = delta.clear;
    }
    let fields = record.fields();
    let expires = fields.clone().packed().any(|(_, value, _)| !value.is_live(now));
    let clears = match ops.clear {
        // Most visitors have nothing that goes.
        Clear::AtLogin(_) => fields.clone().packed().any(|(_, value, _)| ops.clear.removes(value)),
        clear => clear != Clear::Nothing,
    };
    if !clears && ops.values.is_empty() && !expires && !record.has_field_ahead(now) {
        let Some(header) = header.filter(|_| is_header_changed) else { return Ok(Applied::Unchanged) };
        return Ok(Applied::Changed(record.draft_of_all(Some(header))));
    }
    let mut draft = record.draft(header, fields.as_bytes().len() + ops.values.len() * 64);
    let written = write_fields(&mut draft, record, &ops, now);
    if delta.fields.is_some() && written.after > delta.limit && written.after > written.before + ops.growth {
        // A record that is too large already, under an older setting or in another form, may still shrink.
        return Err(Unfit::TooLarge(written.after));
    }
    let is_corrected = written.corrected && delta.corrects();
    // What has expired goes with the next change, and makes none by itself.
    Ok(if is_header_changed || written.changed || is_corrected { Applied::Changed(draft) } else { Applied::Unchanged })
}

/// Returns what the changes of fields make of a record, encrypted if there are keys.
fn operations(
    fields: &dyn FieldChanges,
    record: &Record,
    cipher: Option<&Cipher>,
    now: Timestamp,
) -> Result<FieldOps, FieldError> {
    let Some(cipher) = cipher else { return fields.operations(record, Opener::without_keys(), now) };
    let mut ops = fields.operations(record, cipher.opener(), now)?;
    ops.encrypt(cipher, record, now);
    Ok(ops)
}

/// Returns the header after the operations of a delta, unless it is the same, and `true` if there is a change to store.
fn changed_header(before: &Header, seen: Option<Seen>, delta: &Delta, now: Timestamp) -> (Option<Header>, bool) {
    if delta.header.is_empty() {
        return (seen.map(|seen| seen.header), false);
    }
    let is_seen = seen.is_some();
    let mut changed = seen.as_ref().is_some_and(|seen| seen.is_news) && delta.corrects();
    let mut header = seen.map_or_else(|| before.clone(), |seen| seen.header);
    for op in &delta.header {
        changed |= match op {
            HeaderOp::KeepFormer { secret, at, until } => {
                header.former = Some(former_secrets(before, secret, *at, *until));
                true
            }
            op => apply_header(&mut header, op),
        };
    }
    header.renew_note(now);
    let same_owner = before.owner() == header.owner();
    if let Some(rotation) = header.rotation.as_mut().filter(|_| delta.rotates()) {
        rotation.same_owner = same_owner;
    }
    ((changed || is_seen).then_some(header), changed)
}

/// The sizes of the fields before and after a delta, and `true` if any of them changed.
struct Written {
    before: usize,
    after: usize,
    changed: bool,
    /// `true` if the deadline of a field was taken back.
    corrected: bool,
}

/// Writes the fields in one pass over those that are there.
fn write_fields(draft: &mut Draft, record: &Record, ops: &FieldOps, now: Timestamp) -> Written {
    let Draft { packed, granted, .. } = draft;
    let index = Index::of(&ops.values);
    let mut met = vec![false; ops.values.len()];
    let mut written = Written { before: 0, after: 0, changed: false, corrected: false };
    for (key, held, bytes) in record.fields().packed() {
        if !held.is_live(now) {
            continue;
        }
        let size = field_size(key, held);
        written.before += size;
        match index.position(&ops.values, key) {
            Some(at) => {
                met[at] = true;
                match &ops.values[at].1 {
                    Some(value) if value.as_ref() == held => {
                        packed.extend_from_slice(bytes);
                        *granted = (*granted).max(held.granted());
                        written.after += size;
                    }
                    Some(value) => {
                        write_field(packed, &ops.values[at].0, value.as_ref());
                        written.after += field_size(key, value.as_ref());
                        written.changed = true;
                        *granted = (*granted).max(value.as_ref().granted());
                    }
                    None => written.changed = true,
                }
            }
            None if ops.clear.removes(held) => {
                written.changed = true;
            }
            None => {
                match held.deadline {
                    Some(FieldDeadline { ttl, .. }) if is_ahead(held.granted(), now) => {
                        write_field_until(packed, bytes, now.saturating_add(ttl));
                        *granted = (*granted).max(now);
                        written.corrected = true;
                    }
                    _ => {
                        packed.extend_from_slice(bytes);
                        *granted = (*granted).max(held.granted());
                    }
                }
                written.after += size;
            }
        }
    }
    for (at, (key, value)) in ops.values.iter().enumerate() {
        if let Some(value) =
            value.as_ref().filter(|_| !met[at] && index.position(&ops.values, key.as_bytes()) == Some(at))
        {
            write_field(packed, key, value.as_ref());
            written.after += field_size(key.as_bytes(), value.as_ref());
            written.changed = true;
            *granted = (*granted).max(value.as_ref().granted());
        }
    }
    written
}

/// Finds the last operation on a key. A few are looked through, many are hashed.
enum Index<'a> {
    Few,
    Many(HashMap<&'a [u8], usize>),
}

impl<'a> Index<'a> {
    fn of(values: &'a [(FieldKey, Option<StoredValue>)]) -> Self {
        if values.len() <= 8 {
            return Self::Few;
        }
        Self::Many(values.iter().enumerate().map(|(at, (key, _))| (key.as_bytes(), at)).collect())
    }

    fn position(&self, values: &[(FieldKey, Option<StoredValue>)], key: &[u8]) -> Option<usize> {
        match self {
            Self::Few => values.iter().rposition(|(name, _)| name.as_bytes() == key),
            Self::Many(positions) => positions.get(key).copied(),
        }
    }
}

/// Applies one operation; `false` if it changes nothing.
fn apply_header(header: &mut Header, op: &HeaderOp) -> bool {
    match op {
        HeaderOp::Authenticate(authenticate) => {
            self::authenticate(header, authenticate);
            true
        }
        HeaderOp::ActAs { user, details } => {
            header.end_parts(Ending::UserChange);
            header.user_id = Some(user.clone());
            header.details.clone_from(details);
            true
        }
        HeaderOp::Rotate { secret, replaced, at } => {
            header.end_parts(Ending::Rotation);
            let beside = header.renewed_secrets(*at).map(|(secret, _)| secret).find(|secret| secret != replaced);
            header.rotation = Some(LastRotation { at: *at, replaced: *replaced, beside, same_owner: true });
            header.secret = *secret;
            (header.previous, header.former) = (None, None);
            header.generation = header.generation.next();
            true
        }
        HeaderOp::EndGeneration => {
            header.generation = header.generation.next();
            true
        }
        HeaderOp::Renew { if_current, secret, at } => header.secret == *if_current && renew(header, *secret, *at),
        HeaderOp::EndPrevious { if_current, at, until } => {
            let current = header.secret == *if_current;
            let Some(previous) = header.previous.as_mut().filter(|_| current) else { return false };
            if previous.until.is_some_and(|earlier| earlier <= *until) {
                return false;
            }
            (previous.used, previous.until) = (Some(*at), Some(*until));
            true
        }
        HeaderOp::TakeFormerRights { secret } => {
            let formers = header.former.clone();
            let former = formers.iter().flat_map(|formers| formers.iter()).find(|former| former.secret == *secret);
            let Some(former) = former else { return false };
            former.give_rights(header);
            true
        }
        // It depends on the header before all operations.
        HeaderOp::KeepFormer { .. } => false,
        HeaderOp::EndFormer { if_current } => header.secret == *if_current && header.former.take().is_some(),
        HeaderOp::Touch { last_seen, idle_deadline } => {
            let latest = header.absolute_deadline.unwrap_or(*idle_deadline).min(*idle_deadline);
            let changed = header.last_seen < *last_seen || header.idle_deadline < latest;
            header.last_seen = header.last_seen.max(*last_seen);
            header.idle_deadline = header.idle_deadline.max(latest);
            changed
        }
        HeaderOp::SetAnonymousTtl { ttl, at } => header.user_id.is_none() && set_ttl(header, *ttl, *at),
        HeaderOp::Correct => false,
    }
}

fn authenticate(header: &mut Header, op: &Authenticate) {
    let Authenticate { user, at, is_proved, ttl, absolute_deadline, device_label, details } = op;
    let another = header.user_id.as_ref().is_some_and(|before| before != user);
    header.end_parts(if another { Ending::UserChange } else { Ending::Authentication });
    header.user_id = Some(user.clone());
    // A clock that was ahead may have begun the session: no time of a login lies before its beginning.
    header.clock = None;
    header.created = header.created.min(*at);
    header.authenticated = is_proved.then_some(*at);
    header.last_seen = *at;
    header.ttl = *ttl;
    header.idle_deadline = at.saturating_add(*ttl);
    header.absolute_deadline = *absolute_deadline;
    header.device_label.clone_from(device_label);
    header.details.clone_from(details);
}

fn renew(header: &mut Header, secret: SecretHash, at: Timestamp) -> bool {
    let replaced = match header.previous {
        Some(PreviousSecret { until: Some(until), .. }) if at < until => return false,
        Some(PreviousSecret { secret, until: None, .. }) => secret,
        _ => header.secret,
    };
    header.previous = Some(PreviousSecret { secret: replaced, renewed: at, used: None, until: None });
    header.secret = secret;
    true
}

/// Gives the session another idle time, which begins now. The absolute deadline stays.
fn set_ttl(header: &mut Header, ttl: Duration, at: Timestamp) -> bool {
    if header.ttl == ttl {
        return false;
    }
    let idle_deadline = at.saturating_add(ttl);
    header.ttl = ttl;
    // An anonymous session has no details of a login.
    header.details = LoginDetails { own_lifetime: true, ..LoginDetails::default() }.shared();
    header.last_seen = header.last_seen.max(at);
    header.idle_deadline = header.absolute_deadline.map_or(idle_deadline, |latest| latest.min(idle_deadline));
    true
}

/// Returns the secrets that open a session, each with the rights that it has. The one that a request came with is the
/// first.
fn former_secrets(header: &Header, came_with: &SecretHash, now: Timestamp, until: Timestamp) -> Arc<[FormerSecret]> {
    let renewed = header.renewed_secrets(now).map(|(secret, end)| FormerSecret {
        secret,
        until: end.map_or(until, |end| end.min(until)),
        authenticated: header.authenticated,
        methods: header.details.as_ref().map(|details| details.methods.clone()).unwrap_or_default(),
    });
    let former = header.former.iter().flat_map(|former| former.iter()).filter(|former| now < former.until);
    let mut secrets: Vec<FormerSecret> = renewed.chain(former.cloned()).collect();
    if let Some(position) = secrets.iter().position(|former| former.secret == *came_with) {
        secrets[..=position].rotate_right(1);
        // A secret that a renewal has replaced already opens nothing for longer than it would have.
        if header.previous.is_none_or(|previous| previous.secret != *came_with) {
            secrets[0].until = until;
        }
    }
    secrets.truncate(MOST_FORMER);
    secrets.into()
}

impl Header {
    /// Returns the secrets that open the session with its full rights, and their ends: the current one, and the one that a
    /// renewal replaced.
    fn renewed_secrets(&self, now: Timestamp) -> impl Iterator<Item = (SecretHash, Option<Timestamp>)> + use<> {
        let previous = self.previous.filter(|previous| previous.until.is_none_or(|until| now < until));
        let previous = previous.map(|previous| (previous.secret, previous.until));
        std::iter::once((self.secret, None)).chain(previous)
    }

    /// Drops the parts of later releases that this ends.
    fn end_parts(&mut self, ending: Ending) {
        if let Some(other) = &self.other {
            let kept: Vec<_> = other.iter().filter(|part| !part.ends_with(ending)).cloned().collect();
            self.other = (!kept.is_empty()).then(|| kept.into());
        }
    }
}

#[cfg(test)]
mod tests;

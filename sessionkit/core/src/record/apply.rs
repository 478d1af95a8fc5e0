//! Applying a delta to a record: the reference for every store.

use std::borrow::Cow;

use crate::data::field::parse_counter;
use crate::record::Record;
use crate::record::delta::{Authenticate, Delta, FieldOp, HeaderOp, ValueRef};
use crate::record::header::{Generation, Header, PreviousSecret};
use crate::record::packing::Packer;
use crate::store::{CommitOutcome, Receipt, StoreError};
use crate::time::Timestamp;
use crate::token::SecretHash;

impl Record {
    /// Applies `delta` as [`Store::commit`](crate::Store::commit) must, for stores that read, change and write a record
    /// under a lock of their own. The record is changed only if the outcome is `Committed`.
    ///
    /// # Errors
    /// Fails when an `Add` meets a value that is not an integer.
    pub fn apply(
        &mut self,
        generation: Generation,
        delta: &Delta,
        now: Timestamp,
    ) -> Result<CommitOutcome, StoreError> {
        if self.header().is_expired(now) {
            return Ok(CommitOutcome::Gone);
        }
        if self.header().generation != generation {
            return Ok(CommitOutcome::Stale);
        }
        match self.applied(delta, now)? {
            Some(record) => *self = record,
            None => return Ok(CommitOutcome::Conflict(self.clone())),
        }
        Ok(CommitOutcome::Committed(Receipt::of(self.header())))
    }

    /// The record with `delta` applied, or `None` if a field holds another value than expected.
    pub(crate) fn applied(&self, delta: &Delta, now: Timestamp) -> Result<Option<Self>, StoreError> {
        let mut record = self.clone();
        for op in &delta.header {
            apply_header(record.header_mut(), op);
        }
        let expired = self.fields().any(|(_, value)| !value.is_live(now));
        if delta.fields.is_empty() && !expired {
            return Ok(Some(record));
        }
        let mut fields: Vec<(&str, Value<'_>)> = Vec::with_capacity(8);
        let live = self.fields().packed().filter(|(_, value, _)| value.is_live(now));
        fields.extend(live.map(|(key, value, packed)| (key, Value { packed: Some(packed), ..value.into() })));
        for op in &delta.fields {
            if !apply_field(&mut fields, op)? {
                return Ok(None);
            }
        }
        let added = delta.fields.len() * 64;
        let mut packer = Packer::new(record.header().clone(), record.fields().size() + added);
        for (key, value) in &fields {
            match value.packed {
                Some(packed) => packer.keep(packed),
                None => packer.write(key, value.as_ref()),
            }
        }
        Ok(Some(packer.finish()))
    }
}

/// A value that is still the record's, or the delta's, or was computed.
struct Value<'a> {
    bytes: Cow<'a, [u8]>,
    carried: bool,
    deadline: Option<Timestamp>,
    /// The whole field as the record has it packed, where it is still the record's.
    packed: Option<&'a [u8]>,
}

impl Value<'_> {
    fn as_ref(&self) -> ValueRef<'_> {
        ValueRef { bytes: &self.bytes, carried: self.carried, deadline: self.deadline }
    }
}

impl<'a> From<ValueRef<'a>> for Value<'a> {
    fn from(value: ValueRef<'a>) -> Self {
        Self { bytes: Cow::Borrowed(value.bytes), carried: value.carried, deadline: value.deadline, packed: None }
    }
}

fn apply_header(header: &mut Header, op: &HeaderOp) {
    match op {
        HeaderOp::Authenticate(Authenticate { user, at, ttl, absolute_deadline, device_label: label, details }) => {
            header.user = Some(user.clone());
            // A clock that was ahead may have begun the session: no time of a login lies before its beginning.
            header.created = header.created.min(*at);
            header.authenticated = Some(*at);
            header.last_seen = *at;
            header.ttl = *ttl;
            header.idle_deadline = at.saturating_add(*ttl);
            header.absolute_deadline = *absolute_deadline;
            header.device_label.clone_from(label);
            header.details.clone_from(details);
        }
        HeaderOp::ActAs { user, details } => {
            header.user = Some(user.clone());
            header.details.clone_from(details);
        }
        HeaderOp::Rotate { secret } => {
            header.secret = *secret;
            header.previous = None;
            header.generation = header.generation.next();
        }
        HeaderOp::Renew { if_current, secret, at } => {
            if header.secret == *if_current {
                renew(header, *secret, *at);
            }
        }
        HeaderOp::EndPrevious { if_current, until } => {
            if let Some(previous) = header.previous.as_mut().filter(|_| header.secret == *if_current) {
                previous.until = Some(previous.until.map_or(*until, |earlier| earlier.min(*until)));
            }
        }
        HeaderOp::Touch { last_seen, idle_deadline } => {
            header.last_seen = header.last_seen.max(*last_seen);
            let latest = header.absolute_deadline.unwrap_or(*idle_deadline).min(*idle_deadline);
            header.idle_deadline = header.idle_deadline.max(latest);
        }
    }
}

fn renew(header: &mut Header, secret: SecretHash, at: Timestamp) {
    let replaced = match header.previous {
        Some(PreviousSecret { until: Some(until), .. }) if at < until => return,
        Some(PreviousSecret { secret, until: None, .. }) => secret,
        _ => header.secret,
    };
    header.previous = Some(PreviousSecret { secret: replaced, renewed: at, until: None });
    header.secret = secret;
}

/// Applies one operation; `false` if the field holds another value than expected.
fn apply_field<'a>(fields: &mut Vec<(&'a str, Value<'a>)>, op: &'a FieldOp) -> Result<bool, StoreError> {
    let position = |fields: &[(&str, Value<'_>)], key: &str| fields.iter().position(|(name, _)| *name == key);
    match op {
        FieldOp::Set { key, value } => put(fields, key, value.as_ref().into()),
        FieldOp::Replace { key, expected, value } => {
            let held = position(fields, key).map(|at| &*fields[at].1.bytes);
            if held != expected.as_deref() {
                return Ok(false);
            }
            match value {
                Some(value) => put(fields, key, value.as_ref().into()),
                None => fields.retain(|(name, _)| name != key),
            }
        }
        FieldOp::Remove { key } => fields.retain(|(name, _)| name != key),
        FieldOp::Add { key, by, min, max, carried } => {
            let held = match position(fields, key) {
                Some(at) => parse_counter(&fields[at].1.bytes).ok_or_else(|| StoreError::corrupt(key))?,
                None => 0,
            };
            let sum = held.saturating_add(*by).max(*min).min(*max);
            let value =
                Value { bytes: sum.to_string().into_bytes().into(), carried: *carried, deadline: None, packed: None };
            put(fields, key, value);
        }
        FieldOp::Clear { keep_carried } => fields.retain(|(_, value)| *keep_carried && value.carried),
    }
    Ok(true)
}

fn put<'a>(fields: &mut Vec<(&'a str, Value<'a>)>, key: &'a str, value: Value<'a>) {
    match fields.iter_mut().find(|(name, _)| *name == key) {
        Some((_, held)) => *held = value,
        None => fields.push((key, value)),
    }
}

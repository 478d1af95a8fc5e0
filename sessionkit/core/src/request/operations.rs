//! The effect of a request's changes on a record, computed anew from the newest one at each attempt to commit.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::data::Merge;
use crate::data::entries::{Items, Split};
use crate::data::field::counter;
use crate::data::snapshot::{Snapshot, entry_of, is_field};
use crate::data::three_way::ThreeWay;
use crate::encryption::Opener;
use crate::engine::open::Current;
use crate::record::Record;
use crate::record::delta::{Clear, FieldChanges, FieldKey, FieldOps, StoredValue, ValueRef};
use crate::record::field_error::FieldError;
use crate::record::packing::field_size;
use crate::record::reserved::CSRF_SEED;
use crate::request::changes::{Change, ChangeKind, Changes};
use crate::time::Timestamp;
use crate::token::SessionId;

/// The changes of a request, and the records that it saw.
pub(crate) struct RequestChanges {
    pub(crate) changes: Changes,
    /// The last record; `None` if there was none.
    pub(crate) origin: Option<SeenRecord>,
    /// Those before it, which a login or a rotation of the request replaced.
    pub(crate) earlier: Vec<Option<SeenRecord>>,
}

/// A record as the request saw it, and the session that it was of.
pub(crate) type SeenRecord = (SessionId, Record);

impl RequestChanges {
    /// Takes the changes of a request, unless there are none.
    pub(crate) fn new(
        changes: Changes,
        current: Option<&Current>,
        earlier: Vec<Option<SeenRecord>>,
    ) -> Option<Arc<Self>> {
        let origin = current.map(Current::seen);
        (!changes.is_empty()).then(|| Arc::new(Self { changes, origin, earlier }))
    }
}

/// Returns a record with what decrypts its values.
fn opened<'a>(seen: &'a Option<SeenRecord>, opener: Opener<'a>) -> Option<(&'a Record, Opener<'a>)> {
    seen.as_ref().map(|(id, record)| (record, opener.of(*id)))
}

/// The new value of each field; `None` removes it.
type Values = Vec<(FieldKey, Option<StoredValue>)>;

impl FieldChanges for RequestChanges {
    fn operations(&self, newest: &Record, opener: Opener<'_>, now: Timestamp) -> Result<FieldOps, FieldError> {
        let Self { changes, origin, earlier } = self;
        let mut origin = changes.stored(opened(origin, opener), now);
        let mut earlier: Vec<_> = earlier.iter().map(|record| changes.stored(opened(record, opener), now)).collect();
        let mut newest = changes.stored(Some((newest, opener)), now);
        let mut values = Values::new();
        for (_, upgrade) in &changes.upgrades {
            upgrade(&mut origin)?;
            for earlier in &mut earlier {
                upgrade(earlier)?;
            }
            values.extend(upgrade(&mut newest)?);
        }
        let migrated = values.len();
        let (mut taken_apart, mut growth): (Vec<&str>, usize) = (Vec::new(), 0);
        for change in changes.changes() {
            if let Merge::Entries(split) = change.field.merge
                && !taken_apart.contains(&change.field.key)
            {
                taken_apart.push(change.field.key);
                growth += changes.take_apart(change, split, &newest, &mut values)?;
            }
            if change.is_put() && is_field(&change.key) {
                changes.remove_entries(&change.key, &newest, &mut values);
            }
            let origin = change.origin_among(&earlier).unwrap_or(&origin);
            let kept = if changes.keeps_flash { change.untaken(origin)? } else { None };
            kept.as_ref().unwrap_or(change).write(origin, &newest, &mut values)?;
        }
        // A migration is stored together with a change, and makes none by itself.
        if values.len() == migrated {
            values.clear();
        }
        let clear = if changes.cleared { Clear::All } else { Clear::Nothing };
        Ok(FieldOps { clear, growth, values })
    }

    fn is_repeatable(&self) -> bool {
        self.changes.changes.iter().all(|change| match change.kind {
            ChangeKind::Write { .. } | ChangeKind::Put { .. } => true,
            ChangeKind::Add { by, .. } => by == 0,
            ChangeKind::Merge { .. } => false,
        })
    }
}

impl Changes {
    /// Removes the stored entries of a field, except those that were changed.
    fn remove_entries(&self, name: &str, newest: &Snapshot<'_>, values: &mut Values) {
        let changed: BTreeSet<&str> = self.changes.iter().filter_map(|change| entry_of(&change.key, name)).collect();
        for entry in newest.entry_names(name).filter(|entry| !changed.contains(entry)) {
            values.push((format!("{name}/{entry}").into(), None));
        }
    }

    /// Moves a map or set that is stored in one piece to entries of its own, so that one of them can be changed. Returns by
    /// how many bytes they are larger.
    fn take_apart(
        &self,
        change: &Change,
        split: Split,
        newest: &Snapshot<'_>,
        values: &mut Values,
    ) -> Result<usize, FieldError> {
        let field = change.field;
        let is_put = |name: &str| self.change(name).is_some();
        // It would hide the entries again, once its key is back.
        let lost = field.names().filter(|name| !is_put(name) && newest.is_undecryptable(name));
        values.extend(lost.map(|name| (name.into(), None)));
        let Some((name, held)) = newest.held(field).next() else { return Ok(0) };
        let items = if field.names().any(is_put) {
            // What this request put in its place, and took apart already, is all there is.
            Items::default()
        } else {
            let items = change.on_error.fit(split(held.bytes)).map_err(|reason| FieldError::decode(field, reason))?;
            // What does not fit was reported when it was read.
            let Some(items) = items else { return Ok(0) };
            items
        };
        for (name, _) in newest.held(field).filter(|(name, _)| !is_put(name)) {
            values.push((name.into(), None));
        }
        let mut size = 0;
        for (entry, bytes) in items.iter() {
            let sensitive = held.sensitive || field.sensitive;
            let value = StoredValue { bytes: bytes.to_vec(), sensitive, ..held.to_owned() };
            let key = format!("{}/{entry}", field.key);
            size += field_size(key.as_bytes(), value.as_ref());
            values.push((key.into(), Some(value)));
        }
        Ok(size.saturating_sub(field_size(name.as_bytes(), held)))
    }
}

impl Change {
    /// Returns the change without what it took of a `flash` field: what was set stays, beside what was there. `None` for other
    /// fields.
    fn untaken(&self, origin: &Snapshot<'_>) -> Result<Option<Self>, FieldError> {
        let (Merge::Flash(merge), ChangeKind::Merge { mine, origin: number, .. }) = (self.field.merge, &self.kind)
        else {
            return Ok(None);
        };
        let (field, on_error, base) = (self.field, self.on_error, origin.field(self.field));
        let set = merge(ThreeWay { field, base, mine: mine.as_deref(), theirs: None, on_error })?;
        let mine = merge(ThreeWay { field, base: None, mine: set.as_deref(), theirs: base, on_error })?;
        Ok(Some(Self { kind: ChangeKind::Merge { merge, mine, origin: *number }, ..self.clone() }))
    }

    /// Adds what the change makes of its field.
    fn write(&self, origin: &Snapshot<'_>, newest: &Snapshot<'_>, values: &mut Values) -> Result<(), FieldError> {
        let key = self.key.clone();
        match &self.kind {
            ChangeKind::Write { value } => {
                values.extend(self.aliases().map(|alias| (alias, None)));
                values.push((key, value.as_ref().map(|bytes| self.field.value(bytes, newest.now()))));
            }
            ChangeKind::Put { value } => {
                let flags = |held: ValueRef<'_>| StoredValue { bytes: Vec::new(), encrypted: false, ..held.to_owned() };
                let held = newest.stored_value(&key).map(flags);
                let flags = held.unwrap_or_else(|| {
                    let sensitive = key == CSRF_SEED || newest.is_beside_sensitive(&key);
                    StoredValue { sensitive, ..StoredValue::new(Vec::new()) }
                });
                values.push((key, value.clone().map(|bytes| StoredValue { bytes, ..flags })));
            }
            ChangeKind::Add { by: 0, .. } => {}
            ChangeKind::Add { by, min, max } => {
                let held = newest.field(self.field).map(|bytes| self.on_error.fit(counter(bytes))).transpose();
                let held = held.map_err(|reason| FieldError::decode(self.field, reason))?.flatten().unwrap_or(0);
                let sum = held.saturating_add(*by).clamp(*min, *max).to_string();
                values.extend(self.aliases().map(|alias| (alias, None)));
                values.push((key, Some(self.field.value(sum.as_bytes(), newest.now()))));
            }
            ChangeKind::Merge { merge, mine, .. } => {
                let (base, theirs) = (origin.field(self.field), newest.field(self.field));
                // Usually nobody else has changed the field, and mine is the result.
                let merged = if theirs == base {
                    mine.clone()
                } else {
                    let (field, mine, on_error) = (self.field, mine.as_deref(), self.on_error);
                    merge(ThreeWay { field, base, mine, theirs, on_error })?
                };
                if merged.as_deref() != theirs {
                    values.extend(self.aliases().map(|alias| (alias, None)));
                    values.push((key, merged.map(|bytes| self.field.value(&bytes, newest.now()))));
                }
            }
        }
        Ok(())
    }

    /// Returns the earlier record that the change began with, if it did not begin with the last one.
    fn origin_among<'a, 'b>(&self, earlier: &'b [Snapshot<'a>]) -> Option<&'b Snapshot<'a>> {
        if let ChangeKind::Merge { origin, .. } = self.kind { earlier.get(origin) } else { None }
    }

    /// The aliases of the field, or of the entry of it, under which something may be stored.
    fn aliases(&self) -> impl Iterator<Item = FieldKey> {
        self.field.aliases_of(&self.key)
    }
}

#[cfg(test)]
mod tests;

//! A struct of the session in the hands of a handler.

use std::fmt;
use std::ops::{Deref, DerefMut};

use crate::data::field::{Encoded, FieldWriter};
use crate::data::{Field, Merge, SessionData};
use crate::error::SessionError;
use crate::event::EventKind;
use crate::panics::caught;
use crate::record::field_error::FieldError;
use crate::request::RequestSession;
use crate::request::state::{Epoch, State};

/// One struct of the session: a `T` to read and to change, as the frameworks' `Session<T>` extractors hold it.
///
/// Not `Clone`: when it is dropped, the fields that changed become part of the request's changes, which are stored
/// when the handler has answered. A value that is only read is never encoded. Dropped by a panic, it contributes
/// nothing.
pub struct Checkout<T: SessionData> {
    value: T,
    session: RequestSession,
    /// The time at which it was checked out: in another epoch it belongs to another user.
    epoch: Epoch,
    /// The fields as they were at the first mutable borrow.
    baseline: Option<Result<Encoded, FieldError>>,
}

impl<T: SessionData> Checkout<T> {
    pub(crate) fn new(value: T, session: RequestSession, epoch: Epoch) -> Self {
        Self { value, session, epoch, baseline: None }
    }
}

impl<T: SessionData> Deref for Checkout<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: SessionData> DerefMut for Checkout<T> {
    fn deref_mut(&mut self) -> &mut T {
        if self.baseline.is_none() {
            self.baseline = Some(encode(&self.value, FieldWriter::new(T::FIELDS)));
        }
        &mut self.value
    }
}

impl<T: SessionData> Drop for Checkout<T> {
    fn drop(&mut self) {
        let Some(baseline) = self.baseline.take() else { return };
        if std::thread::panicking() {
            return;
        }
        let encoded = baseline.and_then(|baseline| encode(&self.value, FieldWriter::after(T::FIELDS, baseline)));
        self.session.contribute::<T>(self.epoch, encoded.map_err(SessionError::from));
    }
}

/// Names the type; the value may be sensitive.
impl<T: SessionData> fmt::Debug for Checkout<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("namespace", &T::NAMESPACE).finish_non_exhaustive()
    }
}

fn encode<T: SessionData>(value: &T, mut writer: FieldWriter) -> Result<Encoded, FieldError> {
    value.encode(&mut writer)?;
    Ok(writer.finish())
}

impl RequestSession {
    /// Takes what a struct changed; called when it is dropped.
    fn contribute<T: SessionData>(&self, epoch: Epoch, encoded: Result<Encoded, SessionError>) {
        let rule = self.shared.engine.settings().on_login;
        let contribute = |state: &mut State| {
            let encoded = encoded?;
            // What a visitor had, and does not keep at a login, is not brought back after it.
            let before_login = state.epoch.logins != epoch.logins;
            let is_gone = |field: &Field| before_login && field.goes_at_login(rule);
            let mut discarded = false;
            for (index, (base, mine)) in encoded.changes().enumerate().filter(|(_, (base, mine))| base != mine) {
                match is_gone(&T::FIELDS[index]) {
                    true => discarded = true,
                    false => state.pending.contribute::<T>(index, base, mine, epoch.records)?,
                }
            }
            let itemized = T::FIELDS.iter().filter(|field| matches!(field.merge, Merge::Entries(_)));
            for (field, (base, mine)) in itemized.zip(encoded.item_changes()) {
                match is_gone(field) {
                    true => discarded |= base != mine,
                    false => state.pending.contribute_entries::<T>(field, base, mine)?,
                }
            }
            Ok(discarded)
        };
        // Where a merge function panics, the fields before it are pending already: they must not be stored alone.
        let change = || self.change(T::NAMESPACE, |state| state.epoch.goes_on_from(epoch), contribute);
        match caught(change) {
            Some(Some(Err(error))) => drop(self.fail(error)),
            Some(Some(Ok(true))) => self.report(EventKind::ContributionDiscarded { key: T::NAMESPACE }),
            Some(_) => {}
            None => drop(self.fail(SessionError::panicked("a merge function"))),
        }
    }
}

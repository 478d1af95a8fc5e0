//! A struct of the session in the hands of a handler.

use std::fmt;
use std::ops::{Deref, DerefMut};

use crate::data::SessionData;
use crate::data::field::{Encoded, FieldWriter};
use crate::error::SessionError;
use crate::record::field_error::FieldError;
use crate::request::RequestSession;
use crate::request::state::Epoch;

/// One struct of the session: a `T` to read and to change, as the frameworks' `Session<T>` extractors hold it.
///
/// Not `Clone`: when it is dropped, the fields that changed become part of the request's changes, which are stored
/// when the handler has answered. A value that is only read is never encoded. Dropped by a panic, it contributes
/// nothing.
pub struct Checkout<T: SessionData> {
    value: T,
    session: RequestSession,
    /// The time at which it was checked out: in another epoch it belongs to somebody else.
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

//! The error of a field that cannot be read or stored.

use std::fmt;

use crate::error::{Chain, SessionError, SessionErrorKind};
use crate::record::delta::FieldKey;
use crate::record::name;

/// A field's value could not be encoded or would not come back from its encoding, or its stored bytes could not be decoded.
///
/// Names the field and the reason; for a `sensitive` field only the field.
pub struct FieldError {
    key: FieldKey,
    failed: Failed,
    reason: Option<Reason>,
}

#[derive(Clone, Copy)]
enum Failed {
    Encoding,
    ReadingBack,
    Decoding,
}

type Reason = Box<dyn std::error::Error + Send + Sync>;

impl FieldError {
    /// The value of a field could not be encoded. Without a reason the field is sensitive.
    pub(crate) fn of_encoding(key: impl Into<FieldKey>, reason: Option<Reason>) -> Self {
        Self { key: key.into(), failed: Failed::Encoding, reason }
    }

    /// The encoded value of a field cannot be decoded, or not to the same. Without a reason the field is sensitive.
    pub(crate) fn of_reading_back(key: impl Into<FieldKey>, reason: Option<Reason>) -> Self {
        Self { key: key.into(), failed: Failed::ReadingBack, reason }
    }

    /// The stored bytes of a field could not be decoded. Without a reason the field is sensitive.
    pub(crate) fn of_decoding(key: impl Into<FieldKey>, reason: Option<Reason>) -> Self {
        Self { key: key.into(), failed: Failed::Decoding, reason }
    }

    pub(crate) fn untyped_encode(key: &str, reason: Reason) -> Self {
        Self::of_encoding(name::shown(key).to_owned(), Some(reason))
    }

    pub(crate) fn untyped_reading_back(key: &str, reason: Reason) -> Self {
        Self::of_reading_back(name::shown(key).to_owned(), Some(reason))
    }

    pub(crate) fn untyped_decode(key: &str, reason: Reason) -> Self {
        Self::of_decoding(name::shown(key).to_owned(), Some(reason))
    }

    /// The key of the field: `namespace.field`.
    pub fn key(&self) -> &str {
        &self.key
    }
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, failed) = match self.failed {
            Failed::Encoding => ("the value", "cannot be encoded"),
            Failed::ReadingBack => ("the value", "could not be read back, so it was not stored"),
            Failed::Decoding => ("the stored value", "does not fit its type"),
        };
        write!(f, "{what} of session field `{}` {failed}", self.key)?;
        match &self.reason {
            Some(_) => Ok(()),
            None => f.write_str(" (the reason is not shown, because the field is sensitive)"),
        }
    }
}

/// Shows the reason too.
impl fmt::Debug for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&Chain(self), f)
    }
}

/// The codec's reason, unless the field is `sensitive`.
impl std::error::Error for FieldError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.reason.as_deref().map(|reason| reason as _)
    }
}

impl From<FieldError> for SessionError {
    fn from(error: FieldError) -> Self {
        let message = format!("the session field `{}` cannot be read or stored", error.key());
        Self::opaque(SessionErrorKind::Field, message, Some(error.into()))
    }
}

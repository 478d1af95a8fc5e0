//! The error of a field that cannot be read or stored.

use std::fmt;

use crate::data::Field;
use crate::data::codec::CodecError;
use crate::record::delta::FieldKey;
use crate::record::name;

/// A field's value could not be encoded, or its stored bytes could not be decoded.
///
/// Names the field and the reason; for a `sensitive` field only the field.
pub struct FieldError {
    key: FieldKey,
    encoding: bool,
    reason: Option<CodecError>,
}

impl FieldError {
    pub(crate) fn encode(field: &Field, reason: CodecError) -> Self {
        Self { key: field.key.into(), encoding: true, reason: (!field.sensitive).then_some(reason) }
    }

    pub(crate) fn decode(field: &Field, reason: CodecError) -> Self {
        Self { key: field.key.into(), encoding: false, reason: (!field.sensitive).then_some(reason) }
    }

    pub(crate) fn untyped_encode(key: &str, reason: CodecError) -> Self {
        Self { key: name::shown(key).to_owned().into(), encoding: true, reason: Some(reason) }
    }

    pub(crate) fn untyped_decode(key: &str, reason: CodecError) -> Self {
        Self { key: name::shown(key).to_owned().into(), encoding: false, reason: Some(reason) }
    }

    /// The key of the field: `namespace.field`.
    pub fn key(&self) -> &str {
        &self.key
    }
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = if self.encoding { "the value of session field" } else { "the stored value of session field" };
        let failed = if self.encoding { "cannot be encoded" } else { "does not fit its type" };
        write!(f, "{what} `{}` {failed}", self.key)?;
        match &self.reason {
            Some(reason) => write!(f, ": {reason}"),
            None => f.write_str(" (the reason is not shown, because the field is sensitive)"),
        }
    }
}

impl fmt::Debug for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for FieldError {}

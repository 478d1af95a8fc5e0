//! Merging the values of a field that two requests changed.

use std::fmt;

use crate::data::codec::CodecError;
use crate::data::encoding::Encoding;
use crate::data::field::FieldWriter;
use crate::data::flash::MergeEncoded;
use crate::data::{Field, OnError};
use crate::record::field_error::FieldError;

/// The three values of a field that two requests changed: what both began with, and what each made of it.
///
/// A value is absent where the field is not stored.
#[derive(Clone, Copy)]
pub struct ThreeWay<'a> {
    pub(crate) field: &'static Field,
    pub(crate) base: Option<&'a [u8]>,
    pub(crate) mine: Option<&'a [u8]>,
    pub(crate) theirs: Option<&'a [u8]>,
    pub(crate) on_error: OnError,
}

impl<'a> ThreeWay<'a> {
    /// Merges with `merge(base, mine, theirs)`; an absent value is its default.
    ///
    /// # Errors
    /// Fails when a value does not fit the field, unless the struct's [`OnError`] is the default.
    pub fn merge<T>(
        self,
        encoding: Encoding<T>,
        merge: impl FnOnce(&T, T, T) -> T,
    ) -> Result<Option<Vec<u8>>, FieldError> {
        let decode = |bytes: Option<&[u8]>| {
            let decoded = bytes.map(|bytes| self.on_error.fit((encoding.decode)(bytes))).transpose();
            let fitting = decoded.map_err(|reason| FieldError::decode(self.field, reason))?;
            Ok(fitting.flatten().unwrap_or_else(encoding.default))
        };
        let merged = merge(&decode(self.base)?, decode(self.mine)?, decode(self.theirs)?);
        let mut writer = FieldWriter::checked(std::slice::from_ref(self.field));
        writer.write(&merged, encoding)?;
        Ok(writer.finish().values().next().flatten().map(<[u8]>::to_vec))
    }

    /// Merges the encoded values; an absent one is empty.
    pub(crate) fn merge_encoded<T>(
        self,
        decode: fn(&[u8]) -> Result<T, CodecError>,
        merge: MergeEncoded,
    ) -> Result<Option<Vec<u8>>, FieldError> {
        let fitting = |bytes: Option<&'a [u8]>| bytes.filter(|bytes| decode(bytes).is_ok());
        let merged = match self.on_error.fit(merge(self.base, self.mine, self.theirs)) {
            Ok(Some(merged)) => Ok(merged),
            Ok(None) => merge(fitting(self.base), fitting(self.mine), fitting(self.theirs)),
            Err(reason) => Err(reason),
        };
        merged.map_err(|reason| FieldError::decode(self.field, reason))
    }
}

impl fmt::Debug for ThreeWay<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ThreeWay").field("field", &self.field.key).finish_non_exhaustive()
    }
}

//! From the value of a field to its stored bytes and back.

use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::data::codec::{Codec, CodecError};
use crate::data::{nulls, plain};

/// A type that a field can have: serde writes it and reads it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be stored in a session",
    label = "serde cannot write and read it",
    note = "derive `serde::Serialize` and `serde::Deserialize` for it and for what it holds",
    note = "a field that is not to be stored is marked `#[session(skip)]`"
)]
pub trait Stored: Serialize + DeserializeOwned + 'static {}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned + 'static> Stored for T {}

/// A type that has a value to begin with.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no default, which a session field has before anything is stored",
    label = "`Default` is not implemented for `{Self}`",
    note = "write `#[session(default = path::to::function)]` on the field, with a function that makes its first value",
    note = "or derive `Default` for `{Self}`"
)]
pub trait Defaulted: Default {}

#[diagnostic::do_not_recommend]
impl<T: Default> Defaulted for T {}

/// Makes the value of a field that is not stored.
pub fn defaulted<T: Defaulted>() -> T {
    T::default()
}

/// The encoding of a field's values, and the value that it has if none is stored.
///
/// It is made by [`stored`] and [`stored_or`], which ask for [`Stored`]: a type that is not is one error, and not one for
/// reading it and another for writing.
pub struct Encoding<T> {
    pub(crate) encode: fn(&T, &mut Vec<u8>) -> Result<(), CodecError>,
    pub(crate) decode: fn(&[u8]) -> Result<T, CodecError>,
    pub(crate) default: fn() -> T,
    /// Counts what the codec may write as `null` though it is not absent.
    pub(crate) nulls: fn(&T) -> usize,
    /// Returns whether every value comes back as it was, so that none has to be read back.
    pub(crate) comes_back: fn() -> bool,
}

/// Encodes the values of a field with `C`.
pub const fn stored<C: Codec, T: Stored + Defaulted>() -> Encoding<T> {
    stored_or::<C, T>(T::default)
}

/// Encodes the values of a field with `C`, and makes the one of a field that is not stored with `default`.
pub const fn stored_or<C: Codec, T: Stored>(default: fn() -> T) -> Encoding<T> {
    Encoding {
        encode: C::encode::<T>,
        decode: C::decode::<T>,
        default,
        nulls: nulls::count::<T>,
        comes_back: plain::comes_back::<C, T>,
    }
}

impl<T> Encoding<T> {
    /// Reads back what stores `value`, which is its default if nothing is stored.
    ///
    /// # Errors
    /// Fails if that is not a `T`, or has lost something.
    pub(crate) fn read_back(&self, value: &T, stored: Option<&[u8]>) -> Result<(), CodecError> {
        let nulls = (self.nulls)(value);
        let read = match stored {
            Some(bytes) => (self.decode)(bytes)?,
            None if nulls == 0 => return Ok(()),
            None => (self.default)(),
        };
        if nulls > 0 && (self.nulls)(&read) < nulls { Err(LOST.into()) } else { Ok(()) }
    }
}

/// The reason why a value is refused that can be stored, and would be read as another one.
pub(crate) const LOST: &str =
    "it holds a float that is not finite, or a `Some` of nothing, which the codec cannot tell from an absent value";

impl<T> Clone for Encoding<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Encoding<T> {}

impl<T> fmt::Debug for Encoding<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Encoding").finish_non_exhaustive()
    }
}

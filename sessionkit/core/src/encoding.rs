//! From the value of a field to its stored bytes and back.

use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::codec::{Codec, CodecError};

/// A type that a field can have: serde writes it and reads it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be stored in a session",
    label = "serde cannot write and read it",
    note = "derive `serde::Serialize` and `serde::Deserialize` for it and for what it holds",
    note = "a field that is not to be stored is marked `#[session(skip)]`"
)]
pub trait Stored: Serialize + DeserializeOwned {}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned> Stored for T {}

/// How the values of a field are encoded.
///
/// It is made by [`stored`], the one place that asks for [`Stored`]: a type that is not is one error, and not one for
/// reading it and another for writing.
pub struct Encoding<T> {
    pub(crate) encode: fn(&T, &mut Vec<u8>) -> Result<(), CodecError>,
    pub(crate) decode: fn(&[u8]) -> Result<T, CodecError>,
}

/// Encodes the values of a field with `C`.
pub const fn stored<C: Codec, T: Stored>() -> Encoding<T> {
    Encoding { encode: C::encode::<T>, decode: C::decode::<T> }
}

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

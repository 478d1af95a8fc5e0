//! What expansions name. Not part of the public interface.

pub use core::option::Option::{self, None, Some};
pub use core::primitive::{str, u8, usize};
pub use core::result::Result::{self, Err, Ok};
pub use std::default::Default;
pub use std::vec::Vec;

pub use sessionkit_core::merge::{Append, Union, append, union};
pub use sessionkit_core::{
    Check, Codec, Counter, Field, FieldError, FieldReader, FieldWriter, Flash, Json, LayerMarker, Main, Merge, Refusal,
    SessionData, Stored, Subjects, ThreeWay, counter, flash, stored,
};

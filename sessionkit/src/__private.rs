//! What expansions name. Not part of the public interface.

pub use core::primitive::str;
pub use core::result::Result::{self, Err, Ok};
pub use std::default::Default;

pub use sessionkit_core::merge::{Append, Union, append, union};
pub use sessionkit_core::{
    Check, Codec, Counter, Entries, Field, FieldError, FieldReader, FieldWriter, Flash, Json, LayerMarker, Main, Merge,
    OnError, Refusal, SessionData, Stored, Subjects, ThreeWay, counter, entries, flash, stored, stored_or,
};

//! What expansions name. Not part of the public interface.

pub use core::primitive::{str, u32};
pub use core::result::Result::{self, Err, Ok};
pub use std::default::Default;

pub use sessionkit_core::merge::{Append, Union, append, union};
pub use sessionkit_core::{
    Check, Codec, Counter, Entries, Field, FieldError, FieldReader, FieldWriter, Flash, Interrupted, Json, LayerMarker,
    Main, Merge, Migration, OnError, SessionData, Stored, Subjects, ThreeWay, counter, entries, flash, migrate, stored,
    stored_or,
};

//! The names that expansions use. Not part of the public interface.

pub use core::primitive::{str, u32};
pub use core::result::Result::{self, Err, Ok};
pub use std::default::Default;

pub use sessionkit_core::adapter::{Check, GuestOnly, Public, RequireFresh, RequireLogin};
pub use sessionkit_core::derive::{
    CountedField, Entries, Field, FieldReader, FieldWriter, Flash, GuardOptions, Interrupted, Merge, Operator,
    SessionDataOrSessionUser, Stored, Subjects, ThreeWay, counter, defaulted, entries, flash, migrate, stored,
    stored_or,
};
pub use sessionkit_core::merge::{Append, Union, append, union};
pub use sessionkit_core::{
    Codec, FieldError, Json, MainScope, OnError, OnLogin, SessionData, SessionScope, StructMigration,
};

/// For the program `sessionkit`.
pub use sessionkit_core::Reencryption;

/// Opens a store for the program `sessionkit`, and says which it knows.
pub use crate::connect::{AuditTrail, open as open_store, open_audit, schema_of, served_forms};

#[cfg(feature = "access-matrix")]
pub use inventory;

/// Lists a handler in the access matrix.
#[cfg(feature = "access-matrix")]
#[macro_export]
#[doc(hidden)]
macro_rules! __access {
    ($handler:literal, $requirement:literal) => {
        $crate::__private::inventory::submit! {
            $crate::Access::__new(
                ::core::concat!(::core::module_path!(), "::", $handler),
                $requirement,
                ::core::file!(),
                ::core::line!(),
            )
        }
    };
}

/// Without the feature `access-matrix` nothing is listed, and nothing is emitted.
#[cfg(not(feature = "access-matrix"))]
#[macro_export]
#[doc(hidden)]
macro_rules! __access {
    ($handler:literal, $requirement:literal) => {};
}

pub use __access as access;

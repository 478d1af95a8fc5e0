//! Maps and sets whose entries are stored one by one.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt;
use std::hash::{BuildHasher, Hash};

use crate::data::Merge;
use crate::data::codec::{Codec, CodecError, Json};
use crate::data::encoding::{LOST, Stored};
use crate::data::field::has_null;
use crate::data::nulls;

/// A map or a set that an `entries` field can have.
///
/// Each entry is stored as a field of its own, `namespace.field/key` with the entry's key as JSON, so that two requests
/// that change different entries both win.
#[diagnostic::on_unimplemented(
    message = "an `entries` field is a set or a map of the standard library, not `{Self}`",
    label = "has no entries",
    note = "write `BTreeMap`, `BTreeSet`, `HashMap` or `HashSet`, or remove `entries` to store the value in one piece"
)]
pub trait Entries: Stored + Default {
    /// The key that distinguishes the entries.
    type Key: Stored;

    /// The value that is stored for an entry; `true` for one of a set.
    type Value: Stored;

    /// Calls `visit` for each entry, until it fails.
    ///
    /// # Errors
    /// Fails when `visit` does.
    fn each(&self, visit: impl FnMut(&Self::Key, &Self::Value) -> Result<(), CodecError>) -> Result<(), CodecError>;

    /// Puts an entry in.
    fn put(&mut self, key: Self::Key, value: Self::Value);
}

macro_rules! maps {
    ($([$($generics:tt)*] $map:ty;)*) => {$(
        impl<$($generics)*> Entries for $map {
            type Key = K;
            type Value = V;

            fn each(&self, mut visit: impl FnMut(&K, &V) -> Result<(), CodecError>) -> Result<(), CodecError> {
                self.iter().try_for_each(|(key, value)| visit(key, value))
            }

            fn put(&mut self, key: K, value: V) {
                self.insert(key, value);
            }
        }
    )*};
}

macro_rules! sets {
    ($([$($generics:tt)*] $set:ty;)*) => {$(
        impl<$($generics)*> Entries for $set {
            type Key = T;
            type Value = bool;

            fn each(&self, mut visit: impl FnMut(&T, &bool) -> Result<(), CodecError>) -> Result<(), CodecError> {
                self.iter().try_for_each(|item| visit(item, &true))
            }

            fn put(&mut self, item: T, is_in: bool) {
                if is_in {
                    self.insert(item);
                }
            }
        }
    )*};
}

maps! {
    [K: Stored + Ord, V: Stored] BTreeMap<K, V>;
    [K: Stored + Eq + Hash, V: Stored, S: BuildHasher + Default + 'static] HashMap<K, V, S>;
}

sets! {
    [T: Stored + Ord] BTreeSet<T>;
    [T: Stored + Eq + Hash, S: BuildHasher + Default + 'static] HashSet<T, S>;
}

/// The encoding of the entries of an `entries` field.
///
/// It is made by [`entries`], the one place that asks for [`Entries`], so that another type is one error.
pub struct Itemizing<T> {
    pub(crate) itemize: fn(&T) -> Result<Items, CodecError>,
    pub(crate) put: fn(&mut T, &str, &[u8]) -> Result<(), CodecError>,
    pub(crate) empty: fn() -> T,
    pub(crate) split: Split,
    /// Counts what a codec may write as `null` though it is not absent.
    nulls: fn(&T) -> usize,
}

/// Takes apart a value that is stored in one piece.
pub type Split = fn(&[u8]) -> Result<Items, CodecError>;

/// Stores the entries of a field one by one, their values encoded with `C`.
pub const fn entries<C: Codec, T: Entries>() -> Itemizing<T> {
    Itemizing {
        itemize: itemize::<C, T>,
        put: |value, key, bytes| {
            value.put(Json::decode(key.as_bytes())?, C::decode(bytes)?);
            Ok(())
        },
        empty: T::default,
        split: |bytes| itemize::<C, T>(&C::decode(bytes)?),
        nulls: nulls::count::<T>,
    }
}

impl<T> Itemizing<T> {
    /// Reads back the entries of `value` that are not as they were.
    ///
    /// # Errors
    /// Fails if one is not an entry of a `T`, or if one has lost something.
    pub(crate) fn read_back(&self, value: &T, before: &Items, after: &Items) -> Result<(), CodecError> {
        let mut changed = false;
        let mut read = (self.empty)();
        for (key, bytes) in before.changes(after) {
            if let Some(bytes) = bytes {
                (self.put)(&mut read, key, bytes)?;
                changed = true;
            }
        }
        // What is written as null may have changed without a trace.
        if !changed && !after.iter().any(|(key, bytes)| has_null(key.as_bytes()) || has_null(bytes)) {
            return Ok(());
        }
        let nulls = (self.nulls)(value);
        if nulls == 0 {
            return Ok(());
        }
        for (key, bytes) in after.iter() {
            (self.put)(&mut read, key, bytes)?;
        }
        if (self.nulls)(&read) < nulls { Err(LOST.into()) } else { Ok(()) }
    }

    /// The rule for two requests that change the field: each entry is a field of its own.
    pub const fn rule(&self) -> Merge {
        Merge::Entries(self.split)
    }
}

impl<T> fmt::Debug for Itemizing<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Itemizing").finish_non_exhaustive()
    }
}

fn itemize<C: Codec, T: Entries>(value: &T) -> Result<Items, CodecError> {
    let mut items = BTreeMap::new();
    value.each(|key, value| {
        let (mut text, mut bytes) = (Vec::new(), Vec::new());
        Json::encode(key, &mut text)?;
        C::encode(value, &mut bytes)?;
        match items.insert(String::from_utf8(text)?, bytes) {
            None => Ok(()),
            Some(_) => Err("two of its entries have the same key in JSON".into()),
        }
    })?;
    Ok(Items(items))
}

/// Encoded entries by their encoded keys, in an order of their own: that of a `HashMap` makes no difference.
#[derive(Default, Eq, PartialEq)]
pub struct Items(BTreeMap<String, Vec<u8>>);

impl Items {
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.0.iter().map(|(key, bytes)| (&**key, &**bytes))
    }

    /// The entries of `after` that are new or other than here, and those of here that it does not have.
    pub(crate) fn changes<'a>(&'a self, after: &'a Self) -> impl Iterator<Item = (&'a str, Option<&'a [u8]>)> {
        let set = after.iter().filter(|(key, bytes)| self.0.get(*key).is_none_or(|held| held != bytes));
        let removed = self.iter().filter(|(key, _)| !after.0.contains_key(*key));
        set.map(|(key, bytes)| (key, Some(bytes))).chain(removed.map(|(key, _)| (key, None)))
    }
}

/// Shows how many there are; keys and values may be sensitive.
impl fmt::Debug for Items {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Items").field("length", &self.0.len()).finish_non_exhaustive()
    }
}

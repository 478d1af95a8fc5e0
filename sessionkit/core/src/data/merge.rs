//! Ready-made merge functions, for `#[session(merge = union)]` and `#[session(merge = append)]`.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::hash::{BuildHasher, Hash};

/// Merges two sets or maps entry by entry: an entry that one request added, changed or removed is added, changed or
/// removed; where both changed the same entry of a map, `mine` stays.
///
/// ```
/// # use sessionkit_core as sessionkit;
/// use std::collections::BTreeSet;
/// use sessionkit::merge::union;
///
/// let set = |items: &[u8]| items.iter().copied().collect::<BTreeSet<_>>();
/// assert_eq!(union(&set(&[1, 2]), set(&[1, 2, 3]), set(&[2, 4])), set(&[2, 3, 4]));
/// ```
pub fn union<T: Union>(base: &T, mine: T, theirs: T) -> T {
    T::union(base, mine, theirs)
}

/// Merges two lists: what this request appended follows what the other appended; what either removed is gone.
///
/// ```
/// # use sessionkit_core as sessionkit;
/// use sessionkit::merge::append;
///
/// assert_eq!(append(&vec![1], vec![1, 2], vec![1, 3]), [1, 3, 2]);
/// ```
pub fn append<T: Append>(base: &T, mine: T, theirs: T) -> T {
    T::append(base, mine, theirs)
}

/// A list that [`append`] merges.
#[diagnostic::on_unimplemented(
    message = "`merge = append` needs a `Vec`, not `{Self}`",
    label = "not a list",
    note = "for a set or a map write `merge = union`; for other types write a merge function: `merge = path::to::function`"
)]
pub trait Append: Sized {
    /// Merges what two requests made of `base`.
    fn append(base: &Self, mine: Self, theirs: Self) -> Self;
}

impl<T: PartialEq> Append for Vec<T> {
    fn append(base: &Self, mine: Self, theirs: Self) -> Self {
        let mut removed: Vec<&T> = base.iter().collect();
        let mut added = Vec::new();
        for item in mine {
            match removed.iter().position(|base| **base == item) {
                Some(position) => {
                    removed.swap_remove(position);
                }
                None => added.push(item),
            }
        }
        let mut merged = Vec::with_capacity(theirs.len() + added.len());
        for item in theirs {
            match removed.iter().position(|base| **base == item) {
                Some(position) => {
                    removed.swap_remove(position);
                }
                None => merged.push(item),
            }
        }
        merged.extend(added);
        merged
    }
}

/// A collection that [`union`] merges: the sets and maps of the standard library.
#[diagnostic::on_unimplemented(
    message = "`merge = union` needs a set or a map of the standard library, not `{Self}`",
    label = "not a set or a map",
    note = "for a `Vec` write `merge = append`; for other types write a merge function: `merge = path::to::function`"
)]
pub trait Union: Sized {
    /// Merges what two requests made of `base`.
    fn union(base: &Self, mine: Self, theirs: Self) -> Self;
}

macro_rules! union_of_sets {
    ($([$($generics:tt)*] $set:ty;)*) => {$(
        impl<$($generics)*> Union for $set {
            fn union(base: &Self, mine: Self, mut theirs: Self) -> Self {
                theirs.retain(|item| mine.contains(item) || !base.contains(item));
                theirs.extend(mine.into_iter().filter(|item| !base.contains(item)));
                theirs
            }
        }
    )*};
}

macro_rules! union_of_maps {
    ($([$($generics:tt)*] $map:ty;)*) => {$(
        impl<$($generics)*> Union for $map {
            fn union(base: &Self, mine: Self, mut theirs: Self) -> Self {
                theirs.retain(|key, _| mine.contains_key(key) || !base.contains_key(key));
                theirs.extend(mine.into_iter().filter(|(key, value)| base.get(key) != Some(value)));
                theirs
            }
        }
    )*};
}

union_of_sets! {
    [T: Ord] BTreeSet<T>;
    [T: Eq + Hash, S: BuildHasher] HashSet<T, S>;
}

union_of_maps! {
    [K: Ord, V: PartialEq] BTreeMap<K, V>;
    [K: Eq + Hash, V: PartialEq, S: BuildHasher] HashMap<K, V, S>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_merges_entry_by_entry() {
        let map = |items: &[(&'static str, u8)]| items.iter().copied().collect::<BTreeMap<_, _>>();
        let base = map(&[("a", 1), ("b", 1), ("c", 1)]);
        let merged = union(&base, map(&[("a", 2), ("b", 1), ("d", 1)]), map(&[("b", 3), ("c", 1), ("e", 1), ("a", 1)]));
        assert_eq!(merged, map(&[("a", 2), ("b", 3), ("d", 1), ("e", 1)]));
    }

    #[test]
    fn what_either_request_removed_from_a_list_is_gone() {
        assert_eq!(append(&vec![1, 2, 3], vec![2, 3, 4], vec![1, 2, 5]), [2, 5, 4]);
    }
}

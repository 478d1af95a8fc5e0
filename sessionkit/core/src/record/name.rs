//! Field names inside packed records: interned, so that a million records hold each name once.

use std::collections::HashMap;
use std::sync::{OnceLock, PoisonError, RwLock};

/// How many names are interned. Names beyond that are written out in each record, so that keys made up at run time
/// cannot grow the table without bound.
const CAPACITY: usize = 8192;

/// How long a name may be that is interned: such names are kept for ever, and one made up at run time may be of any length.
const LONGEST: usize = 128;

/// The names by their numbers. Each is written once and read by every request, so reading takes no lock.
static NAMES: [OnceLock<&'static str>; CAPACITY] = [const { OnceLock::new() }; CAPACITY];

fn numbers() -> &'static RwLock<HashMap<&'static str, usize>> {
    static NUMBERS: OnceLock<RwLock<HashMap<&'static str, usize>>> = OnceLock::new();
    NUMBERS.get_or_init(RwLock::default)
}

/// The number of a name in this process, if it has or can get one.
pub(crate) fn number(name: &str) -> Option<usize> {
    // Visitors choose the keys of entries.
    if name.len() > LONGEST || name.contains('/') {
        return None;
    }
    if let Some(&number) = numbers().read().unwrap_or_else(PoisonError::into_inner).get(name) {
        return Some(number);
    }
    let mut numbers = numbers().write().unwrap_or_else(PoisonError::into_inner);
    if let Some(&number) = numbers.get(name) {
        return Some(number);
    }
    let number = numbers.len();
    let place = NAMES.get(number)?;
    let name = *place.get_or_init(|| Box::leak(name.into()));
    numbers.insert(name, number);
    Some(number)
}

/// The part of a key that may be printed: the keys of entries may be as sensitive as their values.
pub(crate) fn shown(key: &str) -> &str {
    key.split_once('/').map_or(key, |(field, _)| field)
}

/// The name that has this number.
pub(crate) fn name(number: usize) -> Option<&'static str> {
    NAMES.get(number)?.get().copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keys_of_entries_are_neither_interned_nor_shown() {
        assert!(number("names.field").is_some());
        assert_eq!(number("names.field/\"entry\""), None);
        assert_eq!((shown("names.field/\"a/b\""), shown("names.field")), ("names.field", "names.field"));
    }

    #[test]
    fn a_name_that_is_too_long_is_not_kept() {
        assert!(number(&"n".repeat(LONGEST)).is_some());
        assert_eq!(number(&"n".repeat(LONGEST + 1)), None);
    }
}

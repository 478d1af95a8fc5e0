//! Field names inside packed records: interned, so that a million records hold each name once.

use std::collections::HashMap;
use std::sync::{OnceLock, PoisonError, RwLock};

/// How many names are interned. Names beyond that are written out in each record, so that keys made up at run time
/// cannot grow the table without bound.
const CAPACITY: usize = 8192;

#[derive(Default)]
struct Names {
    numbers: HashMap<&'static str, usize>,
    names: Vec<&'static str>,
}

fn names() -> &'static RwLock<Names> {
    static NAMES: OnceLock<RwLock<Names>> = OnceLock::new();
    NAMES.get_or_init(RwLock::default)
}

/// The number of a name in this process, if it has or can get one.
pub(crate) fn number(name: &str) -> Option<usize> {
    // Visitors choose the keys of entries.
    if name.contains('/') {
        return None;
    }
    if let Some(&number) = names().read().unwrap_or_else(PoisonError::into_inner).numbers.get(name) {
        return Some(number);
    }
    let mut names = names().write().unwrap_or_else(PoisonError::into_inner);
    if let Some(&number) = names.numbers.get(name) {
        return Some(number);
    }
    if names.names.len() >= CAPACITY {
        return None;
    }
    let name: &'static str = Box::leak(name.into());
    let number = names.names.len();
    names.names.push(name);
    names.numbers.insert(name, number);
    Some(number)
}

/// The part of a key that may be printed: the keys of entries may be as sensitive as their values.
pub(crate) fn shown(key: &str) -> &str {
    key.split_once('/').map_or(key, |(field, _)| field)
}

/// The name that has this number.
pub(crate) fn name(number: usize) -> Option<&'static str> {
    names().read().unwrap_or_else(PoisonError::into_inner).names.get(number).copied()
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
}

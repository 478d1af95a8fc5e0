//! The names of fields, for people.

/// Returns the part of a key that may be printed: the keys of entries may be as sensitive as their values.
pub(crate) fn shown(key: &str) -> &str {
    key.split_once('/').map_or(key, |(field, _)| field)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keys_of_entries_are_not_shown() {
        assert_eq!((shown("names.field/\"a/b\""), shown("names.field")), ("names.field", "names.field"));
    }
}

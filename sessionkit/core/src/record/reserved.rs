//! The keys that are the engine's own, among those of the application.

/// The name under which the version of a struct is stored, behind its namespace.
pub(crate) const VERSION: &str = "@version";

/// The key under which the seed of the tokens in forms is stored.
pub(crate) const CSRF_SEED: &str = "csrf.@seed";

/// Returns whether a key is the engine's own: it begins with `@`, or its name behind the namespace does, which no field's can.
pub(crate) fn is_reserved(key: &str) -> bool {
    let name = key.split_once('.').map_or(key, |(_, name)| name);
    key.starts_with('@') || name.starts_with('@')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_the_engines_own_where_no_field_could_have_it() {
        for key in ["@user", "@", "cart.@version", CSRF_SEED, "a.@b/c"] {
            assert!(is_reserved(key), "{key}");
        }
        for key in ["", "user@shop", "cart.items", "cart.user@shop", "cart.items/\"@a\"", "a.b.@c"] {
            assert!(!is_reserved(key), "{key}");
        }
    }
}

//! The keys that `#[session(..)]` takes in each place, and the errors about all others.

use proc_macro2::Ident;

use crate::nearest::nearest;

/// The place in which the keys of a `#[session(..)]` stand.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Place {
    Struct,
    Field,
    Handler,
    /// The inside of `any(..)`, `all(..)` or `not(..)`.
    Operator,
}

impl Place {
    const ALL: [Self; 3] = [Self::Struct, Self::Field, Self::Handler];

    pub(crate) fn keys(self) -> &'static [&'static str] {
        match self {
            Self::Struct => {
                &["name", "scope", "codec", "version", "migrate", "on_error", "on_login", "ignore_serde", "crate"]
            }
            Self::Field => {
                &["rename", "alias", "default", "skip", "merge", "entries", "flash", "ttl", "carry", "sensitive"]
            }
            Self::Handler => &[
                "require_login",
                "require",
                "require_fresh",
                "requirement",
                "guest_only",
                "any",
                "all",
                "not",
                "public",
                "login_url",
                "on_denied",
                "scope",
                "crate",
            ],
            Self::Operator => {
                &["require_login", "require", "require_fresh", "requirement", "guest_only", "any", "all", "not"]
            }
        }
    }

    fn description(self) -> &'static str {
        match self {
            Self::Struct => "a struct",
            Self::Field => "a field",
            Self::Handler => "a handler",
            Self::Operator => "an operator",
        }
    }

    /// The keys in a sentence.
    pub(crate) fn list(self) -> String {
        self.keys().iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ")
    }
}

/// The message about a predicate without a key, outside of operators.
pub(crate) const BARE_PREDICATE: &str =
    "a predicate is written `require = ..` here; without it, it stands only inside of `any`, `all` and `not`";

/// The error for a name that may have been meant as a predicate.
pub(crate) fn unknown_without_value(key: &Ident, place: Place) -> syn::Error {
    let name = key.to_string();
    let is_known = foreign(&name).is_some() || home(&name).is_some() || nearest(&name, place.keys()).is_some();
    if is_known || place != Place::Handler {
        return unknown(key, place);
    }
    syn::Error::new(key.span(), format_args!("unknown key `{name}`; a predicate is written `require = {name}`"))
}

/// The error for a key that `place` does not take.
pub(crate) fn unknown(key: &Ident, place: Place) -> syn::Error {
    let name = key.to_string();
    if let (Place::Handler | Place::Operator, Some(advice)) = (place, foreign(&name)) {
        return syn::Error::new(key.span(), format_args!("unknown key `{name}`: {advice}"));
    }
    if place == Place::Operator && Place::Handler.keys().contains(&name.as_str()) {
        let advice =
            format_args!("`{name}` is for the whole guard: write it beside `any`, `all` and `not`, not inside");
        return syn::Error::new(key.span(), advice);
    }
    let advice = match (home(&name), nearest(&name, place.keys())) {
        (Some(home), _) => format!("`{name}` is a key of {}, not of {}", home.description(), place.description()),
        (None, Some(nearest)) => format!("unknown key `{name}`; did you mean `{nearest}`?"),
        (None, None) => format!("unknown key `{name}`"),
    };
    syn::Error::new(key.span(), format_args!("{advice} (accepted here: {})", place.list()))
}

/// Returns the advice for a word of another library or language.
fn foreign(key: &str) -> Option<&'static str> {
    Some(match key {
        "and" => "conditions are combined with `all(..)`",
        "or" => "conditions are combined with `any(..)`",
        "login_required" | "login" | "logged_in" | "require_auth" | "auth_required" | "auth" | "authenticated"
        | "is_authenticated" => "write `require_login`",
        "role" | "roles" | "has_role" | "require_role" | "permission" | "permissions" | "has_permission"
        | "require_permission" => {
            "what a user may do is asked by a predicate: write `require = |person: &Person| person.is_admin`"
        }
        "guest" | "anonymous" | "unauthenticated" => "write `guest_only`",
        "allow_anonymous" | "permit_all" => "write `public`",
        "fresh" | "fresh_login_required" => "write `require_fresh = \"5m\"`",
        _ => return None,
    })
}

/// Finds the place to which a key that is out of place belongs.
fn home(key: &str) -> Option<Place> {
    Place::ALL.into_iter().find(|place| place.keys().contains(&key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typo_has_a_nearest_key() {
        assert_eq!(nearest("tll", Place::Field.keys()), Some("ttl"));
        assert_eq!(nearest("nmae", Place::Struct.keys()), Some("name"));
        assert_eq!(nearest("defualt", Place::Field.keys()), Some("default"));
        assert_eq!(nearest("requires_login", Place::Handler.keys()), Some("require_login"));
        assert_eq!(nearest("role", Place::Handler.keys()), None);
        assert_eq!(nearest("sensitve_", Place::Field.keys()), Some("sensitive"));
        assert_eq!(nearest("snstive", Place::Field.keys()), Some("sensitive"));
        assert_eq!(nearest("snstve", Place::Field.keys()), None);
        assert_eq!(nearest("crry", Place::Field.keys()), Some("carry"));
        assert_eq!(nearest("cry", Place::Field.keys()), None);
    }
}

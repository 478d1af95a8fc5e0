//! The names under which fields are stored.

/// `ShoppingCart` -> `shopping_cart`, `HTTPState` -> `http_state`.
pub(crate) fn snake_case(ident: &str) -> String {
    let characters: Vec<char> = ident.chars().collect();
    let mut name = String::with_capacity(ident.len() + 4);
    for (index, character) in characters.iter().enumerate() {
        let begins_word = character.is_uppercase()
            && index > 0
            && characters[index - 1] != '_'
            && (!characters[index - 1].is_uppercase()
                || characters.get(index + 1).is_some_and(|next| next.is_lowercase()));
        if begins_word {
            name.push('_');
        }
        name.extend(character.to_lowercase());
    }
    name
}

/// The reason why `name` cannot be a stored name.
pub(crate) fn problem(name: &str) -> Option<&'static str> {
    if name.is_empty() {
        Some("a stored name cannot be empty")
    } else if name.starts_with('@') {
        Some("a stored name cannot begin with `@`: SessionKit's own names do")
    } else if name.contains('.') {
        Some("a stored name cannot contain `.`: the record joins struct and field with it")
    } else if name.contains('/') {
        Some("a stored name cannot contain `/`: the entries of a map are stored behind it")
    } else if name.chars().any(char::is_whitespace) {
        Some("a stored name cannot contain whitespace: use `_`")
    } else if name.chars().any(char::is_control) {
        Some("a stored name cannot contain control characters")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_name_in_snake_case() {
        let cases = [
            ("Cart", "cart"),
            ("ShoppingCart", "shopping_cart"),
            ("HTTPState", "http_state"),
            ("UserV2", "user_v2"),
            ("Odd_Name", "odd_name"),
            ("lower", "lower"),
            ("Ähre", "ähre"),
            ("X", "x"),
        ];
        for (ident, name) in cases {
            assert_eq!(snake_case(ident), name);
        }
    }

    #[test]
    fn names_that_the_record_cannot_hold() {
        for name in ["", "@user", "a.b", "a/b", "a b", "a\n", "a\0", "\u{2003}"] {
            assert!(problem(name).is_some(), "{name:?}");
        }
        for name in ["items", "user@shop", "a-b", "größe"] {
            assert_eq!(problem(name), None);
        }
    }
}

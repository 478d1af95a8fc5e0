//! Rules that the engine and the macros share: neither can depend on the other, so each holds the same file.

/// The rule, without the tests that stand beside one of the copies.
fn rule(file: &str) -> &str {
    file.split("\n#[cfg(test)]").next().unwrap_or_default()
}

#[test]
fn the_engine_and_the_macros_have_the_same_rules() {
    let copies = [
        (
            "durations",
            include_str!("../../sessionkit/core/src/config/duration.rs"),
            include_str!("../../sessionkit-macros/src/duration.rs"),
        ),
        (
            "misspelt words",
            include_str!("../../sessionkit/core/src/config/nearest.rs"),
            include_str!("../../sessionkit-macros/src/nearest.rs"),
        ),
        (
            "addresses of this site",
            include_str!("../../sessionkit/core/src/wire/local.rs"),
            include_str!("../../sessionkit-macros/src/local.rs"),
        ),
    ];
    for (what, engine, macros) in copies {
        assert!(rule(engine) == rule(macros), "the copies of the rule about {what} differ: copy one over the other");
    }
}

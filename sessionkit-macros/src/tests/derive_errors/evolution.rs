//! Mistakes in what a struct says of other releases of itself.

use expect_test::expect;
use quote::quote;

use super::{field, item, structure};

#[test]
fn aliases() {
    field(quote!(alias), expect![[r#"`alias` needs a value: write `alias = "old_name"`"#]]);
    field(quote!(alias = 5), expect![[r#"`alias` is a string: write `alias = "old_name"`"#]]);
    field(
        quote!(alias = "a.b", alias = ""),
        expect![[r#"
        a stored name cannot contain `.`: the record joins struct and field with it
        a stored name cannot be empty"#]],
    );
    field(quote!(alias = "items"), expect!["`items` is the name or an alias of a field already; remove this alias"]);
    field(
        quote!(alias = "a", alias = "a"),
        expect!["`a` is the name or an alias of a field already; remove this alias"],
    );
    field(
        quote!(skip, alias = "a"),
        expect!["a `skip` field is not stored, so `alias` has no meaning; remove one of them"],
    );
    item(
        quote!(
            struct Cart {
                #[session(rename = "goods", alias = "items", alias = "wares")]
                a: u64,
                #[session(alias = "wares")]
                b: u64,
                items: u64,
            }
        ),
        expect![[r#"
            `items` is the name or an alias of a field already; remove this alias
            `wares` is the name or an alias of a field already; remove this alias"#]],
    );
}

#[test]
fn entries() {
    field(quote!(entries = true), expect!["`entries` takes no value: write just `entries`"]);
    field(quote!(entries, entries), expect!["`entries` is given twice; remove one"]);
    field(
        quote!(entries, merge = union),
        expect!["`entries` merges by itself: each entry is stored on its own; remove `merge`"],
    );
    field(
        quote!(entries, flash),
        expect!["a `flash` field is taken as a whole, so it cannot be stored by `entries`; remove one"],
    );
    field(
        quote!(entries, default = first),
        expect!["an `entries` field begins empty, or entries that were removed would come back; remove `default`"],
    );
    field(
        quote!(entries, skip),
        expect!["a `skip` field is not stored, so `entries` has no meaning; remove one of them"],
    );
}

#[test]
fn versions() {
    structure(
        quote!(version = 2),
        expect![
            "`version` needs a function that brings older values to it: write `version = 2, migrate = path::to::function`, a `fn(from: u32, stored: &mut StructMigration<'_, Self>) -> Result<(), FieldError>`"
        ],
    );
    structure(
        quote!(migrate = upgrade),
        expect![
            "`migrate` needs the version that it leads to: write `version = 2, migrate = ..`, and a greater version with every further change"
        ],
    );
    structure(quote!(version, migrate = upgrade), expect!["`version` needs a value: write `version = 2`"]);
    structure(
        quote!(version = 1, migrate = upgrade),
        expect!["what is stored without a version has the version 1: the first to write is `version = 2`"],
    );
    structure(quote!(version = "2", migrate = upgrade), expect!["`version` is a number: write `version = 2`"]);
    structure(quote!(version = 4294967296, migrate = upgrade), expect!["a version is a number up to 4294967295"]);
    structure(quote!(version = -1, migrate = upgrade), expect!["`version` is a number: write `version = 2`"]);
    structure(
        quote!(version = 2, migrate = "upgrade"),
        expect!["`migrate` takes a path without quotes: write `migrate = upgrade`"],
    );
    structure(quote!(version = 2, migrate), expect!["`migrate` needs a value: write `migrate = path::to::function`"]);
    structure(
        quote!(version = 2, version = 3, migrate = a, migrate = b),
        expect![[r#"
        `version` is given twice; remove one
        `migrate` is given twice; remove one"#]],
    );
}

#[test]
fn on_error() {
    structure(quote!(on_error), expect!["`on_error` needs a value: write `on_error = default`"]);
    structure(quote!(on_error = ignore), expect!["`on_error` is `default` or `fail`: write `on_error = default`"]);
    structure(quote!(on_error = "default"), expect!["`on_error` is `default` or `fail`: write `on_error = default`"]);
    structure(quote!(on_error = fail, on_error = default), expect!["`on_error` is given twice; remove one"]);
}

#[test]
fn a_login() {
    structure(quote!(on_login), expect!["`on_login` needs a value: write `on_login = discard`"]);
    structure(quote!(on_login = drop), expect!["`on_login` is `keep` or `discard`: write `on_login = discard`"]);
    structure(quote!(on_login = keep, on_login = keep), expect!["`on_login` is given twice; remove one"]);
}

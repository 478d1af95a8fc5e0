//! The errors of `#[derive(SessionData)]`.

mod evolution;

use expect_test::{Expect, expect};
use proc_macro2::TokenStream;
use quote::quote;

use super::fails_with;
use crate::derive::expand;

#[track_caller]
fn item(item: TokenStream, expected: Expect) {
    fails_with(expand(item), expected);
}

/// A mistake in the attribute of a struct.
#[track_caller]
fn structure(keys: TokenStream, expected: Expect) {
    let item = quote! {
        #[session(#keys)]
        struct Cart {
            items: u64,
        }
    };
    fails_with(expand(item), expected);
}

/// A mistake in the attribute of a field.
#[track_caller]
fn field(keys: TokenStream, expected: Expect) {
    let item = quote! {
        struct Cart {
            #[session(#keys)]
            items: u64,
        }
    };
    fails_with(expand(item), expected);
}

#[test]
fn shapes() {
    item(
        quote!(
            enum Cart {
                Empty,
            }
        ),
        expect!["session state is a struct with named fields, not an enum: make the enum the type of a field"],
    );
    item(quote!(union Cart { a: u8 }), expect!["session state is a struct with named fields, not a union"]);
    item(
        quote!(
            struct Cart(u8, u8);
        ),
        expect!["session state is stored by the names of its fields, and these have none: write `{ name: Type, .. }`"],
    );
    item(
        quote!(
            struct Cart;
        ),
        expect!["session state is a struct with named fields; for one without any write `struct Cart {}`"],
    );
    item(
        quote!(
            struct Cart<'a, 'b> {
                a: &'a str,
                b: &'b str,
            }
        ),
        expect![[r#"
        session state outlives the request, so it cannot borrow: own the data, for example a `String` for a `&str`
        session state outlives the request, so it cannot borrow: own the data, for example a `String` for a `&str`"#]],
    );
    item(
        quote!(
            fn cart() {}
        ),
        expect!["`SessionData` can be derived for a struct with named fields"],
    );
}

#[test]
fn unknown_keys() {
    field(
        quote!(persistent),
        expect![
            "unknown key `persistent` (accepted here: `rename`, `alias`, `default`, `skip`, `merge`, `entries`, `flash`, `ttl`, `carry`, `sensitive`)"
        ],
    );
    field(
        quote!(tll = "1m"),
        expect![
            "unknown key `tll`; did you mean `ttl`? (accepted here: `rename`, `alias`, `default`, `skip`, `merge`, `entries`, `flash`, `ttl`, `carry`, `sensitive`)"
        ],
    );
    field(
        quote!(name = "a"),
        expect![
            "`name` is a key of a struct, not of a field (accepted here: `rename`, `alias`, `default`, `skip`, `merge`, `entries`, `flash`, `ttl`, `carry`, `sensitive`)"
        ],
    );
    field(
        quote!(require_login),
        expect![
            "`require_login` is a key of a handler, not of a field (accepted here: `rename`, `alias`, `default`, `skip`, `merge`, `entries`, `flash`, `ttl`, `carry`, `sensitive`)"
        ],
    );
    structure(
        quote!(nmae = "a"),
        expect![
            "unknown key `nmae`; did you mean `name`? (accepted here: `name`, `scope`, `codec`, `version`, `migrate`, `on_error`, `on_login`, `ignore_serde`, `crate`)"
        ],
    );
    structure(
        quote!(table = "a"),
        expect![
            "unknown key `table` (accepted here: `name`, `scope`, `codec`, `version`, `migrate`, `on_error`, `on_login`, `ignore_serde`, `crate`)"
        ],
    );
    structure(
        quote!(ttl = "1m"),
        expect![
            "`ttl` is a key of a field, not of a struct (accepted here: `name`, `scope`, `codec`, `version`, `migrate`, `on_error`, `on_login`, `ignore_serde`, `crate`)"
        ],
    );
    structure(
        quote!(require = is_admin),
        expect![
            "`require` is a key of a handler, not of a struct (accepted here: `name`, `scope`, `codec`, `version`, `migrate`, `on_error`, `on_login`, `ignore_serde`, `crate`)"
        ],
    );
}

#[test]
fn syntax() {
    field(
        quote!("items"),
        expect![
            "expected a key: `rename`, `alias`, `default`, `skip`, `merge`, `entries`, `flash`, `ttl`, `carry`, `sensitive`"
        ],
    );
    field(quote!(carry sensitive), expect!["expected `,`"]);
    field(
        quote!(ttl = , carry = , default =),
        expect![[r#"
            `ttl` needs a value: write `ttl = "10m"`
            `carry` takes no value: write just `carry`
            `default` needs a value: write `default = path::to::function`"#]],
    );
    item(
        quote!(
            struct Cart {
                #[session]
                items: u64,
            }
        ),
        expect![
            "write the keys in parentheses: `#[session(..)]` takes `rename`, `alias`, `default`, `skip`, `merge`, `entries`, `flash`, `ttl`, `carry`, `sensitive`"
        ],
    );
    item(
        quote!(
            #[session = "cart"]
            struct Cart {}
        ),
        expect![
            "write the keys in parentheses: `#[session(..)]` takes `name`, `scope`, `codec`, `version`, `migrate`, `on_error`, `on_login`, `ignore_serde`, `crate`"
        ],
    );
    field(quote!(rename = -), expect!["unexpected end of input, expected an expression"]);
    structure(quote!(scope = 5 + 5), expect!["`scope` is a path: write `scope = Office`"]);
}

#[test]
fn keys_given_twice() {
    field(quote!(carry, carry), expect!["`carry` is given twice; remove one"]);
    field(quote!(rename = "a", rename = "b"), expect!["`rename` is given twice; remove one"]);
    field(quote!(default, default = zero), expect!["`default` is given twice; remove one"]);
    structure(quote!(name = "a", name = "b"), expect!["`name` is given twice; remove one"]);
    structure(quote!(scope = A, scope = B), expect!["`scope` is given twice; remove one"]);
    structure(quote!(crate = a, crate = b), expect!["`crate` is given twice; remove one"]);
    item(
        quote!(
            struct Cart {
                #[session(skip)]
                #[session(skip)]
                items: u64,
            }
        ),
        expect!["`skip` is given twice; remove one"],
    );
}

#[test]
fn flags_take_no_value() {
    field(quote!(carry = true), expect!["`carry` takes no value: write just `carry`"]);
    field(quote!(skip = "yes"), expect!["`skip` takes no value: write just `skip`"]);
    field(quote!(flash(once)), expect!["`flash` takes no value: write just `flash`"]);
    field(quote!(sensitive = path), expect!["`sensitive` takes no value: write just `sensitive`"]);
}

#[test]
fn stored_names() {
    field(quote!(rename), expect![[r#"`rename` needs a value: write `rename = "name"`"#]]);
    field(quote!(rename = 5), expect![[r#"`rename` is a string: write `rename = "name"`"#]]);
    field(quote!(rename = things), expect![[r#"`rename` is a string: write `rename = "name"`"#]]);
    field(quote!(rename("things")), expect![[r#"`rename` is a string: write `rename = "name"`"#]]);
    field(quote!(rename = ""), expect!["a stored name cannot be empty"]);
    field(
        quote!(rename = "a.b"),
        expect!["a stored name cannot contain `.`: the record joins struct and field with it"],
    );
    field(quote!(rename = "a b"), expect!["a stored name cannot contain whitespace: use `_`"]);
    field(quote!(rename = "a\u{0}"), expect!["a stored name cannot contain control characters"]);
    field(quote!(rename = "@a"), expect!["a stored name cannot begin with `@`: SessionKit's own names do"]);
    structure(quote!(name), expect![[r#"`name` needs a value: write `name = "cart"`"#]]);
    structure(quote!(name = cart), expect![[r#"`name` is a string: write `name = "cart"`"#]]);
    structure(quote!(name = ""), expect!["a stored name cannot be empty"]);
    structure(
        quote!(name = "a.b"),
        expect!["a stored name cannot contain `.`: the record joins struct and field with it"],
    );
    structure(quote!(name = "@a"), expect!["a stored name cannot begin with `@`: SessionKit's own names do"]);
    item(
        quote!(
            struct Cart {
                items: u64,
                #[session(rename = "items")]
                things: u64,
                #[session(rename = "items", skip)]
                more: u64,
            }
        ),
        expect![[r#"
        a `skip` field is not stored, so `rename` has no meaning; remove one of them
        two fields are stored as `items`; give one another `rename`"#]],
    );
}

#[test]
fn paths() {
    structure(quote!(scope), expect!["`scope` needs a value: write `scope = Office`"]);
    structure(quote!(scope = "Office"), expect!["`scope` takes a path without quotes: write `scope = Office`"]);
    structure(quote!(scope = "the office"), expect!["`scope` takes a path without quotes: write `scope = Office`"]);
    structure(quote!(crate = "sessionkit"), expect!["`crate` takes a path without quotes: write `crate = sessionkit`"]);
    structure(quote!(crate), expect!["`crate` needs a value: write `crate = path::to::sessionkit`"]);
    structure(quote!(codec = "Json"), expect!["`codec` takes a path without quotes: write `codec = Json`"]);
    field(quote!(default = "zero"), expect!["`default` takes a path without quotes: write `default = zero`"]);
    field(
        quote!(default = "0"),
        expect!["`default` takes a path without quotes: write `default = path::to::function`"],
    );
    field(quote!(default = 0), expect!["`default` is a path: write `default = path::to::function`"]);
    field(quote!(default = || 0), expect!["`default` is a path: write `default = path::to::function`"]);
    field(quote!(default(zero)), expect!["`default` is a path: write `default = path::to::function`"]);
    field(quote!(merge), expect!["`merge` needs a value: write `merge = add`"]);
    field(quote!(merge = "add"), expect!["`merge` takes a path without quotes: write `merge = add`"]);
    field(quote!(merge = 5), expect!["`merge` is a path: write `merge = path::to::function`"]);
    field(quote!(merge = |base, mine, theirs| mine), expect!["`merge` is a path: write `merge = path::to::function`"]);
    field(quote!(merge = add()), expect!["`merge` is a path: write `merge = path::to::function`"]);
}

#[test]
fn ttl() {
    field(quote!(ttl), expect![[r#"`ttl` needs a value: write `ttl = "10m"`"#]]);
    field(quote!(ttl = 600), expect![[r#"`ttl` needs a unit: write `ttl = "600s"` for seconds"#]]);
    field(
        quote!(ttl = "600"),
        expect![[r#"`600` is not a time: write a whole number and a unit, "30s", "10m", "12h" or "7d""#]],
    );
    field(
        quote!(ttl = ""),
        expect![[r#"`` is not a time: write a whole number and a unit, "30s", "10m", "12h" or "7d""#]],
    );
    field(
        quote!(ttl = "1.5h"),
        expect![[r#"`1.5h` is not a time: write a whole number and a unit, "30s", "10m", "12h" or "7d""#]],
    );
    field(
        quote!(ttl = "2w"),
        expect![[r#"`2w` is not a time: write a whole number and a unit, "30s", "10m", "12h" or "7d""#]],
    );
    field(quote!(ttl = "0s"), expect![[r#"a ttl is at least "1s"; a field that is never stored is a `skip` field"#]]);
    field(
        quote!(ttl = "3107d"),
        expect![[r#"a ttl is at most "268435455s" (8.5 years); leave `ttl` out for a value that does not end"#]],
    );
    field(quote!(ttl = minutes), expect![[r#"`ttl` is a string: write `ttl = "10m"`"#]]);
}

#[test]
fn contradictions() {
    field(
        quote!(ttl = "1m", merge = add),
        expect![
            "a merged field cannot have a `ttl`: it would be unclear which change it counts from; remove one of them"
        ],
    );
    field(quote!(flash, merge = append), expect!["`flash` has a merge rule of its own; remove `merge`"]);
    field(
        quote!(merge = add, default = one),
        expect!["a `merge = add` field begins at 0, because stores add to what is there; remove `default`"],
    );
    field(
        quote!(flash, default = greeting),
        expect!["a `flash` field begins empty, or it would be shown again and again; remove `default`"],
    );
    field(
        quote!(skip, rename = "a", merge = add, flash, ttl = "1m", carry, sensitive),
        expect![[r#"
        a `skip` field is not stored, so `rename` has no meaning; remove one of them
        a `skip` field is not stored, so `merge` has no meaning; remove one of them
        a `skip` field is not stored, so `flash` has no meaning; remove one of them
        a `skip` field is not stored, so `ttl` has no meaning; remove one of them
        a `skip` field is not stored, so `carry` has no meaning; remove one of them
        a `skip` field is not stored, so `sensitive` has no meaning; remove one of them"#]],
    );
}

#[test]
fn all_mistakes_at_once() {
    item(
        quote! {
            #[session(nmae = "cart", scope = "Office")]
            struct Cart {
                #[session(tll = "10m")]
                items: u64,
                #[session(merge = add, ttl = "10")]
                views: u64,
            }
        },
        expect![[r#"
            unknown key `nmae`; did you mean `name`? (accepted here: `name`, `scope`, `codec`, `version`, `migrate`, `on_error`, `on_login`, `ignore_serde`, `crate`)
            `scope` takes a path without quotes: write `scope = Office`
            unknown key `tll`; did you mean `ttl`? (accepted here: `rename`, `alias`, `default`, `skip`, `merge`, `entries`, `flash`, `ttl`, `carry`, `sensitive`)
            `10` is not a time: write a whole number and a unit, "30s", "10m", "12h" or "7d"
            a merged field cannot have a `ttl`: it would be unclear which change it counts from; remove one of them"#]],
    );
}

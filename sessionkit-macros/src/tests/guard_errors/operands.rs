//! Mistakes in what a condition is given.

use expect_test::expect;
use quote::quote;

use super::args;
use crate::guard::{Adapter, expand};

#[test]
fn require() {
    args(quote!(require), expect!["`require` needs a value: write `require = |person: &Person| person.is_admin`"]);
    args(quote!(require = ), expect!["`require` needs a value: write `require = |person: &Person| person.is_admin`"]);
    args(quote!(require = "is_admin"), expect!["`require` takes a path without quotes: write `require = is_admin`"]);
    args(
        quote!(require = "user.is_admin"),
        expect!["`require` takes a path without quotes: write `require = |person: &Person| person.is_admin`"],
    );
    args(
        quote!(require(is_admin)),
        expect!["`require` takes a function's path or a closure: write `require = |person: &Person| person.is_admin`"],
    );
    args(
        quote!(require = true),
        expect!["`require` takes a function's path or a closure: write `require = |person: &Person| person.is_admin`"],
    );
    args(
        quote!(require = user.is_admin),
        expect!["`require` takes a function's path or a closure: write `require = |person: &Person| person.is_admin`"],
    );
    args(
        quote!(require = is_admin()),
        expect![[
            r#"a predicate is named, not called: write `is_admin`; a function that returns one has arguments, as in `may("read")`"#
        ]],
    );
    args(
        quote!(require = may("read").await),
        expect!["`require` takes a function's path or a closure: write `require = |person: &Person| person.is_admin`"],
    );
    args(
        quote!(require = rights["read"]("any")),
        expect!["`require` takes a function's path or a closure: write `require = |person: &Person| person.is_admin`"],
    );
    args(
        quote!(require = |user| user.is_admin),
        expect!["the type decides what is loaded, so write it: `|person: &Person| person.is_admin`"],
    );
    args(
        quote!(require = async |person: &Person| person.is_admin),
        expect![
            "a predicate is synchronous: what it looks at has been loaded before; remove `async`, or write a type for `requirement = ..`"
        ],
    );
    args(
        quote!(require = |user, cart: &Cart| true, require = "is_admin"),
        expect![[r#"
        the type decides what is loaded, so write it: `|person: &Person| person.is_admin`
        `require` takes a path without quotes: write `require = is_admin`"#]],
    );
}

#[test]
fn extractors_in_predicates() {
    args(
        quote!(require = |desk: &Session<Desk>| desk.is_open),
        expect!["a predicate takes what `Session` holds, not the extractor: write `&Desk`"],
    );
    args(
        quote!(any(|account: &Account, desk: sessionkit::axum::SessionView<Desk>| true)),
        expect!["a predicate takes what `SessionView` holds, not the extractor: write `&Desk`"],
    );
    for type_of_the_application in
        [quote!(Session), quote!(Session<A, B>), quote!(Session<'static>), quote!(User<Clerk>)]
    {
        let predicate = quote!(require = |it: &#type_of_the_application| it.is_open);
        assert!(
            expand(
                &Adapter::axum(),
                predicate,
                quote!(
                    async fn show() {}
                )
            )
            .error
            .is_none()
        );
    }
}

#[test]
fn requirement() {
    args(quote!(requirement), expect!["`requirement` needs a value: write `requirement = OfficeHours`"]);
    args(
        quote!(requirement = "OfficeHours"),
        expect!["`requirement` takes a path without quotes: write `requirement = OfficeHours`"],
    );
    for with_a_value in [
        quote!(requirement = Owner(5)),
        quote!(requirement = shop::Owner::new(5)),
        quote!(requirement = Owner { level: 5, .. }),
        quote!(requirement(Owner)),
        quote!(requirement = |request: &GuardedRequest<'_>, level: &Level| true),
        quote!(any(requirement = Owner(5), require_login)),
    ] {
        args(
            with_a_value,
            expect![
                "a requirement is a type, without a value: write `requirement = path::to::Type`; what differs between handlers is a parameter of the type, `requirement = Owner<5>`"
            ],
        );
    }
}

#[test]
fn require_fresh() {
    args(quote!(require_fresh), expect![[r#"`require_fresh` needs a value: write `require_fresh = "5m"`"#]]);
    args(quote!(require_fresh("5m")), expect![[r#"`require_fresh` is a string: write `require_fresh = "5m"`"#]]);
    args(
        quote!(require_fresh = 300),
        expect![[r#"`require_fresh` needs a unit: write `require_fresh = "300s"` for seconds"#]],
    );
    args(
        quote!(require_fresh = "5 minutes"),
        expect![[r#"`5 minutes` is not a time: write a whole number and a unit, "30s", "10m", "12h" or "7d""#]],
    );
    args(
        quote!(require_fresh = "0s"),
        expect![[r#"no login is that fresh: write a time such as `require_fresh = "5m"`"#]],
    );
    args(
        quote!(any(require_login, require_fresh = "99999999999d")),
        expect![[r#"no login lasts that long: write a time such as `require_fresh = "5m"`"#]],
    );
}

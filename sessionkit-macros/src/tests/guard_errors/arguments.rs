//! Mistakes in what the attribute asks.

use expect_test::expect;
use quote::{format_ident, quote};

use super::args;
use crate::guard::{Adapter, Extraction, expand, expand_for};
use crate::tests::messages;

#[test]
fn nothing_is_required() {
    args(
        quote!(),
        expect![
            "say what to require: `#[session(require_login)]` or `#[session(require = |person: &Person| person.is_admin)]`; or say `#[session(public)]`"
        ],
    );
    args(
        quote!(scope = Office),
        expect![
            "say what to require: `#[session(require_login)]` or `#[session(require = |person: &Person| person.is_admin)]`; or say `#[session(public)]`"
        ],
    );
    args(
        quote!(crate = sk),
        expect![
            "say what to require: `#[session(require_login)]` or `#[session(require = |person: &Person| person.is_admin)]`; or say `#[session(public)]`"
        ],
    );
}

#[test]
fn unknown_keys() {
    args(
        quote!(requires_login),
        expect![
            "unknown key `requires_login`; did you mean `require_login`? (accepted here: `require_login`, `require`, `require_fresh`, `requirement`, `guest_only`, `any`, `all`, `not`, `public`, `login_url`, `on_denied`, `scope`, `crate`)"
        ],
    );
    args(quote!(or(require_login)), expect!["unknown key `or`: conditions are combined with `any(..)`"]);
    args(quote!(and(require_login)), expect!["unknown key `and`: conditions are combined with `all(..)`"]);
    args(
        quote!(name = "cart"),
        expect![
            "`name` is a key of a struct, not of a handler (accepted here: `require_login`, `require`, `require_fresh`, `requirement`, `guest_only`, `any`, `all`, `not`, `public`, `login_url`, `on_denied`, `scope`, `crate`)"
        ],
    );
    args(
        quote!(carry),
        expect![
            "`carry` is a key of a field, not of a handler (accepted here: `require_login`, `require`, `require_fresh`, `requirement`, `guest_only`, `any`, `all`, `not`, `public`, `login_url`, `on_denied`, `scope`, `crate`)"
        ],
    );
    args(
        quote!(answer = 42),
        expect![
            "unknown key `answer` (accepted here: `require_login`, `require`, `require_fresh`, `requirement`, `guest_only`, `any`, `all`, `not`, `public`, `login_url`, `on_denied`, `scope`, `crate`)"
        ],
    );
    args(
        quote!("admin"),
        expect![
            "expected a key: `require_login`, `require`, `require_fresh`, `requirement`, `guest_only`, `any`, `all`, `not`, `public`, `login_url`, `on_denied`, `scope`, `crate`"
        ],
    );
    args(quote!(require_login scope = Office), expect!["expected `,`"]);
}

#[test]
fn names_that_other_libraries_give() {
    for name in ["login_required", "login", "logged_in", "require_auth", "auth_required", "auth", "authenticated"] {
        let name = format_ident!("{name}");
        let expansion = expand(
            &Adapter::axum(),
            quote!(#name),
            quote!(
                async fn show() {}
            ),
        );
        assert_eq!(messages(expansion.error), [format!("unknown key `{name}`: write `require_login`")]);
    }
    let asked = "what a user may do is asked by a predicate: write `require = |person: &Person| person.is_admin`";
    for name in ["role", "roles", "has_role", "permission", "permissions", "require_permission"] {
        let name = format_ident!("{name}");
        for args in [quote!(#name("admin")), quote!(#name = "admin"), quote!(any(require_login, #name = "admin"))] {
            let expansion = expand(
                &Adapter::actix(),
                args,
                quote!(
                    async fn show() {}
                ),
            );
            assert_eq!(messages(expansion.error), [format!("unknown key `{name}`: {asked}")]);
        }
    }
    args(quote!(anonymous), expect!["unknown key `anonymous`: write `guest_only`"]);
    args(quote!(permit_all), expect!["unknown key `permit_all`: write `public`"]);
    args(quote!(fresh = "5m"), expect![[r#"unknown key `fresh`: write `require_fresh = "5m"`"#]]);
}

#[test]
fn require_login() {
    args(quote!(require_login, require_login), expect!["`require_login` is given twice; remove one"]);
    args(quote!(require_login = true), expect!["`require_login` takes no value: write just `require_login`"]);
    args(quote!(require_login("/login")), expect!["`require_login` takes no value: write just `require_login`"]);
}

#[test]
fn operators() {
    args(quote!(any()), expect!["`any` needs a condition: write `any(require_login)`"]);
    args(quote!(require_login, all()), expect!["`all` needs a condition: write `all(require_login)`"]);
    args(quote!(not()), expect!["`not` needs a condition: write `not(require_login)`"]);
    args(
        quote!(not(is_new, is_banned)),
        expect!["`not` takes one condition: write `not(any(..))` where none of several may hold, or `not(all(..))`"],
    );
    args(quote!(any), expect!["`any` takes conditions in parentheses: write `any(require_login)`"]);
    args(quote!(any = is_admin), expect!["`any` takes conditions in parentheses: write `any(require_login)`"]);
    args(quote!(all[is_admin]), expect!["`all` takes conditions in parentheses: write `all(require_login)`"]);
    args(
        quote!(require = any(is_admin, is_new)),
        expect!["`any`, `all` and `not` are conditions themselves: write them without `require =`"],
    );
    args(
        quote!(any(is_admin, require = not(is_new))),
        expect!["`any`, `all` and `not` are conditions themselves: write them without `require =`"],
    );
    args(quote!(any(require_login, require_login)), expect!["`require_login` is given twice; remove one"]);
    args(quote!(any(is_admin is_new)), expect!["expected `,`"]);
    args(
        quote!(any(requires_login)),
        expect!["did you mean `require_login`? A predicate of this name is written `require = requires_login`"],
    );
    args(
        quote!(all(require_login, ayn(is_admin))),
        expect![
            "unknown key `ayn`; did you mean `any`? (accepted here: `require_login`, `require`, `require_fresh`, `requirement`, `guest_only`, `any`, `all`, `not`)"
        ],
    );
    for operand in [quote!("admin"), quote!(user.is_admin), quote!(true || false)] {
        args(
            quote!(any(#operand)),
            expect![
                "this is no condition: inside of `any`, `all` and `not` write a key such as `require_login`, a function's path, or a closure `|person: &Person| person.is_admin`"
            ],
        );
    }
    args(
        quote!(any(|user| user.is_admin)),
        expect!["the type decides what is loaded, so write it: `|person: &Person| person.is_admin`"],
    );
    for option in [
        quote!(login_url = "/login"),
        quote!(on_denied = page),
        quote!(scope = Office),
        quote!(crate = sk),
        quote!(public),
    ] {
        let name = option.to_string().split(' ').next().unwrap_or_default().to_owned();
        let found = super::messages(
            expand(
                &Adapter::axum(),
                quote!(any(is_admin, #option)),
                quote!(
                    async fn show() {}
                ),
            )
            .error,
        );
        assert_eq!(
            found,
            [format!("`{name}` is for the whole guard: write it beside `any`, `all` and `not`, not inside")]
        );
    }
}

#[test]
fn a_predicate_outside_of_operators_needs_its_key() {
    args(quote!(is_admin), expect!["unknown key `is_admin`; a predicate is written `require = is_admin`"]);
    args(
        quote!(policy::is_admin, require_login),
        expect![
            "a predicate is written `require = ..` here; without it, it stands only inside of `any`, `all` and `not`"
        ],
    );
    args(
        quote!(|user: &User, cart: &Cart| user.owns(cart)),
        expect![
            "a predicate is written `require = ..` here; without it, it stands only inside of `any`, `all` and `not`"
        ],
    );
}

#[test]
fn public() {
    for beside in [quote!(require_login), quote!(any(is_admin)), quote!(login_url = "/login"), quote!(on_denied = page)]
    {
        args(
            quote!(public, #beside),
            expect!["`public` lets everybody pass, so it stands alone: remove it, or everything beside it"],
        );
    }
    args(quote!(public, public), expect!["`public` is given twice; remove one"]);
    args(quote!(public = true), expect!["`public` takes no value: write just `public`"]);
}

#[test]
fn options() {
    args(quote!(require_login, login_url), expect![[r#"`login_url` needs a value: write `login_url = "/login"`"#]]);
    for wrong in [
        quote!("https://evil"),
        quote!("//evil"),
        quote!("/%2fevil"),
        quote!("/..//evil"),
        quote!("/a%0d%0ab"),
        quote!("login"),
        quote!("/a#b"),
        quote!(|_| "/login"),
        quote!(7),
    ] {
        args(
            quote!(require_login, login_url = #wrong),
            expect![[
                r#"`login_url` is a path of this site, `login_url = "/login"`, or the path of a function `fn(&RequestHead<'_>) -> String`"#
            ]],
        );
    }
    args(quote!(require_login, on_denied), expect!["`on_denied` needs a value: write `on_denied = forbidden_page`"]);
    args(
        quote!(require_login, on_denied = "page"),
        expect!["`on_denied` takes a path without quotes: write `on_denied = page`"],
    );
    args(
        quote!(login_url = "/login"),
        expect![
            "say what to require: `#[session(require_login)]` or `#[session(require = |person: &Person| person.is_admin)]`; or say `#[session(public)]`"
        ],
    );
}

#[test]
fn paths() {
    args(quote!(require_login, scope = Office()), expect!["`scope` is a path: write `scope = Office`"]);
    args(quote!(require_login, scope), expect!["`scope` needs a value: write `scope = Office`"]);
    args(
        quote!(require_login, scope = "Office"),
        expect!["`scope` takes a path without quotes: write `scope = Office`"],
    );
    args(quote!(require_login, scope = A, scope = B), expect!["`scope` is given twice; remove one"]);
    args(quote!(require_login, crate = "sk"), expect!["`crate` takes a path without quotes: write `crate = sk`"]);
}

#[test]
fn another_adapter_names_no_guard() {
    for args in [quote!(), quote!(require_login), quote!(require_login, public), quote!(&guard; public)] {
        let extraction = Extraction::InOrder { most: usize::MAX };
        let found = messages(
            expand_for(
                extraction,
                args,
                quote!(
                    async fn show() {}
                ),
            )
            .error,
        );
        assert_eq!(found, ["the guard type of the adapter and a `;` come first: `::my_adapter::Guard; require_login`"]);
    }
}

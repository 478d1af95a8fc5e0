//! What `#[session(..)]` on a handler says about mistakes.

use expect_test::{Expect, expect};
use proc_macro2::TokenStream;
use quote::quote;

use super::fails_with;
use crate::guard::{Framework, expand};

/// A mistake that is the same for both frameworks.
#[track_caller]
fn both(args: TokenStream, item: TokenStream, expected: Expect) {
    let (axum, actix) = (Framework::Axum, Framework::Actix);
    assert_eq!(
        super::messages(expand(axum, args.clone(), item.clone()).error),
        super::messages(expand(actix, args.clone(), item.clone()).error),
    );
    fails_with(expand(axum, args, item), expected);
}

/// A mistake in the attribute.
#[track_caller]
fn args(args: TokenStream, expected: Expect) {
    let item = quote! {
        async fn show() {}
    };
    both(args, item, expected);
}

#[test]
fn nothing_is_required() {
    args(
        quote!(),
        expect![
            "say what to require: `#[session(require_login)]` or `#[session(require = |user: &User| user.is_admin)]`"
        ],
    );
    args(
        quote!(layer = Office),
        expect![
            "say what to require: `#[session(require_login)]` or `#[session(require = |user: &User| user.is_admin)]`"
        ],
    );
    args(
        quote!(crate = sk),
        expect![
            "say what to require: `#[session(require_login)]` or `#[session(require = |user: &User| user.is_admin)]`"
        ],
    );
}

#[test]
fn unknown_keys() {
    args(
        quote!(requires_login),
        expect![
            "unknown key `requires_login`; did you mean `require_login`? (accepted here: `require_login`, `require`, `layer`, `crate`)"
        ],
    );
    args(
        quote!(any(require_login)),
        expect!["write one predicate for it: `require = |user: &User| user.is_admin || user.is_editor`"],
    );
    args(
        quote!(not(require_login)),
        expect!["write it inside the predicate: `require = |user: &User| !user.is_banned`"],
    );
    args(
        quote!(name = "cart"),
        expect![
            "`name` is a key of a struct, not of a handler (accepted here: `require_login`, `require`, `layer`, `crate`)"
        ],
    );
    args(
        quote!(carry),
        expect![
            "`carry` is a key of a field, not of a handler (accepted here: `require_login`, `require`, `layer`, `crate`)"
        ],
    );
    args(
        quote!(role = "admin"),
        expect!["unknown key `role` (accepted here: `require_login`, `require`, `layer`, `crate`)"],
    );
    args(quote!("admin"), expect!["expected a key: `require_login`, `require`, `layer`, `crate`"]);
    args(quote!(require_login layer = Office), expect!["expected `,`"]);
}

#[test]
fn require_login() {
    args(quote!(require_login, require_login), expect!["`require_login` is given twice; remove one"]);
    args(quote!(require_login = true), expect!["`require_login` takes no value: write just `require_login`"]);
    args(quote!(require_login("/login")), expect!["`require_login` takes no value: write just `require_login`"]);
}

#[test]
fn require() {
    args(quote!(require), expect!["`require` needs a value: write `require = |user: &User| user.is_admin`"]);
    args(quote!(require = ), expect!["`require` needs a value: write `require = |user: &User| user.is_admin`"]);
    args(quote!(require = "is_admin"), expect!["`require` takes a path without quotes: write `require = is_admin`"]);
    args(
        quote!(require = "user.is_admin"),
        expect!["`require` takes a path without quotes: write `require = |user: &User| user.is_admin`"],
    );
    args(
        quote!(require(is_admin)),
        expect!["`require` takes a function's path or a closure: write `require = |user: &User| user.is_admin`"],
    );
    args(
        quote!(require = true),
        expect!["`require` takes a function's path or a closure: write `require = |user: &User| user.is_admin`"],
    );
    args(
        quote!(require = user.is_admin),
        expect!["`require` takes a function's path or a closure: write `require = |user: &User| user.is_admin`"],
    );
    args(
        quote!(require = is_admin()),
        expect!["`require` takes a function's path or a closure: write `require = |user: &User| user.is_admin`"],
    );
    args(
        quote!(require = |user| user.is_admin),
        expect!["the type decides what is loaded, so write it: `|user: &User| user.is_admin`"],
    );
    args(
        quote!(require = async |user: &User| user.is_admin),
        expect!["a predicate is synchronous: what it looks at has been loaded before; remove `async`"],
    );
    args(
        quote!(require = |user, cart: &Cart| true, require = "is_admin"),
        expect![[r#"
        the type decides what is loaded, so write it: `|user: &User| user.is_admin`
        `require` takes a path without quotes: write `require = is_admin`"#]],
    );
}

#[test]
fn paths() {
    args(quote!(require_login, layer), expect!["`layer` needs a value: write `layer = Office`"]);
    args(
        quote!(require_login, layer = "Office"),
        expect!["`layer` takes a path without quotes: write `layer = Office`"],
    );
    args(quote!(require_login, layer = A, layer = B), expect!["`layer` is given twice; remove one"]);
    args(quote!(require_login, crate = "sk"), expect!["`crate` takes a path without quotes: write `crate = sk`"]);
}

#[test]
fn items_that_are_no_handlers() {
    both(
        quote!(require_login),
        quote!(
            async fn show(&self) {}
        ),
        expect![
            "a handler has no `self`: write a free function, or an associated function that takes what it needs as arguments"
        ],
    );
    both(
        quote!(require_login),
        quote!(
            async fn show(self: Arc<Self>, a: A) {}
        ),
        expect![
            "a handler has no `self`: write a free function, or an associated function that takes what it needs as arguments"
        ],
    );
    both(
        quote!(require_login),
        quote!(
            struct Cart {
                items: u64,
            }
        ),
        expect![
            "here this is the attribute for handlers: on session state put `#[session(..)]` below the derive `#[derive(SessionData)]`"
        ],
    );
    both(
        quote!(require_login),
        quote!(
            #[doc = "Said."]
            pub(crate) enum Cart {}
        ),
        expect![
            "here this is the attribute for handlers: on session state put `#[session(..)]` below the derive `#[derive(SessionData)]`"
        ],
    );
    both(
        quote!(require_login),
        quote!(
            mod admin {}
        ),
        expect!["`#[session(..)]` guards one handler: put it on each function of the module, not on the module"],
    );
    both(
        quote!(require_login),
        quote!(
            pub trait Admin {}
        ),
        expect!["`#[session(..)]` guards one handler: put it on the function inside, not around it"],
    );
    both(
        quote!(require_login),
        quote!(
            unsafe impl Admin for A {}
        ),
        expect!["`#[session(..)]` guards one handler: put it on the function inside, not around it"],
    );
    both(
        quote!(require_login),
        quote!(
            const A: u8 = 1;
        ),
        expect!["`#[session(..)]` guards a handler: put it on the function"],
    );
    both(
        quote!(require_login),
        quote!(
            static A: u8 = 1;
        ),
        expect!["`#[session(..)]` guards a handler: put it on the function"],
    );
    both(
        quote!(require_login),
        quote!(
            type A = u8;
        ),
        expect!["`#[session(..)]` guards a handler: put it on the function"],
    );
    both(
        quote!(require_login),
        quote!(
            use a::b;
        ),
        expect!["`#[session(..)]` guards a handler: put it on the function"],
    );
    both(
        quote!(require_login),
        quote!(
            extern crate a;
        ),
        expect!["`#[session(..)]` guards a handler: put it on the function"],
    );
}

#[test]
fn require_in_an_impl_block() {
    args(
        quote!(require = Self::is_open),
        expect![
            "`require` defines an item beside the handler, and an `impl` block cannot hold it: make the handler a free function, without `Self`"
        ],
    );
    both(
        quote!(require = is_open),
        quote!(
            async fn show(state: State<Self>) {}
        ),
        expect![
            "`require` defines an item beside the handler, and an `impl` block cannot hold it: make the handler a free function, without `Self`"
        ],
    );
}

#[test]
fn half_typed_handlers() {
    for item in [quote!(const fn f(a: ) {}), quote!(async fn f), quote!(pub)] {
        let expansion = expand(Framework::Axum, quote!(require_login), item.clone());
        assert_eq!(super::messages(expansion.error).len(), 1);
        assert_eq!(expansion.code.to_string(), item.to_string());
    }
}

#[test]
fn attributes_of_arguments() {
    fails_with(
        expand(
            Framework::Actix,
            quote!(require_login),
            quote!(
                async fn show(#[cfg(unix)] a: A, #[allow(unused)] b: B) {}
            ),
        ),
        expect![
            "`#[session]` makes one argument of all of them, so an attribute cannot stand on one: put it on the handler, for `#[cfg]` on two versions of the handler"
        ],
    );
    fails_with(
        expand(
            Framework::Axum,
            quote!(require_login),
            quote!(
                async fn all(
                    #[cfg(unix)] a: A,
                    b: A,
                    c: A,
                    d: A,
                    e: A,
                    f: A,
                    g: A,
                    h: A,
                    i: A,
                    j: A,
                    k: A,
                    l: A,
                    m: A,
                    n: A,
                    o: A,
                    p: A,
                ) {
                }
            ),
        ),
        expect![
            "with 16 arguments the first shares its place with the guard, so an attribute cannot stand on it: put it on the handler, for `#[cfg]` on two versions of the handler"
        ],
    );
}

#[test]
fn all_mistakes_at_once() {
    both(
        quote!(requires_login, require = "is_admin", layer),
        quote!(
            async fn show(&self) {}
        ),
        expect![[r#"
        unknown key `requires_login`; did you mean `require_login`? (accepted here: `require_login`, `require`, `layer`, `crate`)
        `require` takes a path without quotes: write `require = is_admin`
        `layer` needs a value: write `layer = Office`
        a handler has no `self`: write a free function, or an associated function that takes what it needs as arguments"#]],
    );
}

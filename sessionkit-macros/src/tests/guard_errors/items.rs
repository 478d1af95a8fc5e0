//! Mistakes in what the attribute stands on.

use expect_test::expect;
use quote::quote;

use super::{args, both};
use crate::guard::{Adapter, expand};
use crate::tests::fails_with;

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
            "this guard defines an item beside the handler, and an `impl` block cannot hold it: make the handler a free function, without `Self`"
        ],
    );
    both(
        quote!(require = is_open),
        quote!(
            async fn show(state: State<Self>) {}
        ),
        expect![
            "this guard defines an item beside the handler, and an `impl` block cannot hold it: make the handler a free function, without `Self`"
        ],
    );
}

#[test]
fn half_typed_handlers() {
    for item in [quote!(const fn f(a: ) {}), quote!(async fn f), quote!(pub)] {
        let expansion = expand(&Adapter::axum(), quote!(require_login), item.clone());
        assert_eq!(super::messages(expansion.error).len(), 1);
        assert_eq!(expansion.code.to_string(), item.to_string());
    }
}

#[test]
fn attributes_of_arguments() {
    fails_with(
        expand(
            &Adapter::actix(),
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
            &Adapter::axum(),
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
        quote!(requires_login, require = "is_admin", scope),
        quote!(
            async fn show(&self) {}
        ),
        expect![[r#"
        unknown key `requires_login`; did you mean `require_login`? (accepted here: `require_login`, `require`, `require_fresh`, `requirement`, `guest_only`, `any`, `all`, `not`, `public`, `login_url`, `on_denied`, `scope`, `crate`)
        `require` takes a path without quotes: write `require = is_admin`
        `scope` needs a value: write `scope = Office`
        a handler has no `self`: write a free function, or an associated function that takes what it needs as arguments"#]],
    );
}

//! The errors of `#[session(..)]` on a handler.

use expect_test::Expect;
use proc_macro2::TokenStream;
use quote::quote;

use crate::guard::{Adapter, expand};
use crate::tests::{fails_with, messages};

mod arguments;
mod futures;
mod items;
mod operands;

/// A mistake that is the same for both frameworks.
#[track_caller]
fn both(args: TokenStream, item: TokenStream, expected: Expect) {
    let (axum, actix) = (&Adapter::axum(), &Adapter::actix());
    assert_eq!(
        messages(expand(axum, args.clone(), item.clone()).error),
        messages(expand(actix, args.clone(), item.clone()).error),
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

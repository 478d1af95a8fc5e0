//! Expansions and error messages, on plain token streams.

mod derive;
mod derive_errors;
mod guard;
mod guard_errors;
mod size;

use expect_test::Expect;
use proc_macro2::TokenStream;

use crate::expansion::Expansion;

/// Compares an expansion without mistakes with a snapshot.
#[track_caller]
fn expands_to(expansion: Expansion, expected: Expect) {
    let messages = messages(expansion.error);
    assert!(messages.is_empty(), "{messages:?}");
    expected.assert_eq(&pretty(expansion.code));
}

/// Compares the mistakes found with a snapshot, one per line; what is left of the item must still parse.
#[track_caller]
fn fails_with(expansion: Expansion, expected: Expect) {
    pretty(expansion.code);
    expected.assert_eq(&messages(expansion.error).join("\n"));
}

fn messages(error: Option<syn::Error>) -> Vec<String> {
    error.into_iter().flatten().map(|error| error.to_string()).collect()
}

fn pretty(code: TokenStream) -> String {
    let file = syn::parse2(code.clone()).unwrap_or_else(|error| panic!("{error}: {code}"));
    prettyplease::unparse(&file)
}

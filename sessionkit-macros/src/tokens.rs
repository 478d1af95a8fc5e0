//! Looks into tokens that need no understanding.

use proc_macro2::{Ident, TokenStream, TokenTree};

/// The first identifier that `is_wanted`, however deep in groups.
pub(crate) fn find_ident(tokens: TokenStream, is_wanted: &dyn Fn(&Ident) -> bool) -> Option<Ident> {
    tokens.into_iter().find_map(|token| match token {
        TokenTree::Ident(ident) => is_wanted(&ident).then_some(ident),
        TokenTree::Group(group) => find_ident(group.stream(), is_wanted),
        TokenTree::Punct(_) | TokenTree::Literal(_) => None,
    })
}

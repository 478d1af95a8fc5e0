//! The places to which generated code points when it does not compile.

use proc_macro2::{Group, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::spanned::Spanned;

/// The place of `tokens`, for code of ours: its local names stay invisible to the user's code.
pub(crate) fn ours_at(tokens: impl ToTokens) -> Span {
    Span::mixed_site().located_at(tokens.span())
}

/// Moves `tokens` to another place; what their names mean stays as it is.
pub(crate) fn moved_to(place: Span, tokens: impl ToTokens) -> TokenStream {
    tokens.into_token_stream().into_iter().map(|token| move_token(place, token)).collect()
}

fn move_token(place: Span, token: TokenTree) -> TokenTree {
    let span = token.span().located_at(place);
    let mut token = match token {
        TokenTree::Group(group) => TokenTree::Group(Group::new(group.delimiter(), moved_to(place, group.stream()))),
        other => other,
    };
    token.set_span(span);
    token
}

//! The attribute `#[session(..)]` of the adapter for Poem.

#![deny(missing_docs)]

use proc_macro::TokenStream;
use quote::quote;

/// Guards a handler: `#[session(require_login)]`, `#[session(require = predicate)]`.
///
/// It stands above `#[handler]`, which looks at the arguments. The guard decides before any of them is extracted, the body
/// included.
#[proc_macro_attribute]
pub fn session(args: TokenStream, item: TokenStream) -> TokenStream {
    let (args, item) = (proc_macro2::TokenStream::from(args), proc_macro2::TokenStream::from(item));
    quote!(#[::sessionkit_poem::__private::session_in_order(::sessionkit_poem::__private::PoemGuard; #args)] #item)
        .into()
}

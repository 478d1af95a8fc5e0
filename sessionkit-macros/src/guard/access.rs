//! The entry of a handler in the access matrix: an item inside of its body, so that it has a place in `impl` blocks too.

use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;
use syn::ext::IdentExt;

use super::handler::Handler;
use crate::written::as_written;

/// The facade decides whether anything comes of it.
pub(crate) fn entry(root: &TokenStream, args: TokenStream, handler: &Handler) -> TokenStream {
    let (name, requirement) = (handler.signature.ident.unraw().to_string(), as_written(args));
    let place = Span::mixed_site();
    quote_spanned!(place=> #root::__private::access! { #name, #requirement })
}

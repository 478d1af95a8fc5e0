//! The guard for a framework that extracts arguments in order, until one refuses: it becomes the first argument.

use quote::{quote, quote_spanned};
use syn::{FnArg, parse_quote};

use super::handler::Handler;
use super::requirement::Requirement;
use crate::errors::Errors;

/// With how many arguments a handler's next one is too many for clippy.
const MOST_ARGUMENTS_FOR_CLIPPY: usize = 7;

/// async fn show(#[cfg(feature = "shop")] cart: Session<Cart>, /* fifteen more */) { .. }
pub(crate) fn first_of_most_arguments_has_no_attributes(most: usize, handler: &Handler, errors: &Errors) {
    if handler.signature.inputs.len() == most {
        // The guard would be configured away together with the argument that it shares a place with.
        for attribute in handler.arguments().take(1).flat_map(Handler::attributes_that_matter) {
            let message = format_args!(
                "with {most} arguments the first shares its place with the guard, so an attribute cannot stand on it: put it on \
                 the handler, for `#[cfg]` on two versions of the handler"
            );
            errors.on(attribute, message);
        }
    }
}

pub(crate) fn guarded(most: usize, mut handler: Handler, requirement: &Requirement) -> Handler {
    let Requirement { guard, ty, place, .. } = requirement;
    let guard = quote_spanned!(*place=> #guard<#ty>);
    let count = handler.signature.inputs.len();
    if count == MOST_ARGUMENTS_FOR_CLIPPY {
        handler.attributes.push(parse_quote!(#[allow(clippy::too_many_arguments)]));
    }
    let inputs = &mut handler.signature.inputs;
    match inputs.first_mut() {
        Some(FnArg::Typed(first)) if count == most => {
            let (pattern, ty) = (&first.pat, &first.ty);
            *first.ty = parse_quote!((#guard, #ty));
            *first.pat = syn::Pat::Verbatim(quote!((_, #pattern)));
        }
        _ => inputs.insert(0, FnArg::Typed(parse_quote!(_: #guard))),
    }
    handler
}

//! The guard for a framework that extracts all arguments together: it takes their place, and extracts them when it has
//! passed.

use quote::quote_spanned;
use syn::{Attribute, FnArg};

use super::handler::Handler;
use super::requirement::Requirement;
use crate::errors::Errors;

pub(crate) fn guarded(mut handler: Handler, requirement: &Requirement) -> Handler {
    let Requirement { guard, ty, place, .. } = requirement;
    let attributes: Vec<Attribute> = handler.arguments().flat_map(|argument| argument.attrs.clone()).collect();
    let patterns = handler.arguments().map(|argument| &argument.pat);
    let types = handler.arguments().map(|argument| &argument.ty);
    let argument = syn::PatType {
        pat: Box::new(syn::Pat::Verbatim(quote_spanned!(*place=> #guard(_, (#(#patterns,)*))))),
        ty: Box::new(syn::Type::Verbatim(quote_spanned!(*place=> #guard<#ty, (#(#types,)*)>))),
        colon_token: syn::Token![:](*place),
        attrs: attributes,
    };
    handler.signature.inputs = [FnArg::Typed(argument)].into_iter().collect();
    handler
}

/// async fn show(#[cfg(feature = "shop")] cart: Session<Cart>) { .. }
pub(crate) fn arguments_have_no_attributes(handler: &Handler, errors: &Errors) {
    for attribute in handler.arguments().flat_map(Handler::attributes_that_matter) {
        errors.on(
            attribute,
            "`#[session]` makes one argument of all of them, so an attribute cannot stand on one: put it on the handler, \
             for `#[cfg]` on two versions of the handler",
        );
    }
}

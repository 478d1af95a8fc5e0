//! The type that decides about a request, and its definition where the runtime has none ready.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::ext::IdentExt;

use super::Framework;
use super::conditions::Conditions;
use super::handler::Handler;
use crate::errors::Errors;
use crate::span::{moved_to, ours_at};
use crate::tokens::find_ident;

pub(crate) struct Requirement {
    /// The facade.
    pub(crate) root: TokenStream,
    /// The framework's part of the runtime.
    pub(crate) framework: TokenStream,
    /// The requirement's type.
    pub(crate) ty: TokenStream,
    /// What defines the type, if that is not the runtime.
    pub(crate) item: Option<TokenStream>,
    /// Where errors about the guard are shown: on the first condition.
    pub(crate) place: Span,
}

/// impl Page { #[session(require = Self::is_open)] async fn show() { .. } }
///
/// Most of what stands in an `impl` block looks like a free function here; what says `Self` does not.
pub(crate) fn has_a_place(conditions: &Conditions, handler: &Handler, errors: &Errors) {
    let operands = conditions.predicates.iter().map(|predicate| predicate.operand.to_token_stream());
    let signature = [handler.signature.inputs.to_token_stream(), handler.signature.output.to_token_stream()];
    let is_self = |ident: &Ident| ident == "Self";
    if !conditions.predicates.is_empty()
        && let Some(found) = operands.chain(signature).find_map(|tokens| find_ident(tokens, &is_self))
    {
        let message = "`require` defines an item beside the handler, and an `impl` block cannot hold it: make the handler a free \
                       function, without `Self`";
        errors.at(found.span(), message);
    }
}

pub(crate) fn build(framework: Framework, conditions: &Conditions, handler: &Handler) -> Requirement {
    let first_predicate = conditions.predicates.first();
    let key = conditions.require_login.key().or(first_predicate.map(|predicate| &predicate.key));
    let place = key.map_or_else(Span::mixed_site, ours_at);
    let root = match conditions.root.value() {
        Some(path) => moved_to(place, path),
        None => quote_spanned!(place=> ::sessionkit),
    };
    let layer = match conditions.layer.value() {
        Some(path) => path.to_token_stream(),
        None => quote_spanned!(place=> #root::__private::Main),
    };
    let module = match framework {
        Framework::Axum => quote_spanned!(place=> #root::axum::__private),
        Framework::Actix => quote_spanned!(place=> #root::actix::__private),
    };
    if conditions.predicates.is_empty() {
        // A layer that is none is reported on its name.
        let place_of_layer = conditions.layer.value().map_or(place, ours_at);
        let module_there = moved_to(place_of_layer, &module);
        let ty = quote_spanned!(place_of_layer=> #module_there::RequireLogin<#layer>);
        return Requirement { root, framework: module, ty, item: None, place };
    }
    let name = format_ident!("__session_guard_{}", handler.signature.ident.unraw(), span = place);
    let item = definition(&name, &root, &layer, conditions, handler, place);
    Requirement { root, framework: module, ty: name.to_token_stream(), item: Some(item), place }
}

fn definition(
    name: &Ident,
    root: &TokenStream,
    layer: &TokenStream,
    conditions: &Conditions,
    handler: &Handler,
    place: Span,
) -> TokenStream {
    let cfgs: Vec<_> = handler.attributes.iter().filter(|attribute| attribute.path().is_ident("cfg")).collect();
    let visibility = &handler.visibility;
    let handler_name = format!("::{}", handler.signature.ident.unraw());
    let checks = checks(conditions);
    quote_spanned! {place=>
        #(#cfgs)*
        #[doc(hidden)]
        #[allow(non_camel_case_types, clippy::redundant_pub_crate)]
        #visibility struct #name;
        #(#cfgs)*
        impl #root::__private::Check for #name {
            type Layer = #layer;
            const HANDLER: &'static #root::__private::str = ::core::concat!(::core::module_path!(), #handler_name);
            fn check(__subjects: &mut #root::__private::Subjects<'_, Self::Layer>) -> #root::__private::Result<(), #root::__private::Interrupted> {
                #checks
                #root::__private::Ok(())
            }
        }
    }
}

fn checks(conditions: &Conditions) -> TokenStream {
    let login = conditions.require_login.key().map(|key| quote_spanned!(ours_at(key)=> __subjects.require_login();));
    let predicates = conditions.predicates.iter().map(|predicate| {
        let operand = &predicate.operand;
        quote_spanned!(ours_at(operand)=> __subjects.require(#operand)?;)
    });
    quote!(#login #(#predicates)*)
}

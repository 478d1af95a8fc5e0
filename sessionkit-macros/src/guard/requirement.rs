//! The type that decides about a request, and its definition where the runtime has none ready.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::ext::IdentExt;

use super::adapter::Adapter;
use super::conditions::{Condition, Conditions};
use super::handler::Handler;
use super::operator::Operator;
use crate::errors::Errors;
use crate::span::{moved_to, ours_at};
use crate::tokens::find_ident;

pub(crate) struct Requirement {
    /// The facade.
    pub(crate) root: TokenStream,
    /// The guard type of the adapter.
    pub(crate) guard: TokenStream,
    /// The requirement's type.
    pub(crate) ty: TokenStream,
    /// The definition of the type, if it is not the runtime's.
    pub(crate) item: Option<TokenStream>,
    /// The place at which errors about the guard are shown: the first condition.
    pub(crate) place: Span,
}

/// impl Page { #[session(require = Self::is_open)] async fn show() { .. } }
///
/// Most of what stands in an `impl` block looks like a free function here; what says `Self` does not.
pub(crate) fn has_a_place(conditions: &Conditions, handler: &Handler, errors: &Errors) {
    if ready_made(conditions).is_some() {
        return;
    }
    let asked = conditions.all.iter().map(Condition::names).chain([conditions.options.names()]);
    let signature = [handler.signature.inputs.to_token_stream(), handler.signature.output.to_token_stream()];
    let is_self = |ident: &Ident| ident == "Self";
    if let Some(found) = asked.chain(signature).find_map(|tokens| find_ident(tokens, &is_self)) {
        let message = "this guard defines an item beside the handler, and an `impl` block cannot hold it: make the handler a free \
                       function, without `Self`";
        errors.at(found.span(), message);
    }
}

pub(crate) fn build(adapter: &Adapter, conditions: &Conditions, handler: &Handler) -> Requirement {
    let place = match (conditions.all.first(), conditions.public.key()) {
        (Some(condition), _) => ours_at(condition.key()),
        (None, Some(public)) => ours_at(public),
        (None, None) => Span::mixed_site(),
    };
    let root = match conditions.root.value() {
        Some(path) => moved_to(place, path),
        None => quote_spanned!(place=> ::sessionkit),
    };
    let scope = match conditions.scope.value() {
        Some(path) => path.to_token_stream(),
        None => quote_spanned!(place=> #root::__private::MainScope),
    };
    let guard = adapter.guard(&root, place);
    if let Some(ReadyMade { name, argument }) = ready_made(conditions) {
        // A scope that is none is reported on its name.
        let place_of_scope = conditions.scope.value().map_or(place, ours_at);
        let root_there = moved_to(place_of_scope, &root);
        let name = Ident::new(name, place_of_scope);
        let ty = quote_spanned!(place_of_scope=> #root_there::__private::#name<#argument #scope>);
        return Requirement { root, guard, ty, item: None, place };
    }
    let name = format_ident!("__session_guard_{}", handler.signature.ident.unraw(), span = place);
    let item = definition(&name, &root, &scope, conditions, handler, place);
    Requirement { root, guard, ty: name.to_token_stream(), item: Some(item), place }
}

/// A type of the runtime that asks what the conditions do.
struct ReadyMade {
    name: &'static str,
    /// The generic argument before the scope: the seconds of `RequireFresh`.
    argument: Option<TokenStream>,
}

fn ready_made(conditions: &Conditions) -> Option<ReadyMade> {
    if conditions.options.are_given() {
        return None;
    }
    let simple = |name| Some(ReadyMade { name, argument: None });
    match &*conditions.all {
        [] => simple("Public"),
        [Condition::RequireLogin(_)] => simple("RequireLogin"),
        [Condition::GuestOnly(_)] => simple("GuestOnly"),
        // A fresh login is a login.
        [Condition::RequireFresh(key, seconds)]
        | [Condition::RequireLogin(_), Condition::RequireFresh(key, seconds)]
        | [Condition::RequireFresh(key, seconds), Condition::RequireLogin(_)] => {
            let seconds = u64::from(*seconds);
            Some(ReadyMade { name: "RequireFresh", argument: Some(quote_spanned!(ours_at(key)=> #seconds,)) })
        }
        _ => None,
    }
}

fn definition(
    name: &Ident,
    root: &TokenStream,
    scope: &TokenStream,
    conditions: &Conditions,
    handler: &Handler,
    place: Span,
) -> TokenStream {
    let cfgs: Vec<_> = handler.attributes.iter().filter(|attribute| attribute.path().is_ident("cfg")).collect();
    let visibility = &handler.visibility;
    let handler_name = format!("::{}", handler.signature.ident.unraw());
    let checks: TokenStream = conditions.all.iter().map(|condition| statement(root, condition)).collect();
    let options = conditions.options.expand(root, place);
    quote_spanned! {place=>
        #(#cfgs)*
        #[doc(hidden)]
        #[allow(non_camel_case_types, clippy::redundant_pub_crate)]
        #visibility struct #name;
        #(#cfgs)*
        impl #root::__private::Check for #name {
            type Scope = #scope;
            const HANDLER: &'static #root::__private::str = ::core::concat!(::core::module_path!(), #handler_name);
            fn check(__subjects: &mut #root::__private::Subjects<'_, Self::Scope>) -> #root::__private::Result<(), #root::__private::Interrupted> {
                #checks
                #root::__private::Ok(())
            }
            #options
        }
    }
}

fn statement(root: &TokenStream, condition: &Condition) -> TokenStream {
    match condition {
        Condition::RequireLogin(key) => quote_spanned!(ours_at(key)=> __subjects.require_login();),
        Condition::GuestOnly(key) => quote_spanned!(ours_at(key)=> __subjects.guest_only();),
        Condition::RequireFresh(key, seconds) => {
            let seconds = u64::from(*seconds);
            quote_spanned!(ours_at(key)=> __subjects.require_fresh(#seconds);)
        }
        Condition::Requirement(_, path) => quote_spanned!(ours_at(path)=> __subjects.requirement::<#path>()?;),
        Condition::Require(_, operand) => quote_spanned!(ours_at(operand)=> __subjects.require(#operand)?;),
        Condition::Operator(key, operator, operands) => {
            let place = ours_at(key);
            let operator = match operator {
                Operator::Any => quote_spanned!(place=> Any),
                Operator::All => quote_spanned!(place=> All),
                Operator::Not => quote_spanned!(place=> Not),
            };
            let root_there = moved_to(place, root);
            let open = quote_spanned!(place=> __subjects.begin_operator(#root_there::__private::Operator::#operator););
            let operands: TokenStream = operands.iter().map(|operand| statement(root, operand)).collect();
            let close = quote_spanned!(place=> __subjects.end_operator(););
            quote!(#open #operands #close)
        }
    }
}

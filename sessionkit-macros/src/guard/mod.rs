//! `#[session(..)]` on a handler.

mod access;
mod adapter;
mod conditions;
mod future;
mod handler;
mod in_order;
mod misplaced;
mod operand;
mod operator;
mod options;
mod requirement;
mod together;

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};

pub(crate) use self::adapter::{Adapter, Extraction};
use self::conditions::Conditions;
use self::handler::Handler;
use crate::errors::Errors;
use crate::expansion::Expansion;

pub(crate) fn expand(adapter: &Adapter, args: TokenStream, item: TokenStream) -> Expansion {
    let handler = match syn::parse2::<Handler>(item.clone()) {
        Ok(handler) => handler,
        Err(error) => return Expansion { error: Some(misplaced::explain(&item).unwrap_or(error)), code: item },
    };
    let errors = Errors::new();
    let conditions = Conditions::parse(args.clone(), &errors);
    handler.has_no_self(&errors);
    handler.is_asynchronous(&errors);
    requirement::has_a_place(&conditions, &handler, &errors);
    match adapter.extraction {
        Extraction::InOrder { most } => in_order::first_of_most_arguments_has_no_attributes(most, &handler, &errors),
        Extraction::Together => together::arguments_have_no_attributes(&handler, &errors),
    }
    if let Some(error) = errors.finish() {
        return Expansion { code: handler.made_asynchronous().into_token_stream(), error: Some(error) };
    }
    let requirement = requirement::build(adapter, &conditions, &handler);
    let entry = access::entry(&requirement.root, args, &handler);
    let handler = handler.with_item(entry);
    let handler = match adapter.extraction {
        Extraction::InOrder { most } => in_order::guarded(most, handler, &requirement),
        Extraction::Together => together::guarded(handler, &requirement),
    };
    let (item, handler) = (requirement.item, handler.into_token_stream());
    Expansion { code: quote!(#item #handler), error: None }
}

/// Expands the attribute of an adapter outside of this repository, which names its guard type before the user's arguments.
pub(crate) fn expand_for(extraction: Extraction, args: TokenStream, item: TokenStream) -> Expansion {
    match Adapter::named(extraction, args) {
        Ok((adapter, args)) => expand(&adapter, args, item),
        Err(error) => Expansion { code: item, error: Some(error) },
    }
}

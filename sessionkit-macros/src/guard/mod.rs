//! `#[session(..)]` on a handler.

mod access;
mod actix;
mod axum;
mod conditions;
mod future;
mod handler;
mod misplaced;
mod operand;
mod operator;
mod options;
mod requirement;

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};

use self::conditions::Conditions;
use self::handler::Handler;
use crate::errors::Errors;
use crate::expansion::Expansion;

/// Whose guard a handler gets. The user chose it by importing the attribute from the framework's module.
#[derive(Clone, Copy)]
pub(crate) enum Framework {
    Axum,
    Actix,
}

pub(crate) fn expand(framework: Framework, args: TokenStream, item: TokenStream) -> Expansion {
    let handler = match syn::parse2::<Handler>(item.clone()) {
        Ok(handler) => handler,
        Err(error) => return Expansion { error: Some(misplaced::explain(&item).unwrap_or(error)), code: item },
    };
    let errors = Errors::new();
    let conditions = Conditions::parse(args.clone(), &errors);
    handler.has_no_self(&errors);
    handler.is_asynchronous(&errors);
    requirement::has_a_place(&conditions, &handler, &errors);
    match framework {
        Framework::Axum => axum::first_of_the_most_arguments_has_no_attributes(&handler, &errors),
        Framework::Actix => actix::arguments_have_no_attributes(&handler, &errors),
    }
    if let Some(error) = errors.finish() {
        return Expansion { code: handler.made_asynchronous().into_token_stream(), error: Some(error) };
    }
    let requirement = requirement::build(framework, &conditions, &handler);
    let entry = access::entry(&requirement.root, args, &handler);
    let handler = handler.with_item(entry);
    let handler = match framework {
        Framework::Axum => axum::guarded(handler, &requirement),
        Framework::Actix => actix::guarded(handler, &requirement),
    };
    let (item, handler) = (requirement.item, handler.into_token_stream());
    Expansion { code: quote!(#item #handler), error: None }
}

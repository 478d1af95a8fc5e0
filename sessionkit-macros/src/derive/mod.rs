//! `#[derive(SessionData)]`.

mod attributes;
mod bounds;
mod check;
mod expand;
mod fallback;
mod model;
mod name;
mod serde;
mod shape;
mod ttl;

use proc_macro2::TokenStream;

use self::attributes::StructAttributes;
use crate::errors::Errors;
use crate::expansion::Expansion;

pub(crate) fn expand(input: TokenStream) -> Expansion {
    let item = match syn::parse2(input) {
        Ok(item) => item,
        Err(error) => return Expansion { code: TokenStream::new(), error: Some(error) },
    };
    let errors = Errors::new();
    let Some(head) = shape::head(&item) else {
        errors.on(&item, "`SessionData` can be derived for a struct with named fields");
        return Expansion { code: TokenStream::new(), error: errors.finish() };
    };
    let attributes = StructAttributes::parse(head.attributes, &errors);
    let named = shape::named_fields(&item, &errors);
    let fields = named.map(|fields| attributes::fields(fields, &errors));
    shape::no_lifetimes(head.generics, &errors);
    check::name(&attributes, &errors);
    check::version(&attributes, &errors);
    if let (Some(named), Some(fields)) = (named, &fields) {
        check::fields(fields, &errors);
        serde::is_not_meant(head.attributes, named, &attributes, fields, &errors);
    }
    match (errors.finish(), fields) {
        (None, Some(fields)) => {
            let model = model::build(&head, attributes, fields);
            Expansion { code: expand::implementation(&model), error: None }
        }
        (error, _) => Expansion { code: fallback::implementation(&head, &attributes), error },
    }
}

//! Is the item a struct with named fields and no lifetimes?

use proc_macro2::Ident;
use syn::{Attribute, Fields, FieldsNamed, Generics, Item};

use crate::errors::Errors;

/// The beginning of every item that can have a derive.
pub(crate) struct Head<'a> {
    pub(crate) attributes: &'a [Attribute],
    pub(crate) ident: &'a Ident,
    pub(crate) generics: &'a Generics,
}

pub(crate) fn head(item: &Item) -> Option<Head<'_>> {
    Some(match item {
        Item::Struct(item) => Head { attributes: &item.attrs, ident: &item.ident, generics: &item.generics },
        Item::Enum(item) => Head { attributes: &item.attrs, ident: &item.ident, generics: &item.generics },
        Item::Union(item) => Head { attributes: &item.attrs, ident: &item.ident, generics: &item.generics },
        _ => return None,
    })
}

/// The fields of a struct; anything else is a mistake.
pub(crate) fn named_fields<'a>(item: &'a Item, errors: &Errors) -> Option<&'a FieldsNamed> {
    match item {
        Item::Struct(item) => match &item.fields {
            Fields::Named(fields) => return Some(fields),
            // struct Cart(Vec<Item>);
            Fields::Unnamed(fields) => errors.on(
                fields,
                "session state is stored by the names of its fields, and these have none: write `{ name: Type, .. }`",
            ),
            // struct Cart;
            Fields::Unit => errors.on(
                &item.ident,
                format_args!(
                    "session state is a struct with named fields; for one without any write `struct {} {{}}`",
                    item.ident
                ),
            ),
        },
        // enum Cart { Empty, Full(Vec<Item>) }
        Item::Enum(item) => errors.on(
            &item.ident,
            "session state is a struct with named fields, not an enum: make the enum the type of a field",
        ),
        // union Cart { .. }
        Item::Union(item) => {
            errors.on(&item.ident, "session state is a struct with named fields, not a union");
        }
        _ => {}
    }
    None
}

/// struct Cart<'a> { owner: &'a str }
pub(crate) fn no_lifetimes(generics: &Generics, errors: &Errors) {
    for parameter in generics.lifetimes() {
        errors.on(
            &parameter.lifetime,
            "session state outlives the request, so it cannot borrow: own the data, for example a `String` for a `&str`",
        );
    }
}

//! `#[serde(..)]` on the struct or on one of its fields. Nobody reads it here, so it is a mistake that would go unnoticed: a
//! password behind `#[serde(skip)]` would be stored.

use proc_macro2::Ident;
use syn::ext::IdentExt;
use syn::meta::ParseNestedMeta;
use syn::{Attribute, FieldsNamed, Token};

use super::attributes::{Field, StructAttributes};
use crate::errors::Errors;

/// #[serde(rename_all = "camelCase")] struct Account { #[serde(skip)] password: String }
pub(crate) fn is_not_meant(
    of_struct: &[Attribute],
    named: &FieldsNamed,
    attributes: &StructAttributes,
    fields: &[Field],
    errors: &Errors,
) {
    if attributes.ignore_serde.key().is_some() {
        return;
    }
    each_key(of_struct, |key, _| {
        let instead = match key.to_string().as_str() {
            "bound" | "crate" | "expecting" => return,
            "rename" if attributes.name.key().is_some() => return,
            "rename" => "write `#[session(name = \"..\")]`",
            "rename_all" => "a field has the name that `#[session(rename = \"..\")]` gives it",
            "default" => "each field has a default of its own, which `#[session(default = path::to::function)]` names",
            _ => FIELD_TYPES,
        };
        report(key, instead, errors);
    });
    for (declared, field) in named.named.iter().zip(fields).filter(|(_, field)| field.skip.key().is_none()) {
        each_key(&declared.attrs, |key, has_value| {
            let instead = match key.to_string().as_str() {
                "bound" | "borrow" => return,
                "skip" | "skip_serializing" | "skip_deserializing" => {
                    "the field is stored unless you write `#[session(skip)]`"
                }
                "rename" if field.rename.key().is_some() => return,
                "rename" => "write `#[session(rename = \"..\")]`",
                "alias" if !field.aliases.is_empty() => return,
                "alias" => "write `#[session(alias = \"..\")]`",
                // `Default` makes the value in both.
                "default" if !has_value || field.default.key().is_some() => return,
                "default" => "write `#[session(default = path::to::function)]`",
                "with" | "serialize_with" | "deserialize_with" => {
                    "write `#[session(codec = path::to::Codec)]` on the struct, or give the field a type of its own, whose \
                     `serde` attributes count"
                }
                _ => FIELD_TYPES,
            };
            report(key, instead, errors);
        });
    }
}

const FIELD_TYPES: &str = "each field is stored on its own, so only the `serde` attributes of the fields' types count";

fn report(key: &Ident, instead: &str, errors: &Errors) {
    errors.at(
        key.span(),
        format_args!(
            "`SessionData` ignores `serde({key})`: {instead}. If it is meant for another format, write \
             `#[session(ignore_serde)]` on the struct"
        ),
    );
}

/// Visits the keys of the `serde` attributes, with `true` for those that have a value. What does not parse is serde's matter.
fn each_key(attributes: &[Attribute], mut visit: impl FnMut(&Ident, bool)) {
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("serde")) {
        let _ = attribute.parse_nested_meta(|meta: ParseNestedMeta<'_>| {
            let has_value = meta.input.peek(Token![=]);
            if let Some(key) = meta.path.segments.last() {
                visit(&key.ident.unraw(), has_value);
            }
            while !meta.input.is_empty() && !meta.input.peek(Token![,]) {
                meta.input.parse::<proc_macro2::TokenTree>()?;
            }
            Ok(())
        });
    }
}

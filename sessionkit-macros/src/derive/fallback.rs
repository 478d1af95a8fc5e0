//! Writes the implementation for an item with mistakes: it type-checks, so that each mistake is one error.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{WhereClause, parse_quote};

use super::attributes::StructAttributes;
use super::expand::in_scope;
use super::model::Runtime;
use super::shape::Head;

pub(crate) fn implementation(head: &Head<'_>, attributes: &StructAttributes) -> TokenStream {
    let runtime = Runtime::new(attributes);
    let Runtime { scope, codec, .. } = &runtime;
    let ident = head.ident;
    let (generics, arguments, _) = head.generics.split_for_impl();
    let where_clause = everything_is_static(head);
    let implementation = quote! {
        impl #generics __kit::SessionData for #ident #arguments #where_clause {
            type Scope = #scope;
            type Codec = #codec;
            const NAMESPACE: &'static __kit::str = "";
            const FIELDS: &'static [__kit::Field] = &[];
            fn decode(_: &mut __kit::FieldReader<'_>) -> __kit::Result<Self, __kit::FieldError> {
                ::core::unreachable!()
            }
            fn encode(&self, _: &mut __kit::FieldWriter) -> __kit::Result<(), __kit::FieldError> {
                ::core::unreachable!()
            }
        }
    };
    in_scope(&runtime, implementation)
}

/// Lifetimes have been refused; here they must not be refused again.
fn everything_is_static(head: &Head<'_>) -> WhereClause {
    let mut clause = match &head.generics.where_clause {
        Some(clause) => clause.clone(),
        None => parse_quote!(where),
    };
    let lifetimes = head.generics.lifetimes().map(|parameter| parameter.lifetime.clone());
    clause.predicates.extend(lifetimes.map(|lifetime| -> syn::WherePredicate { parse_quote!(#lifetime: 'static) }));
    let types = head.generics.type_params().map(|parameter| parameter.ident.clone());
    clause.predicates.extend(types.map(|ident| -> syn::WherePredicate { parse_quote!(#ident: 'static) }));
    clause
}

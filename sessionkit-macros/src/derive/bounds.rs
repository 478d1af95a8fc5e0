//! The bounds that the implementation needs beyond those of the struct.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote};
use syn::{WhereClause, parse_quote};

use super::model::{Field, Kind, Model, Stored};
use crate::tokens::find_ident;

/// The struct's `where` clause, and bounds for the fields that mention a type parameter.
///
/// Fields of other types get none: what they lack is then reported on their type, and recursive types just work.
pub(crate) fn where_clause(model: &Model<'_>) -> WhereClause {
    let mut clause = match &model.generics.where_clause {
        Some(clause) => clause.clone(),
        None => parse_quote!(where),
    };
    let parameters: Vec<&Ident> = model.generics.type_params().map(|parameter| &parameter.ident).collect();
    clause
        .predicates
        .extend(parameters.iter().map(|parameter| -> syn::WherePredicate { parse_quote!(#parameter: 'static) }));
    for field in &model.fields {
        let is_parameter = |ident: &Ident| parameters.contains(&ident);
        if find_ident(field.ty.to_token_stream(), &is_parameter).is_some() {
            let (ty, bounds) = (&field.ty, bounds(field));
            clause.predicates.extend(bounds.map(|bounds| -> syn::WherePredicate { parse_quote!(#ty: #bounds) }));
        }
    }
    clause
}

fn bounds(field: &Field) -> Option<TokenStream> {
    let stored = field.stored.as_ref().map(|stored| match &stored.kind {
        Kind::Counter => quote!(__kit::CountedField),
        Kind::Flash => quote!(__kit::Flash),
        Kind::Entries => quote!(__kit::Entries),
        Kind::Ready(function) if function == "union" => quote!(__kit::Stored + __kit::Union),
        Kind::Ready(_) => quote!(__kit::Stored + __kit::Append),
        Kind::Plain | Kind::Function(_) => quote!(__kit::Stored),
    });
    let brings_its_own =
        matches!(&field.stored, Some(Stored { kind: Kind::Counter | Kind::Flash | Kind::Entries, .. }));
    let default = (field.default.is_none() && !brings_its_own).then(|| quote!(__kit::Default));
    [stored, default].into_iter().flatten().reduce(|all, bound| quote!(#all + #bound))
}

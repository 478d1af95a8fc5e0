//! The return types that are futures, as far as their names show.

use quote::ToTokens;
use syn::{Type, TypeImplTrait, TypeParamBound};

use crate::tokens::find_ident;

/// Returns whether a function of this return type may be called and awaited. What nothing is known of may be one.
pub(crate) fn is_one(ty: &Type) -> bool {
    match ty {
        Type::ImplTrait(opaque) => mentions_one(opaque) || !is_answer(opaque),
        Type::Group(inner) => is_one(&inner.elem),
        Type::Paren(inner) => is_one(&inner.elem),
        Type::Macro(_) | Type::Verbatim(_) => true,
        other => mentions_one(other),
    }
}

/// BoxFuture<'static, String>, Pin<Box<dyn Future<Output = String>>>, future::Ready<String>
fn mentions_one(ty: &impl ToTokens) -> bool {
    find_ident(ty.to_token_stream(), &|ident| ident == "Ready" || ident.to_string().ends_with("Future")).is_some()
}

/// impl IntoResponse, impl Responder
fn is_answer(opaque: &TypeImplTrait) -> bool {
    opaque.bounds.iter().any(|bound| match bound {
        TypeParamBound::Trait(bound) => {
            let name = bound.path.segments.last().map(|segment| &segment.ident);
            name.is_some_and(|name| name == "IntoResponse" || name == "Responder")
        }
        _ => false,
    })
}

//! The adapter of a web framework, as far as the attribute needs to know it.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote_spanned;
use syn::parse::{ParseStream, Parser};
use syn::{Path, Result, Token};

use crate::span::moved_to;

/// The adapter whose guard a handler gets. The user chose it by importing the attribute from the adapter's module.
#[derive(Clone)]
pub(crate) struct Adapter {
    guard: GuardType,
    pub(crate) extraction: Extraction,
}

/// The way in which a framework extracts the arguments of a handler.
#[derive(Clone, Copy)]
pub(crate) enum Extraction {
    /// One after the other, until one refuses. A handler has no more than `most` arguments.
    InOrder { most: usize },
    /// All together.
    Together,
}

#[derive(Clone)]
enum GuardType {
    /// The one of a module of the facade.
    Ours { module: &'static str, name: &'static str },
    /// The one that an adapter outside of this repository names.
    Named(Path),
}

impl Adapter {
    pub(crate) fn axum() -> Self {
        let guard = GuardType::Ours { module: "axum", name: "AxumGuard" };
        Self { guard, extraction: Extraction::InOrder { most: 16 } }
    }

    pub(crate) fn actix() -> Self {
        let guard = GuardType::Ours { module: "actix", name: "ActixGuard" };
        Self { guard, extraction: Extraction::Together }
    }

    /// `::my_adapter::Guard; require_login`
    ///
    /// Returns the arguments of the user too.
    pub(crate) fn named(extraction: Extraction, args: TokenStream) -> Result<(Self, TokenStream)> {
        let parse = |input: ParseStream<'_>| {
            let guard = input.call(Path::parse_mod_style)?;
            input.parse::<Token![;]>()?;
            Ok((guard, input.parse()?))
        };
        let (guard, args) = parse.parse2(args).map_err(|error| {
            let message = "the guard type of the adapter and a `;` come first: `::my_adapter::Guard; require_login`";
            syn::Error::new(error.span(), message)
        })?;
        Ok((Self { guard: GuardType::Named(guard), extraction }, args))
    }

    /// The path of the guard type, without its arguments.
    pub(crate) fn guard(&self, root: &TokenStream, place: Span) -> TokenStream {
        match &self.guard {
            GuardType::Ours { module, name } => {
                let (module, name) = (Ident::new(module, place), Ident::new(name, place));
                quote_spanned!(place=> #root::#module::__private::#name)
            }
            GuardType::Named(path) => moved_to(place, path),
        }
    }
}

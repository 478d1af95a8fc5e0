//! The output of a macro.

use proc_macro2::TokenStream;

/// Code that type-checks, and the mistakes that were found.
pub(crate) struct Expansion {
    pub(crate) code: TokenStream,
    pub(crate) error: Option<syn::Error>,
}

impl Expansion {
    /// The code, followed by a `compile_error!` per mistake.
    pub(crate) fn into_tokens(self) -> TokenStream {
        let mut tokens = self.code;
        tokens.extend(self.error.map(|error| error.to_compile_error()));
        tokens
    }
}

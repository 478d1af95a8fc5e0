//! The attribute is on something that is no handler.

use proc_macro2::{Span, TokenStream};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, Ident, Result, Token, Visibility};

/// Explains the mistake, if the item is recognised.
pub(crate) fn explain(item: &TokenStream) -> Option<syn::Error> {
    let keyword = keyword.parse2(item.clone()).ok()?;
    let message = match keyword.to_string().as_str() {
        "struct" | "enum" | "union" => {
            "here this is the attribute for handlers: on session state put `#[session(..)]` below the derive \
             `#[derive(SessionData)]`"
        }
        "mod" => "`#[session(..)]` guards one handler: put it on each function of the module, not on the module",
        "impl" | "trait" => "`#[session(..)]` guards one handler: put it on the function inside, not around it",
        "const" | "static" | "type" | "use" | "extern" | "macro_rules" | "let" => {
            "`#[session(..)]` guards a handler: put it on the function"
        }
        _ => return None,
    };
    // The mistake is where the attribute stands, so the error is on the attribute.
    Some(syn::Error::new(Span::call_site(), message))
}

/// The word that says what an item is.
fn keyword(input: ParseStream<'_>) -> Result<Ident> {
    input.call(Attribute::parse_outer)?;
    input.parse::<Visibility>()?;
    while input.peek(Token![unsafe]) || input.peek(Token![async]) || is_const_fn(input) || is_extern_fn(input) {
        input.call(Ident::parse_any)?;
        input.parse::<Option<syn::LitStr>>()?;
    }
    let keyword = input.call(Ident::parse_any)?;
    input.parse::<TokenStream>()?;
    Ok(keyword)
}

fn is_const_fn(input: ParseStream<'_>) -> bool {
    input.peek(Token![const]) && (input.peek2(Token![fn]) || input.peek2(Token![async]) || input.peek2(Token![unsafe]))
}

fn is_extern_fn(input: ParseStream<'_>) -> bool {
    input.peek(Token![extern]) && (input.peek2(Token![fn]) || input.peek3(Token![fn]))
}

//! Parses the inside of `#[session(..)]`: keys with or without a value, separated by commas.

use proc_macro2::{Group, Ident, TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::discouraged::Speculative;
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, Error, Expr, ExprPath, Lit, Meta, Path, Result, Token};

use crate::errors::Errors;
use crate::keys::{self, Place};

/// `key`, `key = value` or `key(..)`.
pub(crate) struct Arg {
    pub(crate) key: Ident,
    pub(crate) value: Value,
}

/// The value that follows a key, if there is one.
pub(crate) enum Value {
    Absent,
    /// An `=` with nothing behind it.
    Missing(Token![=]),
    Literal(Lit),
    Path(ExprPath),
    Expr(Expr),
    List(Group),
}

/// Parses all args, reporting what is none; one that does not parse does not hide those after it.
pub(crate) fn parse(tokens: TokenStream, place: Place, errors: &Errors) -> Vec<Arg> {
    let parser = |input: ParseStream<'_>| {
        let mut args = Vec::new();
        while !input.is_empty() {
            match arg(input, place) {
                Ok(arg) => {
                    args.push(arg);
                    if !input.is_empty() && !input.peek(Token![,]) {
                        errors.push(input.error("expected `,`"));
                    }
                }
                Err(error) => errors.push(error),
            }
            skip_past_comma(input);
        }
        Ok(args)
    };
    parser.parse2(tokens).unwrap_or_else(|error| {
        errors.push(error);
        Vec::new()
    })
}

/// Parses the args of every `#[session(..)]` among the attributes of a struct or a field.
pub(crate) fn of_attributes(attributes: &[Attribute], place: Place, errors: &Errors) -> Vec<Arg> {
    let mut args = Vec::new();
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("session")) {
        match &attribute.meta {
            Meta::List(list) => args.extend(parse(list.tokens.clone(), place, errors)),
            Meta::Path(_) | Meta::NameValue(_) => errors.on(
                &attribute.meta,
                format_args!("write the keys in parentheses: `#[session(..)]` takes {}", place.list()),
            ),
        }
    }
    args
}

/// Parses one arg.
pub(crate) fn arg(input: ParseStream<'_>, place: Place) -> Result<Arg> {
    if place == Place::Handler && is_bare_predicate(input) {
        let predicate: Expr = input.parse()?;
        return Err(Error::new_spanned(predicate, keys::BARE_PREDICATE));
    }
    if !input.peek(Ident::peek_any) {
        return Err(input.error(format_args!("expected a key: {}", place.list())));
    }
    let key = input.call(Ident::parse_any)?;
    let value = if input.peek(Token![=]) && !input.peek(Token![==]) {
        // At the end of the input an error has no token of its own.
        value(&key, input).map_err(|error| if input.is_empty() { Error::new(key.span(), error) } else { error })?
    } else if let Some(list) = list(input)? {
        Value::List(list)
    } else {
        Value::Absent
    };
    Ok(Arg { key, value })
}

/// A closure, or a path of several segments, where a key belongs.
fn is_bare_predicate(input: ParseStream<'_>) -> bool {
    let is_path = input.peek(Ident::peek_any) && input.peek2(Token![::]);
    is_path || input.peek(Token![::]) || input.peek(Token![<]) || input.peek(Token![|]) || input.peek(Token![||])
}

fn value(key: &Ident, input: ParseStream<'_>) -> Result<Value> {
    let equals = input.parse()?;
    if input.is_empty() || input.peek(Token![,]) {
        return Ok(Value::Missing(equals));
    }
    // A type's arguments need no `::` before the `<`; as an expression they would.
    let is_of_type = ["crate", "scope", "codec", "requirement"].iter().any(|of_type| key == of_type);
    if let Some(path) = is_of_type.then(|| type_path(input)).flatten() {
        return Ok(Value::Path(ExprPath { attrs: Vec::new(), qself: None, path }));
    }
    let mut value: Expr = input.parse()?;
    // `macro_rules` wraps what it substitutes in invisible groups.
    while let Expr::Group(group) = value {
        value = *group.expr;
    }
    Ok(match value {
        Expr::Lit(literal) => Value::Literal(literal.lit),
        Expr::Path(path) => Value::Path(path),
        other => Value::Expr(other),
    })
}

/// The path of a type, unless it only begins something else: `Owner(5)`.
fn type_path(input: ParseStream<'_>) -> Option<Path> {
    let ahead = input.fork();
    let path = ahead.parse().ok()?;
    let is_whole = ahead.is_empty() || ahead.peek(Token![,]) || ahead.peek(Ident::peek_any);
    is_whole.then(|| {
        input.advance_to(&ahead);
        path
    })
}

fn list(input: ParseStream<'_>) -> Result<Option<Group>> {
    let is_list = input.peek(syn::token::Paren) || input.peek(syn::token::Bracket) || input.peek(syn::token::Brace);
    if is_list { input.parse().map(Some) } else { Ok(None) }
}

/// Goes to the next arg, over what could not be parsed.
pub(crate) fn skip_past_comma(input: ParseStream<'_>) {
    while let Ok(token) = input.parse::<TokenTree>() {
        if matches!(&token, TokenTree::Punct(punct) if punct.as_char() == ',') {
            return;
        }
    }
}

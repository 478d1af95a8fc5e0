//! `any(..)`, `all(..)` and `not(..)`.

use proc_macro2::{Delimiter, Ident, TokenStream};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Expr, Result, Token};

use super::conditions::{Condition, no_flag_is_repeated};
use super::operand;
use crate::args::{self, Arg, Value};
use crate::errors::Errors;
use crate::keys::Place;
use crate::nearest::nearest;

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Operator {
    Any,
    All,
    Not,
}

const NOT_AN_OPERAND: &str = "this is no condition: inside of `any`, `all` and `not` write a key such as `require_login`, a \
                              function's path, or a closure `|person: &Person| person.is_admin`";

/// The operator of an arg, with what it combines.
pub(crate) fn operands(operator: Operator, arg: Arg, errors: &Errors) -> Option<Condition> {
    let key = arg.key;
    let list = match arg.value {
        Value::List(list) if list.delimiter() == Delimiter::Parenthesis => list,
        // any = is_admin
        _ => {
            let message = format_args!("`{key}` takes conditions in parentheses: write `{key}(require_login)`");
            errors.at(key.span(), message);
            return None;
        }
    };
    let is_empty = list.stream().is_empty();
    let (before, operands) = (errors.count(), parse(list.stream(), errors));
    // A mistake inside has been reported, and may have been meant as an operand.
    if before == errors.count() {
        has_enough(operator, &key, is_empty, operands.len(), errors);
    }
    no_flag_is_repeated(&operands, errors);
    Some(Condition::Operator(key, operator, operands))
}

/// #[session(any())], #[session(not(is_banned, is_new))]
fn has_enough(operator: Operator, key: &Ident, is_empty: bool, count: usize, errors: &Errors) {
    if is_empty {
        errors.at(key.span(), format_args!("`{key}` needs a condition: write `{key}(require_login)`"));
    } else if operator == Operator::Not && count > 1 {
        let message =
            "`not` takes one condition: write `not(any(..))` where none of several may hold, or `not(all(..))`";
        errors.at(key.span(), message);
    }
}

fn parse(tokens: TokenStream, errors: &Errors) -> Vec<Condition> {
    let parser = |input: ParseStream<'_>| {
        let mut operands = Vec::new();
        while !input.is_empty() {
            match operand(input, errors) {
                Ok(operand) => {
                    operands.extend(operand);
                    if !input.is_empty() && !input.peek(Token![,]) {
                        errors.push(input.error("expected `,`"));
                    }
                }
                Err(error) => errors.push(error),
            }
            args::skip_past_comma(input);
        }
        Ok(operands)
    };
    parser.parse2(tokens).unwrap_or_else(|error| {
        errors.push(error);
        Vec::new()
    })
}

fn operand(input: ParseStream<'_>, errors: &Errors) -> Result<Option<Condition>> {
    if is_key(input) {
        return Ok(Condition::parse(args::arg(input, Place::Operator)?, Place::Operator, errors));
    }
    let expr: Expr = input.parse()?;
    if let Expr::Path(path) = &expr
        && let Some(name) = path.path.get_ident()
        && let Some(meant) = misspelt(name)
    {
        let message = format_args!("did you mean `{meant}`? A predicate of this name is written `require = {name}`");
        errors.at(name.span(), message);
        return Ok(None);
    }
    Ok(operand::predicate(expr, NOT_AN_OPERAND, errors).map(|operand| Condition::Require(None, operand)))
}

/// Returns whether a key begins here, or something that looks like one: `key = ..`, a key of a handler, or a misspelt
/// `key(..)`.
fn is_key(input: ParseStream<'_>) -> bool {
    let ahead = input.fork();
    let Ok(name) = ahead.call(Ident::parse_any) else { return false };
    if ahead.peek(Token![=]) && !ahead.peek(Token![==]) {
        return true;
    }
    let name = name.to_string();
    let is_misspelt = || ahead.peek(syn::token::Paren) && nearest(&name, Place::Operator.keys()).is_some();
    !ahead.peek(Token![::]) && (Place::Handler.keys().contains(&name.as_str()) || is_misspelt())
}

/// The key that a name without a value was probably meant to be.
fn misspelt(name: &Ident) -> Option<&'static str> {
    nearest(&name.to_string(), &["require_login", "guest_only", "require_fresh", "requirement"])
}

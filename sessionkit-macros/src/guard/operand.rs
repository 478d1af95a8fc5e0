//! The values of `require =` and `require_fresh =`.

use proc_macro2::Ident;
use quote::ToTokens;
use syn::{Expr, ExprCall, ExprClosure, ExprPath, GenericArgument, Lit, Pat, PathArguments, Type};

use crate::args::{Arg, Value};
use crate::errors::Errors;
use crate::seconds;
use crate::value::without_quotes;
use crate::written::as_written;

pub(crate) const EXAMPLE: &str = "|person: &Person| person.is_admin";

const NOT_A_PREDICATE: &str =
    "`require` takes a function's path or a closure: write `require = |person: &Person| person.is_admin`";

/// The operand of a `require`.
pub(crate) fn of_require(arg: Arg, errors: &Errors) -> Option<Expr> {
    match arg.value {
        Value::Path(path) => Some(Expr::Path(path)),
        Value::Expr(expr) => predicate(expr, NOT_A_PREDICATE, errors),
        // require = "is_admin"
        Value::Literal(Lit::Str(string)) => {
            errors.on(&string, without_quotes(&arg.key, &string, EXAMPLE));
            None
        }
        // require
        Value::Absent | Value::Missing(_) => {
            arg.needs_value(EXAMPLE, errors);
            None
        }
        // require(is_admin), require = 7
        Value::Literal(_) | Value::List(_) => {
            errors.on(&arg.value, NOT_A_PREDICATE);
            None
        }
    }
}

/// The operand of a `requirement`.
pub(crate) fn of_requirement(arg: &Arg, errors: &Errors) -> Option<ExprPath> {
    // requirement = Owner(5), requirement(Owner)
    if let Value::Expr(_) | Value::List(_) = &arg.value {
        let message = "a requirement is a type, without a value: write `requirement = path::to::Type`; what differs between \
                       handlers is a parameter of the type, `requirement = Owner<5>`";
        errors.on(&arg.value, message);
        return None;
    }
    arg.expr_path("OfficeHours", errors)
}

/// A predicate, or what to say where it is none.
pub(crate) fn predicate(expr: Expr, otherwise: &str, errors: &Errors) -> Option<Expr> {
    match expr {
        Expr::Paren(inner) => predicate(*inner.expr, otherwise, errors),
        Expr::Group(inner) => predicate(*inner.expr, otherwise, errors),
        Expr::Path(_) => Some(expr),
        Expr::Closure(closure) => {
            is_synchronous(&closure, errors);
            looks_at_something(&closure, errors);
            says_its_types(&closure, errors);
            takes_no_extractors(&closure, errors);
            Some(Expr::Closure(closure))
        }
        // require = any(is_admin, is_editor)
        Expr::Call(call) if is_operator(&call.func) => {
            let message = "`any`, `all` and `not` are conditions themselves: write them without `require =`";
            errors.on(call.func, message);
            None
        }
        // require = may("read")
        Expr::Call(call) if matches!(*call.func, Expr::Path(_)) => {
            has_arguments(&call, errors);
            Some(Expr::Call(call))
        }
        other => {
            errors.on(other, otherwise);
            None
        }
    }
}

/// require = is_admin()
fn has_arguments(call: &ExprCall, errors: &Errors) {
    if call.args.is_empty() {
        let function = as_written(call.func.to_token_stream());
        let message = format_args!(
            "a predicate is named, not called: write `{function}`; a function that returns one has arguments, as in \
             `may(\"read\")`"
        );
        errors.on(call, message);
    }
}

fn is_operator(function: &Expr) -> bool {
    let Expr::Path(path) = function else { return false };
    ["any", "all", "not"].iter().any(|operator| path.path.is_ident(operator))
}

/// require = async |person: &Person| person.is_admin
fn is_synchronous(closure: &ExprClosure, errors: &Errors) {
    if let Some(asyncness) = &closure.asyncness {
        errors.on(
            asyncness,
            "a predicate is synchronous: what it looks at has been loaded before; remove `async`, or write a type for \
             `requirement = ..`",
        );
    }
}

/// require = || true
fn looks_at_something(closure: &ExprClosure, errors: &Errors) {
    if closure.inputs.is_empty() {
        errors.on(closure, format_args!("a predicate takes what it looks at: write `{EXAMPLE}`"));
    }
}

/// require = |user| user.is_admin
fn says_its_types(closure: &ExprClosure, errors: &Errors) {
    for parameter in closure.inputs.iter().filter(|parameter| !matches!(parameter, Pat::Type(_))) {
        errors.on(parameter, format_args!("the type decides what is loaded, so write it: `{EXAMPLE}`"));
    }
}

/// require = |cart: &Session<Cart>| cart.paid
///
/// A `User<..>` may be a type of the application, so it is left to the compiler.
fn takes_no_extractors(closure: &ExprClosure, errors: &Errors) {
    for parameter in &closure.inputs {
        if let Pat::Type(parameter) = parameter
            && let Some((extractor, held)) = extractor(&parameter.ty)
        {
            let message = format!(
                "a predicate takes what `{extractor}` holds, not the extractor: write `&{}`",
                as_written(held.to_token_stream())
            );
            errors.on(&parameter.ty, message);
        }
    }
}

/// The name of an extractor and the session struct in it, behind as many `&` as there may be.
fn extractor(ty: &Type) -> Option<(&Ident, &Type)> {
    let path = match ty {
        Type::Reference(reference) => return extractor(&reference.elem),
        Type::Path(path) => &path.path,
        _ => return None,
    };
    let last = path.segments.last()?;
    let is_extractor = last.ident == "Session" || last.ident == "SessionView";
    match &last.arguments {
        PathArguments::AngleBracketed(arguments) if is_extractor && arguments.args.len() == 1 => {
            match arguments.args.first()? {
                GenericArgument::Type(held) => Some((&last.ident, held)),
                _ => None,
            }
        }
        _ => None,
    }
}

/// Returns how long ago, in seconds, a login may be at most.
pub(crate) fn seconds(arg: &Arg, errors: &Errors) -> Option<u32> {
    if let Value::Literal(Lit::Int(number)) = &arg.value {
        let message = format!(
            "`require_fresh` needs a unit: write `require_fresh = \"{}s\"` for seconds",
            number.base10_digits()
        );
        errors.on(number, message);
        return None;
    }
    let text = arg.string("\"5m\"", errors)?;
    let refuse = |message: &str| {
        errors.on(&text, message);
        None
    };
    match seconds::parse(&text.value()).map(u32::try_from) {
        Ok(Ok(0)) => refuse("no login is that fresh: write a time such as `require_fresh = \"5m\"`"),
        Ok(Ok(seconds)) => Some(seconds),
        Ok(Err(_)) => refuse("no login lasts that long: write a time such as `require_fresh = \"5m\"`"),
        Err(message) => refuse(&message),
    }
}

//! What `#[session(..)]` asks of a request.

use proc_macro2::{Ident, Span, TokenStream};
use syn::{Expr, ExprClosure, Lit, Pat, Path};

use crate::args::{self, Arg, Value};
use crate::errors::Errors;
use crate::keys::{self, Place};
use crate::slot::Slot;
use crate::value::without_quotes;

const EXAMPLE: &str = "|user: &User| user.is_admin";

pub(crate) struct Conditions {
    pub(crate) root: Slot<Path>,
    pub(crate) layer: Slot<Path>,
    pub(crate) require_login: Slot<()>,
    /// All of them must hold.
    pub(crate) predicates: Vec<Predicate>,
}

/// The operand of a `require`.
pub(crate) struct Predicate {
    pub(crate) key: Ident,
    pub(crate) operand: Expr,
}

impl Conditions {
    pub(crate) fn parse(args: TokenStream, errors: &Errors) -> Self {
        let mut this =
            Self { root: Slot::new(), layer: Slot::new(), require_login: Slot::new(), predicates: Vec::new() };
        let mut is_condition_given = false;
        for arg in args::parse(args, Place::Handler, errors) {
            is_condition_given |= !matches!(arg.key.to_string().as_str(), "crate" | "layer");
            this.set(arg, errors);
        }
        // An arg that is a mistake, and has been reported, may have been meant as the condition.
        if !is_condition_given && !errors.found_any() {
            errors.at(
                Span::call_site(),
                format_args!("say what to require: `#[session(require_login)]` or `#[session(require = {EXAMPLE})]`"),
            );
        }
        this
    }

    fn set(&mut self, arg: Arg, errors: &Errors) {
        let key = &arg.key;
        match key.to_string().as_str() {
            "crate" => self.root.set(key, arg.path("path::to::sessionkit", errors), errors),
            "layer" => self.layer.set(key, arg.path("Office", errors), errors),
            "require_login" => self.require_login.set(key, arg.flag(errors), errors),
            "require" => self.predicates.extend(predicate(arg, errors)),
            _ => errors.push(keys::unknown(key, Place::Handler)),
        }
    }
}

fn predicate(arg: Arg, errors: &Errors) -> Option<Predicate> {
    let operand = match arg.value {
        Value::Path(path) => Expr::Path(path),
        Value::Expr(expr) => operand(expr, errors)?,
        // require = "is_admin"
        Value::Literal(Lit::Str(string)) => {
            errors.on(&string, without_quotes(&arg.key, &string, EXAMPLE));
            return None;
        }
        // require
        Value::Absent | Value::Missing(_) => {
            arg.needs_value(EXAMPLE, errors);
            return None;
        }
        // require(is_admin), require = 7
        Value::Literal(_) | Value::List(_) => {
            errors.on(&arg.value, NOT_A_PREDICATE);
            return None;
        }
    };
    Some(Predicate { key: arg.key, operand })
}

const NOT_A_PREDICATE: &str =
    "`require` takes a function's path or a closure: write `require = |user: &User| user.is_admin`";

fn operand(expr: Expr, errors: &Errors) -> Option<Expr> {
    match expr {
        Expr::Paren(inner) => operand(*inner.expr, errors),
        Expr::Path(_) => Some(expr),
        Expr::Closure(closure) => {
            is_synchronous(&closure, errors);
            looks_at_something(&closure, errors);
            says_its_types(&closure, errors);
            Some(Expr::Closure(closure))
        }
        other => {
            errors.on(other, NOT_A_PREDICATE);
            None
        }
    }
}

/// require = async |user: &User| user.is_admin
fn is_synchronous(closure: &ExprClosure, errors: &Errors) {
    if let Some(asyncness) = &closure.asyncness {
        errors.on(asyncness, "a predicate is synchronous: what it looks at has been loaded before; remove `async`");
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

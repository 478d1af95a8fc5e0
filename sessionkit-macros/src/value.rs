//! Reads the value of a key, or says what to write instead.

use quote::{ToTokens, quote};
use syn::{ExprPath, Lit, LitStr, Path};

use crate::args::{Arg, Value};
use crate::errors::Errors;

impl Arg {
    /// The value of a key that takes none.
    pub(crate) fn flag(&self, errors: &Errors) -> Option<()> {
        match &self.value {
            Value::Absent => Some(()),
            value => {
                errors.on(value, format_args!("`{0}` takes no value: write just `{0}`", self.key));
                None
            }
        }
    }

    /// A string; `example` is what could stand behind the `=`.
    pub(crate) fn string(&self, example: &str, errors: &Errors) -> Option<LitStr> {
        match &self.value {
            Value::Literal(Lit::Str(string)) => return Some(string.clone()),
            Value::Absent | Value::Missing(_) => self.needs_value(example, errors),
            value => errors.on(value, format_args!("`{0}` is a string: write `{0} = {example}`", self.key)),
        }
        None
    }

    /// The path of a type or a module.
    pub(crate) fn path(&self, example: &str, errors: &Errors) -> Option<Path> {
        self.expr_path(example, errors).map(|path| path.path)
    }

    /// The path of a function, which may begin with `<T as Trait>`.
    pub(crate) fn expr_path(&self, example: &str, errors: &Errors) -> Option<ExprPath> {
        let key = &self.key;
        match &self.value {
            Value::Path(path) => return Some(path.clone()),
            Value::Absent | Value::Missing(_) => self.needs_value(example, errors),
            Value::Literal(Lit::Str(string)) => errors.on(string, without_quotes(key, string, example)),
            value => errors.on(value, format_args!("`{key}` is a path: write `{key} = {example}`")),
        }
        None
    }

    pub(crate) fn needs_value(&self, example: &str, errors: &Errors) {
        errors.at(self.key.span(), format_args!("`{0}` needs a value: write `{0} = {example}`", self.key));
    }
}

/// Makes the message about a path in quotes.
pub(crate) fn without_quotes(key: &impl std::fmt::Display, string: &LitStr, example: &str) -> String {
    match string.parse::<ExprPath>() {
        Ok(_) => format!("`{key}` takes a path without quotes: write `{key} = {}`", string.value()),
        Err(_) => format!("`{key}` takes a path without quotes: write `{key} = {example}`"),
    }
}

impl ToTokens for Value {
    fn to_tokens(&self, tokens: &mut proc_macro2::TokenStream) {
        match self {
            Self::Absent => {}
            Self::Missing(equals) => equals.to_tokens(tokens),
            Self::Literal(literal) => literal.to_tokens(tokens),
            Self::Path(path) => path.to_tokens(tokens),
            Self::Expr(expr) => expr.to_tokens(tokens),
            Self::List(list) => tokens.extend(quote!(#list)),
        }
    }
}

//! The answers to those who are refused.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote_spanned};
use syn::{ExprPath, Lit, LitStr};

use crate::args::{Arg, Value};
use crate::errors::Errors;
use crate::local::is_local;
use crate::slot::Slot;
use crate::span::ours_at;

pub(crate) struct Options {
    login_url: Slot<LoginUrl>,
    on_denied: Slot<ExprPath>,
}

enum LoginUrl {
    Path(LitStr),
    Function(ExprPath),
}

impl Options {
    pub(crate) fn new() -> Self {
        Self { login_url: Slot::new(), on_denied: Slot::new() }
    }

    pub(crate) fn set_login_url(&mut self, arg: &Arg, errors: &Errors) {
        let value = match &arg.value {
            Value::Literal(Lit::Str(path)) if is_page(&path.value()) => Some(LoginUrl::Path(path.clone())),
            Value::Path(function) => Some(LoginUrl::Function(function.clone())),
            // login_url
            Value::Absent | Value::Missing(_) => {
                arg.needs_value("\"/login\"", errors);
                None
            }
            // login_url = "https://login.example", login_url = |head| ..
            value => {
                let message = "`login_url` is a path of this site, `login_url = \"/login\"`, or the path of a function \
                               `fn(&RequestHead<'_>) -> String`";
                errors.on(value, message);
                None
            }
        };
        self.login_url.set(&arg.key, value, errors);
    }

    pub(crate) fn set_on_denied(&mut self, arg: &Arg, errors: &Errors) {
        self.on_denied.set(&arg.key, arg.expr_path("forbidden_page", errors), errors);
    }

    pub(crate) fn are_given(&self) -> bool {
        self.login_url.key().is_some() || self.on_denied.key().is_some()
    }

    /// Returns those of the user's tokens that may name something.
    pub(crate) fn names(&self) -> TokenStream {
        let mut names = self.on_denied.value().map(ToTokens::to_token_stream).unwrap_or_default();
        if let Some(LoginUrl::Function(function)) = self.login_url.value() {
            function.to_tokens(&mut names);
        }
        names
    }

    /// The function that returns them to the guard.
    pub(crate) fn expand(&self, root: &TokenStream, place: proc_macro2::Span) -> Option<TokenStream> {
        self.are_given().then(|| {
            let login_url = self.login_url.value().map(|login_url| match login_url {
                LoginUrl::Path(path) => quote_spanned!(ours_at(path)=> .login_path(#path)),
                LoginUrl::Function(function) => quote_spanned!(ours_at(function)=> .login_url(#function)),
            });
            let on_denied =
                self.on_denied.value().map(|function| quote_spanned!(ours_at(function)=> .on_denied(#function)));
            quote_spanned! {place=>
                fn options() -> #root::__private::GuardOptions {
                    #root::__private::GuardOptions::new() #login_url #on_denied
                }
            }
        })
    }
}

/// Returns whether a person can be sent to this text, as the setting `login_url` asks it too.
fn is_page(text: &str) -> bool {
    is_local(text) && !text.contains('#')
}

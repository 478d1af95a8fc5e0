//! A handler, whose body is nobody's business.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::ToTokens;
use syn::parse::{Parse, ParseStream};
use syn::{Attribute, PatType, Result, ReturnType, Signature, Token, Visibility};

use super::future;
use crate::errors::Errors;

pub(crate) struct Handler {
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) visibility: Visibility,
    pub(crate) signature: Signature,
    /// The tokens after the signature, as the user wrote them: one group in braces, unless an editor is half done.
    body: TokenStream,
}

impl Handler {
    /// async fn show(&self) -> Html<String> { .. }
    pub(crate) fn has_no_self(&self, errors: &Errors) {
        if let Some(receiver) = self.signature.receiver() {
            let message = "a handler has no `self`: write a free function, or an associated function that takes what it needs as arguments";
            errors.on(receiver, message);
        }
    }

    /// fn show() -> &'static str { .. }
    pub(crate) fn is_asynchronous(&self, errors: &Errors) {
        if !self.answers_later() {
            let message = "a handler is an `async fn`: write `async` before `fn`; where it returns a future, its type says so: \
                           `-> impl Future<Output = String>`";
            errors.on(self.signature.fn_token, message);
        }
    }

    /// Returns whether calling the handler makes a future, as far as its signature shows.
    fn answers_later(&self) -> bool {
        self.signature.asyncness.is_some()
            || match &self.signature.output {
                ReturnType::Default => false,
                ReturnType::Type(_, ty) => future::is_one(ty),
            }
    }

    /// The handler as it was meant where it answers at once, so that it has one mistake and not another in its route.
    pub(crate) fn made_asynchronous(mut self) -> Self {
        if !self.answers_later() {
            self.signature.asyncness = Some(Token![async](self.signature.fn_token.span));
        }
        self
    }

    /// The arguments; there is no `self` among them.
    pub(crate) fn arguments(&self) -> impl Iterator<Item = &PatType> {
        self.signature.inputs.iter().filter_map(|argument| match argument {
            syn::FnArg::Typed(argument) => Some(argument),
            syn::FnArg::Receiver(_) => None,
        })
    }

    /// The attributes of an argument without which it would be another argument, or none.
    pub(crate) fn attributes_that_matter(argument: &PatType) -> impl Iterator<Item = &Attribute> {
        argument
            .attrs
            .iter()
            .filter(|attribute| !attribute.path().is_ident("doc") && !attribute.path().is_ident("allow"))
    }
}

impl Handler {
    /// Puts an item at the beginning of the body, behind inner attributes.
    pub(crate) fn with_item(mut self, item: TokenStream) -> Self {
        let mut tokens: Vec<TokenTree> = self.body.into_iter().collect();
        if let Some(TokenTree::Group(body)) = tokens.first_mut()
            && body.delimiter() == Delimiter::Brace
        {
            let span = body.span();
            *body = Group::new(Delimiter::Brace, with_item(body.stream(), item));
            body.set_span(span);
        }
        self.body = tokens.into_iter().collect();
        self
    }
}

/// async fn show() { #![allow(unused_variables)] .. }
fn with_item(body: TokenStream, item: TokenStream) -> TokenStream {
    let body: Vec<TokenTree> = body.into_iter().collect();
    let is = |token: &TokenTree, wanted: char| matches!(token, TokenTree::Punct(punct) if punct.as_char() == wanted);
    let is_attribute = |tokens: &[TokenTree]| is(&tokens[0], '#') && is(&tokens[1], '!');
    let attributes = 3 * body.chunks_exact(3).take_while(|tokens| is_attribute(tokens)).count();
    let (attributes, rest) = body.split_at(attributes);
    attributes.iter().cloned().chain(item).chain(rest.iter().cloned()).collect()
}

impl Parse for Handler {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        Ok(Self {
            attributes: input.call(Attribute::parse_outer)?,
            visibility: input.parse()?,
            signature: input.parse()?,
            body: input.parse()?,
        })
    }
}

impl ToTokens for Handler {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        for attribute in &self.attributes {
            attribute.to_tokens(tokens);
        }
        self.visibility.to_tokens(tokens);
        self.signature.to_tokens(tokens);
        self.body.to_tokens(tokens);
    }
}

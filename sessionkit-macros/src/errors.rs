//! Collects all mistakes of an item.

use std::cell::RefCell;
use std::fmt::Display;

use proc_macro2::Span;
use quote::ToTokens;

/// The mistakes found so far. Must be [finished](Self::finish): dropping it otherwise is a bug of ours, and panics.
pub(crate) struct Errors {
    /// `None` once finished.
    found: RefCell<Option<Vec<syn::Error>>>,
}

impl Errors {
    pub(crate) fn new() -> Self {
        Self { found: RefCell::new(Some(Vec::new())) }
    }

    /// Reports a mistake on one token.
    pub(crate) fn at(&self, span: Span, message: impl Display) {
        self.push(syn::Error::new(span, message));
    }

    /// Reports a mistake on all of `tokens`.
    pub(crate) fn on(&self, tokens: impl ToTokens, message: impl Display) {
        self.push(syn::Error::new_spanned(tokens, message));
    }

    pub(crate) fn push(&self, error: syn::Error) {
        self.found.borrow_mut().as_mut().expect("`finish` consumes the collection").push(error);
    }

    pub(crate) fn found_any(&self) -> bool {
        self.count() > 0
    }

    /// Returns how many mistakes were found so far.
    pub(crate) fn count(&self) -> usize {
        self.found.borrow().as_ref().map_or(0, Vec::len)
    }

    /// All mistakes in one error, if there are any.
    pub(crate) fn finish(self) -> Option<syn::Error> {
        let found = self.found.borrow_mut().take().expect("`finish` consumes the collection");
        found.into_iter().reduce(|mut all, error| {
            all.combine(error);
            all
        })
    }
}

impl Drop for Errors {
    fn drop(&mut self) {
        if !std::thread::panicking() && self.found.get_mut().is_some() {
            panic!("forgot to look at the errors");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "forgot to look at the errors")]
    fn panics_when_forgotten() {
        drop(Errors::new());
    }

    #[test]
    fn keeps_every_mistake_in_order() {
        let errors = Errors::new();
        errors.at(Span::call_site(), "first");
        errors.at(Span::call_site(), "second");
        let messages: Vec<_> = errors.finish().into_iter().flatten().map(|error| error.to_string()).collect();
        assert_eq!(messages, ["first", "second"]);
    }
}

//! A key that may be given once.

use proc_macro2::Ident;

use crate::errors::Errors;

/// Remembers a key and its value; the value is absent where it was a mistake, which has been reported.
pub(crate) struct Slot<T> {
    key: Option<Ident>,
    value: Option<T>,
}

impl<T> Slot<T> {
    pub(crate) fn new() -> Self {
        Self { key: None, value: None }
    }

    /// Fills the slot, or reports that it is full.
    pub(crate) fn set(&mut self, key: &Ident, value: Option<T>, errors: &Errors) {
        if self.key.is_some() {
            errors.at(key.span(), format_args!("`{key}` is given twice; remove one"));
            return;
        }
        self.key = Some(key.clone());
        self.value = value;
    }

    /// The key as the user wrote it, if it was given at all.
    pub(crate) fn key(&self) -> Option<&Ident> {
        self.key.as_ref()
    }

    pub(crate) fn value(&self) -> Option<&T> {
        self.value.as_ref()
    }
}

//! Conditions that are functions of the application.

use std::error::Error;

use super::interrupted::Interrupted;
use super::subject::Arguments;

/// A function over one to four [`Subject`](super::Subject)s, which decide by their types what is loaded. `A` are the
/// types of its arguments and `V` what it returns; both are inferred.
///
/// It is pure: it may be asked more than once about one request. A panic is a 500.
#[diagnostic::on_unimplemented(
    message = "this is not a predicate",
    label = "expected `fn(&T) -> bool` or `fn(&T) -> Result<bool, E>`",
    note = "write `require = |cart: &Cart| !cart.items.is_empty()`, or the path of such a function",
    note = "it may look at up to four things, each behind a `&`: `|account: &Account, cart: &Cart| ..`",
    note = "a function with parameters returns one: `fn may(right: &'static str) -> impl Fn(&Account) -> bool`, `require = may(\"read\")`",
    note = "a predicate awaits nothing: for that write a type that implements `Requirement`; such a type is written `requirement = path::to::Type`"
)]
pub trait Predicate<A: Arguments, V> {
    /// Asks.
    fn ask(&self, arguments: A::References<'_>) -> V;
}

macro_rules! predicates {
    ($($($argument:ident $name:ident),+;)*) => {$(
        impl<F: Fn($(&$argument),+) -> V, V, $($argument: 'static),+> Predicate<($($argument,)+), V> for F {
            fn ask(&self, ($($name,)+): ($(&$argument,)+)) -> V {
                self($($name),+)
            }
        }
    )*};
}

predicates! {
    A a;
    A a, B b;
    A a, B b, C c;
    A a, B b, C c, D d;
}

/// The result of a predicate: `bool`, or `Result<bool, E>`, whose error is a 500 and never a denial.
#[diagnostic::on_unimplemented(
    message = "a predicate returns `bool` or `Result<bool, E>`, not `{Self}`",
    label = "expected `bool` or `Result<bool, E>`"
)]
pub trait Verdict {
    /// Takes the verdict.
    ///
    /// # Errors
    /// Fails when the predicate did.
    fn into_verdict(self) -> Result<bool, Interrupted>;
}

impl Verdict for bool {
    fn into_verdict(self) -> Result<bool, Interrupted> {
        Ok(self)
    }
}

impl<E: Into<Box<dyn Error + Send + Sync>>> Verdict for Result<bool, E> {
    fn into_verdict(self) -> Result<bool, Interrupted> {
        self.map_err(Interrupted::by)
    }
}

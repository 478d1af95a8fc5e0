//! The subjects of predicates.

use std::borrow::Borrow;
use std::sync::Arc;

use super::interrupted::{Fetching, Interrupted};
use super::request::GuardedRequest;
use super::subjects::Subjects;
use crate::data::SessionData;
use crate::engine::user::SessionUser;
use crate::request::info::SessionInfo;

/// Something that a predicate looks at: a struct that derives [`SessionData`], a user who implements [`SessionUser`], or the
/// [`SessionInfo`]. `K` is its kind, which is inferred; a type is of one kind only.
#[diagnostic::on_unimplemented(
    message = "a guard of the session scope `{Scope}` cannot look at `{Self}`",
    label = "a predicate over `{Self}`",
    note = "expected `fn(&T) -> bool` or `fn(&T) -> Result<bool, E>`, where `T` derives `SessionData` or implements `SessionUser`",
    note = "a `T` that derives `SessionData` must belong to the same scope as the guard: see `#[session(scope = ..)]`",
    note = "of an extractor write what it holds: `&Cart` for `Session<Cart>`, `&Account` for `User<Account>`"
)]
pub trait Subject<Scope, K>: Sized {
    /// The holder of the value while the predicate looks at it.
    type Holder: Borrow<Self>;

    /// Finds the value; `None` if there is none to look at. Then the predicate is neither met nor unmet.
    ///
    /// # Errors
    /// Fails if the value has to be awaited first, or cannot be read.
    fn find(subjects: &Subjects<'_, Scope>) -> Result<Option<Self::Holder>, Interrupted>;
}

/// The kind of a session struct.
#[derive(Debug)]
pub enum OfData {}

impl<Scope, T: SessionData<Scope = Scope>> Subject<Scope, OfData> for T {
    type Holder = T;

    fn find(subjects: &Subjects<'_, Scope>) -> Result<Option<T>, Interrupted> {
        Ok(Some(subjects.request.view()?))
    }
}

/// The kind of a user. Where nobody is logged in, a predicate over a user is neither met nor unmet, and nothing is loaded.
#[derive(Debug)]
pub enum OfUser {}

impl<Scope, U: SessionUser> Subject<Scope, OfUser> for U {
    type Holder = Arc<U>;

    fn find(subjects: &Subjects<'_, Scope>) -> Result<Option<Arc<U>>, Interrupted> {
        match subjects.request.session.known_user()? {
            Some(user) => Ok(user),
            None => subjects.fetch(fetch_user::<U>),
        }
    }
}

fn fetch_user<'r, U: SessionUser>(request: &'r GuardedRequest<'r>) -> Fetching<'r> {
    Box::pin(async move {
        request.session.user::<U>().await?;
        Ok(())
    })
}

/// The kind of the session itself. Where there is no session, a predicate over it is not met, and neither is its opposite.
#[derive(Debug)]
pub enum OfInfo {}

impl<Scope> Subject<Scope, OfInfo> for SessionInfo {
    type Holder = Self;

    fn find(subjects: &Subjects<'_, Scope>) -> Result<Option<Self>, Interrupted> {
        Ok(subjects.request.info())
    }
}

/// The arguments of a predicate: a tuple of one to four types.
pub trait Arguments {
    /// The references that the predicate takes.
    type References<'a>
    where
        Self: 'a;
}

/// Arguments all of which a guard of the scope `Scope` can look at. `K` are their kinds.
pub trait Findable<Scope, K>: Arguments {
    /// The holders of the values while the predicate looks at them.
    type Holder;

    /// Finds the values; `None` if one is missing.
    ///
    /// # Errors
    /// Fails if a value has to be awaited first, or cannot be read.
    fn find(subjects: &Subjects<'_, Scope>) -> Result<Option<Self::Holder>, Interrupted>;

    /// Shows the values.
    fn show(holder: &Self::Holder) -> Self::References<'_>;
}

macro_rules! arguments {
    ($($($argument:ident $kind:ident $name:ident),+;)*) => {$(
        impl<$($argument: 'static),+> Arguments for ($($argument,)+) {
            type References<'a> = ($(&'a $argument,)+);
        }

        impl<Scope, $($argument: Subject<Scope, $kind> + 'static, $kind),+> Findable<Scope, ($($kind,)+)> for ($($argument,)+) {
            type Holder = ($($argument::Holder,)+);

            fn find(subjects: &Subjects<'_, Scope>) -> Result<Option<Self::Holder>, Interrupted> {
                $(let Some($name) = $argument::find(subjects)? else { return Ok(None) };)+
                Ok(Some(($($name,)+)))
            }

            fn show(($($name,)+): &Self::Holder) -> Self::References<'_> {
                ($($name.borrow(),)+)
            }
        }
    )*};
}

arguments! {
    A KA a;
    A KA a, B KB b;
    A KA a, B KB b, C KC c;
    A KA a, B KB b, C KC c, D KD d;
}

//! The guard of a handler: `#[session(..)]` makes it the first argument.

use std::fmt;
use std::marker::PhantomData;

use poem::{FromRequest, Request, RequestBody, Result};
use sessionkit_core::adapter::{Check, GuardMark, guard};

use crate::extract::find;
use crate::head::head;
use crate::rejection::SessionRejection;

/// Lets a request pass that meets the conditions of `C`. Poem extracts arguments in their order, and stops at the first
/// error.
pub struct PoemGuard<C: Check>(PhantomData<fn() -> C>);

impl<'a, C: Check> FromRequest<'a> for PoemGuard<C> {
    async fn from_request(request: &'a Request, _: &mut RequestBody) -> Result<Self> {
        if let Some(mark) = request.data::<GuardMark>() {
            mark.set();
        }
        let session = find::<C::Scope>(request)?;
        guard::<C>(session, &head(request)).await.map_err(SessionRejection::from)?;
        Ok(Self(PhantomData))
    }
}

impl<C: Check> fmt::Debug for PoemGuard<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PoemGuard").finish_non_exhaustive()
    }
}

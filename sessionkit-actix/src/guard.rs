//! The guard: it stands around the arguments of a handler under `#[session(..)]`.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::{Error, FromRequest, HttpRequest};
use sessionkit_core::adapter::Check;

use crate::request::{HeaderLines, head, mark_guarded, slot};

/// Extracts `A` after `C` is met. actix-web polls all arguments of a handler together; inside of this one they
/// wait until the guard has decided. The compiler says its name where such a handler is given to another framework.
pub struct ActixGuard<C, A>(pub PhantomData<fn() -> C>, pub A);

impl<C, A: fmt::Debug> fmt::Debug for ActixGuard<C, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ActixGuard").field(&self.1).finish()
    }
}

impl<C: Check, A: FromRequest + 'static> FromRequest for ActixGuard<C, A> {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Error>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, mut payload) = (request.clone(), payload.take());
        Box::pin(async move {
            mark_guarded(&request);
            let session = slot::<C::Scope>(&request)?;
            let decided = {
                let lines = HeaderLines(request.headers());
                sessionkit_core::adapter::guard::<C>(&session, &head(&request, &lines)).await
            };
            decided.map_err(crate::SessionRejection::from)?;
            let arguments = A::from_request(&request, &mut payload).await.map_err(Into::into)?;
            Ok(Self(PhantomData, arguments))
        })
    }
}

//! The extractor for the time after the response.

use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use sessionkit_core::{MainScope, SessionScope};

use crate::extract::{self, Extracting};
use crate::rejection::SessionRejection;

/// The session after the response: for websockets, streamed bodies and spawned tasks.
///
/// It dereferences to [`sessionkit_core::SessionHandle`].
///
/// ```
/// # mod sessionkit { pub use sessionkit_actix as actix; pub use sessionkit_core::*; }
/// use actix_web::HttpResponse;
/// use sessionkit::actix::SessionHandle;
/// # use sessionkit_core::*;
/// # use sessionkit_core::derive::*;
/// # struct Import { rows: u64 }
/// # impl SessionData for Import {
/// #     type Scope = MainScope; type Codec = Json;
/// #     const NAMESPACE: &'static str = "import"; const FIELDS: &'static [Field] = &[];
/// #     fn decode(_: &mut FieldReader<'_>) -> Result<Self, FieldError> { Ok(Import { rows: 0 }) }
/// #     fn encode(&self, _: &mut FieldWriter) -> Result<(), FieldError> { Ok(()) }
/// # }
///
/// async fn import(handle: SessionHandle) -> HttpResponse {
///     actix_web::rt::spawn(async move {
///         if let Err(error) = work(handle).await {
///             eprintln!("{error}");
///         }
///     });
///     HttpResponse::Accepted().finish()
/// }
///
/// async fn work(mut handle: SessionHandle) -> Result<(), SessionError> {
///     // Something that takes its time, and then:
///     if handle.reload().await? {
///         handle.checkout::<Import>().await?.rows += 1000;
///         handle.commit().await?;
///     }
///     Ok(())
/// }
/// ```
pub struct SessionHandle<L: SessionScope = MainScope> {
    handle: sessionkit_core::SessionHandle,
    scope: PhantomData<fn() -> L>,
}

impl<L: SessionScope> Deref for SessionHandle<L> {
    type Target = sessionkit_core::SessionHandle;

    fn deref(&self) -> &Self::Target {
        &self.handle
    }
}

impl<L: SessionScope> DerefMut for SessionHandle<L> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.handle
    }
}

impl<L: SessionScope> Clone for SessionHandle<L> {
    fn clone(&self) -> Self {
        Self { handle: self.handle.clone(), scope: PhantomData }
    }
}

impl<L: SessionScope> fmt::Debug for SessionHandle<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.handle.fmt(f)
    }
}

impl<L: SessionScope> FromRequest for SessionHandle<L> {
    type Error = SessionRejection;
    type Future = Extracting<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let session = extract::session::<L>(request);
        Box::pin(async move { Ok(Self { handle: session?.handle().await?, scope: PhantomData }) })
    }
}

//! The extractor that only reads.

use std::fmt;
use std::ops::Deref;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use sessionkit_core::SessionData;

use crate::extract::{self, Extracting};
use crate::rejection::SessionRejection;

/// A struct of the session that cannot be changed: cheaper than [`Session`](crate::Session), and says so to the reader.
pub struct SessionView<T: SessionData>(T);

impl<T: SessionData> Deref for SessionView<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

/// Names the type; the value may be sensitive.
impl<T: SessionData> fmt::Debug for SessionView<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionView").field("namespace", &T::NAMESPACE).finish_non_exhaustive()
    }
}

impl<T: SessionData> FromRequest for SessionView<T> {
    type Error = SessionRejection;
    type Future = Extracting<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let session = extract::session::<T::Scope>(request);
        Box::pin(async move { Ok(Self(session?.view().await?)) })
    }
}

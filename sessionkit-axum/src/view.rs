//! The extractor that only reads.

use std::fmt;
use std::ops::Deref;

use axum_core::extract::FromRequestParts;
use http::request::Parts;
use sessionkit_core::SessionData;

use crate::extract;
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

impl<S: Send + Sync, T: SessionData> FromRequestParts<S> for SessionView<T> {
    type Rejection = SessionRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, SessionRejection> {
        let session = extract::session::<T::Scope>(parts)?;
        Ok(Self(session.view().await?))
    }
}

//! The extractor of the session as a map.

use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};

use axum_core::extract::FromRequestParts;
use http::request::Parts;
use sessionkit_core::{MainScope, SessionScope};

use crate::extract;
use crate::rejection::SessionRejection;

/// The session as a map from keys to JSON values, for those who come from `session["key"]`. The same record as the typed
/// structs: `cart.items` is the field `items` of the struct `Cart`.
///
/// It dereferences to [`sessionkit_core::DynamicSession`], whose methods fail with a
/// [`SessionError`](sessionkit_core::SessionError): `?` makes a [`SessionRejection`] of it, or an error of the application.
///
/// ```
/// # mod sessionkit { pub use sessionkit_axum as axum; pub use sessionkit_core::*; }
/// use sessionkit::axum::{DynamicSession, SessionRejection};
///
/// async fn visit(mut session: DynamicSession) -> Result<String, SessionRejection> {
///     let visits: u32 = session.get("visits")?.unwrap_or(0) + 1;
///     session.insert("visits", &visits)?;
///     Ok(format!("seen {visits} times"))
/// }
/// ```
pub struct DynamicSession<L: SessionScope = MainScope> {
    session: sessionkit_core::DynamicSession,
    scope: PhantomData<fn() -> L>,
}

impl<L: SessionScope> DynamicSession<L> {
    pub(crate) fn new(session: sessionkit_core::DynamicSession) -> Self {
        Self { session, scope: PhantomData }
    }
}

impl<L: SessionScope> Deref for DynamicSession<L> {
    type Target = sessionkit_core::DynamicSession;

    fn deref(&self) -> &Self::Target {
        &self.session
    }
}

impl<L: SessionScope> DerefMut for DynamicSession<L> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.session
    }
}

/// Names the session; keys and values may be sensitive.
impl<L: SessionScope> fmt::Debug for DynamicSession<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.session.fmt(f)
    }
}

impl<S: Send + Sync, L: SessionScope> FromRequestParts<S> for DynamicSession<L> {
    type Rejection = SessionRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, SessionRejection> {
        let session = extract::session::<L>(parts)?;
        Ok(Self::new(session.dynamic().await?))
    }
}

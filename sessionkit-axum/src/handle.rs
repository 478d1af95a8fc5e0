//! The extractor for the time after the response.

use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};

use axum_core::extract::FromRequestParts;
use http::request::Parts;
use sessionkit_core::{MainScope, SessionScope};

use crate::extract;
use crate::rejection::SessionRejection;

/// The session after the response: for websockets, streamed bodies and spawned tasks.
///
/// It dereferences to [`sessionkit_core::SessionHandle`].
///
/// ```
/// # mod sessionkit { pub use sessionkit_axum as axum; pub use sessionkit_core::*; }
/// use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
/// use axum::response::Response;
/// use sessionkit::axum::SessionHandle;
/// # use sessionkit_core::*;
/// # use sessionkit_core::derive::*;
/// # struct Chat { lines: u64 }
/// # impl SessionData for Chat {
/// #     type Scope = MainScope; type Codec = Json;
/// #     const NAMESPACE: &'static str = "chat"; const FIELDS: &'static [Field] = &[];
/// #     fn decode(_: &mut FieldReader<'_>) -> Result<Self, FieldError> { Ok(Chat { lines: 0 }) }
/// #     fn encode(&self, _: &mut FieldWriter) -> Result<(), FieldError> { Ok(()) }
/// # }
///
/// async fn chat(upgrade: WebSocketUpgrade, handle: SessionHandle) -> Response {
///     upgrade.on_upgrade(async |socket| {
///         if let Err(error) = talk(socket, handle).await {
///             eprintln!("{error}");
///         }
///     })
/// }
///
/// async fn talk(mut socket: WebSocket, mut handle: SessionHandle) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
///     while let Some(Ok(Message::Text(line))) = socket.recv().await {
///         if !handle.reload().await? {
///             break; // logged out meanwhile
///         }
///         handle.checkout::<Chat>().await?.lines += 1;
///         handle.commit().await?;
///         socket.send(Message::Text(line)).await?;
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

impl<S: Send + Sync, L: SessionScope> FromRequestParts<S> for SessionHandle<L> {
    type Rejection = SessionRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, SessionRejection> {
        let session = extract::session::<L>(parts)?;
        Ok(Self { handle: session.handle().await?, scope: PhantomData })
    }
}

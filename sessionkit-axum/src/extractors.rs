//! The extractors, and the answer of those that fail.

use std::marker::PhantomData;
use std::sync::Arc;

use axum_core::extract::{FromRequestParts, OptionalFromRequestParts};
use axum_core::response::{IntoResponse, Response};
use http::request::Parts;
use sessionkit_core::adapter::Checkout;
use sessionkit_core::{MainScope, Rejection, SessionData, SessionScope, SessionUser};

use crate::request::{self, Found, found, head};

sessionkit_core::adapter::extractors! {
    "# mod sessionkit { pub use sessionkit_axum as axum; pub use sessionkit_core::*; }", "sessionkit::axum";

    /// `Option<Session<T>>` is `None` for a visitor without a session.
    pub struct Session<T: SessionData>(Checkout<T>);

    pub struct MaybeSession<T: SessionData>(pub Option<Session<T>>);

    pub struct SessionView<T: SessionData>(T);

    /// `Option<User<U>>` is `None` for such a visitor, and where the session has just been ended, because there is no such
    /// user any more. A loader that fails is answered with 503, in both.
    ///
    /// ```
    /// # mod sessionkit { pub use sessionkit_axum as axum; pub use sessionkit_core::*; }
    /// use sessionkit::axum::User;
    /// use sessionkit::SessionUser;
    ///
    /// struct Account {
    ///     name: String,
    /// }
    ///
    /// impl SessionUser for Account {}
    ///
    /// async fn profile(account: User<Account>) -> String {
    ///     format!("You are {}.", account.name)
    /// }
    ///
    /// async fn home(account: Option<User<Account>>) -> String {
    ///     account.map_or("Welcome.".to_owned(), |account| format!("Welcome, {}.", account.name))
    /// }
    /// # let _: axum::Router = axum::Router::new()
    /// #     .route("/", axum::routing::get(home)).route("/profile", axum::routing::get(profile));
    /// ```
    pub struct User<U: SessionUser, Scope: SessionScope = MainScope>(Arc<U>, PhantomData<fn() -> Scope>);

    pub struct MaybeUser<U: SessionUser, Scope: SessionScope = MainScope>(pub Option<User<U, Scope>>);

    pub struct Auth<Scope: SessionScope = MainScope>(sessionkit_core::Auth, PhantomData<fn() -> Scope>);

    pub struct DynamicSession<Scope: SessionScope = MainScope>(sessionkit_core::DynamicSession, PhantomData<fn() -> Scope>);

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
    pub struct SessionHandle<Scope: SessionScope = MainScope>(sessionkit_core::SessionHandle, PhantomData<fn() -> Scope>);

    /// ```
    /// # mod sessionkit { pub use sessionkit_axum as axum; pub use sessionkit_core::*; }
    /// use axum::extract::Form;
    /// use axum::response::Html;
    /// use sessionkit::axum::{CsrfToken, SessionRejection};
    ///
    /// #[derive(serde::Deserialize)]
    /// struct Transfer {
    ///     csrf_token: String,
    ///     amount: u32,
    /// }
    ///
    /// async fn form(token: CsrfToken) -> Html<String> {
    ///     Html(format!(r#"<form method="post">{}<input name="amount"></form>"#, token.hidden_field()))
    /// }
    ///
    /// async fn transfer(token: CsrfToken, Form(form): Form<Transfer>) -> Result<String, SessionRejection> {
    ///     token.verify(&form.csrf_token)?;
    ///     Ok(format!("sent {}", form.amount))
    /// }
    /// # let _: axum::Router = axum::Router::new().route("/", axum::routing::get(form).post(transfer));
    /// ```
    pub struct CsrfToken<Scope: SessionScope = MainScope>(sessionkit_core::CsrfToken, PhantomData<fn() -> Scope>);

    /// The response has the [`Rejection`] among its extensions, for layers outside.
    pub struct SessionRejection(Rejection);
}

impl<S: Send + Sync, T: SessionData> FromRequestParts<S> for Session<T> {
    type Rejection = SessionRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, SessionRejection> {
        let session = request::session::<T::Scope>(parts)?;
        Ok(Self(session.checkout().await?))
    }
}

impl<S: Send + Sync, T: SessionData> OptionalFromRequestParts<S> for Session<T> {
    type Rejection = SessionRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, SessionRejection> {
        let session = request::session::<T::Scope>(parts)?;
        Ok(session.checkout_existing().await?.map(Self))
    }
}

impl<S: Send + Sync, T: SessionData> FromRequestParts<S> for MaybeSession<T> {
    type Rejection = SessionRejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, SessionRejection> {
        let session = <Option<Session<T>> as FromRequestParts<S>>::from_request_parts(parts, state).await?;
        Ok(Self(session))
    }
}

impl<S: Send + Sync, T: SessionData> FromRequestParts<S> for SessionView<T> {
    type Rejection = SessionRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, SessionRejection> {
        let session = request::session::<T::Scope>(parts)?;
        Ok(Self(session.view().await?))
    }
}

impl<S: Send + Sync, U: SessionUser, Scope: SessionScope> FromRequestParts<S> for User<U, Scope> {
    type Rejection = SessionRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, SessionRejection> {
        let Found { session, uri } = found::<Scope>(parts)?;
        let head = head(&parts.method, uri, &parts.headers, &parts.extensions);
        Ok(Self(sessionkit_core::adapter::require_user(session, &head).await?, PhantomData))
    }
}

impl<S: Send + Sync, U: SessionUser, Scope: SessionScope> OptionalFromRequestParts<S> for User<U, Scope> {
    type Rejection = SessionRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, SessionRejection> {
        let session = request::session::<Scope>(parts)?;
        Ok(session.user().await?.map(|user| Self(user, PhantomData)))
    }
}

impl<S: Send + Sync, U: SessionUser, Scope: SessionScope> FromRequestParts<S> for MaybeUser<U, Scope> {
    type Rejection = SessionRejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, SessionRejection> {
        let user = <Option<User<U, Scope>> as FromRequestParts<S>>::from_request_parts(parts, state).await?;
        Ok(Self(user))
    }
}

impl<S: Send + Sync, Scope: SessionScope> FromRequestParts<S> for Auth<Scope> {
    type Rejection = SessionRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, SessionRejection> {
        let session = request::guardable::<Scope>(parts)?;
        Ok(Self(session.auth(), PhantomData))
    }
}

impl<S: Send + Sync, Scope: SessionScope> FromRequestParts<S> for DynamicSession<Scope> {
    type Rejection = SessionRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, SessionRejection> {
        let session = request::session::<Scope>(parts)?;
        Ok(Self(session.dynamic().await?, PhantomData))
    }
}

impl<S: Send + Sync, Scope: SessionScope> FromRequestParts<S> for SessionHandle<Scope> {
    type Rejection = SessionRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, SessionRejection> {
        let session = request::guardable::<Scope>(parts)?;
        Ok(Self(session.handle().await?, PhantomData))
    }
}

impl<S: Send + Sync, Scope: SessionScope> FromRequestParts<S> for CsrfToken<Scope> {
    type Rejection = SessionRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, SessionRejection> {
        let session = request::session::<Scope>(parts)?;
        Ok(Self(session.csrf_token().await?, PhantomData))
    }
}

/// Lets `Auth::from_request_parts(parts, state)` stand in an extractor of the application. The trait's method alone leaves the
/// scope open there.
macro_rules! of_the_main_scope {
    ($($extractor:ident),*) => {$(
        impl $extractor {
            /// Extracts it in an extractor of one's own. With several scopes: `Auth::<Office>::from_request_parts(..)`.
            ///
            /// ```
            /// # mod sessionkit { pub use sessionkit_axum as axum; pub use sessionkit_core::*; }
            /// use axum::extract::FromRequestParts;
            /// use axum::http::request::Parts;
            #[doc = concat!("use sessionkit::axum::{", stringify!($extractor), ", SessionRejection};")]
            ///
            #[doc = concat!("struct Mine(", stringify!($extractor), ");")]
            ///
            /// impl<S: Send + Sync> FromRequestParts<S> for Mine {
            ///     type Rejection = SessionRejection;
            ///
            ///     async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, SessionRejection> {
            #[doc = concat!("        Ok(Self(", stringify!($extractor), "::from_request_parts(parts, state).await?))")]
            ///     }
            /// }
            /// ```
            ///
            /// # Errors
            /// Fails as the extractor does.
            pub async fn from_request_parts<S: Send + Sync>(parts: &mut Parts, state: &S) -> Result<Self, SessionRejection> {
                <Self as FromRequestParts<S>>::from_request_parts(parts, state).await
            }
        }
    )*};
}

of_the_main_scope!(Auth, DynamicSession, SessionHandle, CsrfToken);

impl IntoResponse for SessionRejection {
    fn into_response(self) -> Response {
        self.0.into()
    }
}

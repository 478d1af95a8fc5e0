//! The extractor of a value for forms.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

use axum_core::extract::FromRequestParts;
use http::request::Parts;
use sessionkit_core::{MainScope, SessionScope};

use crate::extract;
use crate::rejection::SessionRejection;

/// A value for forms that only pages of this session have.
///
/// It dereferences to [`sessionkit_core::CsrfToken`], whose `verify` fails with a [`SessionError`](sessionkit_core::SessionError): `?`
/// makes a [`SessionRejection`] of it, or an error of the application.
///
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
pub struct CsrfToken<L: SessionScope = MainScope> {
    token: sessionkit_core::CsrfToken,
    scope: PhantomData<fn() -> L>,
}

impl<L: SessionScope> Deref for CsrfToken<L> {
    type Target = sessionkit_core::CsrfToken;

    fn deref(&self) -> &Self::Target {
        &self.token
    }
}

impl<L: SessionScope> fmt::Debug for CsrfToken<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.token.fmt(f)
    }
}

impl<S: Send + Sync, L: SessionScope> FromRequestParts<S> for CsrfToken<L> {
    type Rejection = SessionRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, SessionRejection> {
        let token = extract::session::<L>(parts)?.csrf_token().await?;
        Ok(Self { token, scope: PhantomData })
    }
}

//! The extractor of a value for forms.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use sessionkit_core::{MainScope, SessionScope};

use crate::extract::{self, Extracting};
use crate::rejection::SessionRejection;

/// A value for forms that only pages of this session have.
///
/// It dereferences to [`sessionkit_core::CsrfToken`], whose `verify` fails with a [`SessionError`](sessionkit_core::SessionError): `?`
/// makes a [`SessionRejection`] of it, or an error of the application.
///
/// ```
/// # mod sessionkit { pub use sessionkit_actix as actix; pub use sessionkit_core::*; }
/// use actix_web::web::{Form, Html};
/// use sessionkit::actix::{CsrfToken, SessionRejection};
///
/// #[derive(serde::Deserialize)]
/// struct Transfer {
///     csrf_token: String,
///     amount: u32,
/// }
///
/// async fn form(token: CsrfToken) -> Html {
///     Html::new(format!(r#"<form method="post">{}<input name="amount"></form>"#, token.hidden_field()))
/// }
///
/// async fn transfer(token: CsrfToken, form: Form<Transfer>) -> Result<String, SessionRejection> {
///     token.verify(&form.csrf_token)?;
///     Ok(format!("sent {}", form.amount))
/// }
/// # let _ = actix_web::App::new().route("/", actix_web::web::get().to(form)).route("/", actix_web::web::post().to(transfer));
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

impl<L: SessionScope> FromRequest for CsrfToken<L> {
    type Error = SessionRejection;
    type Future = Extracting<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let session = extract::session::<L>(request);
        Box::pin(async move { Ok(Self { token: session?.csrf_token().await?, scope: PhantomData }) })
    }
}

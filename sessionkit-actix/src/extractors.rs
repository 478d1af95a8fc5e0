//! The extractors, and the answer of those that fail.

use std::future::{Ready, ready};
use std::marker::PhantomData;
use std::sync::Arc;

use actix_web::body::BoxBody;
use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::{FromRequest, HttpRequest, HttpResponse, ResponseError};
use sessionkit_core::adapter::Checkout;
use sessionkit_core::{MainScope, Rejection, SessionData, SessionScope, SessionUser};

use crate::request::{self, Extracting, HeaderLines, head, slot};

sessionkit_core::adapter::extractors! {
    "# mod sessionkit { pub use sessionkit_actix as actix; pub use sessionkit_core::*; }", "sessionkit::actix";

    /// Ask for [`MaybeSession`] to distinguish a visitor without a session. (actix-web defines what `Option<Session<T>>`
    /// means: `None` when the extractor fails, so it is always `Some` here.)
    pub struct Session<T: SessionData>(Checkout<T>);

    pub struct MaybeSession<T: SessionData>(pub Option<Session<T>>);

    pub struct SessionView<T: SessionData>(T);

    /// [`MaybeUser`] is `None` for such a visitor, and where the session has just been ended, because there is no such user
    /// any more. A loader that fails is answered with 503, in both.
    ///
    /// (actix-web defines what `Option<User<U>>` means: `None` when the extractor fails. But a loader that fails is answered
    /// with 503 here too, whatever the handler says.)
    ///
    /// ```
    /// # mod sessionkit { pub use sessionkit_actix as actix; pub use sessionkit_core::*; }
    /// use sessionkit::actix::{MaybeUser, User};
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
    /// async fn home(MaybeUser(account): MaybeUser<Account>) -> String {
    ///     account.map_or("Welcome.".to_owned(), |account| format!("Welcome, {}.", account.name))
    /// }
    /// # use actix_web::web::get;
    /// # let _ = actix_web::App::new().route("/", get().to(home)).route("/profile", get().to(profile));
    /// ```
    pub struct User<U: SessionUser, Scope: SessionScope = MainScope>(Arc<U>, PhantomData<fn() -> Scope>);

    pub struct MaybeUser<U: SessionUser, Scope: SessionScope = MainScope>(pub Option<User<U, Scope>>);

    /// With actix-web's own error type:
    ///
    /// ```
    /// # mod sessionkit { pub use sessionkit_actix as actix; pub use sessionkit_core::*; }
    /// use sessionkit::actix::{Auth, SessionRejection};
    ///
    /// async fn login(auth: Auth) -> actix_web::Result<&'static str> {
    ///     auth.login("ada").await.map_err(SessionRejection::from)?;
    ///     Ok("welcome")
    /// }
    /// ```
    pub struct Auth<Scope: SessionScope = MainScope>(sessionkit_core::Auth, PhantomData<fn() -> Scope>);

    pub struct DynamicSession<Scope: SessionScope = MainScope>(sessionkit_core::DynamicSession, PhantomData<fn() -> Scope>);

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
    pub struct SessionHandle<Scope: SessionScope = MainScope>(sessionkit_core::SessionHandle, PhantomData<fn() -> Scope>);

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
    pub struct CsrfToken<Scope: SessionScope = MainScope>(sessionkit_core::CsrfToken, PhantomData<fn() -> Scope>);

    /// The response has the [`Rejection`] among its extensions, for middleware outside.
    pub struct SessionRejection(Rejection);
}

impl<T: SessionData> FromRequest for Session<T> {
    type Error = SessionRejection;
    type Future = Extracting<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let session = request::session::<T::Scope>(request);
        Box::pin(async move { Ok(Self(session?.checkout().await?)) })
    }
}

impl<T: SessionData> FromRequest for MaybeSession<T> {
    type Error = SessionRejection;
    type Future = Extracting<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let session = request::session::<T::Scope>(request);
        Box::pin(async move { Ok(Self(session?.checkout_existing().await?.map(Session))) })
    }
}

impl<T: SessionData> FromRequest for SessionView<T> {
    type Error = SessionRejection;
    type Future = Extracting<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let session = request::session::<T::Scope>(request);
        Box::pin(async move { Ok(Self(session?.view().await?)) })
    }
}

impl<U: SessionUser, Scope: SessionScope> FromRequest for User<U, Scope> {
    type Error = SessionRejection;
    type Future = Extracting<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let (session, lines) = (slot::<Scope>(&request)?, HeaderLines(request.headers()));
            let user = sessionkit_core::adapter::require_user(&session, &head(&request, &lines)).await?;
            Ok(Self(user, PhantomData))
        })
    }
}

impl<U: SessionUser, Scope: SessionScope> FromRequest for MaybeUser<U, Scope> {
    type Error = SessionRejection;
    type Future = Extracting<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let session = request::session::<Scope>(request);
        Box::pin(async move { Ok(Self(session?.user().await?.map(|user| User(user, PhantomData)))) })
    }
}

impl<Scope: SessionScope> FromRequest for Auth<Scope> {
    type Error = SessionRejection;
    type Future = Ready<Result<Self, SessionRejection>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let session = request::guardable::<Scope>(request);
        ready(session.map(|session| Self(session.auth(), PhantomData)))
    }
}

impl<Scope: SessionScope> FromRequest for DynamicSession<Scope> {
    type Error = SessionRejection;
    type Future = Extracting<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let session = request::session::<Scope>(request);
        Box::pin(async move { Ok(Self(session?.dynamic().await?, PhantomData)) })
    }
}

impl<Scope: SessionScope> FromRequest for SessionHandle<Scope> {
    type Error = SessionRejection;
    type Future = Extracting<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let session = request::guardable::<Scope>(request);
        Box::pin(async move { Ok(Self(session?.handle().await?, PhantomData)) })
    }
}

impl<Scope: SessionScope> FromRequest for CsrfToken<Scope> {
    type Error = SessionRejection;
    type Future = Extracting<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let session = request::session::<Scope>(request);
        Box::pin(async move { Ok(Self(session?.csrf_token().await?, PhantomData)) })
    }
}

/// Lets `Auth::extract(&request)` stand in an extractor of the application. The trait's methods alone leave the scope open
/// there.
macro_rules! of_the_main_scope {
    ($($extractor:ident),*) => {$(
        impl $extractor {
            /// Extracts it in an extractor of one's own. With several scopes: `Auth::<Office>::extract(..)`.
            ///
            /// ```
            /// # mod sessionkit { pub use sessionkit_actix as actix; pub use sessionkit_core::*; }
            /// use std::{future::Future, pin::Pin};
            /// use actix_web::{FromRequest, HttpRequest, dev::Payload};
            #[doc = concat!("use sessionkit::actix::{", stringify!($extractor), ", SessionRejection};")]
            ///
            #[doc = concat!("struct Mine(", stringify!($extractor), ");")]
            ///
            /// impl FromRequest for Mine {
            ///     type Error = SessionRejection;
            ///     type Future = Pin<Box<dyn Future<Output = Result<Self, SessionRejection>>>>;
            ///
            ///     fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
            #[doc = concat!("        let extracting = ", stringify!($extractor), "::extract(request);")]
            ///         Box::pin(async move { Ok(Self(extracting.await?)) })
            ///     }
            /// }
            /// ```
            pub fn extract(request: &HttpRequest) -> <Self as FromRequest>::Future {
                <Self as FromRequest>::extract(request)
            }

            /// Extracts it as [`extract`](Self::extract) does; the body stays where it is.
            pub fn from_request(request: &HttpRequest, payload: &mut Payload) -> <Self as FromRequest>::Future {
                <Self as FromRequest>::from_request(request, payload)
            }
        }
    )*};
}

of_the_main_scope!(Auth, DynamicSession, SessionHandle, CsrfToken);

impl ResponseError for SessionRejection {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.0.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse<BoxBody> {
        self.0.give();
        let mut response = HttpResponse::build(self.status_code());
        for header in self.0.headers() {
            response.append_header(header);
        }
        let mut response = response.body(self.0.body());
        response.extensions_mut().insert(self.0.clone());
        response
    }
}

//! The types that handlers ask for, alike in every adapter: their docs, and how they dereference and print.

/// Gives the types of an adapter what is the same in all adapters.
///
/// The adapter declares the types, in this order: only there can they implement the framework's traits, and the compiler
/// quotes the declaration to users. The docs of a declaration follow those from here. `$sessionkit` is a hidden line
/// that lets examples read as in an application, and `$module` the module that they import from.
#[doc(hidden)]
#[macro_export]
macro_rules! __extractors {
    (
        $sessionkit:literal, $module:literal;
        $session:item
        $maybe_session:item
        $session_view:item
        $user:item
        $maybe_user:item
        $auth:item
        $dynamic_session:item
        $session_handle:item
        $csrf_token:item
        $session_rejection:item
    ) => {
        /// A struct of the session, to read and to change like any other.
        ///
        /// Changes are stored when the handler has answered with a status below 500; nothing needs to be called. A
        /// visitor without a session gets the defaults.
        ///
        /// ```
        #[doc = $sessionkit]
        #[doc = concat!("use ", $module, "::Session;")]
        /// # use sessionkit_core::*;
        /// # use sessionkit_core::derive::*;
        /// # struct Cart { views: u64 }
        /// # impl SessionData for Cart {
        /// #     type Scope = MainScope; type Codec = Json;
        /// #     const NAMESPACE: &'static str = "cart"; const FIELDS: &'static [Field] = &[];
        /// #     fn decode(_: &mut FieldReader<'_>) -> Result<Self, FieldError> { Ok(Cart { views: 0 }) }
        /// #     fn encode(&self, _: &mut FieldWriter) -> Result<(), FieldError> { Ok(()) }
        /// # }
        ///
        /// async fn view(mut cart: Session<Cart>) -> String {
        ///     cart.views += 1;
        ///     format!("seen {} times", cart.views)
        /// }
        /// ```
        ///
        $session

        impl<T: $crate::SessionData> ::std::ops::Deref for Session<T> {
            type Target = T;

            fn deref(&self) -> &T {
                &self.0
            }
        }

        impl<T: $crate::SessionData> ::std::ops::DerefMut for Session<T> {
            fn deref_mut(&mut self) -> &mut T {
                &mut self.0
            }
        }

        /// Names the type; the value may be sensitive.
        impl<T: $crate::SessionData> ::std::fmt::Debug for Session<T> {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                self.0.fmt(f)
            }
        }

        /// A struct of the session, or nothing for a visitor who has no session. The same on axum and on actix-web.
        /// Nothing too when it cannot be read: then the handler's answer stands only if it logs in or out.
        $maybe_session

        impl<T: $crate::SessionData> ::std::ops::Deref for MaybeSession<T> {
            type Target = Option<Session<T>>;

            fn deref(&self) -> &Option<Session<T>> {
                &self.0
            }
        }

        impl<T: $crate::SessionData> ::std::ops::DerefMut for MaybeSession<T> {
            fn deref_mut(&mut self) -> &mut Option<Session<T>> {
                &mut self.0
            }
        }

        /// Names the type; the value may be sensitive.
        impl<T: $crate::SessionData> ::std::fmt::Debug for MaybeSession<T> {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.debug_tuple("MaybeSession").field(&self.0).finish()
            }
        }

        /// A struct of the session that cannot be changed: cheaper than [`Session`], and says so to the reader.
        $session_view

        impl<T: $crate::SessionData> ::std::ops::Deref for SessionView<T> {
            type Target = T;

            fn deref(&self) -> &T {
                &self.0
            }
        }

        /// Names the type; the value may be sensitive.
        impl<T: $crate::SessionData> ::std::fmt::Debug for SessionView<T> {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.debug_struct("SessionView").field("namespace", &T::NAMESPACE).finish_non_exhaustive()
            }
        }

        /// The user who is logged in, as the application's [`UserLoader`](sessionkit_core::UserLoader) loads them.
        ///
        /// They are loaded once for each request, however many extractors and guards need them. A visitor who is not logged in
        /// gets a redirect to the login page, or 401, as from a guard with `require_login`.
        ///
        $user

        impl<U: $crate::SessionUser, Scope: $crate::SessionScope> ::std::ops::Deref for User<U, Scope> {
            type Target = U;

            fn deref(&self) -> &U {
                &self.0
            }
        }

        /// The same user; nothing is copied.
        impl<U: $crate::SessionUser, Scope: $crate::SessionScope> Clone for User<U, Scope> {
            fn clone(&self) -> Self {
                Self(self.0.clone(), self.1)
            }
        }

        /// Names the type; the value may be sensitive.
        impl<U: $crate::SessionUser, Scope: $crate::SessionScope> ::std::fmt::Debug for User<U, Scope> {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                write!(f, "User({})", ::std::any::type_name::<U>())
            }
        }

        /// The user who is logged in, or nothing for a visitor who is not. The same on axum and on actix-web.
        $maybe_user

        impl<U: $crate::SessionUser, Scope: $crate::SessionScope> ::std::ops::Deref for MaybeUser<U, Scope> {
            type Target = Option<User<U, Scope>>;

            fn deref(&self) -> &Option<User<U, Scope>> {
                &self.0
            }
        }

        impl<U: $crate::SessionUser, Scope: $crate::SessionScope> ::std::ops::DerefMut for MaybeUser<U, Scope> {
            fn deref_mut(&mut self) -> &mut Option<User<U, Scope>> {
                &mut self.0
            }
        }

        /// Names the type; the value may be sensitive.
        impl<U: $crate::SessionUser, Scope: $crate::SessionScope> ::std::fmt::Debug for MaybeUser<U, Scope> {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.debug_tuple("MaybeUser").field(&self.0).finish()
            }
        }

        /// The login of a request, and the ways to change it.
        ///
        /// It dereferences to [`sessionkit_core::Auth`], whose methods fail with a
        /// [`SessionError`](sessionkit_core::SessionError): `?` makes a [`SessionRejection`] of it, or an error of the
        /// application.
        ///
        /// ```
        #[doc = $sessionkit]
        #[doc = concat!("use ", $module, "::{Auth, SessionRejection};")]
        ///
        /// async fn logout(auth: Auth) -> Result<&'static str, SessionRejection> {
        ///     auth.logout().await?;
        ///     Ok("bye")
        /// }
        /// ```
        ///
        $auth

        impl<Scope: $crate::SessionScope> Auth<Scope> {
            /// Checks out a struct of the session as it is now: after a login, the new user's. What was extracted before a
            /// change of user belongs to the user before, and is discarded.
            ///
            /// ```
            #[doc = $sessionkit]
            /// # use sessionkit_core::*;
            /// # use sessionkit_core::derive::*;
            /// # struct Account { is_admin: bool }
            /// # impl SessionData for Account {
            /// #     type Scope = MainScope; type Codec = Json;
            /// #     const NAMESPACE: &'static str = "account"; const FIELDS: &'static [Field] = &[];
            /// #     fn decode(_: &mut FieldReader<'_>) -> Result<Self, FieldError> { Ok(Account { is_admin: false }) }
            /// #     fn encode(&self, _: &mut FieldWriter) -> Result<(), FieldError> { Ok(()) }
            /// # }
            #[doc = concat!("use ", $module, "::{Auth, SessionRejection};")]
            ///
            /// async fn login(auth: Auth) -> Result<&'static str, SessionRejection> {
            ///     auth.login("ada").await?;
            ///     auth.checkout::<Account>().await?.is_admin = true;
            ///     Ok("welcome")
            /// }
            /// ```
            ///
            /// # Errors
            /// Fails when the store does, or when a stored value does not fit its field.
            pub async fn checkout<T: $crate::SessionData<Scope = Scope>>(&self) -> Result<Session<T>, $crate::SessionError> {
                Ok(Session(self.0.session().checkout().await?))
            }

            /// Loads the user who is logged in now: after a login, the new one. `None` where nobody is.
            ///
            /// # Errors
            /// Fails when the store or the user loader does.
            pub async fn user<U: $crate::SessionUser>(&self) -> Result<Option<User<U, Scope>>, $crate::SessionError> {
                Ok(self.0.session().user().await?.map(|user| User(user, ::std::marker::PhantomData)))
            }

            /// The devices on which the user is logged in: to be listed and ended. For sessions on the server, with the setting
            /// `track_devices`; see [`sessionkit_core::Auth::devices`].
            pub fn devices(&self) -> $crate::Devices
            where
                Scope::Home: $crate::ListsDevices,
            {
                self.0.devices()
            }

            /// Requires that a user is logged in, as `#[session(require_login)]` does, for code that is no handler: a
            /// server function, a GraphQL resolver.
            ///
            /// The decision, the answer and the event are those of the attribute's guard, `login_url` and `on_denied`
            /// included.
            ///
            /// ```
            #[doc = $sessionkit]
            #[doc = concat!("use ", $module, "::{Auth, SessionRejection};")]
            ///
            /// async fn balance(auth: Auth) -> Result<String, SessionRejection> {
            ///     auth.require_login().await?;
            ///     Ok("42".to_owned())
            /// }
            /// ```
            ///
            /// # Errors
            /// Fails as [`check`](Self::check) does.
            pub async fn require_login(&self) -> Result<(), $crate::SessionError> {
                self.0.session().require_login().await
            }

            /// Requires that the user proved who they are less than `time` ago, as `#[session(require_fresh = ..)]` does.
            /// Whole seconds.
            ///
            /// # Errors
            /// Fails as [`check`](Self::check) does.
            pub async fn require_fresh(&self, time: ::std::time::Duration) -> Result<(), $crate::SessionError> {
                self.0.session().require_fresh(time).await
            }

            /// Requires that rules are met: the conditions that `#[session(..)]` knows, as a value.
            ///
            /// ```
            #[doc = $sessionkit]
            /// # use sessionkit::SessionUser;
            /// # struct Account { is_admin: bool }
            /// # impl SessionUser for Account {}
            /// use sessionkit::Rules;
            #[doc = concat!("use ", $module, "::{Auth, SessionRejection};")]
            ///
            /// async fn delete(auth: Auth) -> Result<&'static str, SessionRejection> {
            ///     auth.check(&Rules::new().require(|account: &Account| account.is_admin)).await?;
            ///     Ok("gone")
            /// }
            /// ```
            ///
            /// # Errors
            /// Fails with the answer to the request: of the kind [`Denied`](sessionkit_core::SessionErrorKind::Denied) if the
            /// rules are not met, and with the failure if that could not be decided. `?` makes a [`SessionRejection`] of it.
            /// Fails after the response, when a [`SessionHandle`] has to be asked.
            pub async fn check(&self, rules: &$crate::Rules<Scope>) -> Result<(), $crate::SessionError> {
                self.0.session().check(rules).await
            }

            /// Shows the session as it is now as a map: after a login, the new user's.
            ///
            /// # Errors
            /// Fails when the store does.
            pub async fn dynamic(&self) -> Result<DynamicSession<Scope>, $crate::SessionError> {
                Ok(DynamicSession(self.0.session().dynamic().await?, ::std::marker::PhantomData))
            }
        }

        impl<Scope: $crate::SessionScope> ::std::ops::Deref for Auth<Scope> {
            type Target = $crate::Auth;

            fn deref(&self) -> &Self::Target {
                &self.0
            }
        }

        impl<Scope: $crate::SessionScope> ::std::fmt::Debug for Auth<Scope> {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                self.0.fmt(f)
            }
        }

        /// The session as a map from keys to JSON values, for those who come from `session["key"]`. The same record as the
        /// typed structs: `cart.items` is the field `items` of the struct `Cart`.
        ///
        /// It dereferences to [`sessionkit_core::DynamicSession`], whose methods fail with a
        /// [`SessionError`](sessionkit_core::SessionError): `?` makes a [`SessionRejection`] of it, or an error of the
        /// application.
        ///
        /// ```
        #[doc = $sessionkit]
        #[doc = concat!("use ", $module, "::{DynamicSession, SessionRejection};")]
        ///
        /// async fn visit(mut session: DynamicSession) -> Result<String, SessionRejection> {
        ///     let visits: u32 = session.get("visits")?.unwrap_or(0) + 1;
        ///     session.insert("visits", &visits)?;
        ///     Ok(format!("seen {visits} times"))
        /// }
        /// ```
        $dynamic_session

        impl<Scope: $crate::SessionScope> ::std::ops::Deref for DynamicSession<Scope> {
            type Target = $crate::DynamicSession;

            fn deref(&self) -> &Self::Target {
                &self.0
            }
        }

        impl<Scope: $crate::SessionScope> ::std::ops::DerefMut for DynamicSession<Scope> {
            fn deref_mut(&mut self) -> &mut Self::Target {
                &mut self.0
            }
        }

        /// Names the session; keys and values may be sensitive.
        impl<Scope: $crate::SessionScope> ::std::fmt::Debug for DynamicSession<Scope> {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                self.0.fmt(f)
            }
        }

        /// The session after the response: for websockets, streamed bodies and spawned tasks.
        ///
        /// It dereferences to [`sessionkit_core::SessionHandle`].
        ///
        $session_handle

        impl<Scope: $crate::SessionScope> SessionHandle<Scope> {
            /// Requires that rules are met, for each message of a websocket say. Call
            /// [`reload`](sessionkit_core::SessionHandle::reload) before, to ask the session as it is now.
            ///
            /// # Errors
            /// Fails as [`sessionkit_core::SessionHandle::check`] does.
            pub async fn check(&self, rules: &$crate::Rules<Scope>) -> Result<(), $crate::SessionError> {
                self.0.check(rules).await
            }
        }

        impl<Scope: $crate::SessionScope> ::std::ops::Deref for SessionHandle<Scope> {
            type Target = $crate::SessionHandle;

            fn deref(&self) -> &Self::Target {
                &self.0
            }
        }

        impl<Scope: $crate::SessionScope> ::std::ops::DerefMut for SessionHandle<Scope> {
            fn deref_mut(&mut self) -> &mut Self::Target {
                &mut self.0
            }
        }

        impl<Scope: $crate::SessionScope> Clone for SessionHandle<Scope> {
            fn clone(&self) -> Self {
                Self(self.0.clone(), self.1)
            }
        }

        impl<Scope: $crate::SessionScope> ::std::fmt::Debug for SessionHandle<Scope> {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                self.0.fmt(f)
            }
        }

        /// A value for forms that only pages of this session have.
        ///
        /// It dereferences to [`sessionkit_core::CsrfToken`], whose `verify` fails with a
        /// [`SessionError`](sessionkit_core::SessionError): `?` makes a [`SessionRejection`] of it, or an error of the
        /// application.
        ///
        $csrf_token

        impl<Scope: $crate::SessionScope> ::std::ops::Deref for CsrfToken<Scope> {
            type Target = $crate::CsrfToken;

            fn deref(&self) -> &Self::Target {
                &self.0
            }
        }

        impl<Scope: $crate::SessionScope> ::std::fmt::Debug for CsrfToken<Scope> {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                self.0.fmt(f)
            }
        }

        /// The answer of an extractor or a guard: a problem document, a page for a person, or a redirect to the login page.
        ///
        /// As the error of a handler it lets `?` stand behind login and logout. It dereferences to [`Rejection`], and can be
        /// asked what went wrong: the [`status`](Rejection::status), the [`kind`](Rejection::kind) of the error, its
        /// [`detail`](Rejection::detail) for the client, and the [`error`](Rejection::error) itself.
        ///
        /// ```
        #[doc = $sessionkit]
        /// use sessionkit::SessionErrorKind;
        #[doc = concat!("use ", $module, "::{Auth, SessionRejection};")]
        ///
        /// async fn log_in(auth: Auth) -> Result<&'static str, SessionRejection> {
        ///     match auth.login("ada").await {
        ///         Err(error) if error.kind() == SessionErrorKind::TooManyDevices => Ok("Log out on another device first."),
        ///         result => Ok(result.map(|()| "welcome")?),
        ///     }
        /// }
        /// ```
        ///
        #[derive(Clone, Debug, Eq, PartialEq)]
        $session_rejection

        impl SessionRejection {
            /// Adds a header, as [`Rejection::with_header`] does: `WWW-Authenticate`, `Retry-After`, `HX-Redirect`.
            pub fn with_header(self, name: &str, value: impl ::std::fmt::Display) -> Self {
                Self(self.0.with_header(name, value))
            }
        }

        impl ::std::ops::Deref for SessionRejection {
            type Target = $crate::Rejection;

            fn deref(&self) -> &$crate::Rejection {
                &self.0
            }
        }

        impl From<$crate::Rejection> for SessionRejection {
            fn from(rejection: $crate::Rejection) -> Self {
                Self(rejection)
            }
        }

        impl From<$crate::SessionError> for SessionRejection {
            fn from(error: $crate::SessionError) -> Self {
                Self(error.rejection())
            }
        }

        impl ::std::fmt::Display for SessionRejection {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl ::std::error::Error for SessionRejection {
            fn source(&self) -> Option<&(dyn ::std::error::Error + 'static)> {
                self.0.source()
            }
        }
    };
}

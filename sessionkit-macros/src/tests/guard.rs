//! The expansion of `#[session(..)]` on a handler.

use expect_test::expect;
use quote::quote;

use super::expands_to;
use crate::guard::{Adapter, Extraction, expand, expand_for};

#[test]
fn axum_require_login_emits_no_item() {
    expands_to(
        expand(
            &Adapter::axum(),
            quote!(require_login),
            quote! {
                /// Adds an item.
                #[tracing::instrument(skip_all)]
                pub(crate) async fn add(mut cart: Session<Cart>, Form(item): Form<Item>) -> Result<Redirect, Error> {
                    cart.add(item)?;
                    Ok(Redirect::to("/cart"))
                }
            },
        ),
        expect![[r#"
            /// Adds an item.
            #[tracing::instrument(skip_all)]
            pub(crate) async fn add(
                _: ::sessionkit::axum::__private::AxumGuard<
                    ::sessionkit::__private::RequireLogin<::sessionkit::__private::MainScope>,
                >,
                mut cart: Session<Cart>,
                Form(item): Form<Item>,
            ) -> Result<Redirect, Error> {
                ::sessionkit::__private::access! {
                    "add", "require_login"
                }
                cart.add(item)?;
                Ok(Redirect::to("/cart"))
            }
        "#]],
    );
}

#[test]
fn axum_require_emits_the_requirement() {
    expands_to(
        expand(
            &Adapter::axum(),
            quote!(
                require_login,
                require = |person: &Person| person.is_admin,
                require = (policy::is_open),
                scope = Office,
            ),
            quote! {
                #[cfg(feature = "admin")]
                #[axum::debug_handler]
                pub async fn r#type() {}
            },
        ),
        expect![[r##"
            #[cfg(feature = "admin")]
            #[doc(hidden)]
            #[allow(non_camel_case_types, clippy::redundant_pub_crate)]
            pub struct __session_guard_type;
            #[cfg(feature = "admin")]
            impl ::sessionkit::__private::Check for __session_guard_type {
                type Scope = Office;
                const HANDLER: &'static ::sessionkit::__private::str = ::core::concat!(
                    ::core::module_path!(), "::type"
                );
                fn check(
                    __subjects: &mut ::sessionkit::__private::Subjects<'_, Self::Scope>,
                ) -> ::sessionkit::__private::Result<(), ::sessionkit::__private::Interrupted> {
                    __subjects.require_login();
                    __subjects.require(|person: &Person| person.is_admin)?;
                    __subjects.require(policy::is_open)?;
                    ::sessionkit::__private::Ok(())
                }
            }
            #[cfg(feature = "admin")]
            #[axum::debug_handler]
            pub async fn r#type(_: ::sessionkit::axum::__private::AxumGuard<__session_guard_type>) {
                ::sessionkit::__private::access! {
                    "type",
                    "require_login , require = | person : & Person | person . is_admin , require = ( policy : : is_open ) , scope = Office ,"
                }
            }
        "##]],
    );
}

#[test]
fn operators_are_flat() {
    expands_to(
        expand(
            &Adapter::axum(),
            quote!(
                any(is_admin, all(require_login, |cart: &Cart| cart.paid || cart.free), not(require = is_banned)),
                require_fresh = "5m", requirement = hours::Office<9>, login_url = "/office/login", on_denied = page
            ),
            quote!(
                async fn show() {}
            ),
        ),
        expect![[r##"
            #[doc(hidden)]
            #[allow(non_camel_case_types, clippy::redundant_pub_crate)]
            struct __session_guard_show;
            impl ::sessionkit::__private::Check for __session_guard_show {
                type Scope = ::sessionkit::__private::MainScope;
                const HANDLER: &'static ::sessionkit::__private::str = ::core::concat!(
                    ::core::module_path!(), "::show"
                );
                fn check(
                    __subjects: &mut ::sessionkit::__private::Subjects<'_, Self::Scope>,
                ) -> ::sessionkit::__private::Result<(), ::sessionkit::__private::Interrupted> {
                    __subjects.begin_operator(::sessionkit::__private::Operator::Any);
                    __subjects.require(is_admin)?;
                    __subjects.begin_operator(::sessionkit::__private::Operator::All);
                    __subjects.require_login();
                    __subjects.require(|cart: &Cart| cart.paid || cart.free)?;
                    __subjects.end_operator();
                    __subjects.begin_operator(::sessionkit::__private::Operator::Not);
                    __subjects.require(is_banned)?;
                    __subjects.end_operator();
                    __subjects.end_operator();
                    __subjects.require_fresh(300u64);
                    __subjects.requirement::<hours::Office<9>>()?;
                    ::sessionkit::__private::Ok(())
                }
                fn options() -> ::sessionkit::__private::GuardOptions {
                    ::sessionkit::__private::GuardOptions::new()
                        .login_path("/office/login")
                        .on_denied(page)
                }
            }
            async fn show(_: ::sessionkit::axum::__private::AxumGuard<__session_guard_show>) {
                ::sessionkit::__private::access! {
                    "show",
                    "any ( is_admin , all ( require_login , | cart : & Cart | cart . paid | | cart . free ) , not ( require = is_banned ) ) , require_fresh = \"5m\" , requirement = hours : : Office < 9 > , login_url = \"/office/login\" , on_denied = page"
                }
            }
        "##]],
    );
}

#[test]
fn a_predicate_may_be_the_call_of_a_function_that_returns_one() {
    let expanded = expand(
        &Adapter::axum(),
        quote!(require = may("read"), any(policy::may::<User>("write", 2), not(require = (may("ban"))))),
        quote!(
            async fn show() {}
        ),
    );
    assert!(expanded.error.is_none());
    let code = expanded.code.to_string().replace(' ', "");
    for statement in [
        r#"__subjects.require(may("read"))?;"#,
        r#"__subjects.require(policy::may::<User>("write",2))?;"#,
        r#"__subjects.require(may("ban"))?;"#,
    ] {
        assert!(code.contains(statement), "{code}");
    }
}

#[test]
fn what_the_runtime_has_ready_needs_no_item() {
    let expanded = |args| {
        let expansion = expand(
            &Adapter::actix(),
            args,
            quote!(
                async fn show() {}
            ),
        );
        assert!(expansion.error.is_none());
        expansion.code.to_string().replace(' ', "")
    };
    for (args, ty) in [
        (quote!(public), "Public<::sessionkit::__private::MainScope>"),
        (quote!(public, scope = Office), "Public<Office>"),
        (quote!(guest_only), "GuestOnly<::sessionkit::__private::MainScope>"),
        (quote!(require_fresh = "5m", scope = Office), "RequireFresh<300u64,Office>"),
        (quote!(require_login, require_fresh = "2h", scope = Office), "RequireFresh<7200u64,Office>"),
    ] {
        let found = expanded(args);
        assert!(found.starts_with("asyncfnshow(") && found.contains(ty), "{ty} is not in {found}");
    }
}

#[test]
fn axum_takes_no_more_than_sixteen_arguments() {
    expands_to(
        expand(
            &Adapter::axum(),
            quote!(require_login, crate = web::sessionkit),
            quote! {
                async fn all(
                    #[allow(unused)] Path(a): A, #[cfg(unix)] b: A, c: A, d: A, e: A, f: A, g: A, h: A,
                    i: A, j: A, k: A, l: A, m: A, n: A, o: A, p: A,
                ) {}
            },
        ),
        expect![[r#"
            async fn all(
                #[allow(unused)]
                (
                    _,
                    Path(a),
                ): (
                    web::sessionkit::axum::__private::AxumGuard<
                        web::sessionkit::__private::RequireLogin<
                            web::sessionkit::__private::MainScope,
                        >,
                    >,
                    A,
                ),
                #[cfg(unix)]
                b: A,
                c: A,
                d: A,
                e: A,
                f: A,
                g: A,
                h: A,
                i: A,
                j: A,
                k: A,
                l: A,
                m: A,
                n: A,
                o: A,
                p: A,
            ) {
                web::sessionkit::__private::access! {
                    "all", "require_login , crate = web : : sessionkit"
                }
            }
        "#]],
    );
}

#[test]
fn axum_argument_of_ours_is_not_too_many_for_clippy() {
    expands_to(
        expand(
            &Adapter::axum(),
            quote!(require_login),
            quote!(
                async fn seven(a: A, b: A, c: A, d: A, e: A, f: A, g: A) {}
            ),
        ),
        expect![[r##"
            #[allow(clippy::too_many_arguments)]
            async fn seven(
                _: ::sessionkit::axum::__private::AxumGuard<
                    ::sessionkit::__private::RequireLogin<::sessionkit::__private::MainScope>,
                >,
                a: A,
                b: A,
                c: A,
                d: A,
                e: A,
                f: A,
                g: A,
            ) {
                ::sessionkit::__private::access! {
                    "seven", "require_login"
                }
            }
        "##]],
    );
}

#[test]
fn actix_nests_the_arguments() {
    expands_to(
        expand(
            &Adapter::actix(),
            quote!(require = is_admin),
            quote! {
                #[get("/{id}")]
                async fn show<T>(mut user: Session<User>, #[allow(unused)] (a, b): Pair, into: impl Into<T>) -> impl Responder
                where
                    T: Page,
                {
                    user.seen(a)
                }
            },
        ),
        expect![[r##"
            #[doc(hidden)]
            #[allow(non_camel_case_types, clippy::redundant_pub_crate)]
            struct __session_guard_show;
            impl ::sessionkit::__private::Check for __session_guard_show {
                type Scope = ::sessionkit::__private::MainScope;
                const HANDLER: &'static ::sessionkit::__private::str = ::core::concat!(
                    ::core::module_path!(), "::show"
                );
                fn check(
                    __subjects: &mut ::sessionkit::__private::Subjects<'_, Self::Scope>,
                ) -> ::sessionkit::__private::Result<(), ::sessionkit::__private::Interrupted> {
                    __subjects.require(is_admin)?;
                    ::sessionkit::__private::Ok(())
                }
            }
            #[get("/{id}")]
            async fn show<T>(
                #[allow(unused)]
                ::sessionkit::actix::__private::ActixGuard(
                    _,
                    (mut user, (a, b), into),
                ): ::sessionkit::actix::__private::ActixGuard<
                    __session_guard_show,
                    (Session<User>, Pair, impl Into<T>),
                >,
            ) -> impl Responder
            where
                T: Page,
            {
                ::sessionkit::__private::access! {
                    "show", "require = is_admin"
                }
                user.seen(a)
            }
        "##]],
    );
}

#[test]
fn actix_without_arguments() {
    expands_to(
        expand(
            &Adapter::actix(),
            quote!(require_login),
            quote!(
                fn index() -> impl Future<Output = HttpResponse> {
                    async { HttpResponse::Ok().finish() }
                }
            ),
        ),
        expect![[r#"
            fn index(
                ::sessionkit::actix::__private::ActixGuard(
                    _,
                    (),
                ): ::sessionkit::actix::__private::ActixGuard<
                    ::sessionkit::__private::RequireLogin<::sessionkit::__private::MainScope>,
                    (),
                >,
            ) -> impl Future<Output = HttpResponse> {
                ::sessionkit::__private::access! {
                    "index", "require_login"
                }
                async { HttpResponse::Ok().finish() }
            }
        "#]],
    );
}

#[test]
fn the_body_is_not_parsed() {
    let item = quote! {
        async fn half_done() {
            let x = ;
        }
    };
    let expansion = expand(&Adapter::axum(), quote!(require_login), item);
    assert!(expansion.error.is_none());
    expect![[r#"async fn half_done (_ : :: sessionkit :: axum :: __private :: AxumGuard < :: sessionkit :: __private :: RequireLogin < :: sessionkit :: __private :: MainScope > >) { :: sessionkit :: __private :: access ! { "half_done" , "require_login" } let x = ; }"#]].assert_eq(&expansion.code.to_string());
}

#[test]
fn a_handler_without_a_body_is_left_to_the_compiler() {
    let expansion = expand(
        &Adapter::actix(),
        quote!(require_login),
        quote!(
            async fn declared(a: A);
        ),
    );
    assert!(expansion.error.is_none());
    expect!["async fn declared (:: sessionkit :: actix :: __private :: ActixGuard (_ , (a ,)) : :: sessionkit :: actix :: __private :: ActixGuard < :: sessionkit :: __private :: RequireLogin < :: sessionkit :: __private :: MainScope > , (A ,) >) ;"].assert_eq(&expansion.code.to_string());
}

#[test]
fn a_mistake_leaves_the_handler_as_it_is() {
    let item = quote!(
        async fn show(cart: Session<Cart>) {}
    );
    let expansion = expand(&Adapter::axum(), quote!(requires_login), item.clone());
    assert!(expansion.error.is_some());
    assert_eq!(expansion.code.to_string(), item.to_string());
}

#[test]
fn another_adapter_names_its_guard() {
    let item = quote!(
        async fn show(cart: Session<Cart>, form: Form) {}
    );
    let args = quote!(::poem_sessions::Guard; require_login, scope = Office);
    let extraction = Extraction::InOrder { most: usize::MAX };
    expands_to(
        expand_for(extraction, args.clone(), item.clone()),
        expect![[r#"
        async fn show(
            _: ::poem_sessions::Guard<::sessionkit::__private::RequireLogin<Office>>,
            cart: Session<Cart>,
            form: Form,
        ) {
            ::sessionkit::__private::access! {
                "show", "require_login , scope = Office"
            }
        }
    "#]],
    );
    expands_to(
        expand_for(Extraction::Together, args, item),
        expect![[r#"
        async fn show(
            ::poem_sessions::Guard(
                _,
                (cart, form),
            ): ::poem_sessions::Guard<
                ::sessionkit::__private::RequireLogin<Office>,
                (Session<Cart>, Form),
            >,
        ) {
            ::sessionkit::__private::access! {
                "show", "require_login , scope = Office"
            }
        }
    "#]],
    );
}

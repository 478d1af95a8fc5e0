//! Handlers that answer at once, and those that return a future.

use expect_test::expect;
use quote::quote;

use super::both;
use crate::guard::{Adapter, expand};

#[test]
fn handlers_that_answer_at_once() {
    for answers_at_once in [
        quote!(
            fn show() {}
        ),
        quote!(
            pub fn show(cart: Session<Cart>) -> &'static str {
                "cart"
            }
        ),
        quote!(
            fn show() -> impl IntoResponse + use<> {}
        ),
        quote!(
            fn show() -> impl actix_web::Responder {}
        ),
        quote!(
            fn show() -> Result<impl Responder, Error> {}
        ),
    ] {
        both(
            quote!(require_login),
            answers_at_once,
            expect![
                "a handler is an `async fn`: write `async` before `fn`; where it returns a future, its type says so: `-> impl Future<Output = String>`"
            ],
        );
    }
}

#[test]
fn a_handler_that_answers_at_once_becomes_what_it_was_meant_to_be() {
    let item = quote!(
        pub fn show() -> String {}
    );
    let expansion = expand(&Adapter::axum(), quote!(require_login), item);
    assert!(expansion.error.is_some());
    assert_eq!(
        expansion.code.to_string(),
        quote!(
            pub async fn show() -> String {}
        )
        .to_string()
    );
}

#[test]
fn handlers_that_return_futures() {
    for future in [
        quote!(impl Future<Output = String> + Send),
        quote!(impl std::future::IntoFuture),
        quote!(impl Answering),
        quote!(impl Responder + Future<Output = ()>),
        quote!(BoxFuture<'static, String>),
        quote!(Pin<Box<dyn Future<Output = String> + Send>>),
        quote!(std::future::Ready<String>),
        quote!(answer!()),
    ] {
        let expansion = expand(&Adapter::actix(), quote!(require_login), quote!(fn show() -> #future {}));
        assert!(expansion.error.is_none(), "{future}");
    }
}

//! The extractors, the guard and the rejection in the operations of `aide`.

use aide::generate::GenContext;
use aide::openapi::{MediaType, Operation, Response};
use aide::operation::{OperationInput, OperationOutput};
use sessionkit_core::adapter::Check;
use sessionkit_core::{SessionData, SessionScope, SessionUser};

use crate::extractors::{
    Auth, CsrfToken, DynamicSession, MaybeSession, MaybeUser, Session, SessionHandle, SessionRejection, SessionView,
    User,
};
use crate::guard::AxumGuard;

/// Adds nothing to the operation: what an extractor reads is the cookie, which is no parameter of a client.
macro_rules! adds_nothing {
    ($([$($parameters:tt)*] $extractor:ty;)*) => {
        $(impl<$($parameters)*> OperationInput for $extractor {})*
    };
}

adds_nothing! {
    [T: SessionData] Session<T>;
    [T: SessionData] MaybeSession<T>;
    [T: SessionData] SessionView<T>;
    [U: SessionUser, Scope: SessionScope] MaybeUser<U, Scope>;
    [Scope: SessionScope] Auth<Scope>;
    [Scope: SessionScope] DynamicSession<Scope>;
    [Scope: SessionScope] SessionHandle<Scope>;
    [Scope: SessionScope] CsrfToken<Scope>;
}

/// Refuses those who are not logged in.
impl<U: SessionUser, Scope: SessionScope> OperationInput for User<U, Scope> {
    fn inferred_early_responses(_: &mut GenContext, _: &mut Operation) -> Vec<(Option<u16>, Response)> {
        vec![not_logged_in()]
    }
}

/// Refuses those who do not meet its conditions.
impl<C: Check> OperationInput for AxumGuard<C> {
    fn inferred_early_responses(_: &mut GenContext, _: &mut Operation) -> Vec<(Option<u16>, Response)> {
        if C::IS_PUBLIC { Vec::new() } else { vec![not_logged_in(), (Some(403), problem("Not allowed"))] }
    }
}

impl OperationOutput for SessionRejection {
    type Inner = Self;

    fn operation_response(_: &mut GenContext, _: &mut Operation) -> Option<Response> {
        Some(problem("The session does not allow this, or cannot be used"))
    }

    fn inferred_responses(context: &mut GenContext, operation: &mut Operation) -> Vec<(Option<u16>, Response)> {
        Self::operation_response(context, operation).map(|response| (None, response)).into_iter().collect()
    }
}

fn not_logged_in() -> (Option<u16>, Response) {
    (Some(401), problem("Not logged in, or not recently enough"))
}

/// A problem document ([RFC 9457](https://www.rfc-editor.org/rfc/rfc9457)).
fn problem(description: &str) -> Response {
    let content = [("application/problem+json".to_owned(), MediaType::default())].into_iter().collect();
    Response { description: description.to_owned(), content, ..Response::default() }
}

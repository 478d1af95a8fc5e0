//! The answer to those who are not logged in, for extractors.

use std::sync::Arc;

use super::decide::login_required;
use crate::engine::user::SessionUser;
use crate::request::RequestSession;
use crate::wire::head::RequestHead;
use crate::wire::rejection::Rejection;

/// Loads the user for an extractor that cannot do without.
///
/// # Errors
/// Nobody is logged in: a redirect to the login page, or 401. The user cannot be loaded: 503 or 500.
pub async fn require_user<U: SessionUser>(
    session: &RequestSession,
    head: &RequestHead<'_>,
) -> Result<Arc<U>, Rejection> {
    session.attach(head);
    let user = session.user().await?;
    user.ok_or_else(|| login_required(session, head))
}

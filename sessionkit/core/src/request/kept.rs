//! The parts of a request that outlive its extractors, for guards that a handler calls.

use std::sync::Arc;

use crate::error::SessionError;
use crate::request::RequestSession;
use crate::request::unguarded::GuardMark;
use crate::wire::head::{OwnedHead, RequestHead};

/// The request as a guard sees it that a handler calls. Cheap to clone.
#[derive(Clone)]
pub(crate) struct KeptRequest {
    pub(crate) head: Arc<OwnedHead>,
    /// The mark of a request whose answer is withheld unless a guard decides.
    pub(crate) mark: Option<GuardMark>,
}

impl RequestSession {
    /// Gives the head of the request as [`attach`](Self::attach) does, and keeps a copy: for adapters, in the extractors
    /// whose methods are guards. Only the first call copies. `mark` is the [`GuardMark`] among the extensions of the
    /// request, if there is one.
    pub fn keep_head(&self, head: &RequestHead<'_>, mark: Option<&GuardMark>) {
        self.attach(head);
        self.shared.kept.get_or_init(|| KeptRequest { head: Arc::new(OwnedHead::new(head)), mark: mark.cloned() });
    }

    /// Returns what was kept of the request.
    pub(crate) fn kept(&self) -> Result<&KeptRequest, SessionError> {
        self.shared.kept.get().ok_or_else(SessionError::no_head)
    }
}

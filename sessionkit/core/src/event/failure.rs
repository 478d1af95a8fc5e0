//! The event that reports an error.

use super::EventKind;
use crate::error::{SessionError, SessionErrorKind};

/// Reports a failure; what is the client's matter is told to the client alone.
pub(crate) fn tell(error: &SessionError, report: impl FnOnce(EventKind<'_>)) {
    use SessionErrorKind::{Answered, StoreCorrupt, StoreUnavailable, StoreUnknown};
    match error.kind() {
        StoreUnavailable | StoreUnknown | StoreCorrupt => {
            report(EventKind::StoreUnavailable { error: format_args!("{}", error.chain()) });
        }
        Answered => {}
        _ if error.status() >= 500 => report(EventKind::Failed { error: format_args!("{}", error.chain()) }),
        _ => {}
    }
}

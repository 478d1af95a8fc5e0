//! The error that a failed call becomes for the request that made it.

use super::error::{StoreError, StoreErrorKind};
use crate::error::{SessionError, SessionErrorKind};

impl From<StoreError> for SessionError {
    fn from(error: StoreError) -> Self {
        let kind = match error.kind() {
            StoreErrorKind::Unavailable => SessionErrorKind::StoreUnavailable,
            StoreErrorKind::Unknown => SessionErrorKind::StoreUnknown,
            StoreErrorKind::Unsupported => {
                let message = "the store cannot do what was asked of it";
                return Self::opaque(SessionErrorKind::Misuse, message, Some(error.into()));
            }
            StoreErrorKind::Corrupt => {
                let message = "what is stored of the session cannot be used";
                return Self::opaque(SessionErrorKind::StoreCorrupt, message, Some(error.into()));
            }
        };
        let detail = "The session store is not available. Please try again.";
        Self::new(kind, 503, "the session is not available", detail, Some(error.into()))
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use super::*;

    #[test]
    fn the_error_of_the_store_is_the_cause_and_its_own_cause_is_not_lost() {
        let error = SessionError::from(StoreError::unknown("connection reset"));
        let cause = error.source().and_then(|cause| cause.downcast_ref::<StoreError>()).expect("the store failed");
        assert_eq!((cause.kind(), error.status()), (StoreErrorKind::Unknown, 503));
        assert_eq!(cause.source().map(ToString::to_string).as_deref(), Some("connection reset"));
        assert_eq!(
            format!("{error:?}"),
            "the session is not available: the session store may or may not have done it: connection reset"
        );
    }
}

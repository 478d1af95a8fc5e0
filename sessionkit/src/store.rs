//! What authors of stores need: the records, the deltas and the outcomes that [`Store`] speaks of.

pub use sessionkit_core::{
    Authenticate, CommitOutcome, CreateOutcome, Delta, FieldKey, FieldOp, Fields, Generation, Header, HeaderOp,
    PACKED_HEADER, Previous, Receipt, Record, SecretHash, SessionId, Store, StoreError, StoreErrorKind, StoredValue,
    Timestamp, ValueRef,
};

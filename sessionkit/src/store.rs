//! The types for authors of stores: the records, the deltas and the outcomes that [`Store`] speaks of.

pub use sessionkit_core::{
    Authenticate, CommitOutcome, CreateOutcome, Delta, DeviceEntry, DeviceIndex, DeviceSelection, EntryState, FieldKey,
    FieldOp, Fields, Generation, Header, HeaderOp, LoginDetails, Notices, PACKED_HEADER, PreviousSecret, Receipt,
    Record, Registered, Registration, SecretHash, SessionId, Store, StoreError, StoreErrorKind, StoreFuture,
    StoredValue, Timestamp, ValueRef,
};

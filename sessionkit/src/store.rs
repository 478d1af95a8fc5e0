//! The types for store authors and operators: the entries that a [`Store`] keeps, and how to read them.
//!
//! The guide explains the contract and the format: [Writing a store](crate::guide::writing_a_store).

pub use sessionkit_core::{
    AnyStore, CredentialStamp, Entry, EntryKey, EntryKind, EntrySummary, FieldDeadline, FieldKey, Fields, FormerSecret,
    Generation, Header, InsertOutcome, LastRotation, ListedSession, LoginDetails, Notices, PreviousSecret, Record,
    RemoveOutcome, ReplaceOutcome, Revision, ScanCursor, ScanPage, SecretHash, SessionId, SessionList, Store,
    StoreError, StoreErrorKind, StoreStats, StoredValue, Timestamp, Unreadable, ValueRef,
};

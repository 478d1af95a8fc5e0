//! What store authors and operators need: what a [`Store`] keeps, and how to read it.

pub use sessionkit_core::{
    CredentialStamp, Entry, EntryKey, EntryKind, EntrySummary, FieldKey, Fields, Generation, Header, InsertOutcome,
    LastRotation, ListedSession, LoginDetails, Notices, PreviousSecret, Record, RemoveOutcome, ReplaceOutcome,
    Revision, ScanCursor, ScanPage, SecretHash, SessionId, SessionList, Store, StoreError, StoreErrorKind, StoredValue,
    Timestamp, Unreadable, ValueRef,
};

//! What a request changes in a record.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use crate::record::details::LoginDetails;
use crate::record::name;
use crate::record::packing::field_size;
use crate::time::Timestamp;
use crate::token::SecretHash;

/// The changes of one commit: operations on the header, then operations on fields, each in order.
///
/// A store applies all of them or none.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Delta {
    /// Operations on the header.
    pub header: Vec<HeaderOp>,
    /// Operations on fields.
    pub fields: Vec<FieldOp>,
}

impl Delta {
    /// Makes a delta that changes nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether the delta changes nothing.
    pub fn is_empty(&self) -> bool {
        self.header.is_empty() && self.fields.is_empty()
    }

    /// How many bytes the values that it stores count against the size limit.
    pub(crate) fn written(&self) -> usize {
        let size = |op: &FieldOp| match op {
            FieldOp::Set { key, value } | FieldOp::Replace { key, value: Some(value), .. } => {
                field_size(key, value.as_ref())
            }
            _ => 0,
        };
        self.fields.iter().map(size).sum()
    }
}

/// A change of a record's header.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum HeaderOp {
    /// A user proved who they are. Always comes with a [`Rotate`](Self::Rotate).
    Authenticate(Authenticate),
    /// The user who is logged in acts as another one, or as themselves again: the times and the label stay. Always comes
    /// with a [`Rotate`](Self::Rotate).
    ActAs {
        /// The user from now on.
        user: Arc<str>,
        /// What else is known of the login; replaces what was.
        details: Option<Arc<LoginDetails>>,
    },
    /// Replaces the secret at once and raises the generation; a previous secret opens nothing any more.
    Rotate {
        /// The hash of the new secret.
        secret: SecretHash,
    },
    /// Replaces the secret, which becomes the previous one. A secret that was never used (the previous one has no end) is
    /// dropped instead, and the previous one stays: the client never got the other. Does nothing if another secret is
    /// current, or while the previous one has an end that has not come.
    Renew {
        /// The hash that must be current.
        if_current: SecretHash,
        /// The hash of the new secret.
        secret: SecretHash,
        /// When this happens.
        at: Timestamp,
    },
    /// The secret is used for the first time: ends the previous one, unless it ends earlier. Does nothing if another
    /// secret is current.
    EndPrevious {
        /// The hash that must be current.
        if_current: SecretHash,
        /// When the previous secret stops opening the session.
        until: Timestamp,
    },
    /// The session is in use. Moves deadlines later, never earlier, and never past the absolute deadline.
    Touch {
        /// When the session was seen.
        last_seen: Timestamp,
        /// When it ends unless it is used again.
        idle_deadline: Timestamp,
    },
}

/// What an authentication writes into the header. It begins a new lifetime, and a session that another server's clock began
/// later than that began then.
#[derive(Clone, Debug)]
pub struct Authenticate {
    /// The user.
    pub user: Arc<str>,
    /// When the user proved who they are.
    pub at: Timestamp,
    /// The time that a touch grants from now on.
    pub ttl: Duration,
    /// When the session ends even if it is used.
    pub absolute_deadline: Option<Timestamp>,
    /// The device, as its user knows it.
    pub device_label: Option<Arc<str>>,
    /// What else is known of the login; replaces what was.
    pub details: Option<Arc<LoginDetails>>,
}

/// The key of a field inside a record, `namespace.field`.
pub type FieldKey = Cow<'static, str>;

/// A change of one field, or of all.
#[derive(Clone)]
#[non_exhaustive]
pub enum FieldOp {
    /// Stores a value.
    Set {
        /// The field.
        key: FieldKey,
        /// Its new value.
        value: StoredValue,
    },
    /// Stores a value, or removes it, if the field still holds `expected`; otherwise the commit is a conflict.
    Replace {
        /// The field.
        key: FieldKey,
        /// The bytes that the field must hold; `None` if it must not be stored.
        expected: Option<Vec<u8>>,
        /// Its new value; `None` to remove it.
        value: Option<StoredValue>,
    },
    /// Removes a field.
    Remove {
        /// The field.
        key: FieldKey,
    },
    /// Adds to an integer that is stored as decimal text; an absent one is 0. Saturates at the bounds.
    Add {
        /// The field.
        key: FieldKey,
        /// The difference.
        by: i128,
        /// The least value that the field may take.
        min: i128,
        /// The greatest value that the field may take.
        max: i128,
        /// Whether the value stays when another user logs in.
        carried: bool,
    },
    /// Removes all fields.
    Clear {
        /// Whether fields that are carried over a change of user stay.
        keep_carried: bool,
    },
}

/// Names the operation and the field; the values may be sensitive.
impl std::fmt::Debug for FieldOp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (operation, key) = match self {
            Self::Set { key, .. } => ("Set", key),
            Self::Replace { key, .. } => ("Replace", key),
            Self::Remove { key } => ("Remove", key),
            Self::Add { key, .. } => ("Add", key),
            Self::Clear { keep_carried } => {
                return f.debug_struct("Clear").field("keep_carried", keep_carried).finish();
            }
        };
        f.debug_struct(operation).field("key", &name::shown(key)).finish_non_exhaustive()
    }
}

/// The stored value of a field: the encoded bytes and the flags that every release obeys.
#[derive(Clone, Eq, PartialEq)]
pub struct StoredValue {
    /// The encoded value.
    pub bytes: Vec<u8>,
    /// Whether it stays when another user logs in.
    pub carried: bool,
    /// When it stops being returned.
    pub deadline: Option<Timestamp>,
}

impl StoredValue {
    /// Makes a value without flags.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self { bytes: bytes.into(), carried: false, deadline: None }
    }

    /// Borrows the value.
    pub fn as_ref(&self) -> ValueRef<'_> {
        ValueRef { bytes: &self.bytes, carried: self.carried, deadline: self.deadline }
    }
}

/// Shows the flags and the length: the bytes may be sensitive.
impl std::fmt::Debug for StoredValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.as_ref().fmt(f)
    }
}

/// A borrowed [`StoredValue`].
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct ValueRef<'a> {
    /// The encoded value.
    pub bytes: &'a [u8],
    /// Whether it stays when another user logs in.
    pub carried: bool,
    /// When it stops being returned.
    pub deadline: Option<Timestamp>,
}

impl ValueRef<'_> {
    /// Whether the value is still returned.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.deadline.is_none_or(|deadline| now < deadline)
    }

    /// Copies the value.
    pub fn to_owned(&self) -> StoredValue {
        StoredValue { bytes: self.bytes.to_vec(), carried: self.carried, deadline: self.deadline }
    }
}

impl std::fmt::Debug for ValueRef<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoredValue")
            .field("length", &self.bytes.len())
            .field("carried", &self.carried)
            .field("deadline", &self.deadline)
            .finish()
    }
}

//! The changes that a request intends to make to a record.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use crate::encryption::{self, Cipher, EncryptedFields, KeyId, Opener};
use crate::record::Record;
use crate::record::details::LoginDetails;
use crate::record::field_error::FieldError;
use crate::record::front::Generation;
use crate::record::reserved::is_reserved;
use crate::time::Timestamp;
use crate::token::SecretHash;

/// The intent of one commit. It holds no value that was computed from a record, so that it can be applied to the newest one
/// as often as needed.
#[derive(Clone)]
pub(crate) struct Delta {
    /// The generation under which the record was loaded.
    pub(crate) generation: Generation,
    /// Operations on the header, in order.
    pub(crate) header: Vec<HeaderOp>,
    /// The fields that are removed before the changes come.
    pub(crate) clear: Clear,
    pub(crate) fields: Option<Arc<dyn FieldChanges>>,
    /// The encryption of the fields that are written; `None` without keys.
    pub(crate) cipher: Option<Box<Cipher>>,
    /// The size that the fields may reach, in bytes.
    pub(crate) limit: usize,
}

impl Delta {
    /// Makes a delta that changes nothing, for a record that was loaded under this generation.
    pub(crate) fn new(generation: Generation) -> Self {
        Self { generation, header: Vec::new(), clear: Clear::Nothing, fields: None, cipher: None, limit: usize::MAX }
    }

    /// Returns whether the delta replaces the secret at once.
    pub(crate) fn rotates(&self) -> bool {
        self.rotation().is_some()
    }

    /// Returns whether the delta ends a generation, so that every change that was made under it is refused.
    pub(crate) fn ends_generation(&self) -> bool {
        self.header.iter().any(|op| matches!(op, HeaderOp::Rotate { .. } | HeaderOp::EndGeneration))
    }

    /// Returns the hash of the secret that is current once the delta is applied.
    pub(crate) fn rotation(&self) -> Option<SecretHash> {
        self.header
            .iter()
            .rev()
            .find_map(|op| if let HeaderOp::Rotate { secret, .. } = op { Some(*secret) } else { None })
    }

    /// Returns the hash of the secret that a renewal asks for.
    pub(crate) fn renewal(&self) -> Option<SecretHash> {
        self.header.iter().find_map(|op| if let HeaderOp::Renew { secret, .. } = op { Some(*secret) } else { None })
    }

    /// Returns whether the delta stores what is seen of a clock that is ahead.
    pub(crate) fn corrects(&self) -> bool {
        self.header.iter().any(|op| matches!(op, HeaderOp::Correct))
    }

    /// Returns whether the session has another stamp after the delta than after these details.
    pub(crate) fn changes_stamp(&self, before: Option<&LoginDetails>) -> bool {
        let stamp = |details: Option<&LoginDetails>| details.and_then(|details| details.stamp);
        self.header.iter().any(|op| match op {
            HeaderOp::Authenticate(authenticate) => stamp(authenticate.details.as_deref()) != stamp(before),
            _ => false,
        })
    }

    /// Returns the hash of the former secret that opened the session, if the delta is about its rights.
    pub(crate) fn former(&self) -> Option<SecretHash> {
        self.header
            .iter()
            .find_map(|op| if let HeaderOp::TakeFormerRights { secret } = op { Some(*secret) } else { None })
    }

    /// Returns whether applying the delta twice does what applying it once does.
    pub(crate) fn is_repeatable(&self) -> bool {
        self.fields.as_ref().is_none_or(|fields| fields.is_repeatable())
    }

    /// Returns whether the delta is only about the use of the session, which may be lost.
    pub(crate) fn is_upkeep(&self) -> bool {
        let is_upkeep = |op: &HeaderOp| {
            matches!(
                op,
                HeaderOp::Touch { .. }
                    | HeaderOp::Renew { .. }
                    | HeaderOp::EndPrevious { .. }
                    | HeaderOp::EndFormer { .. }
                    | HeaderOp::Correct
            )
        };
        self.fields.is_none() && self.clear == Clear::Nothing && self.header.iter().all(is_upkeep)
    }
}

/// The fields that a delta removes before its changes come.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum Clear {
    #[default]
    Nothing,
    /// All but those that are carried over a change of user.
    AllButCarried,
    /// Those of an anonymous visitor that do not stay at a login; the rule is for values that say nothing of it.
    AtLogin(OnLogin),
    All,
}

impl Clear {
    /// Returns whether a value is removed.
    pub(crate) fn removes(self, value: ValueRef<'_>) -> bool {
        match self {
            Self::Nothing => false,
            Self::AllButCarried => !value.carried,
            Self::AtLogin(rule) => !value.carried && value.on_login.unwrap_or(rule) == OnLogin::Discard,
            Self::All => true,
        }
    }
}

/// The fate of the values that an anonymous visitor has stored when they log in. Values that are carried over a change of
/// user stay in any case.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum OnLogin {
    /// They stay: the cart survives.
    Keep,
    /// They go, because another user may have put them there.
    Discard,
}

/// The changes that a request made to fields.
pub(crate) trait FieldChanges: Send + Sync {
    /// Returns what the changes make of the newest record, whose encrypted values `opener` decrypts. The values that they
    /// write are not encrypted yet.
    fn operations(&self, newest: &Record, opener: Opener<'_>, now: Timestamp) -> Result<FieldOps, FieldError>;

    /// Returns whether applying the changes twice does what applying them once does.
    fn is_repeatable(&self) -> bool;
}

/// The operations of a change on the fields of one record.
#[derive(Debug, Default)]
pub(crate) struct FieldOps {
    pub(crate) clear: Clear,
    /// By how many bytes the record grows because fields are stored in another form. No size refuses that.
    pub(crate) growth: usize,
    /// The new value of each field; `None` removes it. The last one of a key counts.
    pub(crate) values: Vec<(FieldKey, Option<StoredValue>)>,
}

impl FieldOps {
    /// Encrypts the values that are to be. One that is stored already stays as it is, under the active key.
    pub(crate) fn encrypt(&mut self, cipher: &Cipher, newest: &Record, now: Timestamp) {
        let is_taken_apart = self.growth > 0;
        for (key, value) in self.values.iter_mut().filter_map(|(key, value)| Some((&**key, value.as_mut()?))) {
            let is_of_policy = match cipher.fields() {
                EncryptedFields::Nothing => false,
                EncryptedFields::Sensitive => value.sensitive,
                EncryptedFields::All => true,
            };
            // The engine's own values are no secrets, and must be read whatever the keys are.
            let is_to_be = value.encrypted || (is_of_policy && !is_reserved(key));
            if !is_to_be {
                continue;
            }
            let held = newest.field(key, now);
            value.encrypted = true;
            let is_same = |held: &ValueRef<'_>| {
                ValueRef { bytes: held.bytes, ..value.as_ref() } == *held
                    && cipher.is_encryption_of(key, &value.bytes, held.bytes)
            };
            value.bytes = match held.filter(is_same) {
                Some(held) => held.bytes.to_vec(),
                None => cipher.encrypt(key, &value.bytes),
            };
            if held.map_or(is_taken_apart, |held| !held.encrypted) {
                self.growth += encryption::OVERHEAD;
            }
        }
    }
}

/// A change of a record's header.
#[derive(Clone, Debug)]
pub(crate) enum HeaderOp {
    /// A user proved who they are. Always comes with a [`Rotate`](Self::Rotate).
    Authenticate(Authenticate),
    /// The user who is logged in acts as another one, or as themselves again: the times and the label stay. Always comes
    /// with a [`Rotate`](Self::Rotate).
    ActAs {
        /// The user from now on.
        user: Arc<str>,
        /// The other details of the login, which replace the present ones.
        details: Option<Arc<LoginDetails>>,
    },
    /// Replaces the secret at once and raises the generation; a previous secret opens nothing any more.
    Rotate {
        /// The hash of the new secret.
        secret: SecretHash,
        /// The hash of the secret that the request came with.
        replaced: SecretHash,
        /// The time at which this happens.
        at: Timestamp,
    },
    /// Refuses every change of a request that loaded the record before, such as a login under way. The secret stays.
    EndGeneration,
    /// Replaces the secret, which becomes the previous one. A secret that was never used (the previous one has no end) is
    /// dropped instead, and the previous one stays: the client never got the other. Does nothing if another secret is
    /// current, or while the previous one has an end that has not come.
    Renew {
        /// The hash that must be current.
        if_current: SecretHash,
        /// The hash of the new secret.
        secret: SecretHash,
        /// The time at which this happens.
        at: Timestamp,
    },
    /// The secret is used for the first time: ends the previous one, unless it ends earlier. Does nothing if another
    /// secret is current.
    EndPrevious {
        /// The hash that must be current.
        if_current: SecretHash,
        /// The time at which this happens.
        at: Timestamp,
        /// The time at which the previous secret stops opening the session.
        until: Timestamp,
    },
    /// The session goes on with the rights that the former secret has, since that is the one that its client came with. If
    /// the secret has ended, the whole delta is stale.
    TakeFormerRights {
        /// The hash of the former secret.
        secret: SecretHash,
    },
    /// Lets the secrets that opened the session until then do so for a while, each with the rights that it had.
    KeepFormer {
        /// The hash of the secret that the request came with.
        secret: SecretHash,
        /// The time at which this happens.
        at: Timestamp,
        /// The time at which it stops opening the session.
        until: Timestamp,
    },
    /// The secret is used for the first time: the one before the rotation opens nothing any more. Does nothing if another
    /// secret is current.
    EndFormer {
        /// The hash that must be current.
        if_current: SecretHash,
    },
    /// The session is in use. Moves deadlines later, never earlier, and never past the absolute deadline.
    Touch {
        /// The time at which the session was seen.
        last_seen: Timestamp,
        /// The time at which it ends unless it is used again.
        idle_deadline: Timestamp,
    },
    /// Gives a visitor's session another idle time. Does nothing once a user is logged in.
    SetAnonymousTtl {
        /// The time that a touch grants from now on.
        ttl: Duration,
        /// The time at which this happens.
        at: Timestamp,
    },
    /// Stores what is seen of a clock that is ahead: the note of it, and what is taken back of secrets and fields.
    Correct,
}

/// The data that an authentication writes into the header. It begins a new lifetime. A session that began later than that,
/// by another server's clock, counts as begun then.
#[derive(Clone, Debug)]
pub(crate) struct Authenticate {
    /// The user.
    pub(crate) user: Arc<str>,
    /// The time at which the user proved who they are.
    pub(crate) at: Timestamp,
    /// False if nobody saw a proof: the login is not fresh.
    pub(crate) is_proved: bool,
    /// The time that a touch grants from now on.
    pub(crate) ttl: Duration,
    /// The time at which the session ends even if it is used.
    pub(crate) absolute_deadline: Option<Timestamp>,
    /// The device, as its user knows it.
    pub(crate) device_label: Option<Arc<str>>,
    /// The other details of the login, which replace the present ones.
    pub(crate) details: Option<Arc<LoginDetails>>,
}

/// The key of a field inside a record, `namespace.field`.
pub type FieldKey = Cow<'static, str>;

/// The deadline of a field: it was granted a time to live.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct FieldDeadline {
    /// The time at which the value stops being returned.
    pub at: Timestamp,
    /// The time to live that it was granted, in whole seconds.
    pub ttl: Duration,
}

impl FieldDeadline {
    /// Makes the deadline of a value that is granted this time now.
    pub const fn after(now: Timestamp, ttl: Duration) -> Self {
        Self { at: now.saturating_add(ttl), ttl }
    }

    /// Returns when it was granted.
    pub const fn granted(self) -> Timestamp {
        self.at.saturating_sub(self.ttl)
    }
}

/// The stored value of a field: the encoded bytes and the flags that every release obeys.
#[derive(Clone, Eq, PartialEq)]
pub struct StoredValue {
    /// The encoded value, encrypted if the flag says so.
    pub bytes: Vec<u8>,
    /// True if it stays when another user logs in.
    pub carried: bool,
    /// The time at which it stops being returned.
    pub deadline: Option<FieldDeadline>,
    /// True if it is kept out of everything that is printed.
    pub sensitive: bool,
    /// True if the bytes are encrypted.
    pub encrypted: bool,
    /// Its fate at the login of an anonymous visitor; `None` if the setting `on_login` decides.
    pub on_login: Option<OnLogin>,
}

impl StoredValue {
    /// Makes a value without flags.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self { bytes: bytes.into(), carried: false, deadline: None, sensitive: false, encrypted: false, on_login: None }
    }

    /// Borrows the value.
    pub fn as_ref(&self) -> ValueRef<'_> {
        let Self { bytes, carried, deadline, sensitive, encrypted, on_login } = self;
        let (carried, deadline, sensitive, encrypted) = (*carried, *deadline, *sensitive, *encrypted);
        ValueRef { bytes, carried, deadline, sensitive, encrypted, on_login: *on_login }
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
    /// The encoded value, encrypted if the flag says so.
    pub bytes: &'a [u8],
    /// True if it stays when another user logs in.
    pub carried: bool,
    /// The time at which it stops being returned.
    pub deadline: Option<FieldDeadline>,
    /// True if it is kept out of everything that is printed.
    pub sensitive: bool,
    /// True if the bytes are encrypted.
    pub encrypted: bool,
    /// Its fate at the login of an anonymous visitor; `None` if the setting `on_login` decides.
    pub on_login: Option<OnLogin>,
}

impl ValueRef<'_> {
    /// Returns whether the value is still returned.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.deadline.is_none_or(|deadline| now < deadline.at)
    }

    /// Returns the id of the key with which the value is encrypted; `None` if it is not, or in a way that this release does
    /// not know.
    pub fn key_id(&self) -> Option<KeyId> {
        encryption::key_id(self.bytes).filter(|_| self.encrypted)
    }

    /// Returns when the value was granted its deadline; the beginning of time if it has none.
    pub(crate) fn granted(&self) -> Timestamp {
        self.deadline.map_or(Timestamp::default(), FieldDeadline::granted)
    }

    /// Copies the value.
    pub fn to_owned(&self) -> StoredValue {
        let Self { bytes, carried, deadline, sensitive, encrypted, on_login } = *self;
        StoredValue { bytes: bytes.to_vec(), carried, deadline, sensitive, encrypted, on_login }
    }
}

impl std::fmt::Debug for ValueRef<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoredValue")
            .field("length", &self.bytes.len())
            .field("carried", &self.carried)
            .field("deadline", &self.deadline)
            .field("sensitive", &self.sensitive)
            .field("encrypted", &self.encrypted)
            .field("on_login", &self.on_login)
            .finish()
    }
}

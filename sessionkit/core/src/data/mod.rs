//! The description of a struct that `#[derive(SessionData)]` gives to the engine.

use crate::data::codec::{Codec, CodecError};
use crate::data::entries::Split;
use crate::data::field::{FieldReader, FieldWriter};
use crate::data::migration::StructMigration;
use crate::data::three_way::ThreeWay;
use crate::record::delta::{FieldDeadline, FieldKey, OnLogin, StoredValue};
use crate::record::field_error::FieldError;
use crate::scope::SessionScope;
use crate::time::Timestamp;

pub(crate) mod codec;
pub(crate) mod counter;
pub(crate) mod encoding;
pub(crate) mod entries;
pub(crate) mod field;
pub(crate) mod flash;
pub mod merge;
pub(crate) mod migration;
pub(crate) mod nulls;
mod plain;
pub(crate) mod snapshot;
pub(crate) mod three_way;

/// A struct that is the typed state of a session: `#[derive(SessionData)]` implements it.
///
/// The engine stores the fields one by one under `namespace.field`, so it never needs the whole struct to be
/// serialisable, comparable or `Default`: each field is.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not session state",
    label = "not session state",
    note = "put `#[derive(SessionData)]` on the struct; a handler asks for `Session<{Self}>`"
)]
pub trait SessionData: Sized + 'static {
    /// The session that the struct belongs to, when an application has several; [`MainScope`](crate::MainScope) otherwise.
    type Scope: SessionScope;

    /// The encoding of the fields.
    type Codec: Codec;

    /// The struct's name inside the record; two structs of one scope must not share it.
    const NAMESPACE: &'static str;

    /// The version of what is stored. A struct that is stored without one has the version 1.
    const VERSION: u32 = 1;

    /// The effect of a stored value that does not fit its field.
    const ON_ERROR: OnError = OnError::Fail;

    /// The stored fields, in the order in which [`decode`](Self::decode) reads and [`encode`](Self::encode) writes them.
    const FIELDS: &'static [Field];

    /// Builds the struct: every field from its stored value, or from its default where none is stored.
    ///
    /// # Errors
    /// Fails when a stored value does not fit its field, unless [`ON_ERROR`](Self::ON_ERROR) is the default.
    fn decode(fields: &mut FieldReader<'_>) -> Result<Self, FieldError>;

    /// Writes every stored field.
    ///
    /// # Errors
    /// Fails when a value has no encoding.
    fn encode(&self, fields: &mut FieldWriter) -> Result<(), FieldError>;

    /// Brings the stored values from the version `from` to [`VERSION`](Self::VERSION), which is greater.
    ///
    /// # Errors
    /// Fails when a stored value is not what the older version stored.
    fn migrate(from: u32, stored: &mut StructMigration<'_, Self>) -> Result<(), FieldError> {
        let _ = (from, stored);
        Ok(())
    }
}

/// The effect of a stored value that does not fit its field, as after a change of the field's type.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum OnError {
    /// The field has its default, which is reported. What is stored stays until the field is changed.
    UseDefault,
    /// The struct cannot be read.
    #[default]
    Fail,
}

impl OnError {
    /// Decides what becomes of a value that was decoded, or could not be: `None` gives way to the field's default.
    ///
    /// # Errors
    /// Fails when the value does not fit and the struct cannot be read without it.
    pub(crate) fn fit<T, E>(self, decoded: Result<T, E>) -> Result<Option<T>, E> {
        match (decoded, self) {
            (Ok(value), _) => Ok(Some(value)),
            (Err(_), Self::UseDefault) => Ok(None),
            (Err(reason), Self::Fail) => Err(reason),
        }
    }
}

/// One stored field of a [`SessionData`] struct.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// The key inside the record: `namespace.field`.
    pub key: &'static str,
    /// The rule for two requests that change the field.
    pub merge: Merge,
    /// Keeps the value when another user logs in.
    pub carry: bool,
    /// Seconds from a change of the value to its end.
    pub ttl: Option<u32>,
    /// Keeps the value out of everything that SessionKit prints, and encrypts it where it is stored.
    pub sensitive: bool,
    /// The fate of the value at the login of an anonymous visitor; `None` if the setting `on_login` decides.
    pub on_login: Option<OnLogin>,
    /// Keys under which the field is read where nothing is stored under its own. They go when it is written.
    pub aliases: &'static [&'static str],
}

impl Field {
    /// A field whose last write wins, with no further attributes.
    pub const fn new(key: &'static str) -> Self {
        Self {
            key,
            merge: Merge::LastWriteWins,
            carry: false,
            ttl: None,
            sensitive: false,
            on_login: None,
            aliases: &[],
        }
    }

    /// Sets what happens when two requests change the field.
    pub const fn merge(mut self, merge: Merge) -> Self {
        self.merge = merge;
        self
    }

    /// Keeps the value when another user logs in.
    pub const fn carry(mut self) -> Self {
        self.carry = true;
        self
    }

    /// Ends a value this many seconds after it was changed.
    pub const fn ttl(mut self, seconds: u32) -> Self {
        self.ttl = Some(seconds);
        self
    }

    /// Keeps the value out of everything that SessionKit prints, and encrypts it where it is stored.
    pub const fn sensitive(mut self) -> Self {
        self.sensitive = true;
        self
    }

    /// Decides about the value when an anonymous visitor logs in.
    pub const fn on_login(mut self, on_login: OnLogin) -> Self {
        self.on_login = Some(on_login);
        self
    }

    /// Reads the field under these keys too, where nothing is stored under its own.
    pub const fn aliases(mut self, keys: &'static [&'static str]) -> Self {
        self.aliases = keys;
        self
    }

    /// A value of the field that was made now.
    pub(crate) fn value(&self, bytes: &[u8], now: Timestamp) -> StoredValue {
        let ttl = self.ttl.map(|seconds| std::time::Duration::from_secs(u64::from(seconds)));
        StoredValue {
            bytes: bytes.to_vec(),
            carried: self.carry,
            deadline: ttl.map(|ttl| FieldDeadline::after(now, ttl)),
            sensitive: self.sensitive,
            encrypted: false,
            on_login: self.on_login,
        }
    }

    /// Returns whether a value of an anonymous visitor's goes at a login.
    pub(crate) fn goes_at_login(&self, rule: OnLogin) -> bool {
        !self.carry && self.on_login.unwrap_or(rule) == OnLogin::Discard
    }

    /// The names under which a value may be stored: the key, then the aliases.
    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.key).chain(self.aliases.iter().copied())
    }

    /// The keys under which the aliases store what is written under `key`, which is the field's own or that of an entry.
    pub(crate) fn aliases_of(&self, key: &str) -> impl Iterator<Item = FieldKey> {
        let entry = key.strip_prefix(self.key).unwrap_or_default();
        self.aliases.iter().map(move |alias| match entry {
            "" => FieldKey::Borrowed(alias),
            entry => format!("{alias}{entry}").into(),
        })
    }
}

impl FieldError {
    pub(crate) fn encode(field: &Field, reason: CodecError) -> Self {
        Self::of_encoding(field.key, (!field.sensitive).then_some(reason))
    }

    /// The value would not come back as it is.
    pub(crate) fn lossy(field: &Field, reason: CodecError) -> Self {
        Self::of_reading_back(field.key, (!field.sensitive).then_some(reason))
    }

    pub(crate) fn decode(field: &Field, reason: CodecError) -> Self {
        Self::of_decoding(field.key, (!field.sensitive).then_some(reason))
    }
}

/// The rule for two requests that change one field.
#[derive(Clone, Copy, Debug)]
pub enum Merge {
    /// The value that is written last stays.
    LastWriteWins,
    /// Differences of an integer add up, saturating at these bounds.
    Add {
        /// The least value of the field's type.
        min: i128,
        /// The greatest value of the field's type.
        max: i128,
    },
    /// A function decides from the common base and the two values.
    ThreeWay(MergeFunction),
    /// The values of a `flash` field, which are shown once. They merge as those of the kind above.
    Flash(MergeFunction),
    /// Each entry is a field of its own, whose last write wins; a value that is stored in one piece is taken apart.
    Entries(Split),
}

/// Merges the values of a field that two requests changed.
pub type MergeFunction = fn(ThreeWay<'_>) -> Result<Option<Vec<u8>>, FieldError>;

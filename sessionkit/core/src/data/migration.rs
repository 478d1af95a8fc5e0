//! Changes of a struct that defaults cannot express: `#[session(version = 2, migrate = path)]`.
//!
//! A migration is a function of what is stored. It runs when a struct is read, and again for each attempt to commit a
//! change of it, over what is stored by then. So nothing is written before the struct is changed, and what another
//! request did meanwhile, in this version or in the one before, is never lost.

use std::any::type_name;
use std::fmt;
use std::marker::PhantomData;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::data::codec::{Codec, CodecError, Json};
use crate::data::encoding::LOST;
use crate::data::field::is_null;
use crate::data::nulls;
use crate::data::snapshot::Snapshot;
use crate::data::{Field, Merge, SessionData};
use crate::record::delta::{FieldKey, StoredValue};
use crate::record::field_error::FieldError;
use crate::record::reserved::{VERSION, is_reserved};

/// The stored values of a struct `T`, for the function that brings them from an older version to the current one.
///
/// ```
/// # mod sessionkit { pub use sessionkit_core::*; }
/// use sessionkit::{FieldError, StructMigration};
/// # use sessionkit_core::{Json, MainScope, SessionData};
/// # use sessionkit_core::derive::{Field, FieldReader, FieldWriter};
/// # struct Profile;
/// # impl SessionData for Profile {
/// #     type Scope = MainScope;
/// #     type Codec = Json;
/// #     const NAMESPACE: &'static str = "profile";
/// #     const FIELDS: &'static [Field] = &[];
/// #     fn decode(_: &mut FieldReader<'_>) -> Result<Self, FieldError> { Ok(Profile) }
/// #     fn encode(&self, _: &mut FieldWriter) -> Result<(), FieldError> { Ok(()) }
/// # }
///
/// /// Version 1 had the whole name in one field.
/// fn split_name(from: u32, stored: &mut StructMigration<'_, Profile>) -> Result<(), FieldError> {
///     if from < 2 && let Some(name) = stored.get::<String>("name")? {
///         let (first, last) = name.split_once(' ').unwrap_or((&name, ""));
///         stored.insert("first_name", first)?;
///         stored.insert("last_name", last)?;
///         stored.remove("name");
///     }
///     Ok(())
/// }
/// ```
///
/// The function must depend on nothing but these values: it runs whenever the struct is read, until a change of the
/// struct is stored, and then the new values with it. Fields are named as they are stored, without the namespace.
pub struct StructMigration<'a, T: SessionData> {
    stored: &'a Snapshot<'a>,
    /// The fields that were read or changed, with their present values.
    touched: Vec<(FieldKey, Option<StoredValue>)>,
    /// The values that count as not stored because they do not fit.
    unfit: Vec<String>,
    data: PhantomData<fn() -> T>,
}

impl<T: SessionData> StructMigration<'_, T> {
    /// Reads a value; `None` where nothing is stored.
    ///
    /// # Errors
    /// Fails when the value is not a `V`. In a struct with `on_error = default` it counts as not stored, with an event.
    pub fn get<V: DeserializeOwned>(&mut self, field: &str) -> Result<Option<V>, FieldError> {
        let key = key::<T>(field);
        // Counters are decimal text, whatever the codec.
        let decode = if is_counter::<T>(&key) { Json::decode::<V> } else { T::Codec::decode::<V> };
        self.decode(key, decode)
    }

    /// Reads a value that was encoded with another codec, for a version that changes the codec.
    ///
    /// # Errors
    /// Fails as [`get`](Self::get) does.
    pub fn get_with<C: Codec, V: DeserializeOwned>(&mut self, field: &str) -> Result<Option<V>, FieldError> {
        self.decode(key::<T>(field), C::decode::<V>)
    }

    /// Stores a value.
    ///
    /// # Errors
    /// Fails when the value has no encoding, or one that is read as an absent value.
    pub fn insert<V: Serialize + ?Sized>(&mut self, field: &str, value: &V) -> Result<(), FieldError> {
        let key = key::<T>(field);
        let encode = if is_counter::<T>(&key) { Json::encode::<V> } else { T::Codec::encode::<V> };
        let mut bytes = Vec::new();
        encode(value, &mut bytes).map_err(|reason| match declared::<T>(&key) {
            Some(field) => FieldError::encode(field, reason),
            None => FieldError::untyped_encode(&key, format!("this `{}` has no encoding", type_name::<V>()).into()),
        })?;
        if is_null(&bytes) && nulls::count(value) > 0 {
            return Err(match declared::<T>(&key) {
                Some(field) => FieldError::lossy(field, LOST.into()),
                None => FieldError::untyped_reading_back(&key, LOST.into()),
            });
        }
        let value = match declared::<T>(&key) {
            Some(field) => field.value(&bytes, self.stored.now()),
            None => StoredValue::new(bytes),
        };
        self.touch(key, Some(value));
        Ok(())
    }

    /// Removes a value, and the entries of a map or a set.
    pub fn remove(&mut self, field: &str) {
        let key = key::<T>(field);
        let entries: Vec<String> = self.stored.entry_names(&key).map(|entry| format!("{key}/{entry}")).collect();
        entries.into_iter().for_each(|entry| self.touch(entry, None));
        self.touch(key, None);
    }

    fn decode<V>(&mut self, key: String, decode: fn(&[u8]) -> Result<V, CodecError>) -> Result<Option<V>, FieldError> {
        let found = match self.touched.iter().find(|(touched, _)| *touched == key) {
            Some((_, value)) => value.clone(),
            None => {
                let value = self.stored.value(&key).map(|value| value.to_owned());
                // What cannot be decrypted is not removed, unless a field would read it in the form of this version once its
                // key is back.
                let is_read = || T::FIELDS.iter().any(|field| field.names().any(|name| name == key));
                if is_read() || !self.stored.is_undecryptable(&key) {
                    self.touch(key.clone(), value.clone());
                }
                value
            }
        };
        let Some(found) = found else { return Ok(None) };
        let fitting = T::ON_ERROR.fit(decode(&found.bytes)).map_err(|reason| match declared::<T>(&key) {
            Some(field) => FieldError::decode(field, reason),
            // The field is none of this version, so nobody knows whether it is sensitive.
            None => FieldError::untyped_decode(&key, format!("it is not a `{}`", type_name::<V>()).into()),
        })?;
        if fitting.is_none() {
            self.unfit.push(key);
        }
        Ok(fitting)
    }

    fn touch(&mut self, key: String, value: Option<StoredValue>) {
        self.touched.retain(|(touched, _)| *touched != key);
        self.touched.push((key.into(), value));
    }
}

/// Runs the function of a `#[session(migrate = function)]`.
///
/// # Errors
/// Fails when the function does.
pub fn migrate<T: SessionData>(
    function: fn(u32, &mut StructMigration<'_, T>) -> Result<(), FieldError>,
    from: u32,
    stored: &mut StructMigration<'_, T>,
) -> Result<(), FieldError> {
    function(from, stored)
}

/// Names the struct; its values may be sensitive.
impl<T: SessionData> fmt::Debug for StructMigration<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StructMigration").field("namespace", &T::NAMESPACE).finish_non_exhaustive()
    }
}

/// Migrates what is stored of one struct, and returns the values that store the result.
pub(crate) type Upgrade = fn(&mut Snapshot<'_>) -> Result<Vec<Migrated>, FieldError>;

/// A field, and what a migration made of it.
pub(crate) type Migrated = (FieldKey, Option<StoredValue>);

/// Brings what is stored of `T` to the version of this release, if it is older.
pub(crate) fn upgrade<T: SessionData>(stored: &mut Snapshot<'_>) -> Result<Vec<Migrated>, FieldError> {
    if T::VERSION <= 1 {
        return Ok(Vec::new());
    }
    let version = key::<T>(VERSION);
    let from = match stored.bytes(&version) {
        // What is no number was written by a release that this one does not know.
        Some(text) => std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()).unwrap_or(u32::MAX),
        None => 1,
    };
    if from >= T::VERSION {
        return Ok(Vec::new());
    }
    let (mut touched, mut unfit) = (Vec::new(), Vec::new());
    if stored.keys().any(is_value::<T>) {
        let mut migration = StructMigration::<T> { stored, touched, unfit, data: PhantomData };
        T::migrate(from, &mut migration)?;
        (touched, unfit) = (migration.touched, migration.unfit);
    }
    // It outlives a change of user, as carried fields do that are of this version.
    let value = StoredValue { carried: true, ..StoredValue::new(T::VERSION.to_string()) };
    touched.push((version.into(), Some(value)));
    let values = touched.clone();
    stored.migrate(touched, unfit);
    Ok(values)
}

fn key<T: SessionData>(field: &str) -> String {
    format!("{}.{field}", T::NAMESPACE)
}

fn is_value<T: SessionData>(key: &str) -> bool {
    key.strip_prefix(T::NAMESPACE).is_some_and(|rest| rest.starts_with('.')) && !is_reserved(key)
}

fn declared<T: SessionData>(key: &str) -> Option<&'static Field> {
    T::FIELDS.iter().find(|field| field.key == key)
}

fn is_counter<T: SessionData>(key: &str) -> bool {
    declared::<T>(key).is_some_and(|field| matches!(field.merge, Merge::Add { .. }))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::data::field::{FieldReader, FieldWriter};
    use crate::encryption::Opener;
    use crate::record::Record;
    use crate::record::header::Header;
    use crate::scope::MainScope;
    use crate::time::Timestamp;
    use crate::token::SecretHash;

    const NOW: Timestamp = Timestamp::from_unix_seconds(1_700_000_000);

    /// Reads `pin`, `code` and `gone`, of which the last is no field of this version.
    struct Vault;

    impl SessionData for Vault {
        type Scope = MainScope;
        type Codec = Json;
        const NAMESPACE: &'static str = "vault";
        const VERSION: u32 = 2;
        const FIELDS: &'static [Field] =
            &[Field::new("vault.pin"), Field::new("vault.otp").aliases(&["vault.code"]), Field::new("vault.name")];

        fn decode(_: &mut FieldReader<'_>) -> Result<Self, FieldError> {
            Ok(Self)
        }

        fn encode(&self, _: &mut FieldWriter) -> Result<(), FieldError> {
            Ok(())
        }

        fn migrate(_: u32, stored: &mut StructMigration<'_, Self>) -> Result<(), FieldError> {
            ["pin", "code", "gone"].into_iter().try_for_each(|field| stored.get::<String>(field).map(drop))
        }
    }

    #[test]
    fn what_cannot_be_decrypted_stays_unless_a_field_would_read_its_older_form() {
        let encrypted = StoredValue { sensitive: true, encrypted: true, ..StoredValue::new([0xc1; 40]) };
        let header = Header::new(SecretHash::from_bytes([0; 32]), NOW, Duration::from_secs(3600), None);
        let keys = ["vault.pin", "vault.code", "vault.gone", "vault.name"];
        let record = Record::from_fields(header, keys.map(|key| (key, encrypted.as_ref())));
        let mut stored = Snapshot::new(Some((&record, Opener::without_keys())), NOW);
        let migrated = upgrade::<Vault>(&mut stored).unwrap();
        let removed = migrated.iter().filter(|(_, value)| value.is_none()).map(|(key, _)| &**key);
        assert_eq!(removed.collect::<Vec<_>>(), ["vault.pin", "vault.code"]);
    }
}

//! The session as a map from keys to values, for those who come from `session["key"]`.

use std::any::type_name;
use std::fmt;
use std::ops::{Deref, DerefMut};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::data::codec::{Codec, CodecError, Json};
use crate::data::encoding::{Stored, stored_or};
use crate::data::field::has_null;
use crate::data::nulls;
use crate::data::snapshot::is_field;
use crate::error::SessionError;
use crate::record::delta::OnLogin;
use crate::record::field_error::FieldError;
use crate::record::reserved::is_reserved;
use crate::request::RequestSession;
use crate::request::overlay::Overlay;
use crate::request::state::{Epoch, State};

/// The session as a map from keys to JSON values.
///
/// It shows the same record as the typed structs do: `cart.items` is the field `items` of the struct whose namespace is
/// `cart`, and a key without a dot is the application's own. What this request changes through one of them is seen
/// through the other: a struct's changes when it is dropped, the map's at once.
///
/// ```
/// # async fn handler(session: sessionkit_core::adapter::RequestSession) -> Result<(), sessionkit_core::SessionError> {
/// let mut session = session.dynamic().await?;
/// let visits: u32 = session.get("visits")?.unwrap_or(0);
/// session.insert("visits", &(visits + 1))?;
/// if let Some(mut items) = session.get_mut::<Vec<u32>>("cart.items")? {
///     items.push(7);
/// }
/// session.remove("draft");
/// # Ok(())
/// # }
/// ```
///
/// A field that is stored entry by entry has a key for each, `cart.items/7`. To insert or remove `cart.items` replaces or
/// removes all of them; while the field is stored in one piece, no single entry can be inserted.
///
/// The last write wins, whatever the struct says of its field. A value that replaces a stored one keeps its flags: it is
/// carried over a change of user if the old one was, ends when the old one would have, and is encrypted if the old one was
/// `sensitive`. Where nothing is stored, a value has no flags, whatever the struct says. Writing an equal value writes nothing.
///
/// Everything is stored when the request is closed. After another user's login, or a logout, a map from before is empty,
/// and what is written to it is discarded, as it is with structs.
pub struct DynamicSession {
    session: RequestSession,
    /// The request's user changes so far.
    users: u32,
}

impl DynamicSession {
    pub(crate) fn new(session: RequestSession) -> Self {
        let users = session.state().epoch.users;
        Self { session, users }
    }

    /// Reads the value of a key; `None` where nothing is stored, or where its time is up.
    ///
    /// # Errors
    /// Fails when the value is not a `V`.
    pub fn get<V: DeserializeOwned>(&self, key: &str) -> Result<Option<V>, SessionError> {
        let decoded = self.look_at(key, |value| value.filter(|_| !is_reserved(key)).map(Json::decode::<V>));
        decoded.transpose().map_err(|_| self.report(misfit::<V>(key)))
    }

    /// Borrows the value of a key to change it in place; `None` where nothing is stored. The change is taken when the
    /// borrow is dropped, unless a panic drops it.
    ///
    /// ```
    /// # async fn handler(session: sessionkit_core::adapter::RequestSession) -> Result<(), sessionkit_core::SessionError> {
    /// # let mut session = session.dynamic().await?;
    /// if let Some(mut settings) = session.get_mut::<serde_json::Value>("settings")? {
    ///     settings["theme"]["dark"] = true.into();
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Fails when the value is not a `V`.
    pub fn get_mut<V: Stored>(&mut self, key: &str) -> Result<Option<DynamicValue<'_, V>>, SessionError> {
        let epoch = self.session.state().epoch;
        let value = self.get(key)?;
        Ok(value.map(|value| DynamicValue { session: &self.session, epoch, key: key.into(), value, baseline: None }))
    }

    /// Stores a value under a key.
    ///
    /// # Errors
    /// Fails when the value has no JSON form or one that it cannot be read from: JSON has no float that is not finite, no
    /// `Some(None)`, and no more than 128 levels. Fails when the key is empty or one of SessionKit's own, with a name that
    /// begins with `@`, or when it is that of an entry whose field is stored in one piece. Fails when this request has
    /// inserted more than the setting `max_record_size` allows.
    pub fn insert<V: Serialize + ?Sized>(&mut self, key: &str, value: &V) -> Result<(), SessionError> {
        if key.is_empty() || is_reserved(key) {
            return Err(self.report(SessionError::key(key)));
        }
        // The piece would hide the entry from the next request.
        if let Some((field, _)) = key.split_once('/').filter(|(field, _)| is_field(field))
            && self.look_at(field, |value| value.map(|_| ())).is_some()
        {
            return Err(self.report(SessionError::in_one_piece(field)));
        }
        let encoded = encode(value).map_err(|_| self.report(no_form::<V>(key)))?;
        if nulls::count(value) > 0 || Json::decode::<serde_json::Value>(&encoded).is_err() {
            return Err(self.report(lossy::<V>(key)));
        }
        self.check_room(key, &encoded)?;
        self.write(key, Some(encoded));
        Ok(())
    }

    /// Removes a key, and the entries of the field that it names; `false` where nothing is stored.
    pub fn remove(&mut self, key: &str) -> bool {
        let found = !is_reserved(key) && self.look(|overlay| overlay.has(key).then_some(())).is_some();
        if found {
            self.write(key, None);
        }
        found
    }

    /// Removes everything that is stored in the session, the fields of all structs included. The login stays: to end the
    /// session, log out.
    ///
    /// What this request changed before is forgotten, and structs that were extracted before are not stored.
    pub fn clear(&mut self) {
        self.session.change(
            "*",
            |state| state.epoch.users == self.users,
            |state| {
                state.epoch.clears += 1;
                state.pending.clear();
            },
        );
    }

    /// The keys under which something is stored, in alphabetical order.
    pub fn keys(&self) -> Vec<String> {
        let mut keys = self.look(|overlay| Some(overlay.keys())).unwrap_or_default();
        keys.sort_unstable();
        keys
    }

    fn write(&self, key: &str, value: Option<Vec<u8>>) {
        if value.is_some() && self.look_at(key, |held| Some(held == value.as_deref())) == Some(true) {
            return;
        }
        self.session.change(key, |state| state.epoch.users == self.users, |state| state.pending.put(key, value));
    }

    /// Refuses a value with which the changes alone would be larger than a session may be, rather than at the end.
    fn check_room(&self, key: &str, value: &[u8]) -> Result<(), SessionError> {
        let limit = self.session.shared.engine.settings().max_record_size;
        let (size, held) = {
            let state = self.session.state();
            let record = state.current.as_ref().map(|current| &current.record);
            let held = record.map_or(0, |record| record.fields().as_bytes().len());
            (state.pending.size_besides(key) + key.len() + value.len(), held)
        };
        // One that is too large already, under an older setting, may still shrink.
        if size > limit.max(held) { Err(self.report(SessionError::too_large(size, limit))) } else { Ok(()) }
    }

    /// Looks at the value of one key, as [`look`](Self::look) does, however many others there are.
    fn look_at<T>(&self, key: &str, look: impl FnOnce(Option<&[u8]>) -> Option<T>) -> Option<T> {
        let state = self.session.state();
        if state.epoch.users != self.users {
            return None;
        }
        let overlay = Overlay::of_key(key, state.stored(&self.session.shared.engine), &state.pending);
        let seen = look(overlay.value(key));
        let undecryptable = overlay.take_undecryptable();
        drop(overlay);
        drop(state);
        self.session.report_undecryptable(&undecryptable);
        seen
    }

    /// The handler may answer with the error or do without the value, so it does not stand for the whole request.
    fn report(&self, error: SessionError) -> SessionError {
        self.session.report_failure(&error);
        error
    }

    /// Looks at the session with this request's changes; a map from before a change of user sees nothing.
    fn look<T>(&self, look: impl FnOnce(&Overlay<'_>) -> Option<T>) -> Option<T> {
        let state = self.session.state();
        if state.epoch.users != self.users {
            return None;
        }
        look(&Overlay::new(state.stored(&self.session.shared.engine), &state.pending))
    }
}

/// Names the session; keys and values may be sensitive.
impl fmt::Debug for DynamicSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("DynamicSession").field(&self.session).finish()
    }
}

/// A value of a [`DynamicSession`] that is being changed in place.
pub struct DynamicValue<'a, V: Stored> {
    session: &'a RequestSession,
    epoch: Epoch,
    key: String,
    value: V,
    /// The value as it was at the first mutable borrow.
    baseline: Option<Result<Vec<u8>, CodecError>>,
}

impl<V: Stored> Deref for DynamicValue<'_, V> {
    type Target = V;

    fn deref(&self) -> &V {
        &self.value
    }
}

impl<V: Stored> DerefMut for DynamicValue<'_, V> {
    fn deref_mut(&mut self) -> &mut V {
        if self.baseline.is_none() {
            self.baseline = Some(encode(&self.value));
        }
        &mut self.value
    }
}

impl<V: Stored> Drop for DynamicValue<'_, V> {
    fn drop(&mut self) {
        let Some(baseline) = self.baseline.take() else { return };
        if std::thread::panicking() {
            return;
        }
        let encoding = stored_or::<Json, V>(|| unreachable!("the value is stored"));
        match (baseline, encode(&self.value)) {
            (Ok(before), Ok(after)) if before == after && !has_null(&after) => {}
            (Ok(_), Ok(after)) if encoding.read_back(&self.value, Some(&after)).is_err() => {
                drop(self.session.fail(lossy::<V>(&self.key)));
            }
            (Ok(before), Ok(after)) if before == after => {}
            (Ok(_), Ok(after)) => {
                let (key, epoch) = (&*self.key, self.epoch);
                let discards = self.session.shared.engine.settings().on_login == OnLogin::Discard;
                let goes_on = |state: &State| {
                    state.epoch.goes_on_from(epoch) && !(discards && state.epoch.logins != epoch.logins)
                };
                self.session.change(key, goes_on, |state| state.pending.put(key, Some(after)));
            }
            _ => drop(self.session.fail(no_form::<V>(&self.key))),
        }
    }
}

/// Names the type; the value may be sensitive.
impl<V: Stored> fmt::Debug for DynamicValue<'_, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DynamicValue<{}>", type_name::<V>())
    }
}

fn encode<V: Serialize + ?Sized>(value: &V) -> Result<Vec<u8>, CodecError> {
    let mut bytes = Vec::new();
    Json::encode(value, &mut bytes)?;
    Ok(bytes)
}

// The codec's own reason may quote the value, and the key may be one of a sensitive field.

fn misfit<V>(key: &str) -> SessionError {
    FieldError::untyped_decode(key, format!("it is not a `{}`", type_name::<V>()).into()).into()
}

fn lossy<V: ?Sized>(key: &str) -> SessionError {
    FieldError::untyped_reading_back(key, format!("this `{}` is lost on the way through JSON", type_name::<V>()).into())
        .into()
}

fn no_form<V: ?Sized>(key: &str) -> SessionError {
    FieldError::untyped_encode(key, format!("this `{}` has no JSON form", type_name::<V>()).into()).into()
}

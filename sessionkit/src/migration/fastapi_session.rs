//! The sessions of fastapi_session in Redis.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Map;
use sessionkit_core::{ForeignCookie, ForeignError, ForeignSession, ForeignSessions, Timestamp};

use self::encryptor::Encryptor;
use super::record::{random, ttl};
use super::{ForeignRecords, LARGEST_RECORD};
use crate::formats::{FastapiSessionId, Secrets, json};

mod encryptor;
#[cfg(test)]
mod tests;

/// Opens and writes the sessions of [fastapi_session](https://github.com/sunw41ker/fastapi-session) in Redis, with its
/// `AES_SIV_Encryptor`. Not to be confused with fastapi-sessions, which is [`FastapiSessions`](super::FastapiSessions) here,
/// nor with the package `fastapi-session` of PyPI.
///
/// The cookie is a Fernet token of the id. Each value of a session has a key of its own in Redis, and key and value are
/// encrypted with AES-SIV. A list of the keys of one session would cost a walk through all keys of the database, so the reader
/// takes the names of the values and asks for those alone.
///
/// ```
/// use sessionkit::formats::Secrets;
/// use sessionkit::migration::{FastapiSession, ForeignRecords};
///
/// # fn of(records: impl ForeignRecords, secret: &str) -> Result<(), sessionkit::KeyError> {
/// let secrets = Secrets::of_running_application([secret])?;
/// // `RedisRecords::new(connection)`, over the Redis of the `RedisBackend`.
/// let sessions = FastapiSession::new(&secrets, records, ["user_id", "cart"]);
/// # let _ = sessions;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct FastapiSession<R> {
    records: R,
    keys: Arc<[Keys]>,
    names: Arc<[String]>,
    cookie: ForeignCookie,
    ttl: Duration,
}

/// The keys that are derived of one secret.
struct Keys {
    ids: FastapiSessionId,
    encryptor: Encryptor,
}

impl<R: ForeignRecords> FastapiSession<R> {
    /// Takes the secrets, the records, and the names of all values that the application keeps in its sessions. A cookie is good
    /// for 14 days, and it is called `FAPISESSID`.
    pub fn new<N: Into<String>>(secrets: &Secrets, records: R, names: impl IntoIterator<Item = N>) -> Self {
        let keys = secrets
            .each()
            .map(|secret| Keys { encryptor: Encryptor::new(&secret), ids: FastapiSessionId::new(secret) });
        Self {
            records,
            keys: keys.collect(),
            names: names.into_iter().map(Into::into).collect(),
            cookie: ForeignCookie::new("FAPISESSID"),
            ttl: Duration::from_secs(14 * 86_400),
        }
    }

    /// Sets the cookie: `SESSION_COOKIE`, and those beside it.
    #[must_use]
    pub fn cookie(self, cookie: ForeignCookie) -> Self {
        Self { cookie, ..self }
    }

    /// Sets how long after it was written a cookie is good: `MAX_AGE`. A session that is written and says of no end is kept for
    /// as long.
    #[must_use]
    pub fn max_age(self, max_age: Duration) -> Self {
        let longer =
            |Keys { ids, encryptor }: &Keys| Keys { ids: ids.clone().max_age(max_age), encryptor: encryptor.clone() };
        Self { keys: self.keys.iter().map(longer).collect(), ttl: max_age, ..self }
    }
}

impl<R: ForeignRecords> ForeignSessions for FastapiSession<R> {
    fn system(&self) -> &'static str {
        "fastapi_session"
    }

    fn cookie(&self) -> &ForeignCookie {
        &self.cookie
    }

    async fn open(&self, cookie: &str, now: Timestamp) -> Result<ForeignSession, ForeignError> {
        // The records are encrypted with the secret of the cookie.
        let mut verified =
            self.keys.iter().filter_map(|keys| Some((&keys.encryptor, keys.ids.read_id(cookie, now).ok()?)));
        let (encryptor, id) = verified.next().ok_or_else(ForeignError::invalid)?;
        let namespace = encryptor.encrypt(id.as_bytes());
        let (mut values, mut size) = (Map::new(), 0);
        for name in &*self.names {
            let Some(record) = self.records.get(&key_of(encryptor, &namespace, name)).await? else { continue };
            size += record.len();
            if size > LARGEST_RECORD {
                return Err(ForeignError::unreadable("the records are too large"));
            }
            let unreadable =
                || ForeignError::unreadable(format!("the value of `{name}` is of another secret, or no JSON"));
            let text = encryptor.decrypt(&record).ok_or_else(unreadable)?;
            values.insert(name.clone(), json::read_value(&text).map_err(|_| unreadable())?);
        }
        if values.is_empty() { Err(ForeignError::ended()) } else { Ok(ForeignSession::new(id, values)) }
    }

    /// Ends a session: removes its values, one after the other.
    async fn end(&self, session: &ForeignSession) -> Result<(), ForeignError> {
        for Keys { encryptor, .. } in &*self.keys {
            let namespace = encryptor.encrypt(session.id().as_bytes());
            for name in &*self.names {
                self.records.remove(&key_of(encryptor, &namespace, name)).await?;
            }
        }
        Ok(())
    }

    fn writes(&self) -> bool {
        true
    }

    /// Writes a session with the first secret, one value after the other.
    async fn write(&self, session: &ForeignSession, now: Timestamp) -> Result<String, ForeignError> {
        json::check_depth(&session.values)?;
        if let Some(name) = session.values.keys().find(|name| !self.names.contains(name)) {
            return Err(ForeignError::unwritable(format!(
                "the value of `{name}` would not be read: its name is not given"
            )));
        }
        // There is a first secret: a list without one is refused.
        let Keys { ids, encryptor } = &self.keys[0];
        let id = if session.id().is_empty() {
            format!("{:032x}", u128::from_be_bytes(random()))
        } else {
            session.id().to_owned()
        };
        let cookie = ids.write_id(&id, now)?;
        let namespace = encryptor.encrypt(id.as_bytes());
        for name in &*self.names {
            let key = key_of(encryptor, &namespace, name);
            match session.values.get(name) {
                Some(value) => {
                    let record = encryptor.encrypt(value.to_string().as_bytes()).into_bytes();
                    self.records.set(&key, record, ttl(session, self.ttl, now)).await?;
                }
                None => self.records.remove(&key).await?,
            }
        }
        Ok(cookie)
    }
}

fn key_of(encryptor: &Encryptor, namespace: &str, name: &str) -> String {
    format!("{namespace}:{}", encryptor.encrypt(name.as_bytes()))
}

/// Shows everything but the store and the secrets.
impl<R> fmt::Debug for FastapiSession<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { records: _, keys, names, cookie, ttl } = self;
        f.debug_struct("FastapiSession")
            .field("secrets", &keys.len())
            .field("names", names)
            .field("cookie", cookie)
            .field("ttl", ttl)
            .finish_non_exhaustive()
    }
}

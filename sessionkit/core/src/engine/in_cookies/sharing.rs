//! A session in a cookie that another system reads and writes too.
//!
//! Values that are plain JSON stand under their keys. Everything else that a record has, its deadlines for example, stands
//! packed under one more key, which the other system keeps as it is.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::packing::{Packed, pack, unpack};
use super::{LoginMark, Sharing, UserKey};
use crate::config::{Rolling, Settings};
use crate::engine::document::Document as _;
use crate::format::{CookieContent, FormatError};
use crate::record::Record;
use crate::record::delta::{Clear, StoredValue, ValueRef};
use crate::record::header::Header;
use crate::record::reserved::{VERSION, is_reserved};
use crate::time::Timestamp;
use crate::token::{TOKEN, Token};

/// The key of what no other system needs to know.
const OURS: &str = "_sessionkit";

impl Sharing {
    /// Writes the value of a cookie.
    pub(super) fn write(
        &self,
        token: &Token,
        mark: LoginMark,
        record: &Record,
        now: Timestamp,
    ) -> Result<String, FormatError> {
        let (mut values, mut others) = (serde_json::Map::new(), Vec::new());
        for (key, value) in record.fields().filter(|(_, value)| value.is_live(now)) {
            match (self.shared_key(key), plain(value)) {
                (Some(shared), Some(plain)) => drop(values.insert(shared.to_owned(), plain)),
                _ => others.push((key, value)),
            }
        }
        if let (Some(user), Some(id)) = (&self.user, &record.header().user_id) {
            values.insert(user.key.clone(), user.value(id)?);
        }
        let ours = Record::from_fields(record.header().clone(), others);
        values.insert(OURS.to_owned(), URL_SAFE_NO_PAD.encode(pack(token, mark, &ours)).into());
        let mut content = CookieContent::new(values);
        content.expires_at = self.format.holds_expiry().then(|| record.header().deadline());
        self.format.write(&content, now)
    }

    /// Reads the value of a cookie; `None` if it is none of ours, or of the other system's.
    pub(super) fn read(
        &self,
        cookie: &str,
        scope: &'static str,
        settings: &Settings,
        now: Timestamp,
    ) -> Option<Packed> {
        let mut content = self.format.read(cookie, now).ok()?;
        let ours = content.values.remove(OURS).and_then(|ours| {
            let packed = URL_SAFE_NO_PAD.decode(ours.as_str()?).ok()?;
            unpack(&packed, scope)
        });
        let user = self.user.as_ref().map(|user| user.id(content.values.remove(&user.key)));
        let written_at = content.written_at.unwrap_or(now);
        let mut packed = ours.unwrap_or_else(|| self.begun_elsewhere(cookie, scope, settings, written_at));
        let Ok(record) = Record::read(&packed.entry) else { return Some(packed) };
        let mut header = record.header().clone();
        let mut clear = Clear::Nothing;
        if let Some(user) = user
            && user.as_deref() != header.user_id.as_deref()
        {
            // As at a login here: the other system cannot clear what it cannot read.
            clear = if header.user_id.is_some() { Clear::AllButCarried } else { Clear::AtLogin(settings.on_login) };
            change_user(&mut header, user, settings, written_at);
        }
        // The other system has used the session when it wrote the cookie, if it was not over by then.
        let is_use = written_at > header.last_seen && !header.is_expired(written_at);
        if settings.rolling == Rolling::Reset && is_use {
            header.last_seen = written_at;
            header.idle_deadline = header.idle_deadline.max(written_at.saturating_add(header.ttl));
        }
        if let Some(expires) = content.expires_at {
            header.idle_deadline = header.idle_deadline.min(expires);
        }
        // The values that the other system sees stay, and so does the version of their structs.
        let kept = record.fields().filter(|(key, value)| is_version(key) || !clear.removes(*value));
        let mut fields: BTreeMap<String, StoredValue> =
            kept.map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
        for (key, value) in content.values {
            if let (Some(key), Ok(bytes)) = (self.own_key(&key), serde_json::to_vec(&value)) {
                fields.insert(key, StoredValue::new(bytes));
            }
        }
        let fields = fields.iter().map(|(key, value)| (key.as_str(), value.as_ref()));
        packed.entry = Record::from_fields(header, fields).entry(now);
        Some(packed)
    }

    /// Makes the session of a cookie in which the other system has begun it. The same cookie makes the same one.
    fn begun_elsewhere(&self, cookie: &str, scope: &'static str, settings: &Settings, at: Timestamp) -> Packed {
        let part = |number: u8| {
            let hash = Sha256::new().chain_update("sessionkit shared session").chain_update([number]);
            hash.chain_update(scope).chain_update([0]).chain_update(cookie).finalize()
        };
        let mut bytes = [0; TOKEN];
        bytes[..32].copy_from_slice(&part(0));
        bytes[32..].copy_from_slice(&part(1)[..TOKEN - 32]);
        let token = Token::from_bytes(&bytes);
        let (ttl, absolute) = (settings.anonymous_ttl, Some(settings.absolute_ttl));
        let mut header = Header::new(token.secret_hash(scope), at, ttl, absolute);
        header.scope = scope.into();
        Packed { token, mark: LoginMark::default(), entry: Record::new(header).entry(at) }
    }

    /// Returns the key under which the other system has a value; `None` if it does not see the value.
    fn shared_key<'a>(&self, key: &'a str) -> Option<&'a str> {
        if is_reserved(key) {
            return None;
        }
        let shared = match self.top_level {
            Some(namespace) => {
                let field = key.strip_prefix(namespace).and_then(|rest| rest.strip_prefix('.'));
                field.or(Some(key).filter(|key| key.contains('.')))?
            }
            None => key,
        };
        let is_free = shared != OURS && self.user.as_ref().is_none_or(|user| user.key != shared);
        // It must come back as what it was.
        (is_free && self.own_key(shared).as_deref() == Some(key)).then_some(shared)
    }

    /// Returns the key of a value that the other system has under this one; `None` if no value of an application can have it.
    fn own_key(&self, shared: &str) -> Option<String> {
        let key = match self.top_level {
            // It would take the place of the field.
            Some(namespace) if shared.strip_prefix(namespace).is_some_and(|rest| rest.starts_with('.')) => return None,
            Some(namespace) if !shared.contains('.') => format!("{namespace}.{shared}"),
            _ => shared.to_owned(),
        };
        (!is_reserved(&key)).then_some(key)
    }
}

impl UserKey {
    fn value(&self, id: &str) -> Result<Value, FormatError> {
        if !self.is_number {
            return Ok(id.into());
        }
        let number = id.parse::<i64>().map_err(|_| FormatError::new(format!("`{}` is not a number", self.key)))?;
        Ok(number.into())
    }

    fn id(&self, value: Option<Value>) -> Option<String> {
        match value? {
            Value::String(id) if !id.is_empty() => Some(id),
            Value::Number(id) => Some(id.to_string()),
            _ => None,
        }
    }
}

/// Gives a session the user that the other system has logged in, or logged out. Nothing is known of how they proved who they
/// are.
fn change_user(header: &mut Header, user: Option<String>, settings: &Settings, at: Timestamp) {
    let (ttl, absolute) = match user {
        Some(_) => settings.login_lifetime(None),
        None => (settings.anonymous_ttl, settings.absolute_ttl),
    };
    header.user_id = user.map(Into::into);
    header.authenticated = None;
    header.details = None;
    header.device_label = None;
    header.ttl = ttl;
    header.idle_deadline = at.saturating_add(ttl);
    header.absolute_deadline = Some(at.saturating_add(absolute));
}

/// Returns whether a key is that of the version of a struct.
fn is_version(key: &str) -> bool {
    key.rsplit_once('.').is_some_and(|(_, name)| name == VERSION)
}

/// Returns a value as JSON, if it has nothing that JSON does not say.
fn plain(value: ValueRef<'_>) -> Option<Value> {
    let has_rules = value.carried || value.sensitive || value.encrypted;
    if has_rules || value.deadline.is_some() || value.on_login.is_some() {
        return None;
    }
    let plain: Value = serde_json::from_slice(value.bytes).ok()?;
    let is_same = serde_json::to_vec(&plain).is_ok_and(|again| again == value.bytes);
    is_same.then_some(plain)
}

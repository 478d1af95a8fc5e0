//! How a record lies in a Redis hash.
//!
//! | field | value |
//! |---|---|
//! | `@` | the packed [`Header`] |
//! | `@user`, `@label`, `@actor` | the header's texts, where there are any |
//! | `@methods` | the methods of the login with spaces between, where there are any |
//! | `@stamp` | the eight bytes of the credential stamp, where there is one |
//! | `@prev` | the previous secret's hash, then when it was renewed in decimal seconds, then `:` and its end if it has one |
//! | `@ttl` | the earliest deadline of a field in decimal seconds; no later than that, never missing where there is one |
//! | `cart.items` | the value of that field |
//!
//! A value without flags is stored as it is. Otherwise `!`, then `c` if it is carried, then `@` and the deadline if it has
//! one, then a space come before it: `!c@1700000600 "..."`. So they do before one that begins with `!`. A field whose key
//! begins with `@` or `!` is stored under the key with `!` before it. Other fields that begin with `@` are left alone.

use std::borrow::Cow;

use sessionkit_core::{CredentialStamp, Header, LoginDetails, PreviousSecret, Record, SecretHash, Timestamp, ValueRef};

pub(super) type Pair = (Vec<u8>, Vec<u8>);

/// The name of a field inside the hash.
pub(super) fn field_name(key: &str) -> Cow<'_, str> {
    if key.starts_with(['@', '!']) { format!("!{key}").into() } else { key.into() }
}

/// What comes before the bytes of a value with these flags.
pub(super) fn flags(carried: bool, deadline: Option<Timestamp>) -> String {
    let carried = if carried { "c" } else { "" };
    let deadline = deadline.map(|deadline| format!("@{deadline}")).unwrap_or_default();
    format!("!{carried}{deadline} ")
}

/// The stored form of a value.
pub(super) fn encode(value: ValueRef<'_>) -> Cow<'_, [u8]> {
    if !value.carried && value.deadline.is_none() && !value.bytes.starts_with(b"!") {
        return value.bytes.into();
    }
    let mut stored = flags(value.carried, value.deadline).into_bytes();
    stored.extend_from_slice(value.bytes);
    stored.into()
}

/// Reads what [`encode`] wrote.
fn decode(stored: &[u8]) -> Option<ValueRef<'_>> {
    let Some(rest) = stored.strip_prefix(b"!") else {
        return Some(ValueRef { bytes: stored, carried: false, deadline: None });
    };
    let (flags, bytes) = rest.split_at(rest.iter().position(|byte| *byte == b' ')?);
    let (carried, flags) = match flags.strip_prefix(b"c") {
        Some(flags) => (true, flags),
        None => (false, flags),
    };
    let deadline = match flags {
        [] => None,
        [b'@', digits @ ..] => Some(seconds(digits)?),
        _ => return None,
    };
    Some(ValueRef { bytes: &bytes[1..], carried, deadline })
}

/// The fields of the hash that is this record.
pub(super) fn write(record: &Record) -> Vec<(Cow<'_, str>, Cow<'_, [u8]>)> {
    let header = record.header();
    let mut pairs: Vec<(Cow<'_, str>, Cow<'_, [u8]>)> = vec![("@".into(), header.pack().to_vec().into())];
    if let Some(user) = &header.user {
        pairs.push(("@user".into(), user.as_bytes().into()));
    }
    if let Some(label) = &header.device_label {
        pairs.push(("@label".into(), label.as_bytes().into()));
    }
    pairs.extend(
        header.details.iter().flat_map(|details| write_details(details)).map(|(name, value)| (name.into(), value)),
    );
    if let Some(previous) = &header.previous {
        let until = previous.until.map(|until| format!(":{until}")).unwrap_or_default();
        let times = format!("{}{until}", previous.renewed);
        pairs.push(("@prev".into(), [previous.secret.as_bytes(), times.as_bytes()].concat().into()));
    }
    if let Some(soonest) = record.fields().filter_map(|(_, value)| value.deadline).min() {
        pairs.push(("@ttl".into(), soonest.to_string().into_bytes().into()));
    }
    pairs.extend(record.fields().map(|(key, value)| (field_name(key), encode(value))));
    pairs
}

/// The fields of the hash that are these details.
pub(super) fn write_details(details: &LoginDetails) -> impl Iterator<Item = (&'static str, Cow<'_, [u8]>)> {
    let methods = (!details.methods.is_empty()).then(|| details.methods.join(" ").into_bytes().into());
    let actor = details.actor.as_ref().map(|actor| actor.as_bytes().into());
    let stamp = details.stamp.as_ref().map(|stamp| stamp.as_bytes().into());
    let all = [("@methods", methods), ("@actor", actor), ("@stamp", stamp)];
    all.into_iter().filter_map(|(name, value): (_, Option<Cow<'_, [u8]>>)| Some((name, value?)))
}

/// Reads a record from the fields of its hash, or names the field that is not what it should be.
pub(super) fn read(pairs: &[Pair]) -> Result<Record, String> {
    let find = |name: &[u8]| pairs.iter().find(|(found, _)| found == name).map(|(_, value)| &**value);
    let text = |name: &str| match find(name.as_bytes()).map(std::str::from_utf8) {
        Some(text) => text.map(|text| Some(text.into())).map_err(|_| name.to_owned()),
        None => Ok(None),
    };
    let mut header = find(b"@").and_then(Header::unpack).ok_or("@")?;
    header.user = text("@user")?;
    header.device_label = text("@label")?;
    let mut details = LoginDetails::default();
    details.methods = text("@methods")?.iter().flat_map(|methods| methods.split(' ')).map(str::to_owned).collect();
    details.actor = text("@actor")?;
    let stamp = find(b"@stamp").map(|stored| stored.try_into().map_err(|_| "@stamp")).transpose()?;
    details.stamp = stamp.map(CredentialStamp::from_bytes);
    header.details = details.shared();
    header.previous = find(b"@prev").map(|stored| previous(stored).ok_or("@prev")).transpose()?;

    let mut fields = Vec::with_capacity(pairs.len());
    for (name, stored) in pairs.iter().filter(|(name, _)| !name.starts_with(b"@")) {
        let field = || String::from_utf8_lossy(name).into_owned();
        let name = std::str::from_utf8(name).map_err(|_| field())?;
        fields.push((name.strip_prefix('!').unwrap_or(name), decode(stored).ok_or_else(field)?));
    }
    Ok(Record::from_fields(header, fields))
}

fn previous(stored: &[u8]) -> Option<PreviousSecret> {
    let (secret, times) = stored.split_first_chunk::<32>()?;
    let mut times = times.splitn(2, |byte| *byte == b':').map(seconds);
    let (renewed, until) = (times.next()??, times.next());
    let until = until.map_or(Some(None), |until| until.map(Some))?;
    Some(PreviousSecret { secret: SecretHash::from_bytes(*secret), renewed, until })
}

fn seconds(digits: &[u8]) -> Option<Timestamp> {
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok().map(Timestamp::from_unix_seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(bytes: &[u8], carried: bool, deadline: Option<u64>) -> ValueRef<'_> {
        ValueRef { bytes, carried, deadline: deadline.map(Timestamp::from_unix_seconds) }
    }

    #[test]
    fn a_plain_value_is_readable_as_it_is() {
        assert_eq!(&*encode(value(br#"{"a":1}"#, false, None)), br#"{"a":1}"#);
        assert_eq!(&*encode(value(b"1", true, Some(1_700_000_600))), b"!c@1700000600 1");
    }

    #[test]
    fn every_value_comes_back() {
        for bytes in [&b""[..], b"1", b"!", b"! ", b"!c@1 x", b" ", &[0, 255]] {
            for carried in [false, true] {
                for deadline in [None, Some(0), Some(u64::MAX)] {
                    let value = value(bytes, carried, deadline);
                    assert_eq!(decode(&encode(value)), Some(value));
                }
            }
        }
    }

    #[test]
    fn garbage_is_not_a_value() {
        for stored in ["!", "!c", "!x ", "!@ ", "!@1x ", "!@+1 ", "!cc ", "!@1@2 ", "!@99999999999999999999 "] {
            assert_eq!(decode(stored.as_bytes()), None, "{stored}");
        }
    }

    #[test]
    fn a_key_cannot_pose_as_the_header() {
        let now = Timestamp::from_unix_seconds(1);
        let header = Header::new(SecretHash::from_bytes([0; 32]), now, std::time::Duration::from_secs(9), None);
        let keys = ["@", "@user", "!", "!@user", "a", ""];
        let record = Record::from_fields(header, keys.map(|key| (key, value(b"1", false, None))));
        let pairs: Vec<Pair> =
            write(&record).into_iter().map(|(name, stored)| (name.into_owned().into(), stored.into_owned())).collect();
        assert!(pairs.iter().filter(|(name, _)| name.starts_with(b"@")).count() == 1);
        assert!(read(&pairs).unwrap().fields().map(|(key, _)| key).eq(keys));
    }
}

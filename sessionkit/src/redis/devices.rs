//! The index of the sessions of each user.
//!
//! The entries of a user are a hash, `session:@Main/ada` by default, of which `scripts/devices.lua` says what is in it.

use ::redis::{Value, cmd};
use sessionkit_core::{
    DeviceEntry, DeviceIndex, DeviceSelection, EntryState, Registered, Registration, SessionId, StoreError,
    StoreFuture, Timestamp,
};

use super::failure::Failure;
use super::layout::Pair;
use super::script::{Arguments, DEVICES};
use super::store::{RedisStore, pairs, unexpected_reply};

impl RedisStore {
    fn user_key(&self, user: &str) -> String {
        format!("{}@{user}", self.prefix())
    }

    /// Makes the error for a user's index entry of the wrong type. It names the scope and not the user, because errors
    /// are logged.
    fn damaged(&self, user: &str) -> StoreError {
        let scope = user.split('/').next().unwrap_or_default();
        StoreError::corrupt(format_args!("{}/<a user>", self.user_key(scope)))
    }

    async fn change(&self, user: &str, arguments: &Arguments) -> Result<(Vec<u8>, Vec<SessionId>), StoreError> {
        let key = self.user_key(user);
        let Value::Array(reply) = self.run(&DEVICES, &key, arguments).await? else { return Err(unexpected_reply()) };
        let mut texts = reply.into_iter().map(|value| match value {
            Value::BulkString(text) => Ok(text),
            _ => Err(unexpected_reply()),
        });
        let outcome = texts.next().unwrap_or_else(|| Err(unexpected_reply()))?;
        if outcome == b"corrupt" {
            return Err(self.damaged(user));
        }
        let ids = texts.map(|text| SessionId::parse(&text?).ok_or_else(|| self.damaged(user)));
        Ok((outcome, ids.collect::<Result<_, _>>()?))
    }
}

impl DeviceIndex for RedisStore {
    fn register<'a>(&'a self, user: &'a str, login: Registration) -> StoreFuture<'a, Registered> {
        Box::pin(async move {
            match self.change(user, &Arguments::of_register(login)).await? {
                (outcome, ended) if outcome == b"entered" => Ok(Registered::Entered(ended)),
                (outcome, _) if outcome == b"full" => Ok(Registered::Full),
                (outcome, _) if outcome == b"ended" => Ok(Registered::Ended),
                _ => Err(unexpected_reply()),
            }
        })
    }

    fn confirm<'a>(
        &'a self,
        user: &'a str,
        id: SessionId,
        ended: &'a [SessionId],
        now: Timestamp,
    ) -> StoreFuture<'a, bool> {
        Box::pin(async move { Ok(self.change(user, &Arguments::of_confirm(id, ended, now)).await?.0 == b"confirmed") })
    }

    fn entries<'a>(&'a self, user: &'a str, now: Timestamp) -> StoreFuture<'a, Vec<DeviceEntry>> {
        Box::pin(async move {
            let key = self.user_key(user);
            let reply = self.call(cmd("HGETALL").arg(&key)).await.map_err(|failure| match failure.is_wrong_type() {
                true => self.damaged(user),
                false => failure.of_read(),
            })?;
            let stored = pairs(reply).ok_or_else(|| self.damaged(user))?;
            let entries = stored.iter().map(read);
            let mut entries = entries.collect::<Option<Vec<_>>>().ok_or_else(|| self.damaged(user))?;
            entries.sort_unstable_by_key(|(place, _)| *place);
            Ok(entries.into_iter().map(|(_, entry)| entry).filter(|entry| now < entry.deadline).collect())
        })
    }

    fn end<'a>(&'a self, user: &'a str, meant: DeviceSelection, now: Timestamp) -> StoreFuture<'a, Vec<SessionId>> {
        Box::pin(async move { Ok(self.change(user, &Arguments::of_end(meant, now)).await?.1) })
    }

    fn forget<'a>(&'a self, user: &'a str, ids: &'a [SessionId]) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            if ids.is_empty() {
                return Ok(());
            }
            let mut command = cmd("HDEL");
            command.arg(self.user_key(user));
            for id in ids {
                command.arg(id.to_string());
            }
            self.call(&command).await.map_err(Failure::of_write)?;
            Ok(())
        })
    }

    fn prune<'a>(&'a self, user: &'a str, seen: &'a [DeviceEntry]) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            self.change(user, &Arguments::of_prune(seen)).await?;
            Ok(())
        })
    }

    /// Asks the server for all of its keys, some hundreds at a time: a long walk where there are many sessions.
    fn users<'a>(&'a self, prefix: &'a str) -> StoreFuture<'a, Vec<String>> {
        Box::pin(async move {
            let start = self.user_key("");
            let special = |character: char| "*?[]^\\".contains(character);
            let escape = |character: char| if special(character) { vec!['\\', character] } else { vec![character] };
            let pattern: String = self.user_key(prefix).chars().flat_map(escape).chain(['*']).collect();
            let (mut users, mut cursor) = (Vec::new(), b"0".to_vec());
            loop {
                let mut command = cmd("SCAN");
                command.arg(&cursor).arg("MATCH").arg(&pattern).arg("COUNT").arg(500);
                let Value::Array(reply) = self.call(&command).await.map_err(Failure::of_read)? else {
                    return Err(unexpected_reply());
                };
                let Ok([Value::BulkString(next), Value::Array(keys)]) = <[Value; 2]>::try_from(reply) else {
                    return Err(unexpected_reply());
                };
                for key in keys {
                    let Value::BulkString(key) = key else { return Err(unexpected_reply()) };
                    let user = String::from_utf8(key).ok().and_then(|key| Some(key.strip_prefix(&start)?.to_owned()));
                    users.extend(user);
                }
                if next == b"0" {
                    users.sort_unstable();
                    users.dedup();
                    return Ok(users);
                }
                cursor = next;
            }
        })
    }
}

/// How a state is stored.
pub(super) fn letter(state: EntryState) -> &'static str {
    match state {
        EntryState::Begun => "b",
        EntryState::Confirmed => "c",
        EntryState::Ended => "e",
    }
}

/// The place of an entry in the order, and the entry.
fn read((name, value): &Pair) -> Option<(u64, DeviceEntry)> {
    let (stored, rest) = value.split_at_checked(1)?;
    let states = [EntryState::Begun, EntryState::Confirmed, EntryState::Ended];
    let state = states.into_iter().find(|state| letter(*state).as_bytes() == stored)?;
    let mut numbers = std::str::from_utf8(rest).ok()?.split(' ').map(|number| number.parse::<u64>().ok());
    let (place, registered, deadline) = (numbers.next()??, numbers.next()??, numbers.next()??);
    if numbers.next().is_some() {
        return None;
    }
    let (registered, deadline) = (Timestamp::from_unix_seconds(registered), Timestamp::from_unix_seconds(deadline));
    Some((place, DeviceEntry { id: SessionId::parse(name)?, state, registered, deadline }))
}

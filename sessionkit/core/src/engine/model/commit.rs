//! The steps that concern one entry: a request opens, begins, commits and removes it.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crate::encryption::Opener;
use crate::engine::document::{Change, Document, Refusal, Step};
use crate::engine::session::{RecordChange, Removal, newest_to_remove};
use crate::record::Record;
use crate::record::apply::{self, Applied};
use crate::record::delta::{Delta, FieldChanges, FieldKey, FieldOps, StoredValue};
use crate::record::field_error::FieldError;
use crate::record::front::{Generation, Revision};
use crate::record::header::Header;
use crate::store::key::EntryKey;
use crate::time::Timestamp;

use super::request::{Issued, NotStored, Request, Run, Token, Unknown};
use super::scenario::TTL;
use super::store::{Answer, Bytes, Call};
use super::variants::Variant;

/// The setting `renew_grace`. No clock of a scenario passes it but together with the deadline of the session.
const RENEW_GRACE: Duration = TTL;

/// The session that a cookie opens, or nearly opens.
pub(super) enum Opened {
    Current(Issued, Record),
    /// The secret was replaced a moment ago, perhaps the very one that the client has.
    Overtaken {
        issued: Issued,
        record: Record,
        is_replaced: bool,
    },
    Nothing,
}

/// The outcome of a call that writes.
enum Sent {
    Stored,
    Found(Bytes),
    Absent,
}

impl Request<'_> {
    /// Mirrors `Engine::open_candidates`, for one candidate and without `rotation_grace`.
    pub(super) fn open(&mut self) -> Run<Opened> {
        let Some(issued) = self.presents_cookie() else { return Ok(Opened::Nothing) };
        let Some(record) = self.load::<Record>(issued.token.key())? else { return Ok(Opened::Nothing) };
        let (header, now) = (record.header(), self.now());
        if opens(header, issued.token, now) {
            return Ok(Opened::Current(issued, record));
        }
        let is_just_rotated = |header: &Header| {
            let rotated = header.rotation.is_some_and(|rotation| now < rotation.at.saturating_add(RENEW_GRACE));
            rotated && !header.is_expired(now)
        };
        match header.rotation.filter(|_| is_just_rotated(header)) {
            Some(rotation) => {
                let is_replaced = rotation.has_replaced(&issued.token.hash()) || self.is(Variant::AcceptsOlderSecrets);
                Ok(Opened::Overtaken { issued, record, is_replaced })
            }
            None => Ok(Opened::Nothing),
        }
    }

    /// Mirrors `Engine::commit_record`.
    pub(super) fn commit_record(&mut self, token: Token, held: Record, delta: Delta) -> Run<Result<Record, NotStored>> {
        self.commit(token.key(), Some(held), &*RecordChange::of(delta, None))
    }

    /// Mirrors `Engine::commit_change` for a request that no other of its process meets: `Attempt::run` and what it calls,
    /// round after round.
    pub(super) fn commit<D: Document>(
        &mut self,
        key: EntryKey,
        held: Option<D>,
        change: &dyn Change<D>,
    ) -> Run<Result<D, NotStored>> {
        let mut newest = held;
        loop {
            let draft = match change.apply(newest.as_ref(), self.now()) {
                Step::Changed(draft) => draft,
                Step::Unchanged => return Ok(newest.ok_or(NotStored::Refused(Refusal::Gone))),
                Step::Refused(refusal) => return Ok(Err(NotStored::Refused(refusal))),
            };
            let mut sealed = D::seal(draft, self.random());
            let sent = self.send(key, newest.as_ref(), change, &mut sealed)?;
            let (found, was_lost) = match sent {
                Ok((Sent::Stored, _)) => return Ok(Ok(sealed)),
                Ok((Sent::Found(found), was_lost)) => (found.read::<D>(), was_lost),
                Ok((Sent::Absent, _)) if D::MAY_BEGIN => {
                    newest = None;
                    continue;
                }
                Ok((Sent::Absent, _)) => return Ok(Err(NotStored::Refused(Refusal::Gone))),
                Err(unknown) => return Ok(Err(unknown.into())),
            };
            // What `Attempt::meet` does. The store of the model never shows an older state than it compared with.
            let history = found.history();
            if history.includes(sealed.history().revision) {
                let is_overtaken = change.is_done_in(&found) == Some(false);
                return Ok(if is_overtaken { Err(NotStored::Refused(Refusal::Stale)) } else { Ok(found) });
            }
            if was_lost && history.forgets(sealed.history().revision) {
                match change.is_done_in(&found) {
                    Some(true) => return Ok(Ok(found)),
                    Some(false) => return Ok(Err(NotStored::Refused(Refusal::Stale))),
                    None if change.is_repeatable() => {}
                    None => return Ok(Err(NotStored::Unknown)),
                }
            }
            newest = Some(found);
        }
    }

    /// Mirrors `Attempt::call` and `Attempt::send`.
    fn send<D: Document>(
        &mut self,
        key: EntryKey,
        newest: Option<&D>,
        change: &dyn Change<D>,
        sealed: &mut D,
    ) -> Run<Result<(Sent, bool), Unknown>> {
        let reseals = self.is(Variant::RepeatsUnderNewRevision);
        let held: Option<Revision> = newest.map(|newest| newest.history().revision);
        let answer = self.insist(change.is_worth_a_look(), |request, is_repeat| {
            if reseals
                && is_repeat
                && let Step::Changed(draft) = change.apply(newest, request.now())
            {
                *sealed = D::seal(draft, request.random());
            }
            let bytes = Bytes::of(sealed);
            held.map_or(Call::Insert(key, bytes.clone()), |held| Call::Replace(key, held, bytes))
        })?;
        let Ok((answer, was_lost)) = answer else { return Ok(Err(Unknown)) };
        let sent = match answer {
            Answer::Done => Sent::Stored,
            Answer::Changed(found) => Sent::Found(found),
            Answer::Taken => match self.ask(Call::Load(key))? {
                Answer::Loaded(Some(found)) => Sent::Found(found),
                _ => Sent::Absent,
            },
            _ => Sent::Absent,
        };
        Ok(Ok((sent, was_lost)))
    }

    /// Mirrors `Engine::begin_record` and `Engine::begin_at_once`. New ids are free in the model.
    pub(super) fn begin_record(&mut self, delta: &Delta) -> Run<Result<(Token, Record), Unknown>> {
        let mut known = None;
        loop {
            let (token, now) = (self.new_token(None), self.now());
            let empty = Record::new(Header::new(token.hash(), now, TTL, Some(TTL)));
            let Ok(Applied::Changed(draft)) = apply::apply(&empty, delta, now) else {
                unreachable!("a session begins with a change")
            };
            let begun = (token, draft.seal(self.random()));
            let (token, record) = known.clone().unwrap_or(begun);
            let answer = match self.ask(Call::Insert(token.key(), Bytes::of(&record)))? {
                // By this very insert, which the network delivered twice: ids are free.
                Answer::Taken => {
                    let found = self.load::<Record>(token.key())?;
                    if found.is_some() { Answer::Done } else { Answer::Lost }
                }
                answer => answer,
            };
            if answer == Answer::Done {
                return Ok(Ok((token, record)));
            }
            if answer == Answer::Lost && self.is(Variant::InsertsAgain) {
                known = Some((token, record));
                continue;
            }
            // `Engine::forget` does this without being awaited.
            let _ = self.remove_record(token, record.header().generation, Removal::AsSeen)?;
            if answer == Answer::Late {
                return Ok(Err(Unknown));
            }
        }
    }

    /// Mirrors `Engine::remove_record`.
    pub(super) fn remove_record(
        &mut self,
        token: Token,
        seen: Generation,
        removal: Removal<'_>,
    ) -> Run<Result<bool, Unknown>> {
        let (mut generation, mut may_be_done) = (seen, false);
        loop {
            let removed = self.insist(true, |_, _| Call::Remove(token.key(), generation.number()))?;
            let Ok((answer, was_lost)) = removed else { return Ok(Err(Unknown)) };
            may_be_done |= was_lost;
            match answer {
                Answer::Changed(_) if self.is(Variant::TakesChangedForRemoved) => return Ok(Ok(true)),
                Answer::Changed(found) => match newest_to_remove(&found.entry(), removal) {
                    Ok(Some(newest)) => generation = newest,
                    Ok(None) => return Ok(Ok(false)),
                    Err(unreadable) => unreachable!("one release writes everything: {unreadable}"),
                },
                Answer::Absent => return Ok(Ok(may_be_done)),
                _ => return Ok(Ok(true)),
            }
        }
    }
}

/// Returns `true` if a token opens a session, as `Engine::fit` decides it.
pub(super) fn opens(header: &Header, token: Token, now: Timestamp) -> bool {
    let previous = header.previous.filter(|previous| previous.until.is_none_or(|until| now < until));
    let fits = header.secret == token.hash() || previous.is_some_and(|previous| previous.secret == token.hash());
    fits && !header.is_expired(now)
}

/// The counter that all requests add to.
pub(super) const COUNTER: &str = "m.counter";

/// The fields that change, and their new values.
type Values = Vec<(FieldKey, Option<StoredValue>)>;

/// The changes of a request that writes: one digit of the counter is its own, and so is a field.
pub(super) struct Writes {
    number: usize,
    /// Holds what was computed first, where that is used again.
    once: Option<OnceLock<Values>>,
}

impl Writes {
    pub(super) fn of(request: &Request<'_>) -> Arc<Self> {
        let once = request.is(Variant::MergesOnce).then(OnceLock::new);
        Arc::new(Self { number: request.number, once })
    }

    fn values(&self, newest: &Record, now: Timestamp) -> Values {
        let sum = counter(newest, now) + 10_u32.pow(self.number as u32);
        let counter = (COUNTER.into(), Some(StoredValue::new(sum.to_string())));
        vec![counter, (own_field(self.number).into(), Some(StoredValue::new(*b"1")))]
    }
}

impl FieldChanges for Writes {
    fn operations(&self, newest: &Record, _: Opener<'_>, now: Timestamp) -> Result<FieldOps, FieldError> {
        let values = match &self.once {
            Some(once) => once.get_or_init(|| self.values(newest, now)).clone(),
            None => self.values(newest, now),
        };
        Ok(FieldOps { values, ..FieldOps::default() })
    }

    fn is_repeatable(&self) -> bool {
        false
    }
}

/// Returns the field that only this request sets.
pub(super) fn own_field(number: usize) -> String {
    format!("m.field{number}")
}

pub(super) fn counter(record: &Record, now: Timestamp) -> u32 {
    let text = record.field(COUNTER, now).map(|value| String::from_utf8_lossy(value.bytes).into_owned());
    text.and_then(|text| text.parse().ok()).unwrap_or(0)
}

//! The steps of requests that use, change or end their session.

use crate::engine::document::{Change as _, Document as _, Refusal, Step};
use crate::engine::session::{RecordChange, Removal};
use crate::record::Record;
use crate::record::delta::{Authenticate, Clear, Delta, HeaderOp};
use crate::record::front::Generation;

use super::commit::{Opened, Writes};
use super::devices::Entering;
use super::request::{End, Issued, NotStored, Outcome, Request, Run, Token, Unknown, number};
use super::scenario::authenticate;
use super::store::{Bytes, Call};
use super::variants::Variant;

impl Request<'_> {
    /// Mirrors `Commit::run` and `Upkeep::due`, for a request that writes fields, uses a session whose token is due for
    /// renewal, or both.
    pub(super) fn write(&mut self, writes: bool, renews: bool) -> Run<Outcome> {
        let fields = writes.then(|| Writes::of(self) as _);
        let (issued, record) = match self.open()? {
            Opened::Current(issued, record) => (issued, record),
            Opened::Overtaken { .. } if !self.is(Variant::BeginsWhereOvertaken) => return Ok(End::Refused.into()),
            _ if !writes => return Ok(End::Nothing.into()),
            _ => {
                let delta = Delta { fields, ..Delta::new(Generation::default()) };
                return Ok(match self.begin_record(&delta)? {
                    Ok((token, record)) => {
                        let (generation, origin) = (number(record.header().generation), self.own_origin());
                        Outcome::issued(Issued { token, generation, origin, replaces: None })
                    }
                    Err(unknown) => unknown.into(),
                });
            }
        };
        let header = record.header();
        let (mut delta, now, mut renewed) = (Delta::new(header.generation), self.now(), None);
        delta.fields = fields;
        if header.secret == issued.token.hash() && header.previous.is_some_and(|previous| previous.until.is_none()) {
            let until = now.saturating_add(super::scenario::TTL);
            delta.header.push(HeaderOp::EndPrevious { if_current: header.secret, at: self.now(), until });
        } else if renews && header.previous.is_none() {
            // As `renewal_is_due` has it: requests with the token before the last renewal may still be under way.
            let token = self.new_token(Some(issued.token));
            delta.header.push(HeaderOp::Renew { if_current: header.secret, secret: token.hash(), at: now });
            renewed = Some(token);
        }
        Ok(match self.commit_record(issued.token, record, delta)? {
            Ok(stored) => {
                let token = renewed.filter(|token| token.hash() == stored.header().secret);
                let generation = number(stored.header().generation);
                let issued = token.map(|token| Issued { token, generation, replaces: None, ..issued });
                Outcome { end: End::Done, issued, ended: None }
            }
            Err(NotStored::Unknown) => End::Unknown.into(),
            Err(NotStored::Refused(_)) => End::Refused.into(),
        })
    }

    /// Mirrors `rotation::rotate`.
    pub(super) fn rotate(&mut self) -> Run<Outcome> {
        let Opened::Current(issued, record) = self.open()? else { return Ok(End::Nothing.into()) };
        let delta = Delta::new(record.header().generation);
        Ok(match self.replace_secret(issued, record, delta)? {
            Ok(Some((replaced, _))) => Outcome::issued(replaced),
            Ok(None) => End::Refused.into(),
            Err(unknown) => unknown.into(),
        })
    }

    /// Mirrors `rotation::replace_secret`; `None` if the session has ended or was rotated meanwhile.
    fn replace_secret(
        &mut self,
        issued: Issued,
        held: Record,
        mut delta: Delta,
    ) -> Run<Result<Option<(Issued, Record)>, Unknown>> {
        let token = self.new_token(Some(issued.token));
        delta.header.push(HeaderOp::Rotate { secret: token.hash(), replaced: issued.token.hash(), at: self.now() });
        if self.is(Variant::CopiesOnRotation) {
            return self.copy(issued, held, delta);
        }
        Ok(match self.commit_record(issued.token, held, delta)? {
            Ok(record) => {
                let (generation, replaces) = (number(record.header().generation), Some(issued.origin));
                Ok(Some((Issued { token, generation, replaces, ..issued }, record)))
            }
            Err(NotStored::Unknown) => Err(Unknown),
            Err(NotStored::Refused(_)) => Ok(None),
        })
    }

    /// Rotates a secret as the engine does not: what was loaded becomes a session under another id.
    fn copy(&mut self, issued: Issued, held: Record, delta: Delta) -> Run<Result<Option<(Issued, Record)>, Unknown>> {
        let change = RecordChange::of(delta, None);
        let Step::Changed(draft) = change.apply(Some(&held), self.now()) else { return Ok(Ok(None)) };
        let record = Record::seal(draft, self.random());
        let token = Token { id: record.header().secret.as_bytes()[0], secret: record.header().secret.as_bytes()[0] };
        let inserted = self.insist(true, |_, _| Call::Insert(token.key(), Bytes::of(&record)))?;
        if inserted.is_err() {
            return Ok(Err(Unknown));
        }
        let _ = self.remove_record(issued.token, held.header().generation, Removal::AsSeen)?;
        let (generation, replaces) = (number(record.header().generation), Some(issued.origin));
        Ok(Ok(Some((Issued { token, generation, replaces, ..issued }, record))))
    }

    /// Mirrors `Login::run`.
    pub(super) fn login(&mut self, user: &'static str) -> Run<Outcome> {
        let opened = self.open()?;
        let authenticate = authenticate(user, self.now());
        let from = match &opened {
            Opened::Current(issued, _) | Opened::Overtaken { issued, .. } => Some(issued.token),
            Opened::Nothing => None,
        };
        let mut entering = match self.enter(user, from)? {
            Ok(entering) => entering,
            Err(refused) => return Ok(refused),
        };
        let opened = match opened {
            Opened::Current(issued, record) => {
                let before = record.header().owner().cloned();
                if let Err(refused) = self.list(&record, user, &mut entering, issued.token)? {
                    return Ok(refused);
                }
                match self.take_over(issued, record, authenticate.clone())? {
                    Ok(Some((replaced, record))) => {
                        if let Some(before) = before.filter(|before| **before != *user) {
                            self.leave(&before, replaced.token, Some(record.header().generation))?;
                        }
                        return Ok(Outcome::issued(replaced));
                    }
                    // Mirrors `Engine::look_at_overtaken`.
                    Ok(None) => self.open()?,
                    Err(unknown) => return Ok(unknown.into()),
                }
            }
            opened => opened,
        };
        match opened {
            Opened::Overtaken { issued, record, is_replaced } => match self.go_on(user, issued, record, is_replaced)? {
                Ok(Some((renewed, generation))) => {
                    if entering.knows(renewed.token, generation) {
                        return Ok(Outcome::issued(renewed));
                    }
                    let admitted = self.admit(&mut entering, renewed.token, generation)?;
                    return Ok(admitted.err().map_or_else(|| Outcome::issued(renewed), Outcome::from));
                }
                Ok(None) => {}
                Err(unknown) => return Ok(unknown.into()),
            },
            Opened::Current(..) | Opened::Nothing => {}
        }
        self.begin(entering, authenticate)
    }

    /// Mirrors `Login::take_over`.
    fn take_over(
        &mut self,
        issued: Issued,
        record: Record,
        authenticate: Authenticate,
    ) -> Run<Result<Option<(Issued, Record)>, Unknown>> {
        let header = record.header();
        let before = header.owner().cloned();
        let stays = before.as_ref() == Some(&authenticate.user);
        let mut delta = Delta::new(header.generation);
        if before.is_some() && !stays {
            delta.clear = Clear::AllButCarried;
        }
        delta.header.push(HeaderOp::Authenticate(authenticate));
        let origin = if stays { issued.origin } else { self.own_origin() };
        let replaced = self.replace_secret(issued, record, delta)?;
        Ok(replaced.map(|replaced| replaced.map(|(replaced, record)| (Issued { origin, ..replaced }, record))))
    }

    /// Mirrors `Login::go_on`.
    fn go_on(
        &mut self,
        user: &str,
        issued: Issued,
        record: Record,
        is_replaced: bool,
    ) -> Run<Result<Option<(Issued, Generation)>, Unknown>> {
        let header = record.header();
        let is_renewing = header.previous.is_some_and(|previous| previous.until.is_none_or(|until| self.now() < until));
        if !is_replaced || header.owner().is_none_or(|owner| **owner != *user) || is_renewing {
            return Ok(Ok(None));
        }
        let token = self.new_token(Some(issued.token));
        let mut delta = Delta::new(header.generation);
        delta.header.push(HeaderOp::Renew { if_current: header.secret, secret: token.hash(), at: self.now() });
        Ok(match self.commit_record(issued.token, record, delta)? {
            Ok(stored) if stored.header().secret == token.hash() => {
                let generation = stored.header().generation;
                let (origin, replaces) = (self.own_origin(), None);
                Ok(Some((Issued { token, generation: number(generation), origin, replaces }, generation)))
            }
            Err(NotStored::Unknown | NotStored::Refused(Refusal::Failed(_))) => Err(Unknown),
            Ok(_) | Err(NotStored::Refused(_)) => Ok(None),
        })
    }

    /// Mirrors `Login::begin`.
    fn begin(&mut self, mut entering: Entering, authenticate: Authenticate) -> Run<Outcome> {
        let mut delta = Delta::new(Generation::default());
        delta.header.push(HeaderOp::Authenticate(authenticate));
        let Ok((token, record)) = self.begin_record(&delta)? else { return Ok(End::Unknown.into()) };
        let generation = record.header().generation;
        let admitted = self.admit_begun(&mut entering, token, generation)?;
        let issued = Issued { token, generation: number(generation), origin: self.own_origin(), replaces: None };
        Ok(admitted.err().unwrap_or_else(|| Outcome::issued(issued)))
    }

    /// Mirrors `logout::logout`.
    pub(super) fn logout(&mut self) -> Run<Outcome> {
        let (token, record) = match self.open()? {
            Opened::Current(issued, record) => (issued.token, record),
            Opened::Overtaken { issued, record, is_replaced } => {
                let same_owner = record.header().rotation.is_some_and(|rotation| rotation.same_owner);
                if !is_replaced || !same_owner {
                    return Ok(End::Nothing.into());
                }
                (issued.token, record)
            }
            Opened::Nothing => return Ok(End::Nothing.into()),
        };
        let header = record.header();
        let Ok(has_ended) = self.remove_record(token, header.generation, Removal::by_owner(header))? else {
            return Ok(End::Unknown.into());
        };
        if let Some(owner) = header.owner() {
            let older_than = (!has_ended).then(|| header.generation.next());
            self.leave(owner, token, older_than)?;
        }
        let owner = header.owner().map(|owner| owner.to_string());
        Ok(Outcome { end: End::Done, issued: None, ended: Some((token.id, owner)) })
    }
}

//! The steps that concern the list of a user's sessions.

use crate::devices::DeviceSelection;
use crate::devices::list_change::{Addition, ListChange, ListChangeKind};
use crate::engine::document::{Change, Document as _, Refusal, Step};
use crate::engine::session::Removal;
use crate::record::Record;
use crate::record::delta::{Delta, HeaderOp};
use crate::record::front::{EntryKind, Generation};
use crate::record::list::{ListEpoch, ListedSession, SessionList};
use crate::store::key::EntryKey;
use crate::time::Timestamp;

use super::request::{End, NotStored, Outcome, Request, Run, SCOPE, Token, Unknown};
use super::scenario::addition;
use super::store::{Answer, Bytes, Call};
use super::variants::Variant;

/// A login that has looked at the list of its user.
pub(super) struct Entering {
    list: SessionList,
    epoch: ListEpoch,
    from: Option<Token>,
}

impl Entering {
    /// Mirrors `Entering::knows`.
    pub(super) fn knows(&self, token: Token, generation: Generation) -> bool {
        let entry = self.list.entries.iter().find(|entry| entry.id == token.session() && !entry.is_ended);
        entry.is_some_and(|entry| !generation.is_after(entry.generation))
    }
}

/// A login that does not mind that the epoch changed.
struct AnyEpoch(ListChange);

impl Change<SessionList> for AnyEpoch {
    fn apply(&self, newest: Option<&SessionList>, now: Timestamp) -> Step<SessionList> {
        let ListChangeKind::Add(addition) = &self.0.kind else { return self.0.apply(newest, now) };
        let epoch = newest.map(|newest| newest.epoch).unwrap_or_default();
        let kind = ListChangeKind::Add(Addition { epoch, ..addition.clone() });
        ListChange { empty: self.0.empty.clone(), kind }.apply(newest, now)
    }
}

impl Request<'_> {
    /// Mirrors `Engine::enter` and `Engine::begun_list`, without a limit.
    pub(super) fn enter(&mut self, user: &str, from: Option<Token>) -> Run<Result<Entering, Outcome>> {
        let list = self.load_list(user)?;
        if !is_unwritten(&list) {
            return Ok(Ok(Entering { epoch: list.epoch, list, from }));
        }
        Ok(match self.change_list(list, ListChangeKind::Begin)? {
            Ok(list) if list.epoch == ListEpoch::default() => Ok(Entering { epoch: list.epoch, list, from }),
            Ok(_) | Err(NotStored::Refused(Refusal::Stale)) => Err(End::Revoked.into()),
            Err(NotStored::Unknown) => Err(End::Unknown.into()),
            Err(NotStored::Refused(refusal)) => unreachable!("a list may begin: {refusal:?}"),
        })
    }

    /// Mirrors `Engine::admit` and `Engine::add_to_list`, without a limit.
    pub(super) fn admit(
        &mut self,
        entering: &mut Entering,
        token: Token,
        generation: Generation,
    ) -> Run<Result<(), End>> {
        let (list, from) = (entering.list.clone(), entering.from.map(Token::session));
        let addition = Addition { from, ..addition(token, generation, self.now(), entering.epoch) };
        Ok(match self.change_list(list, ListChangeKind::Add(addition))? {
            Ok(stored) => {
                entering.list = stored;
                Ok(())
            }
            Err(NotStored::Refused(Refusal::Stale)) => Err(End::Revoked),
            Err(NotStored::Unknown) => Err(End::Unknown),
            Err(NotStored::Refused(refusal)) => unreachable!("there is no limit: {refusal:?}"),
        })
    }

    /// Mirrors `Engine::admit_begun`.
    pub(super) fn admit_begun(
        &mut self,
        entering: &mut Entering,
        token: Token,
        generation: Generation,
    ) -> Run<Result<(), Outcome>> {
        let Err(refused) = self.admit(entering, token, generation)? else { return Ok(Ok(())) };
        // Nobody gets its token, and it must not stay behind.
        let removed = self.remove_record(token, generation, Removal::AsSeen)?;
        Ok(Err(if removed.is_err() { End::Unknown.into() } else { refused.into() }))
    }

    /// Mirrors `auth::list`.
    pub(super) fn list(
        &mut self,
        record: &Record,
        user: &str,
        entering: &mut Entering,
        token: Token,
    ) -> Run<Result<(), Outcome>> {
        let header = record.header();
        let Err(refused) = self.admit(entering, token, header.generation.next())? else { return Ok(Ok(())) };
        if refused == End::Revoked && header.owner().is_some_and(|before| **before == *user) {
            let removed = self.remove_record(token, header.generation, Removal::AsSeen)?;
            if removed.is_err() {
                return Ok(Err(End::Unknown.into()));
            }
        }
        Ok(Err(refused.into()))
    }

    /// Mirrors `Engine::leave`.
    pub(super) fn leave(&mut self, user: &str, token: Token, older_than: Option<Generation>) -> Run<()> {
        let (list, id) = (self.load_list(user)?, token.session());
        if list.entries.iter().any(|entry| entry.id == id) {
            let _ = self.change_list(list, ListChangeKind::Remove { id, older_than })?;
        }
        Ok(())
    }

    /// Mirrors `Engine::end_sessions`.
    pub(super) fn revoke(&mut self, user: &str) -> Run<Outcome> {
        let list = self.load_list(user)?;
        if self.is(Variant::IsSilentWithoutList) && is_unwritten(&list) {
            return Ok(End::Done.into());
        }
        Ok(self.end_in_list(list)?.map_or_else(Outcome::from, |()| End::Done.into()))
    }

    /// Mirrors `Engine::end_everyone`, over pages that hold everything.
    pub(super) fn revoke_everyone(&mut self) -> Run<Outcome> {
        for (key, bytes) in self.scan(EntryKind::Session)? {
            let (record, session) = (bytes.read::<Record>(), key.session_id());
            let (Some(owner), Some(session)) = (record.header().owner(), session) else { continue };
            let removal = Removal::OwnedBy(owner);
            if self.remove_record(Token::naming(session), record.header().generation, removal)?.is_err() {
                return Ok(End::Unknown.into());
            }
        }
        for (_, bytes) in self.scan(EntryKind::SessionList)? {
            if self.end_in_list(bytes.read())?.is_err() {
                return Ok(End::Unknown.into());
            }
        }
        Ok(End::Done.into())
    }

    fn scan(&mut self, kind: EntryKind) -> Run<Vec<(EntryKey, Bytes)>> {
        match self.ask(Call::Scan(kind))? {
            Answer::Page(page) => Ok(page),
            answer => unreachable!("no answer to a scan: {answer:?}"),
        }
    }

    /// Mirrors `Engine::end_in_list`.
    fn end_in_list(&mut self, mut list: SessionList) -> Run<Result<(), Unknown>> {
        let (user, mut ended) = (list.user_id().clone(), Vec::new());
        let mut sessions = list.entries.clone();
        loop {
            for session in &sessions {
                if !self.is(Variant::EndsListAlone) && self.end_listed(&user, session)?.is_err() {
                    return Ok(Err(Unknown));
                }
                ended.push(*session);
            }
            let epoch = self.new_epoch();
            let end = ListChangeKind::End { selection: DeviceSelection::All, ended: ended.clone(), epoch };
            match self.change_list(list, end)? {
                Ok(_) | Err(NotStored::Refused(Refusal::Gone | Refusal::Stale)) => return Ok(Ok(())),
                Err(NotStored::Refused(Refusal::Crowded { list: newest, sessions: others })) => {
                    (list, sessions) = (*newest, others);
                }
                Err(NotStored::Unknown | NotStored::Refused(Refusal::Failed(_))) => return Ok(Err(Unknown)),
            }
        }
    }

    /// Mirrors `Engine::end_listed`.
    fn end_listed(&mut self, user: &str, listed: &ListedSession) -> Run<Result<bool, Unknown>> {
        let token = Token::naming(listed.id);
        loop {
            match self.load::<Record>(token.key())? {
                Some(record) if record.header().owner().is_some_and(|owner| **owner == *user) => {
                    return self.remove_record(token, record.header().generation, Removal::OwnedBy(user));
                }
                Some(record) if listed.generation.is_after(record.header().generation) => {
                    match self.end_generation(token, record)? {
                        Ok(true) => return Ok(Ok(false)),
                        Ok(false) => {}
                        Err(unknown) => return Ok(Err(unknown)),
                    }
                }
                _ => return Ok(Ok(false)),
            }
        }
    }

    /// Mirrors `Engine::end_generation`.
    fn end_generation(&mut self, token: Token, record: Record) -> Run<Result<bool, Unknown>> {
        let generation = record.header().generation;
        let mut delta = Delta::new(generation);
        if !self.is(Variant::TakesAwaitedForOver) {
            delta.header.push(HeaderOp::EndGeneration);
        }
        match self.commit_record(token, record, delta)? {
            Ok(_) => Ok(Ok(true)),
            Err(NotStored::Refused(Refusal::Gone)) => self.remove_record(token, generation, Removal::AsSeen),
            Err(NotStored::Refused(_)) => Ok(Ok(false)),
            Err(NotStored::Unknown) => Ok(Err(Unknown)),
        }
    }

    /// Mirrors `Engine::change_list`.
    fn change_list(&mut self, list: SessionList, kind: ListChangeKind) -> Run<Result<SessionList, NotStored>> {
        let user = list.user_id().clone();
        let (key, empty) = (EntryKey::session_list(SCOPE, &user), SessionList::new(SCOPE, user));
        let held = (!is_unwritten(&list)).then_some(list);
        let change = ListChange { empty, kind };
        if self.is(Variant::IgnoresEpoch) {
            return self.commit(key, held, &AnyEpoch(change));
        }
        self.commit(key, held, &change)
    }
}

/// Returns `true` if a list was never written, so that there is none.
fn is_unwritten(list: &SessionList) -> bool {
    list.history().revision == SessionList::new(SCOPE, "").history().revision
}

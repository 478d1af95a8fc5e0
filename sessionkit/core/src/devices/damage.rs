//! Damaged lists: a new one takes the place, and the sessions that the old one named are looked for.

use crate::devices::DeviceSelection;
use crate::devices::list_change::ListChangeKind;
use crate::devices::protocol::{UNDER_WAY, is_owned};
use crate::engine::Engine;
use crate::engine::commit::CommitError;
use crate::engine::deadline::Deadline;
use crate::engine::document::{Document, Refusal};
use crate::engine::session::Found;
use crate::error::{Chain, SessionError};
use crate::event::{About, EventKind};
use crate::record::Record;
use crate::record::front::{EntryKind, Revision, Unreadable};
use crate::record::header::Header;
use crate::record::list::{ListedSession, SessionList};
use crate::store::ReplaceOutcome;
use crate::store::entry::Entry;
use crate::store::error::{StoreError, StoreErrorKind};
use crate::store::key::EntryKey;
use crate::time::Timestamp;
use crate::token::SessionId;

/// The number of times that a damaged list is replaced in one call.
const TRIES: u32 = 5;

impl Engine {
    /// Returns the list of a user, or an empty one. A new list takes the place of one that is damaged.
    pub(super) async fn load_list(&self, user: &str) -> Result<SessionList, SessionError> {
        let (key, mut tries) = (EntryKey::session_list(self.scope(), user), 0);
        loop {
            let held = match self.load_entry(&key, &mut self.load_deadline()).await {
                Ok(None) => return Ok(SessionList::new(self.scope(), user)),
                Ok(Some(entry)) => match read_list(&key, &entry) {
                    Ok(list) => return Ok(list),
                    Err(Unreadable::Damaged) => entry.revision().unwrap_or_default(),
                    Err(newer) => return Err(StoreError::unreadable(newer).into()),
                },
                Err(error) if error.kind() == StoreErrorKind::Corrupt => Revision::default(),
                Err(error) => return Err(error.into()),
            };
            if tries == TRIES {
                return Err(StoreError::unreadable(Unreadable::Damaged).into());
            }
            tries += 1;
            // Boxed, since few lists are damaged, and futures are copied around.
            let begun = Box::pin(self.begin_list_anew(&key, held, SessionList::new(self.scope(), user))).await?;
            if let Some(list) = begun {
                return Ok(list);
            }
        }
    }

    /// Puts an empty list in the place of a damaged one, and returns it; `None` if something else is there by now. It has
    /// another epoch than any before, and remembers that it may lack sessions.
    pub(super) async fn begin_list_anew(
        &self,
        key: &EntryKey,
        held: Revision,
        empty: SessionList,
    ) -> Result<Option<SessionList>, SessionError> {
        let damage = StoreError::unreadable(Unreadable::Damaged);
        let user_id = Some(&**empty.user_id()).filter(|user| !user.is_empty());
        let about = About { user_id, ..About::default() };
        self.record(
            EventKind::StoreUnavailable { error: format_args!("the list of a user: {}", Chain(&damage)) },
            about,
        );
        let now = self.now();
        let list = empty.clone().begun_anew(held, self.new_epoch(), self.random(), now);
        let entry = &list.entry(now);
        let replace = move |limit| async move {
            self.within(&mut Deadline::of(limit), self.store.replace(key, held, entry)).await
        };
        Ok(match self.insist(self.commit_deadline().end(), true, replace).await?.0 {
            ReplaceOutcome::Replaced => Some(list),
            // It was kept for as long as any of its sessions could be alive.
            ReplaceOutcome::Absent => Some(empty),
            // Another call has begun it anew; or this one has, and the answer was lost.
            ReplaceOutcome::Changed(_) => None,
        })
    }

    /// Puts the sessions into a list that it may lack, those that are meant at least. Also returns why there may be
    /// others still.
    pub(super) async fn complete_list(
        &self,
        list: SessionList,
        selection: DeviceSelection,
    ) -> Result<(SessionList, Option<StoreError>), SessionError> {
        match list.incomplete_since {
            None => Ok((list, None)),
            // Boxed, as above.
            Some(since) => Box::pin(self.complete_list_since(list, selection, since)).await,
        }
    }

    async fn complete_list_since(
        &self,
        list: SessionList,
        selection: DeviceSelection,
        since: Timestamp,
    ) -> Result<(SessionList, Option<StoreError>), SessionError> {
        let (found, unknown) = match selection {
            DeviceSelection::One(id) => self.look_for(&list, id).await?,
            DeviceSelection::All | DeviceSelection::Others(_) => self.look_for_all(&list).await?,
        };
        let is_all = self.has_settled(since) && unknown.is_none() && !matches!(selection, DeviceSelection::One(_));
        let complete = ListChangeKind::Complete { found, since: is_all.then_some(since) };
        match self.change_list(list, complete).await {
            Ok(list) => Ok((list, unknown)),
            Err(CommitError::Refused(Refusal::Failed(error)) | CommitError::Failed(error)) => Err(error),
            Err(CommitError::Refused(_)) => Err(SessionError::unsettled()),
        }
    }

    async fn look_for(
        &self,
        list: &SessionList,
        id: SessionId,
    ) -> Result<(Vec<ListedSession>, Option<StoreError>), SessionError> {
        if list.entries.iter().any(|entry| entry.id == id) {
            return Ok((Vec::new(), None));
        }
        Ok(match self.load_session(id, &mut self.load_deadline()).await? {
            Found::Record(record) if self.is_of(&record, list.user_id()) => (vec![listed(id, record.header())], None),
            Found::Unreadable(session) if session.why != Unreadable::Damaged => {
                (Vec::new(), Some(StoreError::unreadable(session.why)))
            }
            Found::Record(_) | Found::Unreadable(_) | Found::Nothing => (Vec::new(), None),
        })
    }

    async fn look_for_all(&self, list: &SessionList) -> Result<(Vec<ListedSession>, Option<StoreError>), SessionError> {
        let (mut found, mut unknown, mut after) = (Vec::new(), None, None);
        loop {
            let page = match self.scan_page(EntryKind::Session, after.as_ref()).await {
                Err(error) if error.kind() == StoreErrorKind::Unsupported => {
                    unknown = Some(error);
                    break;
                }
                page => page?,
            };
            for (key, entry) in page.entries {
                let Some(id) = key.session_id() else { continue };
                match Record::read(&entry) {
                    Ok(record) if self.is_of(&record, list.user_id()) => found.push(listed(id, record.header())),
                    // One that is damaged opens nothing for anybody.
                    Ok(_) | Err(Unreadable::Damaged) => {}
                    Err(newer) => unknown = Some(StoreError::unreadable(newer)),
                }
            }
            let Some(next) = page.next else { break };
            after = Some(next);
        }
        found.sort_unstable_by_key(|session: &ListedSession| (session.registered, *session.id.as_bytes()));
        // A scan may have a session more than once.
        found.dedup_by_key(|session| session.id);
        Ok((found, unknown))
    }

    /// Returns whether no login is under way any more whose entry was in a list that was replaced at this time.
    pub(super) fn has_settled(&self, since: Timestamp) -> bool {
        self.now().saturating_duration_since(since) >= UNDER_WAY
    }

    fn is_of(&self, record: &Record, user: &str) -> bool {
        record.header().scope == self.scope() && is_owned(record, user)
    }
}

/// Reads the list under a key. That of another user is damage there.
pub(super) fn read_list(key: &EntryKey, entry: &Entry) -> Result<SessionList, Unreadable> {
    let list = SessionList::read(entry)?;
    if *key == EntryKey::session_list(list.scope(), list.user_id()) { Ok(list) } else { Err(Unreadable::Damaged) }
}

/// Returns whether a damaged list was replaced by one of no user. It waits for its user, to whom it is damage.
pub(super) fn is_nobodys(entry: &Entry) -> bool {
    SessionList::read(entry).is_ok_and(|list| list.scope().is_empty() && list.user_id().is_empty())
}

/// Makes the entry of a session that is in no list.
fn listed(id: SessionId, header: &Header) -> ListedSession {
    ListedSession {
        id,
        is_ended: false,
        generation: header.generation,
        registered: header.authenticated.unwrap_or(header.created),
        until: header.absolute_deadline.unwrap_or(header.idle_deadline),
    }
}

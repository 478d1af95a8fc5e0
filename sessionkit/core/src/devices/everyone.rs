//! Ending the sessions of everyone.

use crate::devices::DeviceSelection;
use crate::devices::damage::{is_nobodys, read_list};
use crate::engine::Engine;
use crate::engine::deadline::Deadline;
use crate::engine::document::Document;
use crate::engine::session::Removal;
use crate::error::SessionError;
use crate::event::{About, EventKind};
use crate::record::Record;
use crate::record::front::{EntryKind, Unreadable};
use crate::record::list::SessionList;
use crate::store::entry::Entry;
use crate::store::error::StoreError;
use crate::store::key::EntryKey;
use crate::store::{ScanCursor, ScanPage};
use crate::token::SessionId;

const REASON: &str = "everyone's sessions were ended";

/// The number of entries in a page of the scan.
const PAGE: usize = 500;

impl Engine {
    /// Ends the sessions of all users of the scope, and returns how many. Anonymous sessions stay. If what is stored of
    /// one session or user is damaged, the others end all the same.
    ///
    /// The sessions go first, then the lists: a login under way finds another epoch.
    pub(crate) async fn end_everyone(&self) -> Result<usize, SessionError> {
        self.note_end_of_all(None).await?;
        let (mut count, mut failed) = (0, None);
        let mut settle = |ended: Result<usize, SessionError>| match ended {
            Ok(ended) => {
                count += ended;
                Ok(())
            }
            Err(error) if error.is_of_damage() => {
                failed.get_or_insert(error);
                Ok(())
            }
            Err(error) => Err(error),
        };
        let mut after = None;
        loop {
            let page = self.scan_page(EntryKind::Session, after.as_ref()).await?;
            for (key, entry) in page.entries {
                if let Some(id) = key.session_id() {
                    settle(self.end_scanned(id, &entry).await)?;
                }
            }
            let Some(next) = page.next else { break };
            after = Some(next);
        }
        after = None;
        while self.settings().lists_devices() {
            let page = self.scan_page(EntryKind::SessionList, after.as_ref()).await?;
            for (key, entry) in page.entries {
                settle(self.end_scanned_list(&key, &entry).await)?;
            }
            let Some(next) = page.next else { break };
            after = Some(next);
        }
        failed.map_or(Ok(count), Err)
    }

    async fn end_scanned(&self, id: SessionId, entry: &Entry) -> Result<usize, SessionError> {
        let record = Record::read(entry).map_err(StoreError::unreadable)?;
        let header = record.header();
        let Some(owner) = header.owner().filter(|_| header.scope == self.scope()) else { return Ok(0) };
        let removed = self.remove_record(id, header.generation, Removal::OwnedBy(owner)).await?;
        if !removed || header.is_expired(self.now()) {
            return Ok(0);
        }
        let about = About { session: Some(id), user_id: Some(owner), ..About::default() };
        self.record(EventKind::Revoked { reason: REASON }, about);
        Ok(1)
    }

    async fn end_scanned_list(&self, key: &EntryKey, entry: &Entry) -> Result<usize, SessionError> {
        let mut list = match read_list(key, entry) {
            Err(Unreadable::Damaged) if is_nobodys(entry) => return Ok(0),
            Err(Unreadable::Damaged) => {
                // Nobody knows whose it was. A login under way must not find the epoch that it has seen. If the damage took
                // the entry of one, that goes on, and the next call ends it.
                let held = entry.revision().unwrap_or_default();
                self.begin_list_anew(key, held, SessionList::new("", "")).await?;
                return Err(StoreError::unreadable(Unreadable::Damaged).into());
            }
            list => list.map_err(StoreError::unreadable)?,
        };
        if list.scope() != self.scope() {
            return Ok(0);
        }
        // All sessions have been looked at: those that it may lack have ended.
        if list.incomplete_since.is_some_and(|since| self.has_settled(since)) {
            list.incomplete_since = None;
        }
        self.end_in_list(list, DeviceSelection::All, REASON, About::default()).await
    }

    pub(super) async fn scan_page(&self, kind: EntryKind, after: Option<&ScanCursor>) -> Result<ScanPage, StoreError> {
        let page = Deadline::of(self.settings().commit_deadline).limit(self.store.scan(kind, after, PAGE)).await;
        page.unwrap_or_else(|| Err(StoreError::unavailable("no page of the store's entries within commit_deadline")))
    }
}

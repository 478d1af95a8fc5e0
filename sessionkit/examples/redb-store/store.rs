use redb::{Database, Error, ReadableDatabase as _, ReadableTable as _, TableDefinition};
use sessionkit::{Clock as _, SystemClock, store::*};
use std::sync::Arc;

/// Under each key: from when on the entry may be forgotten, in seconds since the Unix epoch, and its bytes.
pub(crate) const ENTRIES: TableDefinition<'_, &[u8], (u64, &[u8])> = TableDefinition::new("entries");
pub(crate) struct RedbStore(pub(crate) Arc<Database>);

impl RedbStore {
    /// Writes `new` over what is found, or removes that, if it is `expected`. Returns what was found.
    async fn put<F>(&self, key: &EntryKey, new: Option<&Entry>, expected: F) -> Result<Option<Entry>, StoreError>
    where
        F: FnOnce(Option<&Entry>) -> bool + Send + 'static,
    {
        let reclaim_at = new.map(|new| SystemClock.now().saturating_add(new.reclaim_in()).unix_seconds()).unwrap_or(0);
        let (db, key, new) = (self.0.clone(), *key, new.cloned());
        let write = move || -> Result<_, Error> {
            let transaction = db.begin_write()?;
            let mut entries = transaction.open_table(ENTRIES)?;
            let found = entries.get(key.as_bytes())?.map(|row| Entry::from_bytes(row.value().1));
            match (expected(found.as_ref()), &new) {
                (true, Some(new)) => drop(entries.insert(key.as_bytes(), (reclaim_at, new.bytes()))?),
                (true, None) => drop(entries.remove(key.as_bytes())?),
                (false, _) => {}
            }
            drop(entries);
            Ok(transaction.commit().map(|()| found)?)
        };
        tokio::task::spawn_blocking(write).await.map_err(StoreError::unknown)?.map_err(StoreError::unknown)
    }
}

impl Store for RedbStore {
    async fn load(&self, key: &EntryKey) -> Result<Option<Entry>, StoreError> {
        let (db, key) = (self.0.clone(), *key);
        let read = move || -> Result<_, Error> {
            Ok(db.begin_read()?.open_table(ENTRIES)?.get(key.as_bytes())?.map(|row| Entry::from_bytes(row.value().1)))
        };
        tokio::task::spawn_blocking(read).await.map_err(StoreError::unavailable)?.map_err(StoreError::unavailable)
    }

    async fn insert(&self, key: &EntryKey, entry: &Entry) -> Result<InsertOutcome, StoreError> {
        let found = self.put(key, Some(entry), |found| found.is_none()).await?;
        Ok(found.map_or(InsertOutcome::Inserted, |_| InsertOutcome::Taken))
    }

    async fn replace(&self, key: &EntryKey, held: Revision, entry: &Entry) -> Result<ReplaceOutcome, StoreError> {
        let is_held = move |found: &Entry| found.has_revision(held);
        Ok(match self.put(key, Some(entry), move |found| found.is_some_and(is_held)).await? {
            None => ReplaceOutcome::Absent,
            Some(found) if is_held(&found) => ReplaceOutcome::Replaced,
            Some(found) => ReplaceOutcome::Changed(found),
        })
    }

    async fn remove(&self, key: &EntryKey, held: Generation) -> Result<RemoveOutcome, StoreError> {
        let is_held = move |found: &Entry| found.may_be_removed(held);
        Ok(match self.put(key, None, move |found| found.is_some_and(is_held)).await? {
            None => RemoveOutcome::Absent,
            Some(found) if is_held(&found) => RemoveOutcome::Removed,
            Some(found) => RemoveOutcome::Changed(found),
        })
    }

    async fn scan(&self, kind: EntryKind, after: Option<&ScanCursor>, limit: usize) -> Result<ScanPage, StoreError> {
        let (db, begin) = (self.0.clone(), after.map_or(vec![kind.byte()], |after| after.as_bytes().to_vec()));
        let read = move || -> Result<_, Error> {
            let mut page = ScanPage::default();
            let entries = db.begin_read()?.open_table(ENTRIES)?;
            for row in entries.range(&begin[..]..&[kind.byte() + 1][..])?.take(limit) {
                let (key, found) = row?;
                page.next = Some(ScanCursor::from_bytes([key.value(), &[0]].concat()));
                let entry = |key| (key, Entry::from_bytes(found.value().1));
                page.entries.extend(EntryKey::from_bytes(key.value()).map(entry));
            }
            Ok(page)
        };
        tokio::task::spawn_blocking(read).await.map_err(StoreError::unavailable)?.map_err(StoreError::unavailable)
    }
}

//! The store suite on [`FileStore`]: alone, and on two stores that share a directory as two processes do.

use sessionkit_tests::harness::TestStore;

mod alone {
    use super::TestStore;

    sessionkit_core::store_suite!(|| async { TestStore::file() });
}

mod shared {
    use std::path::Path;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use sessionkit::file::FileStore;
    use sessionkit::store::{
        Entry, EntryKey, EntryKind, Generation, InsertOutcome, RemoveOutcome, ReplaceOutcome, Revision, ScanCursor,
        ScanPage, Store, StoreError,
    };
    use tempfile::TempDir;

    /// Two stores that know nothing of each other, and take turns. They have no notices in common.
    struct Both {
        stores: [FileStore; 2],
        calls: AtomicUsize,
        _directory: TempDir,
    }

    impl Both {
        fn in_turn(&self) -> &FileStore {
            &self.stores[self.calls.fetch_add(1, Ordering::Relaxed) % 2]
        }
    }

    impl Store for Both {
        async fn load(&self, key: &EntryKey) -> Result<Option<Entry>, StoreError> {
            self.in_turn().load(key).await
        }

        async fn insert(&self, key: &EntryKey, entry: &Entry) -> Result<InsertOutcome, StoreError> {
            self.in_turn().insert(key, entry).await
        }

        async fn replace(&self, key: &EntryKey, held: Revision, entry: &Entry) -> Result<ReplaceOutcome, StoreError> {
            self.in_turn().replace(key, held, entry).await
        }

        async fn remove(&self, key: &EntryKey, held: Generation) -> Result<RemoveOutcome, StoreError> {
            self.in_turn().remove(key, held).await
        }

        async fn scan(
            &self,
            kind: EntryKind,
            after: Option<&ScanCursor>,
            limit: usize,
        ) -> Result<ScanPage, StoreError> {
            self.in_turn().scan(kind, after, limit).await
        }

        async fn load_many(&self, keys: &[EntryKey]) -> Result<Vec<Option<Entry>>, StoreError> {
            self.in_turn().load_many(keys).await
        }
    }

    async fn both() -> Both {
        let directory = tempfile::tempdir().expect("there is room for a directory");
        let open = |path: &Path| FileStore::open(path).expect("a new directory can be opened");
        let path = directory.path().join("sessions");
        Both { stores: [open(&path), open(&path)], calls: AtomicUsize::new(0), _directory: directory }
    }

    sessionkit_core::store_suite!(both);
}

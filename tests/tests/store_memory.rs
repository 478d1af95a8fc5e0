//! The store suite on [`MemoryStore`], by itself and behind a type that does not name it.

use sessionkit_core::{AnyStore, MemoryStore};

mod named {
    use super::MemoryStore;

    sessionkit_core::store_suite!(|| async { MemoryStore::new() });
}

mod any {
    use super::{AnyStore, MemoryStore};

    sessionkit_core::store_suite!(|| async { AnyStore::new(MemoryStore::new()) });
}

//! The store suite on [`MemoryStore`].

use sessionkit_core::MemoryStore;

sessionkit_core::store_suite!(|| async { MemoryStore::new() });

//! The store suite on [`MemoryStore`].

use sessionkit_core::MemoryStore;

sessionkit_core::store_suite!(|| async { MemoryStore::new() });

mod devices {
    sessionkit_core::device_suite!(|| async { super::MemoryStore::new() });
}

//! The suite that every store must pass.
//!
//! ```
//! # use sessionkit_core as sessionkit;
//! use sessionkit::MemoryStore;
//!
//! sessionkit::store_suite!(|| async { MemoryStore::new() });
//! # fn main() {}
//! ```
//!
//! [`store_suite!`](crate::store_suite) makes one `#[test]` per property. Each builds a store of its own; keys are random,
//! so the stores may share a server, which may hold other entries too. What the tests store is left there: its time ends
//! in an hour, for a few entries in years. A failing test names the invariant that is broken, as in `[P3] ..`:
//!
//! - **P1** what was removed stays gone, and nothing but an insert brings it back
//! - **P2** acknowledged writes are kept: a replacement compares the whole revision, and one of many wins
//! - **P3** a removal compares the generation
//! - **P5** only an insert makes an entry, and only under a key that is free
//! - **P6** a call happens whole or not at all: what is refused changes nothing, and bytes come back as they were
//! - **P9** a scan misses nothing that is there throughout
//!
//! Whether a session has expired, and how changes are merged, is not a store's matter. What a store does when its server
//! fails is for its own tests.

pub mod abandoned;
pub mod entries;
pub mod insert;
pub mod keeping;
pub mod linear;
pub mod many;
pub mod notices;
pub mod remove;
pub mod replace;
pub mod scan;

mod fixture;
mod random;

use std::sync::Arc;

use crate::store::Store;

/// Runs one check on a store of its own; [`store_suite!`](crate::store_suite) calls it for each.
///
/// The check runs on several threads, with the drivers of tokio enabled.
///
/// # Panics
/// Panics when the store does not pass.
pub fn run<S: Store, Making: Future<Output = S>, Checking: Future<Output = ()>>(
    make: impl FnOnce() -> Making,
    check: impl FnOnce(Arc<S>) -> Checking,
) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .enable_all()
        .build()
        .expect("the operating system has threads to give");
    runtime.block_on(async { check(Arc::new(make().await)).await });
}

/// Makes a test of every property that a [`Store`](crate::Store) must have.
///
/// Give it something that makes a store: a closure without arguments, or the name of a function, that returns a future.
/// The tests are functions of the module in which it is called, so give each store a module or a file. See
/// [`testing::suite`](crate::testing::suite).
///
/// ```
/// # extern crate sessionkit_core as sessionkit;
/// mod memory {
///     sessionkit::store_suite!(|| async { sessionkit::MemoryStore::new() });
/// }
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! store_suite {
    ($store:expr $(,)?) => {
        $crate::store_suite! { @tests $store;
            abandoned::an_abandoned_call_happens_whole_or_not_at_all,
            entries::a_replaced_entry_comes_back,
            entries::an_entry_of_any_length_comes_back,
            entries::any_bytes_come_back,
            entries::any_text_may_be_shown,
            entries::keys_are_kept_apart,
            insert::a_key_is_taken_once,
            insert::one_of_many_inserts_wins,
            keeping::a_replacement_begins_the_time_anew,
            keeping::an_entry_is_kept_for_its_time,
            keeping::what_may_be_forgotten_is_there_or_not,
            linear::concurrent_calls_have_an_order,
            many::entries_come_in_the_order_of_their_keys,
            notices::a_watcher_is_told_of_an_announcement,
            remove::a_removal_and_a_rotation_have_an_order,
            remove::a_removal_compares_the_generation,
            remove::a_removal_ends_what_is_replaced_meanwhile,
            remove::nothing_revives_what_is_removed_meanwhile,
            remove::what_is_removed_stays_gone,
            remove::what_is_too_short_is_removed,
            replace::a_replacement_compares_the_whole_revision,
            replace::a_replacement_makes_no_entry,
            replace::every_change_is_kept,
            replace::one_of_many_replacements_wins,
            replace::what_is_too_short_is_replaced_under_the_default,
            scan::a_scan_finds_every_entry,
            scan::a_scan_misses_nothing_while_entries_change,
        }
    };
    (@tests $store:expr; $($module:ident :: $check:ident,)*) => {
        $(
            #[test]
            fn $check() {
                $crate::testing::suite::run($store, $crate::testing::suite::$module::$check);
            }
        )*
    };
}

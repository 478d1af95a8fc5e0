//! The suite that every store must pass.
//!
//! ```
//! use sessionkit_core::MemoryStore;
//!
//! sessionkit_core::store_suite!(|| async { MemoryStore::new() });
//! # fn main() {}
//! ```
//!
//! [`store_suite!`](crate::store_suite) makes one `#[test]` per property. Each builds a store of its own; session ids are
//! random, so the stores may share a server, which may hold other sessions too. A failing test names the invariant that is
//! broken, as in `[P3] ..`:
//!
//! - **P1** a session that was destroyed stays ended, and nothing revives it
//! - **P2** acknowledged writes to different fields survive, and additions add up
//! - **P3** after a rotation, writes under the old generation are refused
//! - **P4** at its deadline a session is expired, the absolute deadline is never passed, and a touch never shortens
//! - **P5** only `create` makes a session
//! - **P6** a commit is all or nothing
//!
//! What a store does when its server fails is for its own tests.

pub mod concurrency;
pub mod counters;
pub mod devices;
pub mod expiry;
pub mod fields;
pub mod header;
pub mod lifecycle;
pub mod linear;
pub mod model;
pub mod values;

mod fixture;
mod generator;
mod seen;

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
/// mod memory {
///     sessionkit_core::store_suite!(|| async { sessionkit_core::MemoryStore::new() });
/// }
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! store_suite {
    ($store:expr $(,)?) => {
        $crate::store_suite! { @tests $store;
            concurrency::additions_add_up,
            concurrency::every_three_way_change_is_kept,
            concurrency::one_of_many_renewals_wins,
            concurrency::one_of_many_rotations_wins,
            concurrency::writes_to_different_fields_survive,
            counters::a_carried_counter_stays_carried,
            counters::an_addition_is_exact_and_saturates,
            counters::what_is_not_an_integer_is_not_added_to,
            expiry::a_field_ends_at_its_deadline,
            expiry::a_touch_never_shortens_and_never_passes_the_absolute_deadline,
            expiry::an_ended_field_goes_with_the_next_commit,
            expiry::an_expired_session_is_gone,
            expiry::fields_of_several_deadlines_end_one_by_one,
            fields::a_conflict_changes_nothing_and_shows_the_record,
            fields::a_replacement_needs_the_expected_bytes,
            fields::a_set_replaces_value_and_flags,
            fields::an_empty_delta_changes_nothing,
            fields::clear_keeps_what_is_carried,
            fields::operations_apply_in_order,
            header::a_login_begins_a_new_lifetime,
            header::a_login_moves_a_beginning_that_is_to_come,
            header::a_renewal_drops_no_secret_that_is_in_use,
            header::a_renewal_is_conditional_and_keeps_the_previous_secret,
            header::a_rotation_refuses_the_old_generation,
            header::acting_as_somebody_changes_no_time_and_no_label,
            header::every_detail_of_a_login_comes_back,
            header::the_end_of_the_previous_secret_only_moves_earlier,
            header::the_receipt_is_the_stored_header,
            header::user_and_label_may_be_any_text,
            lifecycle::a_destroyed_session_stays_ended,
            lifecycle::a_record_comes_back_whole,
            lifecycle::an_id_is_taken_once,
            lifecycle::an_unknown_session_is_not_made,
            lifecycle::nothing_revives_a_session_that_is_destroyed_meanwhile,
            lifecycle::one_of_many_creations_wins,
            linear::concurrent_calls_have_an_order,
            model::random_deltas_do_what_the_reference_does,
            values::any_bytes_are_a_value,
            values::any_text_is_a_key,
            values::flags_come_back,
            values::thousands_of_fields_are_one_commit,
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

/// Makes a test of every property that a [`DeviceIndex`](crate::DeviceIndex) must have, as
/// [`store_suite!`](crate::store_suite) does for its store.
///
/// ```
/// mod memory {
///     sessionkit_core::device_suite!(|| async { sessionkit_core::MemoryStore::new() });
/// }
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! device_suite {
    ($store:expr $(,)?) => {
        $crate::store_suite! { @tests $store;
            devices::a_limit_counts_what_has_not_ended,
            devices::a_limit_is_exact_however_many_come_at_once,
            devices::an_entry_is_gone_at_its_deadline,
            devices::an_entry_without_an_end_can_be_ended,
            devices::an_entry_lives_from_its_registration_until_it_is_forgotten,
            devices::only_what_is_as_it_was_seen_is_pruned,
            devices::the_latest_registration_is_the_newest,
            devices::users_are_kept_apart,
            devices::what_has_ended_stays_so,
        }
    };
}

//! The protocol with one rule broken, and the proof that each is found out.

use super::properties::{P1, P2, P3, P9, P11};
use super::scenario::Scenario;
use super::scenarios;

/// A rule that the model breaks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Variant {
    /// A change is stored whatever is there.
    Upserts,
    /// A rotation stores what was loaded under another id, and removes the old record.
    CopiesOnRotation,
    /// A revocation ends what the list says, not the records.
    EndsListAlone,
    /// A revocation writes no list where there is none.
    IsSilentWithoutList,
    /// A login looks at its own entry alone when it adds itself to the list.
    IgnoresEpoch,
    /// A revocation leaves alone a session that a login has put into the list and has not stored yet.
    TakesAwaitedForOver,
    /// A removal that meets another generation is taken for done.
    TakesChangedForRemoved,
    /// After a lost answer the same change is sent under another revision.
    RepeatsUnderNewRevision,
    /// The new value of a field is computed once, and stored again after a conflict.
    MergesOnce,
    /// Secrets from before the last rotation are taken for the one that it replaced.
    AcceptsOlderSecrets,
    /// A request whose token was replaced a moment ago begins a session.
    BeginsWhereOvertaken,
    /// A session whose insert may have happened is inserted again, and its token given out.
    InsertsAgain,
}

/// Asserts that the scenario violates this property once the rule is broken.
#[track_caller]
fn assert_found(scenario: Scenario, variant: Variant, property: &'static str) {
    scenarios::assert_violated(scenario.breaking(variant), property);
}

#[test]
fn a_store_that_upserts_is_found_out() {
    assert_found(scenarios::two_writers_and_a_rotation(), Variant::Upserts, P2);
    assert_found(scenarios::two_writers_and_a_rotation(), Variant::Upserts, P3);
    assert_found(scenarios::a_logout_and_a_write(), Variant::Upserts, P1);
}

#[test]
fn a_copy_on_rotation_is_found_out() {
    assert_found(scenarios::two_writers_and_a_rotation(), Variant::CopiesOnRotation, P2);
    assert_found(scenarios::a_logout_and_a_rotation(), Variant::CopiesOnRotation, P1);
}

#[test]
fn a_list_that_stands_for_the_records_is_found_out() {
    assert_found(scenarios::a_login_a_logout_and_a_revocation(), Variant::EndsListAlone, P9);
}

#[test]
fn a_revocation_that_leaves_a_login_under_way_alone_is_found_out() {
    assert_found(scenarios::a_visitor_who_logs_in_and_a_revocation(), Variant::TakesAwaitedForOver, P9);
}

#[test]
fn a_revocation_that_leaves_no_trace_is_found_out() {
    assert_found(scenarios::a_first_login_and_a_revocation(), Variant::IsSilentWithoutList, P9);
}

#[test]
fn a_login_that_looks_at_its_own_entry_alone_is_found_out() {
    assert_found(scenarios::two_logins_on_one_cookie_and_a_revocation(), Variant::IgnoresEpoch, P9);
    assert_found(scenarios::a_first_login_and_a_revocation(), Variant::IgnoresEpoch, P9);
}

#[test]
fn a_logout_that_gives_up_at_a_change_is_found_out() {
    assert_found(scenarios::a_logout_and_a_rotation(), Variant::TakesChangedForRemoved, P1);
}

#[test]
fn a_repeat_under_a_new_revision_is_found_out() {
    assert_found(scenarios::two_writers_and_a_rotation(), Variant::RepeatsUnderNewRevision, P2);
}

#[test]
fn a_merge_that_is_reused_is_found_out() {
    assert_found(scenarios::two_writers_and_a_rotation(), Variant::MergesOnce, P2);
}

#[test]
fn a_secret_from_before_the_last_rotation_is_found_out() {
    assert_found(scenarios::two_rotations_and_a_logout(), Variant::AcceptsOlderSecrets, P11);
}

#[test]
fn a_session_begun_under_a_replaced_token_is_found_out() {
    assert_found(scenarios::two_writers_and_a_rotation(), Variant::BeginsWhereOvertaken, P11);
}

#[test]
fn an_insert_that_is_repeated_is_found_out() {
    assert_found(scenarios::a_login_and_its_end(), Variant::InsertsAgain, P1);
    assert_found(scenarios::a_first_login_and_a_revocation().straying(), Variant::InsertsAgain, P9);
}

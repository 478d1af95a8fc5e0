//! The requests that are checked, each with a few others at once.

use std::collections::BTreeSet;
use std::time::Instant;

use stateright::{Checker as _, HasDiscoveries, Model as _};

use super::State;
use super::request::End;
use super::scenario::Cookie::{None as NoCookie, Of, Session};
use super::scenario::Kind::{Login, Logout, Renew, Revoke, RevokeEveryone, Rotate, Write};
use super::scenario::{Kind, Scenario};

const ADA: &str = "ada";
const WRITE: Kind = Write { renews: false };

/// Asserts that every property holds in every state.
#[track_caller]
fn assert_holds(scenario: Scenario) {
    let began = Instant::now();
    let checker = scenario.checker().threads(2).finish_when(HasDiscoveries::AnyFailures).spawn_bfs().join();
    println!("{} states, {} steps, {:?}", checker.unique_state_count(), checker.state_count(), began.elapsed());
    checker.assert_properties();
}

/// Asserts that there is a way to break this property.
#[track_caller]
pub(super) fn assert_violated(scenario: Scenario, property: &'static str) {
    let sought = HasDiscoveries::AllOf(BTreeSet::from([property]));
    let checker = scenario.checker().threads(2).finish_when(sought).spawn_bfs().join();
    let path = checker.assert_any_discovery(property);
    println!("{property}: {:?}, {} states", path.into_actions(), checker.unique_state_count());
}

pub(super) fn two_writers_and_a_rotation() -> Scenario {
    Scenario::new([Some(ADA)], [(WRITE, Session(0)), (WRITE, Session(0)), (Rotate, Session(0))])
        .losing(1)
        .reaching(refuses_a_change)
}

fn a_rotation_and_a_renewal() -> Scenario {
    let writes_too = (Write { renews: true }, Session(0));
    Scenario::new([Some(ADA)], [(Rotate, Session(0)), (Renew, Session(0)), writes_too]).losing(2).giving_up()
}

fn renewals_and_their_use() -> Scenario {
    let requests = [(Renew, Session(0)), (Renew, Session(0)), (WRITE, Of(0)), (WRITE, Session(0))];
    Scenario::new([Some(ADA)], requests).losing(1)
}

pub(super) fn a_logout_and_a_write() -> Scenario {
    Scenario::new([Some(ADA)], [(Logout, Session(0)), (Write { renews: true }, Session(0))]).losing(2).giving_up()
}

pub(super) fn a_logout_and_a_rotation() -> Scenario {
    let requests = [(Logout, Session(0)), (Rotate, Session(0)), (WRITE, Of(1))];
    Scenario::new([Some(ADA)], requests).losing(1)
}

fn an_expiry_and_a_write() -> Scenario {
    let requests = [(WRITE, Session(0)), (Write { renews: true }, Session(0))];
    Scenario::new([Some(ADA)], requests).losing(1).expiring().reaching(refuses_a_change)
}

pub(super) fn a_visitor_who_logs_in_and_a_revocation() -> Scenario {
    let requests = [(Login(ADA), Session(0)), (WRITE, Session(0)), (Revoke(ADA), NoCookie)];
    Scenario::new([None], requests).losing(1).reaching(tells_a_login)
}

fn two_logins_on_one_visit_and_a_revocation() -> Scenario {
    Scenario::new([None], [(Login(ADA), Session(0)), (Login(ADA), Session(0)), (Revoke(ADA), NoCookie)])
}

pub(super) fn two_logins_on_one_cookie_and_a_revocation() -> Scenario {
    Scenario::new([Some(ADA)], [(Login(ADA), Session(0)), (Login(ADA), Session(0)), (Revoke(ADA), NoCookie)])
}

pub(super) fn a_login_a_logout_and_a_revocation() -> Scenario {
    Scenario::new([Some(ADA)], [(Login(ADA), Session(0)), (Logout, Session(0)), (Revoke(ADA), NoCookie)])
        .losing(1)
        .reaching(tells_a_login)
}

fn two_logins_a_logout_and_a_revocation() -> Scenario {
    let requests = [(Login(ADA), Session(0)), (Login(ADA), Session(0)), (Logout, Session(0)), (Revoke(ADA), NoCookie)];
    // Other scenarios have logins that look at their session or at the list later, or both of which are listed later.
    Scenario::new([Some(ADA)], requests).after_calls_of([0, 0, 1, 1, 2, 0]).reaching(tells_a_login)
}

pub(super) fn a_first_login_and_a_revocation() -> Scenario {
    Scenario::new([], [(Login(ADA), NoCookie), (Revoke(ADA), NoCookie)]).losing(2).giving_up().reaching(tells_a_login)
}

pub(super) fn two_rotations_and_a_logout() -> Scenario {
    let requests = [(Rotate, Session(0)), (Rotate, Of(0)), (Logout, Session(0))];
    Scenario::new([Some(ADA)], requests).losing(1)
}

fn a_double_click() -> Scenario {
    let requests = [(Login(ADA), Session(0)), (Login(ADA), Session(0)), (WRITE, Of(0)), (WRITE, Of(1))];
    let one_session = |_: &Scenario, state: &State| {
        let given = |request: usize| state.outcome(request)?.issued.map(|issued| issued.token.id);
        given(0).is_some() && given(0) == given(1)
    };
    Scenario::new([None], requests).losing(1).reaching(one_session)
}

fn three_clicks() -> Scenario {
    Scenario::new([None], [(Login(ADA), Session(0)), (Login(ADA), Session(0)), (Login(ADA), Session(0))])
}

fn a_visitor_who_rotates_and_leaves() -> Scenario {
    Scenario::new([None], [(Rotate, Session(0)), (Logout, Session(0)), (WRITE, Session(0))]).losing(2)
}

fn a_visitor_who_logs_in_and_leaves() -> Scenario {
    Scenario::new([None], [(Login(ADA), Session(0)), (Logout, Session(0)), (Logout, Of(0))]).losing(1)
}

pub(super) fn a_login_and_its_end() -> Scenario {
    let requests = [(Login(ADA), NoCookie), (Logout, Of(0)), (WRITE, NoCookie), (Logout, Of(2))];
    Scenario::new([], requests).losing(1).straying()
}

fn another_user_and_a_logout() -> Scenario {
    Scenario::new([Some(ADA)], [(Login("bob"), Session(0)), (Logout, Session(0)), (Revoke(ADA), NoCookie)])
}

fn everyone_and_a_login() -> Scenario {
    let requests = [(Login(ADA), Session(0)), (Login(ADA), NoCookie), (RevokeEveryone, NoCookie)];
    Scenario::new([Some(ADA)], requests).reaching(tells_a_login)
}

fn everyone_and_a_first_login() -> Scenario {
    Scenario::new([], [(Login(ADA), NoCookie), (RevokeEveryone, NoCookie)])
}

/// Returns `true` if a login was told that the sessions of its user were ended.
fn tells_a_login(_: &Scenario, state: &State) -> bool {
    state.outcomes().any(|(_, outcome)| outcome.end == End::Revoked)
}

/// Returns `true` if a change was refused.
fn refuses_a_change(_: &Scenario, state: &State) -> bool {
    state.outcomes().any(|(_, outcome)| outcome.end == End::Refused)
}

#[test]
fn writers_and_a_rotation_lose_nothing() {
    assert_holds(two_writers_and_a_rotation());
}

#[test]
fn a_visitor_who_logs_in_does_not_outlive_a_revocation() {
    assert_holds(a_visitor_who_logs_in_and_a_revocation());
}

#[test]
fn a_rotation_ends_renewals() {
    assert_holds(a_rotation_and_a_renewal());
}

#[test]
fn parallel_renewals_lock_nobody_out() {
    assert_holds(renewals_and_their_use());
}

#[test]
fn no_write_brings_back_what_a_logout_has_ended() {
    assert_holds(a_logout_and_a_write());
}

#[test]
fn a_logout_ends_what_was_just_rotated() {
    assert_holds(a_logout_and_a_rotation());
}

#[test]
fn no_write_brings_back_what_has_expired() {
    assert_holds(an_expiry_and_a_write());
}

#[test]
fn two_logins_of_a_visitor_do_not_survive_a_revocation() {
    assert_holds(two_logins_on_one_visit_and_a_revocation());
}

#[test]
fn two_logins_on_one_cookie_do_not_survive_a_revocation() {
    assert_holds(two_logins_on_one_cookie_and_a_revocation());
}

#[test]
fn a_login_beside_a_logout_does_not_survive_a_revocation() {
    assert_holds(a_login_a_logout_and_a_revocation());
}

#[test]
fn two_logins_beside_a_logout_do_not_survive_a_revocation() {
    assert_holds(two_logins_a_logout_and_a_revocation());
}

#[test]
fn a_first_login_does_not_survive_a_revocation() {
    assert_holds(a_first_login_and_a_revocation());
}

#[test]
fn a_logout_needs_the_last_secret_but_one() {
    assert_holds(two_rotations_and_a_logout());
}

#[test]
fn a_logout_ends_nobody_elses_session() {
    assert_holds(another_user_and_a_logout());
}

#[test]
fn a_double_click_loses_nothing() {
    assert_holds(a_double_click());
}

#[test]
fn no_click_ends_the_token_of_another() {
    assert_holds(three_clicks());
}

#[test]
fn a_logout_ends_what_a_visitor_has_rotated() {
    assert_holds(a_visitor_who_rotates_and_leaves());
}

#[test]
fn a_logout_of_a_visitor_ends_no_login() {
    assert_holds(a_visitor_who_logs_in_and_leaves());
}

#[test]
fn calls_that_come_in_later_change_nothing() {
    let scenarios = [
        two_writers_and_a_rotation(),
        a_rotation_and_a_renewal(),
        renewals_and_their_use(),
        a_logout_and_a_write(),
        a_logout_and_a_rotation(),
        an_expiry_and_a_write(),
        two_rotations_and_a_logout(),
        a_login_and_its_end(),
        a_first_login_and_a_revocation(),
        a_login_a_logout_and_a_revocation(),
    ];
    scenarios.into_iter().for_each(|scenario| assert_holds(scenario.straying()));
}

#[test]
fn no_login_survives_the_end_of_everyones_sessions() {
    assert_holds(everyone_and_a_login());
}

#[test]
fn no_first_login_survives_the_end_of_everyones_sessions() {
    assert_holds(everyone_and_a_first_login());
}

#[test]
fn any_two_requests_hold() {
    let kinds =
        [WRITE, Write { renews: true }, Renew, Rotate, Login(ADA), Login("bob"), Logout, Revoke(ADA), Revoke("bob")];
    let sends = |kind| (kind, if let Revoke(_) = kind { NoCookie } else { Session(0) });
    for owner in [Some(ADA), None] {
        for (at, one) in kinds.into_iter().enumerate() {
            for other in kinds.into_iter().skip(at) {
                assert_holds(Scenario::new([owner], [sends(one), sends(other)]).losing(1).straying());
            }
        }
    }
}

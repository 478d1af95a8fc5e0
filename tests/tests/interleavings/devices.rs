//! Logins that race a revocation, and each other at the limit of devices: [P9], and limits that are exact.

use sessionkit::OnMaxDevices::{self, EvictOldest, Reject};
use sessionkit::{SessionConfig, SessionConfigBuilder};
use sessionkit_core::Token;

use super::{Outcome, Request, World, explore_within, race};

fn settings() -> SessionConfigBuilder {
    SessionConfig::builder().track_devices(true)
}

/// The most calls that are overtaken when three requests race: their orders are too many to try all.
const OVERTAKEN: usize = 4;

/// Tries all orders of these requests, some of them with the session of the user, and checks what is left each time.
fn orders(
    overtaken: usize,
    settings: impl Fn() -> SessionConfigBuilder,
    requests: &[(bool, Request)],
    check: impl AsyncFn(&World, &[Outcome]),
) -> usize {
    explore_within(overtaken, async |choices: &mut Vec<(usize, usize)>| {
        let world = World::with(settings());
        let stranger = Token::parse("A".repeat(64).as_bytes()).unwrap();
        let token = match requests.iter().any(|(with_session, _)| *with_session) {
            true => world.alone("", Request::Login).await.cookie.unwrap(),
            false => stranger.clone(),
        };
        let with_token =
            |(with_session, request): &(bool, Request)| (if *with_session { &token } else { &stranger }, *request);
        let with_tokens: Vec<_> = requests.iter().map(with_token).collect();
        let outcomes = race(&world, &with_tokens, choices).await;
        for outcome in &outcomes {
            assert!(outcome.authenticated || outcome.cookie.is_none(), "[P8] {outcomes:?}");
        }
        check(&world, &outcomes).await;
        // Whatever is left is on the list, so that the next revocation ends it.
        world.alone("", Request::Revoke).await;
        assert!(world.stage.store.is_empty(), "[P9] {outcomes:?}");
    })
}

/// Whatever was answered before the revocation began is over, and whatever is alive is on the list.
async fn nothing_outlives_the_revocation(world: &World, outcomes: &[Outcome]) {
    let revoked = outcomes.iter().find(|outcome| outcome.request == Request::Revoke).expect("there was a revocation");
    for outcome in outcomes.iter().filter(|outcome| outcome.ended < revoked.began) {
        if let Some(token) = &outcome.cookie {
            assert!(!world.opens(token).await, "[P9] {outcomes:?}");
        }
    }
    for outcome in outcomes.iter().filter(|outcome| !outcome.authenticated) {
        assert!(outcome.cookie.is_none(), "[P9] a login that fails gives nobody a token: {outcomes:?}");
    }
    for (id, record) in world.stage.store.dump() {
        let given = outcomes.iter().filter_map(|outcome| outcome.cookie.as_ref()).any(|token| token.id() == id);
        assert!(given || record.header().user_id.is_none(), "[P9] nobody's session is left: {outcomes:?}");
    }
}

#[test]
fn a_login_and_a_revocation() {
    for with_session in [false, true] {
        let requests = [(with_session, Request::Login), (false, Request::Revoke)];
        let tried = orders(usize::MAX, settings, &requests, nothing_outlives_the_revocation);
        assert!(tried >= 10, "only {tried} orders were tried");
    }
}

#[test]
fn two_logins_and_a_revocation() {
    for with_session in [false, true] {
        let requests = [(with_session, Request::Login), (false, Request::Login), (false, Request::Revoke)];
        let tried = orders(OVERTAKEN, settings, &requests, nothing_outlives_the_revocation);
        assert!(tried >= 100, "only {tried} orders were tried");
    }
}

#[test]
fn a_login_a_logout_and_a_revocation() {
    let requests = [(false, Request::Login), (true, Request::Logout), (false, Request::Revoke)];
    let tried = orders(OVERTAKEN, settings, &requests, nothing_outlives_the_revocation);
    assert!(tried >= 100, "only {tried} orders were tried");
}

#[test]
fn a_rotation_a_login_and_a_revocation() {
    let requests = [(true, Request::Rotate), (false, Request::Login), (false, Request::Revoke)];
    let tried = orders(OVERTAKEN, settings, &requests, nothing_outlives_the_revocation);
    assert!(tried >= 100, "only {tried} orders were tried");
}

#[test]
fn two_logins_at_the_limit_and_a_revocation() {
    for policy in [EvictOldest, Reject] {
        let settings = || settings().max_devices(1).on_max_devices(policy);
        let requests = [(false, Request::Login), (false, Request::Login), (false, Request::Revoke)];
        let tried = orders(OVERTAKEN, settings, &requests, async |world: &World, outcomes: &[Outcome]| {
            assert!(world.stage.store.len() <= 1, "{outcomes:?}");
            nothing_outlives_the_revocation(world, outcomes).await;
        });
        assert!(tried >= 100, "only {tried} orders were tried");
    }
}

fn two_logins_at_the_limit(policy: OnMaxDevices, begun: bool) {
    let settings = || settings().max_devices(1).on_max_devices(policy);
    let requests = [(false, Request::Login), (begun, Request::Login)];
    let tried = orders(usize::MAX, settings, &requests, async |world: &World, outcomes: &[Outcome]| {
        let alive = world.stage.store.len();
        let accepted = outcomes.iter().filter(|outcome| outcome.authenticated).count();
        assert!(alive <= 1, "{outcomes:?}");
        match policy {
            EvictOldest => assert!(alive == 1 && accepted >= 1, "{alive} {outcomes:?}"),
            Reject => assert!(alive == 1 && accepted == 1, "{alive} {outcomes:?}"),
        }
    });
    assert!(tried >= 20, "only {tried} orders were tried");
}

#[test]
fn two_logins_where_the_oldest_makes_room() {
    two_logins_at_the_limit(EvictOldest, false);
}

#[test]
fn two_logins_of_which_one_is_refused() {
    two_logins_at_the_limit(Reject, false);
}

#[test]
fn a_login_again_and_another_at_the_limit() {
    two_logins_at_the_limit(Reject, true);
}

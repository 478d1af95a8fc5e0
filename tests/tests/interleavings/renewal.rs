//! Renewals under every order: the loser changes nothing and sets no cookie, and nobody is logged out.
//!
//! An hour after the login a new token is due. Three requests race for it with the old one; what the next ones present
//! depends on whether the response with the new token arrived.

use std::time::Duration;

use sessionkit::{Clock as _, SessionConfig};
use sessionkit_core::Token;

use super::Request::{self, *};
use super::{Outcome, World, explore, race};

const HOUR: Duration = Duration::from_secs(3600);

/// Longer than requests with the old token are under way, and not yet the next renewal.
const LATER: Duration = Duration::from_secs(100);

async fn begin() -> (World, Token) {
    let world = World::with(SessionConfig::builder().renew_after(HOUR));
    let token = world.alone("", Login).await.cookie.unwrap();
    world.clock.advance(HOUR);
    (world, token)
}

/// Returns `true` if the token would open the session for a request that came now.
async fn opens(world: &World, token: &Token) -> bool {
    let now = world.clock.now();
    let Some(record) = world.stage.record(token).await else { return false };
    let (header, secret) = (record.header(), token.secret_hash("Main"));
    let previous = header.previous.filter(|previous| previous.until.is_none_or(|until| now < until));
    header.secret == secret || previous.is_some_and(|previous| previous.secret == secret)
}

fn cookies(outcomes: &[Outcome]) -> Vec<&Token> {
    outcomes.iter().filter_map(|outcome| outcome.cookie.as_ref()).collect()
}

/// The only token that the race gave away.
fn renewed(outcomes: &[Outcome]) -> Token {
    let cookies = cookies(outcomes);
    assert_eq!(cookies.len(), 1, "the loser of two renewals sets no cookie: {outcomes:?}");
    assert!(outcomes.iter().all(|outcome| outcome.opened && outcome.stored), "nobody notices: {outcomes:?}");
    cookies[0].clone()
}

async fn alone(world: &World, token: &Token, request: Request) -> Outcome {
    world.alone(&format!("__Host-session={}", token.expose()), request).await
}

fn all_orders(story: impl AsyncFn(&mut Vec<(usize, usize)>)) {
    let orders = explore(story);
    assert!(orders > 20, "only {orders} orders were tried");
}

#[test]
fn one_of_parallel_renewals_wins_and_both_tokens_open() {
    all_orders(async |choices: &mut Vec<_>| {
        let (world, old) = begin().await;
        let outcomes = race(&world, &[(&old, Read), (&old, First), (&old, Add)], choices).await;
        let new = renewed(&outcomes);
        assert!(opens(&world, &old).await && opens(&world, &new).await, "{outcomes:?}");
        // The response arrived: the old token ends 30 seconds after the first use of the new one, and not before.
        world.clock.advance(LATER);
        assert!(opens(&world, &old).await);
        assert!(alone(&world, &new, Read).await.opened);
        world.clock.advance(Duration::from_secs(29));
        assert!(opens(&world, &old).await);
        world.clock.advance(Duration::from_secs(1));
        assert!(!opens(&world, &old).await && opens(&world, &new).await);
    });
}

#[test]
fn a_lost_response_logs_nobody_out() {
    all_orders(async |choices: &mut Vec<_>| {
        let (world, old) = begin().await;
        let lost = alone(&world, &old, Read).await.cookie.unwrap();
        world.clock.advance(LATER);
        let outcomes = race(&world, &[(&old, Read), (&old, Second), (&old, Append(1))], choices).await;
        let new = renewed(&outcomes);
        assert!(opens(&world, &old).await && opens(&world, &new).await, "{outcomes:?}");
        assert!(!opens(&world, &lost).await, "what nobody used opens nothing");
    });
}

#[test]
fn the_old_and_the_new_token_are_used_side_by_side() {
    all_orders(async |choices: &mut Vec<_>| {
        let (world, old) = begin().await;
        let new = alone(&world, &old, Read).await.cookie.unwrap();
        let outcomes = race(&world, &[(&old, Read), (&new, Add), (&new, Read)], choices).await;
        assert!(cookies(&outcomes).is_empty() && outcomes.iter().all(|outcome| outcome.opened), "{outcomes:?}");
        assert!(opens(&world, &old).await && opens(&world, &new).await, "{outcomes:?}");
    });
}

#[test]
fn the_first_use_of_the_new_token_races_another_renewal() {
    all_orders(async |choices: &mut Vec<_>| {
        let (world, old) = begin().await;
        let new = alone(&world, &old, Read).await.cookie.unwrap();
        world.clock.advance(LATER);
        // A request with the old token that was under way for longer than anybody should wait.
        let outcomes = race(&world, &[(&old, Add), (&new, Read), (&new, Add)], choices).await;
        assert!(opens(&world, &old).await, "the old token has its time: {outcomes:?}");
        // The browser has what it got last: this token, or the one in the late answer.
        let newest = cookies(&outcomes).into_iter().find(|cookie| **cookie != new).unwrap_or(&new);
        assert!(opens(&world, newest).await, "{outcomes:?}");
    });
}

#[test]
fn a_rotation_ends_the_old_and_the_new_token() {
    for ending in [Rotate, LoginAndAdd, Logout] {
        all_orders(async |choices: &mut Vec<_>| {
            let (world, old) = begin().await;
            let new = alone(&world, &old, Read).await.cookie.unwrap();
            let outcomes = race(&world, &[(&new, ending), (&old, Read), (&new, Read)], choices).await;
            assert!(!opens(&world, &old).await && !opens(&world, &new).await, "[P3] {outcomes:?}");
        });
        all_orders(async |choices: &mut Vec<_>| {
            let (world, old) = begin().await;
            let outcomes = race(&world, &[(&old, ending), (&old, Read), (&old, Add)], choices).await;
            assert!(!opens(&world, &old).await, "[P3] {outcomes:?}");
            let ended = ending == Logout;
            for cookie in cookies(&outcomes) {
                // A renewal that the rotation overtook gave its token to a client that gets the rotation's too.
                let rotated = outcomes[0].cookie.as_ref() == Some(cookie);
                let elsewhere = cookie.id() != old.id();
                assert_eq!(opens(&world, cookie).await, elsewhere || (rotated && !ended), "[P8] {outcomes:?}");
            }
        });
    }
}

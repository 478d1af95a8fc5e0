//! Logins that race a revocation, and each other at the limit of devices: [P9], and limits that are exact.

use std::collections::HashMap;

use sessionkit::OnMaxDevices::{self, EvictOldest, Reject};
use sessionkit::store::{
    DeviceEntry, DeviceIndex, DeviceSelection, Registered, Registration, SessionId, StoreFuture, Timestamp,
};
use sessionkit::{SessionConfig, SessionConfigBuilder};
use sessionkit_core::{Store as _, Token};

use super::{Outcome, Request, Stage, World, explore_within, race};

impl Stage {
    fn index(&self) -> &dyn DeviceIndex {
        self.store.device_index().expect("the memory store has an index")
    }

    fn log(&self, call: &'static str, id: Option<SessionId>) {
        self.log.lock().unwrap().push((call, id));
    }
}

impl DeviceIndex for Stage {
    fn register<'a>(&'a self, user: &'a str, login: Registration) -> StoreFuture<'a, Registered> {
        Box::pin(async move {
            self.turn().await;
            let registered = self.index().register(user, login).await;
            if let Ok(Registered::Entered(_)) = registered {
                self.log("register", Some(login.id));
            }
            registered
        })
    }

    fn confirm<'a>(
        &'a self,
        user: &'a str,
        id: SessionId,
        ended: &'a [SessionId],
        now: Timestamp,
    ) -> StoreFuture<'a, bool> {
        Box::pin(async move {
            self.turn().await;
            self.index().confirm(user, id, ended, now).await
        })
    }

    fn entries<'a>(&'a self, user: &'a str, now: Timestamp) -> StoreFuture<'a, Vec<DeviceEntry>> {
        Box::pin(async move {
            self.turn().await;
            self.index().entries(user, now).await
        })
    }

    fn end<'a>(&'a self, user: &'a str, meant: DeviceSelection, now: Timestamp) -> StoreFuture<'a, Vec<SessionId>> {
        Box::pin(async move {
            self.turn().await;
            self.log("end", None);
            self.index().end(user, meant, now).await
        })
    }

    fn forget<'a>(&'a self, user: &'a str, ids: &'a [SessionId]) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            self.turn().await;
            self.index().forget(user, ids).await
        })
    }

    fn prune<'a>(&'a self, user: &'a str, seen: &'a [DeviceEntry]) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            self.turn().await;
            self.index().prune(user, seen).await
        })
    }

    fn users<'a>(&'a self, prefix: &'a str) -> StoreFuture<'a, Vec<String>> {
        self.index().users(prefix)
    }
}

fn settings() -> SessionConfigBuilder {
    SessionConfig::builder().track_devices(true)
}

/// How often calls are overtaken where three requests race: their orders are too many to try all.
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

/// What was registered when the revocation came is over.
async fn nothing_outlives_the_revocation(world: &World, outcomes: &[Outcome]) {
    let log = world.stage.log.lock().unwrap().clone();
    let ended = log.iter().rposition(|(call, _)| *call == "end").expect("there was a revocation");
    let mut registered = HashMap::new();
    for (at, (call, id)) in log.iter().enumerate() {
        if let ("register", Some(id)) = (*call, id) {
            registered.insert(*id, at);
        }
    }
    for (id, _) in world.stage.store.dump() {
        assert!(registered.get(&id).is_some_and(|at| *at > ended), "[P9] {log:?} {outcomes:?}");
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

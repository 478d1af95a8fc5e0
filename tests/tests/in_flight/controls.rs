//! Controls: the scenes of the other tests without what goes wrong in them.

use sessionkit_tests::harness::{Bench, ServerKind};

use super::*;

#[tokio::test]
async fn a_login_an_elevation_and_a_logout_do_what_they_say() {
    let (store, clock) = (memory(), ManualClock::new());
    let manager = manager(store.clone(), &clock, |config| config.track_devices(true));
    let mut visitor = Browser::default();
    visitor.note(&manager, "cart").await;
    let mut click = visitor.clone();
    assert_eq!(visitor.login(&manager, "ada").await.0, 200);
    assert_eq!(click.login(&manager, "ada").await.0, 200);
    assert_eq!((&*click.about(&manager).await, store.len()), ("ada [pwd] cart", 1), "a double click");
    let mut before = click.clone();
    click.elevate(&manager).await;
    assert_eq!((&*click.about(&manager).await, &*before.about(&manager).await), ("ada [pwd otp] cart", "none"));
    assert_eq!(before.logout(&manager).await, (200, Cookie::Removed));
    assert_eq!((&*click.about(&manager).await, store.len()), ("none", 0), "[P11] a logout with the replaced token");
}

#[tokio::test]
async fn a_logout_at_a_server_that_is_ahead_ends_a_session_that_has_not_expired_there() {
    let (store, clock) = (memory(), ManualClock::new());
    let fast = ahead(&clock, seconds(20));
    let set = |config: SessionConfigBuilder| config.ttl(seconds(600)).absolute_ttl(seconds(DAY));
    let (right, wrong) = (manager(store.clone(), &clock, set), manager(store, &fast, set));
    let mut ada = Browser::default();
    ada.login(&right, "ada").await;
    let mut copy = ada.clone();
    assert_eq!(ada.logout(&wrong).await, (200, Cookie::Removed));
    assert_eq!(copy.about(&right).await, "none");
}

#[tokio::test]
async fn two_servers_whose_clocks_agree_use_up_no_lifetime() {
    let (store, clock) = (memory(), ManualClock::new());
    let set = |config: SessionConfigBuilder| config.ttl(seconds(3600)).absolute_ttl(seconds(3600));
    let (one, other) = (manager(store.clone(), &clock, set), manager(store, &ahead(&clock, seconds(0)), set));
    let mut ada = Browser::default();
    ada.login(&one, "ada").await;
    for _ in 0..70 {
        assert!(ada.about(&other).await.starts_with("ada") && ada.about(&one).await.starts_with("ada"));
    }
}

#[tokio::test]
async fn a_rotation_whose_answer_was_lost_and_that_nobody_overtook_gives_its_token() {
    let (memory, clock, gates) = (memory(), ManualClock::new(), Gates::default());
    let lossy = Faulty::new(HeldStore::new(memory.clone(), &gates));
    let manager = manager(lossy.clone(), &clock, |config| config.rotation_grace(seconds(600)));
    let mut ada = Browser::default();
    ada.login(&manager, "ada").await;
    lossy.loses.store(1, Ordering::SeqCst);
    let before = ada.token.clone();
    assert_eq!(ada.rotate(&manager).await.0, 200);
    assert_ne!(ada.token, before);
    assert!(ada.about(&manager).await.starts_with("ada"));
}

#[tokio::test]
async fn a_former_token_has_its_own_rights_and_is_over_with_the_first_use_of_the_new_one() {
    let (store, clock) = (memory(), ManualClock::new());
    let manager = manager(store, &clock, |config| config.rotation_grace(seconds(600)));
    let mut ada = Browser::default();
    ada.login(&manager, "ada").await;
    let mut old = ada.clone();
    ada.elevate(&manager).await;
    assert_eq!(old.about(&manager).await, "ada [pwd] ");
    assert_eq!(ada.about(&manager).await, "ada [pwd otp] ");
    assert_eq!(old.about(&manager).await, "none");
}

#[tokio::test]
async fn a_stray_session_is_bobs_and_a_revocation_of_ada_leaves_it() {
    let (store, clock) = (Faulty::new(memory()), ManualClock::new());
    let manager = manager(store.clone(), &clock, |config| config.track_devices(true));
    let mut stray = Browser::default();
    stray.login(&manager, "ada").await;
    store.fail_load_of(Some("ada"));
    stray.login(&manager, "bob").await;
    store.fail_load_of(None);
    manager.devices_of("ada").end_all().await.unwrap();
    assert!(stray.about(&manager).await.starts_with("bob"));
    stray.login(&manager, "ada").await;
    manager.devices_of("ada").end_all().await.unwrap();
    assert_eq!(stray.about(&manager).await, "none", "[P9]");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_end_of_everyones_sessions_without_a_restart_leaves_nobody() {
    let bench = Bench::persistent(ServerKind::Redis).await;
    let manager = manager(bench.store.clone(), &bench.clock, |config| config);
    for number in 0..1200 {
        Browser::default().login(&manager, &format!("user{number}")).await;
    }
    bench.with_redis(|redis| redis.restart());
    assert_eq!((manager.end_everyone().await.unwrap(), bench.sessions()), (1200, 0));
}

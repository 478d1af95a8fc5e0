//! The lists of devices.

use sessionkit::OnMaxDevices;

use super::*;

/// A session of `ada` that is now `bob`'s, and still in the list of `ada`: taking it out failed.
async fn strayed(store: &Faulty<impl Store>, manager: &SessionManager) -> Browser {
    let mut stray = Browser::default();
    stray.login(manager, "ada").await;
    store.fail_load_of(Some("ada"));
    assert_eq!(stray.login(manager, "bob").await.0, 200);
    store.fail_load_of(None);
    stray
}

/// Returns the number of entries in the list of a user.
async fn entries(store: &impl Store, user: &str) -> usize {
    let list = store.load(&EntryKey::session_list("Main", user)).await.unwrap().unwrap();
    SessionList::from_bytes(list.bytes()).unwrap().sessions().len()
}

/// [P9], "The limit is exact": a login at the limit found a session that was not the user's any more, and takes it out of
/// the list by its id, though the user has logged in with it again.
#[tokio::test]
async fn p9_a_login_at_the_limit_forgets_no_session_in_which_the_user_logged_in_meanwhile() {
    let (store, clock, gates) = (Faulty::new(memory()), ManualClock::new(), Gates::default());
    let set = |config: SessionConfigBuilder| config.track_devices(true).max_devices(2);
    let plain = manager(store.clone(), &clock, set);
    let held = HeldStore::new(store.clone(), &gates);
    let slow = manager(held.clone(), &clock, set);
    let mut stray = strayed(&store, &plain).await;
    let mut second = Browser::default();
    second.login(&plain, "ada").await;

    held.hold("after load_many");
    let third = tokio::spawn(async move {
        let mut third = Browser::default();
        assert_eq!(third.login(&slow, "ada").await.0, 200);
        third
    });
    gates.arrived("after load_many", 1).await;
    assert_eq!(stray.login(&plain, "ada").await.0, 200);
    gates.open("after load_many", 1);
    let mut third = third.await.unwrap();

    let mut alive = 0;
    for browser in [&mut stray, &mut second, &mut third] {
        alive += usize::from(browser.about(&plain).await.starts_with("ada"));
    }
    plain.devices_of("ada").end_all().await.unwrap();
    let mut survivors = Vec::new();
    for (name, browser) in [("stray", &mut stray), ("second", &mut second), ("third", &mut third)] {
        if browser.about(&plain).await.starts_with("ada") {
            survivors.push(name);
        }
    }
    assert_eq!((survivors, alive), (vec![], 2), "[P9] survivors of `end_all`, and sessions under a limit of two");
}

/// [P9]: "No login outlives a revocation that began before its end."
#[tokio::test]
async fn p9_a_revocation_forgets_no_session_in_which_the_user_logged_in_meanwhile() {
    let (store, clock, gates) = (Faulty::new(memory()), ManualClock::new(), Gates::default());
    let set = |config: SessionConfigBuilder| config.track_devices(true);
    let plain = manager(store.clone(), &clock, set);
    let held = HeldStore::new(store.clone(), &gates);
    let slow = manager(held.clone(), &clock, set);
    let mut stray = strayed(&store, &plain).await;

    held.hold("before replace of a list");
    let revocation = tokio::spawn(async move { slow.devices_of("ada").end_all().await });
    gates.arrived("before replace of a list", 1).await;
    let (status, _) = stray.login(&plain, "ada").await;
    held.release("before replace of a list");
    gates.open("before replace of a list", 1);
    revocation.await.unwrap().unwrap();
    assert_eq!((status, &*stray.about(&plain).await), (200, "none"), "[P9] a login that raced the revocation");
}

/// [P9] where clocks differ by less than half a minute, which makes no difference (deploying.md).
#[tokio::test]
async fn p9_a_list_that_is_shown_at_a_server_that_is_ahead_forgets_no_live_session() {
    let (store, clock) = (memory(), ManualClock::new());
    let fast = ahead(&clock, seconds(20));
    let set = |config: SessionConfigBuilder| config.track_devices(true).ttl(seconds(600));
    let (right, wrong) = (manager(store.clone(), &clock, set), manager(store, &fast, set));
    let mut ada = Browser::default();
    ada.login(&right, "ada").await;
    for clock in [&clock, &fast] {
        clock.advance(seconds(590));
    }
    wrong.devices_of("ada").list().await.unwrap();
    assert!(ada.about(&right).await.starts_with("ada"), "it is prolonged");
    right.devices_of("ada").end_all().await.unwrap();
    assert_eq!(ada.about(&right).await, "none", "[P9] it was in the list, until it was looked at");
}

/// [P9] A login at a server whose clock is far ahead takes all live sessions out of the list.
#[tokio::test]
async fn p9_a_login_at_a_server_that_is_ahead_forgets_no_live_session() {
    let (store, clock) = (memory(), ManualClock::new());
    let fast = ahead(&clock, seconds(31 * DAY));
    let set = |config: SessionConfigBuilder| config.track_devices(true);
    let (right, wrong) = (manager(store.clone(), &clock, set), manager(store, &fast, set));
    let mut ada = Browser::default();
    ada.login(&right, "ada").await;
    Browser::default().login(&wrong, "ada").await;
    right.devices_of("ada").end_all().await.unwrap();
    assert_eq!(ada.about(&right).await, "none", "[P9]");
}

/// [P10] "A store failure never removes the client's cookie".
#[tokio::test]
async fn p10_a_step_up_whose_list_cannot_be_written_keeps_the_cookie() {
    let (store, clock) = (Faulty::new(memory()), ManualClock::new());
    let manager = manager(store.clone(), &clock, |config| config.track_devices(true));
    let mut ada = Browser::default();
    ada.login(&manager, "ada").await;
    ada.note(&manager, "cart").await;
    store.fails_lists.store(true, Ordering::SeqCst);
    assert_eq!(ada.elevate(&manager).await, (503, Cookie::Kept), "[P10]");
}

/// [P10] "A store failure .. never wipes data".
#[tokio::test]
async fn p10_a_step_up_whose_list_cannot_be_written_keeps_the_session() {
    let (store, clock) = (Faulty::new(memory()), ManualClock::new());
    let manager = manager(store.clone(), &clock, |config| config.track_devices(true));
    let mut ada = Browser::default();
    ada.login(&manager, "ada").await;
    ada.note(&manager, "cart").await;
    let id = EntryKey::session(ada.id());
    store.fails_lists.store(true, Ordering::SeqCst);
    ada.elevate(&manager).await;
    assert!(store.inner.load(&id).await.unwrap().is_some(), "[P10] the session was removed though it is in the list");
}

/// [P10] The same of the login of a visitor.
#[tokio::test]
async fn p10_a_login_whose_list_cannot_be_written_wipes_no_cart() {
    let (store, clock) = (Faulty::new(memory()), ManualClock::new());
    let manager = manager(store.clone(), &clock, |config| config.track_devices(true));
    // The list is there.
    Browser::default().login(&manager, "ada").await;
    let mut visitor = Browser::default();
    visitor.note(&manager, "cart").await;
    store.fails_lists.store(true, Ordering::SeqCst);
    assert_eq!(visitor.login(&manager, "ada").await, (503, Cookie::Kept));
    store.fails_lists.store(false, Ordering::SeqCst);
    visitor.login(&manager, "ada").await;
    assert_eq!(visitor.about(&manager).await, "ada [pwd] cart", "[P10] a store failure wiped the cart");
}

/// A limit that two logins reach at once must not cost the one that is refused its cart.
#[tokio::test]
async fn a_login_that_is_refused_at_the_limit_keeps_what_the_visitor_had() {
    let (store, clock, gates) = (memory(), ManualClock::new(), Gates::default());
    let set =
        |config: SessionConfigBuilder| config.track_devices(true).max_devices(1).on_max_devices(OnMaxDevices::Reject);
    let plain = manager(store.clone(), &clock, set);
    let held = HeldStore::new(store.clone(), &gates);
    let slow = manager(held.clone(), &clock, set);
    let mut visitor = Browser::default();
    visitor.note(&plain, "cart").await;
    held.hold("before replace of a list");
    let late = tokio::spawn({
        let mut visitor = visitor.clone();
        async move { visitor.login(&slow, "ada").await }
    });
    gates.arrived("before replace of a list", 1).await;
    Browser::default().login(&plain, "ada").await;
    held.release("before replace of a list");
    gates.open("before replace of a list", 1);
    assert_eq!(late.await.unwrap().0, 409);
    assert_eq!(visitor.about(&plain).await, "visitor [] cart", "who may not log in stays who they were");
}

/// §5: "a logout ends nobody else's session. Ending devices works the same way"; §3: of a version that is not known "only a
/// logout removes it". [P9]: nobody can tell whose it is, so the revocation must not say that it is done.
#[tokio::test]
async fn ending_devices_leaves_alone_what_a_later_release_wrote_for_somebody_else() {
    let (store, clock) = (Faulty::new(memory()), ManualClock::new());
    let manager = manager(store.clone(), &clock, |config| config.track_devices(true));
    let stray = strayed(&store, &manager).await;
    // A later release has written the session of bob since.
    let key = EntryKey::session(stray.id());
    let found = store.inner.load(&key).await.unwrap().unwrap();
    let mut bytes = found.bytes().to_vec();
    bytes[0] = 2;
    store.inner.replace(&key, found.revision().unwrap(), &Entry::new(bytes, seconds(3600))).await.unwrap();
    let mut other = Browser::default();
    other.login(&manager, "ada").await;
    assert_eq!(manager.devices_of("ada").end_all().await.unwrap_err().status(), 503, "[P9]");
    assert!(store.inner.load(&key).await.unwrap().is_some(), "bob's session was ended in the place of ada's");
    assert_eq!(other.about(&manager).await, "none", "[P9] what can be told is ended");
    // A session in the state that its own login made is hers.
    let mut ada = Browser::default();
    ada.login(&manager, "ada").await;
    let key = EntryKey::session(ada.id());
    let found = store.inner.load(&key).await.unwrap().unwrap();
    let mut bytes = found.bytes().to_vec();
    bytes[0] = 2;
    store.inner.replace(&key, found.revision().unwrap(), &Entry::new(bytes, seconds(3600))).await.unwrap();
    assert!(manager.devices_of("ada").end(ada.id()).await.unwrap());
    assert!(store.inner.load(&key).await.unwrap().is_none(), "[P9]");
}

/// §5: "`end(id)` leaves an ended entry for 60 s"; [P3] "valid credentials never fail, except as [P9] says". The mark of a
/// session that was not ended, since it is somebody else's, refuses a login a day later, and the session goes.
#[tokio::test]
async fn p3_a_mark_in_the_list_refuses_no_login_after_its_minute() {
    let (store, clock) = (Faulty::new(memory()), ManualClock::new());
    let manager = manager(store.clone(), &clock, |config| config.track_devices(true).ttl(seconds(3 * DAY)));
    let mut stray = strayed(&store, &manager).await;
    assert!(!manager.devices_of("ada").end(stray.id()).await.unwrap(), "it is bob's");
    clock.advance(seconds(DAY));
    assert_eq!(stray.login(&manager, "ada").await.0, 200, "[P3]");
}

/// [P9] A logout of a request that saw the session as ada's takes it out of her list, though it did not end it, and she has
/// logged in with it again.
#[tokio::test]
async fn p9_a_late_logout_takes_no_session_out_of_the_list_that_it_did_not_end() {
    let (store, clock, gates) = (memory(), ManualClock::new(), Gates::default());
    let set = |config: SessionConfigBuilder| config.track_devices(true);
    let plain = manager(store.clone(), &clock, set);
    let held = HeldStore::new(store.clone(), &gates);
    let slow = manager(held.clone(), &clock, set);
    let mut browser = Browser::default();
    browser.login(&plain, "ada").await;
    let tab = browser.open(&slow);
    tab.user_id().await.unwrap();
    browser.login(&plain, "bob").await;
    held.hold("before load of a list");
    let logout = tokio::spawn(async move { tab.auth().logout().await });
    gates.arrived("before load of a list", 1).await;
    assert_eq!(browser.login(&plain, "ada").await.0, 200);
    gates.open("before load of a list", 1);
    logout.await.unwrap().unwrap();
    assert!(browser.about(&plain).await.starts_with("ada"), "a logout ends nobody else's session");
    plain.devices_of("ada").end_all().await.unwrap();
    assert_eq!(browser.about(&plain).await, "none", "[P9]");
}

/// [P11] "a double click loses nothing", [P10]: the first click meets a store failure behind the second, whose login was
/// acknowledged.
#[tokio::test]
async fn p10_the_failure_of_a_first_click_does_not_end_the_session_of_the_second() {
    let (store, clock, gates) = (memory(), ManualClock::new(), Gates::default());
    let set = |config: SessionConfigBuilder| config.track_devices(true);
    let plain = manager(store.clone(), &clock, set);
    let faulty = Faulty::new(store.clone());
    let held = HeldStore::new(faulty.clone(), &gates);
    let slow = manager(held.clone(), &clock, set);
    Browser::default().login(&plain, "ada").await;
    let mut visitor = Browser::default();
    visitor.note(&plain, "cart").await;
    faulty.fails_lists.store(true, Ordering::SeqCst);
    held.hold("before replace of a list");
    let first = tokio::spawn({
        let mut visitor = visitor.clone();
        async move { visitor.login(&slow, "ada").await.0 }
    });
    gates.arrived("before replace of a list", 1).await;
    assert_eq!(visitor.login(&plain, "ada").await.0, 200);
    assert_eq!(visitor.about(&plain).await, "ada [pwd] cart");
    held.release("before replace of a list");
    gates.open("before replace of a list", 1);
    assert_eq!(first.await.unwrap(), 503);
    assert_eq!(visitor.about(&plain).await, "ada [pwd] cart", "the second login was acknowledged");
}

/// [P9], [P10] A revocation meets a login that is in the list and has not stored its session yet: the login is refused, and
/// the visitor keeps the cart. So does the user before.
#[tokio::test]
async fn p9_a_revocation_of_a_login_that_is_not_stored_yet_leaves_what_was_there() {
    for before in [None, Some("bob")] {
        let (store, clock, gates) = (memory(), ManualClock::new(), Gates::default());
        let set = |config: SessionConfigBuilder| config.track_devices(true);
        let plain = manager(store.clone(), &clock, set);
        let held = HeldStore::new(store.clone(), &gates);
        let slow = manager(held.clone(), &clock, set);
        let mut visitor = Browser::default();
        visitor.note(&plain, "cart").await;
        if let Some(user) = before {
            visitor.login(&plain, user).await;
        }
        let was = visitor.about(&plain).await;
        held.hold("before replace");
        let late = tokio::spawn({
            let mut visitor = visitor.clone();
            async move { visitor.login(&slow, "ada").await }
        });
        gates.arrived("before replace", 1).await;
        plain.devices_of("ada").end_all().await.unwrap();
        held.release("before replace");
        gates.open("before replace", 1);
        assert_eq!(late.await.unwrap(), (409, Cookie::Kept), "[P9] {before:?}");
        assert_eq!((visitor.about(&plain).await, entries(&*store, "ada").await), (was, 0), "[P10] {before:?}");
        visitor.note(&plain, "more").await;
        assert!(visitor.about(&plain).await.ends_with("more"), "it goes on");
    }
}

/// A login whose session could not be stored stays in the list, and takes nobody's place once it cannot be under way.
#[tokio::test]
async fn the_place_of_a_login_that_failed_is_free_after_a_minute() {
    for policy in [OnMaxDevices::Reject, OnMaxDevices::EvictOldest] {
        let (store, clock) = (Faulty::new(memory()), ManualClock::new());
        let set = |config: SessionConfigBuilder| config.track_devices(true).max_devices(2).on_max_devices(policy);
        let manager = manager(store.clone(), &clock, set);
        let mut first = Browser::default();
        first.login(&manager, "ada").await;
        let mut visitor = Browser::default();
        visitor.note(&manager, "cart").await;
        store.fails_sessions.store(true, Ordering::SeqCst);
        assert_eq!(visitor.login(&manager, "ada").await, (503, Cookie::Kept));
        store.fails_sessions.store(false, Ordering::SeqCst);
        assert_eq!(visitor.about(&manager).await, "visitor [] cart", "[P10]");
        clock.advance(seconds(60));
        assert_eq!(Browser::default().login(&manager, "ada").await.0, 200, "{policy:?}");
        assert!(first.about(&manager).await.starts_with("ada"), "{policy:?}: it made no room");
        assert_eq!(visitor.about(&manager).await, "visitor [] cart", "[P10] {policy:?}");
    }
}

/// [P3] "valid credentials never fail", [P11] "a double click loses nothing": at a limit of one device the second of two
/// clicks that overlap is refused because of the first, which it could go on with.
#[tokio::test]
async fn p3_a_double_click_whose_requests_overlap_is_not_refused_at_the_limit() {
    let set =
        |config: SessionConfigBuilder| config.track_devices(true).max_devices(1).on_max_devices(OnMaxDevices::Reject);
    let clicks = overlapping_clicks("ada", set).await;
    assert_eq!(clicks.second.1, 200, "it is the same browser, and the same session");
}

/// [P11] With one device at most, the second of two clicks that overlap ends the session that the first was given.
#[tokio::test]
async fn p11_a_double_click_whose_requests_overlap_evicts_not_itself() {
    let set = |config: SessionConfigBuilder| config.track_devices(true).max_devices(1);
    let Clicks { plain, first: mut visitor, second, .. } = overlapping_clicks("ada", set).await;
    assert_eq!(second.1, 200);
    assert_eq!(visitor.about(&plain).await, "ada [pwd] cart", "the answer of the first click comes last");
}

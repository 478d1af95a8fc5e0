//! Clocks that differ.

use sessionkit::{Rolling, SessionData, SessionManager};

use super::*;

#[derive(Debug, SessionData)]
struct Codes {
    #[session(ttl = "1m")]
    short: Option<String>,
    #[session(ttl = "2h")]
    long: Option<String>,
}

async fn send(browser: &mut Browser, manager: &SessionManager) {
    let session = browser.open(manager);
    {
        let mut codes = session.checkout::<Codes>().await.unwrap();
        codes.short = Some("1234".into());
        codes.long = Some("5678".into());
    }
    browser.close(manager, &session, 200).await;
}

async fn codes(browser: &mut Browser, manager: &SessionManager) -> Codes {
    let session = browser.open(manager);
    let codes = session.view::<Codes>().await.unwrap();
    browser.close(manager, &session, 200).await;
    codes
}

/// [P4] "Only an authentication begins a new lifetime; nothing else moves the absolute deadline."
/// Two servers differ by a minute; a user clicks, and is served by them in turns. No time passes on either.
#[tokio::test]
async fn p4_two_servers_whose_clocks_differ_by_a_minute_do_not_use_up_the_absolute_lifetime() {
    let (store, clock) = (memory(), ManualClock::new());
    let fast = ahead(&clock, seconds(60));
    let set = |config: SessionConfigBuilder| config.ttl(seconds(3600)).absolute_ttl(seconds(3600));
    let (right, wrong) = (manager(store.clone(), &clock, set), manager(store, &fast, set));
    let mut ada = Browser::default();
    ada.login(&right, "ada").await;
    for click in 0..70 {
        for (name, server) in [("fast", &wrong), ("right", &right)] {
            assert!(
                ada.about(server).await.starts_with("ada"),
                "logged out after {click} clicks at the {name} server, in no time"
            );
        }
    }
}

/// The same for the time of a field that the right clock granted.
#[tokio::test]
async fn a_field_that_a_right_clock_granted_lasts_as_long_as_it_says() {
    let (store, clock) = (memory(), ManualClock::new());
    let fast = ahead(&clock, seconds(3600));
    let set = |config: SessionConfigBuilder| config.ttl(seconds(20 * DAY)).absolute_ttl(seconds(30 * DAY));
    let (right, wrong) = (manager(store.clone(), &clock, set), manager(store, &fast, set));
    let mut ada = Browser::default();
    ada.login(&right, "ada").await;
    send(&mut ada, &right).await;
    ada.about(&wrong).await;
    ada.about(&right).await;
    clock.advance(seconds(3700));
    assert_eq!(codes(&mut ada, &right).await.long.as_deref(), Some("5678"), "it was granted two hours");
}

/// [P1] after a logout no load authenticates the token; clocks may differ by half a minute without harm (deploying.md).
#[tokio::test]
async fn p1_a_logout_at_a_server_that_is_ahead_by_seconds_ends_the_session_for_all() {
    let (store, clock) = (memory(), ManualClock::new());
    let fast = ahead(&clock, seconds(20));
    let set = |config: SessionConfigBuilder| config.ttl(seconds(600)).absolute_ttl(seconds(DAY));
    let (right, wrong) = (manager(store.clone(), &clock, set), manager(store, &fast, set));
    let mut ada = Browser::default();
    ada.login(&right, "ada").await;
    let mut copy = ada.clone();
    for clock in [&clock, &fast] {
        clock.advance(seconds(590));
    }
    assert_eq!(ada.logout(&wrong).await, (200, Cookie::Removed));
    assert_eq!(copy.about(&right).await, "none", "[P1] the logout was acknowledged");
}

/// "Deadlines are taken back to what they would be" (deploying.md), those of fields included: also where the first request
/// at a right clock is the login.
#[tokio::test]
async fn a_login_takes_back_the_deadline_of_a_field_that_a_clock_granted_that_was_ahead() {
    for lead in [3600, 365 * DAY] {
        let (store, clock) = (memory(), ManualClock::new());
        let fast = ahead(&clock, seconds(lead));
        let (right, wrong) = (manager(store.clone(), &clock, |config| config), manager(store, &fast, |config| config));
        let mut visitor = Browser::default();
        send(&mut visitor, &wrong).await;
        visitor.login(&right, "ada").await;
        assert_eq!(codes(&mut visitor, &right).await.short.as_deref(), Some("1234"));
        clock.advance(seconds(61));
        assert_eq!(codes(&mut visitor, &right).await.short, None, "it was granted a minute, the clock led by {lead} s");
    }
}

/// [P11] "for `renew_grace` after a rotation" the old token begins no session: not for as long as the clock was ahead.
#[tokio::test]
async fn p11_a_rotation_by_a_clock_that_is_ahead_shuts_nobody_out_for_longer_than_the_grace() {
    let (store, clock) = (memory(), ManualClock::new());
    let fast = ahead(&clock, seconds(6 * 3600));
    let (right, wrong) = (manager(store.clone(), &clock, |config| config), manager(store, &fast, |config| config));
    let mut visitor = Browser::default();
    visitor.note(&right, "cart").await;
    // The answer to the login is lost.
    visitor.clone().login(&wrong, "ada").await;
    clock.advance(seconds(3600));
    fast.advance(seconds(3600));
    let (status, cookie) = visitor.note(&right, "another").await;
    assert!(matches!(cookie, Cookie::Set(_)), "{status} {cookie:?}: an hour later what a visitor writes is lost");
    assert_eq!(visitor.about(&right).await, "visitor [] another");
}

/// [P3] The token before a rotation opens the session for `rotation_grace` and no longer.
#[tokio::test]
async fn p3_a_former_token_does_not_outlive_its_grace_because_a_clock_is_ahead() {
    let (store, clock) = (memory(), ManualClock::new());
    let fast = ahead(&clock, seconds(3600));
    let set =
        |config: SessionConfigBuilder| config.rotation_grace(seconds(60)).rolling(Rolling::Off).ttl(seconds(10 * DAY));
    let (right, wrong) = (manager(store.clone(), &clock, set), manager(store, &fast, set));
    let mut ada = Browser::default();
    ada.login(&right, "ada").await;
    let mut old = ada.clone();
    ada.rotate(&wrong).await;
    // A right clock sees it at once.
    assert!(old.about(&right).await.starts_with("ada"));
    clock.advance(seconds(61));
    assert_eq!(old.about(&right).await, "none", "rotation_grace is a minute");
}

/// §3: the old token stays valid until `renew_grace` after the new one is first used.
#[tokio::test]
async fn a_renewed_token_does_not_outlive_its_grace_because_a_clock_is_ahead() {
    let (store, clock) = (memory(), ManualClock::new());
    let fast = ahead(&clock, seconds(3000));
    let set =
        |config: SessionConfigBuilder| config.renew_after(seconds(3600)).rolling(Rolling::Off).ttl(seconds(10 * DAY));
    let (right, wrong) = (manager(store.clone(), &clock, set), manager(store, &fast, set));
    let mut ada = Browser::default();
    ada.login(&right, "ada").await;
    clock.advance(seconds(3600));
    fast.advance(seconds(3600));
    let mut old = ada.clone();
    ada.about(&right).await;
    assert_ne!(ada.token, old.token, "it was renewed");
    // The first use of the new token is at the fast server; a right clock sees it at once.
    ada.about(&wrong).await;
    assert!(ada.about(&right).await.starts_with("ada"));
    clock.advance(seconds(31));
    assert_eq!(old.about(&right).await, "none", "renew_grace is thirty seconds");
}

/// A server that is behind by a minute must not take away that the user has just proved who they are.
#[tokio::test]
async fn a_server_that_is_behind_does_not_make_a_right_login_unfresh_for_good() {
    let (store, clock) = (memory(), ManualClock::new());
    let right_clock = ahead(&clock, seconds(60));
    let (right, behind) =
        (manager(store.clone(), &right_clock, |config| config), manager(store, &clock, |config| config));
    let mut ada = Browser::default();
    ada.login(&right, "ada").await;
    ada.about(&behind).await;
    let session = ada.open(&right);
    assert!(session.info().await.unwrap().unwrap().authenticated_at.is_some(), "the login was a moment ago");
}

/// [P4] A server that is behind reads a session that is right, and so ends it for all the others.
#[tokio::test]
async fn p4_a_read_at_a_server_that_is_behind_ends_no_session_of_a_right_clock() {
    let (store, slow) = (memory(), ManualClock::new());
    let clock = ahead(&slow, seconds(2 * DAY));
    let (right, behind) = (manager(store.clone(), &clock, |config| config), manager(store, &slow, |config| config));
    let mut ada = Browser::default();
    ada.login(&right, "ada").await;
    assert!(ada.about(&behind).await.starts_with("ada"));
    assert!(ada.about(&right).await.starts_with("ada"), "[P4] it was granted a day, a moment ago");
}

/// A cookie that ends with the browser stays so when a new release has another `ttl`: its login asked for no lifetime.
#[tokio::test]
async fn a_new_release_with_another_ttl_makes_no_cookie_outlive_the_browser() {
    use sessionkit::CookieMaxAge;
    let (store, clock) = (memory(), ManualClock::new());
    let old = manager(store.clone(), &clock, |config| config.cookie_max_age(CookieMaxAge::Session).ttl(seconds(DAY)));
    let new = manager(store, &clock, |config| config.cookie_max_age(CookieMaxAge::Session).ttl(seconds(2 * DAY)));
    let mut ada = Browser::default();
    ada.login(&old, "ada").await;
    clock.advance(seconds(3600));
    let session = ada.open(&new);
    session.user_id().await.unwrap();
    let changes = new.close(&session, 200).await;
    let cookies: Vec<_> = changes
        .headers
        .into_iter()
        .filter_map(|change| if let HeaderChange::Append("set-cookie", cookie) = change { Some(cookie) } else { None })
        .collect();
    assert!(cookies.iter().all(|cookie| !cookie.contains("Max-Age")), "it outlives the browser now");
}

/// "Kept until its deadline, and five minutes more, so that clocks which differ lose nothing": a write at a server that is
/// ahead by up to five minutes lets Redis forget no session; at one that is ahead by more, it does so by the rest.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p4_a_write_at_a_server_that_is_ahead_by_minutes_makes_redis_forget_no_live_session() {
    use sessionkit_tests::harness::Bench;
    for (lead, kept) in [(240, 7200), (3600, 7200 - (3600 - 300) - 60)] {
        let bench = Bench::redis();
        let fast = ahead(&bench.clock, seconds(lead));
        let set = |config: SessionConfigBuilder| config.rolling(Rolling::Off).ttl(seconds(7200));
        let (right, wrong) =
            (manager(bench.store.clone(), &bench.clock, set), manager(bench.store.clone(), &fast, set));
        let mut ada = Browser::default();
        ada.login(&right, "ada").await;
        ada.note(&wrong, "written").await;
        let key = format!("session:{}", ada.id());
        let left: u64 = bench.with_redis(|redis| redis.cli(&["--raw", "TTL", &key])).trim().parse().unwrap();
        assert!(left >= kept, "a lead of {lead} s: the session lasts 7200 s more, and is forgotten after {left} s");
    }
}

/// ARCHITECTURE.md: "A preset is a limit, not a default": a release that adds one grants no more to the sessions that it
/// finds.
#[tokio::test]
async fn a_release_that_adds_a_preset_prolongs_no_session_past_its_idle_time() {
    let (store, clock) = (memory(), ManualClock::new());
    let (old, new) = (manager(store.clone(), &clock, |config| config), manager(store, &clock, |config| config.aal2()));
    let mut ada = Browser::default();
    ada.login(&old, "ada").await;
    clock.advance(seconds(120));
    assert!(ada.about(&new).await.starts_with("ada"));
    clock.advance(seconds(3601));
    assert_eq!(ada.about(&new).await, "none", "aal2 allows an hour of idle time");
}

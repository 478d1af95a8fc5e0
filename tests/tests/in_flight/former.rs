//! Tokens before rotations and renewals.

use super::*;

fn lenient(config: SessionConfigBuilder) -> SessionConfigBuilder {
    config.rotation_grace(seconds(600))
}

/// [P3], guide: the old token opens the session "with the rights that it had, until the new one is used". A request that
/// came with it before that rotates after it, and gets the rights of the new one.
#[tokio::test]
async fn p3_a_rotation_with_a_former_token_that_has_ended_meanwhile_gives_no_better_rights() {
    let (store, clock) = (memory(), ManualClock::new());
    let manager = manager(store, &clock, lenient);
    let mut ada = Browser::default();
    ada.login(&manager, "ada").await;
    let mut thief = ada.clone();
    clock.advance(seconds(360));
    ada.elevate(&manager).await;
    let under_way = thief.open(&manager);
    under_way.info().await.unwrap();
    assert_eq!(ada.about(&manager).await, "ada [pwd otp] ", "the new token is used, so the old one is dead");
    let _ = under_way.auth().rotate().await;
    thief.close(&manager, &under_way, 200).await;
    assert_ne!(
        thief.about(&manager).await,
        "ada [pwd otp] ",
        "[P3] the thief has a token with the rights of the new one"
    );
    assert_eq!(ada.about(&manager).await, "ada [pwd otp] ", "[P3] and whoever owns the session is out");
}

/// The same of an impersonation, which keeps the actor's proof of identity.
#[tokio::test]
async fn p3_an_impersonation_with_a_former_token_that_has_ended_meanwhile_is_refused() {
    let (store, clock) = (memory(), ManualClock::new());
    let manager = manager(store, &clock, lenient);
    let mut ada = Browser::default();
    ada.login(&manager, "ada").await;
    let thief = ada.clone();
    clock.advance(seconds(360));
    ada.elevate(&manager).await;
    let under_way = thief.open(&manager);
    under_way.info().await.unwrap();
    ada.about(&manager).await;
    assert_eq!(under_way.auth().impersonate("bob").await.unwrap_err().status(), 409);
    assert_eq!(ada.about(&manager).await, "ada [pwd otp] ");
}

/// A handle works with the rights of the token that its request came with.
#[tokio::test]
async fn a_handle_of_a_former_token_has_the_rights_that_it_had() {
    let (store, clock) = (memory(), ManualClock::new());
    let manager = manager(store, &clock, lenient);
    let mut ada = Browser::default();
    ada.login(&manager, "ada").await;
    let mut old = ada.clone();
    clock.advance(seconds(360));
    ada.elevate(&manager).await;
    let session = old.open(&manager);
    let before = session.info().await.unwrap().unwrap();
    let handle = session.handle().await.unwrap();
    old.close(&manager, &session, 200).await;
    let after = handle.info().await.unwrap().unwrap();
    assert_eq!(
        (after.methods(), after.authenticated_at),
        (before.methods(), before.authenticated_at),
        "neither fresher nor more elevated"
    );
    let mut handle = handle;
    assert!(handle.reload().await.unwrap());
    ada.about(&manager).await;
    assert!(!handle.reload().await.unwrap(), "the new token is used, so the old one is dead");
}

/// [P11] "The record also remembers the hash that its last rotation replaced .. a double click loses nothing". The client
/// has the token before a renewal, whose answer was lost; the record remembers the one that nobody has.
#[tokio::test]
async fn p11_a_double_click_with_the_token_before_a_renewal_loses_nothing() {
    let (store, clock) = (memory(), ManualClock::new());
    let manager = manager(store.clone(), &clock, |config| config.renew_after(seconds(3600)));
    let mut visitor = Browser::default();
    visitor.note(&manager, "cart").await;
    clock.advance(seconds(3600));
    let mut lost = visitor.clone();
    lost.about(&manager).await;
    assert_ne!(lost.token, visitor.token, "it was renewed, and the answer is lost");
    let mut clicks = [visitor.clone(), visitor.clone()];
    for click in &mut clicks {
        assert_eq!(click.login(&manager, "ada").await.0, 200);
    }
    // The browser keeps the cookie of the last answer.
    assert_eq!(clicks[1].about(&manager).await, "ada [pwd] cart", "[P11]");
    assert_eq!(store.len(), 1);
}

/// [P11] "a *logout* with it ends the session if the owner was the same".
#[tokio::test]
async fn p11_a_logout_under_way_at_a_rotation_with_the_token_before_a_renewal_ends_the_session() {
    let (store, clock) = (memory(), ManualClock::new());
    let manager = manager(store.clone(), &clock, |config| config.renew_after(seconds(3600)));
    let mut ada = Browser::default();
    ada.login(&manager, "ada").await;
    clock.advance(seconds(3600));
    ada.clone().about(&manager).await;
    let mut tab = ada.clone();
    ada.rotate(&manager).await;
    assert_eq!(tab.logout(&manager).await, (200, Cookie::Removed));
    assert_eq!((&*ada.about(&manager).await, store.len()), ("none", 0), "[P11] the logout was acknowledged");
}

/// The same with a former token: the impersonation replaces it, and the record remembers the one that nobody has.
#[tokio::test]
async fn p11_a_logout_under_way_at_an_impersonation_with_a_former_token_ends_the_session() {
    let (store, clock) = (memory(), ManualClock::new());
    let manager = manager(store.clone(), &clock, lenient);
    let mut ada = Browser::default();
    ada.login(&manager, "ada").await;
    ada.clone().elevate(&manager).await;
    let mut tab = ada.clone();
    let session = ada.open(&manager);
    session.auth().impersonate("bob").await.unwrap();
    ada.close(&manager, &session, 200).await;
    assert_eq!(tab.logout(&manager).await, (200, Cookie::Removed));
    assert_eq!((&*ada.about(&manager).await, store.len()), ("none", 0), "[P11] the owner is the same");
}

/// [P8] "never one for a token that is not current"; §5 "Rotation, login, renewal: done if the record's current hash is
/// mine, and then the cookie is given". The answer to a rotation is lost; before it is looked into, another tab logs
/// somebody else in with the former token.
#[tokio::test]
async fn p8_a_rotation_whose_answer_was_lost_and_that_was_overtaken_gives_no_dead_token() {
    let (memory, clock, gates) = (memory(), ManualClock::new(), Gates::default());
    let held = HeldStore::new(memory.clone(), &gates);
    let lossy = Faulty::new(held.clone());
    let (slow, plain) = (manager(lossy.clone(), &clock, lenient), manager(memory.clone(), &clock, lenient));
    let mut ada = Browser::default();
    ada.login(&plain, "ada").await;
    ada.note(&plain, "of ada").await;
    let mut tab = ada.clone();
    lossy.loses.store(1, Ordering::SeqCst);
    held.hold("after replace");
    let rotation = tokio::spawn(async move {
        let session = ada.open(&slow);
        let status = session.auth().rotate().await.map_or_else(|error| error.status(), |()| 200);
        let user = session.user_id().await.unwrap();
        (ada.close(&slow, &session, status).await, user, ada)
    });
    gates.arrived("after replace", 1).await;
    assert_eq!(tab.login(&plain, "bob").await.0, 200);
    held.release("after replace");
    gates.open("after replace", 1);
    let ((status, cookie), user, mut ada) = rotation.await.unwrap();
    assert_eq!(user.as_deref(), Some("ada"), "a request of ada's goes on with the session of bob");
    if let Cookie::Set(_) = cookie {
        assert_ne!(ada.about(&plain).await, "none", "[P8] {status}: the cookie opens nothing, and overwrites bob's");
    }
}

/// `credential_stamp` of a re-authentication: "the user's other sessions, which have the stamp of the old one, are over".
/// Whoever has a copy of the old token goes on under the new stamp, with a right that it never had.
#[tokio::test]
async fn a_former_token_is_over_when_the_credentials_changed() {
    use sessionkit::{CredentialStamp, SessionUser, UserLoader};
    #[derive(Clone)]
    struct Account;
    impl SessionUser for Account {
        fn credential_stamp(&self) -> Option<CredentialStamp> {
            Some(CredentialStamp::of("new"))
        }
    }
    struct Accounts;
    impl UserLoader for Accounts {
        type User = Account;
        type Error = &'static str;
        async fn load(&self, _: &str) -> Result<Option<Account>, &'static str> {
            Ok(Some(Account))
        }
    }
    let (store, clock) = (memory(), ManualClock::new());
    let manager = builder(store, &clock, lenient).user_loader(Accounts).build();
    let mut ada = Browser::default();
    let session = ada.open(&manager);
    session.auth().login("ada").credential_stamp(CredentialStamp::of("old")).await.unwrap();
    ada.close(&manager, &session, 200).await;
    let thief = ada.clone();
    let session = ada.open(&manager);
    session.auth().reauthenticate().credential_stamp(CredentialStamp::of("new")).await.unwrap();
    ada.close(&manager, &session, 200).await;
    let session = thief.open(&manager);
    assert!(session.user::<Account>().await.unwrap().is_none(), "it was begun with the old credentials");
}

/// A double click on a login whose second request says more than the first: what was proved counts.
#[tokio::test]
async fn a_login_that_goes_on_with_a_session_says_what_it_was_told() {
    let (store, clock) = (memory(), ManualClock::new());
    let manager = manager(store, &clock, |config| config);
    let mut visitor = Browser::default();
    visitor.note(&manager, "cart").await;
    let mut tab = visitor.clone();
    visitor.login(&manager, "ada").await;
    let session = tab.open(&manager);
    session.auth().login("ada").methods(["pwd", "otp"]).lifetime(seconds(60)).await.unwrap();
    tab.close(&manager, &session, 200).await;
    assert_eq!(tab.about(&manager).await, "ada [pwd otp] cart");
}

/// §3 "so neither parallel requests nor a lost response log anyone out": one tab gets the renewed token, another one, sent
/// with the token before, steps up, and its answer is lost.
#[tokio::test]
async fn a_lost_answer_to_a_step_up_beside_a_renewal_logs_nobody_out_under_a_grace() {
    let (store, clock) = (memory(), ManualClock::new());
    let manager = manager(store, &clock, |config| lenient(config).renew_after(seconds(3600)));
    let mut ada = Browser::default();
    ada.login(&manager, "ada").await;
    clock.advance(seconds(3600));
    let before = ada.clone();
    ada.about(&manager).await;
    assert_ne!(ada.token, before.token, "it was renewed");
    assert_eq!(before.clone().elevate(&manager).await.0, 200);
    assert_eq!(ada.about(&manager).await, "ada [pwd] ", "the browser never got another token than this one");
}

/// `rotation_grace`: a lost answer logs nobody out. Two tabs step up at once; the browser has got the token of the first
/// answer, the second is lost.
#[tokio::test]
async fn a_lost_answer_to_the_second_of_two_step_ups_logs_nobody_out_under_a_grace() {
    let (store, clock) = (memory(), ManualClock::new());
    let manager = manager(store, &clock, lenient);
    let mut ada = Browser::default();
    ada.login(&manager, "ada").await;
    let tab = ada.clone();
    assert_eq!(ada.elevate(&manager).await.0, 200);
    assert_eq!(tab.clone().elevate(&manager).await.0, 200);
    assert_ne!(ada.about(&manager).await, "none", "the token that the lost answer replaced opens nothing");
}

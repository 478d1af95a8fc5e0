//! Tests of ends: a logout ends the session of the other system too, and none is taken over a second time.

use std::time::Duration;

use serde_json::json;
use sessionkit::SessionManager;
use sessionkit_tests::behaviour;
use sessionkit_tests::harness::{Bench, Log, Server};

use crate::old::{A_DAY, Cart, OLD, OldApp, SIGNED, ada, manager, sign};

behaviour! {
    tests: [
        a_logout_ends_both,
        a_logout_of_who_was_not_taken_over_ends_the_old_session,
        a_session_that_has_expired_is_not_taken_over_again,
        an_end_from_outside_holds_for_the_old_session,
        all_sessions_of_a_user_end_with_those_that_were_not_taken_over,
        everyones_sessions_end_with_those_that_were_not_taken_over,
        a_logout_while_the_other_store_is_down_ends_ours,
        a_session_that_the_old_application_began_after_an_end_is_taken_over,
    ];

    type Answered = Result<Reply, SessionRejection>;

    async fn view(cart: Session<Cart>, auth: Auth) -> Answered {
        let user = auth.user_id().await?;
        Ok(Reply::ok(format!("{} {:?}", user.as_deref().unwrap_or("nobody"), cart.items)))
    }

    async fn logout(auth: Auth) -> Answered {
        auth.logout().await?;
        Ok(Reply::ok("logged out"))
    }

    async fn login(auth: Auth) -> Answered {
        auth.login("ada").await?;
        Ok(Reply::ok("logged in"))
    }

    async fn end_all(auth: Auth) -> Answered {
        auth.devices().end_all().await?;
        Ok(Reply::ok("ended"))
    }

    async fn start(bench: &Bench, manager: SessionManager) -> Server {
        let routes = routes!["/view" => view, "/logout" => logout, "/login" => login, "/end-all" => end_all];
        serve_with(bench, manager, routes).await
    }

    async fn a_logout_ends_both(bench: Bench) {
        let (log, old) = (Log::collect(), OldApp::default());
        let server = start(&bench, manager(&bench, &old)).await;
        let browser = server.visitor();
        old.begin(&browser, "s-1", ada());
        sign(&bench, &browser, json!({"user_id": "ada", "at": "another place"}));
        let thief = browser.fork();
        assert_eq!(browser.get("/view").await.body, "ada [1, 2]");
        let late = browser.fork();
        assert_eq!(browser.get("/logout").await.body, "logged out");
        assert_eq!(browser.cookie_names(), [""; 0], "all cookies are gone");
        assert_eq!(old.count(), 0, "the old application knows it");
        assert!(log.text().contains("foreign_ended"), "{}", log.text());
        for copy in [&thief, &late] {
            assert_eq!(copy.get("/view").await.body, "nobody []");
            assert!(copy.cookie(SIGNED).is_some());
        }
        // Not even if it comes back there.
        old.begin(&thief, "s-1", ada());
        assert_eq!(thief.get("/view").await.body, "nobody []");
        assert_eq!(bench.sessions(), 0);
    }

    async fn a_logout_of_who_was_not_taken_over_ends_the_old_session(bench: Bench) {
        let old = OldApp::default();
        let server = start(&bench, manager(&bench, &old)).await;
        // The first request of a browser may be a logout.
        let browser = server.visitor();
        old.begin(&browser, "s-1", ada());
        let thief = browser.fork();
        browser.get("/logout").await;
        assert_eq!((thief.get("/view").await.body, old.count()), ("nobody []".to_owned(), 0));
        // And a login may come before the cookie of the other system.
        let browser = server.visitor();
        browser.get("/login").await;
        sign(&bench, &browser, json!({"user_id": "bob"}));
        let thief = browser.fork();
        thief.set_token("gone");
        browser.get("/logout").await;
        assert_eq!(thief.get("/view").await.body, "nobody []");
        assert_eq!(browser.cookie_names(), [""; 0]);
    }

    async fn a_session_that_has_expired_is_not_taken_over_again(bench: Bench) {
        let bench = bench.with_config(|config| config.ttl(Duration::from_secs(600)));
        let old = OldApp::default();
        let server = start(&bench, manager(&bench, &old)).await;
        let browser = server.visitor();
        old.begin(&browser, "s-1", ada());
        assert_eq!(browser.get("/view").await.body, "ada [1, 2]");
        bench.clock.advance(Duration::from_secs(601));
        assert_eq!(browser.get("/view").await.body, "nobody []");
        assert_eq!(browser.get("/login").await.body, "logged in");
        assert_eq!(browser.get("/view").await.body, "ada []");
    }

    async fn an_end_from_outside_holds_for_the_old_session(bench: Bench) {
        let bench = bench.with_config(|config| config.track_devices(true));
        let (old, manager_of_another) = (OldApp::default(), bench.manager());
        let server = start(&bench, manager(&bench, &old)).await;
        let browser = server.visitor();
        old.begin(&browser, "s-1", ada());
        assert_eq!(browser.get("/view").await.body, "ada [1, 2]");
        let devices = manager_of_another.devices_of("ada").list().await.unwrap();
        assert_eq!(devices.len(), 1);
        manager_of_another.end_session(devices[0].id).await.unwrap();
        assert_eq!(browser.get("/view").await.body, "nobody []");
        assert_eq!(browser.cookie(OLD).as_deref(), Some("s-1"));
    }

    async fn all_sessions_of_a_user_end_with_those_that_were_not_taken_over(bench: Bench) {
        let bench = bench.with_config(|config| config.track_devices(true));
        let (log, old) = (Log::collect(), OldApp::default());
        let server = start(&bench, manager(&bench, &old)).await;
        let (desk, phone, tablet, bob) = (server.visitor(), server.visitor(), server.visitor(), server.visitor());
        old.begin(&desk, "s-1", ada());
        old.begin(&phone, "s-2", ada());
        sign(&bench, &tablet, json!({"user_id": "ada"}));
        sign(&bench, &bob, json!({"user_id": "bob", "items": [5]}));
        assert_eq!(desk.get("/view").await.body, "ada [1, 2]");
        assert_eq!(desk.get("/end-all").await.body, "ended");
        for browser in [&desk, &phone, &tablet] {
            assert_eq!(browser.get("/view").await.body, "nobody []");
        }
        assert_eq!(bob.get("/view").await.body, "bob [5]");
        assert!(log.text().contains("ended with all sessions"), "{}", log.text());
        assert_eq!(phone.get("/login").await.body, "logged in");
        assert_eq!(phone.get("/view").await.body, "ada []");
    }

    async fn everyones_sessions_end_with_those_that_were_not_taken_over(bench: Bench) {
        let old = OldApp::default();
        let manager = manager(&bench, &old);
        let server = start(&bench, manager.clone()).await;
        let (desk, bob, visitor) = (server.visitor(), server.visitor(), server.visitor());
        old.begin(&desk, "s-1", ada());
        sign(&bench, &bob, json!({"user_id": "bob"}));
        old.begin(&visitor, "v-1", json!({"items": [8]}));
        assert_eq!(desk.get("/view").await.body, "ada [1, 2]");
        assert_eq!(manager.end_everyone().await.unwrap(), 1);
        assert_eq!(desk.get("/view").await.body, "nobody []");
        assert_eq!(bob.get("/view").await.body, "nobody []");
        assert_eq!(visitor.get("/view").await.body, "nobody [8]", "visitors are nobody's users");
    }

    async fn a_logout_while_the_other_store_is_down_ends_ours(bench: Bench) {
        let old = OldApp::default();
        let server = start(&bench, manager(&bench, &old)).await;
        let browser = server.visitor();
        old.begin(&browser, "s-1", ada());
        assert_eq!(browser.get("/view").await.body, "ada [1, 2]");
        let (copy, again) = (browser.fork(), browser.fork());
        old.set_down(true);
        let answer = browser.get("/logout").await;
        assert_eq!((answer.status, browser.token()), (503, None), "who logs out learns that one goes on: {answer:?}");
        old.set_down(false);
        assert_eq!(copy.get("/view").await.body, "nobody []", "ours has ended");
        assert_eq!((again.get("/logout").await.status, old.count()), (200, 0));
    }

    async fn a_session_that_the_old_application_began_after_an_end_is_taken_over(bench: Bench) {
        let bench = bench.with_config(|config| config.track_devices(true));
        let old = OldApp::default();
        let server = start(&bench, manager(&bench, &old)).await;
        let (desk, phone) = (server.visitor(), server.visitor());
        sign(&bench, &desk, ada());
        assert_eq!(desk.get("/view").await.body, "ada [1, 2]");
        desk.get("/end-all").await;
        bench.clock.advance(Duration::from_secs(A_DAY));
        sign(&bench, &phone, ada());
        assert_eq!(phone.get("/view").await.body, "ada [1, 2]");
    }
}

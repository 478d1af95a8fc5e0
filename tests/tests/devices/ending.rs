//! Tests of a session between the decision that it ends and its end, and of logins that fail half-way.

use std::time::Duration;

use sessionkit::store::{EntryKey, Generation, Store as _};
use sessionkit_tests::behaviour;
use sessionkit_tests::harness::{Answer, Bench, HeldStore, Server, TestStore};

behaviour! {
    tests: [
        a_login_with_a_session_that_is_being_ended_ends_too,
        a_step_up_of_a_session_that_is_being_ended_saves_it_not,
        a_login_that_was_refused_leaves_nobody_logged_in,
        a_login_whose_session_may_be_stored_leaves_neither_it_nor_an_entry,
        a_step_up_of_whoever_acts_is_none_of_the_user,
        a_logout_of_whoever_acts_leaves_their_own_list,
        a_login_that_cannot_be_listed_fails_and_leaves_what_was_there,
        a_list_waits_no_longer_than_a_load_may_take,
        an_entry_without_a_session_goes_when_it_is_met,
        a_session_that_was_ended_is_marked_for_a_minute,
    ];

    type Answered = Result<Reply, SessionRejection>;

    async fn login(auth: Auth) -> Answered {
        auth.login("ada").await?;
        Ok(Reply::ok("ada"))
    }

    /// Goes on whatever comes of it.
    async fn login_anyway(auth: Auth) -> Answered {
        let failed = auth.login("ada").await.is_err();
        Ok(Reply::ok(format!("{failed} {}", auth.user_id().await?.as_deref().unwrap_or("nobody"))))
    }

    async fn act(auth: Auth) -> Answered {
        auth.impersonate("bob").await?;
        Ok(Reply::ok("bob"))
    }

    async fn elevate(auth: Auth) -> Answered {
        auth.elevate("otp").await?;
        Ok(Reply::ok("up"))
    }

    async fn logout(auth: Auth) -> Answered {
        auth.logout().await?;
        Ok(Reply::ok("bye"))
    }

    async fn user(auth: Auth) -> Answered {
        Ok(Reply::ok(auth.user_id().await?.as_deref().unwrap_or("nobody")))
    }

    async fn start(bench: &Bench, held: &HeldStore<impl sessionkit::Store + Clone>) -> Server {
        let routes = routes![
            "/login" => login, "/login/anyway" => login_anyway, "/act" => act, "/elevate" => elevate, "/user" => user,
            "/logout" => logout,
        ];
        serve_with(bench, bench.manager_over(held.clone()), routes).await
    }

    /// Makes a request while an administrator has decided to end the visitor's session, and has not ended it yet. Returns
    /// the answer, and the user id afterwards.
    async fn meanwhile(bench: &Bench, path: &str) -> (Answer, String) {
        let server = start(bench, &HeldStore::new(bench.store.clone(), &bench.gates)).await;
        let visitor = server.visitor();
        visitor.get("/login").await;
        let held = HeldStore::new(bench.store.clone(), &bench.gates);
        held.hold("before remove");
        let administrator = bench.manager_over(held.clone());
        let ending = tokio::spawn(async move { administrator.devices_of("ada").end_all().await });
        bench.gates.arrived("before remove", 1).await;
        let answer = visitor.get(path).await;
        held.release("before remove");
        bench.gates.open("before remove", 1);
        ending.await.expect("it does not panic").expect("the store answers");
        (answer, visitor.get("/user").await.body)
    }

    async fn a_login_with_a_session_that_is_being_ended_ends_too(bench: Bench) {
        let bench = bench.with_config(|config| config.track_devices(true));
        let (answer, user) = meanwhile(&bench, "/login").await;
        assert_eq!((answer.status, &*user), (200, "nobody"), "[P9] it was in the list when the revocation ended");
        assert_eq!((bench.sessions(), bench.listed("ada").await.len()), (0, 0));
    }

    async fn a_step_up_of_a_session_that_is_being_ended_saves_it_not(bench: Bench) {
        let bench = bench.with_config(|config| config.track_devices(true));
        let (answer, user) = meanwhile(&bench, "/elevate").await;
        assert_eq!((answer.status, &*user), (200, "nobody"), "[P9]");
        assert_eq!((bench.sessions(), bench.listed("ada").await.len()), (0, 0));
    }

    async fn a_login_that_was_refused_leaves_nobody_logged_in(bench: Bench) {
        let bench = bench.with_config(|config| config.track_devices(true));
        let held = HeldStore::new(bench.store.clone(), &bench.gates);
        let server = start(&bench, &held).await;
        let visitor = server.visitor();
        visitor.get("/login").await;
        held.hold("before replace");
        let late = visitor.fork().get_in_background("/login/anyway");
        bench.gates.arrived("before replace", 1).await;
        held.release("before replace");
        bench.manager().devices_of("ada").end_all().await.expect("the store answers");
        bench.gates.open("before replace", 1);
        let late = late.await.expect("the request ends");
        assert_eq!((&*late.body, late.cookies().len()), ("true nobody", 0), "not even the user before");
    }

    async fn a_login_whose_session_may_be_stored_leaves_neither_it_nor_an_entry(bench: Bench) {
        let bench = bench.with_config(|config| config.track_devices(true).commit_deadline(Duration::from_secs(1)));
        let held = HeldStore::new(bench.store.clone(), &bench.gates);
        let manager = bench.manager_over(held.clone());
        let server = serve_with(&bench, manager.clone(), routes!["/login" => login]).await;
        for gate in ["before insert", "after insert"] {
            held.hold(gate);
            let answer = server.visitor().get("/login").await;
            assert_eq!((answer.status, answer.cookies().len()), (503, 0), "{gate}");
            manager.drain().await;
            assert_eq!((bench.sessions(), bench.listed("ada").await.len()), (0, 0), "{gate}");
            held.release(gate);
        }
    }

    async fn a_step_up_of_whoever_acts_is_none_of_the_user(bench: Bench) {
        let hours = |hours: u64| Duration::from_secs(hours * 3600);
        let bench = bench.with_config(|config| config.track_devices(true).ttl(hours(10)).absolute_ttl(hours(10)));
        let server = start(&bench, &HeldStore::new(bench.store.clone(), &bench.gates)).await;
        let visitor = server.visitor();
        visitor.get("/login").await;
        visitor.get("/act").await;
        bench.clock.advance(hours(6));
        visitor.get("/elevate").await;
        bench.clock.advance(hours(6));
        assert_eq!(visitor.get("/user").await.body, "bob");
        assert_eq!((bench.listed("ada").await.len(), bench.listed("bob").await.len()), (1, 0));
    }
    async fn a_login_that_cannot_be_listed_fails_and_leaves_what_was_there(bench: Bench) {
        let TestStore::Redis(_) = bench.store.inner() else { return };
        let bench = bench.with_config(|config| config.track_devices(true));
        for (gate, has_session) in [("after insert", false), ("before replace of a list", true)] {
            let held = HeldStore::new(bench.store.clone(), &bench.gates);
            let server = start(&bench, &held).await;
            let visitor = server.visitor();
            if has_session {
                visitor.get("/login").await;
            }
            held.hold(gate);
            let login = visitor.fork().get_in_background("/login");
            bench.gates.arrived(gate, 1).await;
            // The list turns into something that it never is.
            let list = format!("session:{}", EntryKey::session_list("Main", "ada"));
            bench.with_redis(|redis| redis.cli(&["SET", &list, "\u{1}damaged"]));
            bench.gates.open(gate, 1);
            let login = login.await.expect("the request ends");
            let left = usize::from(has_session);
            assert_eq!((login.status, login.cookies().len(), bench.sessions()), (500, 0, left), "{gate}");
            bench.with_redis(|redis| redis.cli(&["DEL", &list]));
            assert_eq!(visitor.get("/user").await.body, if has_session { "ada" } else { "nobody" }, "[P10] {gate}");
        }
    }

    async fn a_list_waits_no_longer_than_a_load_may_take(bench: Bench) {
        let bench = bench.with_config(|config| config.track_devices(true).load_deadline(Duration::from_secs(1)));
        let held = HeldStore::new(bench.store.clone(), &bench.gates);
        let server = start(&bench, &held).await;
        server.visitor().get("/login").await;
        held.hold("before load_many");
        let devices = bench.manager_over(held).devices_of("ada");
        let listed = tokio::time::timeout(Duration::from_secs(60), devices.list()).await.expect("it gives up");
        assert_eq!(listed.expect_err("the store did not answer").status(), 503);
        assert_eq!(bench.listed("ada").await.len(), 1, "which is no reason to forget anybody");
    }

    async fn an_entry_without_a_session_goes_when_it_is_met(bench: Bench) {
        let bench = bench.with_config(|config| config.track_devices(true));
        let server = start(&bench, &HeldStore::new(bench.store.clone(), &bench.gates)).await;
        server.visitor().get("/login").await;
        let [entry] = *bench.listed("ada").await else { panic!("there is one entry") };
        let (key, generation) = (EntryKey::session(entry.id), Generation::default());
        bench.store.remove(&key, generation).await.expect("the store answers");
        assert!(bench.manager().devices_of("ada").list().await.expect("the store answers").is_empty());
        assert_eq!(bench.listed("ada").await, []);
    }

    async fn a_session_that_was_ended_is_marked_for_a_minute(bench: Bench) {
        let bench = bench.with_config(|config| config.track_devices(true));
        let held = HeldStore::new(bench.store.clone(), &bench.gates);
        let (server, slow) = (start(&bench, &HeldStore::new(bench.store.clone(), &bench.gates)).await, start(&bench, &held).await);
        let visitor = server.visitor();
        visitor.get("/login").await;
        let [entry] = *bench.listed("ada").await else { panic!("there is one entry") };
        // A login with the cookie has looked at the list, and at the session.
        held.hold("before replace");
        let late = visitor.at(&slow).get_in_background("/login");
        bench.gates.arrived("before replace", 1).await;
        assert!(bench.manager().devices_of("ada").end(entry.id).await.expect("the store answers"));
        bench.gates.open("before replace", 1);
        let late = late.await.expect("the request ends");
        assert_eq!((late.status, late.cookies().len(), bench.sessions()), (409, 0, 0), "[P9] the device was ended");
        let marked = bench.listed("ada").await;
        assert!(marked.len() == 1 && marked[0].is_ended, "{marked:?}");
        assert!(bench.manager().devices_of("ada").list().await.expect("the store answers").is_empty());
        bench.clock.advance(Duration::from_secs(60));
        server.visitor().get("/login").await;
        assert!(bench.listed("ada").await.iter().all(|entry| !entry.is_ended), "the mark goes with the next login");
    }

    async fn a_logout_of_whoever_acts_leaves_their_own_list(bench: Bench) {
        let bench = bench.with_config(|config| config.track_devices(true));
        let server = start(&bench, &HeldStore::new(bench.store.clone(), &bench.gates)).await;
        let visitor = server.visitor();
        for path in ["/login", "/act", "/logout"] {
            assert_eq!(visitor.get(path).await.status, 200, "{path}");
        }
        assert_eq!((bench.sessions(), bench.listed("ada").await.len()), (0, 0));
    }
}

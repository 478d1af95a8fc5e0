//! An end that was decided on when the session was another user's, or had another token: it ends nobody else's session, and
//! does not miss the one that it meant.

use sessionkit_tests::behaviour;
use sessionkit_tests::harness::{Answer, Bench, Gates, HeldStore, Server};

/// The requests from another tab while the session is being ended, each with the user id of the session afterwards.
const MEANWHILE: [(&str, &str); 7] = [
    ("/bob", "bob"),
    ("/reauthenticate", "nobody"),
    ("/elevate", "nobody"),
    ("/rotate", "nobody"),
    ("/ada", "nobody"),
    // She is still the one who proved that the session is hers.
    ("/act", "nobody"),
    ("/visit", "nobody"),
];

behaviour! {
    tests: [
        a_logout_ends_its_own_session_and_nobody_elses,
        a_logout_of_a_visitor_ends_no_login,
        ending_a_device_ends_no_other_users_session,
        ending_ones_own_device_is_a_logout,
        a_revocation_ends_no_other_users_session,
    ];

    type Answered = Result<Reply, SessionRejection>;

    async fn ada(auth: Auth) -> Answered {
        auth.login("ada").await?;
        Ok(Reply::ok("ada"))
    }

    async fn bob(auth: Auth) -> Answered {
        auth.login("bob").await?;
        Ok(Reply::ok("bob"))
    }

    async fn reauthenticate(auth: Auth) -> Answered {
        auth.reauthenticate().await?;
        Ok(Reply::ok("fresh"))
    }

    async fn elevate(auth: Auth) -> Answered {
        auth.elevate("otp").await?;
        Ok(Reply::ok("up"))
    }

    async fn rotate(auth: Auth) -> Answered {
        auth.rotate().await?;
        Ok(Reply::ok("rotated"))
    }

    async fn act(auth: Auth) -> Answered {
        auth.impersonate("eve").await?;
        Ok(Reply::ok("eve"))
    }

    async fn visit(auth: Auth) -> Answered {
        auth.dynamic().await?.insert("visited", &true)?;
        Ok(Reply::ok("visited"))
    }

    async fn logout(auth: Auth) -> Answered {
        auth.logout().await?;
        Ok(Reply::ok("bye"))
    }

    /// Ends the only other device.
    async fn end(auth: Auth) -> Answered {
        let devices = auth.devices();
        let listed = devices.list().await?;
        let other = listed.iter().find(|device| !device.is_current).expect("there is another device");
        Ok(Reply::ok(devices.end(other.id).await?))
    }

    async fn end_own(auth: Auth) -> Answered {
        let devices = auth.devices();
        let listed = devices.list().await?;
        let own = listed.iter().find(|device| device.is_current).expect("this device is listed");
        Ok(Reply::ok(devices.end(own.id).await?))
    }

    async fn end_others(auth: Auth) -> Answered {
        auth.devices().end_others().await?;
        Ok(Reply::ok("ended"))
    }

    async fn end_all(auth: Auth) -> Answered {
        auth.devices().end_all().await?;
        Ok(Reply::ok("ended"))
    }

    async fn user(auth: Auth) -> Answered {
        Ok(Reply::ok(auth.user_id().await?.as_deref().unwrap_or("nobody")))
    }

    async fn start(bench: &Bench, store: impl sessionkit::Store) -> Server {
        let routes = routes![
            "/ada" => ada, "/bob" => bob, "/reauthenticate" => reauthenticate, "/elevate" => elevate,
            "/rotate" => rotate, "/act" => act, "/visit" => visit, "/logout" => logout, "/end" => end,
            "/end-own" => end_own, "/end-others" => end_others, "/end-all" => end_all, "/user" => user,
        ];
        serve_with(bench, bench.manager_over(store), routes).await
    }

    /// Ends a session as `path` says, on the device itself or on another one of the user's. When the session was loaded and
    /// is about to be removed, something happens in another tab. Returns the answer, and whose the session is afterwards.
    async fn overtaken(bench: &Bench, path: &str, is_own: bool, meanwhile: &str) -> (Answer, String) {
        let bench = bench.clone().with_config(|config| config.track_devices(true));
        let gates = Gates::default();
        let held = HeldStore::new(bench.store.clone(), &gates);
        let (server, slow) = (start(&bench, bench.store.clone()).await, start(&bench, held.clone()).await);
        let (tab, other) = (server.visitor(), server.visitor());
        tab.get("/ada").await;
        other.get("/ada").await;
        let asks = if is_own { tab.fork() } else { other };
        held.hold("before remove");
        let ending = asks.at(&slow).get_in_background(path);
        gates.arrived("before remove", 1).await;
        held.release("before remove");
        assert_eq!(tab.get(meanwhile).await.status, 200, "{meanwhile}");
        gates.open("before remove", 1);
        let answer = ending.await.expect("the request ends");
        let user = tab.get("/user").await.body;
        let left = [("ada", path != "/end-all"), ("bob", user == "bob")];
        for (owner, is_there) in left {
            let listed = bench.manager().devices_of(owner).list().await.expect("the store answers");
            assert_eq!(listed.len(), usize::from(is_there), "{owner} {path} {meanwhile}");
            bench.manager().devices_of(owner).end_all().await.expect("the store answers");
        }
        assert_eq!(bench.sessions(), 0, "{path} {meanwhile}");
        (answer, user)
    }

    async fn a_logout_ends_its_own_session_and_nobody_elses(bench: Bench) {
        for (meanwhile, remains) in MEANWHILE {
            let (answer, user) = overtaken(&bench, "/logout", true, meanwhile).await;
            assert_eq!((answer.status, answer.cookies().len()), (200, 1), "{meanwhile}: its cookie goes");
            assert_eq!(user, remains, "{meanwhile}");
        }
    }

    async fn a_logout_of_a_visitor_ends_no_login(bench: Bench) {
        let gates = Gates::default();
        let held = HeldStore::new(bench.store.clone(), &gates);
        let (server, slow) = (start(&bench, bench.store.clone()).await, start(&bench, held.clone()).await);
        for (meanwhile, remains) in [("/ada", "ada"), ("/rotate", "nobody")] {
            let tab = server.visitor();
            tab.get("/visit").await;
            let sessions = bench.sessions();
            held.hold("before remove");
            let ending = tab.fork().at(&slow).get_in_background("/logout");
            gates.arrived("before remove", 1).await;
            held.release("before remove");
            tab.get(meanwhile).await;
            gates.open("before remove", 1);
            assert_eq!(ending.await.expect("the request ends").status, 200, "{meanwhile}");
            assert_eq!(tab.get("/user").await.body, remains, "{meanwhile}");
            assert_eq!(bench.sessions(), sessions - usize::from(remains == "nobody"), "{meanwhile}");
        }
    }

    async fn ending_a_device_ends_no_other_users_session(bench: Bench) {
        for (meanwhile, remains) in MEANWHILE {
            for path in ["/end", "/end-others", "/end-all"] {
                let (answer, user) = overtaken(&bench, path, false, meanwhile).await;
                let body = if path == "/end" { (remains == "nobody").to_string() } else { "ended".into() };
                assert_eq!((answer.status, answer.body), (200, body), "{path} {meanwhile}");
                assert_eq!(user, remains, "{path} {meanwhile}");
            }
        }
    }

    async fn ending_ones_own_device_is_a_logout(bench: Bench) {
        for (meanwhile, remains) in MEANWHILE {
            let (answer, user) = overtaken(&bench, "/end-own", true, meanwhile).await;
            assert_eq!((answer.status, answer.cookies().len()), (200, 1), "{meanwhile}: its cookie goes");
            assert_eq!((answer.body, &*user), ((remains == "nobody").to_string(), remains), "{meanwhile}");
        }
    }

    async fn a_revocation_ends_no_other_users_session(bench: Bench) {
        let bench = bench.with_config(|config| config.track_devices(true));
        let server = start(&bench, bench.store.clone()).await;
        for (meanwhile, remains) in MEANWHILE {
            let gates = Gates::default();
            let held = HeldStore::new(bench.store.clone(), &gates);
            held.hold("before remove");
            let tab = server.visitor();
            tab.get("/ada").await;
            let devices = bench.manager_over(held.clone()).devices_of("ada");
            let ending = tokio::spawn(async move { devices.end_all().await });
            gates.arrived("before remove", 1).await;
            held.release("before remove");
            assert_eq!(tab.get(meanwhile).await.status, 200, "{meanwhile}");
            gates.open("before remove", 1);
            ending.await.expect("it does not panic").expect("the store answers");
            assert_eq!(tab.get("/user").await.body, remains, "{meanwhile}");
            assert_eq!((bench.listed("ada").await.len(), bench.sessions()), (0, usize::from(remains == "bob")), "{meanwhile}");
            bench.manager().devices_of("bob").end_all().await.expect("the store answers");
        }
    }
}

//! [P9] After revoking a user, no session that was authenticated before the call survives it, also when a login races it.

use std::time::Duration;

use sessionkit_tests::behaviour_everywhere;
use sessionkit_tests::harness::{Bench, HeldStore, Server};

behaviour_everywhere! {
    tests: [
        a_revocation_leaves_none_of_a_hundred_logins_that_race_it,
        a_list_that_met_nothing_forgets_no_login_that_came_meanwhile,
        nobody_ends_a_session_that_they_nearly_got,
        whoever_logs_in_at_once_with_one_cookie_gets_no_others_session,
    ];

    type Answered = Result<Reply, SessionRejection>;

    async fn login(auth: Auth) -> Answered {
        auth.login("ada").await?;
        Ok(Reply::ok("ada"))
    }

    async fn user(auth: Auth) -> Answered {
        Ok(Reply::ok(auth.user_id().await?.as_deref().unwrap_or("nobody")))
    }

    async fn write(auth: Auth) -> Answered {
        auth.dynamic().await?.insert("seen", &true)?;
        Ok(Reply::ok("written"))
    }

    async fn start(bench: &Bench) -> Server {
        serve(bench, routes!["/login" => login, "/user" => user, "/write" => write]).await
    }

    async fn login_mallory(auth: Auth) -> Answered {
        auth.login("mallory").await?;
        Ok(Reply::ok("mallory"))
    }

    /// Half of the logins come with a session of the user, half without; every one that was answered before the
    /// revocation began, or that was refused, is over after it.
    async fn a_revocation_leaves_none_of_a_hundred_logins_that_race_it(bench: Bench) {
        let bench = bench.with_config(|config| config.track_devices(true));
        let server = start(&bench).await;
        let revoking = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
        let mut logins = Vec::new();
        for number in 0..100 {
            let (visitor, revoking) = (server.visitor(), revoking.clone());
            if number % 2 == 0 {
                assert_eq!(visitor.get("/login").await.status, 200);
            }
            logins.push(tokio::spawn(async move {
                let status = visitor.get("/login").await.status;
                let before = !revoking.load(std::sync::atomic::Ordering::SeqCst);
                (visitor, status, before)
            }));
        }
        tokio::task::yield_now().await;
        revoking.store(true, std::sync::atomic::Ordering::SeqCst);
        bench.manager().devices_of("ada").end_all().await.unwrap();
        let mut later = 0;
        for login in logins {
            let (visitor, status, before) = login.await.unwrap();
            let alive = visitor.get("/user").await.body == "ada";
            assert!(status == 200 || status == 409, "{status}");
            assert!(!(before && alive), "[P9] a login that was done before the revocation is over after it");
            assert!(status == 200 || !alive, "a login that fails leaves nobody logged in");
            later += usize::from(alive);
        }
        // What is alive began after the revocation, and is on the list: another one leaves nothing.
        assert_eq!(bench.manager().devices_of("ada").list().await.unwrap().len(), later);
        bench.manager().devices_of("ada").end_all().await.unwrap();
        assert_eq!(bench.sessions(), 0, "[P9]");
    }

    /// The list names a session that has expired. Whoever lists the devices sees that; meanwhile somebody logs in with the
    /// same session, which is another one by then.
    async fn a_list_that_met_nothing_forgets_no_login_that_came_meanwhile(bench: Bench) {
        let bench = bench.with_config(|config| config.track_devices(true).ttl(Duration::from_secs(60)));
        let server = start(&bench).await;
        let visitor = server.visitor();
        visitor.get("/login").await;
        bench.clock.advance(Duration::from_secs(60));
        let held = HeldStore::new(bench.store.clone(), &bench.gates);
        held.hold("after load_many");
        let devices = bench.manager_over(held).devices_of("ada");
        let list = tokio::spawn(async move { devices.list().await.unwrap().len() });
        bench.gates.arrived("after load_many", 1).await;
        assert_eq!(visitor.get("/login").await.status, 200);
        bench.gates.open("after load_many", 1);
        assert_eq!(list.await.unwrap(), 0, "it looked before the login");
        assert_eq!(bench.manager().devices_of("ada").list().await.unwrap().len(), 1);
        bench.manager().devices_of("ada").end_all().await.unwrap();
        assert_eq!(visitor.get("/user").await.body, "nobody", "[P9]");
    }

    /// An attacker gives a victim an anonymous session, and logs in with it so slowly that the victim logs in first.
    async fn nobody_ends_a_session_that_they_nearly_got(bench: Bench) {
        let bench = bench.with_config(|config| config.track_devices(true).max_devices(1));
        let held = HeldStore::new(bench.store.clone(), &bench.gates);
        let routes = || routes!["/login" => login, "/mallory" => login_mallory, "/user" => user, "/write" => write];
        let (server, slow) = (serve(&bench, routes()).await, serve_with(&bench, bench.manager_over(held.clone()), routes()).await);
        let mallory = server.visitor();
        mallory.get("/write").await;
        let victim = mallory.fork();
        held.hold("before replace");
        let late = mallory.at(&slow).get_in_background("/mallory");
        bench.gates.arrived("before replace", 1).await;
        assert_eq!(victim.get("/login").await.body, "ada");
        bench.gates.open("before replace", 1);
        assert_eq!(late.await.unwrap().body, "mallory", "in a session of their own");
        assert_eq!((victim.get("/user").await.body, mallory.get("/user").await.body), ("ada".into(), "mallory".into()));
        // By a list, by a limit, or at once.
        let devices = bench.manager().devices_of("mallory");
        assert_eq!(devices.list().await.unwrap().len(), 1);
        server.visitor().get("/mallory").await;
        devices.end_all().await.unwrap();
        assert_eq!((victim.get("/user").await.body, mallory.get("/user").await.body), ("ada".into(), "nobody".into()));
        bench.manager().devices_of("ada").end_all().await.unwrap();
        assert_eq!((victim.get("/user").await.body, bench.sessions()), ("nobody".into(), 0), "[P9]");
    }

    async fn login_as(auth: Auth, name: Body) -> Answered {
        auth.login(&name).await?;
        auth.dynamic().await?.insert("note", &format!("of {name}"))?;
        Ok(Reply::ok("welcome"))
    }

    async fn note(auth: Auth) -> Answered {
        let note = auth.dynamic().await?.get::<String>("note")?.unwrap_or_default();
        Ok(Reply::ok(format!("{} {note}", auth.user_id().await?.as_deref().unwrap_or("nobody"))))
    }

    async fn whoever_logs_in_at_once_with_one_cookie_gets_no_others_session(bench: Bench) {
        const NAMES: [&str; 4] = ["ada", "bob", "eve", "fay"];
        let bench = bench.with_config(|config| config.track_devices(true));
        let server = serve(&bench, routes!["/login" => login_as, "/note" => note, "/write" => write]).await;
        let first = server.visitor();
        first.get("/write").await;
        let logins = NAMES.into_iter().cycle().take(8).map(|name| {
            let visitor = first.fork();
            tokio::spawn(async move { (visitor.post("/login", name).await.status, visitor, name) })
        });
        let mut people = Vec::new();
        for login in logins.collect::<Vec<_>>() {
            let (status, visitor, name) = login.await.unwrap();
            assert_eq!(status, 200, "valid credentials never fail");
            people.push((visitor, name));
        }
        for (ended, name) in NAMES.iter().enumerate() {
            // The second login of a user goes on with the session of the first if that took over the visitor's [P11].
            let listed = bench.manager().devices_of(name).list().await.unwrap().len();
            assert!((1..=2).contains(&listed), "{name}: {listed}");
            bench.manager().devices_of(name).end_all().await.unwrap();
            for (visitor, theirs) in &people {
                let expected = match NAMES[..=ended].contains(theirs) {
                    true => "nobody ".to_owned(),
                    false => format!("{theirs} of {theirs}"),
                };
                assert_eq!(visitor.get("/note").await.body, expected);
            }
        }
        assert_eq!(bench.sessions(), 0);
    }
}

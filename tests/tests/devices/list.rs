//! Lists of devices, and what ends which of them.

use std::time::Duration;

use sessionkit::store::{EntryKey, Store as _};
use sessionkit::{SessionId, SessionScope};
use sessionkit_tests::behaviour;
use sessionkit_tests::harness::{Bench, COOKIE, Log, Server, Visitor};

struct Office;

impl SessionScope for Office {
    const NAME: &'static str = "Office";
    type Home = sessionkit::OnServer;
}

fn with_devices(bench: Bench) -> Bench {
    bench.with_config(|config| config.track_devices(true))
}

fn id(visitor: &Visitor) -> SessionId {
    let token = visitor.token().expect("the visitor has a session");
    sessionkit_core::Token::parse(token.as_bytes()).expect("it is a token").id()
}

behaviour! {
    tests: [
        a_list_tells_what_is_known_of_each_device,
        one_device_can_be_ended_but_no_stranger,
        the_others_can_be_ended,
        all_can_be_ended_the_own_one_included,
        an_administrator_sees_and_ends_the_devices_of_anybody,
        everyone_can_be_logged_out,
        a_logout_leaves_the_list_and_so_does_an_expired_session,
        a_login_as_another_user_moves_to_their_list,
        whoever_acts_as_another_user_stays_in_their_own_list,
        a_step_up_keeps_its_place_past_the_deadline_of_the_login,
        without_the_setting_there_is_no_list,
        nobody_has_no_list,
    ];

    type Answered = Result<Reply, SessionRejection>;

    async fn login(auth: Auth) -> Answered {
        auth.login("ada").device_label("laptop").methods(["pwd"]).await?;
        Ok(Reply::ok("ada"))
    }

    async fn login_bob(auth: Auth) -> Answered {
        auth.login("bob").await?;
        Ok(Reply::ok("bob"))
    }

    async fn visit(auth: Auth) -> Answered {
        auth.dynamic().await?.insert("visited", &true)?;
        Ok(Reply::ok(auth.user_id().await?.as_deref().unwrap_or("nobody")))
    }

    async fn user(auth: Auth) -> Answered {
        Ok(Reply::ok(auth.user_id().await?.as_deref().unwrap_or("nobody")))
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

    async fn list(auth: Auth) -> Answered {
        let devices = auth.devices().list().await?;
        let tell = |device: &sessionkit::Device| {
            let (age, seen) = (device.created_at.unix_seconds(), device.last_seen_at.unix_seconds());
            assert!(device.authenticated_at.is_some_and(|at| at.unix_seconds() >= age) && seen >= age);
            let label = device.device_label.as_deref().unwrap_or("?");
            let acting = device.acting_as.as_deref().map(|user| format!(" as {user}")).unwrap_or_default();
            let current = if device.is_current { " here" } else { "" };
            format!("{label} {:?}{acting}{current}", device.methods())
        };
        Ok(Reply::ok(devices.iter().map(tell).collect::<Vec<_>>().join("; ")))
    }

    /// Ends every device on the list but this one, one by one, and one that is none.
    async fn end_each(auth: Auth) -> Answered {
        let devices = auth.devices();
        let mut answer = String::new();
        for device in devices.list().await? {
            if !device.is_current {
                let id = SessionId::parse(device.id.to_string().as_bytes()).expect("an id is read back");
                answer += &format!("{} {} ", devices.end(id).await?, devices.end(id).await?);
            }
        }
        answer += &devices.end(SessionId::from_bytes([7; 16])).await?.to_string();
        Ok(Reply::ok(answer))
    }

    async fn end_others(auth: Auth) -> Answered {
        auth.devices().end_others().await?;
        Ok(Reply::ok("ended"))
    }

    async fn end_all(auth: Auth) -> Answered {
        auth.devices().end_all().await?;
        assert_eq!(auth.user_id().await?, None);
        Ok(Reply::ok("ended"))
    }

    async fn start(bench: &Bench) -> Server {
        let routes = routes![
            "/login" => login,
            "/login/bob" => login_bob,
            "/visit" => visit,
            "/user" => user,
            "/act" => act,
            "/elevate" => elevate,
            "/logout" => logout,
            "/list" => list,
            "/end/each" => end_each,
            "/end/others" => end_others,
            "/end/all" => end_all,
        ];
        serve(bench, routes).await
    }

    async fn logged_in<const N: usize>(server: &Server) -> [Visitor; N] {
        let visitors = std::array::from_fn(|_| server.visitor());
        for visitor in &visitors {
            visitor.get("/login").await;
        }
        visitors
    }

    async fn a_list_tells_what_is_known_of_each_device(bench: Bench) {
        let bench = with_devices(bench);
        let server = start(&bench).await;
        let [one, two] = logged_in(&server).await;
        server.visitor().get("/login/bob").await;
        bench.clock.advance(Duration::from_secs(300));
        two.get("/visit").await;
        assert_eq!(one.get("/list").await.body, r#"laptop ["pwd"]; laptop ["pwd"] here"#);
        assert_eq!(two.get("/list").await.body, r#"laptop ["pwd"] here; laptop ["pwd"]"#);
        bench.clock.advance(Duration::from_secs(300));
        one.get("/visit").await;
        assert_eq!(one.get("/list").await.body, r#"laptop ["pwd"] here; laptop ["pwd"]"#, "seen last, logged in first");
    }

    async fn one_device_can_be_ended_but_no_stranger(bench: Bench) {
        let bench = with_devices(bench);
        let server = start(&bench).await;
        let [one, two, three] = logged_in(&server).await;
        let bob = server.visitor();
        bob.get("/login/bob").await;
        assert_eq!(one.get("/end/each").await.body, "true false true false false");
        for (visitor, user) in [(&one, "ada"), (&two, "nobody"), (&three, "nobody"), (&bob, "bob")] {
            assert_eq!(visitor.get("/user").await.body, user);
        }
        let ada = bench.manager().devices_of("ada");
        assert!(!ada.end(id(&bob)).await.unwrap(), "it is none of hers");
        assert_eq!(bob.get("/user").await.body, "bob");
        assert!(ada.end(id(&one)).await.unwrap());
        assert_eq!(one.get("/user").await.body, "nobody");
    }

    async fn the_others_can_be_ended(bench: Bench) {
        let bench = with_devices(bench);
        let server = start(&bench).await;
        let [one, two, three] = logged_in(&server).await;
        let bob = server.visitor();
        bob.get("/login/bob").await;
        assert_eq!(two.get("/end/others").await.cookies().len(), 0);
        for (visitor, user) in [(&one, "nobody"), (&two, "ada"), (&three, "nobody"), (&bob, "bob")] {
            assert_eq!(visitor.get("/user").await.body, user);
        }
        assert_eq!(two.get("/list").await.body, r#"laptop ["pwd"] here"#);
    }

    async fn all_can_be_ended_the_own_one_included(bench: Bench) {
        let bench = with_devices(bench);
        let server = start(&bench).await;
        let [one, two] = logged_in(&server).await;
        let answer = two.get("/end/all").await;
        assert!(answer.cookies()[0].starts_with(&format!("{COOKIE}=;")), "{:?}", answer.cookies());
        for visitor in [&one, &two] {
            assert_eq!(visitor.get("/user").await.body, "nobody");
        }
        assert_eq!(bench.sessions(), 0);
    }

    async fn an_administrator_sees_and_ends_the_devices_of_anybody(bench: Bench) {
        let bench = with_devices(bench);
        let server = start(&bench).await;
        let [one, _] = logged_in(&server).await;
        let ada = bench.manager().devices_of("ada");
        let devices = ada.list().await.unwrap();
        assert_eq!((devices.len(), devices.iter().any(|device| device.is_current)), (2, false));
        assert!(bench.manager_of::<Office>().devices_of("ada").list().await.unwrap().is_empty(), "of another scope");
        ada.end_others().await.unwrap();
        assert_eq!(one.get("/user").await.body, "nobody");
        assert!(ada.list().await.unwrap().is_empty());
    }

    async fn everyone_can_be_logged_out(bench: Bench) {
        let bench = with_devices(bench);
        let server = start(&bench).await;
        let [one, two] = logged_in(&server).await;
        let (bob, visitor) = (server.visitor(), server.visitor());
        bob.get("/login/bob").await;
        visitor.get("/visit").await;
        assert_eq!(bench.manager_of::<Office>().end_everyone().await.unwrap(), 0);
        assert_eq!(bench.manager().end_everyone().await.unwrap(), 3);
        for visitor in [&one, &two, &bob] {
            assert_eq!(visitor.get("/user").await.body, "nobody");
        }
        assert_eq!(bench.sessions(), 1, "a visitor who is not logged in keeps what they have");
        assert_eq!(bench.manager().end_everyone().await.unwrap(), 0);
    }

    async fn a_logout_leaves_the_list_and_so_does_an_expired_session(bench: Bench) {
        let bench = bench.with_config(|config| config.track_devices(true).ttl(Duration::from_secs(3600)));
        let server = start(&bench).await;
        let [one, two] = logged_in(&server).await;
        one.get("/logout").await;
        bench.clock.advance(Duration::from_secs(3600));
        let [three] = logged_in(&server).await;
        assert_eq!(three.get("/list").await.body, r#"laptop ["pwd"] here"#);
        assert_eq!(two.get("/user").await.body, "nobody");
        bench.store.take();
        three.get("/list").await;
        let calls = bench.store.take();
        assert_eq!((calls.load, calls.load_many, calls.lists), (1, 1, 1), "nothing is left of the others");
        let listed = bench.listed("ada").await;
        assert_eq!(listed.len(), 2, "this clock may be ahead: what has expired is forgotten once it is gone");
        bench.store.remove(&EntryKey::session(listed[0].id), listed[0].generation).await.expect("the store answers");
        three.get("/list").await;
        assert_eq!(bench.listed("ada").await.len(), 1);
    }

    async fn a_login_as_another_user_moves_to_their_list(bench: Bench) {
        let bench = with_devices(bench);
        let server = start(&bench).await;
        let [one] = logged_in(&server).await;
        one.get("/login/bob").await;
        assert_eq!(one.get("/list").await.body, "? [] here");
        bench.manager().devices_of("ada").end_all().await.unwrap();
        assert_eq!(one.get("/user").await.body, "bob");
        bench.manager().devices_of("bob").end_all().await.unwrap();
        assert_eq!(one.get("/user").await.body, "nobody");
    }

    async fn whoever_acts_as_another_user_stays_in_their_own_list(bench: Bench) {
        let bench = with_devices(bench);
        let server = start(&bench).await;
        let [one] = logged_in(&server).await;
        one.get("/act").await;
        assert_eq!(one.get("/list").await.body, r#"laptop ["pwd"] as bob here"#);
        bench.manager().devices_of("bob").end_all().await.unwrap();
        assert_eq!(one.get("/user").await.body, "bob");
        bench.manager().devices_of("ada").end_all().await.unwrap();
        assert_eq!(one.get("/user").await.body, "nobody");
    }

    async fn a_step_up_keeps_its_place_past_the_deadline_of_the_login(bench: Bench) {
        let hours = |hours: u64| Duration::from_secs(hours * 3600);
        let bench = bench.with_config(|config| config.track_devices(true).ttl(hours(10)).absolute_ttl(hours(10)));
        let server = start(&bench).await;
        let [one] = logged_in(&server).await;
        bench.clock.advance(hours(6));
        one.get("/elevate").await;
        bench.clock.advance(hours(6));
        assert_eq!(one.get("/list").await.body, r#"laptop ["pwd", "otp"] here"#);
        bench.manager().devices_of("ada").end_all().await.unwrap();
        assert_eq!(one.get("/user").await.body, "nobody", "[P9]");
    }

    async fn without_the_setting_there_is_no_list(bench: Bench) {
        let log = Log::collect();
        let server = start(&bench).await;
        let [one] = logged_in(&server).await;
        let answer = one.get("/list").await;
        assert!(answer.status == 500 && log.text().contains("set `track_devices`"), "{}", log.text());
        assert_eq!(bench.manager().end_everyone().await.unwrap(), 1, "which does not need the lists");
        assert_eq!(one.get("/user").await.body, "nobody");
    }

    async fn nobody_has_no_list(bench: Bench) {
        let bench = with_devices(bench);
        let server = start(&bench).await;
        for path in ["/list", "/end/each", "/end/others", "/end/all"] {
            assert_eq!(server.visitor().get(path).await.status, 401, "{path}");
        }
    }
}

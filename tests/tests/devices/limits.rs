//! At most so many devices for each user.

use std::time::Duration;

use sessionkit::OnMaxDevices::{self, EvictOldest, Reject};
use sessionkit::testing::TestSession;
use sessionkit_tests::behaviour;
use sessionkit_tests::harness::{Bench, Server, Visitor};

fn limited(bench: Bench, most: usize, policy: OnMaxDevices) -> Bench {
    bench.with_config(|config| {
        config.track_devices(true).max_devices(most).on_max_devices(policy).ttl(Duration::from_secs(3600))
    })
}

behaviour! {
    tests: [
        the_oldest_makes_room,
        a_login_too_many_is_refused,
        logins_of_one_device_are_one,
        what_has_expired_makes_room_first,
        users_have_limits_of_their_own,
        nobody_has_more_than_a_hundred_devices_by_default,
        the_devices_of_somebody_who_has_a_thousand_are_not_looked_at,
        fifty_logins_at_once_leave_exactly_as_many_as_may_be_where_the_oldest_make_room,
        fifty_logins_at_once_leave_exactly_as_many_as_may_be_where_they_are_refused,
    ];

    type Answered = Result<Reply, SessionRejection>;

    async fn login(auth: Auth) -> Answered {
        auth.login("ada").await?;
        Ok(Reply::ok("ada"))
    }

    async fn login_bob(auth: Auth) -> Answered {
        auth.login("bob").await?;
        Ok(Reply::ok("bob"))
    }

    async fn user(auth: Auth) -> Answered {
        Ok(Reply::ok(auth.user_id().await?.as_deref().unwrap_or("nobody")))
    }

    async fn touch(auth: Auth) -> Answered {
        auth.dynamic().await?.insert("seen", &true)?;
        Ok(Reply::ok(auth.user_id().await?.as_deref().unwrap_or("nobody")))
    }

    async fn logout(auth: Auth) -> Answered {
        auth.logout().await?;
        Ok(Reply::ok("bye"))
    }

    async fn start(bench: &Bench) -> Server {
        let routes = routes![
            "/login" => login, "/login/bob" => login_bob, "/user" => user, "/touch" => touch, "/logout" => logout,
        ];
        serve(bench, routes).await
    }

    async fn users(visitors: &[Visitor]) -> Vec<String> {
        let mut users = Vec::new();
        for visitor in visitors {
            users.push(visitor.get("/user").await.body);
        }
        users
    }

    async fn the_oldest_makes_room(bench: Bench) {
        let bench = limited(bench, 2, EvictOldest);
        let server = start(&bench).await;
        let visitors: Vec<_> = (0..4).map(|_| server.visitor()).collect();
        for visitor in &visitors[..3] {
            assert_eq!(visitor.get("/login").await.status, 200);
        }
        assert_eq!(users(&visitors).await, ["nobody", "ada", "ada", "nobody"]);
        // A login makes a device the newest.
        visitors[1].get("/login").await;
        visitors[3].get("/login").await;
        assert_eq!(users(&visitors).await, ["nobody", "ada", "nobody", "ada"]);
        assert_eq!(bench.sessions(), 2);
    }

    async fn a_login_too_many_is_refused(bench: Bench) {
        let bench = limited(bench, 2, Reject);
        let server = start(&bench).await;
        let visitors: Vec<_> = (0..3).map(|_| server.visitor()).collect();
        visitors[0].get("/login").await;
        visitors[1].get("/login").await;
        let refused = visitors[2].get("/login").await;
        assert_eq!((refused.status, refused.cookies().len()), (409, 0));
        assert!(refused.body.contains("logged in on 2 devices already"), "{}", refused.body);
        assert_eq!(users(&visitors).await, ["ada", "ada", "nobody"]);
        visitors[0].get("/logout").await;
        assert_eq!(visitors[2].get("/login").await.status, 200);
        assert_eq!(users(&visitors).await, ["nobody", "ada", "ada"]);
    }

    async fn logins_of_one_device_are_one(bench: Bench) {
        for policy in [EvictOldest, Reject] {
            let bench = limited(bench.clone(), 1, policy);
            let server = start(&bench).await;
            let visitor = server.visitor();
            for _ in 0..3 {
                assert_eq!(visitor.get("/login").await.status, 200);
            }
            assert_eq!(visitor.get("/user").await.body, "ada");
            visitor.get("/logout").await;
        }
    }

    async fn what_has_expired_makes_room_first(bench: Bench) {
        for policy in [EvictOldest, Reject] {
            let bench = limited(bench.clone(), 2, policy);
            let server = start(&bench).await;
            let visitors: Vec<_> = (0..3).map(|_| server.visitor()).collect();
            visitors[0].get("/login").await;
            visitors[1].get("/login").await;
            // The older of them is in use, the other is not.
            for _ in 0..2 {
                bench.clock.advance(Duration::from_secs(1800));
                visitors[0].get("/touch").await;
            }
            assert_eq!(visitors[2].get("/login").await.status, 200, "{policy:?}");
            assert_eq!(users(&visitors).await, ["ada", "nobody", "ada"], "{policy:?}");
            bench.manager().devices_of("ada").end_all().await.unwrap();
        }
    }

    async fn users_have_limits_of_their_own(bench: Bench) {
        let bench = limited(bench, 1, Reject);
        let server = start(&bench).await;
        let (ada, bob) = (server.visitor(), server.visitor());
        ada.get("/login").await;
        assert_eq!(bob.get("/login/bob").await.status, 200);
        // With the session of another user, which nobody else has then.
        assert_eq!(ada.get("/login/bob").await.status, 409);
        assert_eq!(ada.get("/user").await.body, "ada");
    }

    async fn fills_up_at(bench: Bench, most: usize, looks: usize) {
        let server = start(&bench).await;
        let (first, last) = (server.visitor(), server.visitor());
        first.get("/login").await;
        for _ in 1..most {
            TestSession::new(&bench.manager()).login("ada").await;
        }
        assert_eq!(first.get("/user").await.body, "ada");
        bench.store.take();
        assert_eq!(last.get("/login").await.status, 200);
        let calls = bench.store.take();
        assert_eq!((calls.load, calls.remove, calls.load_many), (1, 1, looks));
        assert_eq!([first.get("/user").await.body, last.get("/user").await.body], ["nobody", "ada"]);
        assert_eq!((bench.listed("ada").await.len(), bench.sessions()), (most, most));
    }

    /// Repeated logins make the list longer, and each login reads and writes it as a whole: hence the default limit.
    async fn nobody_has_more_than_a_hundred_devices_by_default(bench: Bench) {
        fills_up_at(bench.with_config(|config| config.track_devices(true)), 100, 1).await;
    }

    async fn the_devices_of_somebody_who_has_a_thousand_are_not_looked_at(bench: Bench) {
        fills_up_at(limited(bench, 1000, EvictOldest), 1000, 0).await;
    }

    async fn fifty_logins(bench: Bench, policy: OnMaxDevices) {
        let bench = limited(bench, 3, policy);
        let server = start(&bench).await;
        let logins: Vec<_> = (0..50)
            .map(|_| {
                let visitor = server.visitor();
                tokio::spawn(async move {
                    let status = visitor.get("/login").await.status;
                    (visitor, status)
                })
            })
            .collect();
        let mut accepted = Vec::new();
        for login in logins {
            match login.await.unwrap() {
                (visitor, 200) => accepted.push(visitor),
                (visitor, status) => assert_eq!((visitor.token(), status), (None, 409)),
            }
        }
        let alive = users(&accepted).await.iter().filter(|user| *user == "ada").count();
        assert_eq!((alive, bench.sessions()), (3, 3));
        assert_eq!(bench.manager().devices_of("ada").list().await.unwrap().len(), 3);
        assert!(policy == EvictOldest || accepted.len() == 3, "{}", accepted.len());
    }

    async fn fifty_logins_at_once_leave_exactly_as_many_as_may_be_where_the_oldest_make_room(bench: Bench) {
        fifty_logins(bench, EvictOldest).await;
    }

    async fn fifty_logins_at_once_leave_exactly_as_many_as_may_be_where_they_are_refused(bench: Bench) {
        fifty_logins(bench, Reject).await;
    }
}

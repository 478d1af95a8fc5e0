//! A damaged list of a user's sessions: logins go on, and a revocation still ends the sessions that it named [P9].

use std::time::Duration;

use sessionkit::store::{Entry, EntryKey, ReplaceOutcome, SessionId, SessionList};
use sessionkit::{SessionErrorKind, Store as _};
use sessionkit_tests::behaviour;
use sessionkit_tests::harness::{Bench, HeldStore, Log, Server, Visitor};

/// The ways in which a list may be damaged.
#[derive(Clone, Copy, Debug)]
enum Damage {
    Empty,
    /// Too short to have a revision.
    Short,
    /// Of another length.
    Cut,
    /// No list, with the revision of one.
    Overwritten,
    Zeros,
    /// The list of another user, under this user's key.
    OfAnother,
}

const DAMAGES: [Damage; 6] =
    [Damage::Empty, Damage::Short, Damage::Cut, Damage::Overwritten, Damage::Zeros, Damage::OfAnother];

fn key(user: &str) -> EntryKey {
    EntryKey::session_list("Main", user)
}

async fn load(bench: &Bench, user: &str) -> Option<Entry> {
    bench.store.inner().load(&key(user)).await.expect("the store answers")
}

/// Damages the list of `ada`.
async fn damage(bench: &Bench, how: Damage) {
    let whole = load(bench, "ada").await.expect("there is a list");
    let mut bytes = whole.bytes().to_vec();
    match how {
        Damage::Empty => bytes.clear(),
        Damage::Short => bytes.truncate(5),
        Damage::Cut => drop(bytes.pop()),
        Damage::Overwritten => bytes[30..].fill(b'x'),
        Damage::Zeros => bytes.fill(0),
        Damage::OfAnother => bytes = load(bench, "bob").await.expect("there is a list").bytes().to_vec(),
    }
    let (held, damaged) = (whole.revision().expect("it is whole"), Entry::new(bytes, Duration::from_secs(9_999)));
    let outcome = bench.store.inner().replace(&key("ada"), held, &damaged).await.expect("the store answers");
    assert_eq!(outcome, ReplaceOutcome::Replaced);
}

async fn is_whole(bench: &Bench, user: &str) -> bool {
    load(bench, user).await.is_some_and(|list| SessionList::from_bytes(list.bytes()).is_ok())
}

fn id(visitor: &Visitor) -> SessionId {
    sessionkit_core::Token::parse(visitor.token().expect("a session").as_bytes()).expect("a token").id()
}

behaviour! {
    tests: [
        a_login_goes_on_and_the_list_is_begun_anew,
        p9_a_revocation_ends_what_a_damaged_list_named,
        p9_a_revocation_ends_what_the_list_named_before_it_was_begun_anew,
        the_others_are_ended_and_the_one_that_asks_stays,
        one_session_is_ended_without_a_scan,
        everyone_s_sessions_end_with_one_scan,
        a_list_is_complete_again_after_a_look,
        p9_a_login_that_has_seen_the_damaged_list_is_refused_after_a_revocation,
        p9_everyone_is_logged_out_and_the_next_call_meets_no_damage,
        a_logout_and_a_list_go_on,
        logins_at_once_begin_it_anew_once,
    ];

    type Answered = Result<Reply, SessionRejection>;

    async fn login(auth: Auth, body: Body) -> Answered {
        auth.login(body).await?;
        Ok(Reply::ok("welcome"))
    }

    async fn logout(auth: Auth) -> Answered {
        auth.logout().await?;
        Ok(Reply::ok("bye"))
    }

    async fn user(auth: Auth) -> Answered {
        Ok(Reply::ok(auth.user_id().await?.as_deref().unwrap_or("nobody")))
    }

    async fn devices(auth: Auth) -> Answered {
        Ok(Reply::ok(auth.devices().list().await?.len()))
    }

    async fn end_others(auth: Auth) -> Answered {
        auth.devices().end_others().await?;
        Ok(Reply::ok("ended"))
    }

    async fn start(bench: &Bench) -> Server {
        start_over(bench, bench.manager()).await
    }

    async fn start_over(bench: &Bench, manager: sessionkit::SessionManager) -> Server {
        let routes = routes![
            "/login" => login, "/logout" => logout, "/user" => user, "/devices" => devices, "/end_others" => end_others,
        ];
        serve_with(bench, manager, routes).await
    }

    fn tracked(bench: Bench) -> Bench {
        bench.with_config(|config| config.track_devices(true))
    }

    /// People who are logged in: `ada` twice, and `bob`.
    async fn people(server: &Server) -> [Visitor; 3] {
        let people = [(); 3].map(|()| server.visitor());
        for (visitor, name) in people.iter().zip(["ada", "ada", "bob"]) {
            assert_eq!(visitor.post("/login", name).await.status, 200);
        }
        people
    }

    async fn who(visitor: &Visitor) -> String {
        visitor.get("/user").await.body
    }

    async fn a_login_goes_on_and_the_list_is_begun_anew(bench: Bench) {
        let bench = tracked(bench);
        let (server, log) = (start(&bench).await, Log::collect());
        let [first, second, bob] = people(&server).await;
        for how in DAMAGES {
            damage(&bench, how).await;
            let reports = log.text().matches("the list of a user").count();
            let third = server.visitor();
            assert_eq!(third.post("/login", "ada").await.status, 200, "{how:?}");
            assert!(is_whole(&bench, "ada").await, "{how:?}");
            assert!(log.text().matches("the list of a user").count() > reports, "{how:?}: an event says so");
            for visitor in [&first, &second, &third] {
                assert_eq!(who(visitor).await, "ada", "{how:?}");
            }
            assert_eq!(first.get("/devices").await.body, "3", "{how:?}: they are found");
            assert_eq!(third.get("/logout").await.status, 200, "{how:?}");
            assert_eq!((who(&bob).await.as_str(), bob.get("/devices").await.body.as_str()), ("bob", "1"), "{how:?}");
        }
    }

    async fn p9_a_revocation_ends_what_a_damaged_list_named(bench: Bench) {
        let bench = tracked(bench);
        let server = start(&bench).await;
        for how in DAMAGES {
            let [first, second, bob] = people(&server).await;
            damage(&bench, how).await;
            bench.manager().devices_of("ada").end_all().await.unwrap();
            for visitor in [&first, &second] {
                assert_eq!(who(visitor).await, "nobody", "[P9] {how:?}");
            }
            assert_eq!(who(&bob).await, "bob", "{how:?}");
            assert!(is_whole(&bench, "ada").await, "{how:?}");
        }
    }

    async fn p9_a_revocation_ends_what_the_list_named_before_it_was_begun_anew(bench: Bench) {
        let bench = tracked(bench);
        let server = start(&bench).await;
        for how in DAMAGES {
            let [first, second, bob] = people(&server).await;
            damage(&bench, how).await;
            let third = server.visitor();
            assert_eq!(third.post("/login", "ada").await.status, 200, "{how:?}");
            // However much later: nobody has looked since.
            bench.clock.advance(Duration::from_secs(600));
            bench.manager().devices_of("ada").end_all().await.unwrap();
            for visitor in [&first, &second, &third] {
                assert_eq!(who(visitor).await, "nobody", "[P9] {how:?}");
            }
            assert_eq!(who(&bob).await, "bob", "{how:?}");
        }
    }

    async fn the_others_are_ended_and_the_one_that_asks_stays(bench: Bench) {
        let bench = tracked(bench);
        let server = start(&bench).await;
        for how in DAMAGES {
            let [first, second, _bob] = people(&server).await;
            damage(&bench, how).await;
            let third = server.visitor();
            third.post("/login", "ada").await;
            assert_eq!(first.get("/end_others").await.status, 200, "{how:?}");
            let left = [who(&first).await, who(&second).await, who(&third).await];
            assert_eq!(left, ["ada", "nobody", "nobody"], "[P9] {how:?}");
            bench.manager().devices_of("ada").end_all().await.unwrap();
            assert_eq!(who(&first).await, "nobody", "[P9] {how:?}: it is in the list again");
        }
    }

    async fn one_session_is_ended_without_a_scan(bench: Bench) {
        let bench = tracked(bench);
        let server = start(&bench).await;
        for how in DAMAGES {
            let [first, second, bob] = people(&server).await;
            damage(&bench, how).await;
            bench.store.take();
            let devices = bench.manager().devices_of("ada");
            assert!(devices.end(id(&first)).await.unwrap(), "{how:?}");
            assert!(!devices.end(id(&bob)).await.unwrap(), "{how:?}: it is none of hers");
            assert_eq!(bench.store.take().scan, 0, "{how:?}");
            assert!(bench.manager().end_session(id(&second)).await.unwrap(), "{how:?}");
            let left = [who(&first).await, who(&second).await, who(&bob).await];
            assert_eq!(left, ["nobody", "nobody", "bob"], "{how:?}");
        }
    }

    async fn everyone_s_sessions_end_with_one_scan(bench: Bench) {
        let bench = bench.with_config(|config| config.track_devices(true).ttl(Duration::from_secs(86_400)));
        let server = start(&bench).await;
        let [first, ..] = people(&server).await;
        damage(&bench, Damage::Cut).await;
        server.visitor().post("/login", "ada").await;
        bench.clock.advance(Duration::from_secs(61));
        bench.store.take();
        assert_eq!(bench.manager().end_everyone().await.unwrap(), 4);
        let scans = bench.store.take().scan;
        bench.manager().end_everyone().await.unwrap();
        assert_eq!(bench.store.take().scan, scans, "the sessions are looked at once, whatever was damaged");
        assert_eq!((who(&first).await.as_str(), bench.sessions()), ("nobody", 0), "[P9]");
    }

    async fn a_list_is_complete_again_after_a_look(bench: Bench) {
        let bench = bench.with_config(|config| config.track_devices(true).ttl(Duration::from_secs(86_400)));
        let server = start(&bench).await;
        let [first, _second, _bob] = people(&server).await;
        damage(&bench, Damage::Short).await;
        server.visitor().post("/login", "ada").await;
        bench.clock.advance(Duration::from_secs(61));
        bench.store.take();
        assert_eq!(first.get("/devices").await.body, "3");
        assert!(bench.store.take().scan > 0);
        let listed = bench.listed("ada").await;
        assert_eq!(listed.len(), 3);
        assert_eq!(first.get("/devices").await.body, "3");
        bench.manager().devices_of("ada").end_all().await.unwrap();
        assert_eq!(bench.store.take().scan, 0, "nothing is looked for once it is complete");
        assert_eq!(bench.sessions(), 1, "[P9] bob's");
    }

    /// The epoch that a login has seen never comes back, whatever is damaged between its look and its end.
    async fn p9_a_login_that_has_seen_the_damaged_list_is_refused_after_a_revocation(bench: Bench) {
        let bench = bench.with_config(|config| config.track_devices(true).commit_deadline(Duration::from_secs(20)));
        let held = HeldStore::new(bench.store.inner().clone(), &bench.gates);
        let slow = start_over(&bench, bench.manager_over(held.clone())).await;
        let server = start(&bench).await;
        for how in DAMAGES {
            people(&server).await;
            for begins_with_session in [false, true] {
                let late = slow.visitor();
                if begins_with_session {
                    late.post("/login", "eve").await;
                }
                held.hold("before replace of a list");
                let login = {
                    let late = late.clone();
                    tokio::spawn(async move { late.post("/login", "ada").await })
                };
                bench.gates.arrived("before replace of a list", 1).await;
                damage(&bench, how).await;
                bench.manager().devices_of("ada").end_all().await.unwrap();
                // Somebody else has begun a list since; it has the login's entry under no circumstances.
                assert_eq!(server.visitor().post("/login", "ada").await.status, 200);
                held.release("before replace of a list");
                bench.gates.open("before replace of a list", 1);
                let answer = login.await.unwrap();
                assert_eq!(answer.status, 409, "[P9] {how:?}, {begins_with_session}: {answer:?}");
                assert_ne!(who(&late).await, "ada", "[P9] {how:?}, {begins_with_session}");
                bench.manager().devices_of("ada").end_all().await.unwrap();
            }
        }
    }

    async fn p9_everyone_is_logged_out_and_the_next_call_meets_no_damage(bench: Bench) {
        let bench = tracked(bench);
        let server = start(&bench).await;
        for how in DAMAGES {
            let people = people(&server).await;
            damage(&bench, how).await;
            let error = bench.manager().end_everyone().await.expect_err("a login of hers may be under way");
            assert_eq!(error.kind(), SessionErrorKind::StoreCorrupt, "{how:?}");
            for visitor in &people {
                assert_eq!(who(visitor).await, "nobody", "[P9] {how:?}");
            }
            let again = server.visitor();
            assert_eq!(bench.manager().end_everyone().await.unwrap(), 0, "{how:?}: the damage is mended");
            assert_eq!(again.post("/login", "ada").await.status, 200, "{how:?}");
            assert_eq!(again.get("/devices").await.body, "1", "{how:?}");
            assert_eq!(bench.manager().end_everyone().await.unwrap(), 1, "{how:?}");
            assert_eq!(who(&again).await, "nobody", "{how:?}");
        }
    }

    async fn a_logout_and_a_list_go_on(bench: Bench) {
        let bench = tracked(bench);
        let server = start(&bench).await;
        for how in DAMAGES {
            let [first, second, _bob] = people(&server).await;
            damage(&bench, how).await;
            assert_eq!(second.get("/devices").await.body, "2", "{how:?}");
            damage(&bench, how).await;
            assert_eq!((first.get("/logout").await.status, who(&first).await.as_str()), (200, "nobody"), "{how:?}");
            assert_eq!(second.get("/devices").await.body, "1", "{how:?}");
            second.get("/logout").await;
        }
    }

    async fn logins_at_once_begin_it_anew_once(bench: Bench) {
        let bench = tracked(bench);
        let server = start(&bench).await;
        for how in DAMAGES {
            people(&server).await;
            damage(&bench, how).await;
            let logins: Vec<_> = (0..8)
                .map(|_| {
                    let visitor = server.visitor();
                    tokio::spawn(async move {
                        let status = visitor.post("/login", "ada").await.status;
                        (status, visitor)
                    })
                })
                .collect();
            let mut alive = Vec::new();
            for login in logins {
                let (status, visitor) = login.await.unwrap();
                // One that has met the list before it was whole may have to be tried again.
                assert!(status == 200 || status == 409, "{how:?}: {status}");
                alive.extend((status == 200).then_some(visitor));
            }
            assert!(!alive.is_empty(), "{how:?}");
            for visitor in &alive {
                assert_eq!(who(visitor).await, "ada", "{how:?}");
            }
            bench.manager().devices_of("ada").end_all().await.unwrap();
            for visitor in &alive {
                assert_eq!(who(visitor).await, "nobody", "[P9] {how:?}");
            }
        }
    }
}

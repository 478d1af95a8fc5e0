//! A session that is ended by somebody else than its user is told of once, however many end it at once.

use std::collections::BTreeSet;

use sessionkit::testing::TestUsers;
use sessionkit::{CredentialStamp, SessionId, SessionManager, SessionManagerBuilder, SessionUser};
use sessionkit_tests::behaviour;
use sessionkit_tests::harness::{Bench, HeldStore, Server, Visitor};

use crate::support::{Recorded, RecordedEvent};

#[derive(Clone)]
struct Account {
    password_hash: &'static str,
}

impl SessionUser for Account {
    fn credential_stamp(&self) -> Option<CredentialStamp> {
        Some(CredentialStamp::of(self.password_hash))
    }
}

fn id(visitor: &Visitor) -> String {
    let token = visitor.token().expect("the visitor has a session");
    sessionkit_core::Token::parse(token.as_bytes()).expect("it is a token").id().to_string()
}

/// Each of these sessions was revoked once, for this reason, and nothing else happened.
fn assert_revoked(seen: &[RecordedEvent], sessions: &BTreeSet<String>, reason: &str) {
    let revoked: BTreeSet<String> = seen.iter().map(|seen| seen.session.clone()).collect();
    assert_eq!((&revoked, seen.len()), (sessions, sessions.len()), "{seen:#?}");
    for seen in seen {
        assert_eq!((&*seen.name, &*seen.reason, &*seen.user), ("revoked", reason, "ada"));
    }
}

behaviour! {
    tests: [
        two_administrators_at_once_revoke_each_session_once,
        a_user_who_ends_their_devices_revokes_each_session_once,
        a_session_without_an_entry_is_revoked_once,
        what_makes_room_is_revoked_once,
        two_requests_of_a_user_who_is_gone_revoke_the_session_once,
    ];

    type Answered = Result<Reply, SessionRejection>;

    async fn login(auth: Auth) -> Answered {
        auth.login("ada").credential_stamp(CredentialStamp::of("first")).await?;
        Ok(Reply::ok("ada"))
    }

    async fn end_all(auth: Auth) -> Answered {
        auth.devices().end_all().await?;
        Ok(Reply::ok("ended"))
    }

    async fn end_this(auth: Auth) -> Answered {
        let this = auth.info().await?.map(|info| info.id).unwrap_or(SessionId::from_bytes([0; 16]));
        Ok(Reply::ok(auth.devices().end(this).await?))
    }

    async fn home(user: Option<User<Account>>) -> Reply {
        Reply::ok(user.is_some())
    }

    async fn start(bench: &Bench, builder: SessionManagerBuilder) -> (Server, SessionManager, Recorded) {
        let recorded = Recorded::default();
        let manager = builder.event_sink(recorded.clone()).build();
        let routes = routes!["/login" => login, "/end/all" => end_all, "/end/this" => end_this, "/home" => home];
        (serve_with(bench, manager.clone(), routes).await, manager, recorded)
    }

    async fn logged_in<const N: usize>(server: &Server) -> ([Visitor; N], BTreeSet<String>) {
        let visitors = std::array::from_fn(|_| server.visitor());
        for visitor in &visitors {
            assert_eq!(visitor.get("/login").await.status, 200);
        }
        let ids = visitors.iter().map(id).collect();
        (visitors, ids)
    }

    async fn two_administrators_at_once_revoke_each_session_once(bench: Bench) {
        let bench = bench.with_config(|config| config.track_devices(true));
        let held = HeldStore::new(bench.store.clone(), &bench.gates);
        let (server, manager, recorded) = start(&bench, bench.builder_over(held.clone())).await;
        let (_visitors, ids) = logged_in::<3>(&server).await;
        recorded.take();
        held.hold("before remove");
        let end = || {
            let manager = manager.clone();
            tokio::spawn(async move { manager.devices_of("ada").end_all().await })
        };
        let administrators = [end(), end()];
        // Both were told of all sessions.
        bench.gates.arrived("before remove", 2).await;
        held.release("before remove");
        bench.gates.open("before remove", 2);
        for administrator in administrators {
            administrator.await.expect("it does not panic").expect("the store answers");
        }
        assert_revoked(&recorded.take(), &ids, "ended from the list of devices");
        assert_eq!(bench.sessions(), 0);
    }

    async fn a_user_who_ends_their_devices_revokes_each_session_once(bench: Bench) {
        let bench = bench.with_config(|config| config.track_devices(true));
        let (server, _, recorded) = start(&bench, bench.builder()).await;
        let (visitors, ids) = logged_in::<2>(&server).await;
        recorded.take();
        visitors[0].get("/end/all").await;
        let seen = recorded.take();
        assert_revoked(&seen, &ids, "ended from the list of devices");
        assert!(seen.iter().all(|seen| seen.route == "GET /end/all"), "{seen:#?}");
    }

    async fn a_session_without_an_entry_is_revoked_once(bench: Bench) {
        let (before, ..) = start(&bench, bench.builder()).await;
        let bench = bench.with_config(|config| config.track_devices(true));
        let (server, _, recorded) = start(&bench, bench.builder()).await;
        for (path, body) in [("/end/all", "ended"), ("/end/this", "true")] {
            let ([visitor], ids) = logged_in::<1>(&before).await;
            recorded.take();
            assert_eq!(visitor.at(&server).get(path).await.body, body, "{path}");
            assert_revoked(&recorded.take(), &ids, "ended from the list of devices");
            assert_eq!((visitor.token(), bench.sessions()), (None, 0), "{path}");
        }
    }

    async fn what_makes_room_is_revoked_once(bench: Bench) {
        let bench = bench.with_config(|config| config.track_devices(true).max_devices(1));
        let (server, _, recorded) = start(&bench, bench.builder()).await;
        let (_visitors, ids) = logged_in::<1>(&server).await;
        recorded.take();
        server.visitor().get("/login").await;
        let seen = recorded.take();
        assert_revoked(&seen[..1], &ids, "another login took its place");
        assert_eq!((seen.len(), &*seen[1].name), (2, "login"));
    }

    async fn two_requests_of_a_user_who_is_gone_revoke_the_session_once(bench: Bench) {
        for reason in ["there is no such user", "the credentials changed after the login"] {
            let held = HeldStore::new(bench.store.clone(), &bench.gates);
            let users = TestUsers::new([("ada", Account { password_hash: "first" })]);
            let builder = bench.builder_over(held.clone()).user_loader(users.clone());
            let (server, _, recorded) = start(&bench, builder).await;
            let ([visitor], ids) = logged_in::<1>(&server).await;
            assert_eq!(visitor.get("/home").await.body, "true");
            if reason == "there is no such user" {
                users.remove("ada");
            } else {
                users.insert("ada", Account { password_hash: "second" });
            }
            recorded.take();
            held.hold("before remove");
            let tabs = [visitor.fork(), visitor.fork()].map(|tab| tab.get_in_background("/home"));
            bench.gates.arrived("before remove", 2).await;
            held.release("before remove");
            bench.gates.open("before remove", 2);
            for tab in tabs {
                assert_eq!(tab.await.expect("the request ends").body, "false", "{reason}");
            }
            assert_revoked(&recorded.take(), &ids, reason);
        }
    }
}

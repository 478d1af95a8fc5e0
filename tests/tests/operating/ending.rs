//! Ending a session by its id, for any user.

use std::time::Duration;

use sessionkit::store::{EntryKey, Generation, InsertOutcome, Revision, Store as _};
use sessionkit::testing::TestSession;
use sessionkit::{SessionId, SessionScope};
use sessionkit_tests::behaviour;
use sessionkit_tests::harness::{Answer, Bench, HeldStore, Server, Visitor};

use crate::support::Heard;

struct Office;

impl SessionScope for Office {
    const NAME: &'static str = "Office";
    type Home = sessionkit::OnServer;
}

const REASON: &str = "ended by an operator";

fn id(visitor: &Visitor) -> SessionId {
    let token = visitor.token().expect("the visitor has a session");
    sessionkit_core::Token::parse(token.as_bytes()).expect("it is a token").id()
}

fn revoked(user: &str) -> (String, String, String) {
    ("revoked".to_owned(), REASON.to_owned(), user.to_owned())
}

/// The requests from a tab while the session is being ended. None of them saves it.
const MEANWHILE: [&str; 4] = ["/bob", "/rotate", "/ada", "/visit"];

behaviour! {
    tests: [
        a_users_session_ends_and_leaves_the_list,
        a_session_that_began_without_a_list_ends,
        a_visitors_session_ends,
        another_scopes_session_stays,
        an_expired_session_goes_without_an_event,
        what_cannot_be_read_goes,
        whatever_another_tab_does_meanwhile_the_session_ends,
        a_login_under_way_with_its_cookie_fails,
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

    async fn rotate(auth: Auth) -> Answered {
        auth.rotate().await?;
        Ok(Reply::ok("rotated"))
    }

    async fn visit(auth: Auth) -> Answered {
        auth.dynamic().await?.insert("visited", &true)?;
        Ok(Reply::ok(auth.user_id().await?.as_deref().unwrap_or("nobody")))
    }

    async fn start(bench: &Bench) -> Server {
        serve(bench, routes!["/ada" => ada, "/bob" => bob, "/rotate" => rotate, "/visit" => visit]).await
    }

    async fn a_users_session_ends_and_leaves_the_list(bench: Bench) {
        let bench = bench.with_config(|config| config.track_devices(true));
        let (server, heard) = (start(&bench).await, Heard::default());
        let (gone, other) = (server.visitor(), server.visitor());
        for visitor in [&gone, &other] {
            visitor.get("/ada").await;
        }
        let (ended, stays) = (id(&gone), id(&other));
        let manager = bench.builder().event_sink(heard.clone()).build();
        assert!(manager.end_session(ended).await.unwrap());
        assert_eq!(heard.take(), [revoked("ada")]);
        let devices = manager.devices_of("ada").list().await.unwrap();
        assert_eq!(devices.iter().map(|device| device.id).collect::<Vec<_>>(), [stays]);
        assert!(!manager.end_session(ended).await.unwrap(), "there is none any more");
        assert!(heard.take().is_empty());
        assert_eq!((gone.get("/visit").await.body, other.get("/visit").await.body), ("nobody".into(), "ada".into()));
    }

    async fn a_session_that_began_without_a_list_ends(bench: Bench) {
        let (server, heard) = (start(&bench).await, Heard::default());
        let [first, second] = [server.visitor(), server.visitor()];
        for visitor in [&first, &second] {
            visitor.get("/ada").await;
        }
        let without = bench.builder().event_sink(heard.clone()).build();
        assert!(without.end_session(id(&first)).await.unwrap());
        let bench = bench.with_config(|config| config.track_devices(true));
        let with = bench.builder().event_sink(heard.clone()).build();
        assert!(with.end_session(id(&second)).await.unwrap());
        assert_eq!(heard.take(), [revoked("ada"), revoked("ada")]);
        assert_eq!(bench.sessions(), 0);
    }

    async fn a_visitors_session_ends(bench: Bench) {
        let (server, heard) = (start(&bench).await, Heard::default());
        let visitor = server.visitor();
        visitor.get("/visit").await;
        let manager = bench.builder().event_sink(heard.clone()).build();
        assert!(manager.end_session(id(&visitor)).await.unwrap());
        assert_eq!((heard.take(), bench.sessions()), (vec![revoked("")], 0));
    }

    async fn another_scopes_session_stays(bench: Bench) {
        let office = bench.manager_of::<Office>();
        let session = TestSession::new(&office).login("ada").await;
        let id = session.info().await.expect("there is one").id;
        assert!(!bench.manager().end_session(id).await.unwrap());
        assert_eq!(bench.sessions(), 1);
        assert!(office.end_session(id).await.unwrap());
        assert!(session.is_over().await);
    }

    async fn an_expired_session_goes_without_an_event(bench: Bench) {
        let bench = bench.with_config(|config| config.ttl(Duration::from_secs(60)));
        let (server, heard) = (start(&bench).await, Heard::default());
        let visitor = server.visitor();
        visitor.get("/ada").await;
        bench.clock.advance(Duration::from_secs(60));
        let manager = bench.builder().event_sink(heard.clone()).build();
        assert!(manager.end_session(id(&visitor)).await.unwrap());
        assert_eq!((heard.take(), bench.sessions()), (Vec::new(), 0));
    }

    async fn what_cannot_be_read_goes(bench: Bench) {
        let heard = Heard::default();
        let manager = bench.builder().event_sink(heard.clone()).build();
        for (number, first) in [(1, 0), (2, 31)] {
            // Damage, and what a later release wrote.
            let id = SessionId::from_bytes([number; 16]);
            let mut bytes = [0; 80];
            bytes[0] = first;
            bytes[Revision::RANGE].copy_from_slice(&[1; 8]);
            bytes[Generation::RANGE].copy_from_slice(&[0, 0, 0, number]);
            let entry = sessionkit::store::Entry::new(&bytes[..], Duration::from_secs(60));
            assert_eq!(bench.store.insert(&EntryKey::session(id), &entry).await.unwrap(), InsertOutcome::Inserted);
            assert!(manager.end_session(id).await.unwrap(), "{first}");
        }
        assert_eq!((heard.take(), bench.sessions()), (vec![revoked(""), revoked("")], 0));
    }

    async fn whatever_another_tab_does_meanwhile_the_session_ends(bench: Bench) {
        let bench = bench.with_config(|config| config.track_devices(true));
        let server = start(&bench).await;
        for path in MEANWHILE {
            let visitor = server.visitor();
            visitor.get("/ada").await;
            let (id, held) = (id(&visitor), HeldStore::new(bench.store.clone(), &bench.gates));
            held.hold("before remove");
            let operator = bench.manager_over(held.clone());
            let ending = tokio::spawn(async move { operator.end_session(id).await });
            bench.gates.arrived("before remove", 1).await;
            assert_eq!(visitor.get(path).await.status, 200, "{path}");
            held.release("before remove");
            bench.gates.open("before remove", 1);
            assert!(ending.await.unwrap().unwrap(), "{path}");
            assert_eq!(visitor.get("/visit").await.body, "nobody", "{path}");
            for user in ["ada", "bob"] {
                assert_eq!(bench.manager().devices_of(user).list().await.unwrap().len(), 0, "{path}");
            }
        }
    }

    /// As it does when the user ends the session from the list: the login was not for another session.
    async fn a_login_under_way_with_its_cookie_fails(bench: Bench) {
        let bench = bench.with_config(|config| config.track_devices(true));
        let held = HeldStore::new(bench.store.clone(), &bench.gates);
        let routes = || routes!["/ada" => ada];
        let (server, slow) = (serve(&bench, routes()).await, serve_with(&bench, bench.manager_over(held.clone()), routes()).await);
        let visitor = server.visitor();
        visitor.get("/ada").await;
        held.hold("before load of a list");
        let login = visitor.at(&slow).get_in_background("/ada");
        bench.gates.arrived("before load of a list", 1).await;
        assert!(bench.manager().end_session(id(&visitor)).await.unwrap());
        bench.gates.open("before load of a list", 1);
        let Answer { status, .. } = login.await.unwrap();
        assert_eq!((status, bench.sessions()), (409, 0));
    }
}

//! Users that predicates look at: alone, and beside structs of the session.

use sessionkit::SessionData;
use sessionkit::testing::TestSession;
use sessionkit_tests::behaviour;
use sessionkit_tests::harness::{Bench, Log, Server};

use crate::accounts::{Account, Accounts, Mood};

#[derive(SessionData)]
struct Cart {
    items: Vec<u32>,
    paid: bool,
}

fn is_admin(account: &Account) -> bool {
    account.is_admin
}

behaviour! {
    tests: [
        row_23_a_predicate_over_the_user_costs_one_load_and_one_call,
        a_user_is_not_loaded_where_it_changes_nothing,
        a_guard_whose_user_cannot_be_loaded_lets_nobody_in,
        a_guard_ends_the_session_of_a_user_who_is_gone,
    ];

    #[session(require_login)]
    async fn login_only() -> Reply {
        Reply::ok("login")
    }

    #[session(require = is_admin)]
    async fn admin() -> Reply {
        Reply::ok("admin")
    }

    #[session(require = |account: &Account| -> Result<bool, String> { Ok(account.is_admin) })]
    async fn fallible() -> Reply {
        Reply::ok("fallible")
    }

    #[session(require = |account: &Account, cart: &Cart| account.is_admin && !cart.items.is_empty())]
    async fn both() -> Reply {
        Reply::ok("both")
    }

    #[session(require_login, require = |cart: &Cart| cart.paid, require = is_admin)]
    async fn paid() -> Reply {
        Reply::ok("paid")
    }

    #[session(require = is_admin)]
    async fn extracted(account: User<Account>, again: User<Account>, maybe: MaybeUser<Account>) -> Reply {
        let same = [Some(&account), Some(&again), maybe.as_ref()];
        Reply::ok(same.into_iter().flatten().filter(|one| one.name == "ada").count())
    }

    async fn free() -> Reply {
        Reply::ok("free")
    }

    async fn start(bench: &Bench) -> (Server, Accounts) {
        let accounts = Accounts::new(&bench.gates);
        let routes = routes![
            "/login" => login_only, "/admin" => admin, "/fallible" => fallible, "/both" => both, "/paid" => paid,
            "/extracted" => extracted, "/free" => free,
        ];
        (serve_with(bench, bench.builder().user_loader(accounts.clone()).build(), routes).await, accounts)
    }

    async fn row_23_a_predicate_over_the_user_costs_one_load_and_one_call(bench: Bench) {
        let (server, accounts) = start(&bench).await;
        let manager = bench.manager();
        let fill = |cart: &mut Cart| (cart.items, cart.paid) = (vec![1], true);
        let ada = server.visitor_with(&TestSession::new(&manager).login("ada").with(fill).await);
        let bob = server.visitor_with(&TestSession::new(&manager).login("bob").with(fill).await);
        bench.store.take();
        for (path, users, ada_gets, bob_gets) in [
            ("/free", 0, 200, 200),
            ("/login", 0, 200, 200),
            ("/admin", 1, 200, 403),
            ("/fallible", 1, 200, 403),
            ("/both", 1, 200, 403),
            ("/paid", 1, 200, 403),
            ("/extracted", 1, 200, 403),
        ] {
            for (visitor, id, status) in [(&ada, "ada", ada_gets), (&bob, "bob", bob_gets)] {
                assert_eq!(visitor.get(path).await.status, status, "{path} {id}");
                assert_eq!(accounts.calls(), vec![id; users], "{path} {id}");
                assert_eq!(bench.store.take().total(), usize::from(path != "/free"), "{path} {id}");
            }
        }
        assert_eq!(ada.get("/extracted").await.body, "3");
    }

    async fn a_user_is_not_loaded_where_it_changes_nothing(bench: Bench) {
        let (server, accounts) = start(&bench).await;
        let visitor = server.visitor();
        for path in ["/login", "/admin", "/fallible", "/both", "/paid", "/extracted"] {
            assert_eq!(visitor.get(path).await.status, 401, "{path}");
        }
        assert_eq!(accounts.calls(), [""; 0], "nobody is logged in");
        let ada = server.visitor_with(&TestSession::new(&bench.manager()).login("ada").await);
        assert_eq!(ada.get("/paid").await.status, 403);
        assert_eq!(accounts.calls(), [""; 0], "what is not paid is not hers, whoever she is");
        // In a predicate over both the user is asked for first, and the cart is empty.
        assert_eq!(ada.get("/both").await.status, 403);
        assert_eq!(accounts.calls(), ["ada"]);
    }

    async fn a_guard_whose_user_cannot_be_loaded_lets_nobody_in(bench: Bench) {
        let (server, accounts) = start(&bench).await;
        let ada = server.visitor_with(&TestSession::new(&bench.manager()).login("ada").await);
        for (mood, status) in [(Mood::Failing, 503), (Mood::PanickingAtOnce, 500), (Mood::Panicking, 500)] {
            accounts.set_mood(mood);
            for path in ["/admin", "/both", "/extracted"] {
                let answer = ada.get(path).await;
                assert_eq!((answer.status, answer.cookies().len()), (status, 0), "{mood:?} {path}: {answer:?}");
                assert!(!answer.body.contains("canary"), "{answer:?}");
                assert_eq!(accounts.calls(), ["ada"], "{mood:?} {path}");
            }
            assert_eq!(ada.get("/login").await.status, 200, "{mood:?}");
        }
        let log = Log::collect();
        let bare = serve(&bench, routes!["/admin" => admin]).await;
        let answer = bare.visitor().get("/admin").await;
        assert!(answer.status == 500 && log.text().contains("SessionManagerBuilder::user_loader"), "{answer:?} {}", log.text());
    }

    async fn a_guard_ends_the_session_of_a_user_who_is_gone(bench: Bench) {
        let (server, accounts) = start(&bench).await;
        for path in ["/admin", "/both", "/extracted"] {
            let ada = server.visitor_with(&TestSession::new(&bench.manager()).login("ada").await);
            let copy = ada.fork();
            let account = accounts.remove("ada");
            assert_eq!((ada.get(path).await.status, ada.token()), (401, None), "{path}");
            accounts.add(account);
            assert_eq!(copy.get("/login").await.status, 401, "{path}: it has ended in the store");
        }
    }
}

//! A user of whom the loader says that they do not exist: their session ends.

use std::time::Duration;

use sessionkit::SessionData;
use sessionkit::testing::{Calls, TestSession};
use sessionkit_tests::behaviour;
use sessionkit_tests::harness::{Bench, HeldStore, Log, Server, Visitor};

use crate::accounts::{Account, Accounts, Mood};

#[derive(SessionData)]
struct Cart {
    items: Vec<u32>,
}

behaviour! {
    tests: [
        row_22_a_user_who_is_gone_is_logged_out_for_good,
        changes_of_a_user_who_is_gone_are_not_kept,
        somebody_who_logged_in_meanwhile_keeps_the_session,
        a_session_that_cannot_be_ended_is_503,
        the_device_of_whoever_is_gone_leaves_the_list_at_once,
    ];

    type Answered = Result<Reply, SessionRejection>;

    async fn profile(user: User<Account>) -> Reply {
        Reply::ok(&user.name)
    }

    async fn home(user: Option<User<Account>>) -> Reply {
        Reply::ok(user.map_or("nobody".to_owned(), |user| user.name.clone()))
    }

    async fn maybe(MaybeUser(user): MaybeUser<Account>) -> Reply {
        Reply::ok(user.as_ref().map_or("nobody", |user| &user.name))
    }

    async fn who(auth: Auth) -> Answered {
        Ok(Reply::ok(auth.user_id().await?.as_deref().unwrap_or("nobody")))
    }

    async fn login(auth: Auth, user: String) -> Answered {
        auth.login(&user).await?;
        Ok(Reply::ok(user))
    }

    async fn add(mut cart: Session<Cart>, auth: Auth) -> Answered {
        cart.items.push(7);
        let user = auth.user::<Account>().await?.map_or("nobody".to_owned(), |user| user.name.clone());
        drop(cart);
        let mut now = auth.checkout::<Cart>().await?;
        now.items.push(8);
        Ok(Reply::ok(format!("{user} {:?}", now.items)))
    }

    async fn items(cart: SessionView<Cart>) -> Reply {
        Reply::ok(format!("{:?}", cart.items))
    }

    async fn start(bench: &Bench) -> (Server, Accounts) {
        let accounts = Accounts::new(&bench.gates);
        let routes = routes![
            "/profile" => profile, "/home" => home, "/maybe" => maybe, "/who" => who, "/login" => login,
            "/add" => add, "/items" => items,
        ];
        (serve_with(bench, bench.builder().user_loader(accounts.clone()).build(), routes).await, accounts)
    }

    async fn somebody(server: &Server, user: &str) -> Visitor {
        let visitor = server.visitor();
        assert_eq!(visitor.post("/login", user).await.body, user);
        visitor
    }

    async fn row_22_a_user_who_is_gone_is_logged_out_for_good(bench: Bench) {
        let log = Log::collect();
        let (server, accounts) = start(&bench).await;
        for (path, status) in [("/profile", 401), ("/home", 200), ("/maybe", 200)] {
            let ada = somebody(&server, "ada").await;
            let (elsewhere, bob) = (ada.fork(), somebody(&server, "bob").await);
            let account = accounts.remove("ada");
            assert_eq!(ada.fork().get("/who").await.body, "ada", "nobody asked who that is");
            let answer = ada.get(path).await;
            assert_eq!((answer.status, ada.token()), (status, None), "{path}: the cookie goes");
            assert!(status == 401 || answer.body == "nobody", "{path}");
            assert_eq!(accounts.calls(), ["ada"], "{path}");
            accounts.add(account);
            assert_eq!(elsewhere.get("/who").await.body, "nobody", "{path}: the session has ended in the store");
            assert_eq!(bob.get(path).await.body, "bob", "{path}: nobody else's session has");
            assert_eq!(accounts.calls(), ["bob"], "{path}");
        }
        assert!(log.text().contains("there is no such user"));
    }

    async fn changes_of_a_user_who_is_gone_are_not_kept(bench: Bench) {
        let (server, accounts) = start(&bench).await;
        let ada = somebody(&server, "ada").await;
        assert_eq!(ada.get("/add").await.body, "ada [7, 8]");
        accounts.remove("ada");
        // What the visitor does after that is a new, anonymous session's.
        assert_eq!(ada.get("/add").await.body, "nobody [8]");
        assert_eq!((ada.get("/items").await.body, ada.get("/who").await.body), ("[8]".into(), "nobody".into()));
    }

    async fn somebody_who_logged_in_meanwhile_keeps_the_session(bench: Bench) {
        let (server, accounts) = start(&bench).await;
        let browser = somebody(&server, "ada").await;
        accounts.remove("ada");
        accounts.set_mood(Mood::Gated);
        let first_tab = browser.fork().get_in_background("/home");
        bench.gates.arrived("loader", 1).await;
        accounts.set_mood(Mood::Willing);
        browser.post("/login", "bob").await;
        bench.gates.open("loader", 1);
        let answer = first_tab.await.unwrap();
        assert_eq!((&*answer.body, answer.cookies().len()), ("nobody", 0), "the new cookie stays in the browser");
        assert_eq!(browser.get("/profile").await.body, "bob");
    }

    async fn the_device_of_whoever_is_gone_leaves_the_list_at_once(bench: Bench) {
        let bench = bench.with_config(|config| config.track_devices(true));
        let (server, accounts) = start(&bench).await;
        let ada = somebody(&server, "ada").await;
        accounts.remove("ada");
        bench.store.take();
        assert_eq!(ada.get("/home").await.body, "nobody");
        assert_eq!(bench.store.take(), Calls { load: 1, remove: 1, lists: 2, ..Calls::default() });
        assert!(bench.manager().devices_of("ada").list().await.unwrap().is_empty());
        assert_eq!(bench.store.take(), Calls { lists: 1, ..Calls::default() }, "there is no entry to look at");
    }

    async fn a_session_that_cannot_be_ended_is_503(bench: Bench) {
        let bench = bench.with_config(|config| config.commit_deadline(Duration::from_millis(100)));
        let accounts = Accounts::new(&bench.gates);
        let store = HeldStore::new(bench.store.clone(), &bench.gates);
        let manager = bench.builder_over(store.clone()).user_loader(accounts.clone()).build();
        let routes = routes!["/profile" => profile, "/home" => home, "/maybe" => maybe, "/who" => who];
        let server = serve_with(&bench, manager, routes).await;
        for gate in ["before remove", "after remove"] {
            let ada = server.visitor_with(&TestSession::new(&bench.manager()).login("ada").await);
            let account = accounts.remove("ada");
            store.hold(gate);
            for path in ["/profile", "/home", "/maybe"] {
                let answer = ada.fork().get(path).await;
                // Nobody learned that the session was removed.
                let ended = gate == "after remove" && path != "/profile";
                assert_eq!(answer.status, if ended { 200 } else { 503 }, "{gate} {path}: {answer:?}");
                assert_eq!(answer.cookies().len(), 0, "{gate} {path}");
            }
            store.release(gate);
            let answer = ada.get("/home").await;
            assert_eq!((&*answer.body, &*ada.get("/who").await.body), ("nobody", "nobody"), "{gate}");
            accounts.add(account);
        }
    }
}

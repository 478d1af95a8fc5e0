//! A login while the user is being loaded: the user before is nobody's any more, whatever the loader says of them.

use std::pin::pin;

use sessionkit_tests::behaviour;
use sessionkit_tests::harness::{Bench, HeldStore, Server};

use crate::accounts::{Account, Accounts, Mood};

behaviour! {
    tests: [
        row_22_a_login_while_the_user_is_loaded_asks_again,
        a_logout_while_the_user_is_loaded_is_nobody,
        a_login_that_comes_first_is_not_ended_in_place_of_the_user_before,
    ];

    type Answered = Result<Reply, SessionRejection>;

    /// Asks who it is, and logs somebody else in before there is an answer.
    async fn overtaken(auth: Auth, Shared(gates): Shared) -> Answered {
        let other = async {
            gates.arrived("loader", 1).await;
            auth.login("bob").await?;
            gates.open("loader", 2);
            Ok::<_, SessionRejection>(())
        };
        let (user, changed) = tokio::join!(auth.user::<Account>(), other);
        changed?;
        Ok(Reply::ok(user?.map_or("nobody".to_owned(), |user| user.name.clone())))
    }

    /// Learns that there is no such user while somebody else's login is at the store.
    async fn outrun(auth: Auth, Shared(gates): Shared) -> Answered {
        let login = tokio::spawn(auth.login("bob").into_future());
        gates.arrived("before replace", 1).await;
        let mut loading = pin!(auth.user::<Account>());
        // The loader answers at the second time, and then the end of the session waits for the login.
        for _ in 0..10 {
            assert!(futures_util::poll!(loading.as_mut()).is_pending());
            tokio::task::yield_now().await;
        }
        gates.open("before replace", 1);
        login.await.expect("it does not panic")?;
        Ok(Reply::ok(loading.await?.map_or("nobody".to_owned(), |user| user.name.clone())))
    }

    async fn left(auth: Auth, Shared(gates): Shared) -> Answered {
        let logout = async {
            gates.arrived("loader", 1).await;
            auth.logout().await?;
            gates.open("loader", 1);
            Ok::<_, SessionRejection>(())
        };
        let (user, changed) = tokio::join!(auth.user::<Account>(), logout);
        changed?;
        Ok(Reply::ok(user?.is_some()))
    }

    async fn login(auth: Auth) -> Answered {
        auth.login("ada").await?;
        Ok(Reply::ok("welcome"))
    }

    async fn who(auth: Auth) -> Answered {
        Ok(Reply::ok(auth.user_id().await?.as_deref().unwrap_or("nobody")))
    }

    async fn start(bench: &Bench) -> (Server, Accounts) {
        let accounts = Accounts::new(&bench.gates);
        let routes = routes!["/overtaken" => overtaken, "/left" => left, "/login" => login, "/who" => who];
        (serve_with(bench, bench.builder().user_loader(accounts.clone()).build(), routes).await, accounts)
    }

    async fn row_22_a_login_while_the_user_is_loaded_asks_again(bench: Bench) {
        let (server, accounts) = start(&bench).await;
        for exists in [true, false] {
            let visitor = server.visitor();
            visitor.get("/login").await;
            if !exists {
                accounts.remove("ada");
            }
            accounts.set_mood(Mood::Gated);
            assert_eq!(visitor.get("/overtaken").await.body, "bob", "ada exists: {exists}");
            assert_eq!(accounts.calls(), ["ada", "bob"]);
            assert_eq!(visitor.get("/who").await.body, "bob", "that ada is gone is no reason to end bob's session");
        }
        // Nor does it matter any more that ada could not be loaded.
        accounts.set_mood(Mood::Willing);
        let visitor = server.visitor();
        visitor.get("/login").await;
        accounts.set_mood(Mood::GatedFailingFor("ada"));
        let answer = visitor.get("/overtaken").await;
        assert_eq!((answer.status, &*answer.body), (200, "bob"));
    }

    async fn a_login_that_comes_first_is_not_ended_in_place_of_the_user_before(bench: Bench) {
        let accounts = Accounts::new(&bench.gates);
        let held = HeldStore::new(bench.store.clone(), &bench.gates);
        let manager = bench.builder_over(held.clone()).user_loader(accounts.clone()).build();
        let routes = routes!["/outrun" => outrun, "/login" => login, "/who" => who];
        let server = serve_with(&bench, manager, routes).await;
        let visitor = server.visitor();
        visitor.get("/login").await;
        accounts.remove("ada");
        held.hold("before replace");
        let outrun = visitor.get_in_background("/outrun");
        let answer = outrun.await.expect("the request ends");
        held.release("before replace");
        assert_eq!((&*answer.body, accounts.calls()), ("bob", vec!["ada".to_owned(), "bob".to_owned()]));
        assert_eq!(visitor.get("/who").await.body, "bob");
    }

    async fn a_logout_while_the_user_is_loaded_is_nobody(bench: Bench) {
        let (server, accounts) = start(&bench).await;
        accounts.set_mood(Mood::Gated);
        let visitor = server.visitor();
        visitor.get("/login").await;
        let answer = visitor.get("/left").await;
        assert_eq!((answer.status, &*answer.body, visitor.token()), (200, "false", None));
        assert_eq!(accounts.calls(), ["ada"]);
    }
}

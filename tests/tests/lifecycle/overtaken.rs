//! A login whose session has ended, or has another token, by the time that it gets there.

use sessionkit::SessionData;
use sessionkit_tests::behaviour_everywhere;
use sessionkit_tests::harness::Bench;

#[derive(SessionData)]
struct Cart {
    items: Vec<String>,
}

behaviour_everywhere! {
    tests: [p3_a_login_that_was_overtaken_begins_with_nothing_of_the_session_before];

    type Answered = Result<Reply, SessionRejection>;

    async fn add(mut cart: Session<Cart>) -> Reply {
        cart.items.push("stored".into());
        Reply::ok("added")
    }

    async fn add_and_login(mut cart: Session<Cart>, auth: Auth, Shared(gates): Shared) -> Answered {
        cart.items.push("before".into());
        drop(cart);
        gates.pass("login").await;
        auth.login("ada").await?;
        auth.checkout::<Cart>().await?.items.push("after".into());
        Ok(Reply::ok("welcome"))
    }

    async fn rotate(auth: Auth) -> Answered {
        auth.rotate().await?;
        Ok(Reply::ok("rotated"))
    }

    async fn logout(auth: Auth) -> Answered {
        auth.logout().await?;
        Ok(Reply::ok("bye"))
    }

    async fn about(auth: Auth, cart: SessionView<Cart>) -> Answered {
        Ok(Reply::ok(format!("{} {:?}", auth.user_id().await?.as_deref().unwrap_or("nobody"), cart.items)))
    }

    async fn p3_a_login_that_was_overtaken_begins_with_nothing_of_the_session_before(bench: Bench) {
        let routes = routes![
            "/add" => add, "/add-and-login" => add_and_login, "/rotate" => rotate, "/logout" => logout, "/about" => about,
        ];
        let server = serve(&bench, routes).await;
        for (end, left) in [("/logout", "nobody []"), ("/rotate", r#"nobody ["stored"]"#)] {
            let visitor = server.visitor();
            visitor.get("/add").await;
            let other = visitor.fork();
            let login = other.get_in_background("/add-and-login");
            bench.gates.arrived("login", 1).await;
            visitor.get(end).await;
            bench.gates.open("login", 1);
            let answer = login.await.expect("the request ends");
            assert_eq!((answer.status, answer.cookies().len()), (200, 1), "[P3] valid credentials never fail");
            assert_eq!(other.get("/about").await.body, r#"ada ["after"]"#, "{end}");
            assert_eq!(visitor.get("/about").await.body, left, "{end}");
        }
    }
}

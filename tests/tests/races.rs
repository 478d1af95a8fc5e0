//! Requests that race: each meets the others at gates, so that the order is the test's and not the scheduler's.

use sessionkit::SessionData;
use sessionkit_tests::behaviour_everywhere;
use sessionkit_tests::harness::{Bench, Server, Visitor};

#[derive(Debug, SessionData)]
pub struct Shop {
    last_viewed: String,
    #[session(merge = add)]
    views: u64,
    #[session(merge = append)]
    history: Vec<u32>,
    #[session(flash)]
    notice: Option<String>,
}

/// A visitor who is logged in.
async fn logged_in(server: &Server, user: &str) -> Visitor {
    let visitor = server.visitor();
    let answer = visitor.get(&format!("/login/{user}")).await;
    assert_eq!((answer.status, answer.cookies().len()), (200, 1));
    visitor
}

/// Sends a request in the background.
fn begin(visitor: &Visitor, path: &str) -> tokio::task::JoinHandle<sessionkit_tests::harness::Answer> {
    let (visitor, path) = (visitor.clone(), path.to_owned());
    tokio::spawn(async move { visitor.get(&path).await })
}

behaviour_everywhere! {
    tests: [
        row_19_p1_a_slow_writer_does_not_bring_a_session_back_after_a_logout,
        p3_a_slow_writer_does_not_write_after_a_login,
        p2_fifty_parallel_additions_give_fifty,
        p2_fifty_parallel_appends_keep_fifty,
        p3_two_parallel_logins_both_succeed,
        login_as_another_user_discards_what_was_checked_out_before,
        a_5xx_after_login_keeps_the_login_and_discards_the_changes,
        a_panic_after_login_keeps_the_login_and_discards_the_changes,
        a_flash_shown_once_is_not_shown_again,
        a_flash_set_while_another_is_shown_is_not_lost,
        the_last_writer_of_a_field_wins,
    ];

    type Answered = Result<Reply, SessionRejection>;

    async fn login_ada(auth: Auth) -> Answered {
        auth.login("ada").await?;
        Ok(Reply::ok("ada"))
    }

    async fn login_bob(auth: Auth) -> Answered {
        auth.login("bob").await?;
        Ok(Reply::ok("bob"))
    }

    async fn logout(auth: Auth) -> Answered {
        auth.logout().await?;
        Ok(Reply::ok("bye"))
    }

    async fn me(auth: Auth) -> Answered {
        Ok(Reply::ok(auth.user_id().await?.as_deref().unwrap_or("nobody")))
    }

    async fn show(shop: SessionView<Shop>) -> Reply {
        Reply::ok(format!("{} {} {}", shop.last_viewed, shop.views, shop.history.len()))
    }

    async fn slow_write(mut shop: Session<Shop>, Shared(gates): Shared) -> Reply {
        shop.last_viewed = "late".into();
        gates.pass("write").await;
        Reply::ok("written")
    }

    async fn write(mut shop: Session<Shop>) -> Reply {
        shop.last_viewed = "lamp".into();
        Reply::ok("written")
    }

    async fn view(mut shop: Session<Shop>, Shared(gates): Shared) -> Reply {
        shop.views += 1;
        gates.pass("view").await;
        Reply::ok("viewed")
    }

    async fn append(mut shop: Session<Shop>, Shared(gates): Shared) -> Reply {
        let next = shop.history.len() as u32;
        shop.history.push(next);
        gates.pass("append").await;
        Reply::ok("appended")
    }

    async fn slow_login(auth: Auth, Shared(gates): Shared) -> Answered {
        // Both have loaded the session when both begin to log in.
        auth.user_id().await?;
        gates.pass("login").await;
        auth.login("ada").await?;
        Ok(Reply::ok("ada"))
    }

    async fn login_bob_with_the_cart_of_ada(auth: Auth, mut shop: Session<Shop>) -> Answered {
        shop.last_viewed = "written by ada".into();
        auth.login("bob").await?;
        shop.views = 100;
        Ok(Reply::ok("bob"))
    }

    async fn failing_login(auth: Auth, mut shop: Session<Shop>) -> Answered {
        shop.last_viewed = "never".into();
        auth.login("ada").await?;
        Ok(Reply::status(500, "failed"))
    }

    async fn panicking_login(auth: Auth, mut shop: Session<Shop>, Shared(gates): Shared) -> Answered {
        shop.last_viewed = "never".into();
        auth.login("ada").await?;
        gates.open("logged in", 1);
        panic!("a handler panics on purpose");
    }

    async fn notify(mut shop: Session<Shop>) -> Reply {
        shop.notice = Some("first".into());
        Reply::ok("set")
    }

    async fn notify_again(mut shop: Session<Shop>, Shared(gates): Shared) -> Reply {
        gates.pass("notify").await;
        shop.notice = Some("second".into());
        Reply::ok("set")
    }

    async fn show_notice(mut shop: Session<Shop>, Shared(gates): Shared) -> Reply {
        let notice = shop.notice.take().unwrap_or_default();
        gates.pass("notice").await;
        Reply::ok(notice)
    }

    async fn start(bench: &Bench) -> Server {
        let routes = routes![
            "/login/ada" => login_ada, "/login/bob" => login_bob, "/logout" => logout, "/me" => me, "/show" => show,
            "/slow-write" => slow_write, "/write" => write, "/view" => view, "/append" => append,
            "/slow-login" => slow_login, "/bob-with-cart" => login_bob_with_the_cart_of_ada,
            "/failing-login" => failing_login, "/panicking-login" => panicking_login,
            "/notify" => notify, "/notify-again" => notify_again, "/notice" => show_notice,
        ];
        serve(bench, routes).await
    }

    async fn row_19_p1_a_slow_writer_does_not_bring_a_session_back_after_a_logout(bench: Bench) {
        let server = start(&bench).await;
        let visitor = logged_in(&server, "ada").await;
        let token = visitor.token().unwrap();
        let writer = begin(&visitor.fork(), "/slow-write");
        bench.gates.arrived("write", 1).await;
        assert_eq!(visitor.get("/logout").await.status, 200);
        bench.gates.open("write", 1);
        let late = writer.await.unwrap();
        assert_eq!((late.status, late.body.as_str()), (200, "written"));
        assert_eq!(late.cookies(), [""; 0]);
        assert_eq!(bench.sessions(), 0);
        visitor.set_token(&token);
        assert_eq!(visitor.get("/me").await.body, "nobody");
    }

    async fn p3_a_slow_writer_does_not_write_after_a_login(bench: Bench) {
        let server = start(&bench).await;
        let visitor = server.visitor();
        visitor.get("/write").await;
        let before = visitor.fork();
        let writer = begin(&before, "/slow-write");
        bench.gates.arrived("write", 1).await;
        visitor.get("/login/ada").await;
        bench.gates.open("write", 1);
        let late = writer.await.unwrap();
        assert_eq!((late.status, late.cookies().len()), (200, 0));
        assert_eq!(visitor.get("/show").await.body, "lamp 0 0");
        assert_eq!(visitor.get("/me").await.body, "ada");
        // The token from before the login is dead.
        assert_eq!(before.get("/me").await.body, "nobody");
        assert_eq!(before.get("/show").await.body, " 0 0");
    }

    async fn p2_fifty_parallel_additions_give_fifty(bench: Bench) {
        let server = start(&bench).await;
        let visitor = logged_in(&server, "ada").await;
        let requests: Vec<_> = (0..50).map(|_| begin(&visitor, "/view")).collect();
        bench.gates.arrived("view", 50).await;
        bench.gates.open("view", 50);
        for request in requests {
            assert_eq!(request.await.unwrap().status, 200);
        }
        assert_eq!(visitor.get("/show").await.body, " 50 0");
    }

    async fn p2_fifty_parallel_appends_keep_fifty(bench: Bench) {
        let server = start(&bench).await;
        let visitor = logged_in(&server, "ada").await;
        let requests: Vec<_> = (0..50).map(|_| begin(&visitor, "/append")).collect();
        bench.gates.arrived("append", 50).await;
        bench.gates.open("append", 50);
        for request in requests {
            assert_eq!(request.await.unwrap().status, 200);
        }
        assert_eq!(visitor.get("/show").await.body, " 0 50");
    }

    async fn p3_two_parallel_logins_both_succeed(bench: Bench) {
        let server = start(&bench).await;
        let first = server.visitor();
        first.get("/write").await;
        let second = first.fork();
        let logins = [begin(&first, "/slow-login"), begin(&second, "/slow-login")];
        bench.gates.arrived("login", 2).await;
        bench.gates.open("login", 2);
        for login in logins {
            let login = login.await.unwrap();
            assert_eq!((login.status, login.cookies().len()), (200, 1));
        }
        assert_eq!(first.get("/me").await.body, "ada");
        assert_eq!(second.get("/me").await.body, "ada");
        // [P11]: one of them goes on with the session in which the other has just logged in, and each has a token of it.
        assert_ne!(first.token(), second.token());
        assert_eq!(first.token().unwrap()[..21], second.token().unwrap()[..21]);
        assert_eq!([first.get("/show").await.body, second.get("/show").await.body], ["lamp 0 0"; 2]);
    }

    async fn login_as_another_user_discards_what_was_checked_out_before(bench: Bench) {
        let server = start(&bench).await;
        let visitor = logged_in(&server, "ada").await;
        visitor.get("/write").await;
        assert_eq!(visitor.get("/bob-with-cart").await.status, 200);
        assert_eq!(visitor.get("/me").await.body, "bob");
        assert_eq!(visitor.get("/show").await.body, " 0 0");
    }

    async fn a_5xx_after_login_keeps_the_login_and_discards_the_changes(bench: Bench) {
        let server = start(&bench).await;
        let visitor = server.visitor();
        visitor.get("/write").await;
        let answer = visitor.get("/failing-login").await;
        assert_eq!((answer.status, answer.cookies().len()), (500, 1));
        assert_eq!(visitor.get("/me").await.body, "ada");
        assert_eq!(visitor.get("/show").await.body, "lamp 0 0");
    }

    async fn a_panic_after_login_keeps_the_login_and_discards_the_changes(bench: Bench) {
        let server = start(&bench).await;
        let visitor = server.visitor();
        visitor.get("/write").await;
        let before = visitor.fork();
        let panicked = visitor.try_send(reqwest::Method::GET, "/panicking-login", &[], "").await;
        bench.gates.pass("logged in").await;
        assert!(panicked.is_err(), "a panic closes the connection");
        // The login is stored: the token from before it is dead, and the changes were never made.
        assert_eq!(before.get("/show").await.body, " 0 0");
        let dump = bench.dump();
        assert!(dump.contains("ada") && dump.contains("lamp") && !dump.contains("never"), "{dump}");
        assert_eq!(bench.sessions(), 1);
    }

    async fn a_flash_shown_once_is_not_shown_again(bench: Bench) {
        let server = start(&bench).await;
        let visitor = server.visitor();
        bench.gates.open("notice", 2);
        visitor.get("/notify").await;
        assert_eq!(visitor.get("/notice").await.body, "first");
        assert_eq!(visitor.get("/notice").await.body, "");
    }

    async fn a_flash_set_while_another_is_shown_is_not_lost(bench: Bench) {
        let server = start(&bench).await;
        let visitor = server.visitor();
        visitor.get("/notify").await;
        let shown = begin(&visitor, "/notice");
        bench.gates.arrived("notice", 1).await;
        bench.gates.open("notify", 1);
        assert_eq!(visitor.get("/notify-again").await.status, 200);
        bench.gates.open("notice", 2);
        assert_eq!(shown.await.unwrap().body, "first");
        assert_eq!(visitor.get("/notice").await.body, "second");
    }

    async fn the_last_writer_of_a_field_wins(bench: Bench) {
        let server = start(&bench).await;
        let visitor = logged_in(&server, "ada").await;
        let writer = begin(&visitor, "/slow-write");
        bench.gates.arrived("write", 1).await;
        visitor.get("/write").await;
        bench.gates.open("write", 1);
        writer.await.unwrap();
        assert_eq!(visitor.get("/show").await.body, "late 0 0");
    }
}

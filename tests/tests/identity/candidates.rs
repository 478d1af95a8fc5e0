//! Tests of the choice between cookies: which of a request's are ours, and which of several counts.

use sessionkit::SessionData;
use sessionkit::testing::FailingStore;
use sessionkit_tests::behaviour;
use sessionkit_tests::harness::{Answer, Bench, COOKIE, Server, Visitor};

#[derive(SessionData)]
struct Cart {
    items: Vec<u32>,
}

/// Asks who the sender of these `Cookie` lines is.
async fn who(server: &Server, lines: &[&[u8]]) -> String {
    let Answer { status, body, .. } = server.visitor().get_with_cookies("/me", lines).await;
    assert_eq!(status, 200);
    body
}

fn cookie(visitor: &Visitor) -> String {
    format!("{COOKIE}={}", visitor.token().expect("the visitor has a session"))
}

behaviour! {
    tests: [
        a_stale_duplicate_does_no_harm_first_or_last,
        two_valid_tokens_of_different_sessions_are_nobody,
        a_login_ends_the_sessions_that_were_nobodys_before_it,
        a_login_that_cannot_end_them_fails_and_the_next_one_ends_them,
        only_the_exact_name_is_ours,
        foreign_cookies_change_nothing,
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

    async fn read_and_login(auth: Auth, Shared(gates): Shared) -> Answered {
        assert_eq!(auth.user_id().await?, None);
        gates.pass("login").await;
        auth.login("ada").await?;
        Ok(Reply::ok("ada"))
    }

    async fn me(auth: Auth) -> Answered {
        Ok(Reply::ok(auth.user_id().await?.as_deref().unwrap_or("nobody")))
    }

    async fn add(mut cart: Session<Cart>) -> Reply {
        cart.items.push(7);
        Reply::ok(cart.items.len())
    }

    /// Logs out twice: the second time there is nothing to end.
    async fn logout(auth: Auth) -> Answered {
        auth.logout().await?;
        auth.logout().await?;
        Ok(Reply::ok("bye"))
    }

    async fn start(bench: &Bench) -> Server {
        let routes = routes![
            "/login/ada" => login_ada, "/login/bob" => login_bob, "/me" => me, "/add" => add, "/logout" => logout,
        ];
        serve(bench, routes).await
    }

    async fn logged_in(server: &Server, user: &str) -> Visitor {
        let visitor = server.visitor();
        assert_eq!(visitor.get(&format!("/login/{user}")).await.status, 200);
        visitor
    }

    async fn a_stale_duplicate_does_no_harm_first_or_last(bench: Bench) {
        let server = start(&bench).await;
        let visitor = logged_in(&server, "ada").await;
        let rotated = cookie(&visitor);
        assert_eq!(visitor.get("/login/ada").await.status, 200);
        let ended = {
            let other = logged_in(&server, "bob").await;
            let ended = cookie(&other);
            assert_eq!(other.get("/logout").await.status, 200);
            ended
        };
        let unknown = format!("{COOKIE}={}", "a".repeat(64));
        let malformed = format!("{COOKIE}=deleted");
        let valid = cookie(&visitor);
        for stale in [&rotated, &ended, &unknown, &malformed, &valid] {
            let (first, last) = (format!("{stale}; {valid}"), format!("{valid}; a=b; {stale}"));
            assert_eq!(who(&server, &[first.as_bytes()]).await, "ada", "{first}");
            assert_eq!(who(&server, &[last.as_bytes()]).await, "ada", "{last}");
            assert_eq!(who(&server, &[stale.as_bytes(), valid.as_bytes()]).await, "ada", "{stale} in a line before");
            assert_eq!(who(&server, &[valid.as_bytes(), b"a=b", stale.as_bytes()]).await, "ada", "{stale} in a line after");
        }
        assert_eq!(who(&server, &[format!("{rotated}; {ended}; {unknown}; {malformed}").as_bytes()]).await, "nobody");
    }

    async fn two_valid_tokens_of_different_sessions_are_nobody(bench: Bench) {
        let server = start(&bench).await;
        let (ada, bob) = (logged_in(&server, "ada").await, logged_in(&server, "bob").await);
        let (one, other) = (cookie(&ada), cookie(&bob));
        assert_eq!(who(&server, &[format!("{one}; {other}").as_bytes()]).await, "nobody");
        assert_eq!(who(&server, &[format!("{other}; {one}").as_bytes()]).await, "nobody");
        assert_eq!(who(&server, &[one.as_bytes(), other.as_bytes()]).await, "nobody");
        // Nobody changes neither session.
        let nobody = server.visitor();
        let answer = nobody.get_with_cookies("/add", &[one.as_bytes(), other.as_bytes()]).await;
        assert_eq!(answer.body, "1");
        assert_eq!((ada.get("/me").await.body, bob.get("/me").await.body), ("ada".to_owned(), "bob".to_owned()));
        assert_eq!((ada.get("/add").await.body, bob.get("/add").await.body), ("1".to_owned(), "1".to_owned()));
        // Both secrets are right, so a logout is final for both: none may be left to open something alone.
        bench.store.take();
        assert_eq!(nobody.get_with_cookies("/logout", &[one.as_bytes(), other.as_bytes()]).await.status, 200);
        assert_eq!(bench.store.take().remove, 2);
        assert_eq!((ada.get("/me").await.body, bob.get("/me").await.body), ("nobody".to_owned(), "nobody".to_owned()));
    }

    /// The path or the domain of the cookie was changed: the browser sends the old one beside each new one.
    async fn a_login_ends_the_sessions_that_were_nobodys_before_it(bench: Bench) {
        let bench = bench.with_config(|config| config.track_devices(true));
        let server = start(&bench).await;
        let (ada, bob) = (logged_in(&server, "ada").await, logged_in(&server, "bob").await);
        let (one, other) = (cookie(&ada), cookie(&bob));
        let visitor = server.visitor();
        bench.store.take();
        let answer = visitor.get_with_cookies("/login/ada", &[one.as_bytes(), other.as_bytes()]).await;
        assert_eq!((answer.status, answer.cookies().len()), (200, 1));
        let calls = bench.store.take();
        assert_eq!((calls.load, calls.remove, calls.insert, calls.replace), (2, 2, 1, 0), "{calls:?}");
        assert_eq!((bench.sessions(), bench.listed("ada").await.len(), bench.listed("bob").await.len()), (1, 1, 0));
        let pair = answer.cookies()[0].split(';').next().expect("a cookie has a value");
        for lines in [[&*one, pair], [pair, &*one], [pair, &*other]] {
            assert_eq!(who(&server, &lines.map(str::as_bytes)).await, "ada", "{lines:?}");
        }
        assert_eq!(who(&server, &[one.as_bytes(), other.as_bytes()]).await, "nobody");
    }

    async fn a_login_that_cannot_end_them_fails_and_the_next_one_ends_them(bench: Bench) {
        let failing = FailingStore::new(bench.store.clone());
        let routes = routes!["/login/ada" => login_ada, "/login/bob" => login_bob, "/read-and-login" => read_and_login];
        let server = serve_with(&bench, bench.manager_over(failing.clone()), routes).await;
        let (ada, bob) = (logged_in(&server, "ada").await, logged_in(&server, "bob").await);
        let both = [cookie(&ada), cookie(&bob)].join("; ").into_bytes();
        let visitor = server.visitor();
        let slow = {
            let (visitor, both) = (visitor.clone(), both.clone());
            tokio::spawn(async move { visitor.get_with_cookies("/read-and-login", &[&both]).await })
        };
        bench.gates.arrived("login", 1).await;
        failing.fail();
        bench.gates.open("login", 1);
        let answer = slow.await.expect("the request ends");
        failing.recover();
        assert_eq!((answer.status, answer.cookies().len(), bench.sessions()), (503, 0, 2));
        assert_eq!(visitor.get_with_cookies("/login/ada", &[&both]).await.status, 200);
        assert_eq!(bench.sessions(), 1);
    }

    async fn only_the_exact_name_is_ours(bench: Bench) {
        let server = start(&bench).await;
        let token = logged_in(&server, "ada").await.token().expect("ada has a session");
        bench.store.take();
        for name in [
            "__%48ost-session",
            "__Host%2dsession",
            "__host-session",
            "__Host-session ",
            "__Host-session2",
            "x__Host-session",
            "\u{a0}__Host-session",
            "__Host-sessio",
            "$__Host-session",
            "session",
            "",
        ] {
            let line = format!("{name}={token}");
            assert_eq!(who(&server, &[line.as_bytes()]).await, "nobody", "{name:?}");
            assert_eq!(bench.store.take().total(), 0, "{name:?}");
        }
        let nested = format!("a=\"; {COOKIE}={token}\"");
        assert_eq!(who(&server, &[nested.as_bytes()]).await, "nobody");
    }

    async fn foreign_cookies_change_nothing(bench: Bench) {
        let server = start(&bench).await;
        let mine = cookie(&logged_in(&server, "ada").await);
        let foreign: [&[u8]; 10] = [
            b"a=\xff",
            b"\xff\xfe=\x80",
            b"name=J\xe9r\xf4me",
            "größe=ü".as_bytes(),
            b"a",
            b"=",
            b"a=\"b",
            b"{\"json\":[1,2]}",
            b"a=b=c==",
            b"",
        ];
        for foreign in foreign {
            let before = [foreign, b"; ", mine.as_bytes()].concat();
            let after = [mine.as_bytes(), b";", foreign].concat();
            let shown = foreign.escape_ascii();
            assert_eq!(who(&server, &[&before]).await, "ada", "{shown} before ours");
            assert_eq!(who(&server, &[&after]).await, "ada", "{shown} after ours");
            assert_eq!(who(&server, &[foreign, mine.as_bytes()]).await, "ada", "{shown} in a line of its own");
        }
    }
}

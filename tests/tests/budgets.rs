//! The budgets of store calls, counted: what a request costs, whatever the framework and the store.

use std::time::Duration;

use sessionkit::testing::Calls;
use sessionkit::{Rolling, SessionData};
use sessionkit_tests::behaviour;
use sessionkit_tests::harness::{Bench, COOKIE, HeldStore, Server, Visitor};

#[derive(SessionData)]
struct Cart {
    items: Vec<u32>,
    #[session(merge = append)]
    history: Vec<u32>,
    #[session(merge = add)]
    views: u64,
}

#[derive(SessionData)]
struct Profile {
    theme: String,
}

const NONE: Calls = Calls { load: 0, insert: 0, replace: 0, remove: 0, lists: 0, adoptions: 0, scan: 0, load_many: 0 };
const READ: Calls = Calls { load: 1, ..NONE };
const READ_AND_WRITE: Calls = Calls { load: 1, replace: 1, ..NONE };
const CREATE: Calls = Calls { insert: 1, ..NONE };

/// A well-formed token of no session; another one for each letter.
fn stranger(letter: char) -> String {
    letter.to_string().repeat(64)
}

behaviour! {
    tests: [
        a_route_that_does_not_use_the_session_makes_no_call,
        an_untouched_session_is_not_prolonged,
        an_anonymous_read_makes_no_call_and_sets_no_cookie,
        any_number_of_reads_is_one_call,
        a_read_and_a_write_are_two_calls,
        a_login_is_two_calls_with_a_token_and_one_without,
        changes_of_fields_add_one_call_to_a_login,
        a_logout_is_two_calls_however_many_read_before,
        a_logout_that_keeps_a_struct_is_one_call_more,
        a_touch_is_free_inside_its_throttle_and_one_call_after,
        a_touch_joins_a_commit,
        a_renewal_is_two_calls_or_joins_commits,
        each_further_candidate_is_one_call,
        each_retry_after_a_conflict_is_one_call,
        fields_that_merge_are_stored_at_the_second_try,
        malformed_cookies_make_no_call,
    ];

    type Answered = Result<Reply, SessionRejection>;

    async fn free() -> Reply {
        Reply::ok("free")
    }

    async fn read(cart: Session<Cart>) -> Reply {
        Reply::ok(cart.items.len())
    }

    async fn read_all(
        cart: Session<Cart>,
        again: SessionView<Cart>,
        profile: MaybeSession<Profile>,
        theme: SessionView<Profile>,
        auth: Auth,
    ) -> Answered {
        let (user, info) = (auth.user_id().await?, auth.info().await?);
        let known = profile.as_ref().is_some_and(|profile| profile.theme == theme.theme);
        let answer = format!("{} {known} {} {}", cart.items == again.items, user.is_some(), info.is_some());
        Ok(Reply::ok(answer))
    }

    async fn write(mut cart: Session<Cart>, mut profile: Session<Profile>) -> Reply {
        cart.items.push(1);
        cart.views += 1;
        profile.theme.push('a');
        Reply::ok(cart.items.len())
    }

    async fn look(mut cart: Session<Cart>) -> Reply {
        cart.views += 1;
        Reply::ok(cart.views)
    }

    async fn login(auth: Auth) -> Answered {
        auth.login("ada").await?;
        Ok(Reply::ok("ada"))
    }

    async fn login_and_write(auth: Auth, mut cart: Session<Cart>) -> Answered {
        auth.login("ada").await?;
        cart.items.push(1);
        Ok(Reply::ok("ada"))
    }

    async fn logout(auth: Auth) -> Answered {
        auth.logout().await?;
        Ok(Reply::ok("bye"))
    }

    async fn logout_and_keep(auth: Auth) -> Answered {
        auth.logout().keep::<Cart>().await?;
        Ok(Reply::ok("bye"))
    }

    async fn read_and_logout(cart: Session<Cart>, auth: Auth) -> Answered {
        auth.logout().await?;
        Ok(Reply::ok(cart.items.len()))
    }

    async fn remember(mut cart: Session<Cart>) -> Reply {
        cart.history.push(1);
        Reply::ok("")
    }

    async fn history(cart: SessionView<Cart>) -> Reply {
        Reply::ok(cart.history.len())
    }

    async fn write_slowly(mut cart: Session<Cart>, Shared(gates): Shared) -> Reply {
        cart.items.push(1);
        cart.views += 1;
        gates.pass("write").await;
        Reply::ok("")
    }

    async fn start(bench: &Bench) -> Server {
        serve(
            bench,
            routes![
                "/free" => free,
                "/read" => read,
                "/read-all" => read_all,
                "/write" => write,
                "/look" => look,
                "/login" => login,
                "/login-and-write" => login_and_write,
                "/logout" => logout,
                "/read-and-logout" => read_and_logout,
                "/logout-and-keep" => logout_and_keep,
                "/remember" => remember,
                "/history" => history,
                "/write-slowly" => write_slowly,
            ],
        )
        .await
    }

    /// A visitor who has a session, which nothing has counted.
    async fn known(bench: &Bench, server: &Server) -> Visitor {
        let visitor = server.visitor();
        assert_eq!(visitor.get("/write").await.status, 200);
        bench.store.take();
        visitor
    }

    async fn a_route_that_does_not_use_the_session_makes_no_call(bench: Bench) {
        let server = start(&bench).await;
        let known = known(&bench, &server).await;
        bench.clock.advance(Duration::from_secs(3600));
        for visitor in [known, server.visitor()] {
            let answer = visitor.get("/free").await;
            assert_eq!((answer.status, answer.body.as_str()), (200, "free"));
            assert_eq!(bench.store.take(), NONE);
            assert!(answer.cookies().is_empty() && answer.all("vary").is_empty());
        }
    }

    async fn an_untouched_session_is_not_prolonged(bench: Bench) {
        let hours = |hours: u64| Duration::from_secs(hours * 3600);
        let bench = bench.with_config(|config| config.ttl(hours(10)));
        let server = start(&bench).await;
        let (untouched, used) = (known(&bench, &server).await, known(&bench, &server).await);
        bench.clock.advance(hours(9));
        assert_eq!(untouched.get("/free").await.status, 200);
        assert_eq!(used.get("/read").await.body, "1");
        bench.clock.advance(hours(1));
        assert_eq!(untouched.get("/read").await.body, "0");
        assert_eq!(used.get("/read").await.body, "1");
    }

    async fn an_anonymous_read_makes_no_call_and_sets_no_cookie(bench: Bench) {
        let server = start(&bench).await;
        for path in ["/read", "/read-all", "/logout"] {
            let answer = server.visitor().get(path).await;
            assert_eq!((answer.status, answer.cookies().len()), (200, 0), "{path}");
            assert_eq!(bench.store.take(), NONE, "{path}");
        }
    }

    async fn any_number_of_reads_is_one_call(bench: Bench) {
        let server = start(&bench).await;
        let visitor = known(&bench, &server).await;
        assert_eq!(visitor.get("/read").await.body, "1");
        assert_eq!(bench.store.take(), READ);
        let answer = visitor.get("/read-all").await;
        assert_eq!((answer.body.as_str(), answer.cookies().len()), ("true true false true", 0));
        assert_eq!(bench.store.take(), READ);
    }

    async fn a_read_and_a_write_are_two_calls(bench: Bench) {
        let server = start(&bench).await;
        let visitor = server.visitor();
        assert_eq!(visitor.get("/write").await.body, "1");
        assert_eq!(bench.store.take(), CREATE);
        assert_eq!(visitor.get("/write").await.body, "2");
        assert_eq!(bench.store.take(), READ_AND_WRITE);
    }

    async fn a_login_is_two_calls_with_a_token_and_one_without(bench: Bench) {
        let server = start(&bench).await;
        let new = server.visitor();
        assert_eq!(new.get("/login").await.status, 200);
        assert_eq!(bench.store.take(), CREATE);
        let known = known(&bench, &server).await;
        for _ in ["the first time", "again"] {
            assert_eq!(known.get("/login").await.status, 200);
            assert_eq!(bench.store.take(), READ_AND_WRITE);
        }
    }

    async fn changes_of_fields_add_one_call_to_a_login(bench: Bench) {
        let server = start(&bench).await;
        assert_eq!(server.visitor().get("/login-and-write").await.status, 200);
        assert_eq!(bench.store.take(), Calls { insert: 1, replace: 1, ..NONE });
        let known = known(&bench, &server).await;
        assert_eq!(known.get("/login-and-write").await.status, 200);
        assert_eq!(bench.store.take(), Calls { load: 1, replace: 2, ..NONE });
    }

    async fn a_logout_is_two_calls_however_many_read_before(bench: Bench) {
        let server = start(&bench).await;
        for path in ["/logout", "/read-and-logout"] {
            let visitor = known(&bench, &server).await;
            let answer = visitor.get(path).await;
            assert_eq!((answer.status, answer.cookies().len()), (200, 1), "{path}");
            assert_eq!(bench.store.take(), Calls { load: 1, remove: 1, ..NONE }, "{path}");
        }
    }

    async fn a_logout_that_keeps_a_struct_is_one_call_more(bench: Bench) {
        let server = start(&bench).await;
        let visitor = known(&bench, &server).await;
        for (keeps, calls) in [(true, Calls { load: 1, insert: 1, remove: 1, ..NONE }), (false, NONE)] {
            let visitor = if keeps { visitor.clone() } else { server.visitor() };
            let answer = visitor.get("/logout-and-keep").await;
            assert_eq!((answer.status, answer.cookies().len()), (200, usize::from(keeps)));
            assert_eq!(bench.store.take(), calls);
        }
    }

    async fn a_touch_is_free_inside_its_throttle_and_one_call_after(bench: Bench) {
        let server = start(&bench).await;
        let visitor = known(&bench, &server).await;
        bench.clock.advance(Duration::from_secs(59));
        visitor.get("/read").await;
        assert_eq!(bench.store.take(), READ);
        bench.clock.advance(Duration::from_secs(1));
        visitor.get("/read").await;
        assert_eq!(bench.store.take(), READ_AND_WRITE);
        visitor.get("/read").await;
        assert_eq!(bench.store.take(), READ, "the touch begins a new throttle window");
    }

    async fn a_touch_joins_a_commit(bench: Bench) {
        let server = start(&bench).await;
        let visitor = known(&bench, &server).await;
        for path in ["/write", "/look", "/login"] {
            bench.clock.advance(Duration::from_secs(60));
            visitor.get(path).await;
            assert_eq!(bench.store.take(), READ_AND_WRITE, "{path}");
            visitor.get("/read").await;
            assert_eq!(bench.store.take(), READ, "{path} touched the session");
        }
    }

    async fn a_renewal_is_two_calls_or_joins_commits(bench: Bench) {
        // No touches, which would hide what a renewal costs.
        let bench = bench.with_config(|config| {
            config.ttl(Duration::from_secs(86_400)).rolling(Rolling::Off).renew_after(Duration::from_secs(3600))
        });
        let server = start(&bench).await;
        let visitor = known(&bench, &server).await;
        for path in ["/read", "/write"] {
            bench.clock.advance(Duration::from_secs(3600));
            let token = visitor.token();
            visitor.get(path).await;
            assert_eq!(bench.store.take(), READ_AND_WRITE, "{path} renews the token");
            assert_ne!(visitor.token(), token, "{path}");
            visitor.get(path).await;
            assert_eq!(bench.store.take(), READ_AND_WRITE, "{path} uses the new token for the first time");
            visitor.get("/read").await;
            assert_eq!(bench.store.take(), READ, "nothing is due after {path}");
        }
    }

    async fn each_further_candidate_is_one_call(bench: Bench) {
        let server = start(&bench).await;
        let visitor = known(&bench, &server).await;
        let old = visitor.token().expect("a session was begun");
        assert_eq!(visitor.get("/login").await.status, 200);
        let mine = visitor.token().expect("ada has a session");
        bench.store.take();
        let strangers = ['a', 'b', 'c', 'd', 'e'].map(stranger);
        let cases = [
            // Each session is looked up once.
            (vec![&mine, &mine, &mine], 1, "1"),
            (vec![&old, &mine, &old], 1, "1"),
            (vec![&strangers[0]], 1, "0"),
            (vec![&strangers[0], &mine], 2, "1"),
            (vec![&mine, &strangers[0], &strangers[1]], 3, "1"),
            (vec![&strangers[0], &strangers[1], &strangers[2], &mine], 4, "1"),
            // A fifth is not looked up.
            (strangers.iter().collect(), 4, "0"),
        ];
        for (tokens, load, items) in cases {
            let cookies: Vec<String> = tokens.iter().map(|token| format!("{COOKIE}={token}")).collect();
            let answer = visitor.get_with_cookies("/read", &[cookies.join("; ").as_bytes()]).await;
            assert_eq!((answer.status, answer.body.as_str()), (200, items), "{cookies:?}");
            assert_eq!(bench.store.take(), Calls { load, ..NONE }, "{cookies:?}");
        }
    }

    async fn each_retry_after_a_conflict_is_one_call(bench: Bench) {
        let others = start(&bench).await;
        let visitor = known(&bench, &others).await;
        let store = HeldStore::new(bench.store.clone(), &bench.gates);
        let server = serve_with(&bench, bench.manager_over(store.clone()), routes!["/remember" => remember]).await;
        store.hold("before replace");
        let slow = visitor.at(&server).get_in_background("/remember");
        for _ in 0..3 {
            bench.gates.arrived("before replace", 1).await;
            assert_eq!(visitor.get("/remember").await.status, 200);
            bench.gates.open("before replace", 1);
        }
        bench.gates.arrived("before replace", 1).await;
        bench.gates.open("before replace", 1);
        assert_eq!(slow.await.expect("the request ends").status, 200);
        // Its own load and four commits, and the three reads and writes that it met.
        assert_eq!(bench.store.take(), Calls { load: 1 + 3, replace: 4 + 3, ..NONE });
        assert_eq!(visitor.get("/history").await.body, "4");
    }

    async fn fields_that_merge_are_stored_at_the_second_try(bench: Bench) {
        let server = start(&bench).await;
        let visitor = known(&bench, &server).await;
        let slow = visitor.get_in_background("/write-slowly");
        bench.gates.arrived("write", 1).await;
        assert_eq!(visitor.get("/write").await.status, 200);
        bench.store.take();
        bench.gates.open("write", 1);
        assert_eq!(slow.await.expect("the request ends").status, 200);
        assert_eq!(bench.store.take(), Calls { replace: 2, ..NONE });
        assert_eq!(visitor.get("/look").await.body, "4");
    }

    async fn malformed_cookies_make_no_call(bench: Bench) {
        let server = start(&bench).await;
        let (short, long) = (stranger('a').split_off(1), stranger('a') + "a");
        for value in ["", "x", "*", &short, &long, &"=".repeat(64), &"+".repeat(64), &"%41".repeat(64)] {
            for path in ["/read", "/read-all", "/logout"] {
                let cookie = format!("{COOKIE}={value}");
                let answer = server.visitor().get_with_cookies(path, &[cookie.as_bytes()]).await;
                assert_eq!(answer.status, 200, "{value:?}");
                assert_eq!(bench.store.take(), NONE, "{value:?} at {path}");
            }
        }
    }
}

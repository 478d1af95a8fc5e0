//! The token of a form, from its page to its end.

use std::time::Duration;

use sessionkit::SessionData;
use sessionkit_tests::behaviour;
use sessionkit_tests::harness::{Answer, Bench, Server, Visitor};

#[derive(SessionData)]
pub struct Cart {
    items: Vec<u32>,
}

const HOUR: Duration = Duration::from_secs(3600);

/// The value in the page of a form.
pub async fn form(visitor: &Visitor) -> String {
    let answer = visitor.get("/form").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let field = answer.body.strip_prefix(r#"<input type="hidden" name="csrf_token" value=""#);
    field.and_then(|rest| rest.strip_suffix("\">")).expect("a hidden field").to_owned()
}

/// The status of the answer to a form with this value.
pub async fn submit(visitor: &Visitor, token: &str) -> u16 {
    visitor.post("/submit", token).await.status
}

behaviour! {
    tests: [
        a_form_of_a_visitor_who_had_no_session_works,
        a_form_page_calls_the_store_once_or_twice,
        a_login_a_rotation_and_a_logout_end_the_tokens_before_them,
        a_login_as_the_same_user_ends_them_too,
        a_renewal_ends_none,
        a_form_that_was_shown_at_the_moment_of_a_renewal_works,
        the_first_forms_of_a_session_are_one,
        the_token_of_another_session_is_refused,
        what_is_no_token_is_refused,
        a_page_that_fails_begins_no_session,
        a_form_after_a_login_in_the_same_request_is_the_new_ones,
        the_map_does_not_show_the_seed,
        nothing_prints_the_token,
        a_store_that_fails_is_no_wrong_token,
    ];

    type Answered = Result<Reply, SessionRejection>;

    async fn shows(token: CsrfToken) -> Reply {
        Reply::ok(token.hidden_field())
    }

    async fn shows_slowly(token: CsrfToken, Shared(gates): Shared) -> Reply {
        gates.pass("form").await;
        Reply::ok(token.hidden_field())
    }

    async fn shows_slowly_too(token: CsrfToken, Shared(gates): Shared) -> Reply {
        gates.pass("form too").await;
        Reply::ok(token.hidden_field())
    }

    async fn fails(token: CsrfToken) -> Reply {
        Reply::status(500, token.hidden_field())
    }

    async fn submits(token: CsrfToken, body: Body) -> Answered {
        token.verify(&body)?;
        Ok(Reply::ok("done"))
    }

    async fn add(mut cart: Session<Cart>) -> Reply {
        cart.items.push(7);
        Reply::ok(cart.items.len())
    }

    async fn login(auth: Auth) -> Answered {
        auth.login("ada").await?;
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

    async fn login_and_show(auth: Auth, token: CsrfToken) -> Answered {
        auth.login("ada").await?;
        Ok(Reply::ok(token.hidden_field()))
    }

    async fn keys(token: CsrfToken, session: DynamicSession) -> Reply {
        token.value();
        Reply::ok(session.keys().join(","))
    }

    async fn print(token: CsrfToken) -> Reply {
        Reply::ok(format!("{token:?} {token:#?}"))
    }

    async fn start(bench: &Bench) -> Server {
        let routes = routes![
            "/form" => shows,
            "/form-slowly" => shows_slowly,
            "/form-slowly-too" => shows_slowly_too,
            "/fails" => fails,
            "/submit" => submits,
            "/add" => add,
            "/login" => login,
            "/rotate" => rotate,
            "/logout" => logout,
            "/login-and-show" => login_and_show,
            "/keys" => keys,
            "/print" => print,
        ];
        serve(bench, routes).await
    }

    async fn a_form_of_a_visitor_who_had_no_session_works(bench: Bench) {
        let server = start(&bench).await;
        let visitor = server.visitor();
        let token = form(&visitor).await;
        assert!(visitor.token().is_some() && bench.sessions() == 1, "the visitor has an anonymous session");
        assert_eq!(submit(&visitor, &token).await, 200);
        assert_eq!(submit(&visitor, &token).await, 200, "and may go back and send it again");
        assert_eq!(submit(&server.visitor(), &token).await, 403, "a browser without the cookie");
    }

    async fn a_form_page_calls_the_store_once_or_twice(bench: Bench) {
        let calls = |bench: &Bench| {
            let calls = bench.store.take();
            (calls.load, calls.insert, calls.replace, calls.remove)
        };
        let server = start(&bench).await;
        let visitor = server.visitor();
        form(&visitor).await;
        assert_eq!(calls(&bench), (0, 1, 0, 0), "a visitor without a session gets one");
        let token = form(&visitor).await;
        assert_eq!(calls(&bench), (1, 0, 0, 0), "then a page reads");
        assert_eq!(submit(&visitor, &token).await, 200);
        assert_eq!(calls(&bench), (1, 0, 0, 0), "and a form too");
        visitor.get("/login").await;
        calls(&bench);
        form(&visitor).await;
        assert_eq!(calls(&bench), (1, 0, 0, 0), "and the first page after a login");

        let bench = bench.with_config(|config| config.renew_after(HOUR));
        let server = start(&bench).await;
        let visitor = server.visitor();
        visitor.get("/login").await;
        calls(&bench);
        form(&visitor).await;
        assert_eq!(calls(&bench), (1, 0, 1, 0), "where tokens are renewed, the first page keeps the seed");
        form(&visitor).await;
        assert_eq!(calls(&bench), (1, 0, 0, 0));
    }

    async fn a_login_a_rotation_and_a_logout_end_the_tokens_before_them(bench: Bench) {
        for renew_after in [None, Some(HOUR)] {
            let bench = bench.clone().with_config(|config| match renew_after {
                Some(renew_after) => config.renew_after(renew_after),
                None => config,
            });
            let server = start(&bench).await;
            let visitor = server.visitor();
            let mut tokens = vec![form(&visitor).await];
            for path in ["/login", "/rotate", "/login", "/logout"] {
                assert_eq!(visitor.get(path).await.status, 200);
                for token in &tokens {
                    assert_eq!(submit(&visitor, token).await, 403, "{renew_after:?} {path}");
                }
                let token = form(&visitor).await;
                assert_eq!(submit(&visitor, &token).await, 200, "{renew_after:?} {path}");
                tokens.push(token);
            }
        }
    }

    async fn a_login_as_the_same_user_ends_them_too(bench: Bench) {
        let server = start(&bench).await;
        let visitor = server.visitor();
        visitor.get("/login").await;
        let token = form(&visitor).await;
        visitor.get("/login").await;
        assert_eq!(submit(&visitor, &token).await, 403);
    }

    async fn a_renewal_ends_none(bench: Bench) {
        let bench = bench.with_config(|config| config.renew_after(HOUR));
        let server = start(&bench).await;
        for paths in [&["/add"][..], &["/login"], &["/login", "/rotate"]] {
            let visitor = server.visitor();
            for path in paths {
                visitor.get(path).await;
            }
            let token = form(&visitor).await;
            for renewal in 0..3 {
                let before = visitor.token();
                bench.clock.advance(HOUR);
                visitor.get("/add").await;
                assert_ne!(visitor.token(), before, "the token was renewed");
                assert_eq!(submit(&visitor, &token).await, 200, "{paths:?} {renewal}");
                // The previous secret ends.
                bench.clock.advance(Duration::from_secs(60));
                assert_eq!(submit(&visitor, &token).await, 200, "{paths:?} {renewal}");
            }
        }
    }

    async fn a_form_that_was_shown_at_the_moment_of_a_renewal_works(bench: Bench) {
        let bench = bench.with_config(|config| config.renew_after(HOUR));
        let server = start(&bench).await;
        let value = |page: Answer| page.body.split('"').nth(5).expect("a value").to_owned();
        for early_is_stored_first in [false, true] {
            let visitor = server.visitor();
            visitor.get("/login").await;
            // One form is loaded before the renewal and made after it, the other is loaded and made after it.
            let early = visitor.fork().get_in_background("/form-slowly");
            bench.gates.arrived("form", 1).await;
            bench.clock.advance(HOUR);
            visitor.get("/add").await;
            let late = visitor.fork().get_in_background("/form-slowly-too");
            bench.gates.arrived("form too", 1).await;
            let (early, late) = if early_is_stored_first {
                bench.gates.open("form", 1);
                let early = early.await;
                bench.gates.open("form too", 1);
                (early, late.await)
            } else {
                bench.gates.open("form too", 1);
                let late = late.await;
                bench.gates.open("form", 1);
                (early.await, late)
            };
            for page in [early, late] {
                let token = value(page.expect("the request ends"));
                assert_eq!(submit(&visitor, &token).await, 200, "early is stored first: {early_is_stored_first}");
            }
        }
    }

    async fn the_first_forms_of_a_session_are_one(bench: Bench) {
        for renew_after in [None, Some(HOUR)] {
            let bench = bench.clone().with_config(|config| match renew_after {
                Some(renew_after) => config.renew_after(renew_after),
                None => config,
            });
            let server = start(&bench).await;
            let visitor = server.visitor();
            visitor.get("/login").await;
            let forms: Vec<_> = (0..8).map(|_| visitor.get_in_background("/form-slowly")).collect();
            bench.gates.arrived("form", 8).await;
            bench.gates.open("form", 8);
            for form in forms {
                let body = form.await.expect("the request ends").body;
                assert_eq!(submit(&visitor, body.split('"').nth(5).expect("a value")).await, 200, "{renew_after:?}");
            }
        }
    }

    async fn the_token_of_another_session_is_refused(bench: Bench) {
        let server = start(&bench).await;
        let (ada, mallory) = (server.visitor(), server.visitor());
        for path in ["/add", "/login"] {
            ada.get(path).await;
            mallory.get(path).await;
            let (own, foreign) = (form(&ada).await, form(&mallory).await);
            assert_eq!((submit(&ada, &own).await, submit(&ada, &foreign).await), (200, 403), "{path}");
        }
    }

    async fn what_is_no_token_is_refused(bench: Bench) {
        let server = start(&bench).await;
        let visitor = server.visitor();
        let token = form(&visitor).await;
        let cookie = visitor.token().expect("a session");
        let changed = if token.starts_with('A') { token.replacen('A', "B", 1) } else { format!("A{}", &token[1..]) };
        let short = &token[..42];
        let long = format!("{token}A");
        let padded = format!("{token}=");
        let zeros = "A".repeat(43);
        for wrong in ["", " ", "csrf", &changed, short, &long, &padded, &zeros, &cookie, &cookie[..22], "\u{e9}"] {
            let answer = visitor.post("/submit", wrong).await;
            assert_eq!((answer.status, answer.all("content-type")), (403, vec!["application/problem+json"]), "{wrong}");
            assert_eq!(answer.all("cache-control"), ["no-store"]);
        }
        assert_eq!(submit(&visitor, &token).await, 200);
    }

    async fn a_page_that_fails_begins_no_session(bench: Bench) {
        let server = start(&bench).await;
        let visitor = server.visitor();
        assert_eq!(visitor.get("/fails").await.status, 500);
        assert!(visitor.token().is_none() && bench.sessions() == 0);
    }

    async fn a_form_after_a_login_in_the_same_request_is_the_new_ones(bench: Bench) {
        let server = start(&bench).await;
        let visitor = server.visitor();
        form(&visitor).await;
        let body = visitor.get("/login-and-show").await.body;
        assert_eq!(submit(&visitor, body.split('"').nth(5).expect("a value")).await, 200);
    }

    async fn the_map_does_not_show_the_seed(bench: Bench) {
        let server = start(&bench).await;
        let visitor = server.visitor();
        assert_eq!(visitor.get("/keys").await.body, "");
        visitor.get("/add").await;
        assert_eq!(visitor.get("/keys").await.body, "cart.items");
    }

    async fn nothing_prints_the_token(bench: Bench) {
        let server = start(&bench).await;
        let visitor = server.visitor();
        form(&visitor).await;
        let printed = visitor.get("/print").await.body;
        assert_eq!(printed, "CsrfToken { .. } CsrfToken { .. }");
    }

    async fn a_store_that_fails_is_no_wrong_token(bench: Bench) {
        let server = start(&bench).await;
        let visitor = server.visitor();
        let token = form(&visitor).await;
        if let sessionkit_tests::harness::TestStore::Redis(_) = bench.store.inner() {
            bench.with_redis(|redis| redis.kill());
            assert_eq!(submit(&visitor, &token).await, 503);
            assert_eq!(visitor.get("/form").await.status, 503);
        }
    }
}

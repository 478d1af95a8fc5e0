//! Cookies that open nothing: whoever presents one is anonymous, or rejected, as the application says.

use std::time::Duration;

use sessionkit::{OnBadCookie, SessionData};
use sessionkit_tests::behaviour;
use sessionkit_tests::harness::{Answer, Bench, COOKIE, Server, Visitor};

#[derive(SessionData)]
struct Cart {
    items: Vec<u32>,
}

/// The paths that ask for the session, each in a way of its own.
const ASKING: [&str; 7] = ["/add", "/view", "/maybe", "/me", "/info", "/guarded", "/rotate"];

fn rejecting(bench: Bench) -> Bench {
    bench.with_config(|config| config.on_bad_cookie(OnBadCookie::Reject))
}

/// Presents these values of our cookie.
async fn present(server: &Server, path: &str, values: &[&str]) -> Answer {
    let cookies: Vec<String> = values.iter().map(|value| format!("{COOKIE}={value}")).collect();
    server.visitor().get_with_cookies(path, &[cookies.join("; ").as_bytes()]).await
}

/// An answer that rejects the cookie and leaves it where it is.
fn assert_rejected(answer: &Answer, status: u16, path: &str) {
    assert_eq!((answer.status, answer.cookies().len()), (status, 0), "{path}: {answer:?}");
    assert_eq!(answer.all("content-type"), ["application/problem+json"], "{path}");
    assert_eq!((answer.all("vary"), answer.all("cache-control")), (vec!["Cookie"], vec!["no-store"]), "{path}");
}

behaviour! {
    tests: [
        row_08_one_layer_connects_and_a_bad_cookie_is_anonymous,
        row_08_reject_answers_400_to_what_is_no_token_and_401_to_what_opens_nothing,
        row_08_reject_leaves_alone_who_presents_nothing_or_something_that_opens,
        row_08_reject_lets_everybody_log_in_and_out,
        row_08_reject_stands_even_if_the_handler_answers,
        row_08_reject_is_not_how_a_store_failure_looks,
    ];

    type Answered = Result<Reply, SessionRejection>;

    async fn add(mut cart: Session<Cart>) -> Reply {
        cart.items.push(7);
        Reply::ok(cart.items.len())
    }

    async fn view(cart: SessionView<Cart>) -> Reply {
        Reply::ok(cart.items.len())
    }

    async fn maybe(cart: MaybeSession<Cart>) -> Reply {
        Reply::ok(cart.0.is_some())
    }

    async fn me(auth: Auth) -> Answered {
        Ok(Reply::ok(auth.user_id().await?.as_deref().unwrap_or("nobody")))
    }

    async fn info(auth: Auth) -> Answered {
        Ok(Reply::ok(auth.info().await?.is_some()))
    }

    #[session(require_login)]
    async fn guarded() -> Reply {
        Reply::ok("guarded")
    }

    async fn rotate(auth: Auth) -> Answered {
        auth.rotate().await?;
        Ok(Reply::ok("rotated"))
    }

    async fn free() -> Reply {
        Reply::ok("free")
    }

    async fn login(auth: Auth) -> Answered {
        auth.login("ada").await?;
        auth.checkout::<Cart>().await?.items.push(1);
        Ok(Reply::ok(auth.user_id().await?.as_deref().unwrap_or("nobody")))
    }

    async fn logout(auth: Auth) -> Answered {
        auth.logout().await?;
        Ok(Reply::ok(auth.user_id().await?.as_deref().unwrap_or("nobody")))
    }

    /// Takes no for an answer, and answers itself.
    async fn stubborn(auth: Auth) -> Reply {
        Reply::ok(auth.user_id().await.is_err())
    }

    async fn start(bench: &Bench) -> Server {
        let routes = routes![
            "/add" => add, "/view" => view, "/maybe" => maybe, "/me" => me, "/info" => info, "/guarded" => guarded,
            "/rotate" => rotate, "/free" => free, "/login" => login, "/logout" => logout, "/stubborn" => stubborn,
        ];
        serve(bench, routes).await
    }

    /// The token of a session that has ended.
    async fn expired(bench: &Bench, server: &Server) -> String {
        let visitor = server.visitor();
        assert_eq!(visitor.get("/login").await.body, "ada");
        bench.clock.advance(Duration::from_secs(86_400));
        visitor.token().expect("ada had a session")
    }

    async fn row_08_one_layer_connects_and_a_bad_cookie_is_anonymous(bench: Bench) {
        let server = start(&bench).await;
        let expired = expired(&bench, &server).await;
        for value in ["deleted", &"a".repeat(64), &expired] {
            assert_eq!(present(&server, "/me", &[value]).await.body, "nobody", "{value}");
            assert_eq!(present(&server, "/maybe", &[value]).await.body, "false", "{value}");
            let answer = present(&server, "/add", &[value]).await;
            assert_eq!((answer.body.as_str(), answer.cookies().len()), ("1", 1), "{value} is replaced when there is data");
        }
    }

    async fn row_08_reject_answers_400_to_what_is_no_token_and_401_to_what_opens_nothing(bench: Bench) {
        let bench = rejecting(bench);
        let server = start(&bench).await;
        let (unknown, expired) = ("a".repeat(64), expired(&bench, &server).await);
        let tampered = format!("{}{}", &expired[..63], if expired.ends_with('A') { 'B' } else { 'A' });
        for path in ASKING {
            bench.store.take();
            for value in ["", "deleted", &unknown[1..], &"*".repeat(64)] {
                assert_rejected(&present(&server, path, &[value]).await, 400, path);
                assert_eq!(bench.store.take().total(), 0, "{path}");
            }
            for values in [&[&*unknown][..], &[&expired], &[&tampered], &["deleted", &unknown]] {
                assert_rejected(&present(&server, path, values).await, 401, path);
            }
        }
        let answer = present(&server, "/free", &["deleted"]).await;
        assert_eq!((answer.body.as_str(), answer.all("vary").len()), ("free", 0));
    }

    async fn row_08_reject_leaves_alone_who_presents_nothing_or_something_that_opens(bench: Bench) {
        let bench = rejecting(bench);
        let server = start(&bench).await;
        let (ada, bob) = (server.visitor(), server.visitor());
        assert_eq!((ada.get("/view").await.body, ada.get("/me").await.body), ("0".to_owned(), "nobody".to_owned()));
        for visitor in [&ada, &bob] {
            assert_eq!(visitor.get("/login").await.body, "ada");
        }
        let token = |visitor: &Visitor| visitor.token().expect("a login sets the cookie");
        assert_eq!(present(&server, "/me", &["deleted", &"a".repeat(64), &token(&ada)]).await.body, "ada");
        // Two that open are nobody's; neither is bad.
        assert_eq!(present(&server, "/me", &[&token(&ada), &token(&bob)]).await.body, "nobody");
    }

    async fn row_08_reject_lets_everybody_log_in_and_out(bench: Bench) {
        let bench = rejecting(bench);
        let server = start(&bench).await;
        for value in ["deleted".to_owned(), "a".repeat(64), expired(&bench, &server).await] {
            let visitor = server.visitor();
            visitor.set_token(&value);
            let answer = visitor.get("/login").await;
            assert_eq!((answer.status, answer.body.as_str()), (200, "ada"), "{answer:?}");
            assert_eq!(visitor.get("/view").await.body, "1", "what was stored after the login is there");

            visitor.set_token(&value);
            let answer = visitor.get("/logout").await;
            assert_eq!((answer.status, answer.body.as_str()), (200, "nobody"), "{answer:?}");
            assert_eq!(visitor.token(), None, "a logout removes the cookie");
        }
    }

    async fn row_08_reject_stands_even_if_the_handler_answers(bench: Bench) {
        let server = start(&rejecting(bench)).await;
        assert_rejected(&present(&server, "/stubborn", &["deleted"]).await, 400, "/stubborn");
        assert_eq!(server.visitor().get("/stubborn").await.body, "false");
    }

    async fn row_08_reject_is_not_how_a_store_failure_looks(bench: Bench) {
        let bench = rejecting(bench).with_config(|config| {
            config.on_bad_cookie(OnBadCookie::Reject).load_deadline(Duration::from_millis(50))
        });
        let store = sessionkit_tests::harness::HeldStore::new(bench.store.clone(), &bench.gates);
        store.hold("before load");
        let server = serve_with(&bench, bench.manager_over(store), routes!["/me" => me]).await;
        assert_eq!(present(&server, "/me", &[&"a".repeat(64)]).await.status, 503);
    }
}

//! The strict protection, and the token that lets pass what no browser says anything of.

use reqwest::Method;
use sessionkit::{CrossOriginProtection, Rejection};
use sessionkit_tests::behaviour;
use sessionkit_tests::harness::{Bench, Log, Server};

use crate::token::form;

behaviour! {
    tests: [
        a_token_lets_pass_what_says_nothing,
        a_token_lets_nothing_pass_that_another_site_sent,
        the_session_is_loaded_once,
        what_is_refused_is_decided_where_all_is_denied_by_default,
    ];

    async fn shows(token: CsrfToken) -> Reply {
        Reply::ok(token.hidden_field())
    }

    async fn buy(session: DynamicSession, body: Body) -> Reply {
        Reply::ok(format!("{body} {}", session.keys().is_empty()))
    }

    async fn start(bench: &Bench) -> Server {
        let protection = CrossOriginProtection::new().strict();
        serve_protected(bench, bench.manager(), protection, routes!["/form" => shows, "/buy" => buy]).await
    }

    async fn a_token_lets_pass_what_says_nothing(bench: Bench) {
        let log = Log::collect();
        let server = start(&bench).await;
        let (visitor, other) = (server.visitor(), server.visitor());
        let (token, foreign) = (form(&visitor).await, form(&other).await);
        let send = async |headers: &[(&str, &[u8])]| visitor.send(Method::POST, "/buy", headers, "tea").await;
        let answer = send(&[("x-csrf-token", token.as_bytes())]).await;
        assert_eq!((answer.status, &*answer.body), (200, "tea true"), "the body arrives");
        for wrong in [&foreign, "", "x"] {
            assert_eq!(send(&[("x-csrf-token", wrong.as_bytes())]).await.status, 403, "{wrong:?}");
        }
        assert_eq!(send(&[("x-csrf-token", b"\xff")]).await.status, 403);
        assert_eq!(send(&[]).await.status, 403);
        let nobody = server.visitor();
        let answer = nobody.send(Method::POST, "/buy", &[("x-csrf-token", token.as_bytes())], "").await;
        assert_eq!(answer.status, 403, "without the cookie");
        assert_eq!(log.text().matches("reason=wrong token").count(), 5, "{}", log.text());
    }

    async fn a_token_lets_nothing_pass_that_another_site_sent(bench: Bench) {
        let server = start(&bench).await;
        let visitor = server.visitor();
        let token = form(&visitor).await;
        for other in [("sec-fetch-site", &b"cross-site"[..]), ("origin", b"https://evil.example")] {
            let headers = [("x-csrf-token", token.as_bytes()), other];
            assert_eq!(visitor.send(Method::POST, "/buy", &headers, "").await.status, 403, "{other:?}");
        }
    }

    #[session(public)]
    async fn public() -> Reply {
        Reply::ok("public")
    }

    async fn what_is_refused_is_decided_where_all_is_denied_by_default(bench: Bench) {
        let answers = |protection: CrossOriginProtection| protection.on_denied(|_, _| Rejection::html(400, "not from here"));
        let log = Log::collect();
        for protection in [CrossOriginProtection::new(), CrossOriginProtection::new().strict()] {
            let routes = routes!["/form" => shows, "/public" => public];
            let server = serve_protected_withholding(&bench, answers(protection), routes).await;
            let visitor = server.visitor();
            for wrong in [&[("sec-fetch-site", &b"cross-site"[..])][..], &[("origin", b"null"), ("x-csrf-token", b"x")]] {
                let answer = visitor.send(Method::POST, "/public", wrong, "").await;
                assert_eq!((answer.status, &*answer.body), (400, "not from here"), "{wrong:?}");
            }
            let same = [("sec-fetch-site", &b"same-origin"[..])];
            assert_eq!(visitor.send(Method::POST, "/public", &same, "").await.body, "public");
            assert_eq!(visitor.send(Method::POST, "/form", &same, "").await.status, 403, "nobody guards it");
        }
        // The token is looked at later than the headers.
        let strict = answers(CrossOriginProtection::new().strict());
        let server = serve_protected_withholding(&bench, strict, routes!["/public" => public]).await;
        let answer = server.visitor().send(Method::POST, "/public", &[("x-csrf-token", b"x")], "").await;
        assert_eq!((answer.status, &*answer.body), (400, "not from here"));
        assert_eq!(log.text().matches("event=\"unguarded\"").count(), 2, "{}", log.text());
    }

    async fn the_session_is_loaded_once(bench: Bench) {
        let server = start(&bench).await;
        let visitor = server.visitor();
        let token = form(&visitor).await;
        bench.store.take();
        let headers = [("x-csrf-token", token.as_bytes())];
        assert_eq!(visitor.send(Method::POST, "/buy", &headers, "").await.status, 200);
        assert_eq!(bench.store.take().total(), 1);
        assert_eq!(visitor.send(Method::POST, "/buy", &[], "").await.status, 403);
        assert_eq!(bench.store.take().total(), 0, "what has no token loads nothing");
    }
}

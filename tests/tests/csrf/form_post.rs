//! The way back from an identity provider whose page posts a form (`response_mode=form_post`).

use reqwest::Method;
use sessionkit::{CrossOriginProtection, SessionData};
use sessionkit_tests::behaviour;
use sessionkit_tests::harness::{Bench, Server};

#[derive(SessionData)]
pub struct Cart {
    items: Vec<u32>,
    state: Option<String>,
}

/// The headers that the browser adds to a form that the provider's page posts.
const CROSS_SITE: [(&str, &[u8]); 3] =
    [("sec-fetch-site", b"cross-site"), ("sec-fetch-mode", b"navigate"), ("origin", b"https://id.example")];

behaviour! {
    tests: [
        it_comes_without_the_cookie_and_is_refused_unless_exempt,
        a_handler_that_uses_no_session_does_not_replace_it,
        an_interim_page_arrives_with_the_session,
        a_handler_that_logs_in_at_once_begins_another_session,
    ];

    type Answered = Result<Reply, SessionRejection>;

    async fn leave(mut cart: Session<Cart>) -> Reply {
        cart.items.push(7);
        cart.state = Some("s1".into());
        Reply::ok("to the provider")
    }

    /// Answers with a page that posts the same fields again, and looks at no session.
    async fn interim(body: Body) -> Reply {
        Reply::ok(format!(r#"<form method="post" action="/finish">{body}</form><script>document.forms[0].submit()</script>"#))
    }

    async fn finish(auth: Auth, mut cart: Session<Cart>, body: Body) -> Answered {
        if cart.state.take().as_deref() != Some(&*body) {
            return Ok(Reply::status(403, "this is not the login that was begun here"));
        }
        drop(cart);
        auth.login("ada").await?;
        Ok(Reply::ok("welcome"))
    }

    async fn at_once(auth: Auth, cart: Session<Cart>) -> Answered {
        let known = cart.state.is_some();
        drop(cart);
        auth.login("ada").await?;
        Ok(Reply::ok(known))
    }

    async fn items(cart: Session<Cart>, auth: Auth) -> Answered {
        Ok(Reply::ok(format!("{:?} {}", cart.items, auth.user_id().await?.as_deref().unwrap_or("nobody"))))
    }

    async fn start(bench: &Bench) -> Server {
        let protection = CrossOriginProtection::new().exempt("/return").expect("a path").exempt("/at-once").expect("a path");
        let routes = routes![
            "/leave" => leave, "/return" => interim, "/finish" => finish, "/at-once" => at_once, "/items" => items,
        ];
        serve_protected(bench, bench.manager(), protection, routes).await
    }

    async fn it_comes_without_the_cookie_and_is_refused_unless_exempt(bench: Bench) {
        let server = start(&bench).await;
        let visitor = server.visitor();
        let answer = visitor.get("/leave").await;
        assert!(answer.cookies()[0].contains("SameSite=Lax"), "which is why it is not sent: {:?}", answer.cookies());
        let browser = server.visitor();
        assert_eq!(browser.send(Method::POST, "/finish", &CROSS_SITE, "s1").await.status, 403);
        assert_eq!(browser.send(Method::POST, "/return", &CROSS_SITE, "s1").await.status, 200);
    }

    async fn a_handler_that_uses_no_session_does_not_replace_it(bench: Bench) {
        let server = start(&bench).await;
        let visitor = server.visitor();
        visitor.get("/leave").await;
        bench.store.take();
        // The browser holds the cookie back, and keeps what the answer sets.
        let answer = visitor.send(Method::POST, "/return", &[&CROSS_SITE[..], &[("cookie", b"")]].concat(), "s1").await;
        assert_eq!((answer.status, answer.cookies()), (200, vec![]));
        assert_eq!(bench.store.take().total(), 0);
        assert_eq!(visitor.get("/items").await.body, "[7] nobody");
        assert_eq!(bench.sessions(), 1);
    }

    async fn an_interim_page_arrives_with_the_session(bench: Bench) {
        let server = start(&bench).await;
        let visitor = server.visitor();
        visitor.get("/leave").await;
        visitor.send(Method::POST, "/return", &[&CROSS_SITE[..], &[("cookie", b"")]].concat(), "s1").await;
        // The interim page is one of this site, so that its form comes with the cookie.
        let same_origin = [("sec-fetch-site", &b"same-origin"[..])];
        assert_eq!(visitor.send(Method::POST, "/finish", &same_origin, "s1").await.body, "welcome");
        assert_eq!(visitor.get("/items").await.body, "[7] ada");
        let again = visitor.send(Method::POST, "/finish", &same_origin, "s1").await;
        assert_eq!(again.status, 403, "a state is good once");
    }

    async fn a_handler_that_logs_in_at_once_begins_another_session(bench: Bench) {
        let server = start(&bench).await;
        let visitor = server.visitor();
        visitor.get("/leave").await;
        let before = visitor.token();
        let answer = visitor.send(Method::POST, "/at-once", &[&CROSS_SITE[..], &[("cookie", b"")]].concat(), "s1").await;
        assert_eq!(answer.body, "false", "what was kept for the return is not seen");
        assert_ne!(visitor.token(), before, "and the cookie that was held back is replaced");
        assert_eq!(visitor.get("/items").await.body, "[] ada");
    }
}

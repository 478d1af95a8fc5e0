//! A token opens its session with the right secret alone, and is never taken over from a client.

use sessionkit::SessionData;
use sessionkit_tests::behaviour_everywhere;
use sessionkit_tests::harness::{Bench, COOKIE, Server, Visitor};

use super::{bytes, token};

#[derive(SessionData)]
struct Cart {
    items: Vec<u32>,
}

behaviour_everywhere! {
    tests: [
        p5_an_unknown_token_is_never_adopted,
        p5_the_token_of_an_ended_session_is_never_adopted,
        a_selector_alone_neither_opens_nor_ends_a_session,
        row_19_p3_a_rotated_token_opens_nothing,
        what_the_store_keeps_opens_nothing,
    ];

    type Answered = Result<Reply, SessionRejection>;

    async fn add(mut cart: Session<Cart>) -> Reply {
        cart.items.push(7);
        Reply::ok(cart.items.len())
    }

    async fn count(cart: SessionView<Cart>) -> Reply {
        Reply::ok(cart.items.len())
    }

    async fn me(auth: Auth) -> Answered {
        Ok(Reply::ok(auth.user_id().await?.as_deref().unwrap_or("nobody")))
    }

    async fn login(auth: Auth) -> Answered {
        auth.login("ada").await?;
        Ok(Reply::ok("ada"))
    }

    async fn rotate(auth: Auth) -> Answered {
        auth.rotate().await?;
        Ok(Reply::ok("rotated"))
    }

    async fn logout(auth: Auth) -> Answered {
        auth.logout().await?;
        Ok(Reply::ok("bye"))
    }

    async fn start(bench: &Bench) -> Server {
        let routes = routes![
            "/add" => add, "/count" => count, "/me" => me, "/login" => login, "/rotate" => rotate, "/logout" => logout,
        ];
        serve(bench, routes).await
    }

    async fn ada(server: &Server) -> Visitor {
        let visitor = server.visitor();
        assert_eq!(visitor.get("/login").await.status, 200);
        assert_eq!(visitor.get("/add").await.body, "1");
        visitor
    }

    /// The token of a visitor who came with this one and was given another.
    async fn replaced(server: &Server, path: &str, planted: &str) -> String {
        let visitor = server.visitor();
        visitor.set_token(planted);
        assert_eq!(visitor.get(path).await.status, 200);
        visitor.token().expect("the visitor has a session")
    }

    async fn p5_an_unknown_token_is_never_adopted(bench: Bench) {
        let server = start(&bench).await;
        let planted = token(&[0xab; 16], &[0xcd; 32]);
        for path in ["/add", "/login"] {
            let given = replaced(&server, path, &planted).await;
            assert_ne!(bytes(&given)[..16], [0xab; 16], "{path}");
            assert_ne!(bytes(&given)[16..], [0xcd; 32], "{path}");
        }
        assert_eq!(bench.sessions(), 2);
        assert!(!bench.dump_bytes().windows(16).any(|window| window == [0xab; 16]));
        // Whoever planted the token is still nobody.
        let planter = server.visitor();
        planter.set_token(&planted);
        assert_eq!(planter.get("/me").await.body, "nobody");
        assert_eq!(planter.get("/count").await.body, "0");
    }

    async fn p5_the_token_of_an_ended_session_is_never_adopted(bench: Bench) {
        let server = start(&bench).await;
        let visitor = ada(&server).await;
        let ended = visitor.token().expect("ada has a session");
        assert_eq!(visitor.get("/logout").await.status, 200);
        for path in ["/add", "/login"] {
            let given = replaced(&server, path, &ended).await;
            assert_ne!(bytes(&given)[..16], bytes(&ended)[..16], "{path}");
        }
    }

    async fn a_selector_alone_neither_opens_nor_ends_a_session(bench: Bench) {
        let server = start(&bench).await;
        let visitor = ada(&server).await;
        let real = bytes(&visitor.token().expect("ada has a session"));
        let mut almost = real;
        almost[47] ^= 1;
        for forged in [token(&real[..16], &[0; 32]), token(&almost[..16], &almost[16..])] {
            let thief = server.visitor();
            thief.set_token(&forged);
            assert_eq!(thief.get("/me").await.body, "nobody");
            assert_eq!(thief.get("/count").await.body, "0");
            assert_eq!(thief.get("/rotate").await.status, 200);
            thief.set_token(&forged);
            bench.store.take();
            assert_eq!(thief.get("/logout").await.status, 200);
            assert_eq!(bench.store.take().remove, 0);
            for path in ["/add", "/login"] {
                let given = replaced(&server, path, &forged).await;
                assert_ne!(bytes(&given)[..16], real[..16], "{path}");
            }
        }
        assert_eq!(visitor.get("/me").await.body, "ada");
        assert_eq!(visitor.get("/count").await.body, "1");
    }

    async fn row_19_p3_a_rotated_token_opens_nothing(bench: Bench) {
        let server = start(&bench).await;
        let visitor = ada(&server).await;
        for path in ["/rotate", "/login"] {
            let old = visitor.fork();
            assert_eq!(visitor.get(path).await.cookies().len(), 1, "{path}");
            assert_ne!(visitor.token(), old.token(), "{path}");
            assert_eq!(old.get("/me").await.body, "nobody", "{path}");
            assert_eq!(visitor.get("/me").await.body, "ada", "{path}");
            assert_eq!(visitor.get("/count").await.body, "1", "{path}");
        }
        assert_eq!(bench.sessions(), 1);
    }

    async fn what_the_store_keeps_opens_nothing(bench: Bench) {
        let server = start(&bench).await;
        let visitor = ada(&server).await;
        let parsed = sessionkit_core::Token::parse(visitor.token().expect("ada has a session").as_bytes());
        let parsed = parsed.expect("a token is well-formed");
        let (selector, kept) = (*parsed.id().as_bytes(), *parsed.secret_hash("Main").as_bytes());
        assert!(bench.dump_bytes().windows(32).any(|window| window == kept), "the store keeps the hash");
        let thief = server.visitor();
        let cookie = format!("{COOKIE}={}", token(&selector, &kept));
        assert_eq!(thief.get_with_cookies("/me", &[cookie.as_bytes()]).await.body, "nobody");
    }
}

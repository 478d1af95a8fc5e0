//! Cookies that are not tokens reach no store.

use sessionkit::SessionData;
use sessionkit_tests::behaviour;
use sessionkit_tests::harness::{Bench, COOKIE, Server};

#[derive(SessionData)]
struct Cart {
    items: Vec<u32>,
}

/// Values of our cookie that an attacker may send. Some are no HTTP, which is the framework's to refuse.
fn hostile(real: &str) -> Vec<Vec<u8>> {
    let text = [
        String::new(),
        "\"\"".into(),
        "\"".into(),
        "*".into(),
        "*".repeat(64),
        "%".repeat(64),
        "a".repeat(10_000),
        "../../../../etc/passwd".into(),
        format!("{}a", "../".repeat(21)),
        "session:*".into(),
        format!("{real}a"),
        format!("{real}="),
        format!("{real},{real}"),
        format!("'{real}'"),
        format!("\"\"{real}\"\""),
        real[1..].into(),
        real.replacen(&real[..1], "%41", 1),
        format!("{}+", &real[1..]),
        format!("{}/", &real[1..]),
        format!("{} ", &real[1..]).replace(' ', "\u{a0}"),
        format!("{}\r\nset-cookie: a=b", &real[1..]),
        format!("{}\r\n\r\nGET /count HTTP/1.1", &real[1..]),
        format!("{}\n", &real[1..]),
        format!("{}\0", &real[1..]),
        "\0".into(),
    ];
    let bytes = [vec![0xff; 64], [&[0xff], &real.as_bytes()[1..]].concat(), b"\xc3\x28".repeat(32), vec![0x80]];
    text.into_iter().map(String::into_bytes).chain(bytes).collect()
}

behaviour! {
    tests: [hostile_tokens_cause_no_store_call, a_cookie_that_is_not_http_harms_nobody_else];

    type Answered = Result<Reply, SessionRejection>;

    async fn add(mut cart: Session<Cart>) -> Reply {
        cart.items.push(7);
        Reply::ok(cart.items.len())
    }

    async fn count(cart: SessionView<Cart>, auth: Auth) -> Answered {
        let user = auth.user_id().await?;
        Ok(Reply::ok(format!("{} {}", user.as_deref().unwrap_or("nobody"), cart.items.len())))
    }

    async fn logout(auth: Auth) -> Answered {
        auth.logout().await?;
        Ok(Reply::ok("bye"))
    }

    async fn start(bench: &Bench) -> Server {
        serve(bench, routes!["/add" => add, "/count" => count, "/logout" => logout]).await
    }

    async fn hostile_tokens_cause_no_store_call(bench: Bench) {
        let server = start(&bench).await;
        let visitor = server.visitor();
        visitor.get("/add").await;
        bench.store.take();
        for value in hostile(&visitor.token().expect("a session was begun")) {
            let line = [COOKIE.as_bytes(), b"=", &value].concat();
            let shown = value.escape_ascii();
            let answer = visitor.get_with_cookies("/count", &[&line]).await;
            match answer.status {
                200 => assert_eq!(answer.body, "nobody 0", "{shown}"),
                status => assert!([0, 400].contains(&status), "{status} for {shown}"),
            }
            let answer = visitor.get_with_cookies("/logout", &[&line]).await;
            assert!([0, 200, 400].contains(&answer.status), "{} for {shown}", answer.status);
            assert_eq!(bench.store.take().total(), 0, "{shown}");
        }
        assert_eq!(visitor.get("/count").await.body, "nobody 1");
    }

    async fn a_cookie_that_is_not_http_harms_nobody_else(bench: Bench) {
        let server = start(&bench).await;
        let visitor = server.visitor();
        visitor.get("/add").await;
        let mine = format!("{COOKIE}={}", visitor.token().expect("a session was begun"));
        for value in hostile("a") {
            let line = [COOKIE.as_bytes(), b"=", &value, b"; ", mine.as_bytes()].concat();
            let answer = visitor.get_with_cookies("/count", &[&line]).await;
            match answer.status {
                // A line break ends the header, and what follows is another one.
                200 if value.contains(&b'\n') => {}
                200 => assert_eq!(answer.body, "nobody 1", "{}", value.escape_ascii()),
                status => assert!([0, 400].contains(&status), "{status} for {}", value.escape_ascii()),
            }
        }
    }
}

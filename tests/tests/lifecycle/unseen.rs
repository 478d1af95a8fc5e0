//! Tests of responses that nobody sees, to `HEAD` and to prefetches: the session is as if they had not been asked for, but for
//! what the handler wrote.

use std::time::Duration;

use reqwest::Method;
use sessionkit::{SessionConfigBuilder, SessionData};
use sessionkit_tests::behaviour;
use sessionkit_tests::harness::{Answer, Bench, Server, Visitor};

#[derive(SessionData)]
struct Cart {
    #[session(flash)]
    notice: Option<String>,
    #[session(flash)]
    lines: Vec<String>,
    #[session(merge = add)]
    views: u64,
}

const MINUTE: Duration = Duration::from_secs(60);

/// A method, and headers.
type Ask = (&'static str, &'static [(&'static str, &'static [u8])]);

/// The requests to whose responses nobody looks.
const UNSEEN: [Ask; 5] = [
    ("HEAD", &[]),
    ("GET", &[("sec-purpose", b"prefetch")]),
    ("GET", &[("sec-purpose", b"prefetch;prerender")]),
    ("GET", &[("x-sec-purpose", b"prefetch")]),
    ("GET", &[("purpose", b"prefetch")]),
];

async fn ask(visitor: &Visitor, path: &str, (method, headers): Ask) -> Answer {
    visitor.send(method.parse::<Method>().expect("a method"), path, headers, "").await
}

behaviour! {
    tests: [
        they_take_no_notice_and_what_they_write_is_stored,
        they_move_no_deadline,
        they_renew_no_token,
        they_begin_no_session,
    ];

    async fn set(mut cart: Session<Cart>) -> Reply {
        cart.notice = Some("saved".to_owned());
        cart.lines.push("one".to_owned());
        Reply::ok("set")
    }

    async fn show(mut cart: Session<Cart>) -> Reply {
        cart.views += 1;
        let (notice, lines) = (cart.notice.take(), std::mem::take(&mut cart.lines));
        Reply::ok(format!("{} {} {}", notice.as_deref().unwrap_or("-"), lines.join("+"), cart.views))
    }

    /// Takes what is there, and sets something else in its place.
    async fn exchange(mut cart: Session<Cart>) -> Reply {
        let shown = std::mem::take(&mut cart.lines).join("+");
        cart.lines.push("two".to_owned());
        Reply::ok(shown)
    }

    async fn read(cart: SessionView<Cart>) -> Reply {
        Reply::ok(cart.views)
    }

    async fn start(bench: &Bench) -> Server {
        serve(bench, routes!["/set" => set, "/show" => show, "/exchange" => exchange, "/read" => read]).await
    }

    async fn they_take_no_notice_and_what_they_write_is_stored(bench: Bench) {
        let server = start(&bench).await;
        let visitor = server.visitor();
        visitor.get("/set").await;
        for unseen in UNSEEN {
            let answer = ask(&visitor, "/show", unseen).await;
            assert_eq!((answer.status, answer.cookies().len()), (200, 0), "{unseen:?}");
        }
        ask(&visitor, "/exchange", UNSEEN[1]).await;
        assert_eq!(visitor.get("/show").await.body, "saved one+two 6");
        assert_eq!(visitor.get("/show").await.body, "-  7");
        // A request that takes nothing but a notice writes nothing.
        visitor.get("/set").await;
        bench.store.take();
        ask(&visitor, "/read", UNSEEN[0]).await;
        assert_eq!(bench.store.take().total(), 1);
        // A prefetch of something that is no page is a request like others.
        assert_eq!(ask(&visitor, "/show", ("POST", &[("sec-purpose", b"prefetch")])).await.body, "saved one 8");
        assert_eq!(visitor.get("/show").await.body, "-  9");
    }

    async fn they_move_no_deadline(bench: Bench) {
        let bench = bench.with_config(|config: SessionConfigBuilder| config.ttl(10 * MINUTE).anonymous_ttl(10 * MINUTE));
        let server = start(&bench).await;
        let (visitor, other) = (server.visitor(), server.visitor());
        visitor.get("/set").await;
        other.get("/set").await;
        for unseen in UNSEEN.iter().chain(&UNSEEN[..4]) {
            bench.clock.advance(MINUTE);
            ask(&visitor, "/read", *unseen).await;
            assert_eq!(ask(&other, "/read", ("GET", &[])).await.status, 200);
        }
        assert_eq!(visitor.get("/read").await.cookies().len(), 1, "it is alive, and is touched");
        bench.clock.advance(9 * MINUTE);
        ask(&visitor, "/read", UNSEEN[0]).await;
        ask(&other, "/read", UNSEEN[0]).await;
        bench.clock.advance(MINUTE);
        assert_eq!((&*visitor.get("/show").await.body, &*other.get("/show").await.body), ("-  1", "-  1"));
    }

    async fn they_renew_no_token(bench: Bench) {
        let bench = bench.with_config(|config| config.renew_after(10 * MINUTE));
        let server = start(&bench).await;
        let visitor = server.visitor();
        visitor.get("/set").await;
        let token = visitor.token();
        bench.clock.advance(11 * MINUTE);
        for unseen in UNSEEN {
            assert_eq!(ask(&visitor, "/read", unseen).await.cookies().len(), 0, "{unseen:?}");
        }
        visitor.get("/read").await;
        assert_ne!(visitor.token(), token);
    }

    async fn they_begin_no_session(bench: Bench) {
        let bench = bench.with_config(|config| config.save_uninitialized(true));
        let server = start(&bench).await;
        for unseen in UNSEEN {
            assert_eq!(ask(&server.visitor(), "/read", unseen).await.cookies().len(), 0, "{unseen:?}");
        }
        assert_eq!(bench.sessions(), 0);
        // What a handler keeps begins one: a prefetched form has a token in it.
        assert_eq!(ask(&server.visitor(), "/set", UNSEEN[1]).await.cookies().len(), 1);
        assert_eq!(server.visitor().get("/read").await.cookies().len(), 1);
    }
}

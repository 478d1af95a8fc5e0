//! A visitor's session that a handler gives a lifetime of its own.

use std::time::Duration;

use sessionkit::testing::Calls;
use sessionkit::{CookieMaxAge, SessionData};
use sessionkit_tests::behaviour;
use sessionkit_tests::harness::{Answer, Bench, Server, Visitor};

#[derive(SessionData)]
struct Cart {
    items: Vec<u32>,
}

const HOUR: u64 = 3600;
const NONE: Calls = Calls { load: 0, insert: 0, replace: 0, remove: 0, lists: 0, adoptions: 0, scan: 0, load_many: 0 };

fn hours(hours: u64) -> Duration {
    Duration::from_secs(hours * HOUR)
}

/// The `Max-Age` of the one cookie that an answer sets.
fn max_age(answer: &Answer) -> Option<u64> {
    assert_eq!(answer.cookies().len(), 1, "{answer:?}");
    let age = answer.cookies()[0].split("; ").find_map(|attribute| attribute.strip_prefix("Max-Age="));
    age.map(|age| age.parse().expect("Max-Age is a number"))
}

behaviour! {
    tests: [
        a_visitor_s_session_lives_as_long_as_a_handler_says,
        it_begins_no_session_and_costs_nothing_when_it_is_the_same,
        it_may_be_shorter_and_never_passes_the_absolute_end,
        a_login_begins_a_lifetime_of_its_own,
        an_answer_that_fails_changes_no_lifetime,
    ];

    type Answered = Result<Reply, SessionRejection>;

    async fn add(mut cart: Session<Cart>) -> Reply {
        cart.items.push(7);
        Reply::ok(cart.items.len())
    }

    async fn show(cart: SessionView<Cart>) -> Reply {
        Reply::ok(cart.items.len())
    }

    async fn last(auth: Auth, ttl: Body) -> Answered {
        auth.set_anonymous_ttl(hours(ttl.parse().expect("a number of hours"))).await?;
        Ok(Reply::ok(""))
    }

    async fn add_and_last(mut cart: Session<Cart>, auth: Auth, ttl: Body) -> Answered {
        auth.set_anonymous_ttl(hours(ttl.parse().expect("a number of hours"))).await?;
        cart.items.push(7);
        Ok(Reply::ok(""))
    }

    async fn last_and_fail(auth: Auth, _: SessionView<Cart>) -> Answered {
        auth.set_anonymous_ttl(hours(100)).await?;
        Ok(Reply::status(500, ""))
    }

    async fn login(auth: Auth) -> Answered {
        auth.set_anonymous_ttl(hours(100)).await?;
        auth.login("ada").await?;
        Ok(Reply::ok(""))
    }

    async fn start(bench: &Bench) -> (Server, Visitor) {
        let routes = routes![
            "/add" => add, "/show" => show, "/last" => last, "/add-and-last" => add_and_last, "/login" => login,
            "/last-and-fail" => last_and_fail,
        ];
        let server = serve(bench, routes).await;
        let visitor = server.visitor();
        (server, visitor)
    }

    async fn a_visitor_s_session_lives_as_long_as_a_handler_says(bench: Bench) {
        let bench = bench.with_config(|config| config.anonymous_ttl(hours(1)).cookie_max_age(CookieMaxAge::Session));
        let (_server, visitor) = start(&bench).await;
        assert_eq!(max_age(&visitor.post("/add-and-last", "48").await), Some(48 * HOUR), "with its first data");
        let later = visitor.fork();
        bench.clock.advance(hours(47));
        assert_eq!(visitor.get("/show").await.body, "1");
        // The use has granted as much again.
        bench.clock.advance(hours(47));
        assert_eq!(later.get("/show").await.body, "1");
        bench.clock.advance(hours(48));
        assert_eq!(visitor.get("/show").await.body, "0", "[P4]");
    }

    async fn it_begins_no_session_and_costs_nothing_when_it_is_the_same(bench: Bench) {
        let (server, visitor) = start(&bench).await;
        assert!(server.visitor().post("/last", "48").await.cookies().is_empty());
        assert_eq!(bench.store.take(), NONE);
        visitor.get("/add").await;
        bench.store.take();
        assert_eq!(max_age(&visitor.post("/last", "48").await), Some(48 * HOUR));
        assert_eq!(bench.store.take(), Calls { load: 1, replace: 1, ..NONE });
        visitor.post("/last", "48").await;
        assert_eq!(bench.store.take(), Calls { load: 1, ..NONE });
    }

    async fn it_may_be_shorter_and_never_passes_the_absolute_end(bench: Bench) {
        let bench = bench.with_config(|config| config.absolute_ttl(hours(72)));
        let (_server, visitor) = start(&bench).await;
        visitor.get("/add").await;
        bench.clock.advance(hours(1));
        assert_eq!(max_age(&visitor.post("/last", "1000").await), Some(71 * HOUR));
        assert_eq!(max_age(&visitor.post("/last", "1").await), Some(HOUR));
        bench.clock.advance(hours(1));
        assert_eq!(visitor.get("/show").await.body, "0", "[P4]");
    }

    async fn a_login_begins_a_lifetime_of_its_own(bench: Bench) {
        let bench = bench.with_config(|config| config.ttl(hours(24)));
        let (_server, visitor) = start(&bench).await;
        visitor.post("/add-and-last", "48").await;
        assert_eq!(max_age(&visitor.get("/login").await), Some(24 * HOUR));
        assert!(visitor.post("/last", "48").await.cookies().is_empty(), "somebody is logged in");
        bench.clock.advance(hours(24));
        assert_eq!(visitor.get("/show").await.body, "0");
    }

    async fn an_answer_that_fails_changes_no_lifetime(bench: Bench) {
        let bench = bench.with_config(|config| config.anonymous_ttl(hours(1)));
        let (_server, visitor) = start(&bench).await;
        visitor.get("/add").await;
        assert_eq!(visitor.get("/last-and-fail").await.status, 500);
        bench.clock.advance(hours(1));
        assert_eq!(visitor.get("/show").await.body, "0");
    }
}

//! Servers whose clocks differ.

use std::time::Duration;

use sessionkit::testing::ManualClock;
use sessionkit::{Clock as _, SessionData};
use sessionkit_tests::behaviour;
use sessionkit_tests::harness::{Bench, Server, Visitor};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const TEN_MINUTES: Duration = Duration::from_secs(600);

#[derive(SessionData)]
struct Cart {
    items: Vec<u32>,
}

behaviour! {
    tests: [
        a_login_ends_the_lead_of_a_clock_that_was_ahead,
        a_step_up_does_too,
    ];

    type Answered = Result<Reply, SessionRejection>;

    async fn add(mut cart: Session<Cart>) -> Reply {
        cart.items.push(7);
        Reply::ok(cart.items.len())
    }

    async fn login(auth: Auth) -> Answered {
        auth.login("ada").await?;
        Ok(Reply::ok("ada"))
    }

    async fn prove(auth: Auth) -> Answered {
        auth.reauthenticate().await?;
        Ok(Reply::ok("ada"))
    }

    async fn who(auth: Auth) -> Answered {
        Ok(Reply::ok(auth.user_id().await?.as_deref().unwrap_or("nobody")))
    }

    #[session(require_fresh = "5m")]
    async fn fresh() -> Reply {
        Reply::ok("fresh")
    }

    /// A server whose clock is right, and one whose clock is eleven days ahead.
    async fn servers(bench: &Bench) -> (Server, Server) {
        let bench = bench.clone().with_config(|config| config.ttl(TEN_MINUTES).absolute_ttl(TEN_MINUTES * 2));
        let routes =
            || routes!["/add" => add, "/login" => login, "/prove" => prove, "/who" => who, "/fresh" => fresh];
        let ahead = ManualClock::new();
        ahead.advance(bench.clock.now().saturating_duration_since(ahead.now()) + DAY * 11);
        let wrong = serve_with(&bench, bench.builder().clock(ahead).build(), routes()).await;
        (serve_with(&bench, bench.manager(), routes()).await, wrong)
    }

    /// The login lasts as long, and is fresh as long, as one of the right clock.
    async fn assert_right(bench: &Bench, visitor: &Visitor) {
        assert_eq!(visitor.get("/add").await.body, "2", "nothing is lost");
        bench.clock.advance(Duration::from_secs(299));
        assert_eq!(visitor.get("/fresh").await.status, 200);
        bench.clock.advance(Duration::from_secs(1));
        assert_eq!(visitor.get("/fresh").await.status, 401);
        bench.clock.advance(Duration::from_secs(598));
        assert_eq!(visitor.get("/who").await.body, "ada");
        bench.clock.advance(TEN_MINUTES);
        assert_eq!(visitor.get("/who").await.body, "nobody");
    }

    async fn a_login_ends_the_lead_of_a_clock_that_was_ahead(bench: Bench) {
        let (right, wrong) = servers(&bench).await;
        let visitor = wrong.visitor();
        visitor.get("/add").await;
        let visitor = visitor.at(&right);
        assert_eq!(visitor.get("/login").await.status, 200);
        assert_right(&bench, &visitor).await;
    }

    async fn a_step_up_does_too(bench: Bench) {
        let (right, wrong) = servers(&bench).await;
        let visitor = wrong.visitor();
        visitor.get("/add").await;
        visitor.get("/login").await;
        let visitor = visitor.at(&right);
        assert_eq!(visitor.get("/prove").await.status, 200);
        assert_right(&bench, &visitor).await;
    }
}

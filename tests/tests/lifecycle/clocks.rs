//! Servers whose clocks differ.

use std::time::Duration;

use sessionkit::testing::ManualClock;
use sessionkit::{Clock as _, Rolling, SessionData};
use sessionkit_tests::behaviour;
use sessionkit_tests::harness::{Bench, Server, Visitor};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const TEN_MINUTES: Duration = Duration::from_secs(600);

/// The leads of clocks that are ahead: one too small to notice, and two larger ones.
const LEADS: [Duration; 3] =
    [Duration::from_secs(2), Duration::from_secs(60 * 60), Duration::from_secs(365 * 24 * 60 * 60)];

/// The difference that clocks may have.
const LEEWAY: Duration = Duration::from_secs(30);

#[derive(SessionData)]
struct Cart {
    items: Vec<u32>,
    #[session(ttl = "1m")]
    code: Option<String>,
}

/// Returns the time by which something that a clock with this lead has granted may last longer.
fn slack(lead: Duration) -> Duration {
    if lead <= LEEWAY { lead } else { Duration::ZERO }
}

behaviour! {
    tests: [
        a_login_ends_the_lead_of_a_clock_that_was_ahead,
        a_step_up_does_too,
        a_session_ends_in_time_that_is_not_used,
        a_session_ends_in_time_that_is_used,
        an_authentication_from_the_future_is_not_fresh,
        a_field_ends_in_time,
        a_field_ends_in_time_that_was_set_in_a_session_of_a_right_clock,
        a_session_that_has_ended_for_a_clock_that_is_ahead_goes_on_for_others,
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

    async fn send_code(mut cart: Session<Cart>) -> Reply {
        cart.code = Some("1234".into());
        Reply::ok("sent")
    }

    async fn code(cart: SessionView<Cart>) -> Reply {
        Reply::ok(cart.code.as_deref().unwrap_or("none"))
    }

    /// A server whose clock is right, and one whose clock is ahead.
    async fn servers(bench: &Bench, lead: Duration) -> (Server, Server) {
        let bench = bench.clone().with_config(|config| config.ttl(TEN_MINUTES).absolute_ttl(TEN_MINUTES * 2));
        servers_of(&bench, lead).await
    }

    async fn servers_of(bench: &Bench, lead: Duration) -> (Server, Server) {
        let routes = || {
            routes![
                "/add" => add, "/login" => login, "/prove" => prove, "/who" => who, "/fresh" => fresh,
                "/send-code" => send_code, "/code" => code,
            ]
        };
        let ahead = ManualClock::new();
        ahead.advance(bench.clock.now().saturating_duration_since(ahead.now()) + lead);
        let wrong = serve_with(bench, bench.builder().clock(ahead).build(), routes()).await;
        (serve_with(bench, bench.manager(), routes()).await, wrong)
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
        let (right, wrong) = servers(&bench, DAY * 11).await;
        let visitor = wrong.visitor();
        visitor.get("/add").await;
        let visitor = visitor.at(&right);
        assert_eq!(visitor.get("/login").await.status, 200);
        assert_right(&bench, &visitor).await;
    }

    async fn a_step_up_does_too(bench: Bench) {
        let (right, wrong) = servers(&bench, DAY * 11).await;
        let visitor = wrong.visitor();
        visitor.get("/add").await;
        visitor.get("/login").await;
        let visitor = visitor.at(&right);
        assert_eq!(visitor.get("/prove").await.status, 200);
        assert_right(&bench, &visitor).await;
    }

    /// Logs a user in on the server whose clock is ahead; the right one serves them from then on.
    async fn logged_in(wrong: &Server, right: &Server) -> Visitor {
        let visitor = wrong.visitor();
        visitor.get("/login").await;
        visitor.at(right)
    }

    async fn a_session_ends_in_time_that_is_not_used(bench: Bench) {
        for lead in LEADS {
            let (right, wrong) = servers(&bench, lead).await;
            let (early, late) = (logged_in(&wrong, &right).await, logged_in(&wrong, &right).await);
            for visitor in [&early, &late] {
                assert_eq!(visitor.get("/who").await.body, "ada", "{lead:?}");
            }
            let visit = wrong.visitor();
            visit.get("/add").await;
            let visit = visit.at(&right);
            assert_eq!(visit.get("/add").await.body, "2", "{lead:?}");
            bench.clock.advance(TEN_MINUTES - Duration::from_secs(1));
            assert_eq!(early.get("/who").await.body, "ada", "{lead:?}");
            bench.clock.advance(Duration::from_secs(1) + slack(lead));
            assert_eq!(late.get("/who").await.body, "nobody", "{lead:?}");
            assert_eq!(visit.get("/add").await.body, "1", "{lead:?}");
        }
    }

    async fn a_session_ends_in_time_that_is_used(bench: Bench) {
        for lead in LEADS {
            let (right, wrong) = servers(&bench, lead).await;
            let visitor = logged_in(&wrong, &right).await;
            for _ in 0..19 {
                assert_eq!(visitor.get("/who").await.body, "ada", "{lead:?}");
                bench.clock.advance(Duration::from_secs(60));
            }
            assert_eq!(visitor.get("/who").await.body, "ada", "{lead:?}");
            bench.clock.advance(Duration::from_secs(60) + slack(lead));
            assert_eq!(visitor.get("/who").await.body, "nobody", "{lead:?}: the absolute deadline");
        }
    }

    async fn an_authentication_from_the_future_is_not_fresh(bench: Bench) {
        for lead in LEADS {
            let (right, wrong) = servers(&bench, lead).await;
            let visitor = logged_in(&wrong, &right).await;
            let status = if lead <= LEEWAY { 200 } else { 401 };
            assert_eq!(visitor.get("/fresh").await.status, status, "{lead:?}");
            assert_eq!(visitor.get("/fresh").await.status, status, "{lead:?}: nor when its times were taken back");
            bench.clock.advance(Duration::from_secs(300) + slack(lead));
            assert_eq!(visitor.get("/fresh").await.status, 401, "{lead:?}");
            visitor.get("/prove").await;
            assert_eq!(visitor.get("/fresh").await.status, 200, "{lead:?}");
        }
    }

    async fn a_field_ends_in_time(bench: Bench) {
        for lead in LEADS {
            let (right, wrong) = servers(&bench, lead).await;
            let visitor = logged_in(&wrong, &right).await;
            visitor.at(&wrong).get("/send-code").await;
            assert_eq!(visitor.get("/code").await.body, "1234", "{lead:?}");
            bench.clock.advance(Duration::from_secs(59));
            assert_eq!(visitor.get("/code").await.body, "1234", "{lead:?}");
            bench.clock.advance(Duration::from_secs(1) + slack(lead));
            assert_eq!(visitor.get("/code").await.body, "none", "{lead:?}");
        }
    }

    async fn a_field_ends_in_time_that_was_set_in_a_session_of_a_right_clock(bench: Bench) {
        let longest = DAY * 400;
        for (lead, rolling) in LEADS.into_iter().flat_map(|lead| [(lead, Rolling::Reset), (lead, Rolling::Off)]) {
            let bench =
                bench.clone().with_config(|config| config.ttl(longest).absolute_ttl(longest).rolling(rolling));
            let (right, wrong) = servers_of(&bench, lead).await;
            let visitor = right.visitor();
            visitor.get("/login").await;
            visitor.at(&wrong).get("/send-code").await;
            assert_eq!(visitor.get("/code").await.body, "1234", "{lead:?}, {rolling:?}");
            bench.clock.advance(Duration::from_secs(60) + slack(lead));
            assert_eq!(visitor.get("/code").await.body, "none", "{lead:?}, {rolling:?}");
            assert_eq!(visitor.get("/who").await.body, "ada", "{lead:?}, {rolling:?}");
        }
    }

    /// Nor does a write by that clock make the store forget it.
    async fn a_session_that_has_ended_for_a_clock_that_is_ahead_goes_on_for_others(bench: Bench) {
        for lead in LEADS {
            let (right, wrong) = servers(&bench, lead).await;
            let visitor = right.visitor();
            visitor.get("/login").await;
            visitor.get("/add").await;
            let expected = if lead < TEN_MINUTES { "ada" } else { "nobody" };
            let sessions = bench.sessions();
            assert_eq!(visitor.fork().at(&wrong).get("/who").await.body, expected, "{lead:?}");
            for _ in 0..100 {
                assert_eq!(wrong.visitor().get("/add").await.body, "1");
            }
            assert_eq!(bench.sessions(), sessions + 100, "{lead:?}");
            assert_eq!(visitor.get("/add").await.body, "2", "{lead:?}");
            assert_eq!(visitor.get("/who").await.body, "ada", "{lead:?}");
        }
    }
}

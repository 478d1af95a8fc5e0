//! Tests of the setting `rolling`: use of a session moves its deadline.

use std::time::Duration;

use sessionkit::{CookieMaxAge, Rolling, SessionConfig, SessionConfigBuilder, SessionData};
use sessionkit_tests::behaviour;
use sessionkit_tests::harness::{Answer, Bench, Server, Visitor};

#[derive(SessionData)]
struct Cart {
    items: Vec<u32>,
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A thousand seconds for users, five hundred for anonymous visitors, three thousand in all.
fn rolling(rolling: Rolling) -> impl FnOnce(SessionConfigBuilder) -> SessionConfigBuilder {
    move |config| config.ttl(seconds(1000)).anonymous_ttl(seconds(500)).absolute_ttl(seconds(3000)).rolling(rolling)
}

/// The `Max-Age` of the cookie that an answer sets, if it sets one.
fn max_age(answer: &Answer) -> Option<u64> {
    assert!(answer.cookies().len() <= 1, "{answer:?}");
    let attribute = answer.cookies().first()?.split("; ").find_map(|attribute| attribute.strip_prefix("Max-Age="));
    attribute.map(|age| age.parse().expect("Max-Age is a number"))
}

behaviour! {
    tests: [
        row_05_rolling_never_shortens,
        row_05_rolling_off_leaves_the_deadline,
        row_05_rolling_reset_begins_the_idle_time_anew,
        row_05_rolling_extend_adds_to_the_deadline,
        row_05_rolling_never_passes_the_absolute_deadline,
        row_05_rolling_is_throttled,
        without_a_throttle_each_response_sets_the_cookie_again,
        a_login_for_less_than_the_throttle_does_not_end_in_use,
        a_touch_keeps_the_data_of_others,
    ];

    type Answered = Result<Reply, SessionRejection>;

    async fn add(mut cart: Session<Cart>) -> Reply {
        cart.items.push(7);
        Reply::ok(cart.items.len())
    }

    async fn me(auth: Auth) -> Answered {
        Ok(Reply::ok(auth.user_id().await?.as_deref().unwrap_or("nobody")))
    }

    async fn count(cart: SessionView<Cart>) -> Reply {
        Reply::ok(cart.items.len())
    }

    async fn count_slowly(cart: SessionView<Cart>, Shared(gates): Shared) -> Reply {
        gates.pass("count").await;
        Reply::ok(cart.items.len())
    }

    async fn login(auth: Auth) -> Answered {
        auth.login("ada").await?;
        Ok(Reply::ok("ada"))
    }

    async fn remember(auth: Auth) -> Answered {
        auth.login("ada").lifetime(seconds(2000)).await?;
        Ok(Reply::ok("ada"))
    }

    async fn login_briefly(auth: Auth) -> Answered {
        auth.login("ada").lifetime(seconds(30)).await?;
        Ok(Reply::ok("ada"))
    }

    async fn start(bench: &Bench) -> Server {
        let routes = routes![
            "/add" => add,
            "/me" => me,
            "/count" => count,
            "/count-slowly" => count_slowly,
            "/login" => login,
            "/remember" => remember,
            "/login-briefly" => login_briefly,
        ];
        serve(bench, routes).await
    }

    async fn ada(server: &Server) -> Visitor {
        let visitor = server.visitor();
        assert_eq!(max_age(&visitor.get("/login").await), Some(1000));
        visitor
    }

    /// The session lives for this long from now on, less a second.
    async fn lives_for(bench: &Bench, visitor: &Visitor, left: u64) {
        bench.clock.advance(seconds(left - 1));
        assert_eq!(visitor.get("/me").await.body, "ada", "it lives for {left} s");
    }

    async fn ends_in_a_second(bench: &Bench, visitor: &Visitor) {
        bench.clock.advance(seconds(1));
        assert_eq!(visitor.get("/me").await.body, "nobody");
    }

    async fn row_05_rolling_never_shortens(bench: Bench) {
        // Twenty seconds more, not in twenty seconds.
        let extend = bench.clone().with_config(rolling(Rolling::Extend(seconds(20))));
        let server = start(&extend).await;
        let visitor = ada(&server).await;
        bench.clock.advance(seconds(100));
        assert_eq!(max_age(&visitor.get("/me").await), Some(920));

        // A login that was granted more than `ttl` is granted that again.
        let reset = bench.clone().with_config(rolling(Rolling::Reset));
        let server = start(&reset).await;
        let visitor = server.visitor();
        assert_eq!(max_age(&visitor.get("/remember").await), Some(2000));
        bench.clock.advance(seconds(100));
        assert_eq!(max_age(&visitor.get("/me").await), Some(2000));

        // So is a session from before the setting was lowered.
        let lowered = bench.clone().with_config(|config| config.ttl(seconds(300)).touch_after(seconds(10)));
        let lower = start(&lowered).await;
        let visitor = ada(&server).await.at(&lower);
        bench.clock.advance(seconds(50));
        assert_eq!(max_age(&visitor.get("/me").await), Some(1000));

        // A touch that comes late moves nothing back.
        let visitor = ada(&server).await;
        bench.clock.advance(seconds(100));
        let late = visitor.fork().get_in_background("/count-slowly");
        bench.gates.arrived("count", 1).await;
        bench.clock.advance(seconds(200));
        assert_eq!(max_age(&visitor.get("/me").await), Some(1000));
        bench.gates.open("count", 1);
        assert_eq!(max_age(&late.await.expect("the request ends")), Some(1000));
        lives_for(&bench, &visitor, 1000).await;
    }

    async fn row_05_rolling_off_leaves_the_deadline(bench: Bench) {
        let bench = bench.with_config(rolling(Rolling::Off));
        let server = start(&bench).await;
        let visitor = ada(&server).await;
        bench.store.take();
        bench.clock.advance(seconds(500));
        for path in ["/me", "/add", "/me"] {
            assert_eq!(max_age(&visitor.get(path).await), None, "{path}");
        }
        assert_eq!(bench.store.take().replace, 1);
        lives_for(&bench, &visitor, 500).await;
        ends_in_a_second(&bench, &visitor).await;
    }

    async fn row_05_rolling_reset_begins_the_idle_time_anew(bench: Bench) {
        let bench = bench.with_config(rolling(Rolling::Reset));
        let server = start(&bench).await;
        let (visitor, anonymous) = (ada(&server).await, server.visitor());
        anonymous.get("/add").await;
        for path in ["/me", "/add"] {
            bench.clock.advance(seconds(400));
            assert_eq!(max_age(&visitor.get(path).await), Some(1000), "{path}");
            assert_eq!(max_age(&anonymous.get(path).await), Some(500), "{path}");
        }
        lives_for(&bench, &visitor, 1000).await;
        // That was a touch too.
        bench.clock.advance(seconds(1000));
        assert_eq!(visitor.get("/me").await.body, "nobody");
    }

    async fn row_05_rolling_extend_adds_to_the_deadline(bench: Bench) {
        let bench = bench.with_config(rolling(Rolling::Extend(seconds(100))));
        let server = start(&bench).await;
        let visitor = ada(&server).await;
        bench.clock.advance(seconds(60));
        assert_eq!(max_age(&visitor.get("/me").await), Some(1040));
        bench.clock.advance(seconds(540));
        assert_eq!(max_age(&visitor.get("/add").await), Some(600));
        bench.clock.advance(seconds(599));
        assert_eq!(max_age(&visitor.get("/me").await), Some(101));
        bench.clock.advance(seconds(101));
        assert_eq!(visitor.get("/me").await.body, "nobody");
    }

    async fn row_05_rolling_never_passes_the_absolute_deadline(bench: Bench) {
        for by in [Rolling::Reset, Rolling::Extend(seconds(5000))] {
            let bench = bench.clone().with_config(rolling(by));
            let server = start(&bench).await;
            let visitor = ada(&server).await;
            for _ in 0..3 {
                bench.clock.advance(seconds(900));
                assert_eq!(visitor.get("/me").await.body, "ada", "{by:?}");
            }
            lives_for(&bench, &visitor, 300).await;
            ends_in_a_second(&bench, &visitor).await;
        }
    }

    async fn row_05_rolling_is_throttled(bench: Bench) {
        let usual = bench.clone().with_config(rolling(Rolling::Reset));
        let rarely = bench.clone().with_config(|config| rolling(Rolling::Reset)(config).touch_after(seconds(300)));
        for (bench, throttle) in [(usual, 60), (rarely, 300)] {
            let server = start(&bench).await;
            let visitor = ada(&server).await;
            bench.store.take();
            bench.clock.advance(seconds(throttle - 1));
            assert_eq!(max_age(&visitor.get("/me").await), None);
            assert_eq!(max_age(&visitor.get("/add").await), None);
            assert_eq!(bench.store.take().replace, 1, "the addition's");
            bench.clock.advance(seconds(1));
            assert_eq!(max_age(&visitor.get("/me").await), Some(1000));
            assert_eq!(max_age(&visitor.get("/me").await), None);
            assert_eq!(bench.store.take().replace, 1, "one touch");
        }
    }

    async fn a_login_for_less_than_the_throttle_does_not_end_in_use(bench: Bench) {
        let server = start(&bench).await;
        let visitor = server.visitor();
        assert_eq!(max_age(&visitor.get("/login-briefly").await), Some(30));
        for _ in 0..5 {
            bench.clock.advance(seconds(20));
            assert_eq!(visitor.get("/me").await.body, "ada");
        }
        bench.clock.advance(seconds(30));
        assert_eq!(visitor.get("/me").await.body, "nobody");
    }

    async fn a_touch_keeps_the_data_of_others(bench: Bench) {
        let server = start(&bench).await;
        let visitor = server.visitor();
        visitor.get("/add").await;
        bench.clock.advance(seconds(60));
        let reader = visitor.get_in_background("/count-slowly");
        bench.gates.arrived("count", 1).await;
        assert_eq!(visitor.get("/add").await.body, "2");
        bench.gates.open("count", 1);
        assert_eq!(reader.await.expect("the request ends").body, "1");
        assert_eq!(visitor.get("/count").await.body, "2");
    }

    async fn without_a_throttle_each_response_sets_the_cookie_again(bench: Bench) {
        for (max_age_of, age) in [(CookieMaxAge::Follow, 500), (CookieMaxAge::Fixed(seconds(77)), 77)] {
            let rolling = rolling(Rolling::Reset);
            let set = |config| rolling(config).touch_after(Duration::ZERO).cookie_max_age(max_age_of);
            let bench = bench.clone().with_config(set);
            let server = serve(&bench, routes!["/add" => add, "/count" => count]).await;
            let visitor = server.visitor();
            visitor.get("/add").await;
            for path in ["/count", "/add", "/count", "/count"] {
                assert_eq!(max_age(&visitor.get(path).await), Some(age), "{path}, within a second");
            }
            for _ in 0..3 {
                bench.clock.advance(seconds(499));
                assert_eq!(max_age(&visitor.get("/count").await), Some(age));
            }
            let words = SessionConfig::builder().touch_after(Duration::ZERO).build().expect("they agree").to_string();
            assert!(words.contains("recorded with each request"), "{words}");
        }
    }
}

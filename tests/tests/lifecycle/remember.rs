//! "Until the browser is closed, unless the box is ticked."

use std::time::Duration;

use sessionkit::{CookieMaxAge, SessionConfigBuilder, SessionData};
use sessionkit_tests::behaviour;
use sessionkit_tests::harness::{Answer, Bench, Server, Visitor};

#[derive(SessionData)]
struct Cart {
    items: Vec<u32>,
}

const TTL: u64 = 3600;
const DAY: u64 = 86400;

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn until_the_browser_is_closed(config: SessionConfigBuilder) -> SessionConfigBuilder {
    config.cookie_max_age(CookieMaxAge::Session).ttl(seconds(TTL))
}

/// The `Max-Age` of each cookie that an answer sets.
fn max_ages(answer: &Answer) -> Vec<Option<u64>> {
    let max_age = |cookie: &&str| {
        let age = cookie.split("; ").find_map(|attribute| attribute.strip_prefix("Max-Age="));
        age.map(|age| age.parse().expect("Max-Age is a number"))
    };
    answer.cookies().iter().map(max_age).collect()
}

behaviour! {
    tests: [
        a_cookie_ends_with_the_browser_unless_the_login_asked_for_more,
        the_cookie_of_such_a_login_keeps_following_its_end,
        a_lifetime_that_is_that_of_the_settings_is_asked_for_too,
        the_next_login_is_asked_anew,
        what_comes_after_such_a_login_and_its_logout_ends_with_the_browser,
    ];

    type Answered = Result<Reply, SessionRejection>;

    async fn add(mut cart: Session<Cart>) -> Reply {
        cart.items.push(7);
        Reply::ok(cart.items.len())
    }

    async fn me(auth: Auth) -> Answered {
        Ok(Reply::ok(auth.user_id().await?.as_deref().unwrap_or("nobody")))
    }

    async fn login(auth: Auth) -> Answered {
        auth.login("ada").await?;
        Ok(Reply::ok("ada"))
    }

    async fn remember(auth: Auth) -> Answered {
        auth.login("ada").lifetime(seconds(30 * DAY)).await?;
        Ok(Reply::ok("ada"))
    }

    async fn remember_as_long_as_usual(auth: Auth) -> Answered {
        auth.login("ada").lifetime(seconds(TTL)).await?;
        Ok(Reply::ok("ada"))
    }

    async fn prove(auth: Auth) -> Answered {
        auth.reauthenticate().await?;
        Ok(Reply::ok("ada"))
    }

    async fn rotate(auth: Auth) -> Answered {
        auth.rotate().await?;
        Ok(Reply::ok("ada"))
    }

    async fn act(auth: Auth) -> Answered {
        auth.impersonate("bob").await?;
        auth.end_impersonation().await?;
        Ok(Reply::ok("ada"))
    }

    async fn back_and_on(auth: Auth) -> Answered {
        auth.login("ada").lifetime(seconds(30 * DAY)).await?;
        auth.logout().await?;
        auth.session().dynamic().await?.insert("draft", "text")?;
        Ok(Reply::ok("nobody"))
    }

    async fn start(bench: &Bench, set: fn(SessionConfigBuilder) -> SessionConfigBuilder) -> Server {
        let routes = routes![
            "/add" => add,
            "/me" => me,
            "/login" => login,
            "/remember" => remember,
            "/as-usual" => remember_as_long_as_usual,
            "/prove" => prove,
            "/rotate" => rotate,
            "/act" => act,
            "/back-and-on" => back_and_on,
        ];
        serve(&bench.clone().with_config(set), routes).await
    }

    async fn ada(server: &Server, path: &str) -> (Visitor, Vec<Option<u64>>) {
        let visitor = server.visitor();
        let ages = max_ages(&visitor.get(path).await);
        (visitor, ages)
    }

    async fn a_cookie_ends_with_the_browser_unless_the_login_asked_for_more(bench: Bench) {
        let server = start(&bench, until_the_browser_is_closed).await;
        assert_eq!(ada(&server, "/add").await.1, [None]);
        assert_eq!(ada(&server, "/login").await.1, [None]);
        let (visitor, ages) = ada(&server, "/remember").await;
        assert_eq!(ages, [Some(30 * DAY)]);
        // Also where somebody was there already.
        assert_eq!(max_ages(&visitor.get("/remember").await), [Some(30 * DAY)]);
        // A fixed time is one for all.
        let server = start(&bench, |config| config.cookie_max_age(CookieMaxAge::Fixed(seconds(DAY)))).await;
        assert_eq!(ada(&server, "/remember").await.1, [Some(DAY)]);
    }

    async fn the_cookie_of_such_a_login_keeps_following_its_end(bench: Bench) {
        let renewed = |config| until_the_browser_is_closed(config).renew_after(seconds(10 * DAY));
        let server = start(&bench, renewed).await;
        let (usual, _) = ada(&server, "/login").await;
        let (visitor, _) = ada(&server, "/remember").await;
        bench.clock.advance(seconds(TTL - 1));
        assert_eq!(max_ages(&usual.get("/me").await), [], "a touch has nothing to tell");
        assert_eq!(max_ages(&visitor.get("/me").await), [Some(30 * DAY - TTL + 1)], "a touch");
        for path in ["/prove", "/rotate", "/act"] {
            let token = visitor.token();
            assert_eq!(max_ages(&visitor.get(path).await), [Some(30 * DAY)], "{path}");
            assert_ne!(visitor.token(), token, "{path}");
        }
        let token = visitor.token();
        bench.clock.advance(seconds(10 * DAY));
        assert_eq!(max_ages(&visitor.get("/me").await), [Some(20 * DAY)], "a renewal");
        assert_ne!(visitor.token(), token);
        assert_eq!(usual.get("/me").await.body, "nobody");
    }

    async fn a_lifetime_that_is_that_of_the_settings_is_asked_for_too(bench: Bench) {
        let server = start(&bench, until_the_browser_is_closed).await;
        assert_eq!(ada(&server, "/as-usual").await.1, [Some(TTL)]);
        assert_eq!(ada(&server, "/login").await.1, [None]);
    }

    async fn the_next_login_is_asked_anew(bench: Bench) {
        let server = start(&bench, until_the_browser_is_closed).await;
        let (visitor, _) = ada(&server, "/remember").await;
        assert_eq!(max_ages(&visitor.get("/login").await), [None]);
        bench.clock.advance(seconds(TTL - 1));
        let answer = visitor.get("/me").await;
        assert_eq!((answer.body.as_str(), max_ages(&answer)), ("ada", vec![]));
    }

    async fn what_comes_after_such_a_login_and_its_logout_ends_with_the_browser(bench: Bench) {
        let server = start(&bench, until_the_browser_is_closed).await;
        assert_eq!(ada(&server, "/back-and-on").await.1, [None]);
    }
}

//! Tests of the end of a session at its deadline, by a clock that the test moves.

use std::time::Duration;

use sessionkit::{Clock as _, CookieMaxAge, Rolling, SessionConfigBuilder, SessionData};
use sessionkit_tests::behaviour_everywhere;
use sessionkit_tests::harness::{Answer, Bench, Server, Visitor};

#[derive(SessionData)]
struct Cart {
    items: Vec<u32>,
}

const DAY: u64 = 86_400;

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A thousand seconds for users, five hundred for anonymous visitors, three thousand in all.
fn short(config: SessionConfigBuilder) -> SessionConfigBuilder {
    config.ttl(seconds(1000)).anonymous_ttl(seconds(500)).absolute_ttl(seconds(3000))
}

/// The `Max-Age` of the only cookie that an answer sets.
fn max_age(answer: &Answer) -> Option<u64> {
    let [cookie] = answer.cookies()[..] else { panic!("not one Set-Cookie: {answer:?}") };
    let age = cookie.split("; ").find_map(|attribute| attribute.strip_prefix("Max-Age="));
    age.map(|age| age.parse().expect("Max-Age is a number"))
}

behaviour_everywhere! {
    tests: [
        row_19_p4_a_session_ends_exactly_at_its_idle_deadline,
        row_19_p4_a_session_ends_exactly_at_its_absolute_deadline,
        p4_an_expired_session_never_opens_again,
        row_03_the_cookie_follows_the_ttl_unless_set_and_the_server_decides,
        keep_me_signed_in_lasts_as_long_as_the_login_says,
        a_login_begins_a_new_lifetime,
        the_session_tells_when_it_ends,
    ];

    type Answered = Result<Reply, SessionRejection>;

    async fn add(mut cart: Session<Cart>) -> Reply {
        cart.items.push(7);
        Reply::ok(cart.items.len())
    }

    async fn state(cart: SessionView<Cart>, auth: Auth) -> Answered {
        let user = auth.user_id().await?;
        Ok(Reply::ok(format!("{} {}", user.as_deref().unwrap_or("nobody"), cart.items.len())))
    }

    async fn login(auth: Auth) -> Answered {
        auth.login("ada").await?;
        Ok(Reply::ok("ada"))
    }

    async fn remember(auth: Auth) -> Answered {
        auth.login("ada").lifetime(seconds(90 * DAY)).await?;
        Ok(Reply::ok("ada"))
    }

    async fn info(auth: Auth) -> Answered {
        let Some(info) = auth.info().await? else { return Ok(Reply::ok("none")) };
        let authenticated = info.authenticated_at.map(|time| time.saturating_duration_since(info.created_at).as_secs());
        let expires = info.expires_at.saturating_duration_since(info.created_at).as_secs();
        let seen = info.last_seen_at.saturating_duration_since(info.created_at).as_secs();
        Ok(Reply::ok(format!("{:?} {authenticated:?} {seen} {expires}", info.user_id)))
    }

    async fn start(bench: &Bench) -> Server {
        let routes =
            routes!["/add" => add, "/state" => state, "/login" => login, "/remember" => remember, "/info" => info];
        serve(bench, routes).await
    }

    async fn visitor(server: &Server, path: &str) -> Visitor {
        let visitor = server.visitor();
        assert_eq!(visitor.get(path).await.status, 200);
        visitor
    }

    async fn row_19_p4_a_session_ends_exactly_at_its_idle_deadline(bench: Bench) {
        let bench = bench.with_config(|config| short(config).rolling(Rolling::Off));
        let server = start(&bench).await;
        let (anonymous, user) = (visitor(&server, "/add").await, visitor(&server, "/login").await);
        bench.clock.advance(seconds(499));
        assert_eq!(anonymous.get("/state").await.body, "nobody 1");
        bench.clock.advance(seconds(1));
        assert_eq!(anonymous.get("/state").await.body, "nobody 0");
        bench.clock.advance(seconds(499));
        assert_eq!(user.get("/state").await.body, "ada 0");
        bench.clock.advance(seconds(1));
        assert_eq!(user.get("/state").await.body, "nobody 0");
    }

    async fn row_19_p4_a_session_ends_exactly_at_its_absolute_deadline(bench: Bench) {
        let bench = bench.with_config(short);
        let server = start(&bench).await;
        let (anonymous, user) = (visitor(&server, "/add").await, visitor(&server, "/login").await);
        for step in 1..=7 {
            bench.clock.advance(seconds(400));
            let left = 3000 - step * 400;
            assert_eq!(max_age(&anonymous.get("/state").await), Some(left.min(500)));
            assert_eq!(max_age(&user.get("/state").await), Some(left.min(1000)));
        }
        bench.clock.advance(seconds(199));
        assert_eq!(anonymous.get("/state").await.body, "nobody 1");
        assert_eq!(user.get("/state").await.body, "ada 0");
        bench.clock.advance(seconds(1));
        assert_eq!(anonymous.get("/state").await.body, "nobody 0");
        assert_eq!(user.get("/state").await.body, "nobody 0");
    }

    async fn p4_an_expired_session_never_opens_again(bench: Bench) {
        let bench = bench.with_config(|config| short(config).rolling(Rolling::Off));
        let server = start(&bench).await;
        let expired = visitor(&server, "/add").await;
        expired.get("/login").await;
        bench.clock.advance(seconds(1000));
        for path in ["/add", "/login"] {
            let back = expired.fork();
            assert_eq!(back.get(path).await.cookies().len(), 1, "{path} begins another session");
            // The first 21 characters are the selector's alone.
            let selector = |visitor: &Visitor| visitor.token().map(|token| token[..21].to_owned());
            assert_ne!(selector(&back), selector(&expired), "{path}");
            assert_eq!(expired.get("/state").await.body, "nobody 0", "{path}");
        }
    }

    async fn row_03_the_cookie_follows_the_ttl_unless_set_and_the_server_decides(bench: Bench) {
        // A day each is the default.
        let server = start(&bench).await;
        let user = server.visitor();
        assert_eq!(max_age(&user.get("/login").await), Some(DAY));
        bench.clock.advance(seconds(DAY));
        assert_eq!(user.get("/state").await.body, "nobody 0");

        let follows = bench.clone().with_config(short);
        let server = start(&follows).await;
        let user = server.visitor();
        assert_eq!(max_age(&user.get("/add").await), Some(500));
        assert_eq!(max_age(&user.get("/login").await), Some(1000));

        for age in [100, 10 * DAY] {
            let fixed = bench.clone().with_config(|config| {
                short(config).rolling(Rolling::Off).cookie_max_age(CookieMaxAge::Fixed(seconds(age)))
            });
            let server = start(&fixed).await;
            let user = server.visitor();
            assert_eq!(max_age(&user.get("/add").await), Some(age));
            assert_eq!(max_age(&user.get("/login").await), Some(age));
            bench.clock.advance(seconds(999));
            assert_eq!(user.get("/state").await.body, "ada 1", "a cookie of {age} s is presented still");
            bench.clock.advance(seconds(1));
            assert_eq!(user.get("/state").await.body, "nobody 0", "a cookie of {age} s is presented still");
        }

        let browser = bench.clone().with_config(|config| short(config).cookie_max_age(CookieMaxAge::Session));
        let server = start(&browser).await;
        let user = server.visitor();
        assert_eq!(max_age(&user.get("/login").await), None);
        bench.clock.advance(seconds(999));
        assert!(user.get("/state").await.cookies().is_empty(), "a touch has nothing to tell");
        bench.clock.advance(seconds(999));
        assert_eq!(user.get("/state").await.body, "ada 0");
    }

    async fn keep_me_signed_in_lasts_as_long_as_the_login_says(bench: Bench) {
        let server = start(&bench).await;
        let (remembered, usual) = (server.visitor(), visitor(&server, "/login").await);
        assert_eq!(max_age(&remembered.get("/remember").await), Some(90 * DAY));
        bench.clock.advance(seconds(DAY));
        assert_eq!(usual.get("/state").await.body, "nobody 0");
        bench.clock.advance(seconds(88 * DAY));
        // Ninety days are more than `absolute_ttl`, which is raised for this login alone, and not moved by a touch.
        let answer = remembered.get("/state").await;
        assert_eq!((answer.body.as_str(), max_age(&answer)), ("ada 0", Some(DAY)));
        assert_eq!(remembered.get("/login").await.status, 200);
        bench.clock.advance(seconds(DAY));
        assert_eq!(remembered.get("/state").await.body, "nobody 0", "the next login did not ask for it");
    }

    async fn a_login_begins_a_new_lifetime(bench: Bench) {
        let bench = bench.with_config(|config| short(config).rolling(Rolling::Off));
        let server = start(&bench).await;
        let user = visitor(&server, "/add").await;
        bench.clock.advance(seconds(499));
        for _ in 0..4 {
            assert_eq!(max_age(&user.get("/login").await), Some(1000));
            bench.clock.advance(seconds(999));
            assert_eq!(user.get("/state").await.body, "ada 1");
        }
    }

    async fn the_session_tells_when_it_ends(bench: Bench) {
        let bench = bench.with_config(short);
        let began = bench.clock.now();
        let server = start(&bench).await;
        let user = server.visitor();
        assert_eq!(user.get("/info").await.body, "none");
        user.get("/add").await;
        assert_eq!(user.get("/info").await.body, "None None 0 500");
        bench.clock.advance(seconds(100));
        // Told as it was when the request came: the touch follows.
        assert_eq!(user.get("/info").await.body, "None None 0 500");
        assert_eq!(user.get("/info").await.body, "None None 100 600");
        bench.clock.advance(seconds(100));
        user.get("/login").await;
        assert_eq!(user.get("/info").await.body, "Some(\"ada\") Some(200) 200 1200");
        assert_eq!(bench.clock.now().saturating_duration_since(began), seconds(200));
    }
}

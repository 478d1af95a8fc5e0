//! Lifetimes after NIST SP 800-63B-4, as visitors meet them.

use std::time::Duration;

use sessionkit::SessionConfigBuilder;
use sessionkit_tests::behaviour;
use sessionkit_tests::harness::{Bench, Server};

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

behaviour! {
    tests: [
        row_19_a_preset_limits_the_time_without_use_and_in_all,
        row_19_no_login_passes_the_limits_of_a_preset,
    ];

    type Answered = Result<Reply, SessionRejection>;

    async fn me(auth: Auth) -> Answered {
        Ok(Reply::ok(auth.user_id().await?.as_deref().unwrap_or("nobody")))
    }

    async fn login(auth: Auth) -> Answered {
        auth.login("ada").await?;
        Ok(Reply::ok("ada"))
    }

    async fn remember(auth: Auth) -> Answered {
        auth.login("ada").lifetime(seconds(400 * DAY)).await?;
        Ok(Reply::ok("ada"))
    }

    async fn start(bench: &Bench, preset: fn(SessionConfigBuilder) -> SessionConfigBuilder) -> Server {
        let routes = routes!["/me" => me, "/login" => login, "/remember" => remember];
        serve(&bench.clone().with_config(preset), routes).await
    }

    /// Returns the number of seconds after which a session ends that a visitor uses every `step` seconds.
    async fn lives(bench: &Bench, server: &Server, path: &str, step: u64) -> u64 {
        let visitor = server.visitor();
        assert_eq!(visitor.get(path).await.body, "ada");
        let mut lived = 0;
        loop {
            bench.clock.advance(seconds(step));
            lived += step;
            if visitor.get("/me").await.body == "nobody" {
                return lived;
            }
        }
    }

    async fn row_19_a_preset_limits_the_time_without_use_and_in_all(bench: Bench) {
        let aal1 = start(&bench, SessionConfigBuilder::aal1).await;
        assert_eq!(lives(&bench, &aal1, "/login", DAY / 2).await, 30 * DAY);
        for (preset, idle, absolute) in [
            (SessionConfigBuilder::aal2 as fn(SessionConfigBuilder) -> SessionConfigBuilder, HOUR, DAY),
            (SessionConfigBuilder::aal3, 15 * MINUTE, 12 * HOUR),
        ] {
            let server = start(&bench, preset).await;
            assert_eq!(lives(&bench, &server, "/login", idle).await, idle);
            assert_eq!(lives(&bench, &server, "/login", idle / 2).await, absolute);
            let visitor = server.visitor();
            visitor.get("/login").await;
            bench.clock.advance(seconds(idle - 1));
            assert_eq!(visitor.get("/me").await.body, "ada");
        }
    }

    async fn row_19_no_login_passes_the_limits_of_a_preset(bench: Bench) {
        let aal2 = start(&bench, SessionConfigBuilder::aal2).await;
        assert_eq!(lives(&bench, &aal2, "/remember", HOUR).await, HOUR);
        assert_eq!(lives(&bench, &aal2, "/remember", HOUR / 2).await, DAY);
        let aal1 = start(&bench, SessionConfigBuilder::aal1).await;
        assert_eq!(lives(&bench, &aal1, "/remember", 15 * DAY).await, 30 * DAY);
        let free = start(&bench, |config| config).await;
        assert_eq!(lives(&bench, &free, "/remember", 200 * DAY).await, 400 * DAY);
    }
}

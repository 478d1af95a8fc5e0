//! Tests of the line between failures of the application and mistakes of the client.

use sessionkit_tests::behaviour;
use sessionkit_tests::harness::{Bench, Server};

use crate::support::Recorded;

behaviour! {
    tests: [
        what_the_client_is_told_is_no_failure,
        a_setting_that_is_missing_is_one,
    ];

    type Answered = Result<Reply, SessionRejection>;

    async fn login(auth: Auth) -> Answered {
        auth.login("ada").await?;
        Ok(Reply::ok("ada"))
    }

    async fn login_as_nobody(auth: Auth) -> Answered {
        auth.login("").await?;
        Ok(Reply::ok("?"))
    }

    async fn act_twice(auth: Auth) -> Answered {
        auth.impersonate("bob").await?;
        auth.impersonate("eve").await?;
        Ok(Reply::ok("eve"))
    }

    async fn devices(auth: Auth) -> Answered {
        Ok(Reply::ok(auth.devices().list().await?.len()))
    }

    async fn end_all(auth: Auth) -> Answered {
        auth.devices().end_all().await?;
        Ok(Reply::ok("ended"))
    }

    async fn start(bench: &Bench) -> (Server, Recorded) {
        let recorded = Recorded::default();
        let routes = routes![
            "/login" => login, "/login-as-nobody" => login_as_nobody, "/act-twice" => act_twice, "/devices" => devices,
            "/end-all" => end_all,
        ];
        (serve_with(bench, bench.builder().event_sink(recorded.clone()).build(), routes).await, recorded)
    }

    async fn what_the_client_is_told_is_no_failure(bench: Bench) {
        let one = |config: sessionkit::SessionConfigBuilder| config.track_devices(true).max_devices(1);
        let bench = bench.with_config(|config| one(config).on_max_devices(sessionkit::OnMaxDevices::Reject));
        let (server, recorded) = start(&bench).await;
        let visitor = server.visitor();
        assert_eq!(visitor.get("/login").await.status, 200);
        assert_eq!(recorded.names(), ["login"]);
        assert_eq!(server.visitor().get("/login").await.status, 409);
        assert_eq!(server.visitor().get("/devices").await.status, 401);
        assert_eq!(recorded.names(), [""; 0]);
        assert_eq!(visitor.get("/act-twice").await.status, 409);
        assert_eq!(recorded.names(), ["impersonated"]);
    }

    async fn a_setting_that_is_missing_is_one(bench: Bench) {
        let (server, recorded) = start(&bench).await;
        let visitor = server.visitor();
        assert_eq!(visitor.get("/login-as-nobody").await.status, 500);
        assert_eq!(recorded.names(), ["failed"]);
        assert_eq!(bench.sessions(), 0);
        visitor.get("/login").await;
        recorded.take();
        for path in ["/devices", "/end-all"] {
            assert_eq!(visitor.get(path).await.status, 500, "{path}");
            assert_eq!(recorded.names(), ["failed"], "{path}");
        }
        let manager = bench.builder().event_sink(recorded.clone()).build();
        assert!(manager.devices_of("ada").list().await.is_err());
        assert_eq!(recorded.names(), ["failed"]);
    }
}

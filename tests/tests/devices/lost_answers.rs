//! Sessions of which a login never learned that they are stored, and those that nobody registered when they began.

use std::time::Duration;

use sessionkit::OnMaxDevices;
use sessionkit_tests::behaviour;
use sessionkit_tests::harness::{Bench, HeldStore};

behaviour! {
    tests: [
        a_session_that_a_login_stored_unknowingly_is_gone_on_with_and_listed,
        a_session_that_is_listed_from_its_step_up_on_goes_on,
    ];

    type Answered = Result<Reply, SessionRejection>;

    async fn login(auth: Auth) -> Answered {
        auth.login("ada").await?;
        Ok(Reply::ok("ada"))
    }

    async fn elevate(auth: Auth) -> Answered {
        auth.elevate("otp").await?;
        Ok(Reply::ok("up"))
    }

    async fn write(auth: Auth) -> Answered {
        auth.dynamic().await?.insert("seen", &true)?;
        Ok(Reply::ok("written"))
    }

    async fn user(auth: Auth) -> Answered {
        Ok(Reply::ok(auth.user_id().await?.as_deref().unwrap_or("nobody")))
    }

    async fn listed(bench: &Bench) -> usize {
        bench.manager().devices_of("ada").list().await.expect("the store answers").len()
    }

    /// The login failed, and the visitor has no token of the session that is the user's.
    async fn a_session_that_a_login_stored_unknowingly_is_gone_on_with_and_listed(bench: Bench) {
        let bench = bench.with_config(|config| {
            let one = config.track_devices(true).max_devices(1).on_max_devices(OnMaxDevices::Reject);
            one.commit_deadline(Duration::from_secs(1))
        });
        let held = HeldStore::new(bench.store.clone(), &bench.gates);
        let routes = routes!["/login" => login, "/write" => write, "/user" => user];
        let server = serve_with(&bench, bench.manager_over(held.clone()), routes).await;
        let visitor = server.visitor();
        visitor.get("/write").await;
        held.hold("after replace");
        assert_eq!(visitor.get("/login").await.status, 503);
        held.release("after replace");
        assert_eq!(visitor.get("/user").await.body, "nobody");
        assert_eq!((bench.sessions(), listed(&bench).await), (1, 1), "as if its answer were lost on its way to the client");
        assert_eq!(visitor.get("/login").await.status, 200, "[P11] it goes on with the session");
        assert_eq!(visitor.get("/user").await.body, "ada");
        assert_eq!((bench.sessions(), listed(&bench).await), (1, 1));
        bench.manager().devices_of("ada").end_all().await.expect("the store answers");
        assert_eq!(visitor.get("/user").await.body, "nobody", "[P9]");
    }

    async fn a_session_that_is_listed_from_its_step_up_on_goes_on(bench: Bench) {
        let routes = || routes!["/login" => login, "/elevate" => elevate, "/user" => user];
        let before = serve(&bench, routes()).await;
        let visitor = before.visitor();
        visitor.get("/login").await;
        let bench = bench.with_config(|config| config.track_devices(true));
        let server = serve(&bench, routes()).await;
        let visitor = visitor.at(&server);
        assert_eq!(listed(&bench).await, 0);
        visitor.get("/elevate").await;
        bench.clock.advance(Duration::from_secs(60));
        assert_eq!(listed(&bench).await, 1);
        assert_eq!(visitor.get("/user").await.body, "ada");
    }
}

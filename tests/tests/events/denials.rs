//! Visitors who are nobody where a user is asked for: they are denied only where that is the answer.

use sessionkit::SessionUser;
use sessionkit::testing::TestUsers;
use sessionkit_tests::behaviour;
use sessionkit_tests::harness::Bench;

use crate::support::Recorded;

#[derive(Clone)]
struct Account;

impl SessionUser for Account {}

behaviour! {
    tests: [only_a_refusal_that_is_the_answer_is_told];

    async fn required(_user: User<Account>) -> Reply {
        Reply::ok("somebody")
    }

    async fn optional(user: Option<User<Account>>) -> Reply {
        Reply::ok(user.is_some())
    }

    async fn maybe(MaybeUser(user): MaybeUser<Account>) -> Reply {
        Reply::ok(user.is_some())
    }

    async fn handled(user: Result<User<Account>, SessionRejection>) -> Reply {
        Reply::ok(user.is_ok())
    }

    async fn returned(user: Result<User<Account>, SessionRejection>) -> Result<Reply, SessionRejection> {
        user?;
        Ok(Reply::ok("somebody"))
    }

    async fn only_a_refusal_that_is_the_answer_is_told(bench: Bench) {
        let recorded = Recorded::default();
        let users = TestUsers::new([("ada", Account)]);
        let manager = bench.manager().with_user_loader(users).with_event_sink(recorded.clone());
        let routes = routes![
            "/required" => required, "/optional" => optional, "/maybe" => maybe, "/handled" => handled,
            "/returned" => returned,
        ];
        let server = serve_with(&bench, manager, routes).await;
        for (path, status, body) in [("/optional", 200, "false"), ("/maybe", 200, "false"), ("/handled", 200, "false")] {
            let answer = server.visitor().get(path).await;
            assert_eq!((answer.status, &*answer.body), (status, body), "{path}");
            assert_eq!(recorded.names(), [""; 0], "{path}: nobody was denied anything");
        }
        for path in ["/required", "/returned"] {
            assert_eq!(server.visitor().get(path).await.status, 401, "{path}");
            let told = recorded.take();
            assert_eq!(told.len(), 1, "{path}: {told:?}");
            let (name, reason, route) = (&*told[0].name, &*told[0].reason, &*told[0].route);
            assert_eq!((name, reason, route), ("denied", "not logged in", &*format!("GET {path}")));
        }
    }
}

//! Proving again who one is: the login is fresh, and the token another one.

use std::time::Duration;

use sessionkit::testing::Calls;
use sessionkit::{CredentialStamp, SessionData};
use sessionkit_tests::behaviour;
use sessionkit_tests::harness::{Bench, Server};

#[derive(SessionData)]
struct Cart {
    items: Vec<String>,
}

/// The requests that prove identity anew.
const WAYS: [&str; 3] = ["/login", "/reauthenticate", "/elevate"];

const TWO_CALLS: Calls =
    Calls { load: 1, insert: 0, replace: 1, remove: 0, lists: 0, adoptions: 0, scan: 0, load_many: 0 };

behaviour! {
    tests: [
        each_way_kills_the_old_token,
        each_way_refuses_writes_that_were_loaded_before,
        each_way_makes_the_login_fresh_and_begins_its_lifetime_anew,
        each_way_is_two_calls,
        what_the_handler_changed_before_is_stored,
        methods_are_replaced_or_added,
        the_rest_of_the_login_stays,
        a_lifetime_of_its_own_stays,
        nobody_who_is_not_logged_in_can_do_it,
        it_fails_where_the_session_ended_meanwhile,
    ];

    type Answered = Result<Reply, SessionRejection>;

    async fn login(auth: Auth) -> Answered {
        auth.login("ada").methods(["pwd"]).device_label("laptop").credential_stamp(CredentialStamp::of("hash")).await?;
        Ok(Reply::ok("ada"))
    }

    async fn remember(auth: Auth) -> Answered {
        auth.login("ada").lifetime(Duration::from_secs(90 * 24 * 3600)).await?;
        Ok(Reply::ok("ada"))
    }

    async fn reauthenticate(auth: Auth) -> Answered {
        auth.reauthenticate().await?;
        Ok(Reply::ok("again"))
    }

    async fn reauthenticate_by_key(auth: Auth) -> Answered {
        auth.reauthenticate().methods(["hwk", "user"]).await?;
        Ok(Reply::ok("again"))
    }

    async fn elevate(auth: Auth) -> Answered {
        auth.elevate("otp").await?;
        Ok(Reply::ok("up"))
    }

    async fn change_and_elevate(mut cart: Session<Cart>, auth: Auth) -> Answered {
        cart.items.push("before".into());
        auth.elevate("otp").await?;
        cart.items.push("after".into());
        Ok(Reply::ok("up"))
    }

    async fn write_slowly(mut cart: Session<Cart>, Shared(gates): Shared) -> Reply {
        cart.items.push("late".into());
        gates.pass("write").await;
        Reply::ok("written")
    }

    async fn elevate_slowly(auth: Auth, Shared(gates): Shared) -> Answered {
        auth.user_id().await?;
        gates.pass("elevate").await;
        auth.elevate("otp").await?;
        Ok(Reply::ok("up"))
    }

    async fn logout(auth: Auth) -> Answered {
        auth.logout().await?;
        Ok(Reply::ok("bye"))
    }

    async fn about(auth: Auth, cart: SessionView<Cart>) -> Answered {
        let Some(info) = auth.info().await? else { return Ok(Reply::ok("nobody")) };
        let age = info.as_of.saturating_duration_since(info.authenticated_at.unwrap_or(info.created_at)).as_secs();
        let left = info.expires_at.saturating_duration_since(info.as_of).as_secs();
        let (user, device, methods) = (&info.user_id, &info.device_label, info.methods());
        Ok(Reply::ok(format!("{user:?} {device:?} {methods:?} {age} {left} {:?}", cart.items)))
    }

    async fn start(bench: &Bench) -> Server {
        let routes = routes![
            "/login" => login,
            "/remember" => remember,
            "/reauthenticate" => reauthenticate,
            "/reauthenticate/key" => reauthenticate_by_key,
            "/elevate" => elevate,
            "/elevate/change" => change_and_elevate,
            "/elevate/slowly" => elevate_slowly,
            "/write/slowly" => write_slowly,
            "/logout" => logout,
            "/about" => about,
        ];
        serve(bench, routes).await
    }

    async fn each_way_kills_the_old_token(bench: Bench) {
        let server = start(&bench).await;
        for way in WAYS {
            let visitor = server.visitor();
            visitor.get("/login").await;
            let thief = visitor.fork();
            assert_eq!(visitor.get(way).await.status, 200);
            assert_ne!(visitor.token(), thief.token(), "{way}");
            assert_eq!(thief.get("/about").await.body, "nobody", "[P3] {way}");
            assert!(visitor.get("/about").await.body.starts_with("Some(\"ada\")"), "{way}");
        }
    }

    async fn each_way_refuses_writes_that_were_loaded_before(bench: Bench) {
        let server = start(&bench).await;
        for way in WAYS {
            let visitor = server.visitor();
            visitor.get("/login").await;
            let late = visitor.fork().get_in_background("/write/slowly");
            bench.gates.arrived("write", 1).await;
            visitor.get(way).await;
            bench.gates.open("write", 1);
            let late = late.await.unwrap();
            assert_eq!((late.status, late.cookies().len()), (200, 0), "{way}");
            assert!(visitor.get("/about").await.body.ends_with(" []"), "[P3] {way}");
        }
    }

    async fn each_way_makes_the_login_fresh_and_begins_its_lifetime_anew(bench: Bench) {
        let hours = |hours: u64| Duration::from_secs(hours * 3600);
        let bench = bench.with_config(|config| config.ttl(hours(8)).absolute_ttl(hours(10)).touch_after(hours(1)));
        let server = start(&bench).await;
        for way in WAYS {
            let visitor = server.visitor();
            visitor.get("/login").await;
            bench.clock.advance(hours(7));
            assert!(visitor.get("/about").await.body.contains(&format!(" {} {} ", 7 * 3600, 3600)), "{way}");
            visitor.get(way).await;
            assert!(visitor.get("/about").await.body.contains(&format!(" 0 {} ", 8 * 3600)), "{way}");
            bench.clock.advance(hours(7));
            visitor.get("/about").await;
            assert_ne!(visitor.get("/about").await.body, "nobody", "{way}");
        }
    }

    async fn each_way_is_two_calls(bench: Bench) {
        let server = start(&bench).await;
        for way in WAYS {
            let visitor = server.visitor();
            visitor.get("/login").await;
            bench.store.take();
            visitor.get(way).await;
            assert_eq!(bench.store.take(), TWO_CALLS, "{way}");
        }
    }

    async fn what_the_handler_changed_before_is_stored(bench: Bench) {
        let server = start(&bench).await;
        let visitor = server.visitor();
        visitor.get("/login").await;
        visitor.get("/elevate/change").await;
        assert!(visitor.get("/about").await.body.ends_with(r#"["before", "after"]"#));
    }

    async fn methods_are_replaced_or_added(bench: Bench) {
        let server = start(&bench).await;
        let visitor = server.visitor();
        visitor.get("/login").await;
        let steps = [
            ("/reauthenticate", r#"["pwd"]"#),
            ("/elevate", r#"["pwd", "otp"]"#),
            ("/elevate", r#"["pwd", "otp"]"#),
            ("/reauthenticate/key", r#"["hwk", "user"]"#),
            ("/login", r#"["pwd"]"#),
        ];
        for (way, methods) in steps {
            visitor.get(way).await;
            let body = visitor.get("/about").await.body;
            assert!(body.contains(methods), "{way}: {body}");
        }
    }

    async fn the_rest_of_the_login_stays(bench: Bench) {
        let server = start(&bench).await;
        for way in WAYS {
            let visitor = server.visitor();
            visitor.get("/login").await;
            visitor.get(way).await;
            assert!(visitor.get("/about").await.body.starts_with(r#"Some("ada") Some("laptop") ["pwd""#), "{way}");
            assert!(!bench.dump().contains("hash"), "the credential itself is nowhere");
        }
    }

    async fn a_lifetime_of_its_own_stays(bench: Bench) {
        let bench = bench.with_config(|config| config.ttl(Duration::from_secs(3600)));
        let server = start(&bench).await;
        for way in &WAYS[1..] {
            let visitor = server.visitor();
            visitor.get("/remember").await;
            bench.clock.advance(Duration::from_secs(24 * 3600));
            visitor.get(way).await;
            let left = format!(" 0 {} ", 90 * 24 * 3600);
            assert!(visitor.get("/about").await.body.contains(&left), "{way}");
        }
    }

    async fn nobody_who_is_not_logged_in_can_do_it(bench: Bench) {
        let server = start(&bench).await;
        for way in &WAYS[1..] {
            let answer = server.visitor().get(way).await;
            assert_eq!((answer.status, answer.cookies().len()), (401, 0), "{way}");
        }
        assert_eq!(bench.sessions(), 0);
    }

    async fn it_fails_where_the_session_ended_meanwhile(bench: Bench) {
        let server = start(&bench).await;
        for end in ["/logout", "/reauthenticate"] {
            let visitor = server.visitor();
            visitor.get("/login").await;
            let late = visitor.fork().get_in_background("/elevate/slowly");
            bench.gates.arrived("elevate", 1).await;
            visitor.get(end).await;
            bench.gates.open("elevate", 1);
            let late = late.await.unwrap();
            assert_eq!((late.status, late.cookies().len()), (409, 0), "{end}");
        }
    }
}

//! New tokens on a schedule, which nobody notices but a thief.

use std::time::Duration;

use sessionkit::{Rolling, SessionConfigBuilder, SessionData};
use sessionkit_tests::behaviour;
use sessionkit_tests::harness::{Answer, Bench, Server, Visitor};

#[derive(SessionData)]
struct Cart {
    items: Vec<u32>,
}

const HOUR: Duration = Duration::from_secs(3600);

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn hourly(config: SessionConfigBuilder) -> SessionConfigBuilder {
    config.renew_after(HOUR)
}

/// The visitor's browser before the answer that it is about to get.
async fn without_the_answer(visitor: &Visitor, path: &str) -> (Visitor, Answer) {
    let before = visitor.fork();
    (before, visitor.get(path).await)
}

behaviour! {
    tests: [
        a_token_is_not_renewed_unless_asked_for,
        a_token_in_use_is_renewed_on_schedule,
        the_old_token_ends_after_the_first_use_of_the_new_one,
        a_lost_response_logs_nobody_out,
        a_request_that_was_under_way_still_writes,
        a_login_and_a_logout_end_both_tokens_at_once,
        a_renewal_leaves_the_deadline_alone,
        a_renewal_that_fails_is_not_noticed,
        the_old_token_does_not_come_back_when_renewal_is_turned_off,
    ];

    type Answered = Result<Reply, SessionRejection>;

    async fn add(mut cart: Session<Cart>) -> Reply {
        cart.items.push(7);
        Reply::ok(cart.items.len())
    }

    async fn me(auth: Auth) -> Answered {
        Ok(Reply::ok(auth.user_id().await?.as_deref().unwrap_or("nobody")))
    }

    async fn free() -> Reply {
        Reply::ok("free")
    }

    async fn add_slowly(mut cart: Session<Cart>, Shared(gates): Shared) -> Reply {
        gates.pass("add").await;
        cart.items.push(7);
        Reply::ok(cart.items.len())
    }

    async fn login(auth: Auth) -> Answered {
        auth.login("ada").await?;
        Ok(Reply::ok("ada"))
    }

    async fn logout(auth: Auth) -> Answered {
        auth.logout().await?;
        Ok(Reply::ok("bye"))
    }

    async fn start(bench: &Bench) -> Server {
        let routes = routes![
            "/add" => add, "/me" => me, "/free" => free, "/add-slowly" => add_slowly, "/login" => login,
            "/logout" => logout,
        ];
        serve(bench, routes).await
    }

    async fn ada(server: &Server) -> Visitor {
        let visitor = server.visitor();
        assert_eq!(visitor.get("/login").await.body, "ada");
        visitor
    }

    /// Ada's browser with a new token, and her browser as it was before.
    async fn renewed(bench: &Bench, server: &Server) -> (Visitor, Visitor) {
        let visitor = ada(server).await;
        bench.clock.advance(HOUR);
        let (old, answer) = without_the_answer(&visitor, "/me").await;
        assert_eq!((answer.body.as_str(), answer.cookies().len()), ("ada", 1));
        assert_ne!(visitor.token(), old.token());
        (visitor, old)
    }

    async fn a_token_is_not_renewed_unless_asked_for(bench: Bench) {
        let server = start(&bench).await;
        let visitor = ada(&server).await;
        let token = visitor.token();
        for _ in 0..40 {
            bench.clock.advance(seconds(80_000));
            assert!(["ada", "nobody"].contains(&visitor.get("/me").await.body.as_str()));
            assert_eq!(visitor.token(), token);
        }
    }

    async fn a_token_in_use_is_renewed_on_schedule(bench: Bench) {
        let bench = bench.with_config(hourly);
        let server = start(&bench).await;
        let visitor = ada(&server).await;
        for round in 0..3 {
            let token = visitor.token();
            bench.clock.advance(HOUR - seconds(1));
            assert_eq!(visitor.get("/free").await.body, "free");
            assert_eq!(visitor.get("/me").await.body, "ada");
            assert_eq!(visitor.token(), token, "not before its time, in round {round}");
            bench.clock.advance(seconds(1));
            assert_eq!(visitor.get("/free").await.cookies().len(), 0, "not by a route that does not use the session");
            let answer = visitor.get("/me").await;
            assert_eq!((answer.body.as_str(), answer.cookies().len()), ("ada", 1), "in round {round}");
            assert_eq!(answer.all("cache-control"), ["no-store"]);
            assert_ne!(visitor.token(), token, "in round {round}");
            assert_eq!(visitor.token().map(|token| token[..21].to_owned()), token.map(|token| token[..21].to_owned()));
            assert_eq!(visitor.get("/me").await.body, "ada");
        }
        // Anonymous visitors' tokens, too.
        let visitor = server.visitor();
        assert_eq!(visitor.get("/add").await.body, "1");
        let token = visitor.token();
        bench.clock.advance(HOUR);
        assert_eq!(visitor.get("/add").await.body, "2");
        assert_ne!(visitor.token(), token);
        assert_eq!(visitor.get("/add").await.body, "3");
    }

    async fn the_old_token_ends_after_the_first_use_of_the_new_one(bench: Bench) {
        for (grace, config) in [(30, None), (300, Some(seconds(300)))] {
            let bench = bench.clone().with_config(|builder| match config {
                Some(grace) => hourly(builder).renew_grace(grace),
                None => hourly(builder),
            });
            let server = start(&bench).await;
            let (new, old) = renewed(&bench, &server).await;
            assert_eq!(new.get("/free").await.body, "free", "no use of the session");
            bench.clock.advance(seconds(1000));
            assert_eq!(old.fork().get("/me").await.body, "ada", "the new token was not used");
            // That was one more renewal, for who did not get the first.
            let (new, old) = renewed(&bench, &server).await;
            assert_eq!(new.get("/me").await.body, "ada");
            bench.clock.advance(seconds(grace - 1));
            assert_eq!((old.get("/me").await.body, new.get("/me").await.body), ("ada".to_owned(), "ada".to_owned()));
            bench.clock.advance(seconds(1));
            assert_eq!((old.get("/me").await.body, new.get("/me").await.body), ("nobody".to_owned(), "ada".to_owned()));
        }
    }

    async fn a_lost_response_logs_nobody_out(bench: Bench) {
        let bench = bench.with_config(|config| hourly(config).ttl(seconds(2000)).anonymous_ttl(seconds(2000)));
        let server = start(&bench).await;
        let visitor = ada(&server).await;
        for _ in 0..2 {
            bench.clock.advance(seconds(1800));
            assert_eq!(visitor.get("/me").await.body, "ada");
        }
        let token = visitor.token();
        // Ten responses are lost, each with a new token. The client goes on with the one that it has.
        for _ in 0..10 {
            bench.clock.advance(seconds(1900));
            let answer = visitor.fork().get("/me").await;
            assert_eq!((answer.body.as_str(), answer.cookies().len()), ("ada", 1));
        }
        bench.clock.advance(seconds(59));
        assert_eq!(visitor.get("/me").await.cookies().len(), 0, "the last one may still be on its way");
        bench.clock.advance(seconds(1));
        let answer = visitor.get("/me").await;
        assert!(answer.cookies()[0].contains("Max-Age=2000"), "{answer:?}");
        assert_ne!(visitor.token(), token);
        assert_eq!(visitor.get("/me").await.body, "ada");
        bench.clock.advance(seconds(30));
        assert_eq!(visitor.get("/me").await.body, "ada");
    }

    async fn a_request_that_was_under_way_still_writes(bench: Bench) {
        let bench = bench.with_config(hourly);
        let server = start(&bench).await;
        let visitor = ada(&server).await;
        bench.clock.advance(HOUR - seconds(1));
        let slow = visitor.get_in_background("/add-slowly");
        bench.gates.arrived("add", 1).await;
        bench.clock.advance(seconds(1));
        let token = visitor.token();
        assert_eq!(visitor.get("/add").await.body, "1");
        assert_ne!(visitor.token(), token);
        let renewed = visitor.token();
        bench.gates.open("add", 1);
        let answer = slow.await.expect("the request ends");
        assert_eq!((answer.status, answer.cookies().len()), (200, 0), "it has no newer token to tell of");
        assert_eq!(visitor.token(), renewed);
        assert_eq!(visitor.get("/add").await.body, "2", "the last write won, and none was refused");
    }

    async fn a_login_and_a_logout_end_both_tokens_at_once(bench: Bench) {
        let bench = bench.with_config(hourly);
        let server = start(&bench).await;
        for path in ["/login", "/logout"] {
            for with_the_old_one in [true, false] {
                let (new, old) = renewed(&bench, &server).await;
                let ending = if with_the_old_one { old.fork() } else { new.fork() };
                assert_eq!(ending.get(path).await.status, 200);
                assert_eq!((old.get("/me").await.body, new.get("/me").await.body), ("nobody".into(), "nobody".into()));
                assert_eq!(ending.get("/me").await.body, if path == "/login" { "ada" } else { "nobody" });
            }
        }
    }

    async fn a_renewal_leaves_the_deadline_alone(bench: Bench) {
        let bench = bench.with_config(|config| hourly(config).ttl(2 * HOUR).rolling(Rolling::Off));
        let server = start(&bench).await;
        let (visitor, _) = renewed(&bench, &server).await;
        bench.clock.advance(HOUR - seconds(1));
        assert_eq!(visitor.get("/me").await.body, "ada");
        bench.clock.advance(seconds(1));
        assert_eq!(visitor.get("/me").await.body, "nobody");
    }

    async fn a_renewal_that_fails_is_not_noticed(bench: Bench) {
        let bench = bench.with_config(|config| hourly(config).commit_deadline(Duration::from_millis(50)));
        let store = sessionkit_tests::harness::HeldStore::new(bench.store.clone(), &bench.gates);
        let server = serve_with(&bench, bench.manager_over(store.clone()), routes!["/me" => me, "/login" => login]).await;
        let visitor = ada(&server).await;
        bench.clock.advance(HOUR);
        for gate in ["before replace", "after replace"] {
            store.hold(gate);
            let answer = visitor.get("/me").await;
            assert_eq!((answer.status, answer.body.as_str(), answer.cookies().len()), (200, "ada", 0), "{gate}");
            store.release(gate);
        }
        // The second one happened, though nobody could tell.
        assert_eq!(visitor.get("/me").await.cookies().len(), 0);
        bench.clock.advance(seconds(60));
        assert_eq!(visitor.get("/me").await.cookies().len(), 1);
        assert_eq!(visitor.get("/me").await.body, "ada");
    }

    async fn the_old_token_does_not_come_back_when_renewal_is_turned_off(bench: Bench) {
        let renewing = bench.clone().with_config(hourly);
        let (server, other) = (start(&renewing).await, start(&bench).await);
        let (new, old) = renewed(&bench, &server).await;
        assert_eq!((old.at(&other).get("/me").await.body, new.at(&other).get("/me").await.body), ("ada".into(), "ada".into()));
        bench.clock.advance(seconds(30));
        assert_eq!((old.at(&other).get("/me").await.body, new.at(&other).get("/me").await.body), ("nobody".into(), "ada".into()));
    }
}

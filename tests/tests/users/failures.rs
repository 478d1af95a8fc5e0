//! A loader that fails: nobody is asked to log in, nobody is let in as somebody without a user, and nothing is lost.

use std::time::Duration;

use sessionkit::testing::TestSession;
use sessionkit_tests::both_frameworks;
use sessionkit_tests::harness::{Answer, Bench, Log, Server};
use tokio::time::Instant;

use crate::accounts::{Account, Accounts, Mood};

/// A refusal that says nothing of the reason, and touches neither the cookie nor the session.
fn assert_failed(answer: &Answer, status: u16, what: &str) {
    assert_eq!((answer.status, answer.cookies().len()), (status, 0), "{what}: {answer:?}");
    assert_eq!(answer.all("content-type"), ["application/problem+json"], "{what}");
    assert_eq!(answer.all("cache-control"), ["no-store"], "{what}");
    assert!(!answer.body.contains("canary") && !answer.body.contains("log in"), "{what}: {answer:?}");
}

both_frameworks! {
    tests: [
        row_22_a_failure_of_the_loader_is_never_nobody,
        a_failure_too_is_asked_for_once,
        row_22_a_loader_that_hangs_is_503_at_its_deadline,
        a_client_that_leaves_while_the_user_is_loaded_changes_nothing,
    ];

    type Answered = Result<Reply, SessionRejection>;

    async fn profile(user: User<Account>) -> Reply {
        Reply::ok(&user.name)
    }

    async fn home(user: Option<User<Account>>) -> Reply {
        Reply::ok(user.map_or("nobody".to_owned(), |user| user.name.clone()))
    }

    async fn maybe(MaybeUser(user): MaybeUser<Account>) -> Reply {
        Reply::ok(user.as_ref().map_or("nobody", |user| &user.name))
    }

    /// Goes on whatever happens.
    async fn stubborn(auth: Auth) -> Reply {
        let failures = [auth.user::<Account>().await.is_err(), auth.user::<Account>().await.is_err()];
        Reply::ok(format!("{failures:?}"))
    }

    async fn result(user: Result<User<Account>, SessionRejection>) -> Reply {
        Reply::ok(user.is_ok())
    }

    async fn who(auth: Auth) -> Answered {
        Ok(Reply::ok(auth.user_id().await?.as_deref().unwrap_or("nobody")))
    }

    async fn start(bench: &Bench) -> (Server, Accounts) {
        let accounts = Accounts::new(&bench.gates);
        let routes = routes![
            "/profile" => profile, "/home" => home, "/maybe" => maybe, "/stubborn" => stubborn, "/result" => result,
            "/who" => who,
        ];
        (serve_with(bench, bench.builder().user_loader(accounts.clone()).build(), routes).await, accounts)
    }

    async fn row_22_a_failure_of_the_loader_is_never_nobody() {
        let (bench, log) = (Bench::memory(), Log::collect());
        let (server, accounts) = start(&bench).await;
        let ada = server.visitor_with(&TestSession::new(&bench.manager()).login("ada").await);
        for (mood, status) in [(Mood::Failing, 503), (Mood::PanickingAtOnce, 500), (Mood::Panicking, 500)] {
            accounts.set_mood(mood);
            for path in ["/profile", "/home", "/maybe", "/stubborn", "/result"] {
                assert_failed(&ada.get(path).await, status, &format!("{mood:?} {path}"));
            }
            assert_eq!(ada.get("/who").await.body, "ada", "{mood:?}: who does not ask does not notice");
            accounts.set_mood(Mood::Willing);
            assert_eq!(ada.get("/profile").await.body, "ada", "{mood:?}: nothing is lost");
        }
        assert!(log.text().contains("the user could not be loaded: postgres://"), "the reason is in the log");
        assert!(log.text().contains("the user loader panicked"));
    }

    async fn a_failure_too_is_asked_for_once() {
        let bench = Bench::memory();
        let (server, accounts) = start(&bench).await;
        let ada = server.visitor_with(&TestSession::new(&bench.manager()).login("ada").await);
        for mood in [Mood::Failing, Mood::Panicking] {
            accounts.set_mood(mood);
            ada.get("/stubborn").await;
            assert_eq!(accounts.calls(), ["ada"], "{mood:?}");
        }
    }

    async fn a_client_that_leaves_while_the_user_is_loaded_changes_nothing() {
        let bench = Bench::memory();
        let (server, accounts) = start(&bench).await;
        let ada = server.visitor_with(&TestSession::new(&bench.manager()).login("ada").await);
        // Also where the answer would have been that there is no such user, where nobody is left to hear it.
        let account = accounts.remove("ada");
        accounts.set_mood(Mood::Gated);
        for path in ["/profile", "/home", "/maybe", "/stubborn"] {
            let mut request = ada.begin(path).await;
            bench.gates.arrived("loader", 1).await;
            request.leave(DROPS_HANDLERS).await;
            accounts.add(account.clone());
            bench.gates.open("loader", usize::from(!DROPS_HANDLERS));
            request.rest().await;
            accounts.remove("ada");
        }
        accounts.set_mood(Mood::Willing);
        accounts.add(account);
        assert_eq!((ada.get("/profile").await.body, ada.get("/who").await.body), ("ada".into(), "ada".into()));
    }

    /// In the test's own thread, whose clock stands still.
    async fn row_22_a_loader_that_hangs_is_503_at_its_deadline() {
        let asked = std::thread::spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
            runtime.block_on(async {
                let bench = Bench::memory().with_config(|config| config.user_deadline(Duration::from_secs(30)));
                let accounts = Accounts::new(&bench.gates);
                accounts.set_mood(Mood::Hanging);
                let manager = bench.builder().user_loader(accounts.clone()).build();
                let ada = TestSession::new(&manager).login("ada").await;
                let routes = || routes!["/profile" => profile, "/home" => home, "/maybe" => maybe, "/stubborn" => stubborn];
                for path in ["/profile", "/home", "/maybe", "/stubborn"] {
                    let before = Instant::now();
                    let (cookies, body) = answer(manager.clone(), routes(), path, &ada.cookie()).await;
                    assert!(body.contains(r#""status":503"#) && cookies.is_empty(), "{path}: {cookies:?} {body}");
                    assert!(!body.contains("log in"), "{path}: {body}");
                    let waited = before.elapsed();
                    assert!(waited.as_millis().abs_diff(30_000) <= 5, "{path}: one deadline, whoever asks: {waited:?}");
                    assert_eq!(accounts.calls(), ["ada"], "{path}");
                }
                assert_eq!(ada.user_id().await.as_deref(), Some("ada"));
            });
        });
        asked.join().expect("the assertions hold");
    }
}

//! A change of the password ends the sessions that were begun with the old one, without a list of them.

use sessionkit::CredentialStamp;
use sessionkit_tests::behaviour;
use sessionkit_tests::harness::{Bench, Log, Server, Visitor};

use crate::accounts::{Account, Accounts};

behaviour! {
    tests: [
        a_changed_stamp_ends_older_sessions,
        whoever_changes_the_password_stays_when_they_log_in_again,
        a_step_up_keeps_the_stamp_unless_it_is_given_another,
    ];

    type Answered = Result<Reply, SessionRejection>;

    /// Logs ada in with this hash of a password, or without a stamp.
    async fn login(auth: Auth, hash: String) -> Answered {
        let stamp = (!hash.is_empty()).then(|| CredentialStamp::of(&hash));
        auth.login("ada").credential_stamp(stamp).await?;
        Ok(Reply::ok("welcome"))
    }

    async fn elevate(auth: Auth) -> Answered {
        auth.elevate("otp").await?;
        Ok(Reply::ok("up"))
    }

    /// Lets ada prove who she is with this hash of a password, or without one.
    async fn prove(auth: Auth, hash: String) -> Answered {
        let stamp = (!hash.is_empty()).then(|| CredentialStamp::of(&hash));
        auth.reauthenticate().credential_stamp(stamp).await?;
        Ok(Reply::ok("again"))
    }

    async fn home(user: Option<User<Account>>) -> Reply {
        Reply::ok(user.map_or("nobody".to_owned(), |user| user.name.clone()))
    }

    async fn who(auth: Auth) -> Answered {
        Ok(Reply::ok(auth.user_id().await?.as_deref().unwrap_or("nobody")))
    }

    async fn start(bench: &Bench) -> (Server, Accounts) {
        let accounts = Accounts::new(&bench.gates);
        let routes = routes![
            "/login" => login, "/elevate" => elevate, "/prove" => prove, "/home" => home, "/who" => who,
        ];
        (serve_with(bench, bench.builder().user_loader(accounts.clone()).build(), routes).await, accounts)
    }

    async fn logged_in(server: &Server, hash: &str) -> Visitor {
        let visitor = server.visitor();
        assert_eq!(visitor.post("/login", hash).await.status, 200);
        visitor
    }

    async fn home_of(visitor: &Visitor) -> (String, bool) {
        (visitor.get("/home").await.body, visitor.token().is_some())
    }

    async fn a_changed_stamp_ends_older_sessions(bench: Bench) {
        let log = Log::collect();
        let (server, accounts) = start(&bench).await;
        let (ada, nobody) = (("ada".to_owned(), true), ("nobody".to_owned(), false));
        accounts.change("ada", |account| account.password_hash = Some("first".to_owned()));
        let before = [logged_in(&server, "first").await, logged_in(&server, "first").await];
        let unstamped = logged_in(&server, "").await;
        for visitor in before.iter().chain([&unstamped]) {
            assert_eq!(home_of(visitor).await, ada);
        }
        accounts.change("ada", |account| account.password_hash = Some("second".to_owned()));
        let after = logged_in(&server, "second").await;
        for visitor in &before {
            let copy = visitor.fork();
            assert_eq!(home_of(visitor).await, nobody);
            assert_eq!(copy.get("/who").await.body, "nobody", "it has ended in the store");
        }
        assert_eq!((home_of(&after).await, home_of(&unstamped).await), (ada.clone(), ada));
        accounts.change("ada", |account| account.password_hash = None);
        assert_eq!(home_of(&after).await, nobody, "no stamp is another stamp");
        assert!(log.text().contains("the credentials changed after the login"));
    }

    async fn whoever_changes_the_password_stays_when_they_log_in_again(bench: Bench) {
        let (server, accounts) = start(&bench).await;
        accounts.change("ada", |account| account.password_hash = Some("first".to_owned()));
        let visitor = logged_in(&server, "first").await;
        accounts.change("ada", |account| account.password_hash = Some("second".to_owned()));
        assert_eq!(visitor.post("/login", "second").await.status, 200);
        assert_eq!(home_of(&visitor).await, ("ada".to_owned(), true));
    }

    async fn a_step_up_keeps_the_stamp_unless_it_is_given_another(bench: Bench) {
        let (server, accounts) = start(&bench).await;
        for (path, hash, stays) in
            [("/elevate", "", false), ("/prove", "", false), ("/prove", "first", false), ("/prove", "second", true)]
        {
            accounts.change("ada", |account| account.password_hash = Some("first".to_owned()));
            let visitor = logged_in(&server, "first").await;
            assert_eq!(visitor.post(path, hash).await.status, 200);
            accounts.change("ada", |account| account.password_hash = Some("second".to_owned()));
            assert_eq!(home_of(&visitor).await.1, stays, "{path} {hash}");
        }
    }
}

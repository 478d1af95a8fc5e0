//! Tests of a user who acts as another: the login is the actor's, and what ends it ends the session.

use sessionkit::CredentialStamp;
use sessionkit_tests::behaviour;
use sessionkit_tests::harness::{Bench, Server, Visitor};

use crate::accounts::{Account, Accounts, Mood};

behaviour! {
    tests: [
        other_credentials_of_whoever_acts_end_the_session,
        other_credentials_of_the_user_do_not,
        the_session_ends_where_either_of_them_is_gone,
        a_loader_that_fails_ends_nothing,
        nobody_acts_as_somebody_who_is_not_there,
    ];

    type Answered = Result<Reply, SessionRejection>;

    async fn login(auth: Auth) -> Answered {
        auth.login("bob").credential_stamp(CredentialStamp::of("first")).await?;
        Ok(Reply::ok("bob"))
    }

    async fn act(auth: Auth) -> Answered {
        auth.impersonate("ada").await?;
        Ok(Reply::ok("ada"))
    }

    async fn act_as_nobody(auth: Auth) -> Answered {
        auth.impersonate("zoe").await?;
        Ok(Reply::ok("zoe"))
    }

    async fn act_without_a_name(auth: Auth) -> Answered {
        auth.impersonate("").await?;
        Ok(Reply::ok("?"))
    }

    async fn end(auth: Auth) -> Answered {
        auth.end_impersonation().await?;
        Ok(Reply::ok("bob"))
    }

    async fn prove(auth: Auth, hash: String) -> Answered {
        auth.reauthenticate().credential_stamp(CredentialStamp::of(&hash)).await?;
        Ok(Reply::ok("bob"))
    }

    async fn home(user: Option<User<Account>>) -> Reply {
        Reply::ok(user.map_or("nobody".to_owned(), |user| user.name.clone()))
    }

    #[session(require = |account: &Account| account.is_admin)]
    async fn admin() -> Reply {
        Reply::ok("admin")
    }

    async fn who(auth: Auth) -> Answered {
        Ok(Reply::ok(auth.user_id().await?.as_deref().unwrap_or("nobody")))
    }

    /// Bob, who acts as ada.
    async fn start(bench: &Bench) -> (Server, Visitor, Accounts) {
        let accounts = Accounts::new(&bench.gates);
        accounts.change("bob", |bob| bob.password_hash = Some("first".to_owned()));
        let routes = routes![
            "/login" => login, "/act" => act, "/end" => end, "/prove" => prove, "/home" => home, "/admin" => admin,
            "/who" => who, "/act-as-nobody" => act_as_nobody, "/act-without-a-name" => act_without_a_name,
        ];
        let server = serve_with(bench, bench.builder().user_loader(accounts.clone()).build(), routes).await;
        let visitor = server.visitor();
        visitor.get("/login").await;
        visitor.get("/act").await;
        assert_eq!(visitor.get("/home").await.body, "ada");
        assert_eq!(accounts.calls(), ["ada", "bob", "ada"], "whoever acts is looked at first");
        (server, visitor, accounts)
    }

    async fn assert_ended(visitor: &Visitor, what: &str) {
        let copy = visitor.fork();
        assert_eq!((&*visitor.get("/home").await.body, visitor.token()), ("nobody", None), "{what}");
        assert_eq!(copy.get("/who").await.body, "nobody", "{what}: it has ended in the store");
    }

    async fn other_credentials_of_whoever_acts_end_the_session(bench: Bench) {
        let (_server, visitor, accounts) = start(&bench).await;
        accounts.change("bob", |bob| bob.password_hash = Some("second".to_owned()));
        assert_eq!(visitor.get("/who").await.body, "ada", "nobody asked who that is");
        let guarded = visitor.fork();
        assert_eq!((guarded.get("/admin").await.status, guarded.token()), (401, None));
        assert_eq!(accounts.calls(), ["bob"], "the other one is not looked at any more");
        assert_eq!(visitor.get("/who").await.body, "nobody");
    }

    async fn other_credentials_of_the_user_do_not(bench: Bench) {
        let (_server, visitor, accounts) = start(&bench).await;
        accounts.change("ada", |ada| ada.password_hash = Some("hers".to_owned()));
        assert_eq!(visitor.get("/home").await.body, "ada", "nobody logged in with them");
        // A new proof is that of whoever acts, too.
        accounts.change("bob", |bob| bob.password_hash = Some("second".to_owned()));
        visitor.post("/prove", "second").await;
        assert_eq!(visitor.get("/home").await.body, "ada");
        visitor.get("/end").await;
        assert_eq!(visitor.get("/home").await.body, "bob");
        accounts.change("bob", |bob| bob.password_hash = Some("third".to_owned()));
        assert_ended(&visitor, "bob's own session").await;
    }

    async fn the_session_ends_where_either_of_them_is_gone(bench: Bench) {
        for gone in ["ada", "bob"] {
            let (_server, visitor, accounts) = start(&bench).await;
            accounts.remove(gone);
            assert_ended(&visitor, gone).await;
        }
    }

    async fn a_loader_that_fails_ends_nothing(bench: Bench) {
        let (_server, visitor, accounts) = start(&bench).await;
        accounts.set_mood(Mood::Failing);
        let answer = visitor.get("/home").await;
        assert_eq!((answer.status, answer.cookies().len()), (503, 0));
        accounts.set_mood(Mood::Willing);
        assert_eq!(visitor.get("/home").await.body, "ada");
    }

    async fn nobody_acts_as_somebody_who_is_not_there(bench: Bench) {
        let (server, visitor, accounts) = start(&bench).await;
        visitor.get("/end").await;
        let token = visitor.token();
        for (path, mood, status) in [
            ("/act-as-nobody", Mood::Willing, 404),
            ("/act-without-a-name", Mood::Willing, 500),
            ("/act", Mood::Failing, 503),
            ("/act", Mood::Panicking, 500),
        ] {
            accounts.set_mood(mood);
            assert_eq!(visitor.get(path).await.status, status, "{path} {mood:?}");
            assert_eq!((visitor.get("/who").await.body, visitor.token()), ("bob".to_owned(), token.clone()), "{path}");
        }
        accounts.set_mood(Mood::Willing);
        accounts.calls();
        assert_eq!(server.visitor().get("/act-as-nobody").await.status, 401, "that is no stranger's business");
        assert_eq!(accounts.calls(), [""; 0]);
    }
}

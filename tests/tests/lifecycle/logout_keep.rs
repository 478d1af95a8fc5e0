//! A logout that keeps what belongs to the browser: the language, the theme.

use std::time::Duration;

use sessionkit::SessionData;
use sessionkit::testing::FailingStore;
use sessionkit_tests::behaviour;
use sessionkit_tests::harness::{Bench, HeldStore, Server, Visitor};

#[derive(SessionData)]
struct Preferences {
    theme: String,
    #[session(ttl = "10m")]
    hint: Option<String>,
    #[session(merge = add)]
    visits: u32,
}

/// Its name begins like another one's.
#[derive(SessionData)]
#[session(name = "preferences_of_old")]
struct Language {
    code: String,
}

#[derive(SessionData)]
struct Cart {
    items: Vec<u32>,
}

async fn get(visitor: &Visitor, path: &str) -> String {
    let answer = visitor.get(path).await;
    assert_eq!(answer.status, 200, "{path}: {answer:?}");
    answer.body
}

behaviour! {
    tests: [
        named_structs_stay_and_everything_else_goes,
        a_logout_with_nothing_to_keep_removes_the_cookie,
        changes_of_the_same_request_are_kept,
        a_request_under_way_at_the_logout_writes_nothing,
        a_token_from_before_a_login_keeps_nothing,
        a_logout_that_fails_changes_nothing,
    ];

    type Answered = Result<Reply, SessionRejection>;

    async fn login(mut cart: Session<Cart>, mut preferences: Session<Preferences>, auth: Auth) -> Answered {
        cart.items.push(1);
        (preferences.theme, preferences.hint) = ("dark".into(), Some("try me".into()));
        preferences.visits += 1;
        drop((cart, preferences));
        auth.login("ada").await?;
        Ok(Reply::ok(""))
    }

    async fn logout(auth: Auth) -> Answered {
        auth.logout().keep::<Preferences>().keep::<Language>().await?;
        assert_eq!(auth.user_id().await?, None);
        let theme = auth.checkout::<Preferences>().await?.theme.clone();
        Ok(Reply::ok(theme))
    }

    async fn change_and_logout(mut preferences: Session<Preferences>, late: Session<Preferences>, auth: Auth) -> Answered {
        preferences.theme = "light".into();
        preferences.visits += 1;
        drop(preferences);
        auth.logout().keep::<Preferences>().await?;
        // It belongs to the session that has ended.
        let mut late = late;
        late.theme = "late".into();
        drop(late);
        auth.checkout::<Preferences>().await?.visits += 1;
        Ok(Reply::ok(""))
    }

    async fn show(cart: SessionView<Cart>, preferences: SessionView<Preferences>, auth: Auth) -> Answered {
        let user = auth.user_id().await?;
        let Preferences { theme, hint, visits } = &*preferences;
        let (name, items) = (user.as_deref().unwrap_or("nobody"), cart.items.len());
        Ok(Reply::ok(format!("{name} {items} {theme} {hint:?} {visits}")))
    }

    async fn slowly(mut preferences: Session<Preferences>, shared: Shared) -> Reply {
        preferences.theme = "slow".into();
        shared.0.pass("slowly").await;
        Reply::ok("")
    }

    async fn prefer(mut preferences: Session<Preferences>) -> Reply {
        preferences.theme = "planted".into();
        Reply::ok("")
    }

    async fn start(bench: &Bench) -> (Server, Visitor) {
        let routes = routes![
            "/login" => login, "/logout" => logout, "/change-and-logout" => change_and_logout, "/show" => show,
            "/slowly" => slowly, "/prefer" => prefer,
        ];
        let server = serve(bench, routes).await;
        let visitor = server.visitor();
        (server, visitor)
    }

    async fn named_structs_stay_and_everything_else_goes(bench: Bench) {
        let (_server, visitor) = start(&bench).await;
        get(&visitor, "/login").await;
        let (old, before) = (visitor.fork(), visitor.token());
        bench.clock.advance(Duration::from_secs(300));
        let answer = visitor.get("/logout").await;
        assert_eq!((answer.status, &*answer.body, answer.cookies().len()), (200, "dark", 1), "[P8] {answer:?}");
        assert!(visitor.token().is_some() && visitor.token() != before);
        assert_eq!(get(&visitor, "/show").await, "nobody 0 dark Some(\"try me\") 1");
        assert_eq!(get(&old, "/show").await, "nobody 0  None 0", "[P1] the old session has ended");
        assert_eq!(bench.sessions(), 1);
        // A deadline stays where it was.
        bench.clock.advance(Duration::from_secs(300));
        assert_eq!(get(&visitor, "/show").await, "nobody 0 dark None 1");
    }

    async fn a_logout_with_nothing_to_keep_removes_the_cookie(bench: Bench) {
        let routes = routes!["/login" => login_alone, "/logout" => logout];
        let server = serve(&bench, routes).await;
        let visitor = server.visitor();
        get(&visitor, "/login").await;
        let answer = visitor.get("/logout").await;
        assert_eq!((answer.status, answer.cookies().len(), visitor.token()), (200, 1, None));
        assert_eq!(bench.sessions(), 0);
        assert!(server.visitor().get("/logout").await.cookies().is_empty(), "a visitor without a session gets none");
    }

    async fn login_alone(auth: Auth) -> Answered {
        auth.login("ada").await?;
        Ok(Reply::ok(""))
    }

    async fn changes_of_the_same_request_are_kept(bench: Bench) {
        let (_server, visitor) = start(&bench).await;
        get(&visitor, "/login").await;
        assert_eq!(visitor.get("/change-and-logout").await.cookies().len(), 1);
        assert_eq!(get(&visitor, "/show").await, "nobody 0 light Some(\"try me\") 3");
    }

    async fn a_request_under_way_at_the_logout_writes_nothing(bench: Bench) {
        let (_server, visitor) = start(&bench).await;
        get(&visitor, "/login").await;
        let slow = visitor.fork().get_in_background("/slowly");
        bench.gates.arrived("slowly", 1).await;
        get(&visitor, "/logout").await;
        bench.gates.open("slowly", 1);
        let answer = slow.await.expect("it is answered");
        assert_eq!((answer.status, answer.cookies().len()), (200, 0), "[P1] {answer:?}");
        assert_eq!(get(&visitor, "/show").await, "nobody 0 dark Some(\"try me\") 1");
        assert_eq!(bench.sessions(), 1);
    }

    async fn a_token_from_before_a_login_keeps_nothing(bench: Bench) {
        let (_server, visitor) = start(&bench).await;
        get(&visitor, "/prefer").await;
        let planted = visitor.fork();
        get(&visitor, "/login").await;
        get(&planted, "/logout").await;
        assert_eq!(planted.token(), None, "[P11] it gives nothing else");
        assert_eq!(bench.sessions(), 1);
        assert_eq!(get(&visitor, "/show").await, "ada 1 dark Some(\"try me\") 1");
    }

    async fn a_logout_that_fails_changes_nothing(bench: Bench) {
        let (server, visitor) = start(&bench).await;
        get(&visitor, "/login").await;
        for call in ["insert", "remove"] {
            let gate = format!("before {call}");
            let store = FailingStore::new(bench.store.clone());
            let held = HeldStore::new(store.clone(), &bench.gates);
            held.hold(&gate);
            let failing = serve_with(&bench, bench.manager_over(held), routes!["/logout" => logout]).await;
            let answer = visitor.at(&failing).get_in_background("/logout");
            bench.gates.arrived(&gate, 1).await;
            store.fail();
            bench.gates.open(&gate, 1);
            let answer = answer.await.expect("it is answered");
            assert_eq!((answer.status, answer.cookies().len()), (503, 0), "{call}");
            assert_eq!(get(&visitor.at(&server), "/show").await, "ada 1 dark Some(\"try me\") 1", "{call}");
        }
    }
}

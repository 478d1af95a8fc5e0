//! Tests of the extractors of users, and of the number of times that they call the loader.

use std::sync::Arc;

use sessionkit::{SessionConfig, SessionData, SessionScope, SessionUser};
use sessionkit_tests::behaviour;
use sessionkit_tests::harness::{Answer, Bench, Log, Server};

use crate::accounts::{Account, Accounts, Mood};

#[derive(SessionData)]
struct Cart {
    items: Vec<u32>,
}

/// The back office's session.
struct Office;

impl SessionScope for Office {
    const NAME: &'static str = "Office";
    type Home = sessionkit::OnServer;
}

/// A user whom nothing loads.
struct Robot;

impl SessionUser for Robot {}

/// Asks as a browser does that opens a page.
const PAGE: &[(&str, &[u8])] = &[("accept", b"text/html"), ("sec-fetch-mode", b"navigate")];

behaviour! {
    tests: [
        row_22_the_user_is_loaded_once_and_only_where_somebody_asks,
        row_22_login_and_logout_change_who_is_loaded,
        row_22_a_user_who_is_required_is_asked_to_log_in,
        each_scope_has_users_of_its_own,
        a_loader_may_be_shared_with_the_application,
        a_user_whom_nothing_loads_is_an_error_that_says_what_to_write,
    ];

    type Answered = Result<Reply, SessionRejection>;

    async fn profile(user: User<Account>) -> Reply {
        Reply::ok(format!("{} {} {user:?}", user.name, user.is_admin))
    }

    async fn home(user: Option<User<Account>>) -> Reply {
        Reply::ok(user.map_or("nobody".to_owned(), |user| user.name.clone()))
    }

    async fn maybe(MaybeUser(user): MaybeUser<Account>) -> Reply {
        Reply::ok(user.as_ref().map_or("nobody", |user| &user.name))
    }

    async fn all(user: User<Account>, same: Option<User<Account>>, again: MaybeUser<Account>, auth: Auth) -> Answered {
        let later = auth.user::<Account>().await?;
        let names = [Some(&user), same.as_ref(), again.as_ref(), later.as_ref()];
        Ok(Reply::ok(names.into_iter().flatten().filter(|one| std::ptr::eq(&***one, &*user)).count()))
    }

    async fn cart(mut cart: Session<Cart>, auth: Auth) -> Answered {
        cart.items.push(1);
        Ok(Reply::ok(auth.user_id().await?.is_some()))
    }

    #[session(require_login)]
    async fn guarded() -> Reply {
        Reply::ok("guarded")
    }

    async fn free() -> Reply {
        Reply::ok("free")
    }

    async fn name(auth: &Auth) -> Result<String, SessionRejection> {
        Ok(auth.user::<Account>().await?.map_or("nobody".to_owned(), |user| user.name.clone()))
    }

    async fn login(auth: Auth, user: String) -> Answered {
        let before = name(&auth).await?;
        auth.login(&user).await?;
        Ok(Reply::ok(format!("{before} {}", name(&auth).await?)))
    }

    async fn logout(auth: Auth) -> Answered {
        let before = name(&auth).await?;
        auth.logout().await?;
        Ok(Reply::ok(format!("{before} {}", name(&auth).await?)))
    }

    async fn rotate(auth: Auth) -> Answered {
        name(&auth).await?;
        auth.rotate().await?;
        Ok(Reply::ok(name(&auth).await?))
    }

    async fn robot(robot: Option<User<Robot>>) -> Reply {
        Reply::ok(robot.is_some())
    }

    async fn office(user: User<Account, Office>, auth: Auth<Office>) -> Answered {
        Ok(Reply::ok(format!("{} {}", user.name, auth.user::<Account>().await?.is_some())))
    }

    async fn office_login(auth: Auth<Office>) -> Answered {
        auth.login("bob").await?;
        Ok(Reply::ok("welcome"))
    }

    async fn start(bench: &Bench) -> (Server, Accounts) {
        let accounts = Accounts::new(&bench.gates);
        let routes = routes![
            "/profile" => profile, "/home" => home, "/maybe" => maybe, "/all" => all, "/cart" => cart,
            "/guarded" => guarded, "/free" => free, "/login" => login, "/logout" => logout, "/rotate" => rotate,
            "/robot" => robot,
        ];
        (serve_with(bench, bench.builder().user_loader(accounts.clone()).build(), routes).await, accounts)
    }

    async fn row_22_the_user_is_loaded_once_and_only_where_somebody_asks(bench: Bench) {
        let (server, accounts) = start(&bench).await;
        let ada = server.visitor();
        for path in ["/free", "/cart", "/guarded", "/home", "/maybe", "/profile"] {
            ada.fork().get(path).await;
        }
        assert_eq!(accounts.calls(), [""; 0], "of visitors there is nothing to load");
        ada.post("/login", "ada").await;
        accounts.calls();
        bench.store.take();
        for (path, body, loads, users) in [
            ("/free", "free", 0, 0),
            ("/guarded", "guarded", 1, 0),
            ("/profile", "ada true User(users::accounts::Account)", 1, 1),
            ("/home", "ada", 1, 1),
            ("/maybe", "ada", 1, 1),
            ("/all", "4", 1, 1),
            ("/cart", "true", 1, 0),
        ] {
            assert_eq!(ada.get(path).await.body, body, "{path}");
            assert_eq!((bench.store.take().load, accounts.calls().len()), (loads, users), "{path}");
        }
    }

    async fn row_22_login_and_logout_change_who_is_loaded(bench: Bench) {
        let (server, accounts) = start(&bench).await;
        let visitor = server.visitor();
        assert_eq!(visitor.post("/login", "ada").await.body, "nobody ada");
        assert_eq!(accounts.calls(), ["ada"]);
        assert_eq!(visitor.post("/login", "bob").await.body, "ada bob");
        assert_eq!(accounts.calls(), ["ada", "bob"]);
        assert_eq!(visitor.post("/login", "bob").await.body, "bob bob");
        assert_eq!(accounts.calls(), ["bob", "bob"], "a login may come with other credentials");
        assert_eq!(visitor.get("/rotate").await.body, "bob");
        assert_eq!(accounts.calls(), ["bob", "bob"], "a rotation tells of a role that changed");
        assert_eq!(visitor.get("/logout").await.body, "bob nobody");
        assert_eq!(accounts.calls(), ["bob"]);
        assert_eq!((visitor.get("/home").await.body, visitor.token()), ("nobody".to_owned(), None));
    }

    /// The answer of a guard that requires a login is the answer of the extractor.
    async fn row_22_a_user_who_is_required_is_asked_to_log_in(bench: Bench) {
        let (server, accounts) = start(&bench).await;
        let visitor = server.visitor();
        let essence = |answer: Answer| {
            let header = |name: &str| answer.all(name).into_iter().map(str::to_owned).collect::<Vec<_>>();
            (answer.status, header("cache-control"), header("vary"), header("content-type"), answer.body.clone())
        };
        assert_eq!(essence(visitor.get("/profile").await), essence(visitor.get("/guarded").await));
        assert_eq!(visitor.get("/profile").await.status, 401);
        let page = visitor.send(reqwest::Method::GET, "/profile?tab=2", PAGE, "").await;
        assert_eq!((page.status, page.all("location")), (303, vec!["/login?next=/profile%3Ftab%3D2"]));
        for path in ["/home", "/maybe"] {
            let answer = visitor.get(path).await;
            assert_eq!((answer.status, &*answer.body), (200, "nobody"), "{path}");
            assert_eq!((answer.all("vary"), answer.all("cache-control").len()), (vec!["Cookie"], 0), "{path}");
        }
        assert_eq!(accounts.calls(), [""; 0]);
    }

    async fn each_scope_has_users_of_its_own(bench: Bench) {
        let accounts = Accounts::new(&bench.gates);
        let config = SessionConfig::builder().cookie_name("__Host-office").build().unwrap();
        let builder = bench.builder().config(config).for_scope::<Office>();
        let manager = builder.user_loader(accounts.clone()).build();
        let routes = routes!["/office" => office, "/office-login" => office_login, "/profile" => profile];
        let server = serve_scopes(&bench, manager, routes).await;
        let visitor = server.visitor();
        assert_eq!(visitor.get("/office").await.status, 401);
        visitor.get("/office-login").await;
        assert_eq!(visitor.get("/office").await.body, "bob true");
        assert_eq!(accounts.calls(), ["bob"]);
        assert_eq!(visitor.get("/profile").await.status, 500, "the main scope has no loader");
    }

    async fn a_loader_may_be_shared_with_the_application(bench: Bench) {
        let accounts = Arc::new(Accounts::new(&bench.gates));
        let manager = bench.builder().user_loader(Arc::clone(&accounts)).build();
        let server = serve_with(&bench, manager, routes!["/login" => login, "/home" => home]).await;
        let visitor = server.visitor();
        assert_eq!(visitor.post("/login", "ada").await.body, "nobody ada");
        assert_eq!(visitor.get("/home").await.body, "ada");
        assert_eq!(accounts.calls(), ["ada", "ada"]);
        accounts.set_mood(Mood::Failing);
        assert_eq!(visitor.get("/home").await.status, 503);
    }

    async fn a_user_whom_nothing_loads_is_an_error_that_says_what_to_write(bench: Bench) {
        let log = Log::collect();
        let (server, _) = start(&bench).await;
        let bare = serve(&bench, routes!["/robot" => robot, "/profile" => profile, "/maybe" => maybe]).await;
        for (server, path, says) in [
            (&bare, "/robot", "Robot`: give the manager a `UserLoader` of it with `SessionManagerBuilder::user_loader`"),
            (&bare, "/profile", "SessionManagerBuilder::user_loader"),
            (&bare, "/maybe", "SessionManagerBuilder::user_loader"),
            (&server, "/robot", "the `UserLoader` of the manager loads `users::accounts::Account`"),
        ] {
            let answer = server.visitor().get(path).await;
            assert_eq!(answer.status, 500, "{path}: also for visitors, so that it is noticed");
            assert!(!answer.body.contains(says) && log.text().contains(says), "{path}: {} {}", answer.body, log.text());
        }
    }
}

//! An extractor of the user behind a guard that lets visitors pass who are nobody: it refuses them as the guard would.

use sessionkit::testing::TestSession;
use sessionkit::{Denial, Rejection, RequestHead, Rules, SessionData};
use sessionkit_tests::behaviour;
use sessionkit_tests::harness::{Answer, Bench, Visitor};

use crate::accounts::{Account, Accounts};

#[derive(SessionData)]
struct Cart {
    paid: bool,
}

fn enter(head: &RequestHead<'_>) -> String {
    format!("/enter{}", head.path())
}

fn teapot(denial: &Denial<'_>) -> Rejection {
    Rejection::html(418, format!("{:?}", denial.reason))
}

async fn open(visitor: &Visitor, path: &str) -> Answer {
    visitor.send(reqwest::Method::GET, path, &[("sec-fetch-mode", b"navigate")], "").await
}

behaviour! {
    tests: [a_user_who_is_required_behind_a_guard_is_asked_for_as_the_guard_does, so_is_one_who_is_gone];

    async fn plain(user: User<Account>) -> Reply {
        Reply::ok(&user.name)
    }

    #[session(require = |cart: &Cart| !cart.paid)]
    async fn guarded(user: User<Account>) -> Reply {
        Reply::ok(&user.name)
    }

    #[session(require = |cart: &Cart| !cart.paid, login_url = "/enter")]
    async fn path(user: User<Account>) -> Reply {
        Reply::ok(&user.name)
    }

    #[session(require = |cart: &Cart| !cart.paid, login_url = enter)]
    async fn function(user: User<Account>) -> Reply {
        Reply::ok(&user.name)
    }

    #[session(require = |cart: &Cart| !cart.paid, on_denied = teapot)]
    async fn page(user: User<Account>) -> Reply {
        Reply::ok(&user.name)
    }

    #[session(require_login, login_url = "/enter")]
    async fn login(user: User<Account>) -> Reply {
        Reply::ok(&user.name)
    }

    async fn a_user_who_is_required_behind_a_guard_is_asked_for_as_the_guard_does(bench: Bench) {
        let manager = bench.builder().user_loader(Accounts::new(&bench.gates)).build();
        let rules = Rules::new().require(|cart: &Cart| !cart.paid).login_path("/office/login");
        let routes = routes![
            "/plain" => plain, "/guarded" => guarded, "/path" => path, "/function" => function, "/page" => page,
        ];
        let server = serve_fenced(&bench, manager, rules, routes).await;
        let visitor = server.visitor();
        for (path, status, location) in [
            ("/plain", 303, "/login?next=/plain"),
            ("/guarded", 303, "/login?next=/guarded"),
            ("/path", 303, "/enter?next=/path"),
            ("/function", 303, "/enter/function?next=/function"),
            ("/page", 418, ""),
            ("/fenced/plain", 303, "/office/login?next=/fenced/plain"),
            // The guard of the handler is the nearer one, also where it says nothing of it.
            ("/fenced/guarded", 303, "/login?next=/fenced/guarded"),
            ("/fenced/path", 303, "/enter?next=/fenced/path"),
        ] {
            let answer = open(&visitor, path).await;
            assert_eq!((answer.status, answer.all("location").concat()), (status, location.to_owned()), "{path}");
        }
        assert_eq!(visitor.get("/page").await.body, "LoginRequired");
        assert_eq!(visitor.get("/path").await.status, 401);
    }

    async fn so_is_one_who_is_gone(bench: Bench) {
        let accounts = Accounts::new(&bench.gates);
        let manager = bench.builder().user_loader(accounts.clone()).build();
        let server = serve_with(&bench, manager.clone(), routes!["/login" => login]).await;
        let ada = server.visitor_with(&TestSession::new(&manager).login("ada").await);
        assert_eq!(ada.get("/login").await.body, "ada");
        accounts.remove("ada");
        let answer = open(&ada, "/login").await;
        assert_eq!((answer.all("location"), ada.token()), (vec!["/enter?next=/login"], None));
    }
}

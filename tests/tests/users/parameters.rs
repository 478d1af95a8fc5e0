//! Tests of predicates with parameters: the call of a function that returns one.

use sessionkit::testing::{TestSession, TestUsers};
use sessionkit::{SessionData, SessionUser};
use sessionkit_tests::behaviour;
use sessionkit_tests::harness::Bench;

#[derive(Clone)]
struct Account {
    rights: &'static [&'static str],
}

impl SessionUser for Account {}

#[derive(SessionData)]
struct Cart {
    items: u32,
}

fn may(right: &'static str) -> impl Fn(&Account) -> bool {
    move |account| account.rights.contains(&right)
}

fn between(least: u32, most: u32) -> impl Fn(&Account, &Cart) -> Result<bool, String> {
    move |_, cart| Ok((least..=most).contains(&cart.items))
}

behaviour! {
    tests: [a_predicate_has_parameters];

    #[session(require = may("read"))]
    async fn read() -> Reply {
        Reply::ok("read")
    }

    #[session(require_login, any(may("write"), all(may("read"), between(2, 1 + 2))))]
    async fn write() -> Reply {
        Reply::ok("written")
    }

    async fn a_predicate_has_parameters(bench: Bench) {
        let account = |rights| Account { rights };
        let users = TestUsers::new([("ada", account(&["read", "write"])), ("bob", account(&["read"])), ("eve", account(&[]))]);
        let manager = bench.builder().user_loader(users).build();
        let server = serve_with(&bench, manager.clone(), routes!["/read" => read, "/write" => write]).await;
        for (user, items, statuses) in
            [("ada", 0, [200, 200]), ("bob", 0, [200, 403]), ("bob", 3, [200, 200]), ("bob", 4, [200, 403]), ("eve", 3, [403, 403])]
        {
            let visitor = TestSession::new(&manager).login(user).with(move |cart: &mut Cart| cart.items = items).await;
            let visitor = server.visitor_with(&visitor);
            let found = [visitor.get("/read").await.status, visitor.get("/write").await.status];
            assert_eq!(found, statuses, "{user} {items}");
        }
        assert_eq!(server.visitor().get("/read").await.status, 401);
    }
}

//! The session for tests of applications, on both frameworks without a server.

use std::time::Duration;

use sessionkit::manual::{Headers, RequestHead};
use sessionkit::testing::{TestSession, TestUsers};
use sessionkit::{CredentialStamp, SessionData, SessionManager, SessionScope, SessionUser};
use sessionkit_tests::both_frameworks;
use sessionkit_tests::harness::Bench;

struct Office;

impl SessionScope for Office {
    const NAME: &'static str = "Office";
    type Home = sessionkit::OnServer;
}

#[derive(SessionData)]
struct Cart {
    items: Vec<u32>,
    note: Option<String>,
    #[session(ttl = "10m")]
    code: Option<u32>,
}

#[derive(SessionData)]
#[session(name = "cart", scope = Office)]
struct Orders {
    open: u32,
}

#[derive(Clone)]
struct Account {
    name: &'static str,
}

impl SessionUser for Account {
    fn credential_stamp(&self) -> Option<CredentialStamp> {
        Some(CredentialStamp::of(self.name))
    }
}

both_frameworks! {
    tests: [
        a_session_is_made_in_one_line,
        it_tells_what_a_response_changed,
        it_follows_cookies_as_a_browser_does,
        it_ends_when_the_session_does,
        it_is_one_of_another_scope,
        it_prints_no_secret,
        users_come_from_a_list,
        a_login_has_details,
        a_handler_is_called_as_a_function,
        a_handle_begins_when_the_request_is_closed,
        a_request_that_is_not_closed_stores_nothing,
    ];

    type Answered = Result<Reply, SessionRejection>;

    /// A handler whose answer is a value that a test can look at.
    async fn buy(auth: Auth, seen: SessionView<Cart>, mut cart: Session<Cart>) -> Result<String, SessionRejection> {
        auth.require_login().await?;
        cart.items.push(7);
        Ok(format!("{:?} {:?}", auth.user_id().await?, seen.items))
    }

    async fn a_handler_is_called_as_a_function() {
        let manager = Bench::memory().manager();
        let mut ada = TestSession::new(&manager).login("ada").with(|cart: &mut Cart| cart.items = vec![1]).await;
        let mut request = HandlerRequest::new(&ada, request_to("/buy?item=7"));
        let bought = buy(
            request.extract().await.unwrap(),
            request.extract().await.unwrap(),
            request.extract().await.unwrap(),
        );
        assert_eq!(bought.await.unwrap(), "Some(\"ada\") [1]");
        request.close(&mut ada, 200).await.unwrap();
        assert_eq!((ada.changed().await, ada.view::<Cart>().await.items), (vec!["cart.items".to_owned()], vec![1, 7]));

        let mut nobody = TestSession::new(&manager).await;
        let mut request = HandlerRequest::new(&nobody, request_to("/buy"));
        let [auth, other]: [Auth; 2] = [request.extract().await.unwrap(), request.extract().await.unwrap()];
        let refused = buy(auth, request.extract().await.unwrap(), request.extract().await.unwrap()).await.unwrap_err();
        assert_eq!(refused.status(), 401);
        // What a login in a handler makes of the cookie is kept, whatever the status.
        other.login("bob").await.unwrap();
        request.close(&mut nobody, 500).await.unwrap();
        assert_eq!(nobody.user_id().await.as_deref(), Some("bob"));
    }

    async fn a_handle_begins_when_the_request_is_closed() {
        let manager = Bench::memory().manager();
        let mut ada = TestSession::new(&manager).login("ada").await;
        let mut request = HandlerRequest::new(&ada, request_to("/chat"));
        let mut handle: SessionHandle = request.extract().await.unwrap();
        request.close(&mut ada, 101).await.unwrap();
        assert!(handle.reload().await.unwrap());
        handle.checkout::<Cart>().await.unwrap().items.push(9);
        handle.commit().await.unwrap();
        assert_eq!(ada.view::<Cart>().await.items, [9]);
    }

    async fn a_request_that_is_not_closed_stores_nothing() {
        let manager = Bench::memory().manager();
        let mut ada = TestSession::new(&manager).login("ada").await;
        let mut request = HandlerRequest::new(&ada, request_to("/buy"));
        let (auth, seen, cart) = (request.extract().await, request.extract().await, request.extract().await);
        buy(auth.unwrap(), seen.unwrap(), cart.unwrap()).await.unwrap();
        drop(request);
        assert_eq!(ada.changed().await, [""; 0]);
    }

    async fn show(auth: Auth, cart: SessionView<Cart>) -> Answered {
        Ok(Reply::ok(format!("{:?} {:?}", auth.user_id().await?, cart.items)))
    }

    async fn add(mut cart: Session<Cart>) -> Reply {
        cart.items.push(7);
        cart.note = None;
        Reply::ok("")
    }

    async fn rotate(auth: Auth) -> Answered {
        auth.rotate().await?;
        Ok(Reply::ok(""))
    }

    async fn logout(auth: Auth) -> Answered {
        auth.logout().await?;
        Ok(Reply::ok("").header("set-cookie", "other=1"))
    }

    async fn ship(mut orders: Session<Orders>) -> Reply {
        orders.open -= 1;
        Reply::ok("")
    }

    /// Sends a request with the visitor's cookie, and lets the visitor keep the answer's.
    async fn get<Scope: SessionScope>(
        manager: &SessionManager<Scope>,
        visitor: &mut TestSession<Scope>,
        path: &str,
    ) -> String {
        let routes = routes!["/show" => show, "/add" => add, "/rotate" => rotate, "/logout" => logout, "/ship" => ship];
        let (set_cookies, body) = answer(manager.clone(), routes, path, &visitor.cookie()).await;
        visitor.follow(set_cookies);
        body
    }

    async fn a_session_is_made_in_one_line() {
        let bench = Bench::memory();
        let manager = bench.manager();
        let mut ada = TestSession::new(&manager)
            .login("ada")
            .with(|cart: &mut Cart| cart.items = vec![1])
            .with(|cart: &mut Cart| cart.items.push(2))
            .await;
        assert!(ada.cookie().starts_with("__Host-session=") && !ada.is_over().await);
        assert_eq!(get(&manager, &mut ada, "/show").await, "Some(\"ada\") [1, 2]");
        assert_eq!((ada.user_id().await.as_deref(), ada.view::<Cart>().await.items), (Some("ada"), vec![1, 2]));
        assert_eq!(ada.info().await.unwrap().user_id.as_deref(), Some("ada"));
        let mut anonymous = TestSession::new(&manager).with(|cart: &mut Cart| cart.items = vec![3]).await;
        assert_eq!(get(&manager, &mut anonymous, "/show").await, "None [3]");
        // Nobody yet: a visitor without a cookie.
        bench.store.take();
        let nobody = TestSession::new(&manager).await;
        assert!(nobody.cookie().is_empty() && nobody.is_over().await && nobody.user_id().await.is_none());
        assert_eq!((nobody.view::<Cart>().await.items.len(), bench.store.take().total()), (0, 0));
    }

    async fn it_tells_what_a_response_changed() {
        let bench = Bench::memory();
        let manager = bench.manager();
        let fill = |cart: &mut Cart| (cart.note, cart.code) = (Some("soon".into()), Some(4));
        let mut ada = TestSession::new(&manager).login("ada").with(fill).await;
        assert_eq!(ada.changed().await, [""; 0]);
        get(&manager, &mut ada, "/show").await;
        assert_eq!(ada.changed().await, [""; 0]);
        get(&manager, &mut ada, "/add").await;
        assert_eq!(ada.changed().await, ["cart.items", "cart.note"]);
        assert_eq!(ada.changed().await, [""; 0]);
        bench.clock.advance(Duration::from_secs(10 * 60));
        assert_eq!(ada.changed().await, ["cart.code"], "its time was up");
        get(&manager, &mut ada, "/logout").await;
        assert_eq!(ada.changed().await, ["cart.items"]);
    }

    async fn it_follows_cookies_as_a_browser_does() {
        let manager = Bench::memory().manager();
        let mut visitor = TestSession::new(&manager).await;
        get(&manager, &mut visitor, "/add").await;
        assert_eq!((visitor.view::<Cart>().await.items, visitor.changed().await), (vec![7], vec!["cart.items".into()]));
        let (stale, token) = (visitor.clone(), visitor.cookie());
        get(&manager, &mut visitor, "/rotate").await;
        assert!(visitor.cookie() != token && !visitor.is_over().await && stale.is_over().await);
        get(&manager, &mut visitor, "/logout").await;
        assert_eq!(visitor.cookie(), "");
    }

    async fn it_ends_when_the_session_does() {
        let bench = Bench::memory();
        let manager = bench.manager();
        let ada = TestSession::new(&manager).login("ada").await;
        let mut tab = ada.clone();
        get(&manager, &mut tab, "/logout").await;
        assert!(ada.is_over().await && ada.user_id().await.is_none() && ada.info().await.is_none());
        let bob = TestSession::new(&manager).login("bob").await;
        bench.clock.advance(Duration::from_secs(24 * 60 * 60));
        assert!(bob.is_over().await);
    }

    async fn it_is_one_of_another_scope() {
        let bench = Bench::memory().with_config(|config| config.cookie_name("__Host-office"));
        let office = bench.manager_of::<Office>();
        let mut clerk = TestSession::new(&office).login("clerk").with(|orders: &mut Orders| orders.open = 2).await;
        assert!(clerk.cookie().starts_with("__Host-office="));
        get(&office, &mut clerk, "/ship").await;
        assert_eq!((clerk.view::<Orders>().await.open, clerk.changed().await), (1, vec!["cart.open".into()]));
    }

    async fn name(MaybeUser(user): MaybeUser<Account>) -> Reply {
        Reply::ok(user.map_or("nobody", |user| user.name))
    }

    async fn a_login_has_details() {
        let users = TestUsers::new([("ada", Account { name: "first" }), ("bob", Account { name: "any" })]);
        let manager = Bench::memory().builder().user_loader(users.clone()).build();
        for ago in [None, Some(Duration::from_secs(60))] {
            users.insert("ada", Account { name: "first" });
            let login = || {
                let login = TestSession::new(&manager).login("ada").device_label("phone").methods(["pwd", "otp"]);
                let login = login.credential_stamp(CredentialStamp::of("first"));
                match ago {
                    Some(ago) => login.authenticated_ago(ago),
                    None => login,
                }
            };
            let (ada, bob) = (login().await, login().acting_as("bob").await);
            for (session, user, actor) in [(&ada, "ada", None), (&bob, "bob", Some("ada"))] {
                let info = session.info().await.unwrap();
                assert_eq!((info.user_id.as_deref(), info.actor.as_deref()), (Some(user), actor));
                assert_eq!((info.device_label.as_deref(), info.methods()), (Some("phone"), &["pwd".to_owned(), "otp".to_owned()][..]));
            }
            users.insert("ada", Account { name: "second" });
            for session in [ada, bob] {
                assert_eq!(answer(manager.clone(), routes!["/name" => name], "/name", &session.cookie()).await.1, "nobody");
                assert!(session.is_over().await);
            }
        }
        let nobody = std::panic::AssertUnwindSafe(async { TestSession::new(&manager).device_label("phone").await });
        assert!(futures_util::FutureExt::catch_unwind(nobody).await.is_err(), "nobody's device");
    }

    async fn users_come_from_a_list() {
        let users = TestUsers::new([(7, Account { name: "Ada" }), (8, Account { name: "Bob" })]);
        let manager = Bench::memory().builder().user_loader(users.clone()).build();
        let ada = TestSession::new(&manager).login(7).await;
        let ask = async || answer(manager.clone(), routes!["/name" => name], "/name", &ada.cookie()).await.1;
        assert_eq!(ask().await, "Ada");
        users.insert(7, Account { name: "Ada Lovelace" });
        assert_eq!((ask().await, users.take_loads()), ("Ada Lovelace".to_owned(), 2));
        users.set_failing(true);
        assert!(ask().await.contains(r#""status":503"#));
        users.set_failing(false);
        assert_eq!(format!("{users:?}"), r#"TestUsers({"7", "8"})"#);
        assert_eq!(users.remove(7).map(|ada| ada.name), Some("Ada Lovelace"));
        assert_eq!((ask().await, ada.is_over().await, users.take_loads()), ("nobody".to_owned(), true, 2));
    }

    async fn it_prints_no_secret() {
        let manager = Bench::memory().manager();
        let ada = TestSession::new(&manager).login("ada").with(|cart: &mut Cart| cart.note = Some("psst".into())).await;
        let (printed, cookie) = (format!("{ada:?}"), ada.cookie());
        assert!(printed.contains("cart.note") && !printed.contains("psst"), "{printed}");
        assert!(!printed.contains(cookie.split_once('=').unwrap().1), "{printed}");
    }
}

/// The headers of a request with this cookie.
struct Cookie(String);

impl Headers for Cookie {
    fn each<'a>(&'a self, each: &mut dyn FnMut(&'a str, &'a [u8])) {
        each("cookie", self.0.as_bytes());
    }
}

#[tokio::test]
async fn a_form_has_a_token() {
    for renew in [false, true] {
        let hour = Duration::from_secs(3600);
        let bench = Bench::memory();
        let bench = if renew { bench.with_config(|config| config.renew_after(hour)) } else { bench };
        let manager = bench.manager();
        let (mut ada, mut visitor) = (TestSession::new(&manager).login("ada").await, TestSession::new(&manager).await);
        let (hers, theirs) = (ada.csrf_token().await, visitor.csrf_token().await);
        for (session, own, other) in [(&ada, &hers, &theirs), (&visitor, &theirs, &hers)] {
            let request = manager.open();
            request.attach(&RequestHead::new("POST", "/", &Cookie(session.cookie())));
            let token = request.csrf_token().await.unwrap();
            assert!(token.verify(own).is_ok() && token.verify(other).is_err(), "{renew}");
        }
    }
}

/// Guarded handlers, whose guard is an argument that each framework has at another place.
mod guarded_on_axum {
    use ::axum::extract::Path;
    use sessionkit::axum::testing::HandlerRequest;
    use sessionkit::axum::{Session, session};

    use super::*;

    #[session(require_login, require = |cart: &Cart| cart.items.is_empty())]
    async fn first(Path(item): Path<u32>, mut cart: Session<Cart>) -> u32 {
        cart.items.push(item);
        item
    }

    #[tokio::test]
    async fn the_guard_is_the_first_argument() {
        let manager = SessionManager::new(sessionkit::MemoryStore::new(), Default::default());
        let mut ada = TestSession::new(&manager).login("ada").await;
        let request = || ::axum::extract::Request::get("/first/7").body(()).unwrap();
        let mut given = HandlerRequest::new(&ada, request());
        let (guard, cart) = (given.extract().await.unwrap(), given.extract().await.unwrap());
        assert_eq!(first(guard, Path(7), cart).await, 7);
        given.close(&mut ada, 200).await.unwrap();
        assert_eq!(ada.view::<Cart>().await.items, [7]);

        let mut again = HandlerRequest::new(&ada, request());
        let refused = async {
            Ok::<_, sessionkit::axum::SessionRejection>(
                first(again.extract().await?, Path(8), again.extract().await?).await,
            )
        };
        assert_eq!(refused.await.unwrap_err().status(), 403);
    }
}

mod guarded_on_actix {
    use actix_web::test::TestRequest;
    use actix_web::web::Path;
    use sessionkit::actix::testing::HandlerRequest;
    use sessionkit::actix::{Session, session};

    use super::*;

    #[session(require_login, require = |cart: &Cart| cart.items.is_empty())]
    async fn first(item: Path<u32>, mut cart: Session<Cart>) -> u32 {
        cart.items.push(*item);
        *item
    }

    #[actix_web::test]
    async fn the_guard_stands_around_all_arguments() {
        let manager = SessionManager::new(sessionkit::MemoryStore::new(), Default::default());
        let mut ada = TestSession::new(&manager).login("ada").await;
        let request = || TestRequest::get().uri("/first/7").param("item", "7");
        let mut given = HandlerRequest::new(&ada, request());
        assert_eq!(first(given.extract().await.unwrap()).await, 7);
        given.close(&mut ada, 200).await.unwrap();
        assert_eq!(ada.view::<Cart>().await.items, [7]);

        let mut again = HandlerRequest::new(&ada, request());
        let refused: actix_web::Result<u32> = async { Ok(first(again.extract().await?).await) }.await;
        assert_eq!(refused.unwrap_err().as_response_error().status_code(), 403);
    }
}

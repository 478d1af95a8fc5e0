//! An axum and an actix-web server in one process, with one Redis and one cookie.

use futures_util::future::join_all;
use sessionkit::SessionData;
use sessionkit_tests::both_frameworks;
use sessionkit_tests::harness::{Bench, Server, Visitor};

#[derive(SessionData)]
struct Cart {
    items: Vec<String>,
    #[session(merge = add)]
    views: u64,
    #[session(merge = append)]
    history: Vec<u32>,
    #[session(flash)]
    notice: Option<String>,
}

both_frameworks! {
    tests: [];

    async fn login(auth: Auth) -> Result<Reply, SessionRejection> {
        auth.login("ada").await?;
        Ok(Reply::ok("welcome"))
    }

    async fn rotate(auth: Auth) -> Result<Reply, SessionRejection> {
        auth.rotate().await?;
        Ok(Reply::ok("rotated"))
    }

    async fn logout(auth: Auth) -> Result<Reply, SessionRejection> {
        auth.logout().await?;
        Ok(Reply::ok("bye"))
    }

    async fn who(auth: Auth) -> Result<Reply, SessionRejection> {
        Ok(Reply::ok(auth.user_id().await?.as_deref().unwrap_or("nobody")))
    }

    #[session(require_login)]
    async fn guarded(cart: SessionView<Cart>) -> Reply {
        Reply::ok(format!("{:?} {}", cart.items, cart.views))
    }

    async fn view(mut cart: Session<Cart>) -> Reply {
        cart.views += 1;
        let number = cart.history.len() as u32;
        cart.history.push(number);
        Reply::ok("viewed")
    }

    async fn buy(mut cart: Session<Cart>) -> Reply {
        cart.items.push(module_path!().rsplit("::").next().expect("a path has an end").to_owned());
        cart.notice = Some("thank you".into());
        Reply::ok("bought")
    }

    async fn notice(mut cart: Session<Cart>) -> Reply {
        Reply::ok(cart.notice.take().unwrap_or_default())
    }

    async fn read(cart: SessionView<Cart>) -> Reply {
        Reply::ok(format!("{:?} {} {}", cart.items, cart.views, cart.history.len()))
    }

    async fn slow(mut cart: Session<Cart>, shared: Shared) -> Reply {
        cart.views += 10;
        shared.0.pass("slow").await;
        Reply::ok("done")
    }

    pub(super) async fn shop(bench: &Bench) -> Server {
        let routes = routes![
            "/login" => login, "/rotate" => rotate, "/logout" => logout, "/who" => who, "/guarded" => guarded,
            "/view" => view, "/buy" => buy, "/notice" => notice, "/read" => read, "/slow" => slow,
        ];
        serve(bench, routes).await
    }
}

/// A browser that has both servers for one site; then the same with the frameworks in each other's place.
async fn on_both(test: impl AsyncFn(&Bench, Visitor, Visitor)) {
    let bench = Bench::redis();
    let (axum, actix) = (axum::shop(&bench).await, actix::shop(&bench).await);
    let visitor = axum.visitor();
    test(&bench, visitor.clone(), visitor.at(&actix)).await;
    let visitor = actix.visitor();
    test(&bench, visitor.clone(), visitor.at(&axum)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_login_on_one_is_a_login_on_the_other() {
    on_both(async |_, here, there| {
        assert_eq!(there.get("/guarded").await.status, 401);
        assert_eq!(here.get("/buy").await.status, 200);
        assert_eq!(here.get("/login").await.status, 200);
        assert_eq!(there.get("/who").await.body, "ada");
        let guarded = there.get("/guarded").await;
        assert_eq!((guarded.status, &guarded.body), (200, &here.get("/guarded").await.body));
        assert!(guarded.body.ends_with("] 0") && guarded.body.len() > 4, "{}", guarded.body);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rotation_on_one_ends_the_old_token_on_the_other() {
    on_both(async |_, here, there| {
        here.get("/login").await;
        let thief = there.fork();
        assert_eq!(here.get("/rotate").await.status, 200);
        assert_eq!(there.get("/who").await.body, "ada");
        assert_eq!(thief.get("/who").await.body, "nobody");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writes_on_both_merge() {
    on_both(async |_, here, there| {
        here.get("/buy").await;
        there.get("/buy").await;
        let views = (0..20).flat_map(|_| [here.clone(), there.clone()]);
        let views = join_all(views.map(async |visitor| visitor.get("/view").await)).await;
        assert!(views.iter().all(|answer| answer.status == 200));
        for visitor in [&here, &there] {
            let read = visitor.get("/read").await.body;
            assert!(read.ends_with("] 40 40") && read.contains(r#""axum""#) && read.contains(r#""actix""#), "{read}");
        }
        assert_eq!(there.get("/notice").await.body, "thank you");
        assert_eq!(here.get("/notice").await.body, "");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_logout_on_one_ends_the_other() {
    on_both(async |bench, here, there| {
        here.get("/login").await;
        let thief = there.fork();
        let slow = there.clone();
        let slow = tokio::spawn(async move { slow.get("/slow").await });
        bench.gates.arrived("slow", 1).await;
        assert_eq!(here.get("/logout").await.status, 200);
        assert_eq!((here.token(), there.token()), (None, None));
        bench.gates.open("slow", 1);
        let answer = slow.await.expect("it is answered");
        assert_eq!((answer.status, answer.cookies().len()), (200, 0));
        assert_eq!(thief.get("/guarded").await.status, 401);
        assert_eq!(thief.get("/read").await.body, "[] 0 0");
        assert_eq!(bench.sessions(), 0);
    })
    .await;
}

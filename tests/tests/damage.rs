//! What an operator or an accident does to a Redis in use: no wrong answer, and no half commit.

use sessionkit::testing::CountingStore;
use sessionkit::{SessionData, SessionManager};
use sessionkit_tests::both_frameworks;
use sessionkit_tests::harness::fault::{Fault, assert_unavailable, recovered};
use sessionkit_tests::harness::{Answer, Bench, COOKIE, HeldStore, Server, TestStore, Visitor};
use tokio::task::JoinHandle;

type Held = HeldStore<CountingStore<TestStore>>;

#[derive(SessionData)]
struct Cart {
    items: Vec<u32>,
    #[session(merge = add)]
    views: u64,
    #[session(carry)]
    owner: String,
}

/// The key of the only session.
fn key(bench: &Bench) -> String {
    bench.with_redis(|redis| redis.cli(&["--raw", "KEYS", "*"]))
}

fn redis(bench: &Bench, arguments: &[&str]) -> String {
    bench.with_redis(|redis| redis.cli(arguments))
}

/// What an operator could do to a session's bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Damage {
    /// The key holds a list.
    OtherType,
    Text,
    Empty,
    /// Cut off in the header.
    Cut,
    /// Cut off in the fields.
    Torn,
    OtherKind,
}

const DAMAGES: [Damage; 6] =
    [Damage::OtherType, Damage::Text, Damage::Empty, Damage::Cut, Damage::Torn, Damage::OtherKind];

impl Damage {
    /// Whether a commit of what was loaded before finds its revision.
    fn keeps_revision(self) -> bool {
        matches!(self, Self::Cut | Self::Torn | Self::OtherKind)
    }

    fn begin(self, key: &str, bench: &Bench) {
        let mut bytes = stored(key, bench);
        match self {
            Self::OtherType => {
                redis(bench, &["DEL", key]);
                redis(bench, &["RPUSH", key, "x"]);
                return;
            }
            Self::Text => bytes = b"damaged".to_vec(),
            Self::Empty => bytes.clear(),
            Self::Cut => bytes.truncate(40),
            Self::Torn => drop(bytes.pop()),
            Self::OtherKind => bytes[13] = b'?',
        }
        store(key, &bytes, bench);
    }
}

fn connection(bench: &Bench) -> redis::Connection {
    let client = redis::Client::open(bench.with_redis(|redis| redis.url())).expect("the URL is valid");
    client.get_connection().expect("the server answers")
}

fn stored(key: &str, bench: &Bench) -> Vec<u8> {
    redis::cmd("GET").arg(key).query(&mut connection(bench)).expect("the server answers")
}

fn store(key: &str, bytes: &[u8], bench: &Bench) {
    redis::cmd("SET").arg(key).arg(bytes).exec(&mut connection(bench)).expect("the server answers");
}

/// Puts another value of the same length in the place of the counter's.
fn set_views(views: u8, key: &str, bench: &Bench) {
    let mut bytes = stored(key, bench);
    let name = b"cart.views\0\x01";
    let at = bytes.windows(name.len()).position(|window| window == name).expect("the field is stored");
    bytes[at + name.len()] = views;
    store(key, &bytes, bench);
}

#[track_caller]
fn assert_broken(answer: &Answer, what: &str) {
    assert_eq!((answer.status, answer.cookies().len()), (500, 0), "{what}: {answer:?}");
    assert_eq!(answer.all("content-type"), ["application/problem+json"], "{what}");
}

both_frameworks! {
    tests: [
        connections_that_were_killed_are_not_noticed_by_readers,
        connections_are_killed_before_commits,
        a_read_under_way_survives_the_loss_of_its_connection,
        a_commit_whose_answer_is_lost_is_not_repeated,
        scripts_that_were_flushed_come_back,
        who_leaves_while_redis_hangs_leaves_no_answer_to_others,
        who_leaves_in_mid_commit_leaves_no_half_commit,
        a_session_that_cannot_be_read_is_none,
        a_session_of_a_later_release_is_left_alone,
        a_session_that_is_damaged_before_the_commit_is_left_alone,
        a_field_of_the_wrong_type_is_an_error,
        a_field_that_goes_wrong_before_the_commit_stops_all_of_it,
    ];

    async fn plain() -> Reply {
        Reply::ok("hello")
    }

    async fn login(mut cart: Session<Cart>, auth: Auth) -> Result<Reply, SessionRejection> {
        cart.items.push(1);
        cart.views += 1;
        cart.owner = "ada".into();
        drop(cart);
        auth.login("ada").await?;
        Ok(Reply::ok("welcome"))
    }

    async fn logout(auth: Auth) -> Result<Reply, SessionRejection> {
        auth.logout().await?;
        Ok(Reply::ok("bye"))
    }

    async fn add(mut cart: Session<Cart>) -> Reply {
        cart.views += 1;
        Reply::ok("added")
    }

    async fn slow(mut cart: Session<Cart>, shared: Shared) -> Reply {
        cart.items.push(2);
        cart.views += 1;
        cart.owner = "bob".into();
        shared.0.pass("loaded").await;
        Reply::ok("changed")
    }

    async fn slow_login(auth: Auth, shared: Shared) -> Result<Reply, SessionRejection> {
        auth.user_id().await?;
        shared.0.pass("loaded").await;
        auth.login("bob").await?;
        Ok(Reply::ok("welcome"))
    }

    async fn own(mut cart: Session<Cart>) -> Reply {
        cart.owner = format!("{}!", cart.owner);
        Reply::ok(&cart.owner)
    }

    async fn read(cart: SessionView<Cart>) -> Reply {
        Reply::ok(format!("{} {:?} {}", cart.views, cart.items, cart.owner))
    }

    #[session(require_login, require = |cart: &Cart| cart.views < 100)]
    async fn allowed(shared: Shared) -> Reply {
        shared.0.note("let in");
        Reply::ok("let in")
    }

    async fn shop(bench: &Bench, manager: SessionManager) -> Server {
        let routes = routes![
            "/" => plain, "/login" => login, "/logout" => logout, "/add" => add, "/slow" => slow,
            "/slow-login" => slow_login, "/own" => own, "/read" => read, "/allowed" => allowed,
        ];
        serve_with(bench, manager, routes).await
    }

    /// A shop and somebody who is logged in and has something in the cart.
    async fn shop_with_visitor(bench: &Bench) -> (Server, Visitor) {
        let server = shop(bench, bench.manager()).await;
        let visitor = server.visitor();
        assert_eq!(visitor.get("/login").await.status, 200);
        (server, visitor)
    }

    /// Begins a request that has loaded the session, does something, and lets the request go on.
    async fn before_the_commit(path: &'static str, visitor: &Visitor, bench: &Bench, happens: impl FnOnce()) -> Answer {
        let asked = visitor.clone();
        let asked = tokio::spawn(async move { asked.get(path).await });
        bench.gates.arrived("loaded", 1).await;
        happens();
        bench.gates.open("loaded", 1);
        asked.await.expect("it is answered")
    }

    async fn connections_that_were_killed_are_not_noticed_by_readers() {
        let bench = Bench::redis();
        let (_server, visitor) = shop_with_visitor(&bench).await;
        for _ in 0..10 {
            redis(&bench, &["CLIENT", "KILL", "TYPE", "normal"]);
            assert_eq!(visitor.get("/read").await.body, "1 [1] ada");
        }
    }

    async fn connections_are_killed_before_commits() {
        let bench = Bench::redis();
        let (_server, visitor) = shop_with_visitor(&bench).await;
        let kill = || drop(redis(&bench, &["CLIENT", "KILL", "TYPE", "normal"]));
        let answer = before_the_commit("/slow", &visitor, &bench, kill).await;
        let read = recovered(&visitor, "/read").await.body;
        let (before, after) = ("1 [1] ada", "2 [1, 2] bob");
        if answer.status == 200 {
            assert_eq!(read, after);
        } else {
            assert_unavailable(&answer, "/slow");
            assert!(read == before || read == after, "{read}");
        }
        assert_eq!(visitor.get("/allowed").await.body, "let in");
    }

    /// Begins a request, does something before it comes to the gate's call, and waits until that is under way.
    async fn under_way(
        path: &'static str,
        gate: &'static str,
        visitor: &Visitor,
        (bench, held): (&Bench, &Held),
        happens: impl FnOnce(),
    ) -> JoinHandle<Answer> {
        held.hold(gate);
        let asked = visitor.clone();
        let asked = tokio::spawn(async move { asked.get(path).await });
        bench.gates.arrived(gate, 1).await;
        happens();
        held.release(gate);
        bench.gates.open(gate, 1);
        // Other requests give the call the time to be sent; were it not, the test would show less, not fail.
        for _ in 0..3 {
            visitor.get("/").await;
        }
        asked
    }

    async fn a_read_under_way_survives_the_loss_of_its_connection() {
        let bench = Bench::proxied_redis().await;
        let held = HeldStore::new(bench.store.clone(), &bench.gates);
        let server = shop(&bench, bench.manager_over(held.clone())).await;
        let visitor = server.visitor();
        visitor.get("/login").await;
        for _ in 0..3 {
            let swallow = || bench.network().blackhole(true);
            let asked = under_way("/read", "before load", &visitor, (&bench, &held), swallow).await;
            bench.network().cut().await;
            bench.network().blackhole(false);
            assert_eq!(asked.await.expect("it is answered").body, "1 [1] ada");
        }
    }

    async fn a_commit_whose_answer_is_lost_is_not_repeated() {
        let bench = Bench::proxied_redis().await;
        let held = HeldStore::new(bench.store.clone(), &bench.gates);
        let server = shop(&bench, bench.manager_over(held.clone())).await;
        for _ in 0..3 {
            let visitor = server.visitor();
            visitor.get("/login").await;
            // What is sent after this is done later, by a server that has nobody to answer to.
            let stop = || bench.with_redis(|redis| redis.pause());
            let asked = under_way("/add", "before replace", &visitor, (&bench, &held), stop).await;
            bench.network().cut().await;
            bench.with_redis(|redis| redis.resume());
            let answer = asked.await.expect("it is answered");
            let read = recovered(&visitor, "/read").await.body;
            if answer.status == 200 {
                assert_eq!(read, "2 [1] ada");
            } else {
                assert_unavailable(&answer, "/add");
                assert!(read == "1 [1] ada" || read == "2 [1] ada", "{read}");
            }
        }
    }

    async fn scripts_that_were_flushed_come_back() {
        let bench = Bench::redis();
        let (server, visitor) = shop_with_visitor(&bench).await;
        let flush = || assert_eq!(redis(&bench, &["SCRIPT", "FLUSH", "SYNC"]), "OK");
        flush();
        assert_eq!(visitor.get("/add").await.status, 200);
        let answer = before_the_commit("/slow", &visitor, &bench, flush).await;
        assert_eq!(answer.status, 200);
        assert_eq!(visitor.get("/read").await.body, "3 [1, 2] bob");
        flush();
        assert_eq!(server.visitor().get("/add").await.status, 200);
        assert_eq!(before_the_commit("/slow-login", &visitor, &bench, flush).await.status, 200);
        assert_eq!(visitor.get("/allowed").await.body, "let in");
    }

    async fn who_leaves_while_redis_hangs_leaves_no_answer_to_others() {
        let bench = Fault::Stopped.bench().await;
        let held = HeldStore::new(bench.store.clone(), &bench.gates);
        let server = shop(&bench, bench.manager_over(held.clone())).await;
        let people: Vec<Visitor> = (0..6).map(|_| server.visitor()).collect();
        for (number, visitor) in people.iter().enumerate() {
            for _ in 0..=number {
                visitor.get("/own").await;
            }
        }
        let (leave, stay) = people.split_at(4);
        Fault::Stopped.begin(&bench).await;
        held.hold("before load");
        let mut requests = Vec::new();
        for visitor in leave {
            requests.push(visitor.begin("/own").await);
        }
        bench.gates.arrived("before load", 4).await;
        held.release("before load");
        bench.gates.open("before load", 4);
        for request in &mut requests {
            request.leave(DROPS_HANDLERS).await;
        }
        Fault::Stopped.end(&bench).await;
        for (number, visitor) in stay.iter().enumerate() {
            for more in 0..5 {
                let own = "!".repeat(number + 6 + more);
                assert_eq!(recovered(visitor, "/own").await.body, own);
            }
        }
        for mut request in requests {
            request.rest().await;
        }
        for (number, visitor) in leave.iter().enumerate() {
            let own = visitor.get("/read").await.body;
            let (least, most) = (number + 1, number + 1 + usize::from(!DROPS_HANDLERS));
            let marks = own.trim_start_matches("0 [] ");
            assert!((least..=most).contains(&marks.len()) && marks.trim_matches('!').is_empty(), "{number}: {own}");
        }
    }

    async fn who_leaves_in_mid_commit_leaves_no_half_commit() {
        let bench = Fault::Stopped.bench().await;
        let held = HeldStore::new(bench.store.clone(), &bench.gates);
        let manager = bench.manager_over(held.clone());
        let server = shop(&bench, manager.clone()).await;
        let visitor = server.visitor();
        visitor.get("/login").await;
        bench.gates.open("loaded", 1);
        held.hold("before replace");
        let mut request = visitor.begin("/slow").await;
        bench.gates.arrived("before replace", 1).await;
        held.release("before replace");
        Fault::Stopped.begin(&bench).await;
        bench.gates.open("before replace", 1);
        request.leave(DROPS_HANDLERS).await;
        Fault::Stopped.end(&bench).await;
        manager.drain().await;
        let read = recovered(&visitor, "/read").await.body;
        assert!(["1 [1] ada", "2 [1, 2] bob"].contains(&&*read), "{read}");
        assert_eq!(visitor.get("/add").await.status, 200);
    }

    async fn a_session_that_cannot_be_read_is_none() {
        for damage in DAMAGES {
            let bench = Bench::redis();
            let (server, visitor) = shop_with_visitor(&bench).await;
            let (key, token) = (key(&bench), visitor.token());
            damage.begin(&key, &bench);
            assert_eq!(visitor.get("/read").await.body, "0 [] ", "{damage:?}");
            assert_eq!(visitor.get("/allowed").await.status, 401, "{damage:?}");
            assert_eq!(bench.gates.noted("let in"), 0, "a handler ran, whatever was answered");
            assert_eq!(redis(&bench, &["EXISTS", &key]), "1", "{damage:?}: looking ends nothing");
            assert_eq!(visitor.token(), token);
            // A login begins a session of its own, beside what is damaged.
            let again = visitor.fork();
            assert_eq!(again.get("/login").await.status, 200, "{damage:?}");
            assert_eq!((again.get("/read").await.body.as_str(), bench.sessions()), ("1 [1] ada", 2), "{damage:?}");
            // A good cookie is not hidden by the other.
            let both = [&visitor, &again].map(|visitor| format!("{COOKIE}={}", visitor.token().expect("a cookie")));
            let read = server.visitor().get_with_cookies("/read", &[both.join("; ").as_bytes()]).await;
            assert_eq!(read.body, "1 [1] ada", "{damage:?}");
            // A logout removes the record and the cookie.
            let answer = visitor.get("/logout").await;
            assert_eq!((answer.status, visitor.token()), (200, None), "{damage:?}");
            assert_eq!((redis(&bench, &["EXISTS", &key]), bench.sessions()), ("0".into(), 1), "{damage:?}");
        }
    }

    async fn a_session_of_a_later_release_is_left_alone() {
        let bench = Bench::redis();
        let (server, visitor) = shop_with_visitor(&bench).await;
        let (key, token) = (key(&bench), visitor.token());
        let mut bytes = stored(&key, &bench);
        bytes[0] = 2;
        store(&key, &bytes, &bench);
        for path in ["/read", "/add", "/own", "/allowed", "/login"] {
            assert_unavailable(&visitor.get(path).await, path);
            assert_eq!(stored(&key, &bench), bytes, "{path}: it is never wiped");
        }
        assert_eq!((visitor.token(), bench.sessions()), (token, 1));
        assert_eq!(server.visitor().get("/login").await.status, 200, "it is this session's trouble alone");
        assert_eq!(visitor.get("/logout").await.status, 200, "but a logout ends it");
        assert_eq!((visitor.token(), bench.sessions()), (None, 1));
    }

    async fn a_session_that_is_damaged_before_the_commit_is_left_alone() {
        for damage in DAMAGES {
            for path in ["/slow", "/slow-login"] {
                let bench = Bench::redis();
                let (_server, visitor) = shop_with_visitor(&bench).await;
                let (key, token) = (key(&bench), visitor.token());
                let happens = || damage.begin(&key, &bench);
                let answer = before_the_commit(path, &visitor, &bench, happens).await;
                if damage.keeps_revision() {
                    // Nobody looks at what is replaced, so the damage is gone.
                    assert_eq!((answer.status, bench.sessions()), (200, 1), "{damage:?} {path}");
                    assert_eq!(visitor.get("/allowed").await.body, "let in", "{damage:?} {path}");
                } else if path == "/slow" {
                    assert_broken(&answer, path);
                    assert_eq!((visitor.token(), bench.sessions()), (token, 1), "{damage:?}");
                } else {
                    // Valid credentials never fail: it begins a session of its own.
                    assert_eq!((answer.status, bench.sessions()), (200, 2), "{damage:?}");
                }
                assert_eq!(redis(&bench, &["EXISTS", &key]), "1", "{damage:?} {path}");
            }
        }
    }

    async fn a_field_of_the_wrong_type_is_an_error() {
        let bench = Bench::redis();
        let (_server, visitor) = shop_with_visitor(&bench).await;
        let (key, token) = (key(&bench), visitor.token());
        set_views(b'x', &key, &bench);
        let damaged = stored(&key, &bench);
        for path in ["/read", "/add", "/own", "/allowed", "/login"] {
            assert_broken(&visitor.get(path).await, path);
            assert_eq!(stored(&key, &bench), damaged, "{path}");
        }
        assert_eq!(visitor.token(), token);
        assert_eq!(bench.gates.noted("let in"), 0, "a handler ran, whatever was answered");
        set_views(b'1', &key, &bench);
        assert_eq!(visitor.get("/read").await.body, "1 [1] ada", "nothing was lost");
        // What does not look at the field can do without it.
        set_views(b'x', &key, &bench);
        assert_eq!(visitor.get("/logout").await.status, 200);
        assert_eq!(bench.sessions(), 0);
    }

    async fn a_field_that_goes_wrong_before_the_commit_stops_all_of_it() {
        let bench = Bench::redis();
        let (_server, visitor) = shop_with_visitor(&bench).await;
        let key = key(&bench);
        // Another release writes it, so that the record is a newer one.
        let happens = || {
            let mut bytes = stored(&key, &bench);
            bytes[8] ^= 1;
            store(&key, &bytes, &bench);
            set_views(b'x', &key, &bench);
        };
        assert_broken(&before_the_commit("/slow", &visitor, &bench, happens).await, "/slow");
        set_views(b'1', &key, &bench);
        assert_eq!(visitor.get("/read").await.body, "1 [1] ada", "all or nothing");
    }
}

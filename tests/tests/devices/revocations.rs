//! [P9] A revocation at each store call of a login, whatever session the login came with; and beside a second login or a
//! logout with the same cookie.

use sessionkit::store::{Entry, EntryKey, EntryKind, Store as _};
use sessionkit_tests::behaviour_everywhere;
use sessionkit_tests::harness::{Answer, Bench, Gates, HeldStore, Server, TestStore, Visitor};
use tokio::task::JoinHandle;

/// The store calls of a login, by the path that made its session, and whether its user has a list already.
const LOGINS: [(&str, bool, &[&str]); 7] = [
    ("/user", false, &["load of a list", "insert of a list", "insert", "replace of a list"]),
    ("/user", true, &["load of a list", "insert", "replace of a list"]),
    ("/visit", false, &["load", "load of a list", "insert of a list", "replace of a list", "replace"]),
    ("/visit", true, &["load", "load of a list", "replace of a list", "replace"]),
    ("/ada", true, &["load", "load of a list", "replace of a list", "replace"]),
    (
        "/bob",
        false,
        &[
            "load",
            "load of a list",
            "insert of a list",
            "replace of a list",
            "replace",
            "load of a list",
            "replace of a list",
        ],
    ),
    ("/bob", true, &["load", "load of a list", "replace of a list", "replace", "load of a list", "replace of a list"]),
];

/// The progress of a login at the moment when its user's sessions are ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Progress {
    /// It has not looked at the list yet: it counts as one that is made afterwards.
    NotBegun,
    /// It has seen that there is no list.
    Unlisted,
    UnderWay,
    /// It is stored, and in the list.
    Listed,
}

/// Returns the progress of a login before its call of this number, or after it.
fn progress(calls: &[&str], number: usize, is_after: bool) -> Progress {
    let look = calls.iter().position(|call| *call == "load of a list").expect("a login looks at the list");
    let listing = calls.iter().position(|call| *call == "replace of a list").expect("a login is listed");
    let storing = calls.iter().position(|call| matches!(*call, "insert" | "replace")).expect("a login is stored");
    let begun = calls.iter().position(|call| *call == "insert of a list").unwrap_or(look);
    match number + usize::from(is_after) {
        made if made > listing.max(storing) => Progress::Listed,
        made if made > begun => Progress::UnderWay,
        made if made > look => Progress::Unlisted,
        _ => Progress::NotBegun,
    }
}

/// A request that is held at a call of the store, unless it ended without one.
struct Held<S> {
    store: HeldStore<S>,
    gates: Gates,
    gate: String,
    request: JoinHandle<Answer>,
    answer: Option<Answer>,
}

impl<S: sessionkit::Store> Held<S> {
    /// Sends a request, and lets it go until this call was made so many times before.
    async fn send(
        visitor: &Visitor,
        path: &str,
        (store, gates): (HeldStore<S>, Gates),
        (gate, before): (String, usize),
    ) -> Self {
        store.hold(&gate);
        let request = visitor.get_in_background(path);
        let mut held = Self { store, gates, gate, request, answer: None };
        for _ in 0..before {
            held.arrive().await;
            held.gates.open(&held.gate, 1);
        }
        held.arrive().await;
        held.store.release(&held.gate);
        held
    }

    async fn arrive(&mut self) {
        if self.answer.is_none() {
            tokio::select! {
                () = self.gates.arrived(&self.gate, 1) => {}
                answer = &mut self.request => self.answer = Some(answer.expect("the request ends")),
            }
        }
    }

    fn is_held(&self) -> bool {
        self.answer.is_none()
    }

    /// Lets the request go on to its end.
    async fn finish(&mut self) -> &Answer {
        if self.answer.is_none() {
            self.gates.open(&self.gate, 1);
            self.answer = Some((&mut self.request).await.expect("the request ends"));
        }
        self.answer.as_ref().expect("it has just ended")
    }
}

/// Removes the lists of the users, so that the next story begins without.
async fn remove_lists(bench: &Bench) {
    for user in ["ada", "bob"] {
        let key = EntryKey::session_list("Main", user);
        bench.store.inner().remove(&key, Default::default()).await.expect("the store answers");
    }
}

async fn sessions_of_ada(bench: &Bench) -> usize {
    let user = |(_, entry): &(_, Entry)| entry.summary().expect("it is whole").user_id;
    let (mut count, mut after) = (0, None);
    loop {
        let page =
            bench.store.inner().scan(EntryKind::Session, after.as_ref(), 10_000).await.expect("the store answers");
        count += page.entries.iter().filter(|session| user(session).as_deref() == Some("ada")).count();
        after = page.next;
        if after.is_none() {
            return count;
        }
    }
}

/// The gates at which a test holds a login; `LOGOUT` has those of a logout.
const LOGIN: [&str; 5] =
    ["before load", "after load", "after load of a list", "after replace", "after replace of a list"];
const LOGOUT: [&str; 4] = ["before load", "after load", "after remove", "after load of a list"];

/// The orders in which the first request (0), the second (1) and the revocation (2) go on.
const ORDERS: [[usize; 3]; 6] = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];

behaviour_everywhere! {
    tests: [
        a_revocation_at_any_call_of_a_login_ends_it,
        two_logins_on_one_cookie_do_not_outlive_a_revocation,
        a_login_beside_a_logout_does_not_outlive_a_revocation,
    ];

    type Answered = Result<Reply, SessionRejection>;

    async fn ada(auth: Auth) -> Answered {
        auth.login("ada").await?;
        Ok(Reply::ok("ada"))
    }

    async fn bob(auth: Auth) -> Answered {
        auth.login("bob").await?;
        Ok(Reply::ok("bob"))
    }

    async fn visit(auth: Auth) -> Answered {
        auth.dynamic().await?.insert("visited", &true)?;
        Ok(Reply::ok("visited"))
    }

    async fn logout(auth: Auth) -> Answered {
        auth.logout().await?;
        Ok(Reply::ok("bye"))
    }

    async fn user(auth: Auth) -> Answered {
        Ok(Reply::ok(auth.user_id().await?.as_deref().unwrap_or("nobody")))
    }

    async fn start(bench: &Bench, store: impl sessionkit::Store) -> Server {
        let routes = routes!["/ada" => ada, "/bob" => bob, "/visit" => visit, "/logout" => logout, "/user" => user];
        serve_with(bench, bench.manager_over(store), routes).await
    }

    async fn revoke(bench: &Bench) {
        bench.manager().devices_of("ada").end_all().await.expect("the store answers");
    }

    async fn a_revocation_at_any_call_of_a_login_ends_it(bench: Bench) {
        let bench = bench.with_config(|config| config.track_devices(true));
        for (begins, is_listed, calls) in LOGINS {
            for (number, is_after) in (0..calls.len()).flat_map(|number| [(number, false), (number, true)]) {
                let gates = Gates::default();
                let store = HeldStore::new(bench.store.clone(), &gates);
                let server = start(&bench, store.clone()).await;
                let visitor = server.visitor();
                visitor.get(begins).await;
                if is_listed {
                    server.visitor().get("/ada").await;
                }
                let gate = format!("{} {}", if is_after { "after" } else { "before" }, calls[number]);
                let story = format!("{begins} {is_listed} {number} {gate}");
                bench.store.take();
                let before = calls[..number].iter().filter(|call| **call == calls[number]).count();
                let mut login = Held::send(&visitor, "/ada", (store, gates), (gate, before)).await;
                assert!(login.is_held(), "{story}");
                let made = bench.store.take().total();
                assert_eq!(made, number + usize::from(is_after), "the calls are these: {story}");
                revoke(&bench).await;
                let answer = login.finish().await;
                let (status, user) = match progress(calls, number, is_after) {
                    Progress::NotBegun => (200, "ada"),
                    // It has not touched the session that it came with.
                    Progress::Unlisted | Progress::UnderWay => (409, if begins == "/bob" { "bob" } else { "nobody" }),
                    Progress::Listed => (200, "nobody"),
                };
                assert_eq!((answer.status, answer.cookies().len()), (status, usize::from(status == 200)), "{story}");
                assert_eq!(visitor.get("/user").await.body, user, "[P9] {story}");
                // A session that a login has listed and then found gone is forgotten when somebody looks.
                let listed = bench.manager().devices_of("ada").list().await.expect("the store answers");
                let left = (sessions_of_ada(&bench).await, listed.len());
                assert_eq!(left, (usize::from(user == "ada"), usize::from(user == "ada")), "[P9] {story}");
                revoke(&bench).await;
                assert_eq!(sessions_of_ada(&bench).await, 0, "[P9] what is alive is in the list: {story}");
                remove_lists(&bench).await;
            }
        }
    }

    /// A login and another request with one cookie, each held at a call of the store, and a revocation, in all orders. The
    /// engine is the same above every store, so all of them are tried on the fast ones, and one in seven on the others:
    /// which comes to each order and to each place.
    async fn race(bench: &Bench, begins: &str, (path, gates): (&str, &[&str])) {
        let bench = bench.clone().with_config(|config| config.track_devices(true));
        let held = || {
            let gates = Gates::default();
            (HeldStore::new(bench.store.clone(), &gates), gates)
        };
        let stores = [held(), held()];
        let servers = [start(&bench, stores[0].0.clone()).await, start(&bench, stores[1].0.clone()).await];
        let places = LOGIN.iter().flat_map(|first| gates.iter().map(move |second| (*first, *second)));
        let step = if matches!(bench.store.inner(), TestStore::Memory(_) | TestStore::Redis(_)) { 1 } else { 7 };
        for ((first, second), order) in places.flat_map(|places| ORDERS.map(|order| (places, order))).step_by(step) {
            let story = format!("{begins}: a login {first}, {path} {second}, {order:?}");
            let visitor = servers[0].visitor();
            visitor.get(begins).await;
            let visitors = [visitor.fork(), visitor.fork().at(&servers[1])];
            let gate = |gate: &str| (gate.to_owned(), 0);
            let mut requests = [
                Held::send(&visitors[0], "/ada", stores[0].clone(), gate(first)).await,
                Held::send(&visitors[1], path, stores[1].clone(), gate(second)).await,
            ];
            let mut must_be_over = [false; 2];
            for step in order {
                if step == 2 {
                    for (request, is_over) in requests.iter().zip(&mut must_be_over) {
                        *is_over = !(request.is_held() && ["before load", "after load"].contains(&&*request.gate));
                    }
                    revoke(&bench).await;
                } else {
                    requests[step].finish().await;
                }
            }
            let mut alive = 0;
            for ((request, visitor), must_be_over) in requests.iter_mut().zip(&visitors).zip(must_be_over) {
                let status = request.finish().await.status;
                let is_alive = visitor.get("/user").await.body == "ada";
                assert!(!(must_be_over && is_alive), "[P9] {story}");
                assert!(status == 200 || (status == 409 && must_be_over), "valid credentials never fail: {status} {story}");
                assert!(status == 200 || !is_alive, "{story}");
                alive += usize::from(is_alive);
            }
            assert!(path != "/logout" || visitor.get("/user").await.body == "nobody", "[P1] {story}");
            assert!(bench.manager().devices_of("ada").list().await.expect("the store answers").len() <= alive, "{story}");
            revoke(&bench).await;
            assert_eq!(sessions_of_ada(&bench).await, 0, "[P9] what is alive is in the list: {story}");
            remove_lists(&bench).await;
        }
    }

    async fn two_logins_on_one_cookie_do_not_outlive_a_revocation(bench: Bench) {
        for begins in ["/visit", "/ada", "/bob"] {
            race(&bench, begins, ("/ada", &LOGIN)).await;
        }
    }

    async fn a_login_beside_a_logout_does_not_outlive_a_revocation(bench: Bench) {
        for begins in ["/ada", "/bob"] {
            race(&bench, begins, ("/logout", &LOGOUT)).await;
        }
    }
}

//! Three nodes whose clocks differ by half a minute to either side, under traffic that checks every answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sessionkit::store::{
    Entry, EntryKey, Generation, InsertOutcome, RemoveOutcome, ReplaceOutcome, Revision, Store, StoreError,
};
use sessionkit::testing::ManualClock;
use sessionkit::{Clock as _, SessionData};
use sessionkit_tests::behaviour;
use sessionkit_tests::harness::{Bench, Server, TestStore, Visitor};

#[derive(SessionData)]
struct Cart {
    #[session(merge = add)]
    views: u64,
}

const SKEW: Duration = Duration::from_secs(30);
/// The difference between the clock that is ahead and the one that is behind.
const WIDEST: Duration = Duration::from_secs(60);
const TTL: Duration = Duration::from_secs(600);

/// A store whose times for reclaiming are over earlier: its node's clock is behind, or that of the node that sweeps is
/// ahead. No test can set the clocks of the system.
#[derive(Clone)]
struct EarlySwept {
    store: TestStore,
    by: Duration,
}

impl EarlySwept {
    fn entry(&self, entry: &Entry) -> Entry {
        Entry::new(entry.shared_bytes().clone(), entry.reclaim_in().saturating_sub(self.by))
    }
}

impl Store for EarlySwept {
    async fn load(&self, key: &EntryKey) -> Result<Option<Entry>, StoreError> {
        self.store.load(key).await
    }

    async fn insert(&self, key: &EntryKey, entry: &Entry) -> Result<InsertOutcome, StoreError> {
        self.store.insert(key, &self.entry(entry)).await
    }

    async fn replace(&self, key: &EntryKey, held: Revision, entry: &Entry) -> Result<ReplaceOutcome, StoreError> {
        self.store.replace(key, held, &self.entry(entry)).await
    }

    async fn remove(&self, key: &EntryKey, held: Generation) -> Result<RemoveOutcome, StoreError> {
        self.store.remove(key, held).await
    }

    async fn load_many(&self, keys: &[EntryKey]) -> Result<Vec<Option<Entry>>, StoreError> {
        self.store.load_many(keys).await
    }
}

/// The clocks of three nodes: in step, ahead, and behind.
struct Clocks([ManualClock; 3]);

impl Clocks {
    fn around(bench: &Bench) -> Self {
        bench.clock.advance(SKEW);
        let at = |seconds: u64| {
            let clock = ManualClock::new();
            let behind = bench.clock.now().saturating_duration_since(clock.now()) - SKEW;
            clock.advance(behind + Duration::from_secs(seconds));
            clock
        };
        Self([bench.clock.clone(), at(60), at(0)])
    }

    fn advance(&self, by: Duration) {
        self.0.iter().for_each(|clock| clock.advance(by));
    }
}

behaviour! {
    tests: [
        nobody_loses_a_session_while_clocks_differ,
        a_logout_is_final_on_every_node,
        a_session_lasts_as_long_as_it_should_but_for_the_skew,
        a_sweep_by_a_node_that_is_ahead_removes_nothing_that_is_alive,
    ];

    type Answered = Result<Reply, SessionRejection>;

    async fn add(mut cart: Session<Cart>) -> Reply {
        cart.views += 1;
        Reply::ok("added")
    }

    async fn views(cart: SessionView<Cart>) -> Reply {
        Reply::ok(cart.views)
    }

    async fn who(auth: Auth) -> Answered {
        Ok(Reply::ok(auth.user_id().await?.as_deref().unwrap_or("nobody")))
    }

    async fn login(auth: Auth, body: Body) -> Answered {
        auth.login(body).await?;
        Ok(Reply::ok("welcome"))
    }

    async fn logout(auth: Auth) -> Answered {
        auth.logout().await?;
        Ok(Reply::ok("bye"))
    }

    async fn nodes_over(bench: &Bench, store: impl Store + Clone) -> (Clocks, Arc<[Server; 3]>) {
        let clocks = Clocks::around(bench);
        let node = |clock: &ManualClock| bench.builder_over(store.clone()).clock(clock.clone()).build();
        let routes = || routes![
            "/add" => add, "/views" => views, "/who" => who, "/login" => login, "/logout" => logout,
        ];
        let [first, second, third] = &clocks.0;
        let servers = [
            serve_with(bench, node(first), routes()).await,
            serve_with(bench, node(second), routes()).await,
            serve_with(bench, node(third), routes()).await,
        ];
        (clocks, Arc::new(servers))
    }

    async fn nodes(bench: &Bench) -> (Clocks, Arc<[Server; 3]>) {
        nodes_over(bench, bench.store.clone()).await
    }

    fn configured(bench: Bench) -> Bench {
        bench.with_config(|config| config.ttl(TTL).absolute_ttl(Duration::from_secs(86_400)).track_devices(true))
    }

    async fn who_at(visitor: &Visitor, server: &Server) -> String {
        visitor.at(server).get("/who").await.body
    }

    async fn logged_in(nodes: &[Server; 3], number: usize) -> Visitor {
        let visitor = nodes[0].visitor();
        let answer = visitor.at(&nodes[number % 3]).post("/login", &format!("user{number}")).await;
        assert_eq!(answer.status, 200, "[P3] {answer:?}");
        visitor
    }

    /// Every visitor is served by all nodes in turns, several requests at once; sweeps go on all the time.
    async fn nobody_loses_a_session_while_clocks_differ(bench: Bench) {
        const ROUNDS: u64 = 12;
        let bench = configured(bench);
        let (clocks, nodes) = nodes(&bench).await;
        let is_over = Arc::new(AtomicBool::new(false));
        let sweeping = tokio::spawn({
            let (store, is_over) = (bench.store.inner().clone(), is_over.clone());
            async move {
                while !is_over.load(Ordering::SeqCst) {
                    assert_eq!(store.sweep(1000).await.unwrap(), 0, "nothing that is alive is swept");
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            }
        });
        let mut visitors = Vec::new();
        for number in 0..6 {
            visitors.push(logged_in(&nodes, number).await);
        }
        for round in 0..ROUNDS {
            let clicks = visitors.iter().enumerate().map(|(number, visitor)| {
                let (visitor, nodes) = (visitor.clone(), nodes.clone());
                let node = number + round as usize;
                tokio::spawn(async move {
                    // On all three at once.
                    let [first, second, third] = [0, 1, 2].map(|next| visitor.at(&nodes[(node + next) % 3]));
                    let answers =
                        tokio::join!(first.get("/add"), second.get("/add"), third.get("/who"));
                    for answer in [&answers.0, &answers.1] {
                        assert_eq!(answer.status, 200, "{number} in round {round}: {answer:?}");
                    }
                    assert_eq!(answers.2.body, format!("user{number}"), "round {round}");
                    assert_eq!(first.get("/views").await.body, (2 * (round + 1)).to_string(), "[P2] {number}");
                })
            });
            for click in clicks.collect::<Vec<_>>() {
                click.await.expect("every answer is right");
            }
            // Once more they log in, somewhere: it is final at once, everywhere.
            let again = &visitors[round as usize % visitors.len()];
            let user = who_at(again, &nodes[0]).await;
            assert_eq!(again.at(&nodes[round as usize % 3]).post("/login", &user).await.status, 200);
            for node in nodes.iter() {
                assert_eq!(who_at(again, node).await, user, "[P3] round {round}");
            }
            clocks.advance(TTL - WIDEST - Duration::from_secs(10));
        }
        is_over.store(true, Ordering::SeqCst);
        sweeping.await.expect("no sweep removed anything");
    }

    /// Others with the same cookie go on, on the other nodes, while one logs out.
    async fn a_logout_is_final_on_every_node(bench: Bench) {
        let bench = configured(bench);
        let (_clocks, nodes) = nodes(&bench).await;
        for number in 0..6 {
            let visitor = logged_in(&nodes, number).await;
            let copies = [visitor.fork(), visitor.fork()];
            let traffic = copies.clone().into_iter().enumerate().map(|(at, copy)| {
                let copy = copy.at(&nodes[(number + 1 + at) % 3]);
                tokio::spawn(async move {
                    for _ in 0..5 {
                        assert_eq!(copy.get("/add").await.status, 200);
                    }
                })
            });
            let traffic: Vec<_> = traffic.collect();
            assert_eq!(visitor.at(&nodes[number % 3]).get("/logout").await.status, 200);
            for node in nodes.iter() {
                for copy in &copies {
                    assert_eq!(who_at(copy, node).await, "nobody", "[P1] {number}");
                }
            }
            for traffic in traffic {
                traffic.await.expect("every answer is right");
            }
            for node in nodes.iter() {
                assert_eq!(who_at(&copies[0], node).await, "nobody", "[P1] {number}: nothing brings it back");
            }
        }
        assert_eq!(bench.manager().end_everyone().await.unwrap(), 0, "[P1]");
    }

    async fn a_session_lasts_as_long_as_it_should_but_for_the_skew(bench: Bench) {
        let bench = configured(bench);
        let (clocks, nodes) = nodes(&bench).await;
        // One pair for each node that grants and each node that looks: a look is a use.
        let mut pairs = Vec::new();
        for granting in 0..3 {
            for looking in 0..3 {
                let pair = [logged_in(&nodes, granting).await, logged_in(&nodes, granting).await];
                pairs.push((granting, looking, pair));
            }
        }
        let early = TTL - WIDEST - Duration::from_secs(1);
        clocks.advance(early);
        for (granting, looking, [visitor, _]) in &pairs {
            let user = who_at(visitor, &nodes[*looking]).await;
            assert_eq!(user, format!("user{granting}"), "it ends early: granted by {granting}, seen by {looking}");
        }
        clocks.advance(TTL + WIDEST + Duration::from_secs(1) - early);
        for (granting, looking, [_, visitor]) in &pairs {
            let user = who_at(visitor, &nodes[*looking]).await;
            assert_eq!(user, "nobody", "[P4] it goes on: granted by {granting}, seen by {looking}");
        }
    }

    async fn a_sweep_by_a_node_that_is_ahead_removes_nothing_that_is_alive(bench: Bench) {
        let bench = bench.with_config(|config| config.ttl(Duration::from_secs(1)));
        // One node has stored it whose clock is behind, and another sweeps whose clock is ahead.
        let store = EarlySwept { store: bench.store.inner().clone(), by: WIDEST };
        let (_clocks, nodes) = nodes_over(&bench, store).await;
        let mut visitors = Vec::new();
        for number in 0..6 {
            visitors.push(logged_in(&nodes, number).await);
        }
        assert_eq!(bench.store.inner().sweep(1000).await.unwrap(), 0);
        for (number, visitor) in visitors.iter().enumerate() {
            assert_eq!(who_at(visitor, &nodes[number % 3]).await, format!("user{number}"));
        }
        // They would have been swept without the margin, as those are that a clock so far behind has stored.
        let store = EarlySwept { store: bench.store.inner().clone(), by: Duration::from_secs(60 * 60) };
        let far = serve_with(&bench, bench.manager_over(store), routes!["/login" => login]).await;
        for _ in &visitors {
            assert_eq!(far.visitor().post("/login", "far").await.status, 200);
        }
        let gone = tokio::time::timeout(Duration::from_secs(60), async {
            while bench.sessions() > visitors.len() {
                bench.store.inner().sweep(1000).await.unwrap();
                if let TestStore::Sqlite(_) | TestStore::Postgres(_) | TestStore::MySql(_) = bench.store.inner() {
                    // It is rounded up to the next hour, which nobody can wait for.
                    bench.table().sql("UPDATE {table} SET reclaim_at = reclaim_at - 3600 WHERE user_id = 'far'");
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
        gone.await.unwrap_or_else(|_| panic!("{} are never swept", bench.sessions() - visitors.len()));
    }
}

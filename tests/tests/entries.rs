//! Maps and sets that are stored entry by entry.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::time::Duration;

use sessionkit::{MainScope, SessionData};
use sessionkit_tests::behaviour;
use sessionkit_tests::harness::{Answer, Bench, Log, Server, Visitor};

#[derive(SessionData)]
#[session(name = "cart")]
struct Cart {
    #[session(entries)]
    items: BTreeMap<String, u32>,
    #[session(entries)]
    tags: HashSet<u64>,
    #[session(entries)]
    sizes: HashMap<(u8, u8), Size>,
    #[session(entries, ttl = "10m", sensitive)]
    codes: BTreeMap<String, u32>,
    #[session(entries, carry)]
    pinned: BTreeSet<String>,
    name: String,
}

#[derive(serde::Deserialize, serde::Serialize)]
struct Size {
    width: u32,
}

/// The struct as the release before declares it: every collection in one piece.
#[derive(SessionData)]
#[session(name = "cart")]
struct Whole {
    items: BTreeMap<String, u32>,
    tags: HashSet<u64>,
    #[session(ttl = "10m")]
    codes: BTreeMap<String, u32>,
    #[session(carry)]
    pinned: BTreeSet<String>,
}

/// The struct as the release after it declares it.
#[derive(SessionData)]
#[session(name = "cart", on_error = default)]
struct Renamed {
    #[session(entries, rename = "goods", alias = "items")]
    items: BTreeMap<String, u32>,
    /// The type of the entries has changed.
    #[session(entries)]
    sizes: HashMap<(u8, u8), u32>,
    #[session(entries, rename = "codes")]
    codes: BTreeMap<String, String>,
}

/// The operations of the tests on the struct of any release.
trait Shop: SessionData<Scope = MainScope> + Send + Sync {
    fn change(&mut self, what: &str);
    fn show(&self) -> String;
}

impl Shop for Cart {
    fn change(&mut self, what: &str) {
        let (what, argument) = what.split_once(' ').unwrap_or((what, ""));
        let (key, number) = argument.split_once('=').unwrap_or((argument, "1"));
        let number: u32 = number.parse().expect("the test sends a number");
        match what {
            "put" => drop(self.items.insert(key.into(), number)),
            "drop" => drop(self.items.remove(key)),
            "tag" => drop(self.tags.insert(key.parse().expect("the test sends a number"))),
            "untag" => drop(self.tags.remove(&key.parse().expect("the test sends a number"))),
            "size" => drop(self.sizes.insert((1, 2), Size { width: number })),
            "code" => drop(self.codes.insert(key.into(), number)),
            "pin" => drop(self.pinned.insert(key.into())),
            "fill" => self.tags.extend(0..100),
            "rebuild" => {
                self.tags = self.tags.iter().rev_by_number().collect();
                self.items = std::mem::take(&mut self.items).into_iter().rev().collect();
            }
            "name" => self.name = key.into(),
            _ => panic!("{what} is nothing that a test does"),
        }
    }

    fn show(&self) -> String {
        let tags: BTreeSet<_> = self.tags.iter().collect();
        let sizes: Vec<_> = self.sizes.iter().map(|(key, size)| (key, size.width)).collect();
        format!("{:?} {tags:?} {sizes:?} {:?} {:?} {}", self.items, self.codes, self.pinned, self.name)
    }
}

impl Shop for Whole {
    fn change(&mut self, what: &str) {
        let (what, key) = what.split_once(' ').unwrap_or((what, ""));
        match what {
            "put" => drop(self.items.insert(key.into(), 7)),
            "drop" => drop(self.items.remove(key)),
            "fill" => {
                self.items = [("milk".to_owned(), 1), ("tea".to_owned(), 2)].into();
                (self.tags, self.codes) = ([5].into(), [("a".to_owned(), 1)].into());
                self.pinned = ["p".to_owned()].into();
            }
            _ => panic!("{what} is nothing that a test does"),
        }
    }

    fn show(&self) -> String {
        format!("{:?} {:?} {:?} {:?}", self.items, self.tags, self.codes, self.pinned)
    }
}

impl Shop for Renamed {
    fn change(&mut self, what: &str) {
        let (what, key) = what.split_once(' ').unwrap_or((what, ""));
        match what {
            "put" => drop(self.items.insert(key.into(), 8)),
            "drop" => drop(self.items.remove(key)),
            "size" => drop(self.sizes.insert((3, 4), 5)),
            _ => panic!("{what} is nothing that a test does"),
        }
    }

    fn show(&self) -> String {
        format!("{:?} {:?} {:?}", self.items, self.sizes, self.codes)
    }
}

/// The same numbers in another order.
trait RevByNumber {
    fn rev_by_number(self) -> impl Iterator<Item = u64>;
}

impl<'a, I: Iterator<Item = &'a u64>> RevByNumber for I {
    fn rev_by_number(self) -> impl Iterator<Item = u64> {
        let numbers: BTreeSet<u64> = self.copied().collect();
        numbers.into_iter().rev()
    }
}

async fn post(visitor: &Visitor, path: &str, body: &str) -> Answer {
    let answer = visitor.post(path, body).await;
    assert_eq!(answer.status, 200, "{path} {body}: {answer:?}");
    answer
}

/// Returns the bytes that the store holds, as far as they are text.
fn text(bench: &Bench) -> String {
    String::from_utf8_lossy(&bench.dump_bytes()).into_owned()
}

async fn read(visitor: &Visitor) -> String {
    post(visitor, "/read", "").await.body
}

/// A slow request of the one visitor does `mine`, and a fast one of the other `theirs` meanwhile.
async fn meet(bench: &Bench, (slow, mine): (&Visitor, &str), (fast, theirs): (&Visitor, &str)) {
    let waiting = {
        let (slow, mine) = (slow.clone(), mine.to_owned());
        tokio::spawn(async move { post(&slow, "/slowly", &mine).await })
    };
    bench.gates.arrived("slowly", 1).await;
    post(fast, "/now", theirs).await;
    bench.gates.open("slowly", 1);
    waiting.await.expect("it is answered");
}

behaviour! {
    tests: [
        requests_that_change_different_entries_both_win,
        the_last_write_of_an_entry_wins,
        each_entry_is_readable_in_the_store,
        the_order_of_a_collection_makes_no_difference,
        an_entry_ends_when_its_own_time_is_up,
        entries_are_carried_over_a_change_of_user_or_not,
        entries_count_against_the_size_limit,
        what_is_stored_in_one_piece_is_taken_apart_by_the_first_write,
        what_a_release_stores_in_one_piece_meanwhile_is_not_lost,
        entries_are_found_under_an_alias,
        an_entry_that_does_not_fit_is_left_out_and_stays,
        the_keys_of_sensitive_entries_are_not_printed,
    ];

    async fn now<D: Shop>(mut shop: Session<D>, body: Body) -> Reply {
        body.split(", ").for_each(|what| shop.change(what));
        Reply::ok("")
    }

    async fn slowly<D: Shop>(mut shop: Session<D>, shared: Shared, body: Body) -> Reply {
        body.split(", ").for_each(|what| shop.change(what));
        shared.0.pass("slowly").await;
        Reply::ok("")
    }

    async fn show<D: Shop>(shop: SessionView<D>) -> Reply {
        Reply::ok(shop.show())
    }

    async fn login(auth: Auth, body: Body) -> Result<Reply, SessionRejection> {
        auth.login(&body).await?;
        Ok(Reply::ok(""))
    }

    async fn start<D: Shop>(bench: &Bench) -> Server {
        let routes = routes!["/now" => now::<D>, "/slowly" => slowly::<D>, "/read" => show::<D>, "/login" => login];
        serve(bench, routes).await
    }

    async fn requests_that_change_different_entries_both_win(bench: Bench) {
        let server = start::<Cart>(&bench).await;
        for (before, mine, theirs, expected) in [
            ("put old", "put mine", "put theirs", "{\"mine\": 1, \"old\": 1, \"theirs\": 1} {} "),
            ("put a, put b", "drop a", "drop b", "{} {} "),
            ("put a, put b", "drop a, put c", "put b=2", "{\"b\": 2, \"c\": 1} {} "),
            ("tag 1", "tag 2", "untag 1, tag 3", "{} {2, 3} "),
        ] {
            let visitor = server.visitor();
            post(&visitor, "/now", before).await;
            bench.store.take();
            meet(&bench, (&visitor, mine), (&visitor, theirs)).await;
            assert_eq!(bench.store.take().replace, 3, "the later one is tried again, on the record of the other");
            let read = read(&visitor).await;
            assert!(read.starts_with(expected), "{read}");
        }
    }

    async fn the_last_write_of_an_entry_wins(bench: Bench) {
        let server = start::<Cart>(&bench).await;
        for (mine, theirs, expected) in [
            ("put a=2", "put a=3", "{\"a\": 2} "),
            ("put a=2", "drop a", "{\"a\": 2} "),
            ("drop a", "put a=3", "{} "),
            // To write what was there is no write.
            ("put a=1", "put a=3", "{\"a\": 3} "),
        ] {
            let visitor = server.visitor();
            post(&visitor, "/now", "put a").await;
            meet(&bench, (&visitor, mine), (&visitor, theirs)).await;
            let read = read(&visitor).await;
            assert!(read.starts_with(expected), "{mine}, {theirs}: {read}");
        }
    }

    async fn each_entry_is_readable_in_the_store(bench: Bench) {
        let server = start::<Cart>(&bench).await;
        let visitor = server.visitor();
        post(&visitor, "/now", "put earl grey/7.5 €, tag 8, size =9").await;
        assert_eq!(read(&visitor).await, "{\"earl grey/7.5 €\": 1} {8} [((1, 2), 9)] {} {} ");
        let dump = text(&bench);
        for stored in ["cart.items/\"earl grey/7.5 €\"", "cart.tags/8", "cart.sizes/[1,2]", "{\"width\":9}", "true"] {
            assert!(dump.contains(stored), "{stored}: {dump}");
        }
    }

    async fn the_order_of_a_collection_makes_no_difference(bench: Bench) {
        let server = start::<Cart>(&bench).await;
        let visitor = server.visitor();
        post(&visitor, "/now", "fill, put a, put b").await;
        bench.store.take();
        for _ in 0..5 {
            post(&visitor, "/now", "rebuild").await;
        }
        assert_eq!(bench.store.take().replace, 0);
    }

    async fn an_entry_ends_when_its_own_time_is_up(bench: Bench) {
        let server = start::<Cart>(&bench).await;
        let visitor = server.visitor();
        post(&visitor, "/now", "code a, code b").await;
        bench.clock.advance(Duration::from_secs(599));
        // Neither a new entry nor a change of another one prolongs the first.
        post(&visitor, "/now", "code b=2, code c").await;
        assert_eq!(read(&visitor).await, "{} {} [] {\"a\": 1, \"b\": 2, \"c\": 1} {} ");
        bench.clock.advance(Duration::from_secs(1));
        assert_eq!(read(&visitor).await, "{} {} [] {\"b\": 2, \"c\": 1} {} ");
        bench.clock.advance(Duration::from_secs(599));
        assert_eq!(read(&visitor).await, "{} {} [] {} {} ");
    }

    async fn entries_are_carried_over_a_change_of_user_or_not(bench: Bench) {
        let server = start::<Cart>(&bench).await;
        let visitor = server.visitor();
        post(&visitor, "/login", "ada").await;
        post(&visitor, "/now", "put a, tag 1, pin x, pin y, name n").await;
        post(&visitor, "/login", "bob").await;
        assert_eq!(read(&visitor).await, "{} {} [] {} {\"x\", \"y\"} ");
    }

    async fn entries_count_against_the_size_limit(bench: Bench) {
        let bench = bench.with_config(|config| config.max_record_size(500));
        let server = start::<Cart>(&bench).await;
        let visitor = server.visitor();
        for number in 0..30 {
            let answer = visitor.post("/now", &format!("put {number:02}")).await;
            // `cart.items/"00"` and `1`, and two bytes for flags and length.
            let fits = (number + 1) * (15 + 1 + 2) <= 500;
            assert_eq!(answer.status, if fits { 200 } else { 500 }, "{number}: {answer:?}");
        }
        post(&visitor, "/now", "drop 00, put 99").await;
    }

    async fn what_is_stored_in_one_piece_is_taken_apart_by_the_first_write(bench: Bench) {
        let servers = (start::<Whole>(&bench).await, start::<Cart>(&bench).await);
        let old = servers.0.visitor();
        let new = old.at(&servers.1);
        post(&old, "/now", "fill").await;
        post(&new, "/now", "name n").await;
        assert_eq!(read(&new).await, "{\"milk\": 1, \"tea\": 2} {5} [] {\"a\": 1} {\"p\"} n");
        assert!(!text(&bench).contains("cart.items/"), "nothing is moved before it is changed");
        bench.clock.advance(Duration::from_secs(599));
        post(&new, "/now", "drop tea, put milk=3, put rice, code b, pin q").await;
        assert_eq!(read(&new).await, "{\"milk\": 3, \"rice\": 1} {5} [] {\"a\": 1, \"b\": 1} {\"p\", \"q\"} n");
        let dump = text(&bench);
        assert_eq!(dump.matches("cart.items").count(), dump.matches("cart.items/").count(), "{dump}");
        // What is moved keeps its end and its flags.
        bench.clock.advance(Duration::from_secs(1));
        post(&new, "/login", "ada").await;
        post(&new, "/login", "bob").await;
        assert_eq!(read(&new).await, "{} {} [] {} {\"p\", \"q\"} ");
    }

    async fn what_a_release_stores_in_one_piece_meanwhile_is_not_lost(bench: Bench) {
        let servers = (start::<Whole>(&bench).await, start::<Cart>(&bench).await);
        for before in ["put milk", "fill"] {
            let old = servers.0.visitor();
            let new = old.at(&servers.1);
            post(&old, "/now", before).await;
            meet(&bench, (&new, "put mine"), (&old, "put theirs")).await;
            let read = read(&new).await;
            assert!(read.contains("\"milk\": ") && read.contains("\"mine\": 1, ") && read.contains("\"theirs\": 7"), "{read}");
        }
    }

    async fn entries_are_found_under_an_alias(bench: Bench) {
        let (whole, cart, server) =
            (start::<Whole>(&bench).await, start::<Cart>(&bench).await, start::<Renamed>(&bench).await);
        let visitor = cart.visitor();
        let renamed = visitor.at(&server);
        post(&visitor, "/now", "put a, put b, put c").await;
        post(&renamed, "/now", "put b, drop c").await;
        assert_eq!(read(&renamed).await, "{\"a\": 1, \"b\": 8} {} {}");
        let dump = text(&bench);
        for (key, is_stored) in [("items/\"a\"", true), ("goods/\"b\"", true), ("items/\"b\"", false), ("\"c\"", false)] {
            assert_eq!(dump.contains(key), is_stored, "{key}: {dump}");
        }
        // In one piece under the alias.
        let visitor = whole.visitor();
        let renamed = visitor.at(&server);
        post(&visitor, "/now", "fill").await;
        assert!(read(&renamed).await.starts_with("{\"milk\": 1, \"tea\": 2} "));
        post(&renamed, "/now", "drop tea").await;
        assert!(read(&renamed).await.starts_with("{\"milk\": 1} "));
        assert!(read(&visitor).await.starts_with("{} "));
    }

    async fn an_entry_that_does_not_fit_is_left_out_and_stays(bench: Bench) {
        let servers = (start::<Cart>(&bench).await, start::<Renamed>(&bench).await);
        let cart = servers.0.visitor();
        let renamed = cart.at(&servers.1);
        post(&cart, "/now", "size =9, put a").await;
        assert_eq!(read(&renamed).await, "{\"a\": 1} {} {}");
        post(&renamed, "/now", "size").await;
        assert_eq!(read(&renamed).await, "{\"a\": 1} {(3, 4): 5} {}");
        let answer = cart.post("/read", "").await;
        assert_eq!(answer.status, 500, "the other release cannot read the new entry: {answer:?}");
        assert!(bench.dump().contains("width"));
    }

    async fn the_keys_of_sensitive_entries_are_not_printed(bench: Bench) {
        let log = Log::collect();
        let servers = (start::<Cart>(&bench).await, start::<Renamed>(&bench).await);
        let cart = servers.0.visitor();
        post(&cart, "/now", "code letmein").await;
        // A number is no text there, which is reported.
        assert_eq!(read(&cart.at(&servers.1)).await, "{} {} {}");
        let log = log.text();
        assert!(log.contains("cart.codes") && !log.contains("letmein"), "{log}");
    }
}

//! A field is renamed: first the next release reads the new name too, then the one after it writes the new name.

use std::collections::BTreeSet;
use std::time::Duration;

use sessionkit::SessionData;
use sessionkit_tests::behaviour;
use sessionkit_tests::harness::{Answer, Bench, Server, Visitor};

/// The operations of the tests on the struct of any release.
trait Desk: SessionData<Scope = sessionkit::MainScope> + Send + Sync {
    fn change(&mut self, what: &str);
    fn show(&self) -> String;
}

macro_rules! release {
    ($release:ident {
        mail: [$($mail:tt)*], visits: [$($visits:tt)*], notice: [$($notice:tt)*], tags: [$($tags:tt)*],
        log: [$($log:tt)*], score: [$($score:tt)*], code: [$($code:tt)*],
    }) => {
        #[derive(SessionData)]
        #[session(name = "desk")]
        struct $release {
            #[session($($mail)*)]
            mail: Option<String>,
            #[session($($visits)*, merge = add)]
            visits: i8,
            #[session($($notice)*, flash)]
            notice: Option<String>,
            #[session($($tags)*, merge = union)]
            tags: BTreeSet<String>,
            #[session($($log)*, merge = append)]
            log: Vec<String>,
            #[session($($score)*, merge = highest)]
            score: u32,
            #[session($($code)*, ttl = "10m", carry, sensitive)]
            code: Option<u32>,
        }

        impl Desk for $release {
            fn change(&mut self, what: &str) {
                let (what, argument) = what.split_once(' ').unwrap_or((what, ""));
                let number = || argument.parse::<i8>().expect("the test sends a number");
                match what {
                    "mail" => self.mail = Some(argument.into()),
                    "no-mail" => self.mail = None,
                    "visit" => self.visits = self.visits.saturating_add(number()),
                    "notify" => self.notice = Some(argument.into()),
                    "take" => drop(self.notice.take()),
                    "tag" => drop(self.tags.insert(argument.into())),
                    "untag" => drop(self.tags.remove(argument)),
                    "append" => self.log.push(argument.into()),
                    "score" => self.score = number() as u32,
                    "code" => self.code = Some(number() as u32),
                    _ => panic!("{what} is nothing that a test does"),
                }
            }

            fn show(&self) -> String {
                let Self { mail, visits, notice, tags, log, score, code } = self;
                format!("{mail:?} {visits} {notice:?} {tags:?} {log:?} {score} {code:?}")
            }
        }
    };
}

release!(Zero {
    mail: [rename = "mail"],
    visits: [rename = "visits"],
    notice: [rename = "notice"],
    tags: [rename = "tags"],
    log: [rename = "log"],
    score: [rename = "score"],
    code: [rename = "code"],
});

release!(One {
    mail: [rename = "mail", alias = "address"],
    visits: [rename = "visits", alias = "views"],
    notice: [rename = "notice", alias = "message"],
    tags: [rename = "tags", alias = "labels"],
    log: [rename = "log", alias = "history"],
    score: [rename = "score", alias = "points"],
    code: [rename = "code", alias = "otp"],
});

release!(Two {
    mail: [rename = "address", alias = "e_mail", alias = "mail"],
    visits: [rename = "views", alias = "visits"],
    notice: [rename = "message", alias = "notice"],
    tags: [rename = "labels", alias = "tags"],
    log: [rename = "history", alias = "log"],
    score: [rename = "points", alias = "score"],
    code: [rename = "otp", alias = "code"],
});

fn highest(_: &u32, mine: u32, theirs: u32) -> u32 {
    mine.max(theirs)
}

const EVERYTHING: &str = "mail a@b, visit 1, notify hi, tag x, append y, score 3, code 4";
const NAMES: [(&str, &str); 7] = [
    ("desk.mail", "desk.address"),
    ("desk.visits", "desk.views"),
    ("desk.notice", "desk.message"),
    ("desk.tags", "desk.labels"),
    ("desk.log", "desk.history"),
    ("desk.score", "desk.points"),
    ("desk.code", "desk.otp"),
];

async fn post(visitor: &Visitor, path: &str, body: &str) -> Answer {
    let answer = visitor.post(path, body).await;
    assert_eq!(answer.status, 200, "{path} {body}: {answer:?}");
    answer
}

async fn read(visitor: &Visitor) -> String {
    post(visitor, "/read", "").await.body
}

behaviour! {
    tests: [
        each_release_reads_and_changes_what_the_one_beside_it_wrote,
        a_write_goes_to_the_own_name_and_removes_the_other,
        what_is_not_changed_stays_where_it_is,
        releases_that_change_a_field_at_once_lose_nothing,
        the_own_name_wins_where_both_are_stored,
        a_value_under_an_alias_has_its_flags,
    ];

    async fn now<D: Desk>(mut desk: Session<D>, body: Body) -> Reply {
        body.split(", ").for_each(|what| desk.change(what));
        Reply::ok("")
    }

    async fn slowly<D: Desk>(mut desk: Session<D>, shared: Shared, body: Body) -> Reply {
        body.split(", ").for_each(|what| desk.change(what));
        shared.0.pass("slowly").await;
        Reply::ok("")
    }

    async fn show<D: Desk>(desk: SessionView<D>) -> Reply {
        Reply::ok(desk.show())
    }

    async fn login(auth: Auth, body: Body) -> Result<Reply, SessionRejection> {
        auth.login(&body).await?;
        Ok(Reply::ok(""))
    }

    async fn release<D: Desk>(bench: &Bench) -> Server {
        let routes = routes!["/now" => now::<D>, "/slowly" => slowly::<D>, "/read" => show::<D>, "/login" => login];
        serve(bench, routes).await
    }

    async fn releases(bench: &Bench) -> [Server; 3] {
        [release::<Zero>(bench).await, release::<One>(bench).await, release::<Two>(bench).await]
    }

    /// The releases that may run side by side.
    const PAIRS: [(usize, usize); 4] = [(0, 1), (1, 0), (1, 2), (2, 1)];

    async fn each_release_reads_and_changes_what_the_one_beside_it_wrote(bench: Bench) {
        let servers = releases(&bench).await;
        for (here, there) in PAIRS {
            let visitor = servers[here].visitor();
            let (here, there) = (visitor.clone(), visitor.at(&servers[there]));
            post(&here, "/now", EVERYTHING).await;
            assert_eq!(read(&there).await, "Some(\"a@b\") 1 Some(\"hi\") {\"x\"} [\"y\"] 3 Some(4)");
            post(&there, "/now", "mail c@d, visit 2, take, tag z, append w, score 9, code 5").await;
            let changed = "Some(\"c@d\") 3 None {\"x\", \"z\"} [\"y\", \"w\"] 9 Some(5)";
            assert_eq!((read(&here).await.as_str(), read(&there).await.as_str()), (changed, changed));
            post(&here, "/now", "no-mail, visit -3, untag x").await;
            let changed = "None 0 None {\"z\"} [\"y\", \"w\"] 9 Some(5)";
            assert_eq!((read(&here).await.as_str(), read(&there).await.as_str()), (changed, changed));
        }
    }

    async fn a_write_goes_to_the_own_name_and_removes_the_other(bench: Bench) {
        let servers = releases(&bench).await;
        let visitor = servers[1].visitor();
        post(&visitor, "/now", EVERYTHING).await;
        for (at, again) in [(2, "b"), (1, "c")] {
            let again = format!("mail {again}, visit 1, notify {again}, tag {again}, append {again}, score 1{at}, code {at}");
            post(&visitor.at(&servers[at]), "/now", &again).await;
            let dump = bench.dump();
            for (old, new) in NAMES {
                assert_eq!((dump.contains(old), dump.contains(new)), (at == 1, at == 2), "{old} {new}: {dump}");
            }
        }
        // What is removed is removed under every name.
        post(&visitor.at(&servers[2]), "/now", "no-mail, take").await;
        let dump = bench.dump();
        for name in ["desk.mail", "desk.address", "desk.notice", "desk.message"] {
            assert!(!dump.contains(name), "{name}: {dump}");
        }
    }

    async fn what_is_not_changed_stays_where_it_is(bench: Bench) {
        let servers = releases(&bench).await;
        let visitor = servers[1].visitor();
        post(&visitor, "/now", EVERYTHING).await;
        post(&visitor.at(&servers[2]), "/now", "tag b").await;
        let dump = bench.dump();
        assert!(dump.contains("desk.labels") && !dump.contains("desk.tags"), "{dump}");
        for (old, new) in NAMES.into_iter().filter(|(old, _)| *old != "desk.tags") {
            assert!(dump.contains(old) && !dump.contains(new), "{dump}");
        }
    }

    async fn releases_that_change_a_field_at_once_lose_nothing(bench: Bench) {
        let servers = releases(&bench).await;
        let befores = [(0, "mail old"), (0, "visit 10, tag old, append old, notify old"), (1, "visit 10, tag old, append old, notify old")];
        for (slow, fast) in PAIRS {
            for (first, before) in befores {
                // What was there before was written by either of them.
                let first = if first == 0 { slow } else { fast };
                let visitor = servers[first].visitor();
                post(&visitor, "/now", before).await;
                let (slow, fast) = (visitor.at(&servers[slow]), visitor.at(&servers[fast]));
                let waiting = {
                    let slow = slow.clone();
                    let mine = "visit 1, tag mine, append mine, take, score 5";
                    tokio::spawn(async move { post(&slow, "/slowly", mine).await })
                };
                bench.gates.arrived("slowly", 1).await;
                post(&fast, "/now", "visit 2, tag theirs, append theirs, notify new, score 7").await;
                bench.gates.open("slowly", 1);
                waiting.await.expect("it is answered");
                let expected = match before {
                    "mail old" => "Some(\"old\") 3 Some(\"new\") {\"mine\", \"theirs\"} [\"theirs\", \"mine\"] 7 None",
                    _ => "None 13 Some(\"new\") {\"mine\", \"old\", \"theirs\"} [\"old\", \"theirs\", \"mine\"] 7 None",
                };
                assert_eq!((read(&slow).await.as_str(), read(&fast).await.as_str()), (expected, expected));
            }
        }
    }

    async fn the_own_name_wins_where_both_are_stored(bench: Bench) {
        let servers = releases(&bench).await;
        let two = servers[2].visitor();
        post(&two, "/now", "mail new, visit 1, tag new").await;
        // Two steps at once, which nobody should do: this release does not know the new names.
        post(&two.at(&servers[0]), "/now", "mail old, visit 20, tag old").await;
        assert!(read(&two).await.starts_with("Some(\"new\") 1 None {\"new\"}"));
        post(&two, "/now", "mail newer, visit 1, tag newer").await;
        assert!(read(&two).await.starts_with("Some(\"newer\") 2 None {\"new\", \"newer\"}"));
        let dump = bench.dump();
        assert!(!dump.contains("desk.mail") && !dump.contains("desk.visits") && !dump.contains("desk.tags"), "{dump}");
    }

    async fn a_value_under_an_alias_has_its_flags(bench: Bench) {
        let servers = releases(&bench).await;
        let one = servers[1].visitor();
        let two = one.at(&servers[2]);
        post(&one, "/now", "code 4, mail a").await;
        post(&two, "/login", "ada").await;
        post(&two, "/login", "bob").await;
        assert_eq!(read(&two).await, "None 0 None {} [] 0 Some(4)");
        bench.clock.advance(Duration::from_secs(600));
        assert_eq!(read(&two).await, "None 0 None {} [] 0 None");
    }
}

//! A struct changes in a way that defaults cannot express, and brings along what was stored before.

use std::collections::BTreeSet;

use sessionkit::{FieldError, MainScope, SessionData, StructMigration};
use sessionkit_tests::behaviour;
use sessionkit_tests::harness::{Answer, Bench, Log, Server, Visitor};

/// The first version, which says nothing of versions.
#[derive(SessionData)]
#[session(name = "profile")]
struct One {
    name: String,
    theme: String,
    #[session(merge = add)]
    visits: u64,
    #[session(merge = append)]
    tags: Vec<String>,
    #[session(carry)]
    language: String,
}

/// The name has become two, and the tags a set under another name.
#[derive(SessionData)]
#[session(name = "profile", version = 2, migrate = Two::migrate)]
struct Two {
    first: String,
    last: String,
    theme: String,
    #[session(merge = add)]
    visits: u64,
    #[session(merge = union)]
    labels: BTreeSet<String>,
    #[session(carry, rename = "language_code")]
    language: String,
    /// `true` if the theme is the dark one; the migration derives it from the theme, which stays as it is.
    is_night: bool,
}

impl Two {
    fn migrate(from: u32, stored: &mut StructMigration<'_, Self>) -> Result<(), FieldError> {
        assert_eq!(from, 1);
        let name = stored.get::<String>("name")?.unwrap_or_else(|| "no name".into());
        let (first, last) = name.split_once(' ').unwrap_or((&name, ""));
        stored.insert("first", first)?;
        stored.insert("last", last)?;
        stored.remove("name");
        if let Some(tags) = stored.get::<Vec<String>>("tags")? {
            stored.insert("labels", &tags)?;
            stored.remove("tags");
        }
        if let Some(language) = stored.get::<String>("language")? {
            stored.insert("language_code", &language)?;
            stored.remove("language");
        }
        let theme = stored.get::<String>("theme")?;
        stored.insert("is_night", &(theme.as_deref() == Some("dark")))
    }
}

/// Visits are counted in tens, and stored values that do not fit are forgiven.
#[derive(SessionData)]
#[session(name = "profile", version = 3, migrate = tens, on_error = default)]
struct Three {
    first: String,
    theme: String,
    #[session(merge = add)]
    visits: u64,
}

fn tens(from: u32, stored: &mut StructMigration<'_, Three>) -> Result<(), FieldError> {
    if from < 2 {
        let name = stored.get::<String>("name")?.unwrap_or_default();
        stored.insert("first", name.split(' ').next().unwrap_or_default())?;
        // Not what it ever was.
        assert_eq!(stored.get::<u64>("name")?, None);
    }
    let visits = stored.get::<u64>("visits")?.unwrap_or(0);
    stored.insert("visits", &(visits * 10))
}

/// It looks for what was never there.
#[derive(SessionData)]
#[session(name = "profile", version = 2, migrate = wrong)]
struct Wrong {
    theme: String,
}

fn wrong(_: u32, stored: &mut StructMigration<'_, Wrong>) -> Result<(), FieldError> {
    stored.get::<u64>("name").map(drop)
}

/// The operations of the tests on the struct of any release.
trait Profile: SessionData<Scope = MainScope> + Send + Sync {
    fn change(&mut self, what: &str);
    fn show(&self) -> String;
}

impl Profile for One {
    fn change(&mut self, what: &str) {
        match what.split_once(' ').unwrap_or((what, "")) {
            ("name", name) => self.name = name.into(),
            ("theme", theme) => self.theme = theme.into(),
            ("visit", _) => self.visits += 1,
            ("tag", tag) => self.tags.push(tag.into()),
            ("speak", language) => self.language = language.into(),
            _ => panic!("{what} is nothing that a test does"),
        }
    }

    fn show(&self) -> String {
        let Self { name, theme, visits, tags, language } = self;
        format!("{name}, {theme}, {visits} {tags:?} {language}")
    }
}

impl Profile for Two {
    fn change(&mut self, what: &str) {
        match what.split_once(' ').unwrap_or((what, "")) {
            ("first", name) => self.first = name.into(),
            ("theme", theme) => self.theme = theme.into(),
            ("visit", _) => self.visits += 1,
            ("tag", tag) => drop(self.labels.insert(tag.into())),
            ("speak", language) => self.language = language.into(),
            _ => panic!("{what} is nothing that a test does"),
        }
    }

    fn show(&self) -> String {
        let Self { first, last, theme, visits, labels, language, is_night } = self;
        let night = if *is_night { " night" } else { "" };
        format!("{first}|{last}, {theme}{night}, {visits} {labels:?} {language}")
    }
}

impl Profile for Three {
    fn change(&mut self, what: &str) {
        match what.split_once(' ').unwrap_or((what, "")) {
            ("theme", theme) => self.theme = theme.into(),
            ("visit", _) => self.visits += 1,
            _ => panic!("{what} is nothing that a test does"),
        }
    }

    fn show(&self) -> String {
        format!("{}, {}, {}", self.first, self.theme, self.visits)
    }
}

impl Profile for Wrong {
    fn change(&mut self, what: &str) {
        self.theme = what.into();
    }

    fn show(&self) -> String {
        self.theme.clone()
    }
}

const FILL: &str = "name Ada King, theme dark, visit, visit, tag a, tag b, speak en";

async fn post(visitor: &Visitor, path: &str, body: &str) -> Answer {
    let answer = visitor.post(path, body).await;
    assert_eq!(answer.status, 200, "{path} {body}: {answer:?}");
    answer
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
        an_older_version_is_migrated_when_it_is_read,
        nothing_is_stored_before_the_struct_is_changed,
        a_change_stores_the_new_version_in_one_commit,
        a_session_that_begins_with_the_new_version_is_not_migrated,
        what_another_request_migrated_and_changed_meanwhile_stays,
        what_the_older_release_changes_meanwhile_is_migrated_too,
        a_newer_version_is_read_as_it_is_and_never_downgraded,
        a_version_may_be_skipped,
        a_change_of_user_keeps_the_version_of_what_is_carried,
        a_value_that_a_migration_does_not_expect_is_an_error_or_forgiven,
    ];

    async fn now<D: Profile>(mut profile: Session<D>, body: Body) -> Reply {
        body.split(", ").for_each(|what| profile.change(what));
        Reply::ok("")
    }

    async fn slowly<D: Profile>(mut profile: Session<D>, shared: Shared, body: Body) -> Reply {
        body.split(", ").for_each(|what| profile.change(what));
        shared.0.pass("slowly").await;
        Reply::ok("")
    }

    async fn show<D: Profile>(profile: SessionView<D>) -> Reply {
        Reply::ok(profile.show())
    }

    async fn login(auth: Auth, body: Body) -> Result<Reply, SessionRejection> {
        auth.login(&body).await?;
        Ok(Reply::ok(""))
    }

    async fn release<D: Profile>(bench: &Bench) -> Server {
        let routes = routes!["/now" => now::<D>, "/slowly" => slowly::<D>, "/read" => show::<D>, "/login" => login];
        serve(bench, routes).await
    }

    /// One browser at three releases; the first has stored something.
    async fn releases(bench: &Bench) -> ([Server; 3], [Visitor; 3]) {
        let servers = [release::<One>(bench).await, release::<Two>(bench).await, release::<Three>(bench).await];
        let visitor = servers[0].visitor();
        post(&visitor, "/now", FILL).await;
        let visitors = servers.each_ref().map(|server| visitor.at(server));
        (servers, visitors)
    }

    async fn an_older_version_is_migrated_when_it_is_read(bench: Bench) {
        let (_servers, [_, two, _]) = releases(&bench).await;
        assert_eq!(read(&two).await, "Ada|King, dark night, 2 {\"a\", \"b\"} en");
    }

    async fn nothing_is_stored_before_the_struct_is_changed(bench: Bench) {
        let (_servers, [one, two, _]) = releases(&bench).await;
        bench.store.take();
        read(&two).await;
        // To write what was read is no change.
        post(&two, "/now", "first Ada, tag a, theme dark").await;
        assert_eq!(bench.store.take().replace, 0);
        assert_eq!(read(&one).await, "Ada King, dark, 2 [\"a\", \"b\"] en");
    }

    async fn a_change_stores_the_new_version_in_one_commit(bench: Bench) {
        let (_servers, [one, two, _]) = releases(&bench).await;
        bench.store.take();
        post(&two, "/now", "theme light").await;
        assert_eq!(bench.store.take().replace, 1);
        assert_eq!(read(&two).await, "Ada|King, light night, 2 {\"a\", \"b\"} en");
        let dump = bench.dump();
        for (key, is_stored) in [("@version", true), ("profile.first", true), ("profile.name", false), ("tags", false)] {
            assert_eq!(dump.contains(key), is_stored, "{key}: {dump}");
        }
        // The older release sees what it knows.
        assert_eq!(read(&one).await, ", light, 2 [] ");
        post(&two, "/now", "visit, first Eve").await;
        assert_eq!(read(&two).await, "Eve|King, light night, 3 {\"a\", \"b\"} en");
    }

    async fn a_session_that_begins_with_the_new_version_is_not_migrated(bench: Bench) {
        let server = release::<Two>(&bench).await;
        let visitor = server.visitor();
        assert_eq!(read(&visitor).await, "|, , 0 {} ");
        post(&visitor, "/now", "theme light").await;
        assert_eq!(read(&visitor).await, "|, light, 0 {} ");
        // Nor one that exists, with nothing of the struct in it.
        let visitor = server.visitor();
        post(&visitor, "/login", "ada").await;
        post(&visitor, "/now", "visit").await;
        assert_eq!(read(&visitor).await, "|, , 1 {} ");
    }

    async fn what_another_request_migrated_and_changed_meanwhile_stays(bench: Bench) {
        for (mine, theirs, expected) in [
            ("theme light", "first Eve", "Eve|King, light night, 2 {\"a\", \"b\"} en"),
            ("visit, tag c", "visit, tag d", "Ada|King, dark night, 4 {\"a\", \"b\", \"c\", \"d\"} en"),
            ("first Eve", "first Ann, theme light", "Eve|King, light night, 2 {\"a\", \"b\"} en"),
        ] {
            let (_servers, [_, two, _]) = releases(&bench).await;
            meet(&bench, (&two, mine), (&two, theirs)).await;
            assert_eq!(read(&two).await, expected, "{mine}, {theirs}");
        }
    }

    async fn what_the_older_release_changes_meanwhile_is_migrated_too(bench: Bench) {
        for (mine, theirs, expected) in [
            ("theme light", "name Eve Moss", "Eve|Moss, light night, 2 {\"a\", \"b\"} en"),
            ("visit, tag c", "visit, tag d", "Ada|King, dark night, 4 {\"a\", \"b\", \"c\", \"d\"} en"),
            ("theme light", "speak de", "Ada|King, light night, 2 {\"a\", \"b\"} de"),
        ] {
            let (_servers, [one, two, _]) = releases(&bench).await;
            meet(&bench, (&two, mine), (&one, theirs)).await;
            assert_eq!(read(&two).await, expected, "{mine}, {theirs}");
        }
        // A value that the migration looks at and leaves as it is.
        let (servers, [one, two, _]) = releases(&bench).await;
        meet(&bench, (&two, "first Eve"), (&one, "theme light")).await;
        assert_eq!(read(&two).await, "Eve|King, light, 2 {\"a\", \"b\"} en");
        // One that it looks at, and that was not there.
        let one = servers[0].visitor();
        let two = one.at(&servers[1]);
        post(&one, "/now", "name Ada").await;
        meet(&bench, (&two, "first Eve"), (&one, "speak de, theme dark")).await;
        assert_eq!(read(&two).await, "Eve|, dark night, 0 {} de");
    }

    async fn a_newer_version_is_read_as_it_is_and_never_downgraded(bench: Bench) {
        let (_servers, [_, two, three]) = releases(&bench).await;
        post(&three, "/now", "visit").await;
        assert_eq!(read(&three).await, "Ada, dark, 21");
        assert!(read(&two).await.starts_with("Ada|, dark, 21 "));
        post(&two, "/now", "theme light, visit").await;
        assert_eq!(read(&three).await, "Ada, light, 22");
    }

    async fn a_version_may_be_skipped(bench: Bench) {
        let (_servers, [_, two, three]) = releases(&bench).await;
        assert_eq!(read(&three).await, "Ada, dark, 20");
        post(&two, "/now", "visit").await;
        assert_eq!(read(&three).await, "Ada, dark, 30");
        post(&three, "/now", "visit").await;
        assert_eq!(read(&three).await, "Ada, dark, 31");
    }

    async fn a_change_of_user_keeps_the_version_of_what_is_carried(bench: Bench) {
        let (_servers, [_, two, _]) = releases(&bench).await;
        post(&two, "/login", "ada").await;
        post(&two, "/now", "theme light").await;
        post(&two, "/login", "bob").await;
        // Migrated once more it would have no name.
        assert_eq!(read(&two).await, "|, , 0 {} en");
    }

    async fn a_value_that_a_migration_does_not_expect_is_an_error_or_forgiven(bench: Bench) {
        let log = Log::collect();
        let (_servers, [one, _, three]) = releases(&bench).await;
        let wrong = release::<Wrong>(&bench).await;
        let answer = one.at(&wrong).post("/read", "").await;
        assert_eq!(answer.status, 500);
        let log = log.text();
        assert!(log.contains("profile.name") && !log.contains("Ada") && !answer.body.contains("name"), "{answer:?} {log}");
        assert_eq!(read(&three).await, "Ada, dark, 20");
    }
}

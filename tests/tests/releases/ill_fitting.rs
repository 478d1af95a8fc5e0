//! The type of a field was changed, and what is stored of it does not fit any more.

use std::collections::BTreeSet;

use sessionkit::SessionData;
use sessionkit_tests::behaviour;
use sessionkit_tests::harness::{Answer, Bench, Log, Server, Visitor};

#[derive(SessionData)]
#[session(name = "desk")]
struct Old {
    colour: String,
    count: String,
    #[session(flash)]
    notices: Vec<String>,
    #[session(merge = append)]
    tags: Vec<String>,
    #[session(sensitive)]
    code: String,
    name: String,
}

#[derive(SessionData)]
#[session(name = "desk", on_error = default)]
struct New {
    #[session(default = seven)]
    colour: u32,
    #[session(merge = add)]
    count: i64,
    #[session(flash)]
    notices: Vec<u32>,
    #[session(merge = union)]
    tags: BTreeSet<u32>,
    #[session(sensitive)]
    code: Option<u32>,
    name: String,
}

#[derive(SessionData)]
#[session(name = "desk", on_error = fail)]
struct Strict {
    colour: u32,
}

fn seven() -> u32 {
    7
}

/// Changes one field in the way that the path names.
fn change(desk: &mut New, what: &str) {
    match what {
        "colour" => desk.colour = 5,
        "the-default" => desk.colour = 7,
        "count" => desk.count += 2,
        "notices" => desk.notices.push(3),
        "tags" => drop(desk.tags.insert(4)),
        "more-tags" => drop(desk.tags.insert(5)),
        "code" => desk.code = Some(6),
        _ => desk.name.push('!'),
    }
}

async fn ok(visitor: &Visitor, path: &str, body: &str) -> Answer {
    let answer = visitor.post(path, body).await;
    assert_eq!(answer.status, 200, "{path} {body}: {answer:?}");
    answer
}

behaviour! {
    tests: [
        a_field_that_does_not_fit_has_its_default_and_the_others_their_values,
        what_does_not_fit_stays_until_its_field_is_changed,
        a_change_takes_the_place_of_what_does_not_fit,
        two_changes_of_what_does_not_fit_merge,
        without_the_attribute_it_is_an_error,
        it_is_reported_without_its_value,
    ];

    async fn fill(mut desk: Session<Old>) -> Reply {
        let secret = "letmein".to_owned();
        (desk.colour, desk.count, desk.code) = ("scarlet".into(), "many".into(), secret);
        (desk.notices, desk.tags) = (vec!["saved".into()], vec!["wood".into()]);
        desk.name = "ada".into();
        Reply::ok("")
    }

    async fn old(desk: SessionView<Old>) -> Reply {
        let Old { colour, count, notices, tags, code, name } = &*desk;
        Reply::ok(format!("{colour} {count} {notices:?} {tags:?} {code} {name}"))
    }

    async fn new(desk: SessionView<New>) -> Reply {
        let New { colour, count, notices, tags, code, name } = &*desk;
        Reply::ok(format!("{colour} {count} {notices:?} {tags:?} {code:?} {name}"))
    }

    async fn now(mut desk: Session<New>, body: Body) -> Reply {
        change(&mut desk, &body);
        Reply::ok("")
    }

    async fn slowly(mut desk: Session<New>, shared: Shared, body: Body) -> Reply {
        change(&mut desk, &body);
        shared.0.pass("slowly").await;
        Reply::ok("")
    }

    async fn strict(desk: SessionView<Strict>) -> Reply {
        Reply::ok(desk.colour)
    }

    /// One browser, at three releases.
    async fn visitors(bench: &Bench) -> ([Server; 3], [Visitor; 3]) {
        let before = serve(bench, routes!["/fill" => fill, "/read" => old]).await;
        let after = serve(bench, routes!["/read" => new, "/now" => now, "/slowly" => slowly]).await;
        let unforgiving = serve(bench, routes!["/read" => strict]).await;
        let visitor = before.visitor();
        ok(&visitor, "/fill", "").await;
        let visitors = [visitor.clone(), visitor.at(&after), visitor.at(&unforgiving)];
        ([before, after, unforgiving], visitors)
    }

    async fn a_field_that_does_not_fit_has_its_default_and_the_others_their_values(bench: Bench) {
        let (_servers, [_, new, _]) = visitors(&bench).await;
        assert_eq!(ok(&new, "/read", "").await.body, "7 0 [] {} None ada");
    }

    async fn what_does_not_fit_stays_until_its_field_is_changed(bench: Bench) {
        let (_servers, [old, new, _]) = visitors(&bench).await;
        ok(&new, "/now", "name").await;
        // To write what was read is no change.
        ok(&new, "/now", "the-default").await;
        assert_eq!(ok(&old, "/read", "").await.body, "scarlet many [\"saved\"] [\"wood\"] letmein ada!");
    }

    async fn a_change_takes_the_place_of_what_does_not_fit(bench: Bench) {
        let (_servers, [_, new, _]) = visitors(&bench).await;
        for field in ["colour", "count", "notices", "tags", "code", "name"] {
            ok(&new, "/now", field).await;
        }
        assert_eq!(ok(&new, "/read", "").await.body, "5 2 [3] {4} Some(6) ada!");
        for value in ["scarlet", "many", "saved", "wood", "letmein"] {
            assert!(!bench.dump().contains(value), "{value}");
        }
        ok(&new, "/now", "count").await;
        assert!(ok(&new, "/read", "").await.body.starts_with("5 4 "));
    }

    async fn two_changes_of_what_does_not_fit_merge(bench: Bench) {
        for (mine, theirs, expected) in [
            ("count", "count", "7 4 [] {} None ada"),
            ("tags", "more-tags", "7 0 [] {4, 5} None ada"),
            ("notices", "notices", "7 0 [3, 3] {} None ada"),
        ] {
            let (_servers, [_, new, _]) = visitors(&bench).await;
            let slow = {
                let (new, mine) = (new.clone(), mine.to_owned());
                tokio::spawn(async move { ok(&new, "/slowly", &mine).await })
            };
            bench.gates.arrived("slowly", 1).await;
            ok(&new, "/now", theirs).await;
            bench.gates.open("slowly", 1);
            slow.await.expect("it is answered");
            assert_eq!(ok(&new, "/read", "").await.body, expected);
        }
    }

    async fn without_the_attribute_it_is_an_error(bench: Bench) {
        let log = Log::collect();
        let (_servers, [_, _, strict]) = visitors(&bench).await;
        let answer = strict.get("/read").await;
        assert_eq!(answer.status, 500);
        assert!(!answer.body.contains("colour") && !answer.body.contains("scarlet"), "{answer:?}");
        let log = log.text();
        let reported = log.lines().any(|line| line.contains("event=\"failed\"") && line.contains("desk.colour"));
        assert!(reported, "{log}");
    }

    async fn it_is_reported_without_its_value(bench: Bench) {
        let log = Log::collect();
        let (_servers, [_, new, _]) = visitors(&bench).await;
        ok(&new, "/read", "").await;
        let log = log.text();
        let reports: Vec<&str> = log.lines().filter(|line| line.contains("event=\"unfit\"")).collect();
        for key in ["desk.colour", "desk.count", "desk.notices", "desk.tags", "desk.code"] {
            assert!(reports.iter().any(|report| report.contains(key)), "{key}: {reports:?}");
        }
        for value in ["scarlet", "many", "saved", "wood", "letmein"] {
            assert!(!reports.iter().any(|report| report.contains(value)), "{value}: {reports:?}");
        }
    }
}

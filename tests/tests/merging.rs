//! Two requests change one session at the same time: each sees what it began with, and neither undoes the other.

use std::collections::{BTreeMap, BTreeSet};

use std::marker::PhantomData;

use sessionkit::{Codec, Json, MessagePack, SessionData};
use sessionkit_tests::behaviour;
use sessionkit_tests::harness::{Answer, Bench, HeldStore, Server, Visitor};

#[derive(SessionData)]
#[session(codec = C)]
struct Desk<C: Codec> {
    name: String,
    colour: Option<String>,
    #[session(merge = add)]
    small: u8,
    #[session(merge = add)]
    signed: i8,
    #[session(merge = add)]
    wide: u64,
    #[session(merge = union)]
    tags: BTreeSet<String>,
    #[session(merge = union)]
    stock: BTreeMap<String, u32>,
    #[session(merge = append)]
    history: Vec<String>,
    #[session(merge = highest)]
    score: Score,
    #[session(flash)]
    notice: Option<String>,
    #[session(flash)]
    notices: Vec<String>,
    #[session(skip)]
    codec: PhantomData<fn() -> C>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Deserialize, serde::Serialize)]
struct Score {
    points: u32,
    /// The points that both requests began with, as the merge function saw them.
    merged_from: Option<u32>,
}

fn highest(base: &Score, mine: Score, theirs: Score) -> Score {
    Score { points: mine.points.max(theirs.points), merged_from: Some(base.points) }
}

/// Makes the change to the desk that the test names in the request's body.
fn change(desk: &mut Desk<impl Codec>, what: &str) {
    let (what, argument) = what.split_once(' ').unwrap_or((what, ""));
    let number = || argument.parse::<i64>().expect("the test sends a number");
    match what {
        "name" => desk.name = argument.into(),
        "colour" => desk.colour = Some(argument.into()),
        "small" => desk.small = desk.small.saturating_add_signed(number() as i8),
        "small=" => desk.small = number() as u8,
        "signed" => desk.signed = desk.signed.saturating_add(number() as i8),
        "wide" => desk.wide = desk.wide.wrapping_add_signed(number()),
        "tag" => drop(desk.tags.insert(argument.into())),
        "untag" => drop(desk.tags.remove(argument)),
        "stock" => *desk.stock.entry(argument.into()).or_default() += 1,
        "sell" => drop(desk.stock.remove(argument)),
        "append" => desk.history.push(argument.into()),
        "forget" => desk.history.retain(|item| item != argument),
        "score" => desk.score.points = number() as u32,
        "notify" => desk.notice = Some(argument.into()),
        "take" => drop(desk.notice.take()),
        "notify-also" => desk.notices.push(argument.into()),
        "take-first" => drop(desk.notices.remove(0)),
        "take-all" => desk.notices.clear(),
        _ => panic!("{what} is nothing that a test does"),
    }
}

fn show(desk: &Desk<impl Codec>, what: &str) -> String {
    match what {
        "name" => format!("{} {:?}", desk.name, desk.colour),
        "small" => desk.small.to_string(),
        "signed" => desk.signed.to_string(),
        "wide" => desk.wide.to_string(),
        "tags" => format!("{:?}", desk.tags),
        "stock" => format!("{:?}", desk.stock),
        "history" => desk.history.join(" "),
        "score" => format!("{} {:?}", desk.score.points, desk.score.merged_from),
        "notice" => format!("{:?}", desk.notice),
        "notices" => desk.notices.join(" "),
        _ => panic!("{what} is nothing that a test looks at"),
    }
}

async fn post(visitor: &Visitor, path: &str, body: &str) -> Answer {
    let answer = visitor.post(path, body).await;
    assert_eq!(answer.status, 200, "{body}: {answer:?}");
    answer
}

/// Begins with `before`; then a slow request does `mine`, and a fast one `theirs`, meanwhile.
async fn meet(bench: &Bench, server: &Server, before: &str, mine: &str, theirs: &str) -> Visitor {
    let visitor = server.visitor();
    post(&visitor, "/now", "append begun").await;
    if !before.is_empty() {
        post(&visitor, "/now", before).await;
    }
    let slow = {
        let (visitor, mine) = (visitor.clone(), mine.to_owned());
        tokio::spawn(async move { post(&visitor, "/slowly", &mine).await })
    };
    bench.gates.arrived("slowly", 1).await;
    post(&visitor, "/now", theirs).await;
    bench.gates.open("slowly", 1);
    slow.await.expect("the request ends");
    visitor
}

behaviour! {
    tests: [
        the_last_write_of_a_field_wins_and_other_fields_survive,
        additions_add_up,
        additions_saturate_at_the_bounds_of_the_type,
        unions_merge_entry_by_entry,
        appended_items_follow_each_other,
        a_function_of_the_application_merges,
        a_flash_set_while_another_is_shown_is_not_lost,
        flashes_of_a_list_are_taken_one_by_one,
        a_merge_begins_from_what_the_request_saw_however_often_it_is_repeated,
    ];

    async fn now<C: Codec>(mut desk: Session<Desk<C>>, body: Body) -> Reply {
        body.split(", ").for_each(|what| change(&mut desk, what));
        Reply::ok("")
    }

    async fn slowly<C: Codec>(mut desk: Session<Desk<C>>, Shared(gates): Shared, body: Body) -> Reply {
        body.split(", ").for_each(|what| change(&mut desk, what));
        gates.pass("slowly").await;
        Reply::ok("")
    }

    async fn look<C: Codec>(desk: SessionView<Desk<C>>, body: Body) -> Reply {
        Reply::ok(show(&desk, &body))
    }

    async fn start<C: Codec>(bench: &Bench) -> Server {
        serve(bench, routes!["/now" => now::<C>, "/slowly" => slowly::<C>, "/show" => look::<C>]).await
    }

    /// Each case is a field; what it was made before; mine; theirs; and what comes out.
    async fn check(bench: &Bench, field: &str, cases: &[[&str; 4]]) {
        check_with::<Json>(bench, field, cases).await;
        check_with::<MessagePack>(bench, field, cases).await;
    }

    async fn check_with<C: Codec>(bench: &Bench, field: &str, cases: &[[&str; 4]]) {
        let server = start::<C>(bench).await;
        for [before, mine, theirs, expected] in cases {
            let visitor = meet(bench, &server, before, mine, theirs).await;
            assert_eq!(post(&visitor, "/show", field).await.body, *expected, "{field}: {before:?}, mine {mine:?}, theirs {theirs:?}");
        }
    }

    async fn the_last_write_of_a_field_wins_and_other_fields_survive(bench: Bench) {
        let cases = [
            ["name old", "name mine", "name theirs", "mine None"],
            ["", "name mine", "name theirs", "mine None"],
            ["", "name mine", "colour theirs", "mine Some(\"theirs\")"],
            ["name old, colour old", "name mine", "colour theirs", "mine Some(\"theirs\")"],
            ["name old, colour old", "colour mine", "name theirs", "theirs Some(\"mine\")"],
            // To write what was there is no write.
            ["name old", "name old", "name theirs", "theirs None"],
        ];
        check(&bench, "name", &cases).await;
    }

    async fn additions_add_up(bench: Bench) {
        check(&bench, "small", &[
            ["", "small 1", "small 1", "2"],
            ["small 10", "small 5", "small -3", "12"],
            ["small 10", "small= 0", "small 1", "1"],
        ])
        .await;
        let wide = [
            ["wide 9007199254740993", "wide 1", "wide 1", "9007199254740995"],
            ["wide 9223372036854775807", "wide 9223372036854775807", "wide 1", "18446744073709551615"],
        ];
        check(&bench, "wide", &wide).await;
    }

    async fn additions_saturate_at_the_bounds_of_the_type(bench: Bench) {
        check(&bench, "small", &[
            ["small= 200", "small 50", "small 50", "255"],
            ["small= 10", "small -8", "small -8", "0"],
        ])
        .await;
        check(&bench, "signed", &[
            ["signed -100", "signed -20", "signed -20", "-128"],
            ["signed 100", "signed 20", "signed 20", "127"],
        ])
        .await;
        check(&bench, "wide", &[
            ["wide -1", "wide -1", "wide -1", "18446744073709551613"],
            ["wide -3", "wide 2", "wide 2", "18446744073709551615"],
            ["wide 3", "wide -2", "wide -2", "0"],
        ])
        .await;
        // What is stored is at the bound too, and comes back from there.
        let server = start::<Json>(&bench).await;
        for (before, mine, theirs, after, field, expected) in [
            ("small= 200", "small 50", "small 50", "small -5", "small", "250"),
            ("small= 10", "small -8", "small -8", "small 5", "small", "5"),
            ("signed 100", "signed 20", "signed 20", "signed -5", "signed", "122"),
            ("wide -3", "wide 2", "wide 2", "wide -5", "wide", "18446744073709551610"),
        ] {
            let visitor = meet(&bench, &server, before, mine, theirs).await;
            post(&visitor, "/now", after).await;
            assert_eq!(post(&visitor, "/show", field).await.body, expected, "{before}, {mine}, {theirs}, {after}");
        }
    }

    async fn unions_merge_entry_by_entry(bench: Bench) {
        check(&bench, "tags", &[
            ["", "tag a", "tag b", "{\"a\", \"b\"}"],
            ["tag a, tag b", "untag a", "untag b", "{}"],
            ["tag a, tag b", "untag a, tag c", "tag d", "{\"b\", \"c\", \"d\"}"],
            ["tag a", "untag a, tag a, tag b", "untag a", "{\"b\"}"],
        ])
        .await;
        check(&bench, "stock", &[
            ["", "stock tea", "stock milk", "{\"milk\": 1, \"tea\": 1}"],
            ["stock tea, stock milk", "sell tea", "stock milk", "{\"milk\": 2}"],
            ["stock tea", "stock tea", "stock tea, stock tea", "{\"tea\": 2}"],
        ])
        .await;
    }

    async fn appended_items_follow_each_other(bench: Bench) {
        check(&bench, "history", &[
            ["append old", "append mine", "append theirs", "begun old theirs mine"],
            ["append old", "forget old, append mine", "append theirs", "begun theirs mine"],
            ["append old", "append mine", "forget old", "begun mine"],
            ["append old", "append same", "append same", "begun old same same"],
        ])
        .await;
    }

    async fn a_function_of_the_application_merges(bench: Bench) {
        check(&bench, "score", &[
            ["score 10", "score 20", "score 30", "30 Some(10)"],
            ["score 10", "score 30", "score 20", "30 Some(10)"],
            // Absent is the default.
            ["", "score 1", "score 2", "2 Some(0)"],
            // Without a conflict there is nothing to merge.
            ["score 10", "score 20", "name theirs", "20 None"],
        ])
        .await;
    }

    async fn a_flash_set_while_another_is_shown_is_not_lost(bench: Bench) {
        check(&bench, "notice", &[
            ["notify old", "take", "notify new", "Some(\"new\")"],
            ["notify old", "notify new", "take", "Some(\"new\")"],
            ["notify old", "take", "take", "None"],
            ["notify old", "take", "name theirs", "None"],
            ["notify old", "notify mine", "notify theirs", "Some(\"mine\")"],
            ["", "notify mine", "notify theirs", "Some(\"mine\")"],
        ])
        .await;
    }

    async fn flashes_of_a_list_are_taken_one_by_one(bench: Bench) {
        check(&bench, "notices", &[
            ["notify-also old", "take-all", "notify-also new", "new"],
            ["notify-also old", "notify-also new", "take-all", "new"],
            ["notify-also old", "take-all, notify-also mine", "notify-also theirs", "theirs mine"],
            ["notify-also old", "take-all", "take-all", ""],
            ["notify-also same, notify-also same", "take-first", "notify-also new", "same new"],
            ["notify-also a, notify-also b", "take-first", "notify-also new", "b new"],
            ["notify-also old", "notify-also mine", "notify-also theirs", "old theirs mine"],
            ["", "notify-also mine", "notify-also theirs", "theirs mine"],
        ])
        .await;
    }

    async fn a_merge_begins_from_what_the_request_saw_however_often_it_is_repeated(bench: Bench) {
        let others = start::<MessagePack>(&bench).await;
        let visitor = others.visitor();
        post(&visitor, "/now", "append a, append b, score 1").await;
        let store = HeldStore::new(bench.store.clone(), &bench.gates);
        let server = serve_with(&bench, bench.manager_over(store.clone()), routes!["/now" => now::<MessagePack>]).await;
        store.hold("before replace");
        let slow = {
            let visitor = visitor.at(&server);
            tokio::spawn(async move { post(&visitor, "/now", "forget a, append mine, score 5").await })
        };
        for theirs in ["append c", "forget b, score 2", "append a"] {
            bench.gates.arrived("before replace", 1).await;
            post(&visitor, "/now", theirs).await;
            bench.gates.open("before replace", 1);
        }
        bench.gates.arrived("before replace", 1).await;
        bench.gates.open("before replace", 1);
        slow.await.expect("the request ends");
        // The `a` of the beginning is gone; the one that came later is not.
        assert_eq!(post(&visitor, "/show", "history").await.body, "c a mine");
        assert_eq!(post(&visitor, "/show", "score").await.body, "5 Some(1)");
    }
}

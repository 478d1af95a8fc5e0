//! Tests of values that cannot be stored or read: an answer that says so, nothing half done, and nothing lost.

use std::collections::BTreeMap;
use std::time::Duration;

use sessionkit::SessionData;
use sessionkit_tests::behaviour_everywhere;
use sessionkit_tests::harness::{Answer, Bench, Log, Server};

#[derive(SessionData)]
struct Notes {
    text: String,
    #[session(merge = append)]
    more: Vec<String>,
}

#[derive(SessionData)]
struct Draft {
    #[session(ttl = "10m")]
    text: String,
}

#[derive(SessionData)]
struct Visits {
    #[session(merge = add)]
    count: u32,
}

/// JSON's maps have names for keys, so this cannot be stored unless it is empty.
#[derive(SessionData)]
struct Board {
    cells: BTreeMap<(u8, u8), u8>,
    title: String,
}

/// The structs of another release, whose fields have other types.
mod other {
    use sessionkit::SessionData;

    #[derive(SessionData)]
    pub(super) struct Notes {
        pub(super) text: u32,
    }

    #[derive(SessionData)]
    pub(super) struct Visits {
        pub(super) count: Option<String>,
    }

    #[derive(SessionData)]
    #[session(name = "secret")]
    pub(super) struct Words {
        pub(super) pin: String,
    }

    #[derive(SessionData)]
    #[session(name = "secret")]
    pub(super) struct Numbers {
        #[session(sensitive)]
        pub(super) pin: u32,
    }
}

/// A 500 that sets no cookie; what is wrong is named in the log, which has to be collected by then, and not in the answer.
fn assert_failed(answer: &Answer, reasons: &[&str]) {
    assert_eq!((answer.status, answer.cookies().len()), (500, 0), "{answer:?}");
    assert_eq!(answer.all("content-type"), ["application/problem+json"]);
    assert_eq!(answer.all("cache-control"), ["no-store"]);
    let log = Log::collect().text();
    for reason in reasons {
        assert!(log.contains(reason) && !answer.body.contains(reason), "{reason:?}: {} {log}", answer.body);
    }
}

behaviour_everywhere! {
    tests: [
        p6_a_record_that_is_too_large_stores_nothing,
        a_record_that_is_too_large_already_can_shrink,
        a_value_whose_time_is_up_takes_no_room,
        p6_a_value_without_an_encoding_stores_nothing,
        a_login_holds_though_the_changes_cannot_be_stored,
        p6_a_stored_value_of_the_wrong_type_is_named_and_kept,
        the_reason_of_a_misfit_is_logged_unless_the_field_is_sensitive,
        two_structs_of_one_namespace_are_named,
    ];

    type Answered = Result<Reply, SessionRejection>;

    async fn note(mut notes: Session<Notes>, mut visits: Session<Visits>, body: Body) -> Reply {
        visits.count += 1;
        notes.text = body;
        Reply::ok("noted")
    }

    async fn append(mut notes: Session<Notes>, mut visits: Session<Visits>, body: Body) -> Reply {
        visits.count += 1;
        notes.more.push(body);
        Reply::ok("noted")
    }

    async fn show(notes: SessionView<Notes>, visits: SessionView<Visits>) -> Reply {
        Reply::ok(format!("{} {} {}", notes.text, notes.more.len(), visits.count))
    }

    async fn login_and_note(mut notes: Session<Notes>, auth: Auth, body: Body) -> Answered {
        auth.login("ada").await?;
        notes.text = body;
        Ok(Reply::ok("noted"))
    }

    async fn me(auth: Auth) -> Answered {
        Ok(Reply::ok(auth.user_id().await?.as_deref().unwrap_or("nobody")))
    }

    async fn fill_board(mut board: Session<Board>, mut visits: Session<Visits>) -> Reply {
        visits.count += 1;
        board.title = "chess".into();
        board.cells.insert((1, 2), 3);
        Reply::ok("filled")
    }

    async fn clear_board(mut board: Session<Board>) -> Reply {
        board.title = "chess".into();
        board.cells.insert((1, 2), 3);
        board.cells.clear();
        Reply::ok("cleared")
    }

    async fn show_board(board: SessionView<Board>) -> Reply {
        Reply::ok(format!("{} {}", board.title, board.cells.len()))
    }

    async fn start(bench: &Bench) -> Server {
        Log::collect();
        let routes = routes![
            "/note" => note,
            "/append" => append,
            "/show" => show,
            "/login-and-note" => login_and_note,
            "/me" => me,
            "/board/fill" => fill_board,
            "/board/clear" => clear_board,
            "/board" => show_board,
        ];
        serve(bench, routes).await
    }

    async fn p6_a_record_that_is_too_large_stores_nothing(bench: Bench) {
        let bench = bench.with_config(|config| config.max_record_size(1000));
        let server = start(&bench).await;
        let (visitor, new) = (server.visitor(), server.visitor());
        let (fits, too_much) = ("a".repeat(700), "a".repeat(1000));
        assert_eq!(visitor.post("/note", &fits).await.status, 200);
        for path in ["/note", "/append"] {
            assert_failed(&visitor.post(path, &too_much).await, &["max_record_size = 1000"]);
            assert_failed(&new.post(path, &too_much).await, &["max_record_size = 1000"]);
            assert_eq!(visitor.get("/show").await.body, format!("{fits} 0 1"), "{path}");
        }
        assert_failed(&visitor.post("/append", &fits).await, &["max_record_size = 1000"]);
        assert_eq!((bench.sessions(), new.token()), (1, None));
        assert_eq!(visitor.post("/note", "short").await.status, 200);
        assert_eq!(visitor.post("/append", &fits).await.status, 200);
        assert_eq!(visitor.get("/show").await.body, "short 1 3");
    }

    async fn a_record_that_is_too_large_already_can_shrink(bench: Bench) {
        let server = start(&bench).await;
        let visitor = server.visitor();
        visitor.post("/note", &"a".repeat(2000)).await;
        let bench = bench.with_config(|config| config.max_record_size(1000));
        let strict = start(&bench).await;
        let visitor = visitor.at(&strict);
        assert_failed(&visitor.post("/append", "more").await, &["max_record_size = 1000"]);
        assert_eq!(visitor.post("/note", &"a".repeat(1500)).await.status, 200);
        assert_eq!(visitor.post("/note", "short").await.status, 200);
        assert_eq!(visitor.get("/show").await.body, "short 0 3");
    }

    async fn draft(mut draft: Session<Draft>, body: Body) -> Reply {
        draft.text = body;
        Reply::ok("kept")
    }

    async fn a_value_whose_time_is_up_takes_no_room(bench: Bench) {
        Log::collect();
        let bench = bench.with_config(|config| config.max_record_size(1000));
        let server = serve(&bench, routes!["/draft" => draft, "/note" => note]).await;
        let (visitor, text) = (server.visitor(), "a".repeat(700));
        assert_eq!(visitor.post("/draft", &text).await.status, 200);
        assert_failed(&visitor.post("/note", &text).await, &["max_record_size = 1000"]);
        bench.clock.advance(Duration::from_secs(600));
        assert_eq!(visitor.post("/note", &text).await.status, 200);
    }

    async fn p6_a_value_without_an_encoding_stores_nothing(bench: Bench) {
        let server = start(&bench).await;
        let (visitor, new) = (server.visitor(), server.visitor());
        visitor.post("/note", "text").await;
        for visitor in [&visitor, &new] {
            assert_failed(&visitor.get("/board/fill").await, &["board.cells"]);
            assert_eq!(visitor.get("/board").await.body, " 0");
        }
        assert_eq!(visitor.get("/show").await.body, "text 0 1");
        assert_eq!((bench.sessions(), new.token()), (1, None));
        // What is stored in the end counts.
        assert_eq!(visitor.get("/board/clear").await.status, 200);
        assert_eq!(visitor.get("/board").await.body, "chess 0");
    }

    async fn a_login_holds_though_the_changes_cannot_be_stored(bench: Bench) {
        let bench = bench.with_config(|config| config.max_record_size(1000));
        let server = start(&bench).await;
        let (visitor, new) = (server.visitor(), server.visitor());
        visitor.post("/note", "text").await;
        for visitor in [&visitor, &new] {
            let answer = visitor.post("/login-and-note", &"a".repeat(1000)).await;
            assert_eq!((answer.status, answer.cookies().len()), (500, 1));
            assert_eq!(visitor.get("/me").await.body, "ada");
        }
        assert_eq!(visitor.get("/show").await.body, "text 0 1");
    }

    async fn note_number(mut notes: Session<other::Notes>) -> Reply {
        notes.text += 1;
        Reply::ok(notes.text)
    }

    async fn view_number(notes: SessionView<other::Notes>) -> Reply {
        Reply::ok(notes.text)
    }

    async fn name_visits(mut visits: Session<other::Visits>) -> Reply {
        visits.count = Some("several".into());
        Reply::ok("named")
    }

    async fn p6_a_stored_value_of_the_wrong_type_is_named_and_kept(bench: Bench) {
        let (server, other) = (
            start(&bench).await,
            serve(&bench, routes!["/note" => note_number, "/view" => view_number, "/visits" => name_visits]).await,
        );
        let visitor = server.visitor();
        visitor.post("/note", "text").await;
        let before = bench.dump_bytes();
        for path in ["/note", "/view"] {
            assert_failed(&visitor.at(&other).get(path).await, &["notes.text"]);
        }
        assert_eq!(bench.dump_bytes(), before);
        assert_eq!(visitor.get("/show").await.body, "text 0 1");
        // A counter that is no number.
        let visitor = server.visitor();
        visitor.at(&other).get("/visits").await;
        let before = bench.dump_bytes();
        assert_failed(&visitor.post("/note", "text").await, &["visits.count"]);
        assert_eq!(bench.dump_bytes(), before);
    }

    async fn choose_word(mut words: Session<other::Words>) -> Reply {
        words.pin = "hunter2".into();
        Reply::ok("chosen")
    }

    async fn choose_number(mut numbers: Session<other::Numbers>) -> Reply {
        numbers.pin = 1234;
        Reply::ok("chosen")
    }

    async fn the_reason_of_a_misfit_is_logged_unless_the_field_is_sensitive(bench: Bench) {
        let log = Log::collect();
        let words = serve(&bench, routes!["/" => choose_word]).await;
        let numbers = serve(&bench, routes!["/" => choose_number]).await;
        let reason = |of: &str| {
            let log = log.text();
            let line = log.lines().rfind(|line| line.contains("secret.pin") && line.contains("does not fit its type"));
            line.unwrap_or_else(|| panic!("the log tells of {of}")).to_owned()
        };
        let visitor = words.visitor();
        visitor.get("/").await;
        let answer = visitor.at(&numbers).get("/").await;
        assert_failed(&answer, &["secret.pin"]);
        assert!(!answer.body.contains("hunter2") && !log.text().contains("hunter2"), "{answer:?}");
        assert!(reason("a sensitive field").contains("the field is sensitive"));
        let visitor = numbers.visitor();
        visitor.get("/").await;
        let answer = visitor.at(&words).get("/").await;
        assert_failed(&answer, &["secret.pin"]);
        assert!(!answer.body.contains("1234"), "the client is not told: {answer:?}");
        assert!(reason("another field").contains("1234"));
    }

    async fn two_structs_of_one_namespace_are_named(bench: Bench) {
        Log::collect();
        let server = serve(&bench, routes!["/word" => choose_word, "/number" => choose_number]).await;
        let visitor = server.visitor();
        assert_eq!(visitor.get("/word").await.status, 200);
        let before = bench.dump_bytes();
        let names = ["`secret`", "other::Words", "other::Numbers", "#[session(name"];
        for visitor in [&visitor, &server.visitor()] {
            assert_failed(&visitor.get("/number").await, &names);
        }
        assert_eq!(bench.dump_bytes(), before);
        assert_eq!(visitor.get("/word").await.status, 200);
    }
}

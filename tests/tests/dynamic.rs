//! The session as a map from keys to values, over the same record as the typed structs.

use std::time::Duration;

use serde_json::{Value, json};
use sessionkit::SessionData;
use sessionkit::testing::{Calls, TestSession};
use sessionkit_tests::behaviour;
use sessionkit_tests::harness::{Bench, Log, Server, Visitor};

#[derive(SessionData)]
struct Cart {
    items: Vec<u32>,
    #[session(merge = add)]
    views: u8,
    #[session(merge = append)]
    seen: Vec<u32>,
    #[session(carry)]
    theme: String,
    #[session(ttl = "10m", sensitive)]
    code: Option<String>,
}

behaviour! {
    tests: [
        row_07_values_are_stored_under_their_keys,
        row_07_nested_changes_are_seen,
        row_07_the_map_and_the_structs_are_one_record,
        row_07_clear_removes_everything_but_the_login,
        row_07_a_logout_destroys_the_session,
        a_struct_from_before_a_clear_is_not_stored,
        a_clear_before_another_user_leaves_nothing_to_carry,
        a_replaced_value_keeps_its_flags,
        a_map_from_before_another_user_is_empty_and_discarded,
        maps_of_two_requests_both_win,
        structs_merge_with_what_the_map_wrote,
        a_value_that_does_not_fit_is_named_and_not_shown,
        keys_that_no_store_can_hold_are_refused,
        a_cleared_session_has_room_again,
        what_is_too_large_is_refused_when_it_is_inserted,
    ];

    type Answered = Result<Reply, SessionRejection>;

    /// Does what its body says, line by line, and answers with the last one's result.
    async fn run(mut session: DynamicSession, body: Body) -> Answered {
        let mut answer = String::new();
        for line in body.lines() {
            let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
            let (key, value) = rest.split_once(' ').unwrap_or((rest, "null"));
            answer = match word {
                "get" => format!("{:?}", session.get::<Value>(key)?),
                "insert" => format!("{:?}", session.insert(key, &serde_json::from_str::<Value>(value).unwrap())?),
                "remove" => session.remove(key).to_string(),
                "keys" => session.keys().join(" "),
                "clear" => format!("{:?}", session.clear()),
                _ => unreachable!("{word}"),
            };
        }
        Ok(Reply::ok(answer))
    }

    async fn number(session: DynamicSession) -> Answered {
        Ok(Reply::ok(format!("{:?}", session.get::<u64>("cart.code")?)))
    }

    async fn or_nothing(session: DynamicSession) -> Reply {
        Reply::ok(session.get::<u64>("cart.theme").is_err())
    }

    async fn nested(mut session: DynamicSession) -> Answered {
        if let Some(mut items) = session.get_mut::<Vec<u32>>("items")? {
            items.push(7);
        }
        if let Some(mut settings) = session.get_mut::<Value>("settings")? {
            settings["theme"]["dark"] = json!(true);
        }
        // Only looked at, and changed back: nothing to store.
        drop(session.get_mut::<Value>("untouched")?);
        if let Some(mut same) = session.get_mut::<Vec<u32>>("same")? {
            same.push(1);
            same.pop();
        }
        Ok(Reply::ok(session.get_mut::<u32>("absent")?.is_none()))
    }

    async fn show(cart: SessionView<Cart>) -> Reply {
        let Cart { items, views, seen, theme, code } = &*cart;
        Reply::ok(format!("{items:?} {views} {seen:?} {theme} {code:?}"))
    }

    /// The struct sees the map's changes at once; the map sees the struct's when it is dropped.
    async fn together(auth: Auth) -> Answered {
        let mut session = auth.dynamic().await?;
        session.insert("cart.items", &[5])?;
        session.insert("cart.views", &10)?;
        session.insert("cart.seen", &[5])?;
        let mut cart = auth.checkout::<Cart>().await?;
        assert_eq!((&*cart.items, cart.views), (&[5][..], 10));
        cart.items.push(6);
        cart.views += 1;
        cart.seen.push(6);
        assert_eq!(session.get::<u8>("cart.views")?, Some(10));
        drop(cart);
        assert_eq!(session.get::<u8>("cart.views")?, Some(11));
        session.insert("cart.theme", "light")?;
        Ok(Reply::ok(session.get::<Value>("cart.items")?.unwrap()))
    }

    /// Inserts until there is no room, makes some, and goes on.
    async fn flood(mut session: DynamicSession) -> Answered {
        let value = "1".repeat(100);
        let keys = (0..100).map(|number| format!("k{number}"));
        let refused = keys.enumerate().find_map(|(number, key)| Some((number, session.insert(&key, &value).err()?)));
        let (inserted, error) = refused.expect("there is an end");
        session.insert("k0", &value)?;
        session.remove("k1");
        session.insert("more", &value)?;
        Ok(Reply::ok(format!("{inserted} {:?}", error.kind())))
    }

    async fn clear_under_a_struct(mut cart: Session<Cart>, auth: Auth, mut session: DynamicSession) -> Answered {
        cart.items.push(3);
        session.clear();
        auth.checkout::<Cart>().await?.views += 1;
        session.insert("after", &1)?;
        Ok(Reply::ok(session.keys().join(" ")))
    }

    async fn switch(auth: Auth, mut session: DynamicSession) -> Answered {
        session.insert("before", &1)?;
        auth.login("bob").await?;
        session.insert("stale", &1)?;
        assert!(session.get::<u32>("before")?.is_none() && session.keys().is_empty() && !session.remove("cart.theme"));
        session.clear();
        let mut session = auth.dynamic().await?;
        session.insert("fresh", &1)?;
        Ok(Reply::ok(session.keys().join(" ")))
    }

    async fn clear_and_switch(auth: Auth, mut session: DynamicSession) -> Answered {
        session.clear();
        session.insert("before", &1)?;
        auth.login("bob").await?;
        auth.dynamic().await?.insert("fresh", &1)?;
        Ok(Reply::ok(""))
    }

    async fn slowly(mut session: DynamicSession, Shared(gates): Shared) -> Answered {
        session.insert("slow", &1)?;
        session.insert("both", &"slow")?;
        gates.pass("slow").await;
        Ok(Reply::ok(""))
    }

    async fn logout(auth: Auth) -> Answered {
        auth.logout().await?;
        Ok(Reply::ok(""))
    }

    async fn me(auth: Auth) -> Answered {
        Ok(Reply::ok(format!("{:?}", auth.user_id().await?)))
    }

    async fn start(bench: &Bench) -> Server {
        let routes = routes![
            "/" => run,
            "/number" => number,
            "/or-nothing" => or_nothing,
            "/nested" => nested,
            "/show" => show,
            "/together" => together,
            "/clear-under-a-struct" => clear_under_a_struct,
            "/switch" => switch,
            "/clear-and-switch" => clear_and_switch,
            "/slowly" => slowly,
            "/logout" => logout,
            "/me" => me,
        ];
        serve(bench, routes).await
    }

    async fn ada(bench: &Bench, server: &Server) -> Visitor {
        let full = || Cart {
            items: vec![1, 2],
            views: 3,
            seen: vec![1],
            theme: "dark".into(),
            code: Some("the code of ada".into()),
        };
        server.visitor_with(&TestSession::new(&bench.manager()).login("ada").with(move |cart| *cart = full()).await)
    }

    async fn row_07_values_are_stored_under_their_keys(bench: Bench) {
        let server = start(&bench).await;
        let visitor = server.visitor();
        // Looking stores nothing, nor does taking back what was written.
        for looks in ["get name", "keys", "remove name", "clear", "insert name 1\nremove name"] {
            assert!(visitor.post("/", looks).await.cookies().is_empty(), "{looks}");
        }
        assert_eq!(bench.store.take().total(), 0);
        visitor.post("/", r#"insert name {"first": ["Ada"]}"#).await;
        assert_eq!(visitor.post("/", "get name").await.body, r#"Some(Object {"first": Array [String("Ada")]})"#);
        assert_eq!(bench.store.take(), Calls { insert: 1, load: 1, ..Calls::default() });
        assert_eq!(visitor.post("/", "insert a 1\ninsert b null\nremove name\nget a").await.body, "Some(Number(1))");
        assert_eq!(visitor.post("/", "keys").await.body, "a b");
        assert_eq!(visitor.post("/", "get b").await.body, "Some(Null)");
        assert_eq!(visitor.post("/", "get name").await.body, "None");
        assert_eq!(visitor.post("/", "remove a").await.body, "true");
        assert_eq!(visitor.post("/", "remove a").await.body, "false");
        bench.store.take();
        // An equal value is no change.
        visitor.post("/", "insert b null").await;
        assert_eq!(bench.store.take(), Calls { load: 1, ..Calls::default() });
    }

    async fn row_07_nested_changes_are_seen(bench: Bench) {
        let server = start(&bench).await;
        let visitor = server.visitor();
        visitor.post("/", "insert items [1]\ninsert settings {\"theme\": {}}\ninsert same [ 1 ]\ninsert untouched 1").await;
        let before = bench.dump();
        assert_eq!(visitor.get("/nested").await.body, "true");
        assert_eq!(visitor.post("/", "get items").await.body, "Some(Array [Number(1), Number(7)])");
        let settings = r#"Some(Object {"theme": Object {"dark": Bool(true)}})"#;
        assert_eq!(visitor.post("/", "get settings").await.body, settings);
        assert_ne!(before, bench.dump());
        visitor.post("/", "remove items\nremove settings").await;
        bench.store.take();
        visitor.get("/nested").await;
        assert_eq!(bench.store.take(), Calls { load: 1, ..Calls::default() }, "nothing changed");
    }

    async fn row_07_the_map_and_the_structs_are_one_record(bench: Bench) {
        let server = start(&bench).await;
        let visitor = ada(&bench, &server).await;
        let keys = "cart.code cart.items cart.seen cart.theme cart.views";
        assert_eq!(visitor.post("/", "keys").await.body, keys);
        assert_eq!(visitor.post("/", "get cart.views").await.body, "Some(Number(3))");
        visitor.post("/", "insert cart.items [9]\nremove cart.code\ninsert items 1").await;
        assert_eq!(visitor.get("/show").await.body, r#"[9] 3 [1] dark None"#);
        assert_eq!(visitor.get("/together").await.body, "[5,6]");
        assert_eq!(visitor.get("/show").await.body, r#"[5, 6] 11 [5, 6] light None"#);
        assert_eq!(visitor.post("/", "get items").await.body, "Some(Number(1))");
    }

    async fn row_07_clear_removes_everything_but_the_login(bench: Bench) {
        let server = start(&bench).await;
        let visitor = ada(&bench, &server).await;
        bench.store.take();
        let token = visitor.token();
        assert_eq!(visitor.post("/", "insert before 1\nclear\ninsert after 1\nget cart.items").await.body, "None");
        assert_eq!(bench.store.take(), Calls { load: 1, replace: 1, ..Calls::default() });
        assert_eq!(visitor.post("/", "keys").await.body, "after");
        assert_eq!(visitor.get("/show").await.body, r#"[] 0 []  None"#);
        assert_eq!((visitor.get("/me").await.body, visitor.token()), ("Some(\"ada\")".into(), token));
    }

    async fn row_07_a_logout_destroys_the_session(bench: Bench) {
        let server = start(&bench).await;
        let visitor = server.visitor();
        visitor.post("/", "insert name 1").await;
        let thief = visitor.fork();
        visitor.get("/logout").await;
        assert_eq!((visitor.token(), bench.sessions()), (None, 0));
        assert_eq!(thief.post("/", "keys").await.body, "");
    }

    async fn a_struct_from_before_a_clear_is_not_stored(bench: Bench) {
        let log = Log::collect();
        let server = start(&bench).await;
        let visitor = ada(&bench, &server).await;
        assert_eq!(visitor.get("/clear-under-a-struct").await.body, "after cart.views");
        assert_eq!(visitor.get("/show").await.body, r#"[] 1 []  None"#);
        assert!(log.text().contains("contribution_discarded"));
    }

    async fn a_clear_before_another_user_leaves_nothing_to_carry(bench: Bench) {
        let server = start(&bench).await;
        let visitor = ada(&bench, &server).await;
        visitor.get("/clear-and-switch").await;
        assert_eq!(visitor.post("/", "keys").await.body, "fresh");
        assert_eq!(visitor.get("/me").await.body, "Some(\"bob\")");
    }

    async fn a_replaced_value_keeps_its_flags(bench: Bench) {
        let server = start(&bench).await;
        let visitor = ada(&bench, &server).await;
        bench.clock.advance(Duration::from_secs(5 * 60));
        visitor.post("/", "insert cart.theme \"light\"\ninsert cart.code \"0815\"\ninsert own 1").await;
        assert_eq!(visitor.get("/show").await.body, r#"[1, 2] 3 [1] light Some("0815")"#);
        // The code ends when the one that it replaced would have.
        bench.clock.advance(Duration::from_secs(5 * 60));
        assert_eq!(visitor.get("/show").await.body, r#"[1, 2] 3 [1] light None"#);
        assert_eq!(visitor.post("/", "keys").await.body, "cart.items cart.seen cart.theme cart.views own");
        // What is carried still is.
        visitor.get("/switch").await;
        assert_eq!(visitor.post("/", "keys").await.body, "cart.theme fresh");
    }

    async fn a_map_from_before_another_user_is_empty_and_discarded(bench: Bench) {
        let log = Log::collect();
        let server = start(&bench).await;
        let visitor = ada(&bench, &server).await;
        visitor.post("/", "insert private 1").await;
        assert_eq!(visitor.get("/switch").await.body, "cart.theme fresh");
        assert_eq!(visitor.post("/", "keys").await.body, "cart.theme fresh");
        assert!(log.text().contains("key=stale"), "{}", log.text());
    }

    async fn maps_of_two_requests_both_win(bench: Bench) {
        let server = start(&bench).await;
        let visitor = server.visitor();
        visitor.post("/", "insert own 1").await;
        let slow = visitor.get_in_background("/slowly");
        bench.gates.arrived("slow", 1).await;
        visitor.post("/", "insert fast 1\ninsert both \"fast\"").await;
        bench.gates.open("slow", 1);
        slow.await.unwrap();
        assert_eq!(visitor.post("/", "keys").await.body, "both fast own slow");
        assert_eq!(visitor.post("/", "get both").await.body, "Some(String(\"slow\"))");
    }

    async fn structs_merge_with_what_the_map_wrote(bench: Bench) {
        let server = start(&bench).await;
        let visitor = ada(&bench, &server).await;
        visitor.post("/", "insert cart.views 254").await;
        visitor.get("/clear-under-a-struct").await;
        visitor.post("/", "insert cart.views 255").await;
        assert_eq!(visitor.get("/show").await.body, r#"[] 255 []  None"#);
        visitor.get("/together").await;
        assert_eq!(visitor.get("/show").await.body, r#"[5, 6] 11 [5, 6] light None"#);
    }

    async fn a_value_that_does_not_fit_is_named_and_not_shown(bench: Bench) {
        let log = Log::collect();
        let server = start(&bench).await;
        let visitor = ada(&bench, &server).await;
        let answer = visitor.get("/number").await;
        assert!(answer.status == 500 && !answer.body.contains("cart.code"), "{}", answer.body);
        assert!(log.text().contains("`cart.code`"), "{}", log.text());
        assert!(log.text().contains("it is not a `u64`") && !log.text().contains("the code of ada"), "{}", log.text());
        // The handler may go on without it.
        assert_eq!((visitor.get("/or-nothing").await.status, visitor.get("/or-nothing").await.body), (200, "true".into()));
    }

    async fn keys_that_no_store_can_hold_are_refused(bench: Bench) {
        let log = Log::collect();
        let server = start(&bench).await;
        let visitor = server.visitor();
        for key in ["", "@", "@user", "cart.@version", "csrf.@seed"] {
            let answer = visitor.post("/", &format!("insert {key} 1")).await;
            let says = format!("`{key}` cannot be a key");
            assert!(answer.status == 500 && log.text().contains(&says), "{} {}", answer.body, log.text());
        }
        assert!(bench.store.take().total() == 0 && visitor.token().is_none());
        let strange = ["!", "!@user", "ü", "a.b.c", "x\u{0}"];
        for key in strange {
            visitor.post("/", &format!("insert {key} 1")).await;
            assert_eq!(visitor.post("/", &format!("get {key}")).await.body, "Some(Number(1))", "{key}");
        }
        assert_eq!(visitor.post("/", "keys").await.body.split(' ').count(), strange.len());
    }

    async fn what_is_too_large_is_refused_when_it_is_inserted(bench: Bench) {
        let bench = bench.with_config(|config| config.max_record_size(400));
        let server = serve(&bench, routes!["/flood" => flood, "/" => run]).await;
        let visitor = server.visitor();
        let answer = visitor.get("/flood").await;
        assert_eq!((answer.status, &*answer.body), (200, "3 RecordTooLarge"));
        assert_eq!(visitor.post("/", "keys").await.body, "k0 k2 more");
    }

    async fn a_cleared_session_has_room_again(bench: Bench) {
        let bench = bench.with_config(|config| config.max_record_size(400));
        let server = start(&bench).await;
        let visitor = server.visitor();
        let big = "1".repeat(300);
        visitor.post("/", &format!("insert big \"{big}\"")).await;
        assert_eq!(visitor.post("/", &format!("insert more \"{big}\"")).await.status, 500);
        assert_eq!(visitor.post("/", &format!("clear\ninsert more \"{big}\"")).await.status, 200);
        assert_eq!(visitor.post("/", "keys").await.body, "more");
    }
}

//! Handles: they read, change and commit in rounds, from websockets, streamed bodies and spawned tasks.

use std::time::Duration;

use sessionkit::SessionData;
use sessionkit::testing::{Calls, TestSession};
use sessionkit_tests::behaviour;
use sessionkit_tests::harness::{Bench, Gates, Log, Server, Visitor};

#[derive(SessionData)]
struct Chat {
    #[session(merge = add)]
    lines: u32,
    #[session(merge = append)]
    log: Vec<String>,
    topic: String,
}

behaviour! {
    tests: [
        row_24_a_websocket_reads_and_changes_the_session,
        row_24_a_websocket_sees_a_logout,
        row_24_a_guard_stands_before_the_upgrade,
        row_24_an_upgrade_begins_the_session_that_its_handle_goes_on_with,
        a_handle_is_over_after_a_rotation_elsewhere,
        a_handle_goes_on_after_a_renewal_and_renews_nothing,
        a_handle_keeps_its_session_in_use,
        a_handle_of_nobody_begins_no_session,
        a_stream_reads_afresh,
        a_handle_merges_with_what_requests_store,
        a_handle_waits_for_its_request_to_end,
        a_handle_refuses_to_wait_for_itself,
        a_handle_outlives_a_client_that_left,
        a_handle_outlives_a_client_that_left_though_its_task_keeps_the_session,
        a_commit_without_changes_makes_no_call,
        changes_that_are_not_committed_are_reported,
    ];

    type Answered = Result<Reply, SessionRejection>;

    /// Answers what it is told with the session as it is.
    async fn talk(mut socket: Socket, mut handle: SessionHandle) {
        while let Some(line) = socket.receive().await {
            if !handle.reload().await.unwrap() {
                let refused = handle.checkout::<Chat>().await.unwrap_err();
                assert!(handle.user_id().await.unwrap().is_none() && handle.info().await.unwrap().is_none());
                socket.send(refused.to_string()).await;
                continue;
            }
            handle.checkout::<Chat>().await.unwrap().lines += 1;
            handle.checkout::<Chat>().await.unwrap().log.push(line);
            handle.commit().await.unwrap();
            let (user, chat) = (handle.user_id().await.unwrap(), handle.view::<Chat>().await.unwrap());
            let name = user.as_deref().unwrap_or("nobody");
            socket.send(format!("{name} {} {} {:?}", chat.lines, chat.topic, chat.log)).await;
        }
    }

    async fn chat(mut chat: Session<Chat>, handle: SessionHandle, request: Upgrade) -> Answering {
        chat.topic = "upgraded".into();
        upgrade(request, |socket| talk(socket, handle))
    }

    #[session(require_login)]
    async fn guarded(handle: SessionHandle, request: Upgrade) -> Answering {
        upgrade(request, |socket| talk(socket, handle))
    }

    /// For a visitor who has no session.
    async fn lurk(handle: SessionHandle, request: Upgrade) -> Answering {
        upgrade(request, |socket| talk(socket, handle))
    }

    /// Tells the topic each time that it may pass the gate.
    async fn topics(handle: SessionHandle, Shared(gates): Shared) -> Answering {
        let topics = futures_util::stream::unfold((handle, gates), |(mut handle, gates)| async move {
            gates.pass("topic").await;
            if !handle.reload().await.unwrap() {
                return None;
            }
            let topic = handle.view::<Chat>().await.unwrap().topic;
            gates.note("told");
            Some((topic, (handle, gates)))
        });
        stream(topics)
    }

    async fn set(mut chat: Session<Chat>, topic: Body) -> Reply {
        chat.log.push(topic.clone());
        chat.topic = topic;
        Reply::ok("")
    }

    async fn show(chat: SessionView<Chat>, auth: Auth) -> Answered {
        let user = auth.user_id().await?;
        let name = user.as_deref().unwrap_or("nobody");
        Ok(Reply::ok(format!("{name} {} {} {:?}", chat.lines, chat.topic, chat.log)))
    }

    async fn logout(auth: Auth) -> Answered {
        auth.logout().await?;
        Ok(Reply::ok(""))
    }

    async fn rotate(auth: Auth) -> Answered {
        auth.rotate().await?;
        Ok(Reply::ok(""))
    }

    /// Adds a line, and stores it when it may.
    async fn work(mut handle: SessionHandle, gates: Gates) {
        handle.checkout::<Chat>().await.unwrap().log.push("work".into());
        gates.pass("work").await;
        gates.note(if handle.commit().await.is_ok() { "stored" } else { "lost" });
    }

    async fn begin_work(handle: SessionHandle, Shared(gates): Shared) -> Reply {
        tokio::spawn(work(handle, gates));
        Reply::ok("")
    }

    /// Logs in and changes the session while a task of its own would like to go on.
    async fn login_and_begin_work(auth: Auth, handle: SessionHandle, Shared(gates): Shared) -> Answered {
        tokio::spawn(work(handle.clone(), gates.clone()));
        auth.login("ada").await?;
        auth.checkout::<Chat>().await?.log.push("request".into());
        tokio::spawn(async move { work(handle, gates).await });
        Ok(Reply::ok(""))
    }

    async fn wait_and_leave(mut chat: Session<Chat>, handle: SessionHandle, Shared(gates): Shared) -> Reply {
        chat.log.push("request".into());
        tokio::spawn(work(handle, gates.clone()));
        gates.pass("handler").await;
        Reply::ok("")
    }

    /// The task keeps the request's session while it waits for the request's end.
    async fn wait_and_keep(auth: Auth, handle: SessionHandle, Shared(gates): Shared) -> Reply {
        let working = work(handle, gates.clone());
        tokio::spawn(async move {
            working.await;
            drop(auth);
        });
        gates.pass("handler").await;
        Reply::ok("")
    }

    async fn too_soon(handle: SessionHandle) -> Answered {
        Ok(Reply::ok(handle.view::<Chat>().await?.topic))
    }

    async fn look_only(mut handle: SessionHandle, Shared(gates): Shared) -> Reply {
        tokio::spawn(async move {
            handle.view::<Chat>().await.unwrap();
            handle.commit().await.unwrap();
            handle.commit().await.unwrap();
            gates.note("looked");
        });
        Reply::ok("")
    }

    async fn forget(handle: SessionHandle, Shared(gates): Shared) -> Reply {
        tokio::spawn(async move {
            handle.checkout::<Chat>().await.unwrap().topic = "forgotten".into();
            drop(handle);
            gates.note("forgotten");
        });
        Reply::ok("")
    }

    async fn start(bench: &Bench) -> Server {
        let routes = routes![
            "/chat" => chat,
            "/guarded" => guarded,
            "/lurk" => lurk,
            "/topics" => topics,
            "/set" => set,
            "/show" => show,
            "/logout" => logout,
            "/rotate" => rotate,
            "/begin-work" => begin_work,
            "/login-and-begin-work" => login_and_begin_work,
            "/wait-and-leave" => wait_and_leave,
            "/wait-and-keep" => wait_and_keep,
            "/too-soon" => too_soon,
            "/look-only" => look_only,
            "/forget" => forget,
        ];
        serve(bench, routes).await
    }

    async fn ada(bench: &Bench, server: &Server) -> Visitor {
        server.visitor_with(&TestSession::new(&bench.manager()).login("ada").await)
    }

    async fn row_24_a_websocket_reads_and_changes_the_session(bench: Bench) {
        let server = start(&bench).await;
        let visitor = ada(&bench, &server).await;
        let mut socket = visitor.open("/chat").await.unwrap();
        assert_eq!(socket.ask("one").await.unwrap(), r#"ada 1 upgraded ["one"]"#);
        visitor.post("/set", "weather").await;
        assert_eq!(socket.ask("two").await.unwrap(), r#"ada 2 weather ["one", "weather", "two"]"#);
        assert_eq!(visitor.get("/show").await.body, r#"ada 2 weather ["one", "weather", "two"]"#);
    }

    async fn row_24_a_websocket_sees_a_logout(bench: Bench) {
        let server = start(&bench).await;
        let visitor = ada(&bench, &server).await;
        let mut socket = visitor.open("/chat").await.unwrap();
        socket.ask("one").await.unwrap();
        visitor.get("/logout").await;
        assert!(socket.ask("two").await.unwrap().contains("has ended"));
        assert_eq!(bench.sessions(), 0);
    }

    async fn row_24_a_guard_stands_before_the_upgrade(bench: Bench) {
        let server = start(&bench).await;
        let visitor = server.visitor();
        assert_eq!(visitor.open("/guarded").await.err(), Some(401));
        let visitor = ada(&bench, &server).await;
        let mut socket = visitor.open("/guarded").await.unwrap();
        assert_eq!(socket.ask("one").await.unwrap(), r#"ada 1  ["one"]"#);
    }

    async fn row_24_an_upgrade_begins_the_session_that_its_handle_goes_on_with(bench: Bench) {
        let server = start(&bench).await;
        let visitor = server.visitor();
        let mut socket = visitor.open("/chat").await.unwrap();
        assert!(visitor.token().is_some());
        assert_eq!(socket.ask("one").await.unwrap(), r#"nobody 1 upgraded ["one"]"#);
        assert_eq!(visitor.get("/show").await.body, r#"nobody 1 upgraded ["one"]"#);
    }

    async fn a_handle_is_over_after_a_rotation_elsewhere(bench: Bench) {
        let server = start(&bench).await;
        let visitor = ada(&bench, &server).await;
        let mut socket = visitor.open("/chat").await.unwrap();
        visitor.get("/begin-work").await;
        bench.gates.arrived("work", 1).await;
        visitor.get("/rotate").await;
        assert!(socket.ask("one").await.unwrap().contains("has ended"));
        bench.gates.open("work", 1);
        bench.gates.arrived("lost", 1).await;
        assert_eq!(visitor.get("/show").await.body, "ada 0 upgraded []");
    }

    async fn a_handle_goes_on_after_a_renewal_and_renews_nothing(bench: Bench) {
        let bench = bench.with_config(|config| config.renew_after(Duration::from_secs(600)));
        let server = start(&bench).await;
        let visitor = ada(&bench, &server).await;
        let mut socket = visitor.open("/chat").await.unwrap();
        bench.clock.advance(Duration::from_secs(600));
        let old = visitor.token();
        assert_eq!(socket.ask("one").await.unwrap(), r#"ada 1 upgraded ["one"]"#);
        // The client's next request renews the token, since the handle did not.
        visitor.post("/set", "renewed").await;
        assert_ne!(visitor.token(), old);
        assert_eq!(socket.ask("two").await.unwrap(), r#"ada 2 renewed ["one", "renewed", "two"]"#);
    }

    async fn a_handle_keeps_its_session_in_use(bench: Bench) {
        let server = start(&bench).await;
        let visitor = ada(&bench, &server).await;
        let mut socket = visitor.open("/chat").await.unwrap();
        for _ in 0..3 {
            bench.clock.advance(Duration::from_secs(20 * 60 * 60));
            assert!(socket.ask("one").await.unwrap().starts_with("ada"));
        }
        bench.clock.advance(Duration::from_secs(24 * 60 * 60));
        assert!(socket.ask("two").await.unwrap().contains("has ended"));
    }

    async fn a_handle_of_nobody_begins_no_session(bench: Bench) {
        let server = start(&bench).await;
        let visitor = server.visitor();
        let mut socket = visitor.open("/lurk").await.unwrap();
        assert!(socket.ask("one").await.unwrap().contains("there is no session"));
        assert!(visitor.token().is_none());
        assert_eq!((bench.sessions(), bench.store.take().total()), (0, 0));
    }

    async fn a_stream_reads_afresh(bench: Bench) {
        let server = start(&bench).await;
        let visitor = server.visitor();
        visitor.post("/set", "one,").await;
        let topics = visitor.get_in_background("/topics");
        for topic in ["two,", "three."] {
            bench.gates.arrived("topic", 1).await;
            bench.gates.open("topic", 1);
            bench.gates.arrived("told", 1).await;
            visitor.post("/set", topic).await;
        }
        bench.gates.arrived("topic", 1).await;
        bench.gates.open("topic", 1);
        bench.gates.arrived("told", 1).await;
        visitor.get("/logout").await;
        bench.gates.open("topic", 1);
        assert_eq!(topics.await.unwrap().body, "one,two,three.");
    }

    async fn a_handle_merges_with_what_requests_store(bench: Bench) {
        let server = start(&bench).await;
        let visitor = server.visitor();
        visitor.post("/set", "a").await;
        visitor.get("/begin-work").await;
        bench.gates.arrived("work", 1).await;
        visitor.post("/set", "b").await;
        bench.store.take();
        bench.gates.open("work", 1);
        bench.gates.arrived("stored", 1).await;
        // The first commit meets a conflict, and the second one merges.
        assert_eq!(bench.store.take(), Calls { replace: 2, ..Calls::default() });
        assert_eq!(visitor.get("/show").await.body, r#"nobody 0 b ["a", "b", "work"]"#);
    }

    async fn a_handle_waits_for_its_request_to_end(bench: Bench) {
        let server = start(&bench).await;
        let visitor = server.visitor();
        let waiting = visitor.get_in_background("/wait-and-leave");
        bench.gates.arrived("handler", 1).await;
        assert_eq!(bench.gates.noted("work"), 0);
        bench.gates.open("handler", 1);
        waiting.await.unwrap();
        bench.gates.arrived("work", 1).await;
        bench.gates.open("work", 1);
        bench.gates.arrived("stored", 1).await;
        assert_eq!(visitor.get("/show").await.body, r#"nobody 0  ["request", "work"]"#);
        // A login is seen by handles from before it and from after it.
        visitor.get("/login-and-begin-work").await;
        bench.gates.arrived("work", 2).await;
        bench.gates.open("work", 2);
        bench.gates.arrived("stored", 2).await;
        assert_eq!(visitor.get("/show").await.body, r#"ada 0  ["request", "work", "request", "work", "work"]"#);
    }

    async fn a_handle_refuses_to_wait_for_itself(bench: Bench) {
        let server = start(&bench).await;
        let visitor = server.visitor();
        visitor.post("/set", "a").await;
        let answer = visitor.get("/too-soon").await;
        assert!(answer.status == 500 && answer.body.contains("begins when the response is sent"), "{}", answer.body);
    }

    async fn a_handle_outlives_a_client_that_left(bench: Bench) {
        let server = start(&bench).await;
        let visitor = server.visitor();
        visitor.post("/set", "a").await;
        let mut request = visitor.begin("/wait-and-leave").await;
        bench.gates.arrived("handler", 1).await;
        request.leave(DROPS_HANDLERS).await;
        bench.gates.open("handler", 1);
        bench.gates.open("work", 1);
        bench.gates.arrived("stored", 1).await;
        let kept = if DROPS_HANDLERS { r#"["a", "work"]"# } else { r#"["a", "request", "work"]"# };
        assert_eq!(visitor.get("/show").await.body, format!("nobody 0 a {kept}"));
    }

    async fn a_handle_outlives_a_client_that_left_though_its_task_keeps_the_session(bench: Bench) {
        let server = start(&bench).await;
        let visitor = server.visitor();
        visitor.post("/set", "a").await;
        let mut request = visitor.begin("/wait-and-keep").await;
        bench.gates.arrived("handler", 1).await;
        request.leave(DROPS_HANDLERS).await;
        bench.gates.open("handler", 1);
        bench.gates.open("work", 1);
        bench.gates.arrived("stored", 1).await;
        assert_eq!(visitor.get("/show").await.body, r#"nobody 0 a ["a", "work"]"#);
    }

    async fn a_commit_without_changes_makes_no_call(bench: Bench) {
        let server = start(&bench).await;
        let visitor = server.visitor();
        visitor.post("/set", "a").await;
        bench.store.take();
        visitor.get("/look-only").await;
        bench.gates.arrived("looked", 1).await;
        assert_eq!(bench.store.take(), Calls { load: 2, ..Calls::default() });
    }

    async fn changes_that_are_not_committed_are_reported(bench: Bench) {
        let log = Log::collect();
        let server = start(&bench).await;
        let visitor = server.visitor();
        visitor.post("/set", "a").await;
        visitor.get("/forget").await;
        bench.gates.arrived("forgotten", 1).await;
        assert!(log.text().contains("uncommitted"), "{}", log.text());
        assert_eq!(visitor.get("/show").await.body, r#"nobody 0 a ["a"]"#);
    }
}

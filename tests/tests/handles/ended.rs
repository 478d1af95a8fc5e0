//! Websockets and streams that close when their session ends.

use std::time::Duration;

use sessionkit_tests::behaviour;
use sessionkit_tests::harness::{Bench, Server, Visitor};

/// The events that end a session, besides its deadline.
const ENDS: [&str; 4] = ["/logout", "/rotate", "/login", "revocation"];

async fn end(bench: &Bench, visitor: &Visitor, end: &str) {
    match end {
        "revocation" => bench.manager().devices_of("ada").end_all().await.unwrap(),
        path => assert_eq!(visitor.fork().get(path).await.status, 200),
    }
}

mod polled {
    use super::*;

    behaviour! {
        tests: [
            row_24_a_websocket_closes_when_its_session_ends_elsewhere,
            row_24_a_stream_closes_when_its_session_ends_elsewhere,
            both_close_at_the_deadline,
            watching_is_no_use_of_the_session,
            a_handler_does_not_wait_for_itself,
            where_there_is_no_session_there_is_nothing_to_wait_for,
        ];

        type Answered = Result<Reply, SessionRejection>;

        async fn login(auth: Auth) -> Answered {
            auth.login("ada").await?;
            Ok(Reply::ok("ada"))
        }

        async fn rotate(auth: Auth) -> Answered {
            auth.rotate().await?;
            Ok(Reply::ok("rotated"))
        }

        async fn logout(auth: Auth) -> Answered {
            auth.logout().await?;
            Ok(Reply::ok("bye"))
        }

        async fn socket(handle: SessionHandle, request: Upgrade) -> Answering {
            upgrade(request, |mut socket| async move {
                socket.send("open").await;
                handle.ended().await.unwrap();
                socket.send("over").await;
            })
        }

        async fn events(handle: SessionHandle, Shared(gates): Shared) -> Answering {
            let events = futures_util::stream::unfold(0, move |step| {
                let (ended, gates) = (handle.ended(), gates.clone());
                async move {
                    match step {
                        0 => Some(("open ".to_owned(), 1)),
                        1 => {
                            gates.note("watching");
                            ended.await.unwrap();
                            Some(("over".to_owned(), 2))
                        }
                        _ => None,
                    }
                }
            });
            stream(events)
        }

        async fn wait(handle: SessionHandle) -> Reply {
            Reply::ok(handle.ended().await.unwrap_err())
        }

        async fn start(bench: &Bench) -> Server {
            let routes = routes![
                "/login" => login, "/rotate" => rotate, "/logout" => logout, "/socket" => socket, "/events" => events,
                "/wait" => wait,
            ];
            serve(bench, routes).await
        }

        fn polling(bench: Bench) -> Bench {
            let hour = Duration::from_secs(3600);
            bench.with_config(|config| config.track_devices(true).ttl(hour).watch_interval(Duration::from_millis(20)))
        }

        async fn websockets_close(bench: &Bench) {
            let server = start(bench).await;
            for way in ENDS {
                let visitor = server.visitor();
                visitor.get("/login").await;
                let mut socket = visitor.open("/socket").await.unwrap();
                assert_eq!(socket.hear().await.as_deref(), Some("open"));
                end(bench, &visitor, way).await;
                assert_eq!(socket.hear().await.as_deref(), Some("over"), "{way}");
            }
        }

        async fn row_24_a_websocket_closes_when_its_session_ends_elsewhere(bench: Bench) {
            websockets_close(&polling(bench)).await;
        }

        async fn streams_close(bench: &Bench) {
            let server = start(bench).await;
            for way in ENDS {
                let visitor = server.visitor();
                visitor.get("/login").await;
                let events = visitor.fork().get_in_background("/events");
                bench.gates.arrived("watching", 1).await;
                assert!(!events.is_finished());
                end(bench, &visitor, way).await;
                assert_eq!(events.await.unwrap().body, "open over", "{way}");
            }
        }

        async fn row_24_a_stream_closes_when_its_session_ends_elsewhere(bench: Bench) {
            streams_close(&polling(bench)).await;
        }

        async fn both_close_at_the_deadline(bench: Bench) {
            let bench = polling(bench);
            let server = start(&bench).await;
            let visitor = server.visitor();
            visitor.get("/login").await;
            let mut socket = visitor.open("/socket").await.unwrap();
            let events = visitor.fork().get_in_background("/events");
            bench.gates.arrived("watching", 1).await;
            assert_eq!(socket.hear().await.as_deref(), Some("open"));
            bench.clock.advance(Duration::from_secs(3599));
            tokio::task::yield_now().await;
            assert!(!events.is_finished());
            bench.clock.advance(Duration::from_secs(1));
            assert_eq!(socket.hear().await.as_deref(), Some("over"));
            assert_eq!(events.await.unwrap().body, "open over");
        }

        async fn watching_is_no_use_of_the_session(bench: Bench) {
            let bench = polling(bench);
            let server = start(&bench).await;
            let visitor = server.visitor();
            visitor.get("/login").await;
            let events = visitor.fork().get_in_background("/events");
            bench.gates.arrived("watching", 1).await;
            bench.clock.advance(Duration::from_secs(1800));
            let mut seen = bench.store.take();
            while seen.load < 3 {
                tokio::task::yield_now().await;
                let more = bench.store.take();
                assert_eq!(more.total(), more.load);
                seen.load += more.load;
            }
            bench.clock.advance(Duration::from_secs(1800));
            assert_eq!(events.await.unwrap().body, "open over", "it ends where it would have ended");
        }

        async fn a_handler_does_not_wait_for_itself(bench: Bench) {
            let bench = polling(bench);
            let server = start(&bench).await;
            let visitor = server.visitor();
            visitor.get("/login").await;
            assert!(visitor.get("/wait").await.body.contains("begins when the response is sent"));
        }

        async fn where_there_is_no_session_there_is_nothing_to_wait_for(bench: Bench) {
            let server = start(&polling(bench)).await;
            assert_eq!(server.visitor().get("/events").await.body, "open over");
        }
    }
}

/// Tests with a long `watch_interval`, so that only a notice of the store can report the end in time.
mod noticed {
    use super::*;

    behaviour! {
        tests: [a_notice_comes_at_once];

        async fn login(auth: Auth) -> Result<Reply, SessionRejection> {
            auth.login("ada").await?;
            Ok(Reply::ok("ada"))
        }

        async fn rotate(auth: Auth) -> Result<Reply, SessionRejection> {
            auth.rotate().await?;
            Ok(Reply::ok("rotated"))
        }

        async fn logout(auth: Auth) -> Result<Reply, SessionRejection> {
            auth.logout().await?;
            Ok(Reply::ok("bye"))
        }

        async fn socket(handle: SessionHandle, request: Upgrade) -> Answering {
            upgrade(request, |mut socket| async move {
                socket.send("open").await;
                handle.ended().await.unwrap();
                socket.send("over").await;
            })
        }

        async fn a_notice_comes_at_once(bench: Bench) {
            let bench = bench.with_config(|config| config.track_devices(true).watch_interval(Duration::from_secs(36_000)));
            let routes = routes!["/login" => login, "/rotate" => rotate, "/logout" => logout, "/socket" => socket];
            let server = serve(&bench, routes).await;
            for way in ENDS {
                let visitor = server.visitor();
                visitor.get("/login").await;
                let mut socket = visitor.open("/socket").await.unwrap();
                assert_eq!(socket.hear().await.as_deref(), Some("open"));
                end(&bench, &visitor, way).await;
                assert_eq!(socket.hear().await.as_deref(), Some("over"), "{way}");
            }
        }
    }
}

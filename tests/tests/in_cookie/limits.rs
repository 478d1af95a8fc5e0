//! The size of a cookie, and sessions that take several.

use std::time::Duration;

use sessionkit::testing::TestSession;
use sessionkit::{CookieSessions, KeyRing, SessionData};
use sessionkit_tests::both_frameworks;
use sessionkit_tests::harness::{Bench, Server};

use crate::sealed::{Client, bench};

#[derive(SessionData)]
#[session(scope = Client)]
struct Text {
    text: String,
}

/// The largest cookie that browsers keep.
const LARGEST: usize = 4096;

both_frameworks! {
    tests: [
        what_does_not_fit_is_a_500_and_the_cookie_stays,
        every_size_fits_or_is_refused,
        a_login_fits_beside_the_largest_fields,
        a_long_session_takes_several_cookies,
        a_shorter_session_leaves_no_chunk_behind,
        a_logout_removes_all_chunks,
        chunks_of_two_sessions_do_not_mix,
        a_missing_chunk_is_nobody,
        chunks_have_a_number,
        a_cookie_that_only_looks_like_a_chunk_stays,
        a_test_session_keeps_all_of_its_cookies,
    ];

    type Answered = Result<Reply, SessionRejection>;

    async fn write(text: Session<Text>, body: String) -> Reply {
        let mut text = text;
        text.text = body;
        Reply::ok("written")
    }

    async fn read(text: SessionView<Text>) -> Reply {
        Reply::ok(text.text.len())
    }

    async fn login(auth: Auth<Client>) -> Answered {
        auth.login("ada").device_label("a browser with a name of some length on a computer").await?;
        Ok(Reply::ok("ada"))
    }

    async fn logout(auth: Auth<Client>) -> Answered {
        auth.logout().await?;
        Ok(Reply::ok("bye"))
    }

    async fn start(bench: &Bench, most: usize) -> Server {
        let keys = KeyRing::generate();
        let sessions = match most {
            1 => CookieSessions::sealed(keys),
            most => CookieSessions::sealed_in_chunks(keys, most).expect("it is a number of chunks"),
        };
        let routes = routes!["/write" => write, "/read" => read, "/login" => login, "/logout" => logout];
        serve_with(bench, bench.in_cookie::<Client>(sessions).build(), routes).await
    }

    async fn what_does_not_fit_is_a_500_and_the_cookie_stays() {
        let bench = bench();
        let server = start(&bench, 1).await;
        let visitor = server.visitor();
        visitor.post("/write", "short").await;
        let answer = visitor.post("/write", &"x".repeat(5000)).await;
        assert_eq!((answer.status, answer.cookies().len()), (500, 0));
        assert_eq!(visitor.get("/read").await.body, "5");
    }

    async fn every_size_fits_or_is_refused() {
        let bench = bench();
        let server = start(&bench, 1).await;
        let visitor = server.visitor();
        let mut written = 0;
        for size in (2000..3200).step_by(40) {
            let answer = visitor.post("/write", &"x".repeat(size)).await;
            if answer.status == 200 {
                written = size;
                assert!(answer.cookies()[0].len() <= LARGEST, "{size}");
            } else {
                assert_eq!((answer.status, answer.cookies().len()), (500, 0));
            }
            assert_eq!(visitor.get("/read").await.body, written.to_string());
        }
        assert!((2000..3160).contains(&written), "{written}");
    }

    async fn a_login_fits_beside_the_largest_fields() {
        let bench = bench();
        let server = start(&bench, 1).await;
        let mut size = 3200;
        let visitor = server.visitor();
        while visitor.post("/write", &"x".repeat(size)).await.status != 200 {
            size -= 1;
        }
        // The guide says so.
        assert!((2300..2400).contains(&size), "{size}");
        let answer = visitor.get("/login").await;
        assert_eq!((answer.status, answer.cookies().len()), (200, 1));
        assert!(answer.cookies()[0].len() <= LARGEST);
        assert_eq!(visitor.get("/read").await.body, size.to_string());
    }

    async fn a_long_session_takes_several_cookies() {
        let bench = bench();
        let server = start(&bench, 4).await;
        let visitor = server.visitor();
        for (size, cookies) in [(100, 1), (5000, 2), (9000, 4), (100, 4)] {
            let answer = visitor.post("/write", &"x".repeat(size)).await;
            assert_eq!((answer.status, answer.cookies().len()), (200, cookies), "{size}");
            assert!(answer.cookies().iter().all(|cookie| cookie.len() <= LARGEST));
            assert_eq!(visitor.get("/read").await.body, size.to_string());
        }
        let answer = visitor.post("/write", &"x".repeat(20_000)).await;
        assert_eq!((answer.status, answer.cookies().len()), (500, 0));
        assert_eq!(visitor.get("/read").await.body, "100");
    }

    async fn a_shorter_session_leaves_no_chunk_behind() {
        let bench = bench();
        let server = start(&bench, 4).await;
        let visitor = server.visitor();
        visitor.post("/write", &"x".repeat(8000)).await;
        assert_eq!(visitor.cookie_names(), ["__Host-session", "__Host-session-1", "__Host-session-2"]);
        visitor.post("/write", &"x".repeat(4000)).await;
        assert_eq!(visitor.cookie_names(), ["__Host-session", "__Host-session-1"]);
        visitor.post("/write", "x").await;
        assert_eq!(visitor.cookie_names(), ["__Host-session"]);
        assert_eq!(visitor.get("/read").await.body, "1");
    }

    async fn a_logout_removes_all_chunks() {
        let bench = bench();
        let server = start(&bench, 4).await;
        let visitor = server.visitor();
        visitor.post("/write", &"x".repeat(8000)).await;
        let answer = visitor.get("/logout").await;
        assert!(answer.cookies().iter().all(|cookie| cookie.contains("Max-Age=0")), "{answer:?}");
        assert!(visitor.cookie_names().is_empty());
    }

    async fn chunks_of_two_sessions_do_not_mix() {
        let bench = bench();
        let server = start(&bench, 4).await;
        let (one, other) = (server.visitor(), server.visitor());
        one.post("/write", &"x".repeat(4000)).await;
        other.post("/write", &"y".repeat(4000)).await;
        let second = other.cookie("__Host-session-1").expect("there is a second one");
        one.set_cookie("__Host-session-1", &second);
        assert_eq!(one.get("/read").await.body, "0");
    }

    async fn a_missing_chunk_is_nobody() {
        let bench = bench();
        let server = start(&bench, 4).await;
        let visitor = server.visitor();
        visitor.post("/write", &"x".repeat(8000)).await;
        let first = format!("__Host-session={}", visitor.token().unwrap_or_default());
        let answer = visitor.send(reqwest::Method::GET, "/read", &[("cookie", first.as_bytes())], "").await;
        assert_eq!(answer.body, "0");
    }

    async fn a_test_session_keeps_all_of_its_cookies() {
        let sessions = CookieSessions::sealed_in_chunks(KeyRing::generate(), 4).expect("it is a number of chunks");
        let manager = bench().in_cookie::<Client>(sessions).build();
        let long = "x".repeat(8000);
        let session = TestSession::new(&manager).login("ada").authenticated_ago(Duration::from_secs(3600));
        let session = session.with(move |text: &mut Text| text.text = long).await;
        assert_eq!(session.user_id().await.as_deref(), Some("ada"));
        assert_eq!((session.view::<Text>().await.text.len(), session.cookie().matches('=').count()), (8000, 3));
    }

    async fn a_cookie_that_only_looks_like_a_chunk_stays() {
        let bench = bench();
        let server = start(&bench, 1).await;
        let visitor = server.visitor();
        visitor.set_cookie("__Host-session-1", "of another application");
        visitor.post("/write", "x").await;
        assert_eq!(visitor.get("/read").await.body, "1");
        visitor.get("/logout").await;
        assert_eq!(visitor.cookie_names(), ["__Host-session-1"]);
        // Nobody but a session says how many cookies it takes.
        visitor.set_token("2.x");
        visitor.post("/write", "x").await;
        assert_eq!(visitor.cookie_names(), ["__Host-session", "__Host-session-1"]);
    }

    async fn chunks_have_a_number() {
        for most in [0, 1, 9] {
            assert!(CookieSessions::sealed_in_chunks(KeyRing::generate(), most).is_err(), "{most}");
        }
    }
}

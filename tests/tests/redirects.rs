//! Tests of the addresses to which guards redirect users, and of the other answers that they may give.

use std::time::Duration;

use sessionkit::{Denial, DenialReason, LocalPath, Rejection, RequestHead, SessionData, SessionManager};
use sessionkit_tests::harness::{Answer, Bench, Log, Visitor};

fn office_login(head: &RequestHead<'_>) -> String {
    let language = if head.header("accept-language") == Some(b"de") { "de" } else { "en" };
    format!("/office/login?language={language}#form")
}

fn here(head: &RequestHead<'_>) -> String {
    format!("https://{}/mall/absolute?from=guard", head.host().unwrap_or_default())
}

fn no_address(_: &RequestHead<'_>) -> String {
    "/login\r\nset-cookie: stolen".to_owned()
}

fn page_of_the_guard(denial: &Denial<'_>) -> Rejection {
    match denial.reason {
        DenialReason::NotAllowed => Rejection::html(403, format!("<h1>{}</h1>", denial.user.as_deref().unwrap_or("?"))),
        _ => denial.answer(),
    }
}

fn fails(_: &Denial<'_>) -> Rejection {
    panic!("a page that cannot be made")
}

/// Opens a page whose address stands in the request as it is here.
async fn open_raw(visitor: &Visitor, target: &str) -> Answer {
    visitor.get_with_cookies(target, &[b"a=b\r\nsec-fetch-mode: navigate"]).await
}

async fn open(visitor: &Visitor, path: &str) -> Answer {
    visitor.send(reqwest::Method::GET, path, &[("sec-fetch-mode", b"navigate")], "").await
}

fn location(answer: &Answer) -> Option<&str> {
    answer.all("location").first().copied()
}

mod served {
    use super::*;
    use sessionkit_tests::both_frameworks;

    both_frameworks! {
        tests: [
            row_23_the_login_page_is_a_path_or_a_function_of_the_guard_or_of_the_layer,
            a_stale_login_is_sent_to_the_login_page_and_a_guest_page_sends_home,
            the_application_may_answer_the_denied,
            a_guard_costs_one_load_and_a_public_page_none,
            the_way_back_survives_a_link_and_a_session,
            the_way_back_keeps_what_users_typed_and_browsers_leave_raw,
            a_way_back_that_is_dropped_is_an_event,
            a_redirect_to_the_page_itself_is_a_500_that_names_the_mistake,
            what_a_proxy_strips_from_paths_stands_in_redirects,
            layers_inside_of_nested_paths_lead_back_to_the_whole_path,
        ];

        #[derive(serde::Deserialize)]
        struct Next {
            #[serde(default)]
            next: LocalPath,
        }

        #[derive(SessionData)]
        struct Way {
            back: LocalPath,
        }

        /// The way back, as a link of the login page to another page hands it on.
        async fn link(query: Query<Next>) -> Reply {
            Reply::ok(format!("/keep?next={}", query.next.to_query_value()))
        }

        async fn keep(mut way: Session<Way>, query: Query<Next>) -> Reply {
            way.back = query.next.clone();
            Reply::ok("kept")
        }

        async fn kept(way: SessionView<Way>) -> Reply {
            Reply::ok(way.back.as_str())
        }

        #[session(require_login)]
        async fn plain() -> Reply {
            Reply::ok("plain")
        }

        #[session(require_login, login_url = "/enter")]
        async fn with_a_path() -> Reply {
            Reply::ok("path")
        }

        #[session(require_login, login_url = "/login?next=/form")]
        async fn with_a_way_back() -> Reply {
            Reply::ok("way back")
        }

        #[session(require_login, login_url = office_login)]
        async fn with_a_function() -> Reply {
            Reply::ok("function")
        }

        #[session(require_login, login_url = "/within?page=login")]
        async fn with_itself() -> Reply {
            Reply::ok("itself")
        }

        #[session(require_login, login_url = here)]
        async fn with_its_own_address() -> Reply {
            Reply::ok("itself")
        }

        #[session(require_login, login_url = no_address)]
        async fn with_no_address() -> Reply {
            Reply::ok("none")
        }

        #[session(require_fresh = "5m")]
        async fn fresh() -> Reply {
            Reply::ok("fresh")
        }

        #[session(guest_only)]
        async fn guests() -> Reply {
            Reply::ok("guests")
        }

        #[session(not(require_login), on_denied = page_of_the_guard)]
        async fn with_a_page() -> Reply {
            Reply::ok("page")
        }

        #[session(not(require_login), on_denied = fails)]
        async fn with_a_page_that_fails() -> Reply {
            Reply::ok("page")
        }

        #[session(not(require_login))]
        async fn forbidden() -> Reply {
            Reply::ok("forbidden")
        }

        #[session(public)]
        async fn public() -> Reply {
            Reply::ok("public")
        }

        async fn login(auth: Auth) -> Result<Reply, SessionRejection> {
            auth.login("ada").await?;
            Ok(Reply::ok("welcome"))
        }

        async fn start(bench: &Bench, manager: SessionManager) -> sessionkit_tests::harness::Server {
            let routes = routes![
                "/plain" => plain, "/path" => with_a_path, "/back" => with_a_way_back, "/function" => with_a_function, "/none" => with_no_address,
                "/fresh" => fresh, "/guests" => guests, "/page" => with_a_page, "/fails" => with_a_page_that_fails,
                "/forbidden" => forbidden, "/public" => public, "/login" => login,
                "/link" => link, "/keep" => keep, "/kept" => kept,
                "/within" => with_itself, "/absolute" => with_its_own_address, "/any/{name}" => plain, "/{name}" => plain,
            ];
            serve_with(bench, manager, routes).await
        }

        async fn row_23_the_login_page_is_a_path_or_a_function_of_the_guard_or_of_the_layer() {
            let bench = Bench::memory();
            let stranger = start(&bench, bench.manager()).await;
            let visitor = stranger.visitor();
            assert_eq!(location(&open(&visitor, "/plain?a=b").await), Some("/login?next=/plain%3Fa%3Db"));
            assert_eq!(location(&open(&visitor, "/path").await), Some("/enter?next=/path"));
            assert_eq!(location(&open(&visitor, "/back").await), Some("/login?next=/form"), "it says the way back itself");
            let function = open(&visitor, "/function").await;
            assert_eq!(location(&function), Some("/office/login?language=en&next=/function#form"));
            let none = open(&visitor, "/none").await;
            assert_eq!((none.status, location(&none), none.cookies().len()), (500, None, 0));

            let by_area = |head: &RequestHead<'_>| format!("/area{}/login", head.path());
            let other = start(&bench, bench.builder().login_url(by_area).build()).await;
            let visitor = other.visitor();
            assert_eq!(location(&open(&visitor, "/plain").await), Some("/area/plain/login?next=/plain"));
            assert_eq!(location(&open(&visitor, "/path").await), Some("/enter?next=/path"));
            assert_eq!(visitor.get("/plain").await.status, 401);
        }

        async fn the_way_back_survives_a_link_and_a_session() {
            let bench = Bench::memory();
            let server = start(&bench, bench.manager()).await;
            let visitor = server.visitor();
            assert_eq!(visitor.get("/kept").await.body, "/");
            let denied = open(&visitor, "/plain?a=1&b=it's+2%26&next=/x").await;
            let login = location(&denied).unwrap().replace("/login", "/link");
            let link = visitor.get(&login).await.body;
            assert_eq!(visitor.get(&link).await.body, "kept");
            assert_eq!(visitor.get("/kept").await.body, "/plain?a=1&b=it%27s+2%26&next=/x");
            visitor.get("/keep?next=//evil.example").await;
            assert_eq!(visitor.get("/kept").await.body, "/");
        }

        async fn the_way_back_keeps_what_users_typed_and_browsers_leave_raw() {
            let (bench, log) = (Bench::memory(), Log::collect());
            let server = start(&bench, bench.manager()).await;
            let visitor = server.visitor();
            for (target, kept) in [
                ("/plain?q=a%0D%0Ab%09%00", "/plain?q=a%0D%0Ab%09%00"),
                ("/plain?q=a\\b`c|d^{e}", "/plain?q=a%5Cb%60c%7Cd%5E%7Be%7D"),
                ("/any/caf%C3%A9?q=%2F%2Fevil", "/any/caf%C3%A9?q=%2F%2Fevil"),
            ] {
                let denied = open_raw(&visitor, target).await;
                let link = location(&denied).expect("a redirect").replace("/login", "/link");
                let link = visitor.get(&link).await.body;
                assert_eq!(visitor.get(&link).await.body, "kept", "{target}");
                assert_eq!(visitor.get("/kept").await.body, kept, "{target}");
            }
            assert!(!log.text().contains("next_dropped"), "{}", log.text());
        }

        async fn a_way_back_that_is_dropped_is_an_event() {
            let (bench, log) = (Bench::memory(), Log::collect());
            let server = start(&bench, bench.manager()).await;
            let visitor = server.visitor();
            let long = format!("/plain?q={}", "a".repeat(12_000));
            for (target, reason) in [
                ("/%2Fevil.example", "could lead to another site"),
                ("/%5Cevil.example", "could lead to another site"),
                ("/any/%0A", "could lead to another site"),
                (&*long, "too long"),
            ] {
                let before = log.text().matches(reason).count();
                let denied = open_raw(&visitor, target).await;
                assert_eq!((denied.status, location(&denied)), (303, Some("/login")), "{target}");
                let text = log.text();
                assert_eq!(text.matches(reason).count(), before + 1, "{target}: {text}");
                assert!(text.contains("event=\"next_dropped\""), "{text}");
            }
        }

        async fn a_redirect_to_the_page_itself_is_a_500_that_names_the_mistake() {
            let log = Log::collect();
            let bench = Bench::memory().with_config(|config| config.home_url("/guests").path_prefix("/mall"));
            let server = start(&bench, bench.manager()).await;
            let visitor = server.visitor();
            assert_eq!(location(&open(&visitor, "/within").await), Some("/mall/within?page=login&next=/mall/within"));
            for path in ["/within?page=login&next=/within", "/absolute?from=guard"] {
                let denied = open(&visitor, path).await;
                assert_eq!((denied.status, location(&denied)), (500, None), "{path}");
            }
            assert_eq!(open(&visitor, "/absolute").await.status, 303);
            assert_eq!(visitor.get("/within?page=login").await.status, 401, "a program has asked");
            assert_eq!(visitor.get("/login").await.status, 200);
            assert_eq!(open(&visitor, "/guests?a=b").await.status, 500);
            let log = log.text();
            for told in ["the guard of /within", "the guard of /absolute", "the guard `guest_only` of /guests"] {
                assert_eq!(log.matches(told).count(), 1, "{told}: {log}");
            }
        }

        async fn what_a_proxy_strips_from_paths_stands_in_redirects() {
            let bench = Bench::memory().with_config(|config| config.home_url("/start").path_prefix("/mall"));
            let server = start(&bench, bench.manager()).await;
            let visitor = server.visitor();
            for (path, expected) in [
                ("/plain?a=b", "/mall/login?next=/mall/plain%3Fa%3Db"),
                ("/path", "/mall/enter?next=/mall/path"),
                ("/function", "/mall/office/login?language=en&next=/mall/function#form"),
            ] {
                assert_eq!(location(&open(&visitor, path).await), Some(expected));
            }
            let absolute = open(&visitor, "/absolute").await;
            let expected = format!("https://{}/mall/absolute?from=guard&next=/mall/absolute", server.address());
            assert_eq!(location(&absolute), Some(&*expected));
            assert_eq!(visitor.get("/login").await.status, 200);
            assert_eq!(location(&open(&visitor, "/guests").await), Some("/mall/start"));
        }

        async fn layers_inside_of_nested_paths_lead_back_to_the_whole_path() {
            let (bench, log) = (Bench::memory(), Log::collect());
            let by_path = |head: &RequestHead<'_>| format!("/login{}", head.path());
            let manager = bench.builder().login_url(by_path).build();
            let protection = sessionkit::CrossOriginProtection::new();
            let routes = routes!["/plain" => plain, "/path" => with_a_path];
            let server = serve_inside(&bench, manager, protection, ["/v1", "/office"], routes).await;
            let visitor = server.visitor();
            let denied = open(&visitor, "/v1/office/plain?a=b").await;
            assert_eq!(location(&denied), Some("/login/v1/office/plain?next=/v1/office/plain%3Fa%3Db"));
            assert_eq!(location(&open(&visitor, "/v1/office/path").await), Some("/enter?next=/v1/office/path"));
            assert!(log.text().contains("GET /v1/office/plain"), "{}", log.text());
        }

        async fn a_stale_login_is_sent_to_the_login_page_and_a_guest_page_sends_home() {
            let bench = Bench::memory().with_config(|config| config.home_url("/start"));
            let server = start(&bench, bench.manager()).await;
            let visitor = server.visitor();
            assert_eq!(open(&visitor, "/guests").await.body, "guests");
            assert_eq!(visitor.get("/fresh").await.status, 401);
            assert_eq!(visitor.get("/login").await.status, 200);
            bench.clock.advance(Duration::from_secs(299));
            assert_eq!(visitor.get("/fresh").await.body, "fresh");
            bench.clock.advance(Duration::from_secs(1));
            assert_eq!(visitor.get("/fresh").await.status, 401);
            assert_eq!(location(&open(&visitor, "/fresh").await), Some("/login?next=/fresh"));
            assert_eq!(visitor.get("/plain").await.body, "plain");
            let guests = open(&visitor, "/guests").await;
            assert_eq!((guests.status, location(&guests)), (303, Some("/start")));
            assert_eq!(visitor.get("/guests").await.status, 403);
            assert_eq!(visitor.get("/login").await.status, 200);
            assert_eq!(visitor.get("/fresh").await.body, "fresh");
        }

        async fn the_application_may_answer_the_denied() {
            let bench = Bench::memory();
            let builder = bench.builder().on_denied(|denial| {
                Rejection::html(418 + u16::from(denial.head.is_navigation()), format!("{:?}", denial.reason))
            });
            let server = start(&bench, builder.build()).await;
            let visitor = server.visitor();
            let answer = visitor.get("/plain").await;
            assert_eq!((answer.status, &*answer.body), (418, "LoginRequired"));
            assert_eq!(answer.all("content-type"), ["text/html; charset=utf-8"]);
            assert_eq!(answer.all("cache-control"), ["no-store"]);
            assert_eq!(open(&visitor, "/plain").await.status, 419);
            assert_eq!(visitor.get("/login").await.status, 200);
            assert_eq!(visitor.get("/forbidden").await.body, "NotAllowed");
            // The guard's own comes first.
            let answer = visitor.get("/page").await;
            assert_eq!((answer.status, &*answer.body), (403, "<h1>ada</h1>"));
            assert_eq!(visitor.get("/fails").await.status, 500);
        }

        async fn a_guard_costs_one_load_and_a_public_page_none() {
            let bench = Bench::memory();
            let server = start(&bench, bench.manager()).await;
            let visitor = server.visitor();
            assert_eq!(visitor.get("/login").await.status, 200);
            bench.store.take();
            for path in ["/plain", "/path", "/fresh", "/guests", "/forbidden"] {
                visitor.get(path).await;
                let calls = bench.store.take();
                assert_eq!((calls.load, calls.total()), (1, 1), "{path}");
            }
            let answer = visitor.get("/public").await;
            assert_eq!((&*answer.body, bench.store.take().total()), ("public", 0));
            assert!(answer.all("vary").is_empty(), "a public page does not depend on the cookie");
        }
    }
}

/// Every text of a few pieces that are known to mislead parsers of URLs, the WHATWG's among them, which drops tabs and line
/// feeds and takes a backslash for a slash.
#[test]
fn no_local_path_leads_to_another_site() {
    const PIECES: [&str; 15] =
        ["/", "\\", ".", "%2f", "%5C", "%2e", "%09", "\t", "\n", "@", ":", "e", "?", "#", "\u{ff0f}"];
    let page = reqwest::Url::parse("https://shop.example/a/login?b").expect("an address");
    let (mut texts, mut local) = (vec![String::new()], 0);
    for _ in 0..4 {
        texts = texts.iter().flat_map(|text| PIECES.map(|piece| format!("{text}{piece}"))).collect();
        for text in &texts {
            for text in [text.clone(), format!("/{text}"), format!("/{text}//evil.example")] {
                let Some(path) = LocalPath::parse(&text) else { continue };
                local += 1;
                let decoded =
                    path.as_str().replace("%5C", "\\").replace("%2f", "/").replace("%2e", ".").replace("%09", "\t");
                for way in [path.as_str(), &decoded] {
                    let there = page.join(way).unwrap_or_else(|error| panic!("{text:?}: {error}"));
                    assert_eq!(there.origin(), page.origin(), "{text:?} as {way:?}");
                }
                assert_eq!(LocalPath::parse(path.as_str()), Some(path), "{text:?}");
            }
        }
    }
    assert!(local > 5_000, "{local}");
}

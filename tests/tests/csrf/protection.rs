//! The layer, against a table of all that browsers and others say of a request.

use reqwest::Method;
use sessionkit::{CrossOriginProtection, Rejection};
use sessionkit_tests::both_frameworks;
use sessionkit_tests::harness::{Bench, Log, Visitor};

const METHODS: [&str; 7] = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"];
const SITES: [Option<&str>; 8] = [
    None,
    Some(""),
    Some("same-origin"),
    Some("none"),
    Some("same-site"),
    Some("cross-site"),
    Some("Same-Origin"),
    Some("anything"),
];
const ORIGINS: [Option<&str>; 12] = [
    None,
    Some(""),
    Some("null"),
    Some("https://shop.example"),
    Some("https://shop.example:443"),
    Some("http://shop.example"),
    Some("https://SHOP.example"),
    Some("https://shop.example:8443"),
    Some("https://www.shop.example"),
    Some("https://evil.example"),
    Some("https://pay.example"),
    Some("https://pay.example:444"),
];
const HOSTS: [&str; 4] = ["shop.example", "shop.example:443", "shop.example:8443", "pay.example"];
const PATHS: [&str; 3] = ["/buy", "/webhooks/pay", "/webhooks//pay"];

/// A request of the table.
#[derive(Clone, Copy, Debug)]
struct Row {
    method: &'static str,
    site: Option<&'static str>,
    origin: Option<&'static str>,
    host: &'static str,
    path: &'static str,
}

fn rows() -> impl Iterator<Item = Row> {
    let rows = METHODS.into_iter().flat_map(|method| SITES.into_iter().map(move |site| (method, site)));
    let rows = rows.flat_map(|row| ORIGINS.into_iter().map(move |origin| (row, origin)));
    let rows = rows.flat_map(|row| HOSTS.into_iter().map(move |host| (row, host)));
    let rows = rows.flat_map(|row| PATHS.into_iter().map(move |path| (row, path)));
    rows.map(|((((method, site), origin), host), path)| Row { method, site, origin, host, path })
}

/// Returns `true` if a request passes: the rules, written down a second time, literally and for the table's values alone.
fn passes(row: Row, strict: bool) -> bool {
    let Row { method, site, origin, host, path } = row;
    if method == "GET" || method == "HEAD" || method == "OPTIONS" {
        return true;
    }
    if path == "/webhooks/pay" || origin == Some("https://pay.example") {
        return true;
    }
    match site.unwrap_or("") {
        "same-origin" | "none" => return true,
        "" => {}
        _ => return false,
    }
    match (origin.unwrap_or(""), host) {
        ("", _) => !strict,
        ("https://shop.example" | "https://SHOP.example" | "https://shop.example:443", own) => {
            own == "shop.example" || own == "shop.example:443"
        }
        ("http://shop.example", own) => own == "shop.example",
        ("https://shop.example:8443", own) => own == "shop.example:8443",
        _ => false,
    }
}

fn protection() -> CrossOriginProtection {
    let protection = CrossOriginProtection::new().trusted_origin("https://pay.example").expect("an origin");
    protection.exempt("/webhooks/").expect("a path")
}

async fn decide(visitor: &Visitor, row: Row) -> (u16, String) {
    let mut headers = vec![("host", row.host.as_bytes())];
    headers.extend(row.site.map(|site| ("sec-fetch-site", site.as_bytes())));
    headers.extend(row.origin.map(|origin| ("origin", origin.as_bytes())));
    let method = Method::from_bytes(row.method.as_bytes()).expect("a method");
    let answer = visitor.send(method, row.path, &headers, "").await;
    (answer.status, answer.all("content-type").concat())
}

both_frameworks! {
    tests: [
        every_row_of_the_table_is_decided_by_the_rules,
        in_strict_mode_too,
        a_header_that_comes_twice_counts_by_its_worst,
        any_method_but_three_may_change_something,
        every_origin_that_is_trusted_passes,
        the_answer_is_the_applications_if_it_wants,
        an_answer_that_panics_is_a_500,
        it_protects_without_a_session_layer_too,
        what_is_refused_calls_no_store,
        a_nested_path_is_exempt_by_its_whole_name,
        layers_inside_of_nested_paths_go_by_the_whole_path_too,
    ];

    async fn done() -> Reply {
        Reply::ok("done")
    }

    async fn check_the_table(strict: bool) {
        let bench = Bench::memory();
        let protection = if strict { protection().strict() } else { protection() };
        let routes = routes!["/buy" => done, "/webhooks/pay" => done];
        let server = serve_protected(&bench, bench.manager(), protection, routes).await;
        let visitor = server.visitor();
        let mut refused = 0;
        for row in rows() {
            let (status, kind) = decide(&visitor, row).await;
            if passes(row, strict) {
                assert_ne!(status, 403, "{row:?}");
            } else {
                assert_eq!((status, &*kind), (403, "application/problem+json"), "{row:?}");
                refused += 1;
            }
        }
        assert!(refused > 1000, "{refused}");
        assert_eq!(bench.store.take().total(), 0);
    }

    async fn every_row_of_the_table_is_decided_by_the_rules() {
        check_the_table(false).await;
    }

    async fn in_strict_mode_too() {
        check_the_table(true).await;
    }

    async fn a_header_that_comes_twice_counts_by_its_worst() {
        let bench = Bench::memory();
        let server = serve_protected(&bench, bench.manager(), protection(), routes!["/buy" => done]).await;
        let visitor = server.visitor();
        let send = async |headers: &[(&str, &[u8])]| visitor.send(Method::POST, "/buy", headers, "").await.status;
        for headers in [
            [("sec-fetch-site", &b"same-origin"[..]), ("sec-fetch-site", b"cross-site")],
            [("sec-fetch-site", b"cross-site"), ("sec-fetch-site", b"same-origin")],
            [("origin", b"https://evil.example"), ("origin", b"http://127.0.0.1")],
            [("origin", b"\xff"), ("x-other", b"")],
        ] {
            assert_eq!(send(&headers).await, 403, "{headers:?}");
        }
        let own = format!("http://{}", server.address());
        assert_eq!(send(&[("origin", own.as_bytes())]).await, 200);
        assert_eq!(send(&[("origin", own.as_bytes()), ("origin", b"https://evil.example")]).await, 403);
        assert_eq!(send(&[("origin", own.as_bytes()), ("host", b"shop.example")]).await, 403);
    }

    async fn any_method_but_three_may_change_something() {
        let bench = Bench::memory();
        let server = serve_protected(&bench, bench.manager(), protection(), routes!["/buy" => done]).await;
        for method in ["TRACE", "PROPFIND", "get", "GETS"] {
            let method = Method::from_bytes(method.as_bytes()).expect("a method");
            let answer = server.visitor().send(method, "/buy", &[("sec-fetch-site", b"cross-site")], "").await;
            assert_eq!(answer.status, 403);
        }
    }

    async fn every_origin_that_is_trusted_passes() {
        let bench = Bench::memory();
        let protection = protection().trusted_origin("https://app.example").expect("an origin");
        let server = serve_protected(&bench, bench.manager(), protection, routes!["/buy" => done]).await;
        for (origin, status) in [("https://pay.example", 200), ("https://app.example", 200), ("http://app.example", 403)] {
            let headers = [("sec-fetch-site", &b"cross-site"[..]), ("origin", origin.as_bytes())];
            let answer = server.visitor().send(Method::POST, "/buy", &headers, "").await;
            assert_eq!(answer.status, status, "{origin}");
        }
    }

    async fn the_answer_is_the_applications_if_it_wants() {
        let bench = Bench::memory();
        let protection = protection().on_denied(|request, refusal| {
            Rejection::new(418, format!("{} {}: {refusal}", request.method(), request.path()))
        });
        let server = serve_protected(&bench, bench.manager(), protection, routes!["/buy" => done]).await;
        let answer = server.visitor().send(Method::POST, "/buy?a=1", &[("sec-fetch-site", b"same-site")], "").await;
        assert_eq!(answer.status, 418);
        assert!(answer.body.contains("POST /buy: cross-origin"), "{}", answer.body);
    }

    async fn an_answer_that_panics_is_a_500() {
        let (bench, log) = (Bench::memory(), Log::collect());
        let protection = || protection().strict().on_denied(|_, _| panic!("a page that cannot be made"));
        let routes = || routes!["/buy" => done, "/unsessioned" => done];
        for (server, path) in [
            (serve_protected(&bench, bench.manager(), protection(), routes()).await, "/buy"),
            (serve_unsessioned(&bench, protection(), routes()).await, "/unsessioned"),
        ] {
            let cross_site = [("sec-fetch-site", &b"cross-site"[..])];
            let wrong_token = [("x-csrf-token", &[b'A'; 43][..])];
            for headers in [&cross_site, &wrong_token] {
                assert_eq!(server.visitor().send(Method::POST, path, headers, "").await.status, 500, "{path}");
            }
        }
        assert_eq!(log.text().matches("on_denied panicked").count(), 4, "{}", log.text());
    }

    async fn it_protects_without_a_session_layer_too() {
        let (bench, log) = (Bench::memory(), Log::collect());
        let server = serve_unsessioned(&bench, protection().strict(), routes!["/unsessioned" => done]).await;
        let visitor = server.visitor();
        for headers in [&[("sec-fetch-site", &b"cross-site"[..])][..], &[("origin", b"https://evil.example")], &[]] {
            assert_eq!(visitor.send(Method::POST, "/unsessioned", headers, "").await.status, 403, "{headers:?}");
        }
        // There is no session that a token could be one of.
        let token = [("x-csrf-token", &[b'A'; 43][..])];
        assert_eq!(visitor.send(Method::POST, "/unsessioned", &token, "").await.status, 403);
        assert_eq!(visitor.get("/unsessioned").await.status, 200);
        let log = log.text();
        assert!(log.contains("event=\"csrf\"") && log.contains("POST /unsessioned"), "{log}");
    }

    async fn what_is_refused_calls_no_store() {
        let bench = Bench::memory();
        let routes = routes!["/buy" => |session: DynamicSession| async move { Reply::ok(session.keys().is_empty()) }];
        let server = serve_protected(&bench, bench.manager(), protection(), routes).await;
        let visitor = server.visitor();
        visitor.set_token(&"A".repeat(64));
        assert_eq!(visitor.send(Method::POST, "/buy", &[("sec-fetch-site", b"cross-site")], "").await.status, 403);
        assert_eq!(bench.store.take().total(), 0);
        assert_eq!(visitor.send(Method::POST, "/buy", &[("sec-fetch-site", b"same-origin")], "").await.status, 200);
        assert_eq!(bench.store.take().load, 1);
    }

    async fn a_nested_path_is_exempt_by_its_whole_name() {
        let bench = Bench::memory();
        for (exempt, status) in [("/v1/hook", 200), ("/hook", 403)] {
            let protection = CrossOriginProtection::new().exempt(exempt).expect("a path");
            let routes = under("/v1", routes!["/hook" => done]);
            let server = serve_protected(&bench, bench.manager(), protection, routes).await;
            let answer = server.visitor().send(Method::POST, "/v1/hook", &[("sec-fetch-site", b"cross-site")], "").await;
            assert_eq!(answer.status, status, "{exempt}");
        }
    }

    async fn layers_inside_of_nested_paths_go_by_the_whole_path_too() {
        let (bench, log) = (Bench::memory(), Log::collect());
        for (exempt, status) in [("/v1/admin/hooks/", 200), ("/admin/hooks/", 403), ("/hooks/", 403)] {
            let protection = CrossOriginProtection::new().exempt(exempt).expect("a path");
            let routes = routes!["/hooks/delete" => done];
            let server = serve_inside(&bench, bench.manager(), protection, ["/v1", "/admin"], routes).await;
            let cross_site = [("sec-fetch-site", &b"cross-site"[..])];
            let answer = server.visitor().send(Method::POST, "/v1/admin/hooks/delete", &cross_site, "").await;
            assert_eq!(answer.status, status, "{exempt}");
        }
        assert!(log.text().contains("POST /v1/admin/hooks/delete"), "{}", log.text());
    }
}

#[test]
fn a_setting_that_would_protect_nothing_is_refused() {
    for origin in ["", "null", "pay.example", "https://", "https://pay.example/", "https://a@pay.example", "*"] {
        let error = CrossOriginProtection::new().trusted_origin(origin).unwrap_err().to_string();
        assert!(error.contains("write its scheme, host and port alone"), "{error}");
    }
    for path in ["", "/", "hook", "/a/../b", "/%61"] {
        let error = CrossOriginProtection::new().exempt(path).unwrap_err().to_string();
        assert!(error.contains("cannot be exempt from the protection: "), "{error}");
    }
}

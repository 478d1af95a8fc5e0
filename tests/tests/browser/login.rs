//! From a page that asks for a login, through it, to that page.

use sessionkit::LocalPath;
use sessionkit_tests::both_frameworks;
use sessionkit_tests::browser::Browser;
use sessionkit_tests::harness::{Bench, Server};

use crate::forms::{Login, Next, login_form};

both_frameworks! {
    tests: [a_login_leads_to_the_page_that_was_wanted, what_was_typed_into_a_query_comes_back, a_program_in_a_page_gets_an_answer_instead_of_the_login_page];

    async fn login(Query(next): Query<Next>) -> Reply {
        Reply::html(login_form(&next))
    }

    async fn enter(auth: Auth, PostedForm(form): PostedForm<Login>) -> Result<Reply, SessionRejection> {
        auth.login(&form.user).await?;
        Ok(Reply::see_other(form.next.path().as_str()))
    }

    #[session(require_login)]
    async fn office(auth: Auth) -> Result<Reply, SessionRejection> {
        let user = auth.user_id().await?;
        Ok(Reply::html(format!("The office of {}", user.expect("the guard saw to it"))))
    }

    async fn home() -> Reply {
        Reply::html("Home")
    }

    async fn browser(bench: &Bench) -> (Server, Browser) {
        let server = serve(bench, routes!["/" => home, "/login" => login, "/enter" => enter, "/office" => office]).await;
        let browser = Browser::start(&[("https://shop.test", server.address())]).await;
        (server, browser)
    }

    async fn a_login_leads_to_the_page_that_was_wanted() {
        let (_server, browser) = browser(&Bench::memory()).await;
        let tab = browser.tab().await;
        tab.open("https://shop.test/office?floor=2&name=a%20b").await;
        assert_eq!(tab.url().await, "https://shop.test/login?next=/office%3Ffloor%3D2%26name%3Da%2520b");
        tab.fill("user", "ada").await;
        tab.press("Log in").await;
        tab.wait_for("The office of ada").await;
        assert_eq!(tab.url().await, "https://shop.test/office?floor=2&name=a%20b");

        // Whoever makes up a way back stays on this site.
        for next in ["https://evil.test/", "//evil.test", "/\\evil.test", "/%5cevil.test", "/%09/evil.test"] {
            tab.open(&format!("https://shop.test/login?next={next}")).await;
            tab.fill("user", "ada").await;
            tab.press("Log in").await;
            tab.wait_for("Home").await;
            assert_eq!(tab.url().await, "https://shop.test/", "{next}");
        }
    }

    async fn what_was_typed_into_a_query_comes_back() {
        let (_server, browser) = browser(&Bench::memory()).await;
        let tab = browser.tab().await;
        // The lines of a text area, and what browsers leave as it is.
        tab.open(r"https://shop.test/office?text=a%0D%0Ab\c`d|e^f{g}'h").await;
        tab.fill("user", "ada").await;
        tab.press("Log in").await;
        tab.wait_for("The office of ada").await;
        assert_eq!(tab.url().await, "https://shop.test/office?text=a%0D%0Ab%5Cc%60d%7Ce%5Ef%7Bg%7D%27h");

        let pieces = ["/", "\\", ".", "%2f", "%5C", "%2e", "%09", "\t", "@", ":", "evil", "?", "#"];
        let texts = pieces.iter().flat_map(|first| pieces.iter().map(move |second| format!("/{first}{second}")));
        let texts = texts.flat_map(|text| pieces.map(|piece| format!("{text}{piece}/evil.test")));
        let paths: Vec<String> = texts.filter_map(|text| Some(LocalPath::parse(&text)?.to_string())).collect();
        assert!(paths.len() > 100, "{}", paths.len());
        let paths = serde_json::to_string(&paths).expect("texts are JSON");
        let strays = tab.run(&format!("return {paths}.filter((path) => new URL(path, location).origin !== location.origin)")).await;
        assert_eq!(strays, serde_json::json!([]));
    }

    async fn a_program_in_a_page_gets_an_answer_instead_of_the_login_page() {
        let (_server, browser) = browser(&Bench::memory()).await;
        let tab = browser.tab().await;
        tab.open("https://shop.test/").await;
        let ask = "const answer = await fetch('/office'); return [answer.status, answer.redirected, await answer.text()]";
        let answer = tab.run(ask).await;
        assert_eq!((answer[0].as_u64(), answer[1].as_bool()), (Some(401), Some(false)));
        let problem: serde_json::Value = serde_json::from_str(answer[2].as_str().expect("a text")).expect("a problem");
        assert_eq!(problem["status"], 401);
    }
}

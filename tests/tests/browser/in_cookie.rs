//! Sessions that lie in the cookies themselves, in a browser: what it keeps of them, and what it sends back.

use std::time::Duration;

use sessionkit::{CookieSessions, InCookie, KeyRing, SessionData, SessionScope};
use sessionkit_tests::both_frameworks;
use sessionkit_tests::browser::{Browser, Cookie, Tab};
use sessionkit_tests::harness::{Bench, Server};

struct Client;

impl SessionScope for Client {
    const NAME: &'static str = "Client";
    type Home = InCookie;
}

#[derive(SessionData)]
#[session(scope = Client)]
struct Cart {
    items: u32,
    note: String,
}

/// The largest `Set-Cookie` of a session.
const LARGEST: usize = 4096;

/// The names of the cookies of a session that takes four.
const FOUR: [&str; 4] = ["__Host-session", "__Host-session-1", "__Host-session-2", "__Host-session-3"];

/// A browser shows a page as it was when one goes back to it.
const ASK_AGAIN: &str = "<script>addEventListener('pageshow', shown => shown.persisted && location.reload())</script>";

both_frameworks! {
    tests: [
        a_sealed_session_comes_back_until_the_logout,
        the_largest_cookie_is_kept_byte_for_byte,
        the_browser_drops_a_cookie_that_is_larger,
        a_session_of_four_cookies_shrinks_and_grows,
        the_last_answer_wins_between_two_tabs,
        a_short_answer_that_comes_last_wins_over_four_cookies,
        parallel_requests_leave_one_session,
        the_way_back_shows_the_session_of_now,
    ];

    type Answered = Result<Reply, SessionRejection>;

    async fn cart(cart: SessionView<Cart>, auth: Auth<Client>) -> Answered {
        let user = auth.user_id().await?.unwrap_or_else(|| "nobody".into());
        let form = "<form method=post action=/add><button>add</button></form><a href=/leave>leave</a>";
        Ok(Reply::html(format!("{} items of {user} {form}{ASK_AGAIN}", cart.items)).header("cache-control", "no-store"))
    }

    async fn add(mut cart: Session<Cart>) -> Reply {
        cart.items += 1;
        Reply::see_other("/cart")
    }

    async fn add_slowly(mut cart: Session<Cart>, Shared(gates): Shared) -> Reply {
        cart.items += 10;
        gates.pass("slow").await;
        Reply::ok(cart.items)
    }

    async fn write(mut cart: Session<Cart>, body: String) -> Reply {
        cart.note = body;
        Reply::ok("written")
    }

    async fn read(cart: SessionView<Cart>) -> Reply {
        Reply::ok(&cart.note)
    }

    async fn enter(auth: Auth<Client>, body: String) -> Answered {
        auth.login(&body).await?;
        Ok(Reply::ok("entered"))
    }

    async fn who(auth: Auth<Client>) -> Answered {
        Ok(Reply::ok(auth.user_id().await?.unwrap_or_else(|| "nobody".into())))
    }

    async fn leave(auth: Auth<Client>) -> Answered {
        auth.logout().await?;
        Ok(Reply::see_other("/cart"))
    }

    /// Sets a cookie whose name and value take so many bytes.
    async fn plain(body: String) -> Reply {
        let size: usize = body.parse().expect("it is a number");
        Reply::ok("set").header("set-cookie", format!("plain={}; Secure", "x".repeat(size - "plain".len())))
    }

    async fn start(most_chunks: usize) -> (Bench, Server, Browser) {
        // The browser's clock is that of the world: its cookies must outlast the test.
        let bench = Bench::memory().with_keyless_config(|config| config.ttl(Duration::from_secs(24 * 60 * 60)));
        let sessions = match most_chunks {
            1 => CookieSessions::sealed(KeyRing::generate()),
            most => CookieSessions::sealed_in_chunks(KeyRing::generate(), most).expect("it is a number of chunks"),
        };
        let routes = routes![
            "/cart" => cart, "/add" => add, "/add-slowly" => add_slowly, "/write" => write, "/read" => read,
            "/enter" => enter, "/who" => who, "/leave" => leave, "/plain" => plain,
        ];
        let server = serve_with(&bench, bench.in_cookie::<Client>(sessions).build(), routes).await;
        let browser = Browser::start(&[("https://shop.test", server.address())]).await;
        (bench, server, browser)
    }

    async fn a_sealed_session_comes_back_until_the_logout() {
        let (bench, _server, browser) = start(1).await;
        let tab = browser.tab().await;
        tab.open("https://shop.test/cart").await;
        assert_eq!(kept(&tab).await, [], "looking around sets none");
        for items in ["1 items of nobody", "2 items of nobody"] {
            tab.press("add").await;
            tab.wait_for(items).await;
        }
        tab.reload().await;
        tab.wait_for("2 items of nobody").await;
        assert_eq!(post(&tab, "/enter", "ada").await, (200, "entered".to_owned()));
        tab.reload().await;
        tab.wait_for("2 items of ada").await;

        let [cookie] = &kept(&tab).await[..] else { panic!("there is one cookie") };
        assert_eq!((cookie.name.as_str(), cookie.path.as_str(), cookie.same_site.as_deref()), (FOUR[0], "/", Some("Lax")));
        assert!(cookie.http_only && cookie.secure && cookie.expiry.is_some(), "{cookie:?}");
        assert_eq!(tab.run("return document.cookie").await, "", "scripts cannot read it");
        assert_eq!(bench.sessions(), 0, "the browser alone has it");

        tab.follow("leave").await;
        tab.wait_for("0 items of nobody").await;
        assert_eq!(kept(&tab).await, []);
    }

    async fn the_largest_cookie_is_kept_byte_for_byte() {
        let (_bench, server, browser) = start(1).await;
        let note = text(2000);
        // Another client finds out how long the id of a user can be beside that.
        let (mut fits, mut is_too_long, mut attributes) = (0, LARGEST, String::new());
        while is_too_long - fits > 1 {
            let length = usize::midpoint(fits, is_too_long);
            let visitor = server.visitor();
            assert_eq!(visitor.post("/write", &note).await.status, 200);
            let answer = visitor.post("/enter", &text(length)).await;
            if answer.status == 200 {
                fits = length;
                let (_, rest) = answer.cookies()[0].split_once(';').expect("it has attributes");
                attributes = format!(";{rest}");
            } else {
                assert_eq!((answer.status, answer.cookies().len()), (500, 0));
                is_too_long = length;
            }
        }

        let tab = browser.tab().await;
        tab.open("https://shop.test/cart").await;
        assert_eq!(post(&tab, "/write", &note).await.0, 200);
        let before = kept(&tab).await;
        assert_eq!(names(&before), FOUR[..1]);
        assert_eq!(post(&tab, "/enter", &text(is_too_long)).await.0, 500);
        assert_eq!(kept(&tab).await, before, "the cookie before stays");
        assert_eq!(post(&tab, "/read", "").await, (200, note.clone()));

        let user = text(fits);
        assert_eq!(post(&tab, "/enter", &user).await.0, 200);
        let cookies = kept(&tab).await;
        assert_eq!(names(&cookies), FOUR[..1]);
        assert_eq!(format!("{}={}{attributes}", cookies[0].name, cookies[0].value).len(), LARGEST);
        // One changed byte, and it would open nothing.
        assert_eq!(post(&tab, "/who", "").await, (200, user));
        assert_eq!(post(&tab, "/read", "").await, (200, note));
        assert_eq!(kept(&tab).await, cookies);
    }

    async fn the_browser_drops_a_cookie_that_is_larger() {
        let (_bench, _server, browser) = start(1).await;
        let tab = browser.tab().await;
        tab.open("https://shop.test/cart").await;
        post(&tab, "/plain", &(LARGEST + 1).to_string()).await;
        assert_eq!(kept(&tab).await, []);
        post(&tab, "/plain", &LARGEST.to_string()).await;
        assert_eq!(names(&kept(&tab).await), ["plain"]);
    }

    async fn a_session_of_four_cookies_shrinks_and_grows() {
        let (_bench, _server, browser) = start(4).await;
        let tab = browser.tab().await;
        tab.open("https://shop.test/cart").await;
        for (length, cookies) in [(10_000, 4), (5, 1), (10_500, 4), (4000, 2), (10_000, 4)] {
            let note = text(length);
            assert_eq!(post(&tab, "/write", &note).await.0, 200, "{length}");
            let now = kept(&tab).await;
            assert_eq!(names(&now), FOUR[..cookies], "{length}");
            assert!(now.iter().all(|cookie| cookie.http_only && cookie.secure), "{length}");
            tab.reload().await;
            assert_eq!(post(&tab, "/read", "").await, (200, note));
        }
        // What does not fit changes none of them.
        let before = kept(&tab).await;
        assert_eq!(post(&tab, "/write", &text(20_000)).await.0, 500);
        assert_eq!(kept(&tab).await, before);
        assert_eq!(tab.run("return document.cookie").await, "");
        tab.follow("leave").await;
        tab.wait_for("0 items of nobody").await;
        assert_eq!(kept(&tab).await, []);
    }

    async fn the_last_answer_wins_between_two_tabs() {
        let (bench, _server, browser) = start(1).await;
        let (one, other) = (browser.tab().await, browser.tab().await);
        for tab in [&one, &other] {
            tab.open("https://shop.test/cart").await;
        }
        one.press("add").await;
        one.wait_for("1 items").await;
        one.run("window.slow = fetch('/add-slowly').then((answer) => answer.text())").await;
        bench.gates.arrived("slow", 1).await;
        other.press("add").await;
        other.wait_for("2 items").await;
        bench.gates.open("slow", 1);
        assert_eq!(one.run("return await window.slow").await, "11");
        // Nothing merges: what the other tab added is lost, in both.
        for tab in [&one, &other] {
            tab.reload().await;
            tab.wait_for("11 items").await;
        }
        other.press("add").await;
        other.wait_for("12 items").await;
        assert_eq!(names(&kept(&one).await), FOUR[..1]);
    }

    async fn a_short_answer_that_comes_last_wins_over_four_cookies() {
        let (bench, _server, browser) = start(4).await;
        let (one, other) = (browser.tab().await, browser.tab().await);
        for tab in [&one, &other] {
            tab.open("https://shop.test/cart").await;
        }
        one.press("add").await;
        one.wait_for("1 items").await;
        one.run("window.slow = fetch('/add-slowly').then((answer) => answer.text())").await;
        bench.gates.arrived("slow", 1).await;
        assert_eq!(post(&other, "/write", &text(10_000)).await.0, 200);
        assert_eq!(names(&kept(&other).await), FOUR);
        bench.gates.open("slow", 1);
        assert_eq!(one.run("return await window.slow").await, "11");
        // The slow request did not know of the chunks, which are of no use now. The next change removes them.
        assert_eq!(post(&other, "/read", "").await, (200, String::new()));
        other.reload().await;
        other.wait_for("11 items").await;
        other.press("add").await;
        other.wait_for("12 items").await;
        assert_eq!(names(&kept(&other).await), FOUR[..1]);
    }

    async fn parallel_requests_leave_one_session() {
        let (_bench, _server, browser) = start(4).await;
        let tab = browser.tab().await;
        tab.open("https://shop.test/cart").await;
        let all = "const answers = await Promise.all(Array.from({ length: 20 }, (_, at) =>
            fetch('/write', { method: 'POST', body: 'x'.repeat(at % 2 ? 10 : 10000) })));
            return answers.map((answer) => answer.status)";
        assert_eq!(tab.run(all).await, serde_json::Value::from(vec![200; 20]));
        // Whichever answer came last, it is one of a session that opens, or none does. Either way the next change holds.
        let (status, note) = post(&tab, "/read", "").await;
        assert!(status == 200 && [0, 10, 10_000].contains(&note.len()), "{status} {}", note.len());
        assert_eq!(post(&tab, "/write", "after").await.0, 200);
        assert_eq!(post(&tab, "/read", "").await, (200, "after".to_owned()));
        assert_eq!(names(&kept(&tab).await), FOUR[..1]);
    }

    async fn the_way_back_shows_the_session_of_now() {
        let (_bench, _server, browser) = start(1).await;
        let tab = browser.tab().await;
        tab.open("https://shop.test/cart").await;
        tab.press("add").await;
        tab.wait_for("1 items").await;
        tab.open("https://shop.test/who").await;
        assert_eq!(post(&tab, "/enter", "ada").await.0, 200);
        tab.back().await;
        tab.wait_for("1 items of ada").await;
        tab.press("add").await;
        tab.wait_for("2 items of ada").await;
        tab.open("https://shop.test/who").await;
        // A logout elsewhere, and no page of before shows what was in the session.
        tab.run("await fetch('/leave')").await;
        assert_eq!(kept(&tab).await, []);
        tab.back().await;
        tab.wait_for("0 items of nobody").await;
    }
}

/// Lets a script of the page send a text; returns the status and the text of the answer.
async fn post(tab: &Tab, path: &str, body: &str) -> (u64, String) {
    let ask = format!("const answer = await fetch('{path}', {{ method: 'POST', body: '{body}' }});");
    let answer = tab.run(&format!("{ask} return [answer.status, await answer.text()]")).await;
    let status = answer[0].as_u64().expect("a status is a number");
    (status, answer[1].as_str().expect("the answer is a text").to_owned())
}

/// A text of so many bytes, in which no part is like another.
fn text(length: usize) -> String {
    let mut text: String = (0..length).map(|number| format!("{number}.")).collect();
    text.truncate(length);
    text
}

/// The cookies that the browser has, by name: its own order is none.
async fn kept(tab: &Tab) -> Vec<Cookie> {
    let mut cookies = tab.cookies().await;
    cookies.sort_unstable_by(|one, other| one.name.cmp(&other.name));
    cookies
}

fn names(cookies: &[Cookie]) -> Vec<&str> {
    cookies.iter().map(|cookie| cookie.name.as_str()).collect()
}

//! Tests of the cookie that comes along, or does not, with requests that another site begins.

use sessionkit::SameSite;
use sessionkit_tests::both_frameworks;
use sessionkit_tests::browser::{Browser, Tab};
use sessionkit_tests::harness::{Bench, Server};

/// A page of another site that sends its visitors to the shop in every way that there is.
const TRAP: &str = r#"<a href="https://shop.test/who">look</a>
<form method="get" action="https://shop.test/who"><button>search</button></form>
<form method="post" action="https://shop.test/who"><button>buy</button></form>
<iframe src="https://shop.test/who"></iframe>"#;

both_frameworks! {
    tests: [
        lax_lets_links_of_other_sites_in_and_not_their_forms,
        strict_lets_nothing_of_other_sites_in,
        none_lets_forms_of_other_sites_in,
        a_sibling_host_is_the_same_site,
    ];

    async fn who(auth: Auth) -> Result<Reply, SessionRejection> {
        let who = auth.user_id().await?.unwrap_or_else(|| "nobody".into());
        Ok(Reply::html(format!("I see {who}. <a href=/who>again</a>")))
    }

    async fn enter(auth: Auth) -> Result<Reply, SessionRejection> {
        auth.login("ada").await?;
        Ok(Reply::see_other("/who"))
    }

    async fn trap() -> Reply {
        Reply::html(TRAP)
    }

    /// Starts a shop and a browser, and logs a user in there.
    async fn visitor(same_site: SameSite) -> (Server, Tab) {
        let bench = Bench::memory().with_config(|config| config.cookie_same_site(same_site));
        let server = serve(&bench, routes!["/who" => who, "/enter" => enter, "/trap" => trap]).await;
        let hosts = ["https://shop.test", "https://blog.shop.test", "https://evil.test"];
        let browser = Browser::start(&hosts.map(|host| (host, server.address()))).await;
        let tab = browser.tab().await;
        tab.open("https://shop.test/enter").await;
        tab.wait_for("I see ada.").await;
        (server, tab)
    }

    async fn lax_lets_links_of_other_sites_in_and_not_their_forms() {
        let (_server, tab) = visitor(SameSite::Lax).await;
        assert_eq!(ways_in(&tab, "https://evil.test").await, ["ada", "ada", "nobody", "nobody"]);
        // The forms changed nothing.
        tab.open("https://shop.test/who").await;
        tab.wait_for("I see ada.").await;
    }

    async fn strict_lets_nothing_of_other_sites_in() {
        let (_server, tab) = visitor(SameSite::Strict).await;
        assert_eq!(ways_in(&tab, "https://evil.test").await, ["nobody", "nobody", "nobody", "nobody"]);
        // The next step inside of the site has the session again.
        tab.open("https://evil.test/trap").await;
        tab.follow("look").await;
        tab.wait_for("I see nobody.").await;
        tab.follow("again").await;
        tab.wait_for("I see ada.").await;
    }

    async fn none_lets_forms_of_other_sites_in() {
        let (_server, tab) = visitor(SameSite::None).await;
        // A frame's cookies are a third party's: whether they are sent is up to the browser and its settings.
        assert_eq!(ways_in(&tab, "https://evil.test").await[..3], ["ada", "ada", "ada"]);
    }

    async fn a_sibling_host_is_the_same_site() {
        // `SameSite` is no protection from the hosts around: that is what the check of origins is for.
        let (_server, tab) = visitor(SameSite::Strict).await;
        assert_eq!(ways_in(&tab, "https://blog.shop.test").await, ["ada", "ada", "ada", "ada"]);
    }
}

/// Whom the shop sees who comes from that site by a link, a form that looks, a form that changes, and in a frame.
async fn ways_in(tab: &Tab, site: &str) -> [String; 4] {
    let trap = format!("{site}/trap");
    tab.open(&trap).await;
    tab.follow("look").await;
    let link = seen(tab).await;
    tab.open(&trap).await;
    tab.press("search").await;
    let search = seen(tab).await;
    tab.open(&trap).await;
    tab.press("buy").await;
    let buy = seen(tab).await;
    tab.open(&trap).await;
    let frame = tab.in_frame("iframe", seen(tab)).await;
    [link, search, buy, frame]
}

async fn seen(tab: &Tab) -> String {
    tab.wait_for("I see").await;
    let text = tab.text().await;
    let (_, seen) = text.split_once("I see ").expect("we waited for it");
    seen.split('.').next().expect("there is a first part").to_owned()
}

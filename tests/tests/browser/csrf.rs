//! Tests of requests that pages of other sites and hosts make a browser send.

use serde::Deserialize;
use sessionkit::{CrossOriginProtection, SameSite, SessionConfigBuilder, SessionData};
use sessionkit_tests::both_frameworks;
use sessionkit_tests::browser::{Browser, Tab};
use sessionkit_tests::harness::{Bench, Server};

#[derive(SessionData)]
struct Cart {
    items: u32,
    state: Option<String>,
}

#[derive(Deserialize)]
struct Posted {
    #[serde(default)]
    csrf_token: String,
    #[serde(default)]
    state: String,
}

/// A page that posts to a host, by a form and by a script.
fn trap(origin: &str) -> String {
    format!(
        r#"<form method="post" action="{origin}/buy"><button>buy</button></form>
<form method="post" action="{origin}/return"><input type="hidden" name="state" value="s1"><button>return</button></form>
<form method="post" action="{origin}/at-once"><input type="hidden" name="state" value="s1"><button>return at once</button></form>
<script>const buy = () => fetch("{origin}/buy", {{ method: "POST", mode: "no-cors", credentials: "include" }})</script>"#
    )
}

both_frameworks! {
    tests: [
        a_form_of_another_site_is_refused,
        a_form_of_a_sibling_host_is_refused_unless_it_is_trusted,
        a_plain_host_goes_by_the_origin,
        a_form_proves_whose_page_it_is_on,
        a_form_post_return_takes_an_interim_page,
    ];

    type Answered = Result<Reply, SessionRejection>;

    async fn cart(auth: Auth, cart: SessionView<Cart>) -> Answered {
        let user = auth.user_id().await?.unwrap_or_else(|| "nobody".into());
        let form = "<form method=post action=/buy><button>buy</button></form>";
        Ok(Reply::html(format!("{} items of {user} {form}", cart.items)))
    }

    async fn enter(auth: Auth) -> Answered {
        auth.login("ada").await?;
        Ok(Reply::see_other("/cart"))
    }

    async fn buy(mut cart: Session<Cart>) -> Reply {
        cart.items += 1;
        Reply::see_other("/cart")
    }

    async fn evil() -> Reply {
        Reply::html(trap("https://shop.test"))
    }

    async fn plain_evil() -> Reply {
        Reply::html(trap("http://shop.test"))
    }

    async fn form(token: CsrfToken) -> Reply {
        Reply::html(format!("<form method=post action=/submit>{}<button>submit</button></form>", token.hidden_field()))
    }

    async fn submit(token: CsrfToken, PostedForm(form): PostedForm<Posted>) -> Answered {
        token.verify(&form.csrf_token)?;
        Ok(Reply::html("submitted"))
    }

    async fn leave(mut cart: Session<Cart>) -> Reply {
        (cart.items, cart.state) = (7, Some("s1".into()));
        Reply::see_other("https://id.test/trap")
    }

    /// Posts the same fields again, from a page of this site, and looks at no session.
    async fn interim(PostedForm(form): PostedForm<Posted>) -> Reply {
        assert_eq!(form.state, "s1");
        let field = "<input type=hidden name=state value=s1>";
        Reply::html(format!(
            "<form method=post action=/finish>{field}<button>Continue</button></form><script>document.forms[0].submit()</script>"
        ))
    }

    async fn finish(auth: Auth, mut cart: Session<Cart>, PostedForm(form): PostedForm<Posted>) -> Answered {
        if cart.state.take() != Some(form.state) {
            return Ok(Reply::status(403, "not begun here"));
        }
        drop(cart);
        auth.login("ada").await?;
        Ok(Reply::see_other("/cart"))
    }

    async fn at_once(auth: Auth, cart: Session<Cart>) -> Answered {
        drop(cart);
        auth.login("ada").await?;
        Ok(Reply::see_other("/cart"))
    }

    async fn start(
        protection: CrossOriginProtection,
        set: impl FnOnce(SessionConfigBuilder) -> SessionConfigBuilder,
    ) -> (Server, Tab) {
        let bench = Bench::memory().with_config(set);
        let routes = routes![
            "/cart" => cart, "/enter" => enter, "/buy" => buy, "/trap" => evil, "/plain-trap" => plain_evil, "/form" => form,
            "/submit" => submit, "/leave" => leave, "/return" => interim, "/finish" => finish, "/at-once" => at_once,
        ];
        let server = serve_protected(&bench, bench.manager(), protection, routes).await;
        let origins = [
            "https://shop.test", "http://shop.test", "https://pay.shop.test", "https://evil.test", "http://evil.test",
            "https://id.test",
        ];
        let browser = Browser::start(&origins.map(|origin| (origin, server.address()))).await;
        (server, browser.tab().await)
    }

    async fn a_form_of_another_site_is_refused() {
        // The cookie comes along, so that nothing but the protection stands in the way.
        let (_server, tab) = start(CrossOriginProtection::new(), |config| config.cookie_same_site(SameSite::None)).await;
        tab.open("https://shop.test/enter").await;
        tab.press("buy").await;
        tab.wait_for("1 items of ada").await;
        tab.open("https://evil.test/trap").await;
        tab.press("buy").await;
        assert_eq!(refusal(&tab).await, 403);
        tab.open("https://evil.test/trap").await;
        tab.run("await buy()").await;
        tab.open("https://shop.test/cart").await;
        tab.wait_for("1 items of ada").await;
    }

    async fn a_form_of_a_sibling_host_is_refused_unless_it_is_trusted() {
        // A sibling is the same site: not even a strict cookie stays away from its forms.
        let strict = |config: SessionConfigBuilder| config.cookie_same_site(SameSite::Strict);
        let (_server, tab) = start(CrossOriginProtection::new(), strict).await;
        tab.open("https://shop.test/enter").await;
        tab.open("https://pay.shop.test/trap").await;
        tab.press("buy").await;
        assert_eq!(refusal(&tab).await, 403);
        tab.open("https://pay.shop.test/trap").await;
        tab.run("await buy()").await;
        tab.open("https://shop.test/cart").await;
        tab.wait_for("0 items of ada").await;

        let trusting = CrossOriginProtection::new().trusted_origin("https://pay.shop.test").expect("an origin");
        let (_server, tab) = start(trusting, strict).await;
        tab.open("https://shop.test/enter").await;
        tab.open("https://pay.shop.test/trap").await;
        tab.press("buy").await;
        tab.wait_for("1 items of ada").await;
    }

    async fn a_plain_host_goes_by_the_origin() {
        // Where the connection is not secure a browser says nothing of the site.
        let (_server, tab) = start(CrossOriginProtection::new(), |config| config.dev()).await;
        tab.open("http://shop.test/enter").await;
        tab.press("buy").await;
        tab.wait_for("1 items of ada").await;
        tab.open("http://evil.test/plain-trap").await;
        tab.press("buy").await;
        assert_eq!(refusal(&tab).await, 403);
        tab.open("http://shop.test/cart").await;
        tab.wait_for("1 items of ada").await;
    }

    async fn a_form_proves_whose_page_it_is_on() {
        let (_server, tab) = start(CrossOriginProtection::new(), |config| config).await;
        tab.open("https://shop.test/form").await;
        tab.press("submit").await;
        tab.wait_for("submitted").await;

        // Another tab logs in while the form is open.
        tab.open("https://shop.test/form").await;
        tab.run("await fetch('/enter')").await;
        tab.press("submit").await;
        assert_eq!(refusal(&tab).await, 403);
        tab.open("https://shop.test/form").await;
        tab.press("submit").await;
        tab.wait_for("submitted").await;
    }

    async fn a_form_post_return_takes_an_interim_page() {
        let exempt = CrossOriginProtection::new().exempt("/return").expect("a path").exempt("/at-once").expect("a path");
        let (_server, tab) = start(exempt, |config| config).await;
        tab.open("https://shop.test/leave").await;
        tab.press("return").await;
        tab.wait_for("7 items of ada").await;
        assert_eq!(tab.url().await, "https://shop.test/cart");

        // Without such a page there is another session, and what was in the first one is lost.
        tab.open("https://shop.test/leave").await;
        tab.press("return at once").await;
        tab.wait_for("0 items of ada").await;
    }
}

/// Returns the status of a page that says that the request is forbidden.
async fn refusal(tab: &Tab) -> u64 {
    tab.wait_for("Forbidden").await;
    let status = tab.run("return performance.getEntriesByType('navigation')[0].responseStatus").await;
    status.as_u64().expect("a status is a number")
}

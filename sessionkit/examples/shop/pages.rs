//! The pages, as HTML. Everything that came from outside is escaped.

use std::fmt::{self, Display, Write};
use std::time::Duration;

use serde_json::{Value, json};
use sessionkit::{SessionInfo, Timestamp};

use super::catalog::{self, Cents, PRODUCTS, Product};
use super::forms::Next;
use super::state::{Account, Cart};

/// What every page shows around its content.
pub(crate) struct Frame<'a> {
    account: &'a Account,
    cart: &'a Cart,
    notice: Option<String>,
}

impl<'a> Frame<'a> {
    pub(crate) fn new(account: &'a Account, cart: &'a Cart, notice: Option<String>) -> Self {
        Self { account, cart, notice }
    }

    fn page(&self, title: &str, content: &str) -> String {
        let navigation = self.navigation();
        let notice =
            self.notice.as_deref().map(|notice| format!(r#"<p class="notice" role="status">{}</p>"#, Text(notice)));
        document(title, &navigation, &format!("{}{content}", notice.unwrap_or_default()))
    }

    fn navigation(&self) -> String {
        let count = match self.cart.count() {
            0 => String::new(),
            count => format!(r#" <span class="badge">{count}</span>"#),
        };
        let admin = if self.account.is_admin { r#"<a href="/admin">Stock room</a>"# } else { "" };
        let who = match &self.account.name {
            Some(name) => format!(
                r#"<form method="post" action="/logout"><span class="who">{}</span>
<button class="quiet">Log out</button></form>"#,
                Text(name)
            ),
            None => r#"<a class="button" href="/login">Log in</a>"#.to_owned(),
        };
        format!(r#"<a href="/cart">Cart{count}</a><a href="/session">Session</a>{admin}{who}"#)
    }
}

/// `/`: everything there is to buy.
pub(crate) fn browse(frame: &Frame<'_>) -> String {
    let products: String = PRODUCTS.iter().map(|product| product_card(product, frame.cart)).collect();
    let content = format!(
        r#"<header class="intro"><h1>Six good things</h1><p>A small shop that remembers what you want, who you are, and
nothing else.</p></header><ul class="products">{products}</ul>"#
    );
    frame.page("Corner Shop", &content)
}

fn product_card(product: &Product, cart: &Cart) -> String {
    let Product { id, name, blurb, price, .. } = product;
    let picture = picture(product);
    let count = match cart.count_of(product) {
        0 => String::new(),
        count => format!(r#"<span class="count">{count} in cart</span>"#),
    };
    format!(
        r#"<li class="card product">{picture}<h2>{name}</h2><p>{blurb}</p>
<div class="buy"><span class="price">{price}</span>{count}
<form method="post" action="/cart">
<button name="item" value="{id}" aria-label="Add {name} to the cart">Add</button></form>
</div></li>"#
    )
}

fn picture(product: &Product) -> String {
    let Product { id, picture, .. } = product;
    format!(r#"<div class="picture {id}"><svg viewBox="0 0 48 48" aria-hidden="true">{picture}</svg></div>"#)
}

/// `/cart`.
pub(crate) fn cart(frame: &Frame<'_>) -> String {
    // What the shop no longer sells is not shown.
    let items = || frame.cart.items.iter().filter_map(|(id, quantity)| Some((catalog::find(id)?, *quantity)));
    if items().next().is_none() {
        return frame.page(
            "Your cart",
            r#"<h1>Your cart</h1><p class="card empty">It is empty. <a href="/">Find something nice</a></p>"#,
        );
    }
    let rows: String = items().map(|(product, quantity)| cart_row(product, quantity)).collect();
    let total = Cents(items().map(|(product, quantity)| product.price.0 * quantity).sum());
    let login = match frame.account.name {
        Some(_) => "",
        None => r#"<p class="hint">Your cart stays when you <a href="/login?next=/cart">log in</a>.</p>"#,
    };
    let content = format!(
        r#"<h1>Your cart</h1><div class="card"><ul class="rows">{rows}</ul>
<p class="total"><span>Total</span><strong>{total}</strong></p></div>{login}"#
    );
    frame.page("Your cart", &content)
}

fn cart_row(product: &Product, quantity: u32) -> String {
    let Product { id, name, price, .. } = product;
    let (picture, sum) = (picture(product), Cents(price.0 * quantity));
    let (less, more) = (quantity - 1, quantity + 1);
    let full = if quantity < Cart::MOST { "" } else { " disabled" };
    format!(
        r#"<li>{picture}<div class="what"><strong>{name}</strong><span class="hint">{price} each</span></div>
<form method="post" action="/cart" class="stepper"><input type="hidden" name="item" value="{id}">
<button name="quantity" value="{less}" aria-label="One {name} less">−</button><output>{quantity}</output>
<button name="quantity" value="{more}" aria-label="One {name} more"{full}>+</button>
<button name="quantity" value="0" class="quiet" aria-label="Remove {name}">Remove</button></form>
<span class="sum">{sum}</span></li>"#
    )
}

/// `/login`.
pub(crate) fn login(next: &Next, error: Option<&str>) -> String {
    let error = error.map(|error| format!(r#"<p class="error" role="alert">{}</p>"#, Text(error)));
    let content = format!(
        r#"<form method="post" action="/login" class="card login"><h1>Log in</h1>{error}
<input type="hidden" name="next" value="{next}">
<label>User<input name="user" autocomplete="username" autocapitalize="none" required autofocus></label>
<label>Password<input name="password" type="password" autocomplete="current-password" required></label>
<label class="check"><input type="checkbox" name="remember"> Keep me signed in for 30 days</label>
<button>Log in</button>
<p class="hint">This is a demo: <kbd>ada</kbd> / <kbd>ada</kbd> is the admin,
<kbd>bob</kbd> / <kbd>bob</kbd> a customer.</p>
</form>"#,
        error = error.unwrap_or_default(),
        next = Text(next.path().as_str()),
    );
    document("Log in", r#"<a href="/">Back to the shop</a>"#, &content)
}

/// `/admin`: what only an admin may see.
pub(crate) fn admin(frame: &Frame<'_>) -> String {
    let mut rows = String::new();
    for Product { name, stock, cost, price, .. } in &PRODUCTS {
        let margin = (price.0 - cost.0) * 100 / price.0;
        row(&mut rows, &format!("<td>{name}</td><td>{stock}</td><td>{cost}</td><td>{price}</td><td>{margin} %</td>"));
    }
    let content = format!(
        r#"<h1>Stock room</h1>
<p class="lead">Only admins come in here. The guard on the handler says so, in one line.</p>
<div class="card wide"><table>
<thead><tr><th>Product</th><th>Stock</th><th>Cost</th><th>Price</th><th>Margin</th></tr></thead>
<tbody class="numbers">{rows}</tbody></table></div>"#
    );
    frame.page("Stock room", &content)
}

/// `/session`: what the session holds, and when it ends.
pub(crate) fn session(frame: &Frame<'_>, info: Option<&SessionInfo>, views: u64) -> String {
    let Some(info) = info else {
        let content = r#"<h1>Your session</h1><p class="card empty">You have none. Looking around stores
nothing and sets no cookie; <a href="/">put something into your cart</a> and there will be one.</p>"#;
        return frame.page("Your session", content);
    };
    let ago = |time: Timestamp| format!("{} ago", Span(info.as_of.since(time)));
    let mut about = String::new();
    fact(&mut about, "Ends", &format!("in {}", Span(info.expires_at.since(info.as_of))));
    fact(&mut about, "User", info.user.as_deref().unwrap_or("nobody is logged in"));
    if let Some(time) = info.authenticated_at {
        fact(&mut about, "Logged in", &ago(time));
    }
    fact(&mut about, "Began", &ago(info.created_at));
    fact(&mut about, "Last seen", &ago(info.last_seen_at));
    fact(&mut about, "Id", &info.id.to_string());

    let Account { name, is_admin } = frame.account;
    let mut holds = String::new();
    let fields = [
        ("cart.items", json!(frame.cart.items), "what two requests add at once adds up"),
        ("account.name", json!(name), "the last write wins"),
        ("account.is_admin", json!(is_admin), "the last write wins"),
        ("visit.views", json!(views), "how often you saw this page, counted in the store"),
        ("visit.notice", json!(frame.notice), "shown once, then gone"),
    ];
    for (key, value, rule) in fields {
        let value = value.to_string();
        let (key, value, rule) = (Text(key), Text(&value), Text(rule));
        let cells = format!(r#"<td><code>{key}</code></td><td class="value"><code>{value}</code></td><td>{rule}</td>"#);
        row(&mut holds, &cells);
    }
    let content = format!(
        r#"<h1>Your session</h1><p class="lead">Each use begins its time anew, and a logout ends it for good.</p>
<dl class="card facts">{about}</dl><h2>What it holds</h2>
<div class="card wide"><table class="fields">
<thead><tr><th>Field</th><th>Value</th><th>Rule</th></tr></thead><tbody>{holds}</tbody></table></div>
<p class="hint">The same for scripts: <a href="/api/session"><code>GET /api/session</code></a></p>"#
    );
    frame.page("Your session", &content)
}

/// `/api/session`: the same for scripts.
pub(crate) fn session_json(info: Option<&SessionInfo>, cart: &Cart) -> Value {
    json!({
        "user": info.and_then(|info| info.user.as_deref()),
        "cart": cart.items,
        "expires_at": info.map(|info| info.expires_at.unix_seconds()),
    })
}

/// Where there is nothing.
pub(crate) fn not_found() -> String {
    let content = r#"<h1>Not here</h1><p class="card empty">We do not have this. <a href="/">See what we have</a></p>"#;
    document("Not found", r#"<a href="/">Back to the shop</a>"#, content)
}

fn row(rows: &mut String, cells: &str) {
    rows.extend(["<tr>", cells, "</tr>"]);
}

fn fact(facts: &mut String, name: &str, value: &str) {
    let _ = write!(facts, "<div><dt>{}</dt><dd>{}</dd></div>", Text(name), Text(value));
}

fn document(title: &str, navigation: &str, content: &str) -> String {
    let (title, style) = (Text(title), include_str!("style.css"));
    format!(
        r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="data:,">
<style>{style}</style>
</head>
<body>
<nav><a class="brand" href="/">Corner Shop</a>{navigation}</nav>
<main>{content}</main>
<footer>A demo of SessionKit. Nothing here is for sale.</footer>
</body>
</html>
"#
    )
}

/// Text in HTML, in an attribute too.
struct Text<'a>(&'a str);

impl Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|char| match char {
            '&' => f.write_str("&amp;"),
            '<' => f.write_str("&lt;"),
            '>' => f.write_str("&gt;"),
            '"' => f.write_str("&quot;"),
            '\'' => f.write_str("&#39;"),
            char => f.write_char(char),
        })
    }
}

/// A length of time in its two largest units.
struct Span(Duration);

impl Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        let units = [("day", seconds / 86_400), ("hour", seconds / 3_600 % 24), ("minute", seconds / 60 % 60)];
        let mut shown = units.into_iter().skip_while(|(_, count)| *count == 0).take(2).filter(|(_, count)| *count > 0);
        let mut one = |f: &mut fmt::Formatter<'_>, before: &str| match shown.next() {
            Some((unit, 1)) => write!(f, "{before}1 {unit}").map(|()| true),
            Some((unit, count)) => write!(f, "{before}{count} {unit}s").map(|()| true),
            None => Ok(false),
        };
        if !one(f, "")? {
            return f.write_str("less than a minute");
        }
        one(f, " and ").map(drop)
    }
}

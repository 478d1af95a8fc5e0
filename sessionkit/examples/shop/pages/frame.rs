//! The frame that every page has around its content.

use super::text::Text;
use crate::shop::accounts::Person;
use crate::shop::state::Cart;

/// The data that every page shows around its content.
pub(crate) struct Frame<'a> {
    pub(super) person: Option<&'a Person>,
    pub(super) cart: &'a Cart,
    pub(super) notice: Option<String>,
}

impl<'a> Frame<'a> {
    pub(crate) fn new(person: Option<&'a Person>, cart: &'a Cart, notice: Option<String>) -> Self {
        Self { person, cart, notice }
    }

    pub(super) fn page(&self, title: &str, content: &str) -> String {
        let notice =
            self.notice.as_deref().map(|notice| format!(r#"<p class="notice" role="status">{}</p>"#, Text(notice)));
        document(title, &self.navigation(), &format!("{}{content}", notice.unwrap_or_default()))
    }

    fn navigation(&self) -> String {
        let count = match self.cart.count() {
            0 => String::new(),
            count => format!(r#" <span class="badge">{count}</span>"#),
        };
        let (admin, who) = match self.person {
            Some(person) => (
                if person.is_admin {
                    r#"<a href="/admin">Stock room</a><a href="/admin/people">People</a>"#
                } else {
                    ""
                },
                format!(
                    r#"<form method="post" action="/logout"><a class="who" href="/account">{}</a>
<button class="quiet">Log out</button></form>"#,
                    Text(person.name)
                ),
            ),
            None => ("", r#"<a class="button" href="/login">Log in</a>"#.to_owned()),
        };
        format!(r#"<a href="/cart">Cart{count}</a><a href="/session">Session</a>{admin}{who}"#)
    }
}

/// Returns the page for an address at which there is nothing.
pub(crate) fn not_found() -> String {
    let content = r#"<h1>Not here</h1><p class="card empty">We do not have this. <a href="/">See what we have</a></p>"#;
    document("Not found", BACK, content)
}

/// Returns the page for an address that only others may open.
pub(crate) fn not_for_you() -> String {
    let content = r#"<h1>This is not for you</h1><p class="card empty">Behind this door are those who run the shop.
<a href="/">See what we have</a></p>"#;
    document("Not for you", BACK, content)
}

pub(super) const BACK: &str = r#"<a href="/">Back to the shop</a>"#;

pub(super) fn document(title: &str, navigation: &str, content: &str) -> String {
    let (title, style) = (Text(title), include_str!("../style.css"));
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
{SHOWN_AGAIN}
</body>
</html>
"#
    )
}

/// Browsers keep the pages that one has just left as they were, even those that nobody may store: the way back after a
/// logout would show them.
const SHOWN_AGAIN: &str =
    r#"<script>addEventListener("pageshow", (page) => page.persisted && location.reload())</script>"#;

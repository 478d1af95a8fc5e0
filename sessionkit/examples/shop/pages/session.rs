//! The page that shows what the session holds, and when it ends.

use serde_json::{Value, json};
use sessionkit::{SessionInfo, Timestamp};

use super::frame::Frame;
use super::text::{Span, Text, fact, row};
use crate::shop::state::Cart;

/// `/session`: what the session holds, and when it ends.
pub(crate) fn session(frame: &Frame<'_>, info: Option<&SessionInfo>, views: u64) -> String {
    let Some(info) = info else {
        let content = r#"<h1>Your session</h1><p class="card empty">You have none. Looking around stores
nothing and sets no cookie; <a href="/">put something into your cart</a> and there will be one.</p>"#;
        return frame.page("Your session", content);
    };
    let ago = |time: Timestamp| format!("{} ago", Span(info.as_of.saturating_duration_since(time)));
    let mut about = String::new();
    fact(&mut about, "Ends", &format!("in {}", Span(info.expires_at.saturating_duration_since(info.as_of))));
    fact(&mut about, "User", info.user_id.as_deref().unwrap_or("nobody is logged in"));
    if let Some(time) = info.authenticated_at {
        fact(&mut about, "Logged in", &ago(time));
    }
    fact(&mut about, "Began", &ago(info.created_at));
    fact(&mut about, "Last seen", &ago(info.last_seen_at));
    fact(&mut about, "Id", &info.id.to_string());

    let mut holds = String::new();
    let fields = [
        ("cart.items", json!(frame.cart.items), "what two requests add at once adds up"),
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
        r#"<h1>Your session</h1><p class="lead">Each use starts its time again, and a logout ends it for good.</p>
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
        "user": info.and_then(|info| info.user_id.as_deref()),
        "cart": cart.items,
        "expires_at": info.map(|info| info.expires_at.unix_seconds()),
    })
}

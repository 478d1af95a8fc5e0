//! Logging in, and what belongs to an account.

use sessionkit::SessionInfo;

use super::frame::{BACK, Frame, document};
use super::text::{Span, Text, fact};
use crate::shop::forms::Next;

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
    document("Log in", BACK, &content)
}

/// `/account`: who one is, and where one is logged in.
pub(crate) fn account(frame: &Frame<'_>, info: &SessionInfo) -> String {
    let mut facts = String::new();
    let person = frame.person.expect("a guard lets nobody else in");
    fact(&mut facts, "Name", person.name);
    fact(&mut facts, "May", if person.is_admin { "shop, and see the stock room" } else { "shop" });
    let proved = info.authenticated_at.map_or_else(String::new, |time| format!("{} ago", Span(info.as_of.since(time))));
    fact(&mut facts, "Password checked", &proved);
    let content = format!(
        r#"<h1>Your account</h1><dl class="card facts">{facts}</dl>
<p class="actions"><a class="button" href="/password">Change password</a></p>
<h2>This device</h2><p class="card live" id="live" role="status"><span class="dot"></span>
{device}: logged in. This page notices when that ends elsewhere.</p>{LIVE}"#,
        device = Text(info.device.as_deref().unwrap_or("Unknown device")),
    );
    frame.page("Your account", &content)
}

/// `/password`.
pub(crate) fn password(frame: &Frame<'_>, token: &str, error: Option<&str>) -> String {
    let error = error.map(|error| format!(r#"<p class="error" role="alert">{}</p>"#, Text(error)));
    let content = format!(
        r#"<form method="post" action="/password" class="card login"><h1>Change password</h1>{error}{token}
<label>Current password<input name="current" type="password" autocomplete="current-password" required autofocus></label>
<label>New password<input name="password" type="password" autocomplete="new-password" required></label>
<label>The same again<input name="again" type="password" autocomplete="new-password" required></label>
<button>Change password</button>
<p class="hint">You stay logged in here, and are logged out everywhere else. The shop forgets it when it closes.</p>
</form>"#,
        error = error.unwrap_or_default(),
    );
    frame.page("Change password", &content)
}

/// Watches the session from the page. What the page shows is private, so it goes when the session does.
const LIVE: &str = r#"<script>
const live = new EventSource("/live");
live.addEventListener("open", () => document.getElementById("live").classList.add("on"));
live.addEventListener("ended", () => {
  live.close();
  document.querySelector("nav").innerHTML = '<a class="brand" href="/">Corner Shop</a>';
  document.querySelector("main").innerHTML = '<h1>You are logged out</h1><p class="card empty" role="alert">'
    + 'This session was ended elsewhere. <a href="/login?next=/account">Log in again</a></p>';
});
</script>"#;

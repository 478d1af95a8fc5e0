//! Logging in, and what belongs to an account.

use sessionkit::SessionInfo;

use super::frame::{BACK, Frame, document};
use super::text::{Alert, Span, Text, fact};
use crate::shop::accounts::Person;
use crate::shop::forms::Next;

/// `/login`: for visitors who are not logged in, and for those who are, to prove it once more.
pub(crate) fn login(person: Option<&Person>, next: &Next, error: Option<&str>) -> String {
    match person {
        Some(person) => confirm(person, next, error),
        None => log_in(next, error),
    }
}

fn log_in(next: &Next, error: Option<&str>) -> String {
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
        error = Alert(error),
        next = Text(next.path().as_str()),
    );
    document("Log in", BACK, &content)
}

fn confirm(person: &Person, next: &Next, error: Option<&str>) -> String {
    let content = format!(
        r#"<form method="post" action="/login" class="card login"><h1>Please confirm that it is you</h1>{error}
<p>You are logged in as {name}. Before you go on, the shop wants to be sure.</p>
<input type="hidden" name="next" value="{next}"><input type="hidden" name="user" value="{id}">
<label>Password<input name="password" type="password" autocomplete="current-password" required autofocus></label>
<button>Confirm</button></form>
<form method="post" action="/logout" class="aside">Not {name}? <button class="quiet">Log out</button></form>"#,
        error = Alert(error),
        name = Text(person.name),
        next = Text(next.path().as_str()),
        id = Text(person.id),
    );
    document("Confirm that it is you", BACK, &content)
}

/// `/account`: who one is, and where one is logged in.
pub(crate) fn account(frame: &Frame<'_>, info: &SessionInfo) -> String {
    let mut facts = String::new();
    let person = frame.person.expect("a guard lets nobody else in");
    fact(&mut facts, "Name", person.name);
    fact(&mut facts, "May", if person.is_admin { "shop, and run it" } else { "shop" });
    let proved = info
        .authenticated_at
        .map_or_else(String::new, |time| format!("{} ago", Span(info.as_of.saturating_duration_since(time))));
    fact(&mut facts, "Password checked", &proved);
    let content = format!(
        r#"<h1>Your account</h1><dl class="card facts">{facts}</dl>
<p class="actions"><a class="button" href="/password">Change password</a></p>
<h2>This device</h2><p class="card live" id="live" role="status"><span class="dot"></span>
{device}: logged in. This page notices when that ends elsewhere.</p>
<p class="hint"><a href="/devices">All your devices</a></p>{LIVE}"#,
        device = Text(info.device_label.as_deref().unwrap_or("Unknown device")),
    );
    frame.page("Your account", &content)
}

/// `/password`.
pub(crate) fn password(frame: &Frame<'_>, token: &str, error: Option<&str>) -> String {
    let content = format!(
        r#"<form method="post" action="/password" class="card login"><h1>Change password</h1>{error}{token}
<label>New password<input name="password" type="password" autocomplete="new-password" required autofocus></label>
<label>The same again<input name="again" type="password" autocomplete="new-password" required></label>
<button>Change password</button>
<p class="hint">You stay logged in here, and are logged out everywhere else. The shop forgets it when it closes.</p>
</form>"#,
        error = Alert(error),
    );
    frame.page("Change password", &content)
}

/// Asks again whether the session is still there when the stream ends. What the page shows is private, so it goes when the
/// session does: the page that takes its place is the login page, or says what else is wrong.
const LIVE: &str = r#"<script>
const live = new EventSource("/live");
live.addEventListener("open", () => document.getElementById("live").classList.add("on"));
live.addEventListener("error", () => {
  document.getElementById("live").classList.remove("on");
  if (live.readyState === EventSource.CLOSED) location.reload();
});
</script>"#;

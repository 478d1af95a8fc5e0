//! The page that shows on which devices a user is logged in.

use sessionkit::{Device, Timestamp};

use super::frame::Frame;
use super::text::{Span, Text, entry};

/// `/devices`: where one is logged in.
pub(crate) fn devices(frame: &Frame<'_>, devices: &[Device], now: Timestamp, token: &str) -> String {
    let mut entries = String::new();
    for device in devices {
        let label = Text(device.device_label.as_deref().unwrap_or("Unknown device"));
        let (began, seen) = (
            Span(now.saturating_duration_since(device.created_at)),
            Span(now.saturating_duration_since(device.last_seen_at)),
        );
        let about = format!("Began {began} ago, last seen {seen} ago");
        let action = if device.is_current { THIS_ONE.to_owned() } else { log_out(device, &label, token) };
        entry(&mut entries, &label.to_string(), &about, &action);
    }
    let others = match devices {
        [] | [_] => String::new(),
        _ => format!(
            r#"<form method="post" action="/devices/end-others" class="actions">{token}
<button>Log out everywhere else</button></form>"#
        ),
    };
    let content = format!(
        r#"<h1>Your devices</h1><p class="lead">Here you are logged in. Log out what you do not recognize, and
<a href="/password">change your password</a>.</p>
<ul class="card rows">{entries}</ul>{others}"#
    );
    frame.page("Your devices", &content)
}

const THIS_ONE: &str = r#"<span class="badge">This device</span>"#;

fn log_out(device: &Device, label: &Text<'_>, token: &str) -> String {
    let id = device.id;
    format!(
        r#"<form method="post" action="/devices/end">{token}
<button name="device" value="{id}" class="quiet" aria-label="Log out {label}">Log out</button></form>"#
    )
}

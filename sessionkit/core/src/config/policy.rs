//! The settings in words, for people who want to know what is in force.

use std::fmt;
use std::time::Duration;

use super::set_cookie;
use super::{CookieMaxAge, OnBadCookie, OnLostWrite, OnMaxDevices, Rolling, SessionConfig, Settings};
use crate::encryption::EncryptedFields;
use crate::record::delta::OnLogin;

/// Prints what is in force, line by line, for a start-up log or a review:
///
/// ```
/// # use sessionkit_core as sessionkit;
/// let config = sessionkit::SessionConfig::builder().aal2().build()?;
/// println!("{config}");
/// # let lines = config.to_string();
/// # assert!(lines.contains("idle time     1 hour"), "{lines}");
/// # assert!(lines.contains("at most       1 day after the login"), "{lines}");
/// # Ok::<(), sessionkit_core::ConfigError>(())
/// ```
impl fmt::Display for SessionConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let settings = self.settings();
        let lines = [
            ("cookie", set_cookie::shape(settings)),
            ("cookie ends", cookie_ends(settings)),
            ("idle time", idle_time(settings)),
            ("at most", format!("{} after the login, or after the first visit", words(settings.absolute_ttl))),
            ("use", usage(settings)),
            ("new token", new_token(settings)),
            ("login", login(settings).into()),
            ("begins", if settings.save_uninitialized { "at the first visit" } else { "with the first data" }.into()),
            ("bad cookie", bad_cookie(settings).into()),
            ("lost write", lost_write(settings).into()),
            ("login page", settings.login_url.clone()),
            ("home page", settings.home_url.clone()),
            ("store", store(settings)),
            ("user", format!("{} to load", words(settings.user_deadline))),
            ("size", format!("{} bytes at most", settings.max_record_size)),
            ("encryption", encryption(settings).into()),
            ("watching", format!("looks every {}", words(settings.watch_interval))),
        ];
        let devices = settings.lists_devices().then(|| ("devices", devices(settings)));
        if let Some(preset) = settings.preset {
            writeln!(f, "{:<14}{}, after NIST SP 800-63B-4", "lifetimes", preset.name())?;
        }
        if settings.dev {
            writeln!(f, "{:<14}plain http on localhost", "development")?;
        }
        let mut lines = lines.iter().chain(&devices);
        lines.try_for_each(|(name, value)| writeln!(f, "{name:<14}{value}"))
    }
}

fn cookie_ends(settings: &Settings) -> String {
    match settings.cookie_max_age {
        CookieMaxAge::Follow => "with the session".into(),
        CookieMaxAge::Session => "with the browser, or with the session where the login asked for a lifetime".into(),
        CookieMaxAge::Fixed(age) => format!("after {}", words(age)),
    }
}

fn idle_time(settings: &Settings) -> String {
    let (ttl, anonymous) = (words(settings.ttl), words(settings.anonymous_ttl));
    if ttl == anonymous { ttl } else { format!("{ttl}, {anonymous} for anonymous visitors") }
}

fn usage(settings: &Settings) -> String {
    let recorded = words(settings.touch_after);
    let recorded = match settings.touch_after {
        Duration::ZERO => "recorded with each request".into(),
        _ => format!("recorded every {} at most", recorded.strip_prefix("1 ").unwrap_or(&recorded)),
    };
    match settings.rolling {
        Rolling::Off => "does not prolong the session".into(),
        Rolling::Reset => format!("begins the idle time anew, {recorded}"),
        Rolling::Extend(by) => format!("prolongs the session by {}, {recorded}", words(by)),
    }
}

fn new_token(settings: &Settings) -> String {
    let Some(after) = settings.renew_after else { return "at every login".into() };
    let (after, grace) = (words(after), words(settings.renew_grace));
    format!("at every login, and after {after}; then the old one opens the session for {grace} more")
}

fn bad_cookie(settings: &Settings) -> &'static str {
    match settings.on_bad_cookie {
        OnBadCookie::Anonymous => "is as good as none",
        OnBadCookie::Reject => "is answered with 400 or 401",
    }
}

fn devices(settings: &Settings) -> String {
    let then = match settings.on_max_devices {
        OnMaxDevices::EvictOldest => "a login ends the oldest one",
        OnMaxDevices::Reject => "a login is answered with 409",
    };
    format!("{} for each user at most; then {then}", settings.max_devices)
}

fn lost_write(settings: &Settings) -> &'static str {
    match settings.on_lost_write {
        OnLostWrite::Ignore => "is logged",
        OnLostWrite::Error => "is answered with 409",
    }
}

fn login(settings: &Settings) -> &'static str {
    match settings.on_login {
        OnLogin::Keep => "keeps what the visitor has stored, unless a struct says otherwise",
        OnLogin::Discard => "discards what the visitor has stored, unless a struct says otherwise",
    }
}

fn encryption(settings: &Settings) -> &'static str {
    match (settings.encrypted_fields(), &settings.keys) {
        (EncryptedFields::All, _) => "of all fields",
        (EncryptedFields::Sensitive, Some(_)) => "of sensitive fields",
        (EncryptedFields::Sensitive, None) => "none, so sensitive fields are refused",
        (EncryptedFields::Nothing, _) => "none: sensitive fields are stored as plain text",
    }
}

fn store(settings: &Settings) -> String {
    let (load, commit) = (words(settings.load_deadline), words(settings.commit_deadline));
    format!("{load} for a load, {commit} for a commit")
}

/// A duration in the largest unit of which it is a whole number.
fn words(time: Duration) -> String {
    let units = [(86_400_000, "day"), (3_600_000, "hour"), (60_000, "minute"), (1000, "second"), (1, "millisecond")];
    let milliseconds = time.as_millis();
    let unit = units.iter().find(|(unit, _)| milliseconds.is_multiple_of(*unit) && milliseconds >= *unit);
    let (unit, name) = unit.unwrap_or(&(1, "millisecond"));
    let count = milliseconds / unit;
    format!("{count} {name}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minutes(minutes: u64) -> Duration {
        Duration::from_secs(minutes * 60)
    }

    #[test]
    fn the_policy_is_printed_in_words() {
        assert_eq!(
            SessionConfig::default().to_string(),
            "\
cookie        __Host-session; Path=/; SameSite=Lax; Secure; HttpOnly
cookie ends   with the session
idle time     1 day, 12 hours for anonymous visitors
at most       30 days after the login, or after the first visit
use           begins the idle time anew, recorded every minute at most
new token     at every login
login         keeps what the visitor has stored, unless a struct says otherwise
begins        with the first data
bad cookie    is as good as none
lost write    is logged
login page    /login
home page     /
store         250 milliseconds for a load, 500 milliseconds for a commit
user          1 second to load
size          65536 bytes at most
encryption    none, so sensitive fields are refused
watching      looks every 30 seconds
"
        );
        let strict = SessionConfig::builder().aal3().dev().rolling(Rolling::Off).renew_after(minutes(90));
        let strict =
            strict.cookie_max_age(CookieMaxAge::Session).save_uninitialized(true).on_lost_write(OnLostWrite::Error);
        assert_eq!(
            strict.on_bad_cookie(OnBadCookie::Reject).build().unwrap().to_string(),
            "\
lifetimes     aal3, after NIST SP 800-63B-4
development   plain http on localhost
cookie        session; Path=/; SameSite=Lax; HttpOnly
cookie ends   with the browser, or with the session where the login asked for a lifetime
idle time     15 minutes
at most       12 hours after the login, or after the first visit
use           does not prolong the session
new token     at every login, and after 90 minutes; then the old one opens the session for 30 seconds more
login         keeps what the visitor has stored, unless a struct says otherwise
begins        at the first visit
bad cookie    is answered with 400 or 401
lost write    is answered with 409
login page    /login
home page     /
store         250 milliseconds for a load, 500 milliseconds for a commit
user          1 second to load
size          65536 bytes at most
encryption    of sensitive fields
watching      looks every 30 seconds
"
        );
        let longer = SessionConfig::builder()
            .rolling(Rolling::Extend(minutes(10)))
            .cookie_max_age(CookieMaxAge::Fixed(minutes(1)));
        let listed = SessionConfig::builder().track_devices(true).build().unwrap().to_string();
        assert!(
            listed.contains("devices       100 for each user at most; then a login ends the oldest one\n"),
            "{listed}"
        );
        let longer = longer.track_devices(true).max_devices(3).build().unwrap().to_string();
        assert!(
            longer.contains("devices       3 for each user at most; then a login ends the oldest one\n"),
            "{longer}"
        );
        assert!(longer.contains("cookie ends   after 1 minute\n"), "{longer}");
        assert!(longer.contains("prolongs the session by 10 minutes, recorded"), "{longer}");
    }
}

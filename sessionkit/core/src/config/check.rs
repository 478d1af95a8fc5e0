//! The settings that contradict each other, and the advice on what to change.

use std::time::Duration;

use super::set_cookie;
use super::settings::DAY;
use super::{ConfigError, CookieMaxAge, Rolling, SameSite, SessionConfigBuilder, Settings};
use crate::wire::local::is_local;

/// The longest that browsers keep a cookie ([RFC 6265bis](https://datatracker.ietf.org/doc/draft-ietf-httpbis-rfc6265bis/)).
pub(crate) const LONGEST_COOKIE: Duration = Duration::from_secs(400 * DAY.as_secs());

impl SessionConfigBuilder {
    /// Checks what was set, before defaults stand beside it.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if self.max_devices.is_some() && self.track_devices != Some(true) {
            let problem = "max_devices needs the list of devices: set track_devices, or unset max_devices";
            return Err(ConfigError(problem.into()));
        }
        Ok(())
    }
}

impl Settings {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let problems = [
            self.cookie(),
            self.dev(),
            self.prefix(),
            self.length(),
            self.lifetime(),
            self.preset(),
            self.touch(),
            self.renewal(),
            self.rotation(),
            self.limits(),
            self.device_limit(),
            self.encryption(),
            self.weakness(),
        ];
        problems.into_iter().flatten().next().map_or(Ok(()), |problem| Err(ConfigError(problem)))
    }

    fn cookie(&self) -> Option<String> {
        let name = &self.cookie_name;
        let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if name.is_empty() || !name.bytes().all(is_token) {
            return Some(format!("cookie_name {name:?} is not a cookie name: use letters, digits, `-` and `_`"));
        }
        let is_attribute = |text: &str| text.bytes().all(|byte| (0x20..0x7f).contains(&byte) && byte != b';');
        if !self.cookie_path.starts_with('/') || !is_attribute(&self.cookie_path) {
            return Some(format!("cookie_path {:?} must begin with `/` and have no `;`", self.cookie_path));
        }
        if let Some(domain) = &self.cookie_domain {
            let is_host = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
            if domain.is_empty() || !domain.bytes().all(is_host) {
                return Some(format!("cookie_domain {domain:?} is not a host name: write `example.com`"));
            }
        }
        if self.cookie_same_site == SameSite::None && !self.cookie_secure {
            return Some("SameSite=None needs a Secure cookie: set cookie_secure, or use SameSite=Lax".into());
        }
        if self.cookie_partitioned && !self.cookie_secure {
            return Some("a Partitioned cookie must be Secure: set cookie_secure, or unset cookie_partitioned".into());
        }
        None
    }

    fn dev(&self) -> Option<String> {
        let contradiction = "cookie_secure contradicts dev, which is for plain http: unset one of them";
        (self.dev && self.cookie_secure).then(|| contradiction.into())
    }

    /// Browsers drop what is longer, and each attribute of more than 1024 bytes.
    fn length(&self) -> Option<String> {
        let length = set_cookie::longest(self);
        if length > 4096 {
            return Some(format!(
                "the cookie would take {length} bytes, more than the 4096 that browsers keep: shorten cookie_name, cookie_path or cookie_domain"
            ));
        }
        let domain = self.cookie_domain.as_deref().unwrap_or_default();
        for (name, value) in [("cookie_path", &*self.cookie_path), ("cookie_domain", domain)] {
            if value.len() > 1024 {
                return Some(format!("{name} takes more than the 1024 bytes that browsers read: shorten it"));
            }
        }
        None
    }

    fn prefix(&self) -> Option<String> {
        let name = &self.cookie_name;
        let has = |prefix| has_prefix(name, prefix);
        if (has("__Host-") || has("__Secure-") || has("__Http-")) && !self.cookie_secure {
            if self.dev {
                return Some(format!(
                    "the prefix of {name:?} needs a Secure cookie, which dev turns off: name the cookie without the prefix"
                ));
            }
            return Some(format!(
                "the prefix of {name:?} needs a Secure cookie: set cookie_secure, or use dev() for plain http on localhost"
            ));
        }
        if (has("__Http-") || has("__Host-Http-")) && !self.cookie_http_only {
            return Some(format!(
                "the `Http-` of {name:?} needs an HttpOnly cookie: unset cookie_http_only, or name the cookie without it"
            ));
        }
        if has("__Host-") && self.cookie_domain.is_some() {
            return Some(format!(
                "the `__Host-` prefix of {name:?} forbids a domain: unset cookie_domain, or begin the name with `__Secure-`"
            ));
        }
        if has("__Host-") && self.cookie_path != "/" {
            return Some(format!(
                "the `__Host-` prefix of {name:?} needs the path `/`: unset cookie_path, or begin the name with `__Secure-`"
            ));
        }
        None
    }

    /// Says why the cookie is weaker than OWASP ASVS 5.0 asks (3.3.1), unless the application accepts that.
    fn weakness(&self) -> Option<String> {
        if self.dev || self.allow_weak_cookie {
            return None;
        }
        if !self.cookie_secure {
            return Some(
                "cookie_secure = false lets all who listen read the cookie: set cookie_secure, use dev() for plain http on \
                 localhost, or accept it with allow_weak_cookie"
                    .into(),
            );
        }
        let name = &self.cookie_name;
        if ["__Host-", "__Secure-", "__Http-"].iter().any(|prefix| has_prefix(name, prefix)) {
            return None;
        }
        let prefix = if self.cookie_domain.is_some() || self.cookie_path != "/" { "__Secure-" } else { "__Host-" };
        Some(format!(
            "the cookie_name {name:?} has no prefix, so other hosts of the domain can plant a cookie of that name: write \
             {prefix}{name}, or accept it with allow_weak_cookie"
        ))
    }

    fn lifetime(&self) -> Option<String> {
        let (ttl, anonymous, absolute) = (self.ttl, self.anonymous_ttl, self.absolute_ttl);
        for (name, time) in
            [("ttl", ttl), ("anonymous_ttl", anonymous), ("absolute_ttl", absolute), ("renew_grace", self.renew_grace)]
        {
            if time.as_secs() == 0 || time.subsec_nanos() != 0 {
                return Some(format!("{name} must be a whole number of seconds, at least one"));
            }
        }
        if ttl > LONGEST_COOKIE {
            return Some("ttl is more than 400 days, the longest that browsers keep a cookie: lower it".into());
        }
        if let CookieMaxAge::Fixed(age) = self.cookie_max_age
            && (age > LONGEST_COOKIE || age.as_secs() == 0)
        {
            return Some("cookie_max_age must be from 1 second to 400 days, the longest that browsers keep one".into());
        }
        if anonymous > ttl {
            return Some("anonymous_ttl is longer than ttl: lower anonymous_ttl, or raise ttl".into());
        }
        if absolute < ttl {
            return Some(
                "absolute_ttl is shorter than ttl, which could never be reached: lower ttl, or raise absolute_ttl"
                    .into(),
            );
        }
        None
    }

    fn preset(&self) -> Option<String> {
        let preset = self.preset?;
        let longest_idle = preset.longest_idle().unwrap_or(preset.longest());
        for (name, time, longest) in
            [("ttl", self.ttl, longest_idle), ("absolute_ttl", self.absolute_ttl, preset.longest())]
        {
            if time > longest {
                let (preset, longest) = (preset.name(), longest.as_secs() / 60);
                return Some(format!(
                    "{name} is more than the {longest} minutes of the preset {preset}: lower or unset {name}"
                ));
            }
        }
        // It adds up to more than the idle time.
        if preset.longest_idle().is_some() && matches!(self.rolling, Rolling::Extend(_)) {
            let preset = preset.name();
            return Some(format!(
                "rolling = extend can pass the idle time of the preset {preset}: use rolling = reset"
            ));
        }
        None
    }

    fn touch(&self) -> Option<String> {
        if let Rolling::Extend(by) = self.rolling
            && by.as_secs() == 0
        {
            return Some("rolling = extend needs at least one second: use rolling = off for none".into());
        }
        if self.rolling != Rolling::Off && self.touch_after >= self.anonymous_ttl {
            return Some(
                "touch_after is not shorter than the idle time, so a session in use would end: lower touch_after"
                    .into(),
            );
        }
        None
    }

    fn encryption(&self) -> Option<String> {
        if self.encrypt_all && self.plaintext_sensitive {
            return Some("encrypt_all contradicts plaintext_sensitive: unset one of them".into());
        }
        (self.encrypt_all && self.keys.is_none())
            .then(|| "encrypt_all needs keys: make one with `sessionkit keygen`, or unset encrypt_all".into())
    }

    fn rotation(&self) -> Option<String> {
        let grace = self.rotation_grace?;
        if grace.as_secs() == 0 || grace.subsec_nanos() != 0 {
            return Some(
                "rotation_grace must be a whole number of seconds, at least one: leave it unset for none".into(),
            );
        }
        (grace >= self.ttl).then(|| "rotation_grace is not shorter than ttl: lower rotation_grace".into())
    }

    fn renewal(&self) -> Option<String> {
        let renew_after = self.renew_after?;
        if renew_after.as_secs() == 0 || renew_after.subsec_nanos() != 0 {
            return Some("renew_after must be a whole number of seconds, at least one".into());
        }
        if renew_after < self.renew_again_after().max(Duration::from_secs(60)) {
            return Some(
                "renew_after must be a minute at least, and no shorter than renew_grace and touch_after: raise renew_after"
                    .into(),
            );
        }
        if renew_after >= self.absolute_ttl {
            return Some(
                "renew_after is not shorter than absolute_ttl, so it would never come: lower renew_after".into(),
            );
        }
        None
    }

    fn device_limit(&self) -> Option<String> {
        (self.max_devices == 0).then(|| "max_devices must be at least 1: nobody could log in".into())
    }

    fn limits(&self) -> Option<String> {
        if self.watch_interval.is_zero() {
            return Some("watch_interval must be more than zero".into());
        }
        let deadlines = [self.load_deadline, self.commit_deadline, self.user_deadline];
        if deadlines.iter().any(Duration::is_zero) {
            return Some("load_deadline, commit_deadline and user_deadline must be more than zero".into());
        }
        if deadlines.iter().any(|deadline| *deadline > Duration::from_secs(60 * 60)) {
            return Some("load_deadline, commit_deadline and user_deadline must be an hour at most".into());
        }
        if self.max_record_size == 0 {
            return Some("max_record_size must be more than zero".into());
        }
        const TYPES: [&str; 8] =
            ["cache", "clientHints", "cookies", "executionContexts", "prefetchCache", "prerenderCache", "storage", "*"];
        let mut types = self.clear_site_data.iter().flat_map(|types| types.split(',').map(str::trim));
        if let Some(unknown) = types.find(|kind| !TYPES.contains(kind)) {
            return Some(format!(
                "clear_site_data has {unknown:?}, which browsers do not know: write some of `{}`",
                TYPES.join("`, `")
            ));
        }
        let prefix = &self.path_prefix;
        if !prefix.is_empty() && (!is_local(prefix) || prefix.ends_with('/') || prefix.contains(['?', '#'])) {
            return Some(format!("path_prefix {prefix:?} must be a path without a slash at its end: write `/shop`"));
        }
        if !is_local(&self.login_url) || self.login_url.contains('#') {
            return Some(format!("login_url {:?} must be a path of this site: write `/login`", self.login_url));
        }
        if !is_local(&self.home_url) {
            return Some(format!("home_url {:?} must be a path of this site: write `/`", self.home_url));
        }
        None
    }
}

/// Returns whether a name begins like this, without regard to case, as browsers compare prefixes.
fn has_prefix(name: &str, prefix: &str) -> bool {
    name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::SessionConfig;

    #[test]
    fn each_contradiction_is_refused_with_what_to_change() {
        let new = SessionConfig::builder;
        let seconds = Duration::from_secs;
        let cases = [
            (new().cookie_name("a b"), "not a cookie name"),
            (new().cookie_name(""), "not a cookie name"),
            (new().cookie_path("cart"), "must begin with `/`"),
            (new().cookie_name("s").cookie_domain("a;b"), "not a host name"),
            (new().cookie_domain("example.com"), "unset cookie_domain"),
            (new().cookie_path("/app"), "unset cookie_path"),
            (new().cookie_secure(false), "set cookie_secure, or use dev()"),
            (new().cookie_name("__secure-x").cookie_secure(false), "set cookie_secure, or use dev()"),
            (new().cookie_name("s"), "write __Host-s, or accept it with allow_weak_cookie"),
            (new().cookie_name("s").cookie_domain("example.com"), "write __Secure-s, or accept"),
            (new().cookie_name("s").cookie_path("/shop"), "write __Secure-s, or accept"),
            (new().cookie_name("s").cookie_secure(false), "use dev() for plain http on localhost, or accept"),
            (new().cookie_name("__Http-s").cookie_secure(false), "set cookie_secure, or use dev()"),
            (new().cookie_name("__Http-s").cookie_http_only(false), "unset cookie_http_only"),
            (new().cookie_name("__Host-Http-s").cookie_http_only(false), "unset cookie_http_only"),
            (new().cookie_name("__Host-Http-s").cookie_path("/shop"), "unset cookie_path"),
            (new().allow_weak_cookie(true).cookie_secure(false), "set cookie_secure, or use dev()"),
            (new().dev().cookie_same_site(SameSite::None), "or use SameSite=Lax"),
            (new().dev().cookie_partitioned(true), "unset cookie_partitioned"),
            (new().ttl(Duration::from_millis(1500)), "whole number of seconds"),
            (new().ttl(seconds(0)), "at least one"),
            (new().ttl(LONGEST_COOKIE + DAY), "400 days"),
            (new().cookie_max_age(CookieMaxAge::Fixed(LONGEST_COOKIE + DAY)), "400 days"),
            (new().ttl(seconds(60)).anonymous_ttl(seconds(61)), "lower anonymous_ttl"),
            (new().absolute_ttl(seconds(60)), "raise absolute_ttl"),
            (new().touch_after(DAY), "lower touch_after"),
            (new().rolling(Rolling::Extend(seconds(0))), "rolling = off"),
            (new().renew_after(seconds(59)), "a minute at least"),
            (new().renew_after(seconds(100)).renew_grace(seconds(101)), "raise renew_after"),
            (new().renew_after(seconds(100)).touch_after(seconds(101)), "raise renew_after"),
            (new().renew_grace(seconds(0)), "renew_grace must be a whole"),
            (new().renew_grace(Duration::from_millis(900)), "renew_grace must be a whole"),
            (new().renew_after(30 * DAY), "lower renew_after"),
            (new().rotation_grace(seconds(0)), "rotation_grace must be a whole"),
            (new().rotation_grace(DAY), "lower rotation_grace"),
            (new().aal2().ttl(seconds(3601)), "more than the 60 minutes of the preset aal2: lower or unset ttl"),
            (new().absolute_ttl(2 * DAY).aal2(), "lower or unset absolute_ttl"),
            (new().aal3().ttl(seconds(901)), "15 minutes"),
            (new().aal1().absolute_ttl(31 * DAY), "lower or unset absolute_ttl"),
            (new().aal2().rolling(Rolling::Extend(seconds(60))), "use rolling = reset"),
            (new().load_deadline(seconds(0)), "more than zero"),
            (new().commit_deadline(Duration::MAX), "an hour at most"),
            (new().user_deadline(seconds(0)), "more than zero"),
            (new().user_deadline(seconds(3601)), "an hour at most"),
            (new().max_record_size(0), "more than zero"),
            (new().encrypt_all(true), "encrypt_all needs keys"),
            (new().encrypt_all(true).plaintext_sensitive(true).dev(), "encrypt_all contradicts plaintext_sensitive"),
            (new().max_devices(3), "set track_devices"),
            (new().max_devices(3).track_devices(false), "set track_devices"),
            (new().max_devices(0).track_devices(true), "at least 1"),
            (new().clear_site_data("cache, cookie"), "clear_site_data has \"cookie\""),
            (new().clear_site_data(""), "which browsers do not know"),
            (new().path_prefix("shop"), "must be a path without a slash at its end"),
            (new().path_prefix("/shop/"), "must be a path without a slash at its end"),
            (new().path_prefix("//shop"), "must be a path without a slash at its end"),
            (new().path_prefix("/shop?a"), "must be a path without a slash at its end"),
            (new().login_url("/login#top"), "must be a path of this site"),
            (new().dev().cookie_name("__Host-x"), "without the prefix"),
            (new().dev().cookie_secure(true), "cookie_secure contradicts dev"),
            (new().cookie_secure(true).dev(), "cookie_secure contradicts dev"),
            (new().cookie_name("s").cookie_path(format!("/{}", "a".repeat(5000))), "shorten cookie_name"),
            (new().cookie_name("s".repeat(4000)), "shorten cookie_name"),
            (new().cookie_name("s").cookie_path(format!("/{}", "a".repeat(1024))), "cookie_path takes more"),
            (new().login_url("//evil.example"), "must be a path of this site"),
            (new().home_url("https://evil.example"), "home_url \"https://evil.example\" must be a path of this site"),
        ];
        for (builder, advice) in cases {
            let refused = builder.build().unwrap_err().to_string();
            assert!(refused.contains(advice), "{refused:?} should contain {advice:?}");
        }
    }

    #[test]
    fn a_cookie_of_the_longest_name_still_fits() {
        let name = |length| SessionConfig::builder().cookie_name("s".repeat(length)).allow_weak_cookie(true).build();
        let longest = (1..4096).rev().find(|length| name(*length).is_ok()).unwrap();
        assert!(longest > 3900, "{longest}");
        assert_eq!(set_cookie::longest(name(longest).unwrap().settings()), 4096);
    }

    #[test]
    fn a_weak_cookie_is_accepted_where_that_is_said() {
        for accepted in [
            SessionConfig::builder().cookie_name("s").allow_weak_cookie(true),
            SessionConfig::builder().cookie_name("s").cookie_secure(false).allow_weak_cookie(true),
            SessionConfig::builder().cookie_name("s").dev(),
            SessionConfig::builder().cookie_name("__HTTP-s"),
            SessionConfig::builder().cookie_name("__Host-Http-s"),
            SessionConfig::builder().cookie_name("__secure-s").cookie_domain("example.com"),
        ] {
            accepted.build().unwrap();
        }
    }

    #[test]
    fn development_drops_prefix_and_secure() {
        let config = SessionConfig::builder().dev().build().unwrap();
        assert_eq!(config.settings().cookie_name, "session");
        assert!(!config.settings().cookie_secure);
        let config = SessionConfig::builder().cookie_name("shop").dev().cookie_secure(false).build().unwrap();
        assert_eq!(config.settings().cookie_name, "shop");
    }
}

//! The values that each setting accepts, and how it is read from them, whatever the source.

use std::fmt;
use std::time::Duration;

use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};

use crate::encryption::KeyRing;
use crate::record::delta::OnLogin;

use super::nearest::nearest;
use super::preset::Preset;
use super::value::Value;
use super::{CookieMaxAge, OnBadCookie, OnLostWrite, OnMaxDevices, Rolling, SameSite, SessionConfigBuilder, duration};

/// A value that is not what its setting accepts.
pub(super) struct Misfit {
    expected: &'static str,
    found: String,
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {}, found {}", self.expected, self.found)
    }
}

/// The type of a setting.
pub(super) trait Setting: Sized {
    /// A description of the accepted values, for errors.
    const EXPECTED: &'static str;

    /// Takes a value that is accepted.
    fn accept(value: &Value) -> Option<Self>;

    /// Takes a value, if there is one.
    fn read(value: &Value) -> Result<Option<Self>, Misfit> {
        match (value, Self::accept(value)) {
            (Value::Absent, _) => Ok(None),
            (_, Some(setting)) => Ok(Some(setting)),
            (_, None) => Err(Misfit { expected: Self::EXPECTED, found: value.to_string() }),
        }
    }
}

impl Setting for bool {
    const EXPECTED: &'static str = "true or false";

    fn accept(value: &Value) -> Option<Self> {
        match value {
            Value::Bool(value) => Some(*value),
            Value::Text(text) => choice(text, &[("true", true), ("false", false), ("1", true), ("0", false)]),
            _ => None,
        }
    }
}

impl Setting for usize {
    const EXPECTED: &'static str = "a whole number";

    fn accept(value: &Value) -> Option<Self> {
        match value {
            Value::Number(number) => (*number).try_into().ok(),
            Value::Text(text) => text.parse().ok(),
            _ => None,
        }
    }
}

impl Setting for String {
    const EXPECTED: &'static str = "a text";

    fn accept(value: &Value) -> Option<Self> {
        if let Value::Text(text) = value { Some(text.clone()) } else { None }
    }
}

impl Setting for KeyRing {
    const EXPECTED: &'static str = "keys";

    fn accept(value: &Value) -> Option<Self> {
        if let Value::Text(text) = value { Self::from_setting(text).ok() } else { None }
    }

    /// Says what is wrong without the value, which may be a key.
    fn read(value: &Value) -> Result<Option<Self>, Misfit> {
        let misfit = |found: String| Misfit { expected: Self::EXPECTED, found };
        match value {
            Value::Absent => Ok(None),
            Value::Text(text) => {
                Self::from_setting(text).map(Some).map_err(|error| misfit(format!("something else: {error}")))
            }
            _ => Err(misfit("something else".into())),
        }
    }
}

impl Setting for Duration {
    const EXPECTED: &'static str = "a duration such as \"30m\" (units: ms, s, m, h, d) or a number of seconds";

    fn accept(value: &Value) -> Option<Self> {
        match value {
            Value::Number(seconds) => Some(Self::from_secs(*seconds)),
            Value::Text(text) => duration::parse(text).ok().or_else(|| text.parse().ok().map(Self::from_secs)),
            _ => None,
        }
    }
}

impl Setting for SameSite {
    const EXPECTED: &'static str = "`strict`, `lax` or `none`";

    fn accept(value: &Value) -> Option<Self> {
        choice_of(value, &[("strict", Self::Strict), ("lax", Self::Lax), ("none", Self::None)])
    }
}

impl Setting for OnLostWrite {
    const EXPECTED: &'static str = "`ignore` or `error`";

    fn accept(value: &Value) -> Option<Self> {
        choice_of(value, &[("ignore", Self::Ignore), ("error", Self::Error)])
    }
}

impl Setting for OnLogin {
    const EXPECTED: &'static str = "`keep` or `discard`";

    fn accept(value: &Value) -> Option<Self> {
        choice_of(value, &[("keep", Self::Keep), ("discard", Self::Discard)])
    }
}

impl Setting for OnBadCookie {
    const EXPECTED: &'static str = "`anonymous` or `reject`";

    fn accept(value: &Value) -> Option<Self> {
        choice_of(value, &[("anonymous", Self::Anonymous), ("reject", Self::Reject)])
    }
}

impl Setting for OnMaxDevices {
    const EXPECTED: &'static str = "`evict_oldest` or `reject`";

    fn accept(value: &Value) -> Option<Self> {
        choice_of(value, &[("evict_oldest", Self::EvictOldest), ("reject", Self::Reject)])
    }
}

impl Setting for Preset {
    const EXPECTED: &'static str = "`aal1`, `aal2` or `aal3`";

    fn accept(value: &Value) -> Option<Self> {
        choice_of(value, &[Self::Aal1, Self::Aal2, Self::Aal3].map(|preset| (preset.name(), preset)))
    }
}

impl Setting for Rolling {
    const EXPECTED: &'static str = "`off`, `reset` or `extend(10m)`";

    fn accept(value: &Value) -> Option<Self> {
        // YAML reads `off` as `false`.
        if let Value::Bool(false) = value {
            return Some(Self::Off);
        }
        choice_of(value, &[("off", Self::Off), ("reset", Self::Reset)])
            .or_else(|| named(value, "extend").map(Self::Extend))
    }
}

impl Setting for CookieMaxAge {
    const EXPECTED: &'static str = "`follow`, `session`, or a duration such as \"30d\" or a number of seconds";

    fn accept(value: &Value) -> Option<Self> {
        choice_of(value, &[("follow", Self::Follow), ("session", Self::Session)])
            .or_else(|| named(value, "fixed").or_else(|| Duration::accept(value)).map(Self::Fixed))
    }
}

fn choice_of<T: Copy>(value: &Value, choices: &[(&str, T)]) -> Option<T> {
    if let Value::Text(text) = value { choice(text, choices) } else { None }
}

fn choice<T: Copy>(text: &str, choices: &[(&str, T)]) -> Option<T> {
    choices.iter().find(|(name, _)| name.eq_ignore_ascii_case(text.trim())).map(|(_, choice)| *choice)
}

/// The duration in `extend(10m)` or `{ "extend": "10m" }`.
fn named(value: &Value, name: &str) -> Option<Duration> {
    match value {
        Value::Named(found, value) if found.eq_ignore_ascii_case(name) => Duration::accept(value),
        Value::Text(text) => {
            let (found, rest) = text.split_once('(')?;
            let inner = rest.trim_end().strip_suffix(')')?.trim();
            found.trim().eq_ignore_ascii_case(name).then(|| Duration::accept(&Value::Text(inner.into())))?
        }
        _ => None,
    }
}

macro_rules! deserialize {
    ($($setting:ty)*) => {$(
        impl<'de> Deserialize<'de> for $setting {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let read = Self::read(&Value::deserialize(deserializer)?).map_err(de::Error::custom)?;
                read.ok_or_else(|| de::Error::custom(format_args!("expected {}, found nothing", Self::EXPECTED)))
            }
        }
    )*};
}

deserialize! { CookieMaxAge OnBadCookie OnLostWrite OnMaxDevices Rolling SameSite }

/// Reads settings from a map.
pub(super) fn settings<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SessionConfigBuilder, D::Error> {
    struct Settings;

    impl<'de> Visitor<'de> for Settings {
        type Value = SessionConfigBuilder;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("the settings of a session, by name")
        }

        fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<SessionConfigBuilder, M::Error> {
            let mut settings = SessionConfigBuilder::default();
            while let Some(name) = map.next_key::<String>()? {
                let value: Value = map.next_value()?;
                match settings.write(&name, &value) {
                    Some(Ok(())) => {}
                    Some(Err(misfit)) => return Err(de::Error::custom(format_args!("{name}: {misfit}"))),
                    None => return Err(de::Error::custom(unknown(&name))),
                }
            }
            Ok(settings)
        }
    }

    deserializer.deserialize_map(Settings)
}

fn unknown(name: &str) -> String {
    let names = SessionConfigBuilder::NAMES;
    let part = || names.iter().copied().find(|setting| name.len() > 3 && setting.contains(name));
    match nearest(name, names).or_else(part) {
        Some(setting) => format!("there is no setting `{name}`: did you mean `{setting}`?"),
        None => format!("there is no setting `{name}`; there are `{}`", names.join("`, `")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::SessionConfig;

    fn read(text: &str) -> Result<SessionConfig, String> {
        serde_json::from_str::<SessionConfig>(text).map_err(|error| error.to_string())
    }

    #[test]
    fn every_setting_is_read_from_text_and_from_its_own_type() {
        let texts: Vec<(&str, &str)> = vec![
            ("cookie_name", "shop"),
            ("cookie_path", "/shop"),
            ("cookie_domain", "example.com"),
            ("cookie_secure", "TRUE"),
            ("allow_weak_cookie", "true"),
            ("cookie_http_only", "0"),
            ("cookie_same_site", "Strict"),
            ("cookie_partitioned", "1"),
            ("cookie_max_age", "90d"),
            ("clear_site_data", "cache,storage"),
            ("ttl", "2h"),
            ("anonymous_ttl", "3600"),
            ("absolute_ttl", "10d"),
            ("rolling", "Extend( 10m )"),
            ("touch_after", "5m"),
            ("renew_after", "1d"),
            ("renew_grace", "10s"),
            ("rotation_grace", "5m"),
            ("load_deadline", "100ms"),
            ("commit_deadline", "2s"),
            ("user_deadline", "3s"),
            ("watch_interval", "4s"),
            ("max_record_size", "1000"),
            ("keys", "3dBz3wXVEFmPe7Yxkzr8BqkeoYTKqCpOQxuL9mHDj1U"),
            ("encrypt_all", "true"),
            ("plaintext_sensitive", "false"),
            ("save_uninitialized", "true"),
            ("on_lost_write", "ERROR"),
            ("on_login", "Discard"),
            ("on_bad_cookie", "reject"),
            ("track_devices", "true"),
            ("max_devices", "3"),
            ("on_max_devices", "Reject"),
            ("path_prefix", "/mall"),
            ("login_url", "/enter"),
            ("home_url", "/start"),
            ("dev", "false"),
            ("preset", "AAL1"),
        ];
        let typed = r#"{ "cookie_name": "shop", "cookie_path": "/shop", "cookie_domain": "example.com",
            "cookie_secure": true, "allow_weak_cookie": true, "cookie_http_only": false, "cookie_same_site": "strict", "cookie_partitioned": true,
            "cookie_max_age": { "fixed": 7776000 }, "clear_site_data": "cache,storage", "ttl": 7200, "anonymous_ttl": 3600, "absolute_ttl": 864000,
            "rolling": { "extend": "10m" }, "touch_after": 300, "renew_after": 86400, "renew_grace": 10, "rotation_grace": 300,
            "load_deadline": "100ms", "commit_deadline": 2, "user_deadline": 3, "watch_interval": 4,
            "max_record_size": 1000, "keys": "3dBz3wXVEFmPe7Yxkzr8BqkeoYTKqCpOQxuL9mHDj1U", "encrypt_all": true,
            "plaintext_sensitive": false, "save_uninitialized": true, "on_lost_write": "error", "on_login": "discard", "on_bad_cookie": "Reject",
            "track_devices": true, "max_devices": 3, "on_max_devices": "reject", "path_prefix": "/mall", "login_url": "/enter", "home_url": "/start",
            "dev": false, "preset": "aal1" }"#;
        assert_eq!(texts.len(), SessionConfigBuilder::NAMES.len());
        let variables = texts.iter().map(|(name, value)| (format!("SESSION_{}", name.to_uppercase()), *value));
        let from_variables = format!("{:?}", SessionConfig::from_variables(variables).unwrap());
        assert_eq!(from_variables, format!("{:?}", read(typed).unwrap()));
        let object: serde_json::Map<_, _> =
            texts.iter().map(|(name, value)| (name.to_string(), serde_json::Value::from(*value))).collect();
        assert_eq!(from_variables, format!("{:?}", read(&serde_json::Value::from(object).to_string()).unwrap()));
        for (name, default) in [("ttl", "86400s"), ("cookie_name", "__Host-session"), ("rolling", "Reset")] {
            assert!(!from_variables.contains(&format!("{name}: {default},")), "{name} is set");
        }
    }

    #[test]
    fn a_key_that_cannot_be_used_is_not_quoted() {
        let key = "hunter2-hunter2";
        let refused = SessionConfig::from_variables([("SESSION_KEYS", key)]).unwrap_err().to_string();
        assert!(refused.contains("SESSION_KEYS") && refused.contains("sessionkit keygen"), "{refused}");
        assert!(!refused.contains("hunter2"), "{refused}");
        for written in [r#"{ "keys": "hunter2-hunter2" }"#, r#"{ "keys": ["hunter2"] }"#, r#"{ "keys": 7777 }"#] {
            let refused = read(written).unwrap_err();
            assert!(!refused.contains("hunter2") && !refused.contains("7777"), "{refused}");
        }
    }

    #[test]
    fn choices_are_written_in_any_case_and_form() {
        let config = |name: &str, value: &str| read(&format!("{{ {name:?}: {value} }}")).unwrap();
        let extend = Rolling::Extend(Duration::from_secs(600));
        let fixed = CookieMaxAge::Fixed(Duration::from_secs(3600));
        for (value, expected) in [
            (r#""off""#, Rolling::Off),
            ("false", Rolling::Off),
            (r#""Reset""#, Rolling::Reset),
            (r#""extend(10m)""#, extend),
            (r#""EXTEND(600)""#, extend),
            (r#"{ "extend": 600 }"#, extend),
            ("null", Rolling::Reset),
        ] {
            assert_eq!(config("rolling", value).settings().rolling, expected, "{value}");
        }
        for (value, expected) in [
            (r#""follow""#, CookieMaxAge::Follow),
            (r#""SESSION""#, CookieMaxAge::Session),
            (r#""1h""#, fixed),
            ("3600", fixed),
            (r#""3600""#, fixed),
            (r#""fixed(1h)""#, fixed),
            (r#"{ "fixed": "1h" }"#, fixed),
        ] {
            assert_eq!(config("cookie_max_age", value).settings().cookie_max_age, expected, "{value}");
        }
        assert_eq!(serde_json::from_str::<SameSite>(r#""LAX""#).unwrap(), SameSite::Lax);
        assert!(serde_json::from_str::<SameSite>("null").is_err());
    }

    #[test]
    fn an_error_names_the_setting_what_is_accepted_and_what_was_found() {
        for (text, error) in [
            (
                r#"{ "ttl": "half an hour" }"#,
                r#"ttl: expected a duration such as "30m" (units: ms, s, m, h, d) or a number of seconds, found "half an hour""#,
            ),
            (r#"{ "ttl": -1 }"#, "found -1"),
            (r#"{ "ttl": 1.5 }"#, "found 1.5"),
            (r#"{ "ttl": [30] }"#, "found a list"),
            (r#"{ "ttl": { "a": 1, "b": 2 } }"#, "found a map"),
            (r#"{ "cookie_secure": "yes" }"#, r#"cookie_secure: expected true or false, found "yes""#),
            (r#"{ "cookie_name": 7 }"#, "cookie_name: expected a text, found 7"),
            (r#"{ "max_record_size": "64k" }"#, r#"max_record_size: expected a whole number, found "64k""#),
            (r#"{ "rolling": "extend" }"#, r#"rolling: expected `off`, `reset` or `extend(10m)`, found "extend""#),
            (r#"{ "rolling": "extend(soon)" }"#, r#"found "extend(soon)""#),
            (r#"{ "rolling": { "reset": 1 } }"#, "found { reset: 1 }"),
            (r#"{ "cookie_same_site": "strictly" }"#, "cookie_same_site: expected `strict`, `lax` or `none`"),
            (r#"{ "preset": "aal4" }"#, "preset: expected `aal1`, `aal2` or `aal3`"),
            (r#"{ "tll": "30m" }"#, "there is no setting `tll`: did you mean `ttl`?"),
            (r#"{ "same_site": "lax" }"#, "did you mean `cookie_same_site`?"),
            (r#"{ "colour": "hunter2" }"#, "there is no setting `colour`; there are `dev`, `preset`, `cookie_name`"),
            (r#"{ "cookie_domain": "example.com" }"#, "unset cookie_domain"),
            ("7", "the settings of a session, by name"),
        ] {
            let refused = read(text).unwrap_err();
            assert!(refused.contains(error) && !refused.contains("hunter2"), "{refused:?} should contain {error:?}");
        }
    }
}

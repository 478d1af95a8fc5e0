//! The settings of a session.

use std::fmt;

use serde::{Deserialize, Deserializer};

mod builder;
mod check;
mod choices;
mod duration;
mod environment;
mod nearest;
mod policy;
mod preset;
pub(crate) mod set_cookie;
mod setting;
mod settings;
mod value;

pub use builder::SessionConfigBuilder;
pub(crate) use check::LONGEST_COOKIE;
pub use choices::{CookieMaxAge, OnBadCookie, OnLostWrite, OnMaxDevices, Rolling, SameSite};
pub(crate) use settings::Settings;

/// Returns the known word of which `word` is a misspelling: one letter off, or two in a long word.
pub fn nearest_word(word: &str, known: &[&'static str]) -> Option<&'static str> {
    nearest::nearest(word, known)
}

/// The settings of a session. Every value is sound: contradictions are refused when it is built.
///
/// The default suits an application behind https: a `__Host-session` cookie that is `Secure`, `HttpOnly` and
/// `SameSite=Lax`; a day of idle time, twelve hours for anonymous visitors, thirty days in all.
///
/// ```
/// # use sessionkit_core as sessionkit;
/// use std::time::Duration;
/// use sessionkit::SessionConfig;
///
/// let config = SessionConfig::builder().ttl(Duration::from_secs(30 * 60)).build()?;
/// # let _ = config;
///
/// let refused = SessionConfig::builder().cookie_domain("example.com").build().unwrap_err();
/// assert!(refused.to_string().contains("__Host-"));
/// # Ok::<(), sessionkit_core::ConfigError>(())
/// ```
///
/// It deserialises from any self-describing format, with the names of the builder's methods as keys. Durations are `"30m"`
/// (units: ms, s, m, h, d) or seconds; booleans and numbers may be texts, and choices are written in any case:
///
/// ```
/// # use sessionkit_core as sessionkit;
/// let config: sessionkit::SessionConfig = serde_json::from_str(
///     r#"{ "cookie_name": "__Host-shop", "cookie_same_site": "Strict", "ttl": "30m", "rolling": "extend(10m)" }"#,
/// )?;
/// # let _ = config;
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// | setting | |
/// |---|---|
/// | `rolling` | `off`, `reset`, `extend(10m)` |
/// | `cookie_max_age` | `follow`, `session`, or a duration, which may be written `fixed(30d)` |
/// | `cookie_same_site` | `strict`, `lax`, `none` |
/// | `on_bad_cookie` | `anonymous`, `reject` |
/// | `on_login` | `keep`, `discard` |
/// | `on_lost_write` | `ignore`, `error` |
/// | `preset` | `aal1`, `aal2`, `aal3`, see [`aal1`](SessionConfigBuilder::aal1) |
///
/// [`from_env`](Self::from_env) reads the same from variables: `SESSION_TTL=30m`.
#[derive(Clone, Debug)]
pub struct SessionConfig(Settings);

impl SessionConfig {
    /// Returns the settings without lists of the sessions of users.
    pub(crate) fn without_lists(mut self) -> Self {
        self.0.track_devices = Some(false);
        self
    }

    /// Starts from the default settings.
    pub fn builder() -> SessionConfigBuilder {
        SessionConfigBuilder::default()
    }

    /// The settings for plain http on localhost: the cookie is called `session`, has no prefix and is not `Secure`, a 500
    /// says in its body what went wrong, and `sensitive` fields are encrypted with a key that ends with the process.
    /// Not for anything that others can reach.
    pub fn dev() -> Self {
        Self::builder().dev().build().expect("nothing is set that could contradict it")
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.0
    }
}

impl Default for SessionConfig {
    fn default() -> Self {
        Self::builder().build().expect("the defaults agree")
    }
}

impl<'de> Deserialize<'de> for SessionConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written: SessionConfigBuilder = setting::settings(deserializer)?;
        written.build().map_err(serde::de::Error::custom)
    }
}

/// A setting that cannot be read, or settings that contradict each other; says what to change.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ConfigError(pub(crate) String);

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ConfigError {}

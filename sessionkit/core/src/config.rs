//! The settings of a session.

use std::fmt;
use std::time::Duration;

use serde::Deserialize;

mod check;
mod duration;

pub(crate) use check::LONGEST_COOKIE;

/// The settings of a session. Every value is sound: contradictions are refused when it is built.
///
/// The default suits an application behind https: a `__Host-session` cookie that is `Secure`, `HttpOnly` and
/// `SameSite=Lax`; a day of idle time, twelve hours for anonymous visitors, thirty days in all.
///
/// ```
/// use std::time::Duration;
/// use sessionkit_core::SessionConfig;
///
/// let config = SessionConfig::builder().ttl(Duration::from_secs(30 * 60)).build()?;
/// # let _ = config;
///
/// let refused = SessionConfig::builder().cookie_domain("example.com").build().unwrap_err();
/// assert!(refused.to_string().contains("__Host-"));
/// # Ok::<(), sessionkit_core::ConfigError>(())
/// ```
///
/// It deserialises from any format, with the names of the builder's methods as keys, and durations as `"30m"` or
/// seconds:
///
/// ```
/// let config: sessionkit_core::SessionConfig =
///     serde_json::from_str(r#"{ "cookie_name": "__Host-shop", "ttl": "30m", "rolling": "reset" }"#)?;
/// # let _ = config;
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(try_from = "Settings")]
pub struct SessionConfig(Settings);

impl SessionConfig {
    /// Starts from the default settings.
    pub fn builder() -> SessionConfigBuilder {
        SessionConfigBuilder(Settings::default())
    }

    /// The settings for plain http on localhost: the cookie is called `session`, has no prefix and is not `Secure`.
    /// Not for anything that others can reach.
    pub fn dev() -> Self {
        let mut settings = Settings::default();
        settings.dev();
        Self(settings)
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.0
    }
}

impl TryFrom<Settings> for SessionConfig {
    type Error = ConfigError;

    fn try_from(mut settings: Settings) -> Result<Self, ConfigError> {
        if settings.dev {
            settings.dev();
        }
        SessionConfigBuilder(settings).build()
    }
}

/// Sets up a [`SessionConfig`].
#[derive(Clone, Debug)]
#[must_use = "call `build()` to get the settings"]
pub struct SessionConfigBuilder(Settings);

macro_rules! setters {
    ($($(#[$doc:meta])* $name:ident: $type:ty $(=> $wrap:expr)?;)*) => {$(
        $(#[$doc])*
        pub fn $name(mut self, $name: $type) -> Self {
            self.0.$name = setters!(@value $name $($wrap)?);
            self
        }
    )*};
    (@value $name:ident) => { $name.into() };
    (@value $name:ident $wrap:expr) => { $wrap($name.into()) };
}

impl SessionConfigBuilder {
    setters! {
        /// The name of the cookie; `__Host-session` by default.
        cookie_name: impl Into<String>;
        /// The `Path` of the cookie; `/` by default.
        cookie_path: impl Into<String>;
        /// The `Domain` of the cookie; none by default, so that it goes to this host alone.
        cookie_domain: impl Into<String> => Some;
        /// Whether the cookie is `Secure`; it is by default.
        cookie_secure: bool;
        /// Whether scripts are kept from the cookie with `HttpOnly`; they are by default.
        cookie_http_only: bool;
        /// The `SameSite` of the cookie; `Lax` by default.
        cookie_same_site: SameSite;
        /// Whether the cookie is `Partitioned`, for embedding in other sites; not by default.
        cookie_partitioned: bool;
        /// The `Max-Age` of the cookie; by default it follows the session's own end.
        cookie_max_age: CookieMaxAge;
        /// The idle time after which a session of a logged-in user ends; a day by default. Whole seconds.
        ttl: Duration;
        /// The idle time after which an anonymous session ends; `ttl`, but at most twelve hours, by default.
        anonymous_ttl: Duration => Some;
        /// The time after which a session ends even if it is used, counted from its beginning or from the last
        /// authentication; thirty days by default.
        absolute: Duration => Some;
        /// What use does to the idle deadline; [`Rolling::Reset`] by default.
        rolling: Rolling;
        /// How long use need not be recorded again; a minute by default, half the idle time where that is less.
        touch_after: Duration => Some;
        /// The time after which a session in use gets a new token, without anybody noticing; never by default. Whole
        /// seconds, a minute at least. See also `renew_grace`.
        renew_after: Duration => Some;
        /// How long the old token still opens the session after the new one was first used, so that requests that were
        /// under way with it are not logged out; 30 seconds by default.
        renew_grace: Duration;
        /// How long a load may take; 250 ms by default.
        load_deadline: Duration;
        /// How long a commit may take, retries included; 500 ms by default.
        commit_deadline: Duration;
        /// The most bytes that the fields of a session may take, keys included; 64 KiB by default. Parallel requests
        /// are each measured against what they loaded.
        max_record_size: usize;
        /// Whether a visitor gets a session, and its cookie, at the first visit, before there is anything to keep; not by
        /// default. Then responses with a status from 500, and 408, begin none, and a cookie that is presented to a route
        /// that does not use the session is not looked up.
        save_uninitialized: bool;
        /// What a request answers whose changes came after the session's end; [`OnLostWrite::Ignore`] by default.
        on_lost_write: OnLostWrite;
        /// What a request gets that asks for the session with a cookie that opens nothing; [`OnBadCookie::Anonymous`] by
        /// default.
        on_bad_cookie: OnBadCookie;
        /// The path of the login page, for people who are not logged in; `/login` by default.
        login_url: impl Into<String>;
    }

    /// Suits plain http on localhost: drops the prefix of the cookie's name, and `Secure`.
    pub fn dev(mut self) -> Self {
        self.0.dev();
        self
    }

    /// Checks the settings.
    ///
    /// # Errors
    /// Fails when two settings contradict each other, with what to change.
    pub fn build(self) -> Result<SessionConfig, ConfigError> {
        self.0.check()?;
        Ok(SessionConfig(self.0))
    }
}

/// The settings as they are written down.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Settings {
    dev: bool,
    pub(crate) cookie_name: String,
    pub(crate) cookie_path: String,
    pub(crate) cookie_domain: Option<String>,
    pub(crate) cookie_secure: bool,
    pub(crate) cookie_http_only: bool,
    pub(crate) cookie_same_site: SameSite,
    pub(crate) cookie_partitioned: bool,
    pub(crate) cookie_max_age: CookieMaxAge,
    #[serde(deserialize_with = "duration::deserialize")]
    pub(crate) ttl: Duration,
    #[serde(deserialize_with = "duration::optional")]
    anonymous_ttl: Option<Duration>,
    #[serde(deserialize_with = "duration::optional")]
    absolute: Option<Duration>,
    pub(crate) rolling: Rolling,
    #[serde(deserialize_with = "duration::optional")]
    touch_after: Option<Duration>,
    #[serde(deserialize_with = "duration::optional")]
    pub(crate) renew_after: Option<Duration>,
    #[serde(deserialize_with = "duration::deserialize")]
    pub(crate) renew_grace: Duration,
    #[serde(deserialize_with = "duration::deserialize")]
    pub(crate) load_deadline: Duration,
    #[serde(deserialize_with = "duration::deserialize")]
    pub(crate) commit_deadline: Duration,
    pub(crate) max_record_size: usize,
    pub(crate) save_uninitialized: bool,
    pub(crate) on_lost_write: OnLostWrite,
    pub(crate) on_bad_cookie: OnBadCookie,
    pub(crate) login_url: String,
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

impl Default for Settings {
    fn default() -> Self {
        Self {
            dev: false,
            cookie_name: "__Host-session".into(),
            cookie_path: "/".into(),
            cookie_domain: None,
            cookie_secure: true,
            cookie_http_only: true,
            cookie_same_site: SameSite::Lax,
            cookie_partitioned: false,
            cookie_max_age: CookieMaxAge::Follow,
            ttl: DAY,
            anonymous_ttl: None,
            absolute: None,
            rolling: Rolling::Reset,
            touch_after: None,
            renew_after: None,
            renew_grace: Duration::from_secs(30),
            load_deadline: Duration::from_millis(250),
            commit_deadline: Duration::from_millis(500),
            max_record_size: 64 * 1024,
            save_uninitialized: false,
            on_lost_write: OnLostWrite::Ignore,
            on_bad_cookie: OnBadCookie::Anonymous,
            login_url: "/login".into(),
        }
    }
}

impl Settings {
    pub(crate) fn anonymous_ttl(&self) -> Duration {
        self.anonymous_ttl.unwrap_or(self.ttl.min(DAY / 2))
    }

    pub(crate) fn absolute(&self) -> Duration {
        self.absolute.unwrap_or(self.ttl.max(30 * DAY))
    }

    pub(crate) fn touch_after(&self) -> Duration {
        self.touch_after.unwrap_or_else(|| (self.anonymous_ttl() / 2).min(Duration::from_secs(60)))
    }

    /// The time after which a client that goes on with its old token, and so never got the new one, is given another.
    pub(crate) fn renew_again_after(&self) -> Duration {
        self.renew_grace.max(self.touch_after())
    }

    fn dev(&mut self) {
        self.dev = true;
        self.cookie_secure = false;
        for prefix in ["__Host-", "__Secure-"] {
            if let Some(name) = self.cookie_name.strip_prefix(prefix) {
                self.cookie_name = name.into();
            }
        }
    }
}

/// The `SameSite` attribute of a cookie.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum SameSite {
    /// The cookie stays away from every request that another site begins.
    Strict,
    /// The cookie comes with navigations from other sites, but not with their forms and frames.
    Lax,
    /// The cookie comes with every request; it must be `Secure`.
    None,
}

/// The `Max-Age` attribute of a cookie.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum CookieMaxAge {
    /// The cookie ends with the session.
    Follow,
    /// The cookie has no `Max-Age`: it ends when the browser is closed.
    Session,
    /// The cookie ends after this time; the server still decides when the session does.
    #[serde(deserialize_with = "duration::deserialize")]
    Fixed(Duration),
}

/// What use of a session does to its idle deadline.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum Rolling {
    /// Nothing: the session ends its idle time after it began.
    Off,
    /// The idle time begins anew.
    Reset,
    /// The deadline moves later by this time.
    #[serde(deserialize_with = "duration::deserialize")]
    Extend(Duration),
}

/// What a request answers whose changes came after the session's end, by a logout in another request for example.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum OnLostWrite {
    /// What the handler answered.
    Ignore,
    /// 409 Conflict.
    Error,
}

/// What a request gets that asks for the session with a cookie that opens nothing: one that was tampered with, that
/// nobody knows, or whose session has ended.
///
/// A login and a logout work either way, and so does every route that does not use the session.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum OnBadCookie {
    /// What a visitor without a cookie gets.
    Anonymous,
    /// 400 Bad Request for a cookie that is no token, 401 Unauthorized for a token that opens nothing. So that a person
    /// whose session has ended can log in again, keep the session out of the login page and of its handler before the
    /// login.
    Reject,
}

/// Settings that contradict each other; says what to change.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ConfigError(String);

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ConfigError {}

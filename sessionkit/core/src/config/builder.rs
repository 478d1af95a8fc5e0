//! The settings as they are written down, in code or elsewhere.

use std::time::Duration;

use super::preset::Preset;
use super::setting::{Misfit, Setting};
use super::value::Value;
use crate::encryption::KeyRing;
use crate::record::delta::OnLogin;

use super::{
    ConfigError, CookieMaxAge, OnBadCookie, OnLostWrite, OnMaxDevices, Rolling, SameSite, SessionConfig, Settings,
};

/// Every setting: its name, its type, and what its method takes.
macro_rules! builder {
    ($($(#[$doc:meta])* $name:ident: $type:ty, $argument:ty;)*) => {
        /// Sets up a [`SessionConfig`]. What is not set has its default.
        #[derive(Clone, Debug, Default)]
        #[must_use = "call `build()` to get the settings"]
        pub struct SessionConfigBuilder {
            pub(super) dev: Option<bool>,
            pub(super) preset: Option<Preset>,
            $(pub(super) $name: Option<$type>,)*
        }

        impl SessionConfigBuilder {
            /// The names of all settings.
            pub(super) const NAMES: &[&str] = &["dev", "preset", $(stringify!($name),)*];

            $(
                $(#[$doc])*
                pub fn $name(mut self, $name: $argument) -> Self {
                    self.$name = Some($name.into());
                    self
                }
            )*

            /// Sets what is written under a name; `None` if there is no such setting.
            pub(super) fn write(&mut self, name: &str, value: &Value) -> Option<Result<(), Misfit>> {
                Some(match name {
                    "dev" => Setting::read(value).map(|value| self.dev = value),
                    "preset" => Setting::read(value).map(|value| self.preset = value),
                    $(stringify!($name) => Setting::read(value).map(|value| self.$name = value),)*
                    _ => return None,
                })
            }
        }
    };
}

builder! {
    /// The name of the cookie; `__Host-session` by default. Over https it begins with `__Host-`, or with `__Secure-` if the
    /// cookie has a domain or another path.
    cookie_name: String, impl Into<String>;
    /// The `Path` of the cookie; `/` by default.
    cookie_path: String, impl Into<String>;
    /// The `Domain` of the cookie; none by default, so that it goes to this host alone.
    cookie_domain: String, impl Into<String>;
    /// Makes the cookie `Secure`; it is by default. For plain http on localhost use [`dev`](Self::dev).
    cookie_secure: bool, bool;
    /// Accepts a cookie that OWASP ASVS 5.0 (3.3.1) forbids: one that is not `Secure`, and can be read on the network, or one
    /// whose name has no prefix, and can be planted by other hosts of the domain. `false` by default;
    /// [`dev`](Self::dev) accepts both.
    ///
    /// ```
    /// # use sessionkit_core as sessionkit;
    /// use sessionkit::SessionConfig;
    ///
    /// let of_the_old_application = SessionConfig::builder().cookie_name("sid");
    /// assert!(of_the_old_application.clone().build().unwrap_err().to_string().contains("__Host-sid"));
    /// assert!(of_the_old_application.allow_weak_cookie(true).build().is_ok());
    /// ```
    allow_weak_cookie: bool, bool;
    /// Keeps scripts from the cookie with `HttpOnly`; it does by default.
    cookie_http_only: bool, bool;
    /// The `SameSite` of the cookie; `Lax` by default.
    cookie_same_site: SameSite, SameSite;
    /// Makes the cookie `Partitioned`, for embedding in other sites; it is not by default.
    cookie_partitioned: bool, bool;
    /// The `Max-Age` of the cookie; by default it follows the session's own end.
    cookie_max_age: CookieMaxAge, CookieMaxAge;
    /// The data that browsers are told to remove at a logout, with the header `Clear-Site-Data`; none by default. A list of its
    /// types, as in `cache, storage`; `*` stands for all of them.
    ///
    /// `cache` removes pages that the browser would show on the way back. `cookies` removes the cookies of all hosts of the
    /// site, those of other sessions too. Browsers obey over https alone, and may take seconds for `cache`.
    clear_site_data: String, impl Into<String>;
    /// The idle time after which a session of a logged-in user ends; a day by default. Whole seconds.
    ttl: Duration, Duration;
    /// The idle time after which an anonymous session ends; `ttl`, but at most twelve hours, by default.
    anonymous_ttl: Duration, Duration;
    /// The time after which a session ends even if it is used, counted from its beginning or from the last
    /// authentication; thirty days by default.
    absolute_ttl: Duration, Duration;
    /// The effect of use on the idle deadline; [`Rolling::Reset`] by default.
    rolling: Rolling, Rolling;
    /// The time within which use is not recorded again; a minute by default, half the idle time if that is less. Zero records
    /// each use, and sets the cookie again with each response, so that its `Max-Age` counts from there.
    touch_after: Duration, Duration;
    /// The time after which a session in use gets a new token, without anybody noticing; never by default. Whole
    /// seconds, a minute at least. See also `renew_grace`.
    renew_after: Duration, Duration;
    /// The time for which the old token still opens the session once the new one was used, so that requests that were
    /// under way with it are not logged out; 30 seconds by default.
    renew_grace: Duration, Duration;
    /// The longest time for which the old token opens the session after `reauthenticate`, `elevate`, `rotate` or a login as
    /// the same user, if the new one is not used meanwhile; none by default, as OWASP ASVS 7.2.4 asks. It helps those whose
    /// answer was lost. The old token has the rights that it had: it is not fresh, and not elevated. It never outlasts a
    /// change of user, of actor or of the credential stamp. Whole seconds.
    rotation_grace: Duration, Duration;
    /// The deadline of a load; 250 ms by default.
    load_deadline: Duration, Duration;
    /// The deadline of a commit, retries included; 500 ms by default.
    commit_deadline: Duration, Duration;
    /// The deadline of the [`UserLoader`](crate::UserLoader); a second by default.
    user_deadline: Duration, Duration;
    /// The interval at which [`SessionHandle::ended`](crate::SessionHandle::ended) looks for its session; 30 seconds
    /// by default. If the store sends notices, this is the delay for what they missed.
    watch_interval: Duration, Duration;
    /// The most bytes that the fields of a session may take, keys included; 64 KiB by default. Parallel requests
    /// are each measured against what they loaded.
    max_record_size: usize, usize;
    /// The keys that encrypt fields where they are stored: those that are marked `#[session(sensitive)]`; none by default.
    /// Several are text with spaces or commas between, the active one first; `file:` and a path stand for a file of them.
    /// The program `sessionkit keygen` makes one.
    ///
    /// Without keys a struct with a `sensitive` field is refused when it is first used, unless `plaintext_sensitive` is set.
    /// [`dev`](Self::dev) makes a key that ends with the process.
    keys: KeyRing, KeyRing;
    /// Encrypts all fields, not only those that are marked `sensitive`; it does not by default. Needs `keys`.
    encrypt_all: bool, bool;
    /// Stores `sensitive` fields as plain text; it does not by default. With `keys`, what is encrypted already can be read:
    /// so one release brings the keys to all servers, and the next one encrypts.
    plaintext_sensitive: bool, bool;
    /// Gives a visitor a session, and its cookie, at the first visit, before there is anything to keep; it does not
    /// by default. With it, responses with a status from 500, and 408, begin no session. A cookie that is
    /// presented to a route that does not use the session is not looked up.
    save_uninitialized: bool, bool;
    /// The answer to a request whose changes came after the session's end; [`OnLostWrite::Ignore`] by default.
    on_lost_write: OnLostWrite, OnLostWrite;
    /// The fate of what an anonymous visitor has stored when they log in; `Keep` by default. A struct with
    /// `#[session(on_login = ..)]` decides for itself, and fields with `#[session(carry)]` stay.
    on_login: OnLogin, OnLogin;
    /// The treatment of a request that asks for the session with a cookie that opens nothing;
    /// [`OnBadCookie::Anonymous`] by default.
    on_bad_cookie: OnBadCookie, OnBadCookie;
    /// Lists the sessions of each user, for [devices](crate::Devices) and for limits; it does not by default, since that
    /// costs store calls.
    ///
    /// Without it nothing can end the sessions of one user from outside, and nothing limits their number.
    /// [`Devices`](crate::Devices) and [`devices_of`](crate::SessionManager::devices_of) are errors then;
    /// [`end_everyone`](crate::SessionManager::end_everyone) still works. As long as neither `true` nor `false` is set, the
    /// first login says so in the log.
    track_devices: bool, bool;
    /// The number of devices on which a user can be logged in at once; a hundred by default, a limit that people hardly
    /// meet, and that bounds the cost of a login. Needs `track_devices`.
    max_devices: usize, usize;
    /// The treatment of a login whose user is logged in on `max_devices` already;
    /// [`OnMaxDevices::EvictOldest`] by default.
    on_max_devices: OnMaxDevices, OnMaxDevices;
    /// The beginning of all paths that a proxy strips before the application sees them, as in `/shop`; nothing by default.
    ///
    /// The redirects of guards get it, `login_url`, `home_url` and the `next` of both among them, which are written as the
    /// application's routes are. The paths of `exempt` and of events are the application's own.
    path_prefix: String, impl Into<String>;
    /// The path of the login page, for people who are not logged in; `/login` by default.
    login_url: String, impl Into<String>;
    /// The path where a user who is logged in is sent from a page for guests; `/` by default.
    home_url: String, impl Into<String>;
}

impl SessionConfigBuilder {
    /// Suits plain http on localhost: the cookie is called `session`, and is not `Secure`, a 500 says in its body what went
    /// wrong, and `sensitive` fields are encrypted with a key that ends with the process. Only what is not set changes.
    pub fn dev(mut self) -> Self {
        self.dev = Some(true);
        self
    }

    /// Limits sessions as NIST SP 800-63B-4 does at authentication assurance level 1: thirty days after the last
    /// authentication they end.
    ///
    /// What is not set takes the preset's limits. What is set may be stricter; what is laxer is refused when the settings
    /// are built. [`Login::lifetime`](crate::Login::lifetime) does not pass the limits either. What the levels ask of
    /// authenticators is for the application to see to.
    ///
    /// ```
    /// # use sessionkit_core as sessionkit;
    /// use std::time::Duration;
    /// use sessionkit::SessionConfig;
    ///
    /// let half_an_hour = Duration::from_secs(30 * 60);
    /// assert!(SessionConfig::builder().aal2().ttl(half_an_hour).build().is_ok());
    /// assert!(SessionConfig::builder().aal3().ttl(half_an_hour).build().is_err());
    /// ```
    pub fn aal1(self) -> Self {
        self.limited(Preset::Aal1)
    }

    /// Limits sessions as NIST SP 800-63B-4 does at authentication assurance level 2: an hour without use, and a day after
    /// the last authentication. As to other settings, see [`aal1`](Self::aal1).
    pub fn aal2(self) -> Self {
        self.limited(Preset::Aal2)
    }

    /// Limits sessions as NIST SP 800-63B-4 does at authentication assurance level 3: a quarter of an hour without use, and
    /// twelve hours after the last authentication. As to other settings, see [`aal1`](Self::aal1).
    pub fn aal3(self) -> Self {
        self.limited(Preset::Aal3)
    }

    fn limited(mut self, preset: Preset) -> Self {
        self.preset = Some(preset);
        self
    }

    /// Checks the settings.
    ///
    /// # Errors
    /// Fails when two settings contradict each other, with what to change.
    pub fn build(self) -> Result<SessionConfig, ConfigError> {
        self.check()?;
        let settings = Settings::of(self);
        settings.check()?;
        Ok(SessionConfig(settings))
    }
}

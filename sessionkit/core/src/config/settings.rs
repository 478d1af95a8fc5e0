//! The settings as the engine uses them.

use std::time::Duration;

use super::preset::Preset;
use super::{CookieMaxAge, OnBadCookie, OnLostWrite, OnMaxDevices, Rolling, SameSite, SessionConfigBuilder};
use crate::encryption::{EncryptedFields, KeyRing};
use crate::record::delta::OnLogin;
use crate::record::header::Header;
use crate::time::Timestamp;

pub(super) const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The number of devices on which a user can be logged in by default. Parallel logins to one account cost Redis about twice as
/// much with a full list of 100 as with one of 10, and five to eight times as much with one of 1,000:
/// `cargo xtask bench -- devices`.
const MAX_DEVICES: usize = 100;

/// Every setting, as it was set or by default.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) dev: bool,
    pub(super) preset: Option<Preset>,
    pub(crate) cookie_name: String,
    pub(crate) cookie_path: String,
    pub(crate) cookie_domain: Option<String>,
    pub(crate) cookie_secure: bool,
    pub(super) allow_weak_cookie: bool,
    pub(crate) cookie_http_only: bool,
    pub(crate) cookie_same_site: SameSite,
    pub(crate) cookie_partitioned: bool,
    pub(crate) cookie_max_age: CookieMaxAge,
    pub(super) clear_site_data: Option<String>,
    pub(crate) ttl: Duration,
    pub(crate) anonymous_ttl: Duration,
    pub(crate) absolute_ttl: Duration,
    pub(crate) rolling: Rolling,
    pub(crate) touch_after: Duration,
    pub(crate) renew_after: Option<Duration>,
    pub(crate) renew_grace: Duration,
    pub(crate) rotation_grace: Option<Duration>,
    pub(crate) load_deadline: Duration,
    pub(crate) commit_deadline: Duration,
    pub(crate) user_deadline: Duration,
    pub(crate) watch_interval: Duration,
    pub(crate) max_record_size: usize,
    pub(crate) keys: Option<KeyRing>,
    pub(super) encrypt_all: bool,
    pub(super) plaintext_sensitive: bool,
    pub(crate) save_uninitialized: bool,
    pub(crate) on_lost_write: OnLostWrite,
    pub(crate) on_login: OnLogin,
    pub(crate) on_bad_cookie: OnBadCookie,
    /// `None` if the application has not decided; [`lists_devices`](Self::lists_devices) is the effect.
    pub(crate) track_devices: Option<bool>,
    pub(crate) max_devices: usize,
    pub(crate) on_max_devices: OnMaxDevices,
    pub(crate) path_prefix: String,
    pub(crate) login_url: String,
    pub(crate) home_url: String,
}

impl Settings {
    /// Adds the defaults to what is set.
    pub(super) fn of(set: SessionConfigBuilder) -> Self {
        let dev = set.dev.unwrap_or(false);
        let (preset, longest_idle) = (set.preset, set.preset.and_then(Preset::longest_idle));
        let ttl = set.ttl.or(longest_idle).unwrap_or(DAY);
        let plaintext_sensitive = set.plaintext_sensitive.unwrap_or(false);
        let anonymous_ttl = set.anonymous_ttl.unwrap_or(ttl.min(DAY / 2));
        Self {
            dev,
            preset,
            cookie_name: set.cookie_name.unwrap_or_else(|| if dev { "session" } else { "__Host-session" }.into()),
            cookie_path: set.cookie_path.unwrap_or_else(|| "/".into()),
            cookie_domain: set.cookie_domain,
            cookie_secure: set.cookie_secure.unwrap_or(!dev),
            allow_weak_cookie: set.allow_weak_cookie.unwrap_or(false),
            cookie_http_only: set.cookie_http_only.unwrap_or(true),
            cookie_same_site: set.cookie_same_site.unwrap_or(SameSite::Lax),
            cookie_partitioned: set.cookie_partitioned.unwrap_or(false),
            cookie_max_age: set.cookie_max_age.unwrap_or(CookieMaxAge::Follow),
            clear_site_data: set.clear_site_data,
            ttl,
            anonymous_ttl,
            absolute_ttl: set.absolute_ttl.or(preset.map(Preset::longest)).unwrap_or(ttl.max(30 * DAY)),
            rolling: set.rolling.unwrap_or(Rolling::Reset),
            touch_after: set.touch_after.unwrap_or_else(|| (anonymous_ttl / 2).min(Duration::from_secs(60))),
            renew_after: set.renew_after,
            renew_grace: set.renew_grace.unwrap_or(Duration::from_secs(30)),
            rotation_grace: set.rotation_grace,
            load_deadline: set.load_deadline.unwrap_or(Duration::from_millis(250)),
            commit_deadline: set.commit_deadline.unwrap_or(Duration::from_millis(500)),
            user_deadline: set.user_deadline.unwrap_or(Duration::from_secs(1)),
            watch_interval: set.watch_interval.unwrap_or(Duration::from_secs(30)),
            max_record_size: set.max_record_size.unwrap_or(64 * 1024),
            keys: set.keys.or_else(|| (dev && !plaintext_sensitive).then(KeyRing::of_process)),
            encrypt_all: set.encrypt_all.unwrap_or(false),
            plaintext_sensitive,
            save_uninitialized: set.save_uninitialized.unwrap_or(false),
            on_lost_write: set.on_lost_write.unwrap_or(OnLostWrite::Ignore),
            on_login: set.on_login.unwrap_or(OnLogin::Keep),
            on_bad_cookie: set.on_bad_cookie.unwrap_or(OnBadCookie::Anonymous),
            track_devices: set.track_devices,
            max_devices: set.max_devices.unwrap_or(MAX_DEVICES),
            on_max_devices: set.on_max_devices.unwrap_or(OnMaxDevices::EvictOldest),
            path_prefix: set.path_prefix.unwrap_or_default(),
            login_url: set.login_url.unwrap_or_else(|| "/login".into()),
            home_url: set.home_url.unwrap_or_else(|| "/".into()),
        }
    }

    /// Returns whether the sessions of each user are listed.
    pub(crate) fn lists_devices(&self) -> bool {
        self.track_devices == Some(true)
    }

    /// Returns which fields are encrypted when they are written, if there are keys.
    pub(crate) fn encrypted_fields(&self) -> EncryptedFields {
        match (self.encrypt_all, self.plaintext_sensitive) {
            (true, _) => EncryptedFields::All,
            (false, true) => EncryptedFields::Nothing,
            (false, false) => EncryptedFields::Sensitive,
        }
    }

    /// Returns whether sensitive fields can neither be encrypted nor are to be stored as plain text.
    pub(crate) fn lacks_keys(&self) -> bool {
        self.keys.is_none() && !self.plaintext_sensitive
    }

    /// Returns the value of the header `Clear-Site-Data` at a logout.
    pub(crate) fn clear_site_data(&self) -> Option<String> {
        let types = self.clear_site_data.as_deref()?.split(',');
        Some(types.map(|kind| format!("\"{}\"", kind.trim())).collect::<Vec<_>>().join(", "))
    }

    /// The lifetime of a login that asks for one of its own: idle, and in all.
    pub(crate) fn login_lifetime(&self, asked: Option<Duration>) -> (Duration, Duration) {
        let ttl = asked.unwrap_or(self.ttl);
        let Some(preset) = self.preset else { return (ttl, self.absolute_ttl.max(ttl)) };
        let ttl = ttl.min(preset.longest_idle().unwrap_or(preset.longest()));
        (ttl, self.absolute_ttl.max(ttl))
    }

    /// Returns whether a session is over by the limits of the preset. They hold too for one that began under laxer
    /// settings, whose own deadlines lie later.
    pub(crate) fn is_over_limits(&self, header: &Header, now: Timestamp) -> bool {
        let Some(preset) = self.preset.filter(|_| header.user_id.is_some()) else { return false };
        let idle = preset.longest_idle().is_some_and(|longest| now >= header.last_seen.saturating_add(longest));
        idle || now >= header.authenticated.unwrap_or(header.created).saturating_add(preset.longest())
    }

    /// The time after which a client that goes on with its old token, and so never got the new one, is given another.
    pub(crate) fn renew_again_after(&self) -> Duration {
        self.renew_grace.max(self.touch_after)
    }
}

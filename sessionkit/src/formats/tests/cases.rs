//! The table of the formats.

use super::super::*;
use super::forged;

/// A format, and what it promises.
pub(super) struct Case {
    pub(super) name: &'static str,
    /// Makes the format, for a cookie of the name `session` if it binds one.
    pub(super) make: fn(Secrets) -> Box<dyn AuthenticatedFormat>,
    /// Makes the format for a cookie of another name, if it binds it.
    pub(super) elsewhere: Option<fn(Secrets) -> Box<dyn AuthenticatedFormat>>,
    /// Shows the format in a log.
    pub(super) debug: fn(Secrets) -> String,
    /// The cases that write the same.
    pub(super) same_as: &'static [&'static str],
    /// Writes any text where the values would be, properly signed, with `SECRET` at `NOW`.
    pub(super) forge: fn(&str) -> String,
    /// How many seconds after it was written a cookie is read last, if it ends.
    pub(super) last_second: Option<u64>,
    /// A cookie holds the time at which it was written.
    pub(super) has_times: bool,
    /// How many seconds the clock of another server may be ahead.
    pub(super) ahead: u64,
}

const DAY: u64 = 86_400;

pub(super) const CASES: &[Case] = &[
    #[cfg(feature = "itsdangerous")]
    Case {
        name: "starlette",
        make: |secrets| Box::new(Starlette::new(secrets)),
        elsewhere: None,
        debug: |secrets| format!("{:?}", Starlette::new(secrets)),
        same_as: &["ravyn"],
        forge: forged::starlette,
        last_second: Some(14 * DAY),
        has_times: true,
        ahead: 0,
    },
    #[cfg(feature = "itsdangerous")]
    Case {
        name: "ravyn",
        make: |secrets| Box::new(Starlette::ravyn(secrets)),
        elsewhere: None,
        debug: |secrets| format!("{:?}", Starlette::ravyn(secrets)),
        same_as: &["starlette"],
        forge: forged::starlette,
        last_second: Some(180 * DAY),
        has_times: true,
        ahead: 0,
    },
    #[cfg(feature = "itsdangerous")]
    Case {
        name: "flask",
        make: |secrets| Box::new(Flask::new(secrets)),
        elsewhere: None,
        debug: |secrets| format!("{:?}", Flask::new(secrets)),
        same_as: &[],
        forge: forged::flask,
        last_second: Some(31 * DAY),
        has_times: true,
        ahead: 0,
    },
    #[cfg(feature = "itsdangerous")]
    Case {
        name: "django",
        make: |secrets| Box::new(Django::new(secrets)),
        elsewhere: None,
        debug: |secrets| format!("{:?}", Django::new(secrets)),
        same_as: &[],
        forge: forged::django,
        last_second: Some(14 * DAY),
        has_times: true,
        ahead: 10,
    },
    #[cfg(feature = "signed-json")]
    Case {
        name: "signed-json",
        make: |secrets| Box::new(SignedJson::new(secrets, "session")),
        elsewhere: Some(|secrets| Box::new(SignedJson::new(secrets, "other"))),
        debug: |secrets| format!("{:?}", SignedJson::new(secrets, "session")),
        same_as: &[],
        forge: forged::signed_json,
        // A time at which something ends is not in it.
        last_second: Some(14 * DAY - 1),
        has_times: true,
        ahead: 10,
    },
    #[cfg(feature = "fernet")]
    Case {
        name: "fernet",
        make: |secrets| Box::new(fernet(&secrets)),
        elsewhere: None,
        debug: |secrets| format!("{:?}", fernet(&secrets)),
        same_as: &["muffin-fernet"],
        forge: forged::fernet,
        last_second: Some(14 * DAY),
        has_times: true,
        ahead: 60,
    },
    #[cfg(feature = "jwt")]
    Case {
        name: "jwt-hs256",
        make: |secrets| Box::new(Jwt::hs256(secrets).audience("session")),
        elsewhere: Some(|secrets| Box::new(Jwt::hs256(secrets).audience("other"))),
        debug: |secrets| format!("{:?}", Jwt::hs256(secrets)),
        same_as: &[],
        forge: forged::jwt_hs256,
        // A time at which something ends is not in it.
        last_second: Some(14 * DAY - 1),
        has_times: true,
        ahead: 60,
    },
    #[cfg(feature = "jwt")]
    Case {
        name: "jwt-ed25519",
        make: |secrets| Box::new(ed25519(&secrets).audience("session")),
        elsewhere: Some(|secrets| Box::new(ed25519(&secrets).audience("other"))),
        debug: |secrets| format!("{:?}", ed25519(&secrets)),
        same_as: &[],
        forge: forged::jwt_ed25519,
        last_second: Some(14 * DAY - 1),
        has_times: true,
        ahead: 60,
    },
    #[cfg(feature = "muffin")]
    Case {
        name: "muffin-jwt",
        make: |secrets| Box::new(Muffin::jwt(secrets)),
        elsewhere: None,
        debug: |secrets| format!("{:?}", Muffin::jwt(secrets)),
        same_as: &[],
        forge: forged::muffin_jwt,
        last_second: None,
        has_times: false,
        ahead: 0,
    },
    #[cfg(feature = "muffin")]
    Case {
        name: "muffin-fernet",
        make: |secrets| Box::new(Muffin::fernet(secrets).unwrap()),
        elsewhere: None,
        debug: |secrets| format!("{:?}", Muffin::fernet(secrets).unwrap()),
        // The key is the secret of 32 bytes.
        same_as: &["fernet"],
        forge: forged::fernet,
        last_second: Some(14 * DAY),
        has_times: true,
        ahead: 60,
    },
];

/// The secrets are keys of 32 bytes.
#[cfg(feature = "fernet")]
fn fernet(secrets: &Secrets) -> Fernet {
    use base64::Engine as _;
    Fernet::new(secrets.iter().map(|secret| base64::engine::general_purpose::URL_SAFE.encode(secret))).unwrap()
}

/// The secrets are seeds of 32 bytes.
#[cfg(feature = "jwt")]
fn ed25519(secrets: &Secrets) -> Jwt {
    let mut keys = secrets.iter().map(forged::ed25519_key);
    let first = keys.next().unwrap();
    Jwt::ed25519(&first, keys.map(|key| key.public_key()))
}
